"""Every way in, from everywhere, by every name and from every page: only the right ones pass."""

import io
import itertools
import json
import random
from dataclasses import dataclass

import pytest

from fer_web.web.firewall.middleware import BodyBound, SecurityMiddleware, SecurityRules

LAN_NAMES = frozenset({"192.168.7.5", "[fd00::5]", "fer-host.local", "fer.example.org"})
PUBLIC_URL = "https://fer.example.org"
ADDRESSES = {"this machine": "127.0.0.1", "this machine, IPv6": "::1", "the network": "192.168.7.9"}
HOSTS = {
    "an address of loopback": ("127.0.0.1", "[::1]", "localhost", "127.0.1.1"),
    "an address of ours": ("192.168.7.5", "[fd00::5]", "fer-host.local", "fer.example.org", "FER-HOST.local"),
    "another name": (
        "evil.example",
        "localhost.evil.example",
        "192.168.7.6",
        "127.0.0.1.evil.example",
        "",
        "a b",
    ),
}
ORIGINS = ("ours", "public", "another", "another port", "another scheme", "null", "empty", "missing")
SITES = (None, "same-origin", "none", "same-site", "cross-site", "nonsense")
COOKIES = {
    "none": "theme=dark; notfer_owner_1=x",
    "owner": "theme=dark; fer_owner_01234567=x",
    "host": "fer_host_01234567=x",
    "guest": 'a="b";fer_guest_01234567=x',
}
WAYS = {
    "page": ("GET", "/"),
    "link": ("GET", "/l/abc"),
    "api": ("GET", "/api/v1/sessions"),
    "write": ("PATCH", "/api/v1/sessions/ID"),
    "form": ("POST", "/"),
    "polling": ("GET", "/socket.io/"),
    "polling post": ("POST", "/socket.io/"),
    "websocket": ("GET", "/socket.io/"),
}
FOR_PROGRAMS = ("api", "write", "polling", "polling post", "websocket")
MUST_NAME_ITS_PAGE = ("write", "form", "polling", "polling post", "websocket")


@dataclass(frozen=True)
class Cell:
    """One request of the matrix, in words."""

    address: str
    host: str
    origin: str
    site: str | None
    cookie: str
    way: str

    def gets_in(self):
        """The rule, as the issue states it."""
        return self.is_called_by_a_right_name() and self.is_from_an_own_page()

    def is_called_by_a_right_name(self):
        right = "an address of ours" if self.address == "the network" else "an address of loopback"
        return self.host == right

    def is_from_an_own_page(self):
        if self.origin not in ("ours", "missing"):
            return False
        if self.way in {*FOR_PROGRAMS, *MUST_NAME_ITS_PAGE} and self.site not in (
            None,
            "same-origin",
            "none",
        ):
            return False
        says_so = self.origin == "ours" or self.site == "same-origin"
        return says_so or self.way not in MUST_NAME_ITS_PAGE or self.cookie == "none"


CELLS = [Cell(*values) for values in itertools.product(ADDRESSES, HOSTS, ORIGINS, SITES, COOKIES, WAYS)]


def environ_of(cell, host, scheme="https"):
    method, path = WAYS[cell.way]
    origins = {
        "ours": f"{scheme}://{host}:5443",
        "public": PUBLIC_URL,
        "another": "https://evil.example",
        "another port": f"{scheme}://{host}:1",
        "another scheme": f"ws://{host}:5443",
        "null": "null",
        "empty": "",
    }
    headers = {
        "HTTP_HOST": f"{host}:5443",
        "HTTP_ORIGIN": origins.get(cell.origin),
        "HTTP_SEC_FETCH_SITE": cell.site,
        "HTTP_COOKIE": COOKIES[cell.cookie],
        "HTTP_UPGRADE": "websocket" if cell.way == "websocket" else None,
        "QUERY_STRING": f"EIO=4&transport={'websocket' if cell.way == 'websocket' else 'polling'}",
    }
    given = {name: value for name, value in headers.items() if value is not None}
    return request_from(ADDRESSES[cell.address], path, method=method, scheme=scheme, **given)


