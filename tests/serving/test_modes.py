import ssl
import threading
from types import SimpleNamespace

import pytest
import simple_websocket

from fer_web.errors import OverloadedError
from fer_web.serving.message_bounds import MessageBounds
from fer_web.serving.modes import InTurn, ThreadingMode, _ending, serving_mode


def test_one_at_a_time_and_who_finds_the_queue_full_is_refused():
    in_turn, started, go_on, running = (
        InTurn(ThreadingMode(), 2),
        threading.Semaphore(0),
        threading.Event(),
        [],
    )

    def work():
        running.append(1)
        started.release()
        assert go_on.wait(60)
        return running.pop()

    threads = [threading.Thread(target=in_turn, args=(work,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert started.acquire(timeout=60)
    for _ in range(6000):
        if in_turn._slots._value == 0:
            break
        threading.Event().wait(0.01)
    assert len(running) == 1
    with pytest.raises(OverloadedError, match="2 others wait"):
        in_turn(work)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert in_turn(lambda: "again") == "again"


def test_an_error_frees_the_place():
    in_turn = InTurn(ThreadingMode(), 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            in_turn(lambda: 1 // 0)


def test_all_is_done_by_one_thread_whoever_asks():
    in_turn, seen = InTurn(ThreadingMode(), 8), set()
    threads = [
        threading.Thread(target=in_turn, args=(lambda: seen.add(threading.get_ident()),)) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(seen) == 1


def test_who_waits_when_the_server_stops_is_told_at_once():
    in_turn, started, go_on, told = InTurn(ThreadingMode(), 2), threading.Event(), threading.Event(), []

    def ask():
        try:
            in_turn(lambda: (started.set(), go_on.wait(60)))
        except OverloadedError as exc:
            told.append(str(exc))

    asking = threading.Thread(target=ask)
    asking.start()
    assert started.wait(60)
    in_turn.stop()
    asking.join(60)
    assert told == ["The server stops. Send it again when it runs."]
    with pytest.raises(OverloadedError, match="stops"):
        in_turn(lambda: None)
    go_on.set()


def test_under_eventlet_waiting_holds_up_no_other_greenlet():
    eventlet = pytest.importorskip("eventlet")
    in_turn, order = InTurn(serving_mode("eventlet"), 4), []
    release = threading.Event()
    first = eventlet.spawn(in_turn, lambda: (release.wait(60), order.append("first")))
    second = eventlet.spawn(in_turn, order.append, "second")
    other = eventlet.spawn(order.append, "other")
    other.wait()
    eventlet.sleep(0.05)
    assert order == ["other"]
    release.set()
    first.wait(), second.wait()
    assert order == ["other", "first", "second"]


@pytest.mark.parametrize(
    "error", [ssl.SSLEOFError(), BrokenPipeError(), TimeoutError(), simple_websocket.ConnectionClosed()]
)
def test_a_client_that_has_gone_ends_both_threads_of_its_connection_without_an_error(error):
    class Gone:
        ws = SimpleNamespace(
            connected=True,
            event=threading.Event(),
            sock=SimpleNamespace(shutdown=lambda how: shut.append(how)),
        )

        def close(self):
            raise error

    shut, connection = [], _ending(Gone, MessageBounds(1000))()
    connection.close()
    assert connection.ws.event.is_set()
    assert shut
    assert not connection.ws.connected
