"""Pages in other languages: which one, and that every word of a page has its translation."""

import json
import re

import pytest
from flask import Flask, render_template_string

from fer_web.analysis.folders.folder_scores import ONE_HEAD, TWO_HEADS
from fer_web.labels import EMOTIONS
from fer_web.settings import ROOT
from fer_web.web.error_handlers import SHARE_HEADINGS
from fer_web.web.languages import LANGUAGES, PAGE_TABLES, read_table, register_languages

TEMPLATES = ROOT / "templates"
NAMES = {"fer-web", "CSV", "FaceReader", "JSON", "OpenFace", "PNG", "Parquet", "Py-Feat"}
"""Of programs and formats: the same in every language."""

FROM_VARIABLES = {
    *EMOTIONS,
    *SHARE_HEADINGS.values(),
    "Your link does not open this",
    "it reads the camera and draws on its picture",
    "it draws what the server sends",
    "it sends your files and draws what was found",
    "it makes keys and links",
}
"""Templates look these up through a variable."""

OTHERS = [tag for tag in LANGUAGES if tag != "en"]


@pytest.fixture
def app():
    app = Flask("languages", template_folder=str(TEMPLATES))
    register_languages(app)
    app.add_url_rule("/", view_func=lambda: render_template_string("<p>{{ language }} {{ _('Close') }}</p>"))
    return app


@pytest.mark.parametrize(
    ("query", "cookie", "header", "language"),
    [
        ("", "", "", "en"),
        ("", "", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "", "it,fr;q=0.5", "fr"),
        ("", "", "it", "en"),
        ("", "es", "de", "es"),
        ("?lang=fr", "es", "de", "fr"),
        ("?lang=xx", "es", "de", "es"),
        ("?lang=../de", "\\..%2f", "*;q=;;", "en"),
    ],
)
def test_language_is_the_links_else_the_chosen_else_the_browsers(app, query, cookie, header, language):
    client = app.test_client()
    if cookie:
        client.set_cookie("fer_lang", cookie)
    answer = client.get(f"/{query}", headers={"Accept-Language": header})
    assert answer.text.startswith(f"<p>{language} ")
    assert answer.headers["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= set(re.split(r",\s*", answer.headers["Vary"]))
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_server_says_of_a_folder_test_has_its_translation(language):
    table = json.loads((ROOT / "static" / "languages" / f"{language}.json").read_text(encoding="utf-8"))
    assert {TWO_HEADS, ONE_HEAD} <= set(table)


def test_values_in_a_translation_are_escaped(app):
    text = "{% trans number=evil %}version {{ number }}.{% endtrans %}"
    with app.test_request_context("/?lang=de"):
        assert render_template_string(text, evil="<b>") == "Version &lt;b&gt;."


@pytest.mark.parametrize("language", OTHERS)
def test_every_word_of_the_templates_is_translated_and_no_other(app, language):
    wanted = FROM_VARIABLES | set(_said(app))
    assert set(_table(language)) == wanted


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_what_is_filled_in_and_the_markup(language):
    for text, translated in _table(language).items():
        for part in (r"%\(\w+\)s|%%", r"</?[a-z]+[^>]*>"):
            assert sorted(re.findall(part, text)) == sorted(re.findall(part, translated)), text
        assert translated.strip()


def test_no_visible_text_of_a_template_is_left_out():
    left = [
        (path.name, text)
        for path in sorted(TEMPLATES.glob("*.html"))
        for text in _untranslated(path.read_text(encoding="utf-8"))
    ]
    assert left == []


def test_untranslated_text_is_found():
    assert _untranslated('<p title="A title">Some words {{ _("done") }}</p>') == ["A title", "Some words"]


def _table(language):
    path = PAGE_TABLES / f"{language}.json"
    assert json.loads(path.read_text(encoding="utf-8")) == read_table(path, 0)
    return read_table(path, 0)


def _said(app):
    for path in TEMPLATES.glob("*.html"):
        for _, _, message in app.jinja_env.extract_translations(path.read_text(encoding="utf-8")):
            text = message[0] if isinstance(message, tuple) else message
            if text is not None:
                yield text


def _untranslated(source):
    """Text nodes and attributes that people read, without those that come from Jinja."""
    for pattern in (
        r"\{#.*?#\}",
        r"\{% trans.*?endtrans %\}",
        r"<(code|kbd|svg)\b.*?</\1>",
        r"\{\{.*?\}\}",
        r"\{%.*?%\}",
    ):
        source = re.sub(pattern, " ", source, flags=re.DOTALL)
    attributes = re.findall(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"', source)
    texts = re.split(r"<[^>]*>", source)
    words = [text.strip() for text in [*attributes, *texts]]
    return [text for text in words if re.search(r"[A-Za-z]{2}", text) and text not in NAMES]