def request_from(address, path, *, method="GET", scheme="https", **headers):
    """A WSGI request as both servers make it."""
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": address,
        "SERVER_NAME": "server",
        "SERVER_PORT": "5443",
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(),
        **headers,
    }


class Inside:
    """What stands behind the middleware: remembers what reached it."""

    def __init__(self):
        self.environ = None
        self.headers = [("Content-Type", "text/html; charset=utf-8")]

    def __call__(self, environ, start_response):
        self.environ = environ
        start_response("200 OK", self.headers)
        return [b"inside"]


@dataclass(frozen=True)
class Answer:
    """What came back, and what was seen inside; None where the middleware refused."""

    status: int
    headers: dict
    text: str
    inside: dict | None

    @property
    def code(self):
        return json.loads(self.text)["error"]["code"]


def ask(environ, inside=None, **rules):
    inside = inside or Inside()
    given = {"max_body_bytes": 1000, "hosts": lambda: LAN_NAMES, "public_url": PUBLIC_URL, **rules}
    seen = {}
    middleware = SecurityMiddleware(inside, SecurityRules(**given))
    body = middleware(environ, lambda status, headers: seen.update(status=status, headers=headers))
    assert len(dict(seen["headers"])) == len(seen["headers"]), "no header twice"
    return Answer(
        int(seen["status"].split()[0]), dict(seen["headers"]), b"".join(body).decode(), inside.environ
    )


def test_only_the_right_cells_of_the_matrix_get_in():
    wrong, spelling = [], random.Random(0)
    for cell in CELLS:
        # One of its spellings, drawn: a thousand cells have each. The public address is one of them.
        hosts = HOSTS[cell.host]
        for host in hosts if cell.origin == "public" else [spelling.choice(hosts)]:
            answer = ask(environ_of(cell, host))
            expected = cell.gets_in() or (
                cell.origin == "public" and host == "fer.example.org" and public_gets_in(cell)
            )
            if (answer.inside is not None) != expected or (answer.status == 200) != expected:
                wrong.append((cell, host, answer.status))
    assert not wrong, (len(wrong), wrong[:5])
    assert sum(cell.gets_in() for cell in CELLS) > 500


def public_gets_in(cell):
    """A page of the public address, where the request calls the server by that name."""
    return (
        cell.address == "the network"
        and Cell(cell.address, cell.host, "ours", cell.site, cell.cookie, cell.way).gets_in()
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_says_why_in_the_form_that_the_asker_reads(way):
    cell = Cell("the network", "an address of ours", "another", None, "owner", way)
    answer = ask(environ_of(cell, "192.168.7.5"))
    assert answer.status == 403
    assert "own page" in answer.text
    assert "evil" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    if way in FOR_PROGRAMS:
        assert answer.code == "forbidden"
        assert answer.headers["Content-Type"] == "application/json"
    else:
        assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_program_with_a_cookie_learns_which_header_it_must_send():
    cell = Cell("this machine", "an address of loopback", "missing", None, "owner", "polling")
    answer = ask(environ_of(cell, "127.0.0.1", scheme="http"))
    assert "Origin: http://127.0.0.1:5443" in answer.text


def test_a_name_that_is_not_ours_learns_the_names_that_are():
    cell = Cell("the network", "another name", "missing", None, "none", "api")
    answer = ask(environ_of(cell, "evil.example"))
    assert (answer.status, answer.code) == (400, "bad_host")
    assert all(name in answer.text for name in LAN_NAMES)
    assert "evil" not in answer.text


def test_names_are_asked_for_anew_with_each_request():
    names = {"192.168.7.5"}
    old = request_from("192.168.7.9", "/", HTTP_HOST="192.168.7.5:5443")
    new = request_from("192.168.7.9", "/", HTTP_HOST="10.1.2.3:5443")
    assert [ask(environ, hosts=lambda: names).status for environ in (old, new)] == [200, 400]
    names = {"10.1.2.3"}
    assert [ask(environ, hosts=lambda: names).status for environ in (old, new)] == [400, 200]


def test_answers_as_scripts_are_refused():
    environ = request_from("127.0.0.1", "/socket.io/", HTTP_HOST="localhost:5000", scheme="http")
    for query in ("EIO=4&transport=polling&j=0", "j=&EIO=4&transport=polling"):
        assert ask({**environ, "QUERY_STRING": query}).status == 403


@pytest.mark.parametrize(
    ("dest", "status"),
    [(None, 200), ("document", 200), ("image", 403), ("iframe", 403), ("empty", 403), ("", 403)],
)
def test_a_link_is_opened_by_a_person_not_within_another_page(dest, status):
    headers = {} if dest is None else {"HTTP_SEC_FETCH_DEST": dest, "HTTP_SEC_FETCH_SITE": "cross-site"}
    assert ask(request_from("192.168.7.9", "/l/TOKEN", HTTP_HOST="192.168.7.5", **headers)).status == status


@pytest.mark.parametrize("path", ["//l/TOKEN", "//api/v1/sessions", "///api/v1/share", "api/v1/sessions"])
def test_slashes_too_many_or_too_few_lead_around_no_wall(path):
    # Flask's router takes each of these for the path with one slash.
    headers = {"HTTP_SEC_FETCH_DEST": "image", "HTTP_SEC_FETCH_SITE": "same-site"}
    assert ask(request_from("192.168.7.9", path, HTTP_HOST="192.168.7.5", **headers)).status == 403


# Plain HTTP


def ask_plainly(path, address="192.168.7.9", scheme="http", **headers):
    environ = request_from(address, path, scheme=scheme, **{"HTTP_HOST": "192.168.7.5:5000", **headers})
    return ask(environ, plain_http_page=lambda _environ: "<p>Open the https link</p>")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/l/TOKEN",
        "/watch",
        "/history",
        "/vendor/a.js",
        "/healthz",
        "/staticx",
        "/truster",
        "//truster",
    ],
)
def test_plain_http_from_the_network_is_explained_and_nothing_else(path):
    answer = ask_plainly(path)
    assert (answer.status, answer.inside) == (421, None)
    assert answer.text == "<p>Open the https link</p>"
    assert "Location" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/sessions", "/socket.io/"])
