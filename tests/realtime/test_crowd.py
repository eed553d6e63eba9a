"""One visitor, or all of them, on a real server in both modes: places and turns stay for the others."""

import contextlib
import time

import pytest

from fer_web.realtime.reading_pace import RETRY_S
from fer_web.realtime.streams import IDLE_TIMEOUT_S
from fer_web.sharing.places import MAX_OF_VISITOR
from tests.support import attacks
from tests.support.clients import RawClient
from tests.support.crowded_server import CrowdedServer

PLACES = 8
SMALL = attacks.large_frame(30_000)


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    with CrowdedServer("--async-mode", request.param, "--max-clients", str(PLACES)) as running:
        yield running
    log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]


def is_served(client):
    client.send_frame(SMALL)
    answer = client.next_answer()
    assert '"faces"' in answer or '"server_full"' in answer, answer
    return '"faces"' in answer


def test_places_are_left_by_one_visitor_for_others_and_by_all_for_the_host(server):
    with contextlib.ExitStack() as crowd:

        def served(cookie):
            return is_served(crowd.enter_context(RawClient(server, cookie)))

        assert [served(server.visitors[0]) for _ in range(PLACES)].count(True) == MAX_OF_VISITOR
        others = [served(cookie) for cookie in server.visitors[1:PLACES]]
        assert others.count(True) == PLACES - 1 - MAX_OF_VISITOR
        assert served(server.owner)
        assert not served(None), "all places are taken now"


def test_who_sends_no_frames_holds_no_place(server):
    with contextlib.ExitStack() as crowd:
        idle = [crowd.enter_context(RawClient(server, cookie)) for cookie in server.visitors[: PLACES - 1]]
        assert all(map(is_served, idle))
        late = crowd.enter_context(RawClient(server, server.visitors[-1]))
        assert not is_served(late)
        began = time.monotonic()
        while not is_served(late):
            assert time.monotonic() - began < 60
            time.sleep(0.5)
        assert time.monotonic() - began > IDLE_TIMEOUT_S / 2
        assert is_served(idle[0]), "it may go on"


def test_recordings_of_one_visitor_leave_room_for_others(server):
    with contextlib.ExitStack() as crowd:

        def records(cookie):
            client = crowd.enter_context(RawClient(server, cookie))
            return "session" in client.call("record", {"on": True})

        assert [records(server.visitors[0]) for _ in range(3 * PLACES)].count(True) == MAX_OF_VISITOR
        assert records(server.visitors[1])
        assert records(server.owner)


def test_a_stream_that_rested_goes_on_with_its_faces(server):
    with RawClient(server, server.owner) as client:
        session = client.call("record", {"on": True})["session"]
        assert is_served(client)
        time.sleep(IDLE_TIMEOUT_S + 2)
        assert is_served(client)
        client.call("stop", {})
    assert attacks.json_of(server, f"/api/v1/sessions/{session}", server.owner)["faces"] == 1


def test_a_polite_visitor_waits_for_one_costly_frame_not_for_thirty(server):
    costly = attacks.costly_frame()
    with contextlib.ExitStack() as crowd:
        greedy = [crowd.enter_context(RawClient(server, server.visitors[0])) for _ in range(MAX_OF_VISITOR)]
        polite = crowd.enter_context(RawClient(server, server.visitors[1]))
        with attacks.flood_of_frames(greedy, costly) as answered:
            assert attacks.wait_for(lambda: answered() > 4)
            between = []
            for _ in range(8):
                before = answered()
                assert is_served(polite)
                between.append(answered() - before)
    # Two workers may each have one of theirs, and end it while the polite one's is analysed.
    assert sorted(between)[len(between) // 2] <= 4, between


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_a_visitor_with_costly_frames_on_many_connections_gets_half_of_the_time(mode):
    """With one worker, so that who is next decides alone."""
    with (
        CrowdedServer("--async-mode", mode, "--workers", "1") as server,
        contextlib.ExitStack() as crowd,
    ):
        greedy = [crowd.enter_context(RawClient(server, server.visitors[0])) for _ in range(12)]
        polite = [crowd.enter_context(RawClient(server, server.visitors[1]))]
        costly = crowd.enter_context(attacks.flood_of_frames(greedy, attacks.costly_frame()))
        assert attacks.wait_for(lambda: costly() > 4)
        small = crowd.enter_context(attacks.flood_of_frames(polite, SMALL, in_flight=8))
        assert attacks.wait_for(lambda: small() > 20)
        before_ms = costly.analysed_ms(), small.analysed_ms()
        assert attacks.wait_for(lambda: small.analysed_ms() + costly.analysed_ms() > sum(before_ms) + 4000)
        costly_ms, small_ms = (
            flood.analysed_ms() - before for flood, before in zip((costly, small), before_ms, strict=True)
        )
    assert small_ms > 0.3 * (small_ms + costly_ms), (small_ms, costly_ms)


def test_who_finds_no_place_is_told_when_to_try_again_and_is_not_read_meanwhile(server):
    with contextlib.ExitStack() as crowd:
        clients = [crowd.enter_context(RawClient(server, server.visitors[0])) for _ in range(MAX_OF_VISITOR)]
        assert all(map(is_served, clients))
        refused = crowd.enter_context(RawClient(server, server.visitors[0]))
        for seq in range(6):
            refused.send_frame(SMALL, seq)
        first = refused.next_answer()
        told_s = time.monotonic()
        assert f'"retry_after_s":{RETRY_S}' in first, first
        assert '"server_full"' in refused.next_answer()
        assert time.monotonic() - told_s > RETRY_S - 0.5
        assert all(map(is_served, clients)), "those that have a place are read"
