import re
import time
import xml.etree.ElementTree as ET

import cv2
import numpy as np
import pytest

from fer_web.factory import create_application
from fer_web.settings import Settings
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.networks import FakeNetwork
from tests.support.fakes.pipelines import InstantPipeline
from tests.support.shared_application import OTHER_URL, PHONE, URL, Browser, Shared

API = "/api/v1/share"


@pytest.fixture
def shared(tmp_path):
    built = Shared(tmp_path)
    yield built
    built.close()


def error_of(answer):
    return (answer.status_code, answer.json["error"]["code"])


def message_of(answer):
    return answer.json["error"]["message"]


def decoded(svg):
    """The text of a QR code that is drawn as segno does: a path of horizontal strokes on white."""
    root = ET.fromstring(svg)
    size = int(root.get("viewBox").split()[2])
    image = np.full((size, size), 255, np.uint8)
    x = y = 0.0
    stroke = next(path.get("d") for path in root.iter() if path.get("stroke"))
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", stroke):
        values = [float(each) for each in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            image[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
    # OpenCV's detector misses about one random code in some hundreds at any one size.
    pictures = (np.kron(image, np.ones((scale, scale), np.uint8)) for scale in (8, 5, 12, 3))
    return next(filter(None, (cv2.QRCodeDetector().detectAndDecode(each)[0] for each in pictures)), "")


def test_the_hosts_cookie_is_worth_nothing_to_a_visitor(shared):
    phone, _ = shared.visitor("join")
    cookie = shared.host.client.get_cookie(shared.application.owners.host_cookie)
    phone.client.set_cookie(cookie.key, cookie.value)
    assert shared.host.send("GET", "/api/v1/share").status_code == 200
    assert phone.send("GET", "/api/v1/share").status_code == 403
    session_id = shared.session(owner="somebody else")
    assert phone.send("GET", f"/api/v1/sessions/{session_id}").status_code == 404


def test_the_overview_says_all_that_the_panel_shows(shared):
    overview = shared.host.get(API)
    assert overview.headers["Cache-Control"] == "no-store"
    assert overview.json == {
        "can_share": True,
        "reason": None,
        "addresses": [{"url": URL, "kind": "lan"}, {"url": OTHER_URL, "kind": "lan"}],
        "fingerprint": "AB:CD",
        "links": [],
        "visitors": [],
    }


def test_a_link_is_made_listed_and_withdrawn(shared):
    now_ms = time.time() * 1000
    link = shared.link("join", name="Anna's phone", hours=2)
    assert link.keys() == {
        *("id", "kind", "name", "created_ms", "expires_ms", "state"),
        *("session", "video", "visitors", "urls"),
    }
    assert (link["kind"], link["name"], link["state"], link["visitors"]) == (
        "join",
        "Anna's phone",
        "open",
        0,
    )
    assert (link["session"], link["video"]) == (None, False)
    assert abs(link["created_ms"] - now_ms) < 5000
    assert link["expires_ms"] - link["created_ms"] == 2 * 3600 * 1000
    assert [re.sub(r"/l/[\w-]{24}$", "/l/T", url) for url in link["urls"]] == [
        f"{URL}/l/T",
        f"{OTHER_URL}/l/T",
    ]
    assert shared.host.get(API).json["links"] == [link]
    ended = shared.host.send("DELETE", f"{API}/links/{link['id']}", {})
    assert (ended.status_code, ended.json) == (200, {**link, "state": "revoked", "urls": []})
    assert shared.host.get(API).json["links"] == [ended.json]


def test_the_newest_link_comes_first(shared):
    made = [shared.link(name=str(i))["id"] for i in range(3)]
    assert [link["id"] for link in shared.host.get(API).json["links"]] == made[::-1]


def test_a_link_is_open_for_half_a_day_where_nothing_is_said(shared):
    link = shared.link()
    assert link["expires_ms"] - link["created_ms"] == 12 * 3600 * 1000


def test_a_watch_link_shows_the_browser_of_the_host_that_made_it(shared):
    link = shared.link("watch", video=True)
    owner = shared.host.client.get_cookie(shared.application.owners.owner_cookie)
    wanted = shared.application.owners.owner_of({owner.key: owner.value})
    assert wanted
    assert shared.application.links.get(link["id"]).owner == wanted
    assert link["video"] is True


def test_video_is_switched_while_it_is_watched(shared):
    link = shared.link("watch")
    path = f"{API}/links/{link['id']}"
    assert shared.host.send("PATCH", path, {"video": True}).json["video"] is True
    assert shared.application.links.get(link["id"]).video is True
    assert error_of(shared.host.send("PATCH", path, {"video": "yes"})) == (400, "bad_value")
    assert error_of(shared.host.send("PATCH", path, {})) == (400, "bad_message")
    assert error_of(shared.host.send("PATCH", path, {"name": "x"})) == (400, "bad_message")


@pytest.mark.parametrize("state", ["finished", "interrupted"])
def test_a_session_of_anybody_can_be_shared_by_the_host(shared, state):
    session_id = shared.session("running")
    if state == "interrupted":
        shared.application.history._interrupt_all()
    else:
        shared.application.history.finish_session(session_id, 1.0)
    assert shared.link("session", session=session_id)["session"] == session_id


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ({}, (400, "bad_message"), "kind and name"),
        ({"kind": "join"}, (400, "bad_message"), "kind and name"),
        ({"kind": "host", "name": "x"}, (400, "bad_value"), "join, watch, session"),
        ({"kind": "join", "name": ""}, (400, "bad_value"), "1 to 100"),
        ({"kind": "join", "name": "x" * 101}, (400, "bad_value"), "100"),
        ({"kind": "join", "name": "x", "hours": 1000}, (400, "bad_value"), "0.05 to 720"),
        ({"kind": "join", "name": "x", "hours": "1"}, (400, "bad_value"), "0.05 to 720"),
        ({"kind": "join", "name": "x", "hours": None}, (400, "bad_message"), "null"),
        ({"kind": "join", "name": "x", "video": True}, (400, "bad_value"), "watch"),
        ({"kind": "join", "name": "x", "owner": "me"}, (400, "bad_message"), "owner"),
        ({"kind": "join", "name": "x", "session": "abc"}, (400, "bad_value"), "session"),
        ({"kind": "session", "name": "x"}, (400, "bad_value"), "session"),
        ({"kind": "session", "name": "x", "session": 5}, (400, "bad_message"), "session"),
        ({"kind": "session", "name": "x", "session": "nothing"}, (404, "not_found"), "session"),
    ],
)
def test_a_link_that_cannot_be_is_refused_in_words(shared, body, error, words):
    answer = shared.host.send("POST", f"{API}/links", body)
    assert error_of(answer) == error
    assert words in message_of(answer)
    assert shared.application.links.all() == []