def test_plain_http_from_the_network_is_an_error_to_programs(path):
    answer = ask_plainly(path)
    assert (answer.status, answer.inside, answer.code) == (421, None, "plain_http")


@pytest.mark.parametrize("path", ["/static/css/base.css", "/trust", "/trust/authority.pem", "/trust.crt"])
def test_plain_http_serves_what_the_explanation_needs(path):
    assert ask_plainly(path).status == 200


def test_https_and_this_machine_are_not_told_about_plain_http():
    assert ask_plainly("/", scheme="https").status == 200
    assert ask_plainly("/", address="127.0.0.1", HTTP_HOST="127.0.0.1:5000").status == 200


# Proxies


CLAIMS = {
    "HTTP_X_FORWARDED_FOR": "127.0.0.1",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "localhost",
    "HTTP_X_FORWARDED_PORT": "1",
    "HTTP_X_FORWARDED_PREFIX": "/x",
    "HTTP_FORWARDED": "for=127.0.0.1;proto=https;host=localhost",
    "HTTP_X_REAL_IP": "127.0.0.1",
}


def proxied(address, **headers):
    return request_from(address, "/", scheme="http", **headers)


def test_without_proxies_the_network_claims_in_vain():
    answer = ask(proxied("192.168.7.9", HTTP_HOST="192.168.7.5", **CLAIMS))
    seen = answer.inside
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"], seen["HTTP_HOST"]) == (
        "192.168.7.9",
        "http",
        "192.168.7.5",
    )
    assert not seen.keys() & CLAIMS.keys()


@pytest.mark.parametrize("name", CLAIMS)
def test_a_proxy_that_nobody_told_of_is_not_this_machine(name):
    answer = ask(proxied("127.0.0.1", HTTP_HOST="localhost", **{name: CLAIMS[name]}))
    assert (answer.status, answer.inside) == (400, None)
    assert "--proxies 1" in answer.text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.2"])
def test_with_a_proxy_the_client_is_who_it_names(address):
    headers = {"HTTP_X_FORWARDED_FOR": "127.0.0.1, 203.0.113.7", "HTTP_X_FORWARDED_PROTO": "https"}
    answer = ask(proxied(address, HTTP_HOST="fer.example.org", **headers), proxies=1)
    assert (answer.inside["REMOTE_ADDR"], answer.inside["wsgi.url_scheme"]) == ("203.0.113.7", "https")


