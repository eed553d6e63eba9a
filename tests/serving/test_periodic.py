import logging
import threading

from fer_web.serving.periodic import PeriodicRunner, PeriodicTask
from tests.support.clocks import Clock


def test_tasks_are_done_at_once_and_then_when_they_are_due():
    clock, done = Clock(), []
    tasks = [
        PeriodicTask(1.0, lambda: done.append("often")),
        PeriodicTask(10.0, lambda: done.append("seldom")),
    ]
    periodic = PeriodicRunner(tasks, threading.Event(), clock)
    for _ in range(4):
        periodic.do_due()
        clock.advance(0.5)
    assert done == ["often", "seldom", "often"]
    clock.advance(10)
    periodic.do_due()
    assert done[3:] == ["often", "seldom"]


def test_a_task_that_fails_stops_no_other(caplog):
    def broken():
        raise RuntimeError("a bug")

    clock, done = Clock(), []
    periodic = PeriodicRunner(
        [PeriodicTask(1.0, broken), PeriodicTask(1.0, lambda: done.append(1))], threading.Event(), clock
    )
    with caplog.at_level(logging.ERROR):
        periodic.do_due()
        clock.advance(1)
        periodic.do_due()
    assert done == [1, 1]
    assert caplog.text.count("A task failed") == 2


def test_stop_ends_it():
    periodic = PeriodicRunner([], threading.Event())
    thread = threading.Thread(target=periodic.run)
    thread.start()
    periodic.stop()
    thread.join(60)
    assert not thread.is_alive()
