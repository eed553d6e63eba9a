"""The whole server, from the address bar to Socket.IO: who gets what, by every way, with every cookie."""

import itertools
import json
import re
import time
from dataclasses import dataclass

import pytest
from werkzeug.test import Client

from fer_web.factory import create_application
from fer_web.secret_file import load_secret
from fer_web.settings import Settings
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.types import ShareAddress
from tests.support.fakes.models import write_empty_model
from tests.support.fakes.pipelines import InstantPipeline

HERE, THERE = "127.0.0.1", "192.168.7.9"
OURS = {HERE: "localhost:5443", THERE: "192.168.7.5:5443"}
ADDRESSES = (HERE, THERE)
HOSTS = ("right", "the other address's", "evil.example")
ORIGINS = ("ours", "https://evil.example", "null", "missing")
COOKIES = (
    "none",
    "owner",
    "host",
    "join",
    "watch",
    "revoked",
    "expired",
    "removed",
    "forged",
    "of an earlier run",
)
WAYS = {
    "live page": ("GET", "/"),
    "watch page": ("GET", "/watch"),
    "overlay": ("GET", "/overlay"),
    "history page": ("GET", "/history"),
    "analyze page": ("GET", "/analyze"),
    "health": ("GET", "/healthz"),
    "sessions": ("GET", "/api/v1/sessions"),
    "write": ("DELETE", "/api/v1/sessions"),
    "share": ("GET", "/api/v1/share"),
    "stream": ("polling", "/"),
    "watching": ("polling", "/watch"),
}
OPENS = {
    "join": {"live page", "history page", "analyze page", "health", "sessions", "write", "stream"},
    "watch": {"watch page", "overlay", "watching"},
}
"""What a link opens from the network; every other cookie opens nothing there."""
ANYWHERE_ON_THIS_MACHINE = set(WAYS) - {"share", "watching", "watch page", "overlay"}
"""What needs no link here; the rest is for the host, and for who has a link to watch."""

FOR_THE_HOST = {"share", "watching", "overlay"}


@dataclass(frozen=True)
class Cell:
    """One request of the matrix."""

    address: str
    host: str
    origin: str
    cookie: str
    way: str

    def gets_in(self):
        """The rule, as the contract states it."""
        return self.host == "right" and self.is_from_an_own_page() and self.way in self.opened()

    def is_from_an_own_page(self):
        if self.origin == "missing":
            return self.way not in ("write", "stream", "watching") or self.cookie == "none"
        return self.origin == "ours"

    def opened(self):
        by_link = OPENS.get(self.cookie, set())
        if self.address == THERE:
            return by_link
        return ANYWHERE_ON_THIS_MACHINE | by_link | (FOR_THE_HOST if self.cookie == "host" else set())


CELLS = [Cell(*values) for values in itertools.product(ADDRESSES, HOSTS, ORIGINS, COOKIES, WAYS)]


class FakeNetwork:
    """One address, which stays."""

    fingerprint = "AB:CD"
    authority_pem = b"PEM"

    def addresses(self):
        return [ShareAddress("https://192.168.7.5:5443", "lan")]

    def hosts(self):
        return frozenset({"192.168.7.5"})


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("middleware")
    model = write_empty_model(folder / "m")
    return Settings(model=model, async_mode="threading", detector="haar", data_dir=folder, share="on")


@pytest.fixture(scope="module")
def application(settings):
    made = create_application(settings, [InstantPipeline()], network=FakeNetwork())
    yield made
    made.scheduler.stop()
    made.close()


class Visit:
    """Requests of one address, with a browser's cookies."""

    def __init__(self, application, address, **headers):
        self._client = Client(application.flask.wsgi_app)
        self._base = {
            "address": address,
            "host": OURS[address],
            "origin": f"https://{OURS[address]}",
            **headers,
        }

    def ask(self, path, method="GET", **changes):
        return ask(self._client, path, method, **{**self._base, **changes})

    def cookie(self, prefix):
        """`name=value` of the cookie whose name begins so."""
        jar = self._client._cookies.values()
        return next(f"{cookie.key}={cookie.value}" for cookie in jar if cookie.key.startswith(prefix))


def ask(client, path, method="GET", *, address, host, origin=None, cookie=None, body=None):
    headers = {"Origin": origin, "Cookie": cookie, "Content-Type": "application/json", "Accept": "text/html"}
    return client.open(
        path,
        method=method,
        base_url=f"https://{host}",
        data=None if body is None else body if isinstance(body, str) else json.dumps(body),
        headers={name: value for name, value in headers.items() if value is not None},
        environ_overrides={"REMOTE_ADDR": address},
    )