def test_with_a_proxy_its_host_counts():
    headers = {"HTTP_X_FORWARDED_FOR": "203.0.113.7", "HTTP_X_FORWARDED_HOST": "fer.example.org"}
    assert ask(proxied("127.0.0.1", HTTP_HOST="127.0.0.1:5000", **headers), proxies=1).status == 200
    headers["HTTP_X_FORWARDED_HOST"] = "evil.example"
    assert ask(proxied("127.0.0.1", HTTP_HOST="127.0.0.1:5000", **headers), proxies=1).status == 400


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("value", [None, "", " ", "203.0.113.7"])
def test_with_a_proxy_nobody_is_this_machine_by_saying_nothing(count, value):
    headers = {} if value is None else {"HTTP_X_FORWARDED_FOR": value}
    answer = ask(proxied("127.0.0.1", HTTP_HOST="localhost", **headers), proxies=count)
    if count == 1 and value == "203.0.113.7":
        assert answer.status == 400, "the network calls us by a name of loopback"
        assert "localhost" not in answer.text
    else:
        assert (answer.status, answer.inside) == (400, None)
        assert f"--proxies {count}" in answer.text


@pytest.mark.parametrize(
    "value",
    ['", 203.0.113.7, 10.0.0.1', '"", ", 203.0.113.7, 10.0.0.1', ", 10.0.0.1", '"203.0.113.7, 10.0.0.1'],
)
def test_quotation_marks_do_not_make_a_client_this_machine(value):
    headers = {"HTTP_HOST": "localhost", "HTTP_X_FORWARDED_FOR": value}
    answer = ask(proxied("127.0.0.1", **headers), proxies=2)
    assert (answer.status, answer.inside) == (400, None)


def test_past_the_proxy_comes_the_host_alone():
    direct = proxied("127.0.0.1", HTTP_HOST="localhost")
    assert ask(dict(direct), proxies=1, is_from_host=lambda environ: True).status == 200
    assert ask(dict(direct), proxies=1, is_from_host=lambda environ: False).status == 400
    claimed = {**direct, "HTTP_X_FORWARDED_PROTO": "https"}
    assert ask(claimed, proxies=1, is_from_host=lambda environ: True).status == 400


def test_the_person_behind_their_own_proxy_is_this_machine():
    headers = {"HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"}
    answer = ask(proxied("::1", HTTP_HOST="localhost", **headers), proxies=1)
    assert answer.inside["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize("claim", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.9.9.9"])
def test_who_passes_by_the_proxy_does_not_become_this_machine(claim):
    answer = ask(proxied("192.168.7.9", HTTP_HOST="192.168.7.5", HTTP_X_FORWARDED_FOR=claim), proxies=1)
    assert answer.inside["REMOTE_ADDR"] == "192.168.7.9"


