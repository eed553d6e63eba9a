import re

import pytest

from fer_web.factory import create_application
from fer_web.settings import Settings
from fer_web.sharing.certificates import load_or_create
from fer_web.sharing.network import LocalNetwork
from fer_web.web.firewall.middleware import HEADERS
from fer_web.web.pages.trust import systems_of
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline

NOW_S = 1_800_000_000.0
OTHER_MACHINE = {"REMOTE_ADDR": "192.168.1.7", "HTTP_HOST": "192.168.1.5"}
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


@pytest.fixture
def build(tmp_path):
    built = []

    def client_of(network, **options):
        settings = Settings(
            model=write_empty_model(tmp_path / f"m{len(built)}"),
            async_mode="threading",
            detector="haar",
            data_dir=tmp_path,
            **options,
        )
        built.append(create_application(settings, [InstantPipeline()], network))
        return built[-1].flask.test_client()

    yield client_of
    for application in built:
        application.scheduler.stop()
        application.close()


@pytest.fixture
def authority(tmp_path):
    return load_or_create(tmp_path / "tls", NOW_S)


class OwnSource:
    def __init__(self, authority):
        self._authority = authority

    authority = None

    def issue(self, names, now_s):
        return self._authority.issue(names, now_s)


def network_of(source):
    return LocalNetwork(
        source, 5443, public_url="https://192.168.1.5:5443", find=lambda: [], clock=lambda: NOW_S
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_trust_page_and_download_are_open_to_everybody(build, authority, scheme):
    client = build(network_of(authority), share="on")
    environ = {**OTHER_MACHINE, "wsgi.url_scheme": scheme}
    page = client.get("/trust", environ_overrides=environ)
    assert page.status_code == 200
    assert authority.fingerprint.replace(":", " ") in page.text
    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    # Whoever reads along on plain HTTP would have the cookie that HTTPS pages then go on with.
    assert "Set-Cookie" not in page.headers
    (path,) = re.findall(r'href="(/trust/[^"]+)"', page.text)
    download = client.get(path, environ_overrides=environ)
    assert download.mimetype == "application/x-x509-ca-cert"
    assert download.data == authority.certificate_pem
    assert "fer-web-authority.crt" in download.headers["Content-Disposition"]


def test_trust_page_explains_each_system_and_opens_the_readers_own(build, authority):
    page = build(network_of(authority), share="on").get("/trust", headers={"User-Agent": ANDROID}).text
    sections = re.findall(r'<details class="card trust-system"( open)?>\s*<summary[^>]*>([^<]+)', page)
    assert [title for _, title in sections] == [
        "Android",
        "iPhone and iPad",
        "Windows (Chrome, Edge)",
        "Mac (Safari, Chrome)",
        "Firefox on a computer",
        "Linux (Chromium, Chrome)",
    ]
    assert [title for is_open, title in sections if is_open] == ["Android"]
    assert page.count("Remove it:") == len(sections)
    assert "polling" in page


def test_trust_page_speaks_the_readers_language(build, authority):
    page = build(network_of(authority), share="on").get("/trust", headers={"Accept-Language": "de"})
    assert page.headers["Content-Language"] == "de"
    assert "<h1>Diesem Server vertrauen</h1>" in page.text
    assert authority.fingerprint.replace(":", " ") in page.text
    assert "certutil fer-web-authority.crt" in page.text


def test_trust_page_loads_nothing_that_a_visitor_may_not_have(build, authority):
    client = build(network_of(authority), share="on")
    page = client.get("/trust", environ_overrides=OTHER_MACHINE).text
    paths = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert paths
    for path in paths:
        with client.get(path, environ_overrides=OTHER_MACHINE) as answer:
            assert answer.status_code == 200, path
    assert not re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)


def test_trust_page_with_ones_own_certificate_asks_for_nothing(build, authority):
    client = build(network_of(OwnSource(authority)), share="on")
    page = client.get("/trust").text
    assert "Nothing to do" in page
    assert "Download" not in page
    assert client.get("/trust/fer-web-authority.crt").status_code == 404


def test_trust_page_of_a_server_that_is_not_shared_says_so(build):
    client = build(None)
    assert "not shared" in client.get("/trust").text
    assert client.get("/trust/fer-web-authority.crt").status_code == 404


@pytest.mark.parametrize(
    ("user_agent", "systems"),
    [
        (ANDROID, {"android"}),
        ("Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", {"android"}),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", {"ios"}),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0", {"windows"}),
        ("Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0", {"windows", "firefox"}),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", {"macos"}),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0", {"linux"}),
        ("curl/8", set()),
        ("", set()),
    ],
)
def test_systems_of_reads_the_browsers_name(user_agent, systems):
    assert systems_of(user_agent) == systems


def test_page_keeps_the_long_words_about_pictures(build):
    text = build(None, retention_days=12).get("/trust").text
    for words in ("not kept", "for 12 days", "not the emotion felt", "article 5(1)(f)"):
        assert words in text, words


def test_the_page_is_read_in_another_language_without_scripts(build, authority):
    client = build(network_of(authority), share="on")
    english = client.get("/trust").text
    (german,) = re.findall(r'<a href="(\S+)" lang="de" hreflang="de">Deutsch</a>', english)
    page = client.get(german).text
    assert '<html lang="de">' in page
    assert "Diesem Server vertrauen" in page
    assert re.search(r'hreflang="de" aria-current="true"', page)
