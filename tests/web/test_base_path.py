"""A server below a path: every address in every answer lies there, and the routes are the same."""

import re

import pytest

from fer_web.errors import SettingsError
from fer_web.settings import Settings, settings_from
from fer_web.sharing.plain_network import PlainNetwork
from tests.support.shared_application import URL, Shared

PAGES = ("/", "/analyze", "/history", "/api", "/trust", "/nothing", "/overlay")
ADDRESS = re.compile(r"""(?:href|src|action|content|data-films)="(/[^"]*)\"""")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    built = Shared(tmp_path_factory.mktemp("base"), base_path="/tools/fer/")
    token = built.application.owners.host_token
    assert built.host.get(f"/tools/fer/?host={token}").headers["Location"] == "/tools/fer/"
    yield built
    built.close()


@pytest.mark.parametrize("page", PAGES)
def test_every_address_of_a_page_lies_below_the_path(shared, page):
    text = shared.host.get(f"/tools/fer{page}").text
    text = text.replace('<meta name="fer-base" content="/tools/fer">', "")
    found = [part for address in ADDRESS.findall(text) for part in address.split()]
    assert found
    assert [address for address in found if not address.startswith("/tools/fer/")] == []


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_links_within_texts_lie_there_in_every_language(shared, language):
    text = shared.host.get(f"/tools/fer/api?lang={language}").text
    assert '<a href="/tools/fer/trust">' in text


def test_every_file_that_a_page_names_is_there(shared):
    text = shared.host.get("/tools/fer/").text
    for address in re.findall(r"""(?:src|href)="(/tools/fer/(?:static|vendor)/[^"]+)\"""", text):
        with shared.host.get(address) as answer:
            assert answer.status_code == 200, address


def test_a_source_that_is_not_bundled_imports_what_lies_below_the_path(shared):
    with shared.host.get("/tools/fer/static/js/live/live_page.js") as answer:
        assert 'from "/tools/fer/vendor/socket.io.esm.min.js"' in answer.text
    with shared.host.get("/tools/fer/vendor/socket.io.esm.min.js") as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/tools/fer", "/tools/fer/"),
        ("/tools/fer?lang=de", "/tools/fer/?lang=de"),
        ("/tools/fer/history/?a=b", "/tools/fer/history?a=b"),
        ("/tools/fer//history/", "/tools/fer/history"),
    ],
)
def test_redirects_stay_below_the_path(shared, asked, led_to):
    assert shared.host.get(asked).headers["Location"] == led_to


def test_a_link_leads_below_the_path(shared):
    for kind, page in (("join", "/"), ("watch", "/watch")):
        token = shared.link(kind)["urls"][0].removeprefix(URL)
        answer = shared.browser().get(f"/tools/fer{token}")
        assert answer.headers["Location"] == f"/tools/fer{page}"


def test_the_document_names_the_path_and_its_addresses_are_there(shared):
    document = shared.host.get("/tools/fer/api/v1/openapi.json").json
    assert document["servers"] == [{"url": "/tools/fer/"}]
    assert shared.host.get("/tools/fer/api/v1/sessions").status_code == 200
    assert "curl http://localhost/tools/fer/api/v1/predict" in shared.host.get("/tools/fer/api").text


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/socket.io/?EIO=4&transport=polling", "/history"])
def test_a_proxy_may_strip_the_path_and_a_monitor_leave_it_out(shared, path):
    page = {"Origin": "http://localhost"}
    assert shared.host.get(path, headers=page).status_code == 200
    assert shared.host.get(f"/tools/fer{path}", headers=page).status_code == 200


def test_a_path_that_only_begins_alike_is_another_one(shared):
    assert shared.host.get("/tools/ferret/history").status_code == 404


@pytest.mark.parametrize("asked", ["/tools/fer/api/v1/sessions", "/tools/fer/history", "/tools/fer//history"])
def test_walls_stand_below_the_path_too(shared, asked):
    assert shared.browser().get(asked).status_code in (401, 403)
    foreign = {"Origin": "https://evil.example"}
    assert shared.host.client.post(asked, headers=foreign).status_code == 403


def test_share_addresses_end_with_the_path():
    network = PlainNetwork("192.168.1.5", 5000, "https://fer.example.org", base_path="/fer")
    assert [each.url for each in network.addresses()] == [
        "https://fer.example.org/fer",
        "http://192.168.1.5:5000/fer",
    ]


@pytest.mark.parametrize(("given", "kept"), [("", ""), ("/", ""), ("/fer", "/fer"), ("/a/b.c/", "/a/b.c")])
def test_the_setting_is_kept_without_its_last_slash(given, kept):
    assert settings_from(["--base-path", given], {}).base_path == kept
    assert settings_from([], {"FER_BASE_PATH": given}).base_path == kept


@pytest.mark.parametrize(
    "text", ["fer", "/fer/../x", "//fer", "/fer?x", "/f r", "/%2e", "/.", "https://a/fer"]
)
def test_what_is_no_path_is_refused_with_what_is_allowed(text):
    with pytest.raises(SettingsError, match="a path such as /fer"):
        Settings(base_path=text)
