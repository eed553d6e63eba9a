"""The middleware of real servers, in both modes, behind a proxy that says who asks and by which name."""

import json
import re
import socket
import time

import psutil
import pytest
import requests
import websocket

from tests.support.servers import ServerProcess

PUBLIC_URL = "https://fer.example.org"
VISITOR, PERSON = "203.0.113.7", "127.0.0.1"
OUTSIDERS = {"polling": "203.0.113.98", "websocket": "203.0.113.99"}


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    options = ("--share", "--share-port", "0", "--proxies", "1", "--public-url", PUBLIC_URL, "--workers", "1")
    with ServerProcess("--async-mode", request.param, "--detector", "haar", *options) as running:
        running.wait_for_line("Link to join")
        yield running
        log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]


@pytest.fixture(scope="module")
def host(server):
    token = server.wait_for_line(r"\?host=(\S+)").group(1)
    made = Caller(server, PERSON)
    assert made.get(f"/?host={token}").status_code == 302
    return made


@pytest.fixture(scope="module")
def links(host):
    """Addresses of a link of each kind, without the host."""
    return {kind: host.share(kind) for kind in ("join", "watch")}


class Caller:
    """A browser behind the proxy."""

    def __init__(self, server, address):
        name = "localhost" if address == PERSON else "fer.example.org"
        self._url = server.url
        self.own = {
            "X-Forwarded-For": f"198.51.100.1, {address}",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": name,
            "Origin": f"https://{name}",
        }
        self.cookies = {}

    def _headers(self, changes):
        # Requests' own jar gives no Secure cookie to plain HTTP, which the proxy speaks with the server.
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items()) or None
        given = {**self.own, "Cookie": cookie, **changes}
        return {name: value for name, value in given.items() if value is not None}

    def get(self, path, method="GET", body=None, **changes):
        headers = self._headers(changes)
        answer = requests.request(
            method, self._url + path, headers=headers, json=body, allow_redirects=False, timeout=60
        )
        self.cookies.update({cookie.name: cookie.value for cookie in answer.cookies})
        return answer

    def share(self, kind):
        answer = self.get("/api/v1/share/links", "POST", {"kind": kind, "name": kind})
        assert answer.status_code == 201, answer.text
        return answer.json()["urls"][0].removeprefix(PUBLIC_URL)

    def polls(self, namespace="/", **changes):
        """What comes of a Socket.IO connection by polling: "in", or a status or code."""
        path = "/socket.io/?EIO=4&transport=polling"
        opened = self.get(path, **changes)
        if opened.status_code != 200:
            return opened.status_code
        path += f"&sid={json.loads(opened.text[1:])['sid']}"
        requests.post(self._url + path, data=_join(namespace), headers=self._headers(changes), timeout=60)
        return _outcome(self.get(path, **changes).text)

    def connects(self, namespace="/", **changes):
        """The same by WebSocket."""
        headers = self._headers(changes)
        try:
            connection = websocket.create_connection(
                self._url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket",
                header={name: value for name, value in headers.items() if name != "Origin"},
                origin=headers.get("Origin"),
                suppress_origin="Origin" not in headers,
                timeout=60,
            )
        except websocket.WebSocketBadStatusException as exc:
            return exc.status_code
        try:
            connection.recv()
            connection.send(_join(namespace))
            return _outcome(connection.recv())
        finally:
            connection.close()


def _join(namespace):
    return "40" if namespace == "/" else f"40{namespace},"


def _outcome(text):
    return "in" if text.startswith("40") else json.loads(text[text.index("{") :])["data"]["code"]


def ways_in(caller, **changes):
    return {caller.polls(**changes), caller.connects(**changes)}


def visitor_of(server, path):
    made = Caller(server, VISITOR)
    assert made.get(path, Origin=None).status_code == 303
    return made


def test_the_person_at_this_machine_gets_in(host):
    assert host.get("/").status_code == 200
    assert host.get("/api/v1/share").status_code == 200
    assert ways_in(host) == {"in"}


def test_a_link_lets_in_where_it_leads(server, links):
    join, watch = visitor_of(server, links["join"]), visitor_of(server, links["watch"])
    assert [name.rpartition("_")[0] for name in join.cookies] == ["__Host-fer_guest"]
    assert (join.get("/").status_code, watch.get("/watch").status_code) == (200, 200)
    assert (ways_in(join), ways_in(watch)) == ({"in"}, {"share_refused"})
    assert (ways_in(watch, namespace="/watch"), ways_in(join, namespace="/watch")) == (
        {"in"},
        {"link_needed"},
    )
    assert join.get("/api/v1/share").status_code == 403