@pytest.mark.parametrize(
    ("claim", "address", "seen"),
    [
        ("127.0.0.1, 203.0.113.7", "127.0.0.1", "203.0.113.7"),
        ("127.0.0.1, 127.0.0.1, 203.0.113.7", "::1", "203.0.113.7"),
        ("127.0.0.1, nonsense", "127.0.0.1", "unknown"),
        ("127.0.0.1, 127.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("203.0.113.7, 127.0.0.1", "127.0.0.1", "203.0.113.7"),
        ("203.0.113.7, ::1, ::1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1, ::1", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_who_comes_by_fewer_proxies_than_told_does_not_become_this_machine(claim, address, seen):
    host = "localhost" if seen == "127.0.0.1" else "fer.example.org"
    answer = ask(proxied(address, HTTP_HOST=host, HTTP_X_FORWARDED_FOR=claim), proxies=2)
    assert answer.inside["REMOTE_ADDR"].replace("::1", "127.0.0.1") == seen


@pytest.mark.parametrize(
    "claim", ["unknown", "_hidden", "127.0.0.1:80", '"[::1]"', "localhost", "127.1", "<b>"]
)
def test_what_is_no_address_is_nobody_and_not_this_machine(claim):
    names = {"HTTP_HOST": "fer.example.org", "HTTP_X_FORWARDED_FOR": claim}
    assert ask(proxied("127.0.0.1", **names), proxies=1).inside["REMOTE_ADDR"] == "unknown"
    assert ask(proxied("127.0.0.1", **{**names, "HTTP_HOST": "localhost"}), proxies=1).status == 400


# What every answer says


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.7.9"])
@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/static/a.css", "text/css"),
        ("/api/v1/share", "application/json"),
        ("/l/T", "text/html"),
    ],
)
def test_what_a_link_opens_is_kept_by_nobody(address, path, media_type):
    inside = Inside()
    inside.headers = [("Content-Type", media_type), ("Cache-Control", "max-age=60")]
    host = "localhost" if address == "127.0.0.1" else "192.168.7.5"
    answer = ask(request_from(address, path, HTTP_HOST=host), inside)
    is_for_one = path in ("/api/v1/share", "/l/T") or (path == "/" and address != "127.0.0.1")
    assert answer.headers["Cache-Control"] == ("no-store" if is_for_one else "max-age=60")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Strict-Transport-Security" not in answer.headers


# How often


def handshakes(middleware, address, count, **headers):
    statuses = []
    for _ in range(count):
        environ = request_from(
            address, "/socket.io/", **{"QUERY_STRING": "EIO=4&transport=polling", **headers}
        )
        middleware(environ, lambda status, _headers: statuses.append(int(status.split()[0])))
    return statuses


def test_the_network_begins_few_connections_at_once_and_this_machine_any_number():
    middleware = SecurityMiddleware(Inside(), SecurityRules(1000, hosts=lambda: LAN_NAMES))
    statuses = handshakes(middleware, "192.168.7.9", 100, HTTP_HOST="192.168.7.5")
    assert statuses == [200] * 60 + [429] * 40
    known = {"HTTP_HOST": "192.168.7.5", "QUERY_STRING": "EIO=4&transport=polling&sid=abc"}
    assert handshakes(middleware, "192.168.7.9", 100, **known) == [200] * 100
    assert handshakes(middleware, "192.168.7.10", 1, HTTP_HOST="192.168.7.5") == [200]
    assert handshakes(middleware, "127.0.0.1", 100, HTTP_HOST="localhost") == [200] * 100


BOUNDS = (BodyBound("POST", "/api/v1/videos", 50_000), BodyBound("POST", "/api/v1/folder-tests", 20_000))


@pytest.mark.parametrize(
    ("method", "path", "length", "status"),
    [
        ("POST", "/api/v1/videos", "50000", 200),
        ("POST", "/api/v1/videos", "50001", 413),
        ("POST", "//api/v1/videos", "50000", 200),
        ("PUT", "/api/v1/videos", "50000", 413),
        ("POST", "/api/v1/videosx", "1001", 413),
        ("POST", "/api/v1/folder-tests/abc/images", "20000", 200),
        ("POST", "/api/v1/folder-tests/abc/images", "20001", 413),
        ("DELETE", "/api/v1/folder-tests/abc", "20000", 413),
        ("POST", "/api/v1/videos", "3000000000", 413),
        ("POST", "/api/v1/videos", "9" * 13, 413),
        ("POST", "/api/v1/videos", "-1", 413),
        ("POST", "/api/v1/videos", "1e3", 413),
        ("POST", "/api/v1/sessions", "1001", 413),
    ],
)
def test_bodies_are_bounded_by_method_and_path(method, path, length, status):
    assert ask(post(method, path, CONTENT_LENGTH=length), body_bounds=BOUNDS).status == status


def test_a_body_of_unknown_length_is_refused():
    answer = ask(post("POST", "/api/v1/videos", HTTP_TRANSFER_ENCODING="chunked"), body_bounds=BOUNDS)
    assert (answer.status, answer.code, answer.inside) == (411, "length_required", None)
    assert answer.headers["Connection"] == "close"


def post(method, path, **headers):
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:5000", "SERVER_PORT": "5000", "wsgi.url_scheme": "http", **headers,
    }  # fmt: skip
