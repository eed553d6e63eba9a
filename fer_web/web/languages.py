"""Pages in the reader's language: English in the source is the key of every table of words."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Flask, Response, has_request_context, request

from fer_web.settings import ROOT

LANGUAGES: Final = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
"""Each language by its tag, named in itself."""

COOKIE: Final = "fer_lang"
"""The page keeps a person's choice in it; static/js/shared/views/language_choice.js writes it."""

PAGE_TABLES: Final = ROOT / "templates" / "languages"
"""What templates say; static/languages/ has what scripts say, which browsers load."""


def current_language() -> str:
    """Return the language of the answer: the link's, else the chosen one, else the browser's first."""
    if not has_request_context():
        return "en"
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return request.accept_languages.best_match(list(LANGUAGES), "en") or "en"


def translate(text: str) -> str:
    """Return a text of a template in the reader's language; English where it has no translation."""
    return _table(current_language()).get(text, text)


def register_languages(app: Flask) -> None:
    """Give templates `_()`, `{% trans %}` and the choice of languages."""
    environment = app.jinja_env
    environment.policies["ext.i18n.trimmed"] = True
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        translate, lambda one, other, count: translate(one if count == 1 else other), newstyle=True
    )
    environment.filters["translated"] = translate
    app.context_processor(_language_of_page)
    app.after_request(_tell_language)


def _language_of_page() -> dict[str, object]:
    return {"language": current_language(), "languages": LANGUAGES}


def _tell_language(answer: Response) -> Response:
    if answer.mimetype == "text/html":
        answer.headers["Content-Language"] = current_language()
        answer.vary.update(["Accept-Language", "Cookie"])
    return answer


def _table(language: str) -> Mapping[str, str]:
    path = PAGE_TABLES / f"{language}.json"
    return {} if language == "en" else read_table(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def read_table(path: Path, mtime_ns: int) -> Mapping[str, str]:
    """Read a table of words; `mtime_ns` makes a changed file be read again."""
    words: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return words
