"""The files that pages load: few, compressed, kept for ever by browsers, and as new as their sources."""

import gzip
import re
import shutil

import pytest
from flask import Flask

from fer_web.factory import create_application
from fer_web.settings import Settings
from fer_web.vendor_files import find_esbuild
from fer_web.web.pages import page_bundle
from fer_web.web.pages.page_bundle import STATIC
from fer_web.web.pages.page_files import CurrentFiles, SourceFiles
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline

MODULE = "js/shared/format.js"
PAGE_VARIES = {"accept-language", "cookie", "accept-encoding"}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page_files")
    settings = Settings(
        model=write_empty_model(folder / "m"), async_mode="threading", detector="haar", data_dir=folder
    )
    application = create_application(settings, [InstantPipeline()])
    yield application.flask.test_client()
    application.scheduler.stop()
    application.close()


@pytest.fixture
def static(tmp_path):
    """A copy of the sources, to be changed."""
    return shutil.copytree(STATIC, tmp_path / "static")


def files_of(page):
    return sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)))


@pytest.mark.parametrize("path", ["/", "/history", "/analyze", "/api", "/trust", "/no-such-page"])
def test_a_page_loads_at_most_four_files_which_browsers_keep(client, path):
    files = files_of(client.get(path, headers={"Accept": "text/html"}).text)
    assert 3 <= len(files) <= 4
    for file in files:
        answer = client.get(file, headers={"Accept-Encoding": "gzip, br"})
        plain = client.get(file)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(answer.data) == plain.data
        assert "Set-Cookie" not in answer.headers
        suffix = file.rsplit(".", 1)[1]
        assert answer.mimetype == {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[suffix]


def test_the_page_itself_is_kept_by_nobody_and_compressed_for_who_takes_that(client):
    plain = client.get("/api", headers={"Accept-Encoding": "gzip;q=0, identity"})
    small = client.get("/api", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    for answer in (plain, small):
        assert (answer.headers["Cache-Control"], set(map(str.lower, answer.vary))) == (
            "no-store",
            PAGE_VARIES,
        )
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data
    assert int(small.headers["Content-Length"]) == len(small.data) < len(plain.data) / 4


@pytest.mark.parametrize("path", ["/healthz", "/static/js/live/live_page.js"])
def test_other_answers_are_sent_as_they_are(client, path):
    with client.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "name", ["live_page.js", "live_page-0123456789abcdef.js", "..%2f..%2fapp.py", "tsconfig.json"]
)
def test_other_names_are_not_served(client, name):
    assert client.get(f"/static/bundle/{name}").status_code == 404


def test_a_bundle_asks_for_no_further_file(client):
    for path in ("/", "/history", "/analyze", "/api"):
        for file in files_of(client.get(path).text):
            text = client.get(file).text
            assert not re.search(r"""(?:^|[;}])\s*import[\s{*"']|@import|url\((?!["']?data:)""", text), file
            assert not re.search(r"\bimport\(", text), file


def test_sheets_stay_in_their_order():
    with_chart = CurrentFiles().now()
    (url,) = with_chart.sheet_urls(["tokens", "base", "chart"])
    sheet = with_chart.file(url.rsplit("/", 1)[1]).content.decode()
    ours = sheet.index(".chart")
    assert sheet.index(".u-legend") < sheet.index(":root") < ours
    assert with_chart.sheet_urls(["tokens", "base", "chart"]) == [url]
    assert with_chart.sheet_urls(["base", "tokens", "chart"]) != [url]


def test_a_changed_source_shows_at_the_next_page(static):
    files = CurrentFiles(static)
    before = files.now().url("js/live/live_page.js")
    assert files.now().url("js/live/live_page.js") == before
    with (static / MODULE).open("a") as module:
        module.write('\nglobalThis.changed = "yes";\n')
    after = files.now()
    assert after.url("js/live/live_page.js") != before
    assert b'changed="yes"' in after.file(after.url("js/live/live_page.js").rsplit("/", 1)[1]).content


def test_a_source_that_does_not_parse_reaches_the_browser_as_it_is(static, caplog):
    files = CurrentFiles(static)
    good = (static / MODULE).read_text()
    (static / MODULE).write_text("export const = 1;")
    assert files.now().url("js/live/live_page.js") == "/static/js/live/live_page.js"
    assert MODULE in caplog.text
    (static / MODULE).write_text(good)
    assert files.now().url("js/live/live_page.js").startswith("/static/bundle/live_page-")


def test_a_source_that_is_gone_and_comes_back(static):
    files = CurrentFiles(static)
    hidden = (static / MODULE).rename(static / "hidden")
    assert isinstance(files.now(), SourceFiles)
    hidden.rename(static / MODULE)
    assert files.now().url("logo.svg").startswith("/static/bundle/logo-")


def test_without_esbuild_pages_are_served_as_they_lie_and_the_log_says_what_mends_it(
    static, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(page_bundle, "find_esbuild", lambda: find_esbuild(tmp_path))
    files = CurrentFiles(static).now()
    monkeypatch.undo()
    assert not isinstance(CurrentFiles(static).now(), SourceFiles), "what was missing is there again"
    assert files.sheet_urls(["base", "chart"]) == [
        "/vendor/uPlot.min.css",
        "/static/css/base.css",
        "/static/css/chart.css",
    ]
    assert "npm ci --ignore-scripts" in caplog.text


def test_debugging_serves_the_sources(caplog):
    app = Flask("debugged")
    CurrentFiles(is_bundled=False).register(app)
    assert app.test_client().get("/static/bundle/page.css").status_code == 404
    assert not caplog.text


def test_esbuild_is_found_on_every_system(tmp_path):
    assert find_esbuild(tmp_path) is None
    program = tmp_path / "@esbuild" / "win32-x64" / "esbuild.exe"
    program.parent.mkdir(parents=True)
    program.touch()
    assert find_esbuild(tmp_path) == program
    assert find_esbuild().is_file()