def test_a_session_that_still_runs_is_not_shared(shared):
    body = {"kind": "session", "name": "x", "session": shared.session("running")}
    answer = shared.host.send("POST", f"{API}/links", body)
    assert error_of(answer) == (403, "share_refused")
    assert "Stop the recording" in message_of(answer)


@pytest.mark.parametrize(("query", "url"), [("", URL), ("?address=0", URL), ("?address=1", OTHER_URL)])
def test_the_code_holds_the_link(shared, query, url):
    link = shared.link()
    answer = shared.host.get(f"{API}/links/{link['id']}/qr.svg{query}")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.headers["Cache-Control"] == "no-store"
    assert decoded(answer.data) == f"{url}/l/{link['urls'][0].rsplit('/', 1)[1]}"


def test_the_code_is_dark_on_white_with_a_quiet_zone_and_loads_nothing(shared):
    svg = shared.host.get(f"{API}/links/{shared.link()['id']}/qr.svg").text
    assert 'fill="#fff"' in svg
    assert 'stroke="#000"' in svg
    assert re.search(r'd="M4 4\.5h7', svg)
    assert not re.search(r"href|url\(|<script|<!|@import", svg)
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize("query", ["?address=2", "?address=-1", "?address=x"])
def test_an_address_that_is_not_there_has_no_code(shared, query):
    answer = shared.host.get(f"{API}/links/{shared.link()['id']}/qr.svg{query}")
    assert error_of(answer) == (400, "bad_value")


def test_a_link_that_is_not_open_has_no_code(shared):
    link = shared.link()
    shared.host.send("DELETE", f"{API}/links/{link['id']}", {})
    assert error_of(shared.host.get(f"{API}/links/{link['id']}/qr.svg")) == (404, "not_found")


def test_a_visitor_is_listed_and_removed(shared):
    before_ms = time.time() * 1000
    phone, link = shared.visitor()
    (visitor,) = shared.host.get(API).json["visitors"]
    assert before_ms - 1 <= visitor.pop("since_ms") <= time.time() * 1000 + 1
    assert visitor == {
        "id": visitor["id"],
        "link": link["id"],
        "device": "Chrome on Android",
        "address": PHONE,
        "streams": False,
        "connections": 0,
    }
    removed = shared.host.send("DELETE", f"{API}/visitors/{visitor['id']}", {})
    assert (removed.status_code, removed.json) == (200, {})
    assert shared.host.get(API).json["visitors"] == []
    assert error_of(phone.send("GET", "/api/v1/sessions")) == (403, "visitor_removed")
    assert error_of(shared.host.send("DELETE", f"{API}/visitors/{visitor['id']}", {})) == (404, "not_found")