class Host(Visit):
    """The person at this machine, who shares."""

    def __init__(self, application):
        super().__init__(application, HERE)
        assert self.ask(f"/?host={application.owners.host_token}", origin=None).status_code == 302

    def share(self, kind, **options):
        answer = self.ask("/api/v1/share/links", "POST", body={"kind": kind, "name": kind, **options})
        assert answer.status_code == 201, answer.text
        return answer.json

    def end(self, path):
        assert self.ask(f"/api/v1/share{path}", "DELETE", body={}).status_code == 200

    def visitors(self, link):
        return [
            each["id"] for each in self.ask("/api/v1/share").json["visitors"] if each["link"] == link["id"]
        ]


def visitor_cookie(application, link):
    visit = Visit(application, THERE)
    answer = visit.ask(link["urls"][0].removeprefix("https://192.168.7.5:5443"), origin=None)
    assert answer.status_code == 303, answer.text
    return visit.cookie("__Host-fer_guest_")


@pytest.fixture(scope="module")
def host(application):
    return Host(application)


@pytest.fixture(scope="module")
def cookies(application, settings, host):
    """A Cookie header for each of COOKIES, as the server itself gave it."""
    browser = Visit(application, HERE)
    browser.ask("/", origin=None)
    links = {name: host.share("join" if name in ENDED else name) for name in ("join", "watch", *ENDED)}
    soon = host.share("join", hours=0.05)
    made = {name: visitor_cookie(application, link) for name, link in links.items()}
    made["expired"] = visitor_cookie(application, soon)
    host.end(f"/links/{links['revoked']['id']}")
    (removed,) = host.visitors(links["removed"])
    host.end(f"/visitors/{removed}")
    for clocked in (application.links, application.authenticator):
        clocked._clock = lambda: time.time() + 200
    name, value = made["join"].split("=", 1)
    earlier = Authenticator(load_secret(settings.data_dir), application.links, application.visitors)
    return {
        **made,
        "none": None,
        "owner": browser.cookie("__Host-fer_owner_"),
        "host": host.cookie("__Host-fer_host_"),
        # Not the last character: some of its bits mean nothing.
        "forged": f"{name}={value[:-2]}{'A' if value[-2] != 'A' else 'B'}{value[-1]}",
        "of an earlier run": f"{name}={earlier.signed(host.visitors(links['join'])[0])}",
    }


ENDED = {"revoked": "link_revoked", "removed": "visitor_removed"}
REASONS = {**ENDED, "expired": "link_expired", "of an earlier run": "sharing_stopped"}
"""What a cookie that no longer opens is answered; every other is told that a link is needed."""


def outcome(client, cell, cookie):
    """Status, and what a program reads: the error's code, or "in" where there is none."""
    host = {
        "right": OURS[cell.address],
        "the other address's": OURS[THERE if cell.address == HERE else HERE],
    }.get(cell.host, f"{cell.host}:5443")
    origin = {"ours": f"https://{host}", "missing": None}.get(cell.origin, cell.origin)
    known = {"address": cell.address, "host": host, "origin": origin, "cookie": cookie}
    method, path = WAYS[cell.way]
    if method == "polling":
        return poll(client, path, **known)
    answer = ask(client, path, method, body={} if method == "DELETE" else None, **known)
    answer.close()
    return answer.status_code, code_in(answer.text)


def poll(client, namespace, **known):
    """Connect to Socket.IO by polling, up to the answer."""
    path = "/socket.io/?EIO=4&transport=polling"
    opened = ask(client, path, **known)
    if opened.status_code != 200:
        return opened.status_code, code_in(opened.text)
    path += f"&sid={json.loads(opened.text[1:])['sid']}"
    ask(client, path, "POST", body="40" if namespace == "/" else f"40{namespace},", **known)
    text = ask(client, path, **known).text
    ask(client, path, "POST", body="1", **known)
    return (
        (200, "in") if text.startswith("40") else (403, json.loads(text[text.index("{") :])["data"]["code"])
    )


def code_in(text):
    try:
        return json.loads(text)["error"]["code"]
    except (ValueError, TypeError, KeyError):
        match = re.search(r'data-code="([a-z_]+)"', text)
        return match.group(1) if match else "in"


def test_only_the_right_cells_of_the_matrix_get_in(application, cookies):
    client = Client(application.flask.wsgi_app, use_cookies=False)
    wrong = []
    for cell in CELLS:
        status, code = outcome(client, cell, cookies[cell.cookie])
        if (status == 200 and code == "in") != cell.gets_in():
            wrong.append((cell, status, code))
    assert not wrong, (len(wrong), wrong[:8])
    assert sum(cell.gets_in() for cell in CELLS) > 100


@pytest.mark.parametrize("cookie", [name for name in COOKIES if name not in OPENS])
def test_who_is_kept_out_hears_why(application, cookies, cookie):
    client = Client(application.flask.wsgi_app, use_cookies=False)
    reason = REASONS.get(cookie, "link_needed")
    for way in ("live page", "watch page", "sessions", "stream"):
        heard = outcome(client, Cell(THERE, "right", "ours", cookie, way), cookies[cookie])
        assert heard == (403, reason), way
