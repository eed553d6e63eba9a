import json
import logging
import re
from html import unescape

import pytest

from fer_web.errors import FrameError
from fer_web.factory import create_application
from fer_web.labels import EMOTIONS
from fer_web.settings import Settings
from fer_web.web.firewall.middleware import HEADERS
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline


@pytest.fixture
def application(tmp_path):
    settings = Settings(
        model=write_empty_model(tmp_path / "m"), async_mode="threading", detector="haar", data_dir=tmp_path
    )
    built = create_application(settings, [InstantPipeline()])
    yield built
    built.scheduler.stop()
    built.close()


@pytest.fixture
def client(application):
    return application.flask.test_client()


def test_live_page_hands_its_options_to_the_browser_in_model_order(client):
    page = client.get("/").text
    options = json.loads(unescape(re.search(r'name="fer-options" content="([^"]*)"', page).group(1)))
    assert options["emotions"] == list(EMOTIONS)
    assert options["detector"] == "haar"
    assert options["max_in_flight"] == 8
    assert options["record"] is True
    assert options["retention_days"] == 30


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("/history/", "/history"),
        ("/analyze/", "/analyze"),
        ("/analyze//?a=1", "/analyze?a=1"),
        ("/api/", "/api"),
        ("/trust/", "/trust"),
    ],
)
def test_page_is_found_with_a_slash_too_many(client, address, meant):
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (308, meant)
    assert client.get(meant).status_code == 200


@pytest.mark.parametrize("address", ["/%2Fexample.com/", "/nothing/", "/api/v1/health/", "/history/a/b/"])
def test_a_slash_too_many_leads_nowhere_else(client, address):
    assert client.get(address).status_code == 404


def test_live_page_has_no_inline_script_or_style(client):
    page = client.get("/").text
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page)
    assert not re.findall(r"<style|\sstyle=|\son\w+=", page)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)


@pytest.mark.parametrize(
    "path", ["/", "/static/js/live/live_page.js", "/vendor/socket.io.esm.min.js", "/nothing"]
)
def test_every_answer_carries_the_security_headers(client, path):
    with client.get(path) as answer:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/static/js/live/live_page.js", "text/javascript"),
        ("/vendor/socket.io.esm.min.js", "text/javascript"),
        ("/vendor/uPlot.esm.js", "text/javascript"),
        ("/vendor/client-zip.js", "text/javascript"),
        ("/vendor/uPlot.min.css", "text/css"),
        ("/static/film/two_faces.webm", "video/webm"),
        ("/static/film/two_faces.mp4", "video/mp4"),
    ],
)
def test_modules_and_sheets_have_the_type_that_browsers_ask_for(client, path, media_type):
    with client.get(path) as answer:
        assert answer.mimetype == media_type


@pytest.mark.parametrize(
    "path",
    ["/vendor/../package.json", "/vendor/package.json", "/vendor/%2e%2e%2fpackage.json", "/static/../app.py"],
)
def test_nothing_else_is_served(client, path):
    assert client.get(path).status_code == 404


def test_unknown_page_is_json_for_programs_and_a_page_for_people(client):
    assert client.get("/x", headers={"Accept": "application/json"}).json["error"]["code"] == "not_found"
    page = client.get("/x", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404
    assert "There is no such page" in page.text


def test_a_bug_is_logged_and_told_without_its_text(application, client, caplog):
    @application.flask.get("/bug")
    def bug():
        raise RuntimeError("secret detail")

    with caplog.at_level(logging.ERROR):
        answer = client.get("/bug", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert any("secret detail" in str(record.exc_info) for record in caplog.records)


def test_a_known_error_has_its_status_and_text(application, client):
    @application.flask.get("/known")
    def known():
        raise FrameError("The frame is bad.")

    answer = client.get("/known", headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.json == {"error": {"code": "bad_frame", "message": "The frame is bad.", "retryable": False}}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:5000", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("a.example", 400),
        ("127.0.0.1.a.example", 400),
        ("", 400),
    ],
)
def test_only_this_machines_names_are_answered(client, host, status):
    assert client.get("/", headers={"Host": host}).status_code == status


def test_health_says_ok(client):
    assert client.get("/healthz").json["status"] == "ok"


def test_analyze_page_knows_the_limits_and_the_names_of_folders(client):
    answer = client.get("/analyze")
    options = json.loads(unescape(re.search(r'name="fer-options" content="([^"]*)"', answer.text).group(1)))
    assert options["max_image_bytes"] == 50_000_000
    assert options["max_video_bytes"] == 2_000_000_000
    assert set(options["folder_names"]) == {*EMOTIONS, "contempt"}
    assert "happiness" in options["folder_names"]["happy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", answer.text)
