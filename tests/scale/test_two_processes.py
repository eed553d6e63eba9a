"""Two processes with one PostgreSQL, one Redis and one secret are one service, whichever of them is asked."""

import contextlib
import queue
import statistics
import time

import pytest

from fer_web.sharing.places import MAX_OF_VISITOR
from tests.support.callers import PHONE, WAIT_S, Caller, host_of
from tests.support.machine import slowness
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.several_processes import TOKEN, environment_of, two_servers


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def pair(request, redis):
    with PostgresServer() as postgres:
        environment = environment_of(postgres.new_database(), redis.url, request.param)
        with two_servers(environment) as both:
            yield both


@pytest.fixture
def one(pair):
    return pair[0]


@pytest.fixture
def other(pair):
    return pair[1]


@pytest.fixture
def host(one):
    return host_of(one)


def until(is_so, what):
    """Wait for something that another process must learn first; returns the seconds it took."""
    start_s = time.monotonic()
    while not is_so():
        assert time.monotonic() - start_s < WAIT_S, what
        time.sleep(0.02)
    return time.monotonic() - start_s


def test_the_host_of_one_is_the_host_of_the_other(host, other):
    assert f"?host={TOKEN}" in "".join(other.output)
    assert host.at(other).ask("GET", "/api/v1/share").json()["can_share"] is True
    assert Caller(other, PHONE).ask("GET", "/api/v1/share").status_code in (401, 403)


def test_a_link_made_at_one_opens_at_the_other_and_lets_in_at_both(host, one, other):
    link = host.ask("POST", "/api/v1/share/links", {"kind": "join", "name": "Anna"}).json()
    phone = Caller(other, PHONE)
    assert phone.open(link).status_code == 303
    assert phone.ask("GET", "/").status_code == phone.at(one).ask("GET", "/").status_code == 200
    for server in (one, other):
        listed = host.at(server).ask("GET", "/api/v1/share").json()
        (same,) = [each for each in listed["links"] if each["id"] == link["id"]]
        # With the address, which no process stores.
        assert same["urls"] == link["urls"]
    until(lambda: [each["link"] for each in host.visitors()].count(link["id"]) == 1, "one list of visitors")


def test_a_link_ended_at_one_ends_the_others_connections(host, other):
    phone, link = host.visitor()
    socket = phone.at(other).socket()
    host.ask("DELETE", f"/api/v1/share/links/{link['id']}", {})
    assert socket.ended_after_s(time.monotonic()) < WAIT_S
    assert socket.reason == "link_revoked"
    assert phone.at(other).ask("GET", "/").status_code == 403
    assert phone.at(other).open(link).status_code in (403, 410)


def test_sharing_stopped_at_one_ends_the_others_connections(host, other):
    phone, link = host.visitor()
    socket = phone.at(other).socket()
    assert host.ask("POST", "/api/v1/share/stop", {}).ok
    assert socket.ended_after_s(time.monotonic()) < WAIT_S
    assert socket.reason == "sharing_stopped"
    assert phone.at(other).open(link).status_code in (403, 410)


def test_a_visitor_removed_at_one_is_out_at_the_other_until_a_newer_link(host, one, other):
    phone, _ = host.visitor()
    socket = phone.at(other).socket()
    until(lambda: any(each["connections"] for each in host.visitors()), "the other's connections are counted")
    (visitor,) = [each for each in host.visitors() if each["connections"]]
    assert host.ask("DELETE", f"/api/v1/share/visitors/{visitor['id']}", {}).status_code == 200
    socket.ended_after_s(time.monotonic())
    assert socket.reason == "visitor_removed"
    assert phone.at(other).ask("GET", "/").status_code == 403
    newer = host.ask("POST", "/api/v1/share/links", {"kind": "join", "name": "again"}).json()
    assert phone.open(newer).status_code == 303
    assert phone.at(other).ask("GET", "/").status_code == phone.at(one).ask("GET", "/").status_code == 200


def test_a_session_recorded_at_one_is_read_and_changed_at_the_other(host, other):
    camera = host.socket()
    session = camera.client.call("record", {"on": True, "session": None}, timeout=WAIT_S)["session"]
    for _ in range(3):
        camera.send_frame()
    camera.client.call("stop", {}, timeout=WAIT_S)
    camera.client.disconnect()
    there = host.at(other)
    answer = there.ask("PATCH", f"/api/v1/sessions/{session}", {"name": "From the other"})
    assert answer.status_code == 200, answer.text
    assert host.ask("GET", f"/api/v1/sessions/{session}").json()["name"] == "From the other"
    assert Caller(other, "127.0.0.1").ask("GET", f"/api/v1/sessions/{session}").status_code == 404


def recorded(camera, session=None, samples=2):
    """Record at a process until so many samples are told to be saved; returns the session's id."""
    answer = camera.client.call("record", {"on": True, "session": session}, timeout=WAIT_S)
    saved = 0
    while saved < samples:
        camera.send_frame()
        with contextlib.suppress(queue.Empty):
            name, *data = camera.heard.get(timeout=0.25)
            saved = data[0]["samples"] if name == "saved" else saved
    return answer["session"]