def test_without_a_link_nothing_opens(server):
    outsider = Caller(server, VISITOR)
    assert outsider.get("/").status_code == 403
    assert outsider.get("/api/v1/sessions").json()["error"]["code"] == "link_needed"
    assert ways_in(outsider) == ways_in(outsider, namespace="/watch") == {"link_needed"}
    assert outsider.cookies == {}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://fer.example.org"}, 403),
        ({"Origin": None}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"X-Forwarded-Host": "evil.example", "Origin": "https://evil.example"}, 400),
        ({"X-Forwarded-Host": "localhost", "Origin": "https://localhost"}, 400),
        ({"X-Forwarded-Proto": "http", "Origin": "http://fer.example.org"}, 421),
        ({"X-Forwarded-For": None}, 400),
    ],
    ids=str,
)
def test_a_link_is_of_no_use_to_another_page_or_by_another_name(server, links, changes, status):
    visitor = visitor_of(server, links["join"])
    assert {visitor.polls(**changes), visitor.connects(**changes)} == {status}
    written = visitor.get("/api/v1/sessions", "DELETE", {}, **changes)
    assert written.status_code == status


def test_what_a_visitor_gets_is_kept_by_nobody_and_insists_on_nothing(server, links):
    visitor = Caller(server, VISITOR)
    opened = visitor.get(links["join"], Origin=None)
    attributes = opened.headers["Set-Cookie"]
    assert all(word in attributes for word in ("Secure", "HttpOnly", "SameSite=Lax"))
    for answer in (opened, visitor.get("/"), visitor.get("/history")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Strict-Transport-Security" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_tokens_and_cookies_are_in_no_log(server, links):
    visitor = visitor_of(server, links["join"])
    ways_in(visitor)
    token = links["join"].removeprefix("/l/")
    visitor.get(f"/l/{token}x")
    visitor.get(f"/l/{token}/../../x", **{"Content-Length": "x"})
    visitor.polls(Origin=f"https://evil.example/{token}")
    log = "".join(server.output)
    assert token not in log
    assert not [value for value in visitor.cookies.values() if value in log]
    assert not re.search(r"sid=|GET /|POST /|evil", log)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../api/v1/sessions",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/trust/../api/v1/share",
        "/trust/%2e%2e/history",
        "/l/../api/v1/sessions",
        "/l/%2e%2e%2fhistory",
        "//api/v1/sessions",
        "/static//../history",
        "/socket.io",
        "/socket.io/../history",
        "http://localhost/api/v1/sessions",
        "/vendor/../app.py",
        "/vendor/..%2fapp.py",
        "*",
        "/;/history",
        "/\\history",
    ],
)
def test_no_spelling_of_a_path_leads_around_the_gate(server, path):
    head = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close", "Accept: application/json"]
    own = [f"{name}: {value}" for name, value in Caller(server, VISITOR).own.items()]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*head, *own, "", ""]).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status = int(answer.split(b" ")[1])
    assert status in (308, 400, 403, 404), answer[:500]
    assert b"import" not in answer


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_an_outsider_that_knocks_without_end_costs_little(server, transport):
    process = psutil.Process(server._process.pid)
    before, before_mb = process.num_threads(), server.memory_mb
    outsider, started_s = Caller(server, OUTSIDERS[transport]), time.monotonic()
    path = f"/socket.io/?EIO=4&transport={transport}"
    if transport == "websocket":
        statuses = [outsider.connects() for _ in range(100)]
    else:
        statuses = [outsider.get(path).status_code for _ in range(300)]
    # Sixty at once, and five a second since.
    assert 20 < len(statuses) - statuses.count(429) <= 61 + 5 * (time.monotonic() - started_s)
    assert process.num_threads() - before < 150
    assert server.memory_mb - before_mb < 60
    assert ways_in(Caller(server, VISITOR)) == {"link_needed"}, "others are served"


def test_the_printed_address_lets_the_host_in_without_the_proxy(server):
    printed = server.wait_for_line(r"(http://\S+\?host=\S+)").group(1)
    with requests.Session() as person:
        assert "?host=" in person.get(f"{server.url}/", timeout=60).text
        assert person.get(printed, timeout=60).url == f"{server.url}/"
        assert person.get(f"{server.url}/api/v1/share", timeout=60).status_code == 200
        assert (
            person.get(f"{server.url}/", headers={"X-Forwarded-Proto": "https"}, timeout=60).status_code
            == 400
        )
