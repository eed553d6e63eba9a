import re
import shlex

import pytest

from fer_web.web.api.openapi import build_document
from fer_web.web.api.openapi.reference import areas_of
from fer_web.web.pages.api_reference import with_code
from tests.support.shared_application import Shared

URL = "http://localhost:5000"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    made = Shared(tmp_path_factory.mktemp("api"))
    yield made
    made.close()


def operations():
    return [operation for area in areas_of(build_document(), URL) for operation in area.operations]


def test_the_page_has_every_operation_and_every_type(shared):
    page = shared.host.get("/api")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    ids = set(re.findall(r' id="([^"]+)"', page.text))
    document = build_document()
    named = {
        item[method]["operationId"]
        for item in document["paths"].values()
        for method in item
        if method != "parameters"
    }
    assert named == {operation.name for operation in operations()}
    assert named <= ids
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= ids
    assert (
        set(re.findall(r'href="#([^"]+)"', page.text)) - {name for name in ids if name.startswith("icon-")}
        <= ids
    )


def test_in_another_language_the_documents_own_words_are_marked_as_english(shared):
    summary = operations()[0].summary
    page = shared.host.get("/api?lang=de").text
    assert "Ihre Schlüssel" in page
    assert f'<span lang="en">{summary}</span>' in page
    assert 'lang="en"' not in shared.host.get("/api").text.split("</header>")[1].split('id="share')[0]


def test_ids_on_the_page_are_unique(shared):
    ids = re.findall(r' id="([^"]+)"', shared.host.get("/api").text)
    assert len(ids) == len(set(ids))


def test_only_the_host_sees_keys(shared):
    joined, _ = shared.visitor("join")
    for browser in (joined, shared.browser("127.0.0.1")):
        text = browser.get("/api").text
        assert 'id="key-form"' not in text
        assert "keys create NAME" in text
    assert 'id="key-form"' in shared.host.get("/api").text


def test_watchers_and_outsiders_are_kept_out(shared):
    watching, _ = shared.visitor("watch")
    assert watching.get("/api").status_code == 403
    assert shared.browser().get("/api").status_code == 403


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)
def test_examples_are_commands_with_an_address_that_is_filled_in(operation):
    words = shlex.split(operation.example.replace("\\\n", ""))
    (address,) = [word for word in words if word.startswith("http")]
    assert words[0] == "curl"
    assert "{" not in address
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    assert method == operation.method
    assert ("-d" in words or "--data-binary" in words) == bool(operation.bodies)


def test_descriptions_are_escaped():
    assert with_code("a `<b>` & c") == "a <code>&lt;b&gt;</code> &amp; c"