def test_stop_ends_every_link_and_sharing_can_begin_anew(shared):
    links = [shared.link() for _ in range(3)]
    answer = shared.host.send("POST", f"{API}/stop", {})
    assert (answer.status_code, answer.json) == (200, {})
    listed = shared.host.get(API).json
    assert [link["state"] for link in listed["links"]] == ["stopped"] * len(links)
    assert listed["can_share"] is True
    assert shared.link()["state"] == "open"


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/links/x"), ("PATCH", "/links/x"), ("GET", "/links/x/qr.svg")]
)
def test_a_link_that_is_not_there_is_not_found(shared, method, path):
    body = {"video": True} if method == "PATCH" else None
    assert error_of(shared.host.send(method, API + path, body)) == (404, "not_found")


@pytest.mark.parametrize("address", ["127.0.0.1", PHONE])
def test_who_is_not_the_host_may_do_nothing(shared, address):
    link = shared.link()
    asking = shared.browser(address)
    for method, path in (
        ("GET", ""),
        ("POST", "/links"),
        ("PATCH", f"/links/{link['id']}"),
        ("DELETE", f"/links/{link['id']}"),
        ("GET", f"/links/{link['id']}/qr.svg"),
        ("DELETE", "/visitors/x"),
        ("POST", "/stop"),
    ):
        answer = asking.send(method, API + path, {"kind": "join", "name": "x"})
        assert answer.status_code == 403
        assert link["urls"][0] not in answer.text
    assert [each.ended for each in shared.application.links.all()] == [None]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/links"), ("POST", "/stop"), ("DELETE", "/visitors/x")]
)
def test_writes_are_json_from_our_own_page(shared, method, path):
    own = {"Content-Type": "application/json", "Origin": "http://localhost"}
    for change, code in (({"Origin": "https://evil.example"}, 403), ({"Content-Type": "text/plain"}, 400)):
        answer = shared.host.client.open(API + path, method=method, data="{}", headers={**own, **change})
        assert answer.status_code == code


def test_where_the_server_was_not_started_to_share_it_says_how(tmp_path):
    shared = Shared(tmp_path, network=None)
    overview = shared.host.get(API).json
    assert (overview["can_share"], overview["addresses"], overview["fingerprint"]) == (False, [], None)
    assert "make share" in overview["reason"]
    answer = shared.host.send("POST", f"{API}/links", {"kind": "join", "name": "x"})
    assert error_of(answer) == (403, "share_refused")
    assert message_of(answer) == overview["reason"]
    shared.close()


def test_without_a_network_it_says_so_and_goes_on_when_one_comes(tmp_path):
    network = FakeNetwork()
    shared = Shared(tmp_path, network=network)
    assert "network" in shared.host.get(API).json["reason"]
    answer = shared.host.send("POST", f"{API}/links", {"kind": "join", "name": "x"})
    assert error_of(answer) == (403, "share_refused")
    network.urls.append(URL)
    link = shared.link()
    network.urls[:] = []
    assert shared.host.get(API).json["links"] == [{**link, "urls": []}]
    network.urls.append(OTHER_URL)
    assert shared.host.get(API).json["links"][0]["urls"][0].startswith(OTHER_URL)
    shared.close()


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"host": "192.168.1.5", "port": 8000}, "http://192.168.1.5:8000"),
        ({"host": "fd00::5", "port": 8000}, "http://[fd00::5]:8000"),
        ({"public_url": "https://fer.example.org/", "proxies": 1}, "https://fer.example.org"),
    ],
)
def test_a_server_that_others_reach_without_share_has_links_too(tmp_path, changes, url):
    settings = Settings(
        model=write_empty_model(tmp_path / "m"),
        async_mode="threading",
        detector="haar",
        data_dir=tmp_path,
        **changes,
    )
    application = create_application(settings, [InstantPipeline()])
    host = Browser(application, "127.0.0.1")
    if "proxies" in changes:
        host.client.environ_base["HTTP_X_FORWARDED_FOR"] = "127.0.0.1"
    host.client.get("/", query_string={"host": application.owners.host_token})
    overview = host.get(API).json
    assert (overview["can_share"], overview["addresses"][0]["url"]) == (True, url)
    link = host.send("POST", f"{API}/links", {"kind": "join", "name": "x"}).json
    assert link["urls"][0].startswith(f"{url}/l/")
    application.scheduler.stop()
    application.close()
