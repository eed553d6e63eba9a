"""Who may connect, and that the host's decisions end a connection at once: with real servers in both modes.

The tests pretend to be a reverse proxy, which says who asks: so they need no second machine.
"""

import contextlib
import re
import time

import pytest
import socketio

from tests.support.callers import PHONE, PUBLIC_URL, WAIT_S, Caller, host_of
from tests.support.short_links_server import ShortLinksServer

AT_ONCE_S = 8.0
"""Mostly for a busy machine: who is not told would notice with the ping, ten seconds later."""


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    options = ("--detector", "haar", "--proxies", "1", "--public-url", PUBLIC_URL)
    with ShortLinksServer(*options, "--async-mode", request.param) as process:
        yield process


@pytest.fixture(scope="module")
def host(server):
    return host_of(server)


@pytest.fixture
def refused(server):
    """Connects, must be refused, and returns with what code."""

    def connect(caller, **options):
        seen = {}
        client = socketio.Client(reconnection=False, request_timeout=WAIT_S)
        namespace = options.get("namespace", "/")
        client.on("connect_error", lambda data: seen.update(data), namespace=namespace)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(
                server.url,
                headers=caller.headers(),
                namespaces=[namespace],
                transports=["websocket"],
                wait_timeout=WAIT_S,
            )
        client.disconnect()
        assert seen["message"] == seen["data"]["message"]
        assert seen["data"]["retryable"] is False
        return seen["data"]["code"]

    return connect


@pytest.mark.parametrize("namespace", ["/", "/watch"])
def test_an_outsider_is_refused_in_words(server, refused, namespace):
    assert refused(Caller(server, PHONE), namespace=namespace) == "link_needed"


def test_this_machine_needs_no_link(host):
    socket = host.socket()
    assert len(socket.send_frame()["faces"]) == 1
    assert host.visitors() == []
    socket.client.disconnect()


@pytest.mark.parametrize(
    ("kind", "namespace", "code"),
    [("join", "/watch", "link_needed"), ("watch", "/", "share_refused")],
)
def test_a_link_opens_only_what_it_is_for(host, refused, kind, namespace, code):
    phone, _ = host.visitor(kind)
    assert refused(phone, namespace=namespace) == code


def remove(host, link):
    visitor = next(each for each in host.visitors() if each["link"] == link["id"])
    return host.ask("DELETE", f"/api/v1/share/visitors/{visitor['id']}", {})


def revoke(host, link):
    return host.ask("DELETE", f"/api/v1/share/links/{link['id']}", {})


def stop(host, link):
    return host.ask("POST", "/api/v1/share/stop", {})


ENDS = [(revoke, "link_revoked"), (stop, "sharing_stopped"), (remove, "visitor_removed")]


@pytest.mark.parametrize(("end", "code"), ENDS)
@pytest.mark.parametrize(("kind", "namespace"), [("join", "/"), ("watch", "/watch")])
def test_the_hosts_decision_ends_a_connection_at_once(host, refused, end, code, kind, namespace):
    phone, link = host.visitor(kind)
    socket = phone.socket(namespace=namespace)
    start_s = time.monotonic()
    assert end(host, link).status_code == 200
    assert socket.ended_after_s(start_s) < AT_ONCE_S
    assert socket.reason == code
    assert refused(phone, namespace=namespace) == code


@pytest.mark.parametrize(("end", "code"), ENDS)
def test_a_phone_that_polls_is_ended_too(host, end, code):
    phone, link = host.visitor()
    socket = phone.socket(transport="polling")
    start_s = time.monotonic()
    end(host, link)
    assert socket.ended_after_s(start_s) < AT_ONCE_S
    assert socket.reason == code


def test_a_connection_ends_with_the_time_of_its_link(host, refused):
    socket = None
    # Long enough to connect within it, which a busy machine takes seconds for.
    for open_s in (2, 10, 60):
        phone, link = host.visitor(hours=open_s / 3600)
        with contextlib.suppress(socketio.exceptions.ConnectionError):
            socket = phone.socket()
            break
    expires_s = time.monotonic() + link["expires_ms"] / 1000 - time.time()
    assert -0.1 < socket.ended_after_s(expires_s) < AT_ONCE_S
    assert socket.reason == "link_expired"
    assert refused(phone) == "link_expired"


def test_only_the_one_whose_link_ends_goes(host):
    gone, link = host.visitor()
    stays, _ = host.visitor()
    socket, other = gone.socket(), stays.socket()
    here = host.socket()
    revoke(host, link)
    socket.ended_after_s(0)
    assert len(other.send_frame()["faces"]) == 1
    assert len(here.send_frame()["faces"]) == 1
    other.client.disconnect()
    here.client.disconnect()


def test_the_host_sees_who_is_connected_and_who_streams(host):
    phone, link = host.visitor()

    def seen():
        (visitor,) = [each for each in host.visitors() if each["link"] == link["id"]]
        return visitor["address"], visitor["connections"], visitor["streams"]

    assert seen() == (PHONE, 0, False)
    socket = phone.socket()
    assert seen() == (PHONE, 1, False)
    socket.send_frame()
    assert seen() == (PHONE, 1, True)
    socket.client.call("stop", {}, timeout=WAIT_S)
    assert seen() == (PHONE, 1, False)
    socket.send_frame()
    socket.client.disconnect()
    deadline_s = time.monotonic() + WAIT_S
    while seen() != (PHONE, 0, False) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert seen() == (PHONE, 0, False)


def test_who_is_refused_is_disconnected_soon(server):
    """Engine.IO itself would keep the connection for as long as it answers pings."""
    caller = Caller(server, PHONE)
    opened = caller.ask("GET", "/socket.io/?EIO=4&transport=polling")
    sid = re.search(r'"sid":"([^"]+)"', opened.text).group(1)
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
    assert caller.session.post(server.url + path, data="40", timeout=WAIT_S).status_code == 200
    assert "link_needed" in caller.ask("GET", path).text
    answer = caller.ask("GET", path)  # waits until there is something to say, and that is no ping
    assert answer.text == "1" or answer.status_code == 400


def test_no_line_of_the_servers_output_holds_a_token_of_a_link(server, host):
    phone, link = host.visitor()
    token = link["urls"][0].rsplit("/", 1)[1]
    phone.open(link)
    phone.ask("POST", f"/l/{token}", {})
    revoke(host, link)
    phone.open(link)
    assert not [line for line in server.output if token in line]
    files = [path for path in server.data_dir.rglob("*") if path.is_file()]
    assert not [path for path in files if token.encode() in path.read_bytes()]
