import logging
import threading

from fer_web.serving.periodic import Chore, Upkeep
from tests.support.clocks import Clock


def test_chores_are_done_at_once_and_then_when_they_are_due():
    clock, done = Clock(), []
    chores = [Chore(1.0, lambda: done.append("often")), Chore(10.0, lambda: done.append("seldom"))]
    upkeep = Upkeep(chores, threading.Event(), clock)
    for _ in range(4):
        upkeep.do_due()
        clock.advance(0.5)
    assert done == ["often", "seldom", "often"]
    clock.advance(10)
    upkeep.do_due()
    assert done[3:] == ["often", "seldom"]


def test_a_chore_that_fails_stops_no_other(caplog):
    def broken():
        raise RuntimeError("a bug")

    clock, done = Clock(), []
    upkeep = Upkeep([Chore(1.0, broken), Chore(1.0, lambda: done.append(1))], threading.Event(), clock)
    with caplog.at_level(logging.ERROR):
        upkeep.do_due()
        clock.advance(1)
        upkeep.do_due()
    assert done == [1, 1]
    assert caplog.text.count("A chore failed") == 2


def test_stop_ends_it():
    upkeep = Upkeep([], threading.Event())
    thread = threading.Thread(target=upkeep.run)
    thread.start()
    upkeep.stop()
    thread.join(60)
    assert not thread.is_alive()