@pytest.mark.parametrize("leaves", ["and ends", "and is gone", "without a word"])
def test_a_recording_moves_while_both_live_and_the_first_process_ends_it_no_more(host, other, leaves):
    first = host.socket()
    session = recorded(first)
    if leaves == "and is gone":
        first.client.disconnect()
    second = host.at(other).socket()
    began_s = time.monotonic()
    assert recorded(second, session, samples=4) == session
    assert time.monotonic() - began_s < 15 * slowness()
    if leaves == "and ends":
        first.client.call("stop", {}, timeout=WAIT_S)
    if leaves == "without a word":
        first.send_frame()
        assert first.next("recording_problem")[0]["code"] == "recording_stopped"
    found = host.ask("GET", f"/api/v1/sessions/{session}").json()
    assert (found["state"], found["id"]) == ("running", session)
    recorded(second, session, samples=found["samples"] + 2)
    second.client.call("stop", {}, timeout=WAIT_S)
    found = host.ask("GET", f"/api/v1/sessions/{session}").json()
    assert found["state"] == "finished"
    assert found["samples"] >= 6
    for socket in (first, second):
        socket.client.disconnect()


def test_a_key_made_at_one_opens_the_other_and_a_revoked_one_does_not(host, other):
    made = host.ask("POST", "/api/v1/keys", {"name": "program"}).json()
    program = Caller(other, PHONE)
    program.session.headers["Authorization"] = f"Bearer {made['key']}"
    assert program.ask("GET", "/api/v1/sessions").status_code == 200
    host.ask("DELETE", f"/api/v1/keys/{made['id']}", {})
    assert program.ask("GET", "/api/v1/sessions").status_code == 401


def test_who_watches_at_the_other_sees_the_camera_at_one(host, one, other):
    phone, link = host.visitor("watch", video=True)
    watcher = phone.at(other).socket(namespace="/watch")
    assert watcher.next("state")[0]["live"] is False
    camera = host.socket()
    camera.next("watched", lambda state: state["watchers"] == 1)
    camera.send_frame()
    assert watcher.next("state", lambda state: state["live"])[0]["watchers"] == 1
    delays = []
    for _ in range(12):
        sent_s = time.monotonic()
        camera.send_frame()
        wire, jpeg = watcher.next("view")
        delays.append(time.monotonic() - sent_s)
        assert len(wire["faces"]) == 1
        assert jpeg.startswith(b"\xff\xd8")
        time.sleep(0.12)
    # Beside two servers on two cores; docs/scaling.md says what was measured on a quiet machine.
    assert statistics.median(delays) < 5
    # The host's decision about the picture is heard at the other.
    host.ask("PATCH", f"/api/v1/share/links/{link['id']}", {"video": False})
    watcher.next("state", lambda state: not state["video"])
    camera.send_frame()
    assert len(watcher.next("view", lambda *data: len(data) == 1)) == 1
    camera.client.call("stop", {}, timeout=WAIT_S)
    watcher.next("state", lambda state: not state["live"])
    camera.client.disconnect()


def streaming(phone, count):
    """So many connections of a phone; returns them, and how many of them got a place for their stream."""
    sockets = [phone.socket() for _ in range(count)]
    return sockets, answered(sockets)


def answered(sockets):
    """Of how many connections a frame is analysed."""
    return sum(each.send_frame().get("error") is None for each in sockets)


def test_a_visitor_has_one_quota_at_both_and_without_redis_one_at_each(host, one, other, redis):
    phone, _ = host.visitor()
    first, places = streaming(phone, MAX_OF_VISITOR)
    assert places == MAX_OF_VISITOR
    second, places = streaming(phone.at(other), 1)
    assert places == 0
    assert second[0].send_frame()["error"]["code"] == "server_full"
    first[0].client.disconnect()
    until(lambda: second[0].send_frame().get("error") is None, "what was given back is had at the other")
    redis.freeze()
    try:
        until(lambda: "works on alone" in "".join(other.output[-3:]), "the other says that Redis is away")
        third = [*second, *(phone.at(other).socket() for _ in range(MAX_OF_VISITOR))]
        until(lambda: answered(third) == MAX_OF_VISITOR, "what the first one has is forgotten")
    finally:
        redis.thaw()
    for socket in (*first[1:], *third):
        socket.client.disconnect()


def test_without_redis_both_work_on_and_then_know_of_each_other_again(host, one, other, redis):
    phone, link = host.visitor()
    socket = phone.at(other).socket()
    redis.freeze()
    try:
        camera = host.socket()
        assert len(camera.send_frame()["faces"]) == 1
        # Told by the database in place of Redis.
        host.ask("DELETE", f"/api/v1/share/links/{link['id']}", {})
        socket.ended_after_s(time.monotonic())
        assert socket.reason == "link_revoked"
        until(lambda: "works on alone" in "".join(other.output), "the other says that Redis is away")
    finally:
        redis.thaw()
    until(lambda: "Redis is back" in "".join(other.output), "the other finds Redis again")
    phone, _ = host.visitor("watch")
    watcher = phone.at(other).socket(namespace="/watch")
    camera.next("watched", lambda state: state["watchers"] == 1)
    camera.send_frame()
    assert watcher.next("view")[0]["faces"]
    camera.client.disconnect()
