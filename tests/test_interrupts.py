"""Ctrl-C that is kept, and Ctrl-C that waits."""

import signal
import sys
import threading

import pytest

from fer_web.interrupts import interrupt_kept, interrupt_waits


class InterruptedWhenFreed:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_kept_interrupt_comes_at_once():
    with interrupt_kept(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_that_a_finalizer_swallowed_comes_with_the_next_check(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    with interrupt_kept() as check:
        check()
        InterruptedWhenFreed()
        with pytest.raises(KeyboardInterrupt):
            check()


def test_waiting_interrupt_comes_at_the_end_and_is_kept():
    steps = []

    def work():
        with interrupt_waits():
            signal.raise_signal(signal.SIGINT)
            steps.append("done")
        steps.append("after")

    with interrupt_kept() as check:
        with pytest.raises(KeyboardInterrupt):
            work()
        with pytest.raises(KeyboardInterrupt):
            check()
    assert steps == ["done"]


@pytest.mark.parametrize("block", [interrupt_kept, interrupt_waits])
def test_the_handler_from_before_is_back_afterwards(block):
    before = signal.getsignal(signal.SIGINT)
    with block():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("block", [interrupt_kept, interrupt_waits])
def test_other_threads_leave_the_handler_alone(block):
    seen = []

    def use():
        with block():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
