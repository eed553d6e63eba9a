import datetime
import logging
import threading

import pytest

from fer_web.errors import DatabaseLockedError
from fer_web.history.retention import Retention, oldest_kept

NOW = datetime.datetime(2026, 3, 31, tzinfo=datetime.UTC)


class Store:
    """Counts purges; the third one and those after it are waited for."""

    def __init__(self, *errors):
        self.limits = []
        self.errors = list(errors)
        self.happened = threading.Semaphore(0)

    def purge(self, older_than=None):
        self.limits.append(older_than)
        self.happened.release()
        if self.errors:
            raise self.errors.pop(0)
        return 2

    def wait(self, times):
        assert all(self.happened.acquire(timeout=60) for _ in range(times))


def test_oldest_kept():
    assert oldest_kept(30, NOW) == datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    assert oldest_kept(0, NOW) is None


def test_it_purges_at_the_start_and_again_until_it_is_stopped(caplog):
    store = Store()
    retention = Retention(store, 30, interval_s=0.01)
    with caplog.at_level(logging.INFO):
        retention.open()
        store.wait(3)
        retention.stop()
    done = len(store.limits)
    age = datetime.datetime.now(datetime.UTC) - store.limits[0]
    assert age.days == 30
    assert not retention._thread.is_alive()
    assert len(store.limits) == done
    assert "2 sessions were removed" in caplog.text


def test_it_waits_between_two_purges():
    store = Store()
    retention = Retention(store, 30, interval_s=3600)
    retention.open()
    store.wait(1)
    retention.stop()
    assert len(store.limits) == 1


@pytest.mark.parametrize("error", [DatabaseLockedError("It is locked."), RuntimeError("a bug")])
def test_an_error_is_logged_and_it_goes_on(error, caplog):
    store = Store(error)
    retention = Retention(store, 30, interval_s=0.01)
    retention.open()
    store.wait(2)
    retention.stop()
    assert "could not be removed" in caplog.text


def test_zero_days_keep_all_and_still_remove_what_was_deleted():
    store = Store()
    retention = Retention(store, 0)
    retention.open()
    store.wait(1)
    retention.stop()
    assert store.limits == [None]


def test_stopping_what_was_never_started():
    Retention(Store(), 30).stop()


DAY_S = 86400.0


class Clocks:
    """A wall clock and a monotonic one, both set by hand."""

    def __init__(self):
        self.wall_s, self.monotonic_s = NOW.timestamp(), 1000.0

    def pass_s(self, seconds, jump_s=0.0):
        self.wall_s += seconds + jump_s
        self.monotonic_s += seconds


def test_a_clock_that_jumps_ahead_removes_nothing_until_it_has_stood_for_a_day(caplog):
    store, clocks = Store(), Clocks()
    retention = Retention(store, 30, wall_clock=lambda: clocks.wall_s, clock=lambda: clocks.monotonic_s)
    retention.purge()
    clocks.pass_s(600, jump_s=400 * DAY_S)
    retention.purge()
    clocks.pass_s(DAY_S - 600)
    retention.purge()
    clocks.pass_s(600)
    retention.purge()
    assert store.limits[0] == oldest_kept(30, NOW)
    assert store.limits[1:3] == [None, None]
    assert store.limits[3] == oldest_kept(30, NOW + datetime.timedelta(seconds=400 * DAY_S + DAY_S + 600))
    assert "jumped ahead by 400.0 days" in caplog.text


def test_a_clock_that_is_set_right_again_removes_nothing_of_the_meantime():
    store, clocks = Store(), Clocks()
    retention = Retention(store, 30, wall_clock=lambda: clocks.wall_s, clock=lambda: clocks.monotonic_s)
    clocks.pass_s(600, jump_s=400 * DAY_S)
    retention.purge()
    clocks.pass_s(600, jump_s=-400 * DAY_S)
    retention.purge()
    clocks.pass_s(2 * DAY_S)
    retention.purge()
    assert store.limits[:2] == [None, None]
    assert store.limits[2] <= oldest_kept(30, NOW + datetime.timedelta(days=3))


def test_a_night_asleep_is_no_jump():
    store, clocks = Store(), Clocks()
    retention = Retention(store, 30, wall_clock=lambda: clocks.wall_s, clock=lambda: clocks.monotonic_s)
    clocks.pass_s(600, jump_s=DAY_S / 2)
    retention.purge()
    assert store.limits[0] is not None


def test_only_who_leads_purges_and_another_one_takes_over(monkeypatch):
    monkeypatch.setattr("fer_web.history.retention.LOOK_S", 0.01)
    leads, asked = threading.Event(), threading.Semaphore(0)

    def does_lead():
        asked.release()
        return leads.is_set()

    store = Store()
    retention = Retention(store, 30, interval_s=3600, leads=does_lead)
    retention.open()
    assert all(asked.acquire(timeout=60) for _ in range(3))
    assert store.limits == []
    leads.set()
    store.wait(1)
    retention.stop()
    assert len(store.limits) == 1
