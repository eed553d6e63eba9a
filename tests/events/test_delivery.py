"""The thread and mailbox of one receiver: bounded, and never in anybody's way."""

import datetime
import threading
import time

import pytest

from fer_web.events.delivery import (
    MAX_RETRY_S,
    MAX_TRIES,
    MAX_WAITING_EVENTS,
    STOP_TIMEOUT_S,
    Delivery,
    ReceiverError,
    retry_pause_s,
    stop_all,
)
from fer_web.events.rules import Rule
from fer_web.events.types import Fired, StreamFrame

WAIT_S = 60


def fired(number):
    at = datetime.datetime.now(datetime.UTC)
    return Fired(str(number), "stream", Rule("sad"), (1,), 0.0, at, False)


class FakeReceiver:
    """Does what its `work` does with each item, and keeps what it took."""

    kind = "fake"

    def __init__(self, work=lambda item: None, frames_kept=0, state=None):
        self.frames_kept = frames_kept
        self.taken, self.is_closed, self.state = [], threading.Event(), state
        self._work = work

    def open(self):
        return self.state

    def send(self, item):
        self._work(item)
        self.taken.append(item)

    def close(self):
        self.is_closed.set()


@pytest.fixture
def started():
    running = []

    def start(receiver, **options):
        delivery = Delivery("fake", receiver, **options)
        delivery.start()
        running.append(delivery)
        return delivery

    yield start
    stop_all(running)


def wait_until(holds):
    end_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def test_events_arrive_in_order(started):
    receiver = FakeReceiver()
    delivery = started(receiver)
    for number in range(50):
        delivery.offer(fired(number))
    wait_until(lambda: len(receiver.taken) == 50)
    assert [item.id for item in receiver.taken] == [str(number) for number in range(50)]
    wait_until(lambda: delivery.state().sent == 50)
    assert delivery.state().state == "connected"


def test_one_that_hangs_holds_up_nobody_and_keeps_the_newest(started):
    goes_on = threading.Event()
    receiver = FakeReceiver(lambda item: goes_on.wait(WAIT_S))
    hanging, others = started(receiver), FakeReceiver()
    other = started(others)
    try:
        hanging.offer(fired(0))
        wait_until(lambda: hanging.state().waiting == 0)
        for number in range(1, MAX_WAITING_EVENTS + 31):
            hanging.offer(fired(number))
            other.offer(fired(number))
            if number % 50 == 0:
                wait_until(lambda: other.state().waiting == 0)
        wait_until(lambda: len(others.taken) == MAX_WAITING_EVENTS + 30)
        state = hanging.state()
        assert (state.waiting, state.dropped, state.sent) == (MAX_WAITING_EVENTS, 30, 0)
    finally:
        goes_on.set()
    wait_until(lambda: hanging.state().sent == MAX_WAITING_EVENTS + 1)
    assert [item.id for item in receiver.taken[1:3]] == ["31", "32"]


def test_frames_are_the_newest_and_are_not_tried_again(started):
    enters, goes_on = threading.Event(), threading.Event()

    def refuse_first(item):
        enters.set()
        goes_on.wait(WAIT_S)
        if item.at_s == 0:
            raise ReceiverError("not this one")

    receiver = FakeReceiver(refuse_first, frames_kept=3)
    delivery = started(receiver, pause_s=lambda tries: 0.0)
    delivery.offer(StreamFrame("stream", 0.0, ()))
    assert enters.wait(WAIT_S)
    for at_s in range(1, 10):
        delivery.offer(StreamFrame("stream", float(at_s), ()))
    goes_on.set()
    wait_until(lambda: len(receiver.taken) == 3)
    assert [item.at_s for item in receiver.taken] == [7.0, 8.0, 9.0]
    assert (delivery.state().sent, delivery.state().dropped) == (0, 0)


def test_an_event_is_dropped_after_its_tries_and_the_next_has_as_many(started):
    tried = []

    def refuse(item):
        tried.append(item.id)
        raise ReceiverError("busy")

    delivery = started(FakeReceiver(refuse), pause_s=lambda tries: 0.0)
    delivery.offer(fired(1))
    delivery.offer(fired(2))
    wait_until(lambda: delivery.state().dropped == 2)
    assert tried == ["1"] * MAX_TRIES + ["2"] * MAX_TRIES
    assert (delivery.state().state, delivery.state().reason) == ("failing", "busy")


def test_a_final_refusal_is_not_tried_again(started):
    tried = []

    def refuse(item):
        tried.append(item.id)
        if item.id == "1":
            raise ReceiverError("never", is_final=True)

    delivery = started(FakeReceiver(refuse), pause_s=lambda tries: 0.0)
    delivery.offer(fired(1))
    delivery.offer(fired(2))
    wait_until(lambda: delivery.state().sent == 1)
    assert tried == ["1", "2"]
    assert (delivery.state().state, delivery.state().dropped) == ("connected", 1)


def test_a_fault_of_our_own_ends_no_thread_and_shows_no_details(started, caplog):
    receiver = FakeReceiver(lambda item: 1 / 0 if item.id == "1" else None)
    delivery = started(receiver, pause_s=lambda tries: 0.0)
    delivery.offer(fired(1))
    delivery.offer(fired(2))
    wait_until(lambda: delivery.state().sent == 1)
    assert "ZeroDivisionError" in caplog.text
    assert receiver.taken[0].id == "2"


def test_pauses_grow_up_to_a_bound():
    assert [retry_pause_s(tries) for tries in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert retry_pause_s(1000) == MAX_RETRY_S


def test_stopping_says_goodbye_and_waits_only_a_while_for_one_that_hangs():
    goes_on = threading.Event()
    hanging, idle = FakeReceiver(lambda item: goes_on.wait(WAIT_S)), FakeReceiver()
    deliveries = [Delivery("hanging", hanging), Delivery("idle", idle)]
    for each in deliveries:
        each.start()
    deliveries[0].offer(fired(1))
    wait_until(lambda: deliveries[0].state().waiting == 0)
    began_s = time.monotonic()
    stop_all(deliveries)
    assert time.monotonic() - began_s < STOP_TIMEOUT_S + 20
    assert idle.is_closed.wait(WAIT_S)
    assert not hanging.is_closed.is_set()
    goes_on.set()
    assert hanging.is_closed.wait(WAIT_S)


def test_one_that_was_never_started_stops_too():
    stop_all([Delivery("never", FakeReceiver())])
