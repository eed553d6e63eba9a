from types import SimpleNamespace

import pytest

from fer_web.realtime.reading_pace import RETRY_S, ReadingPace

PACKETS_PER_S, BYTES_PER_S = 10, 1000


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def pace(now):
    return ReadingPace(PACKETS_PER_S, BYTES_PER_S, lambda: now[0])


def connection_of(pace, person=None):
    connection = SimpleNamespace(closed=False)
    if person is not None:
        pace.join(connection, person)
    return connection


def sent_within(pace, now, connections, seconds, size):
    """How much is read of connections that always have something to read."""
    total, end_s = 0, now[0] + seconds
    while now[0] < end_s:
        for each in connections:
            if pace.wait_s(each) == 0:
                pace.spend(each, size)
                total += size
        now[0] += 0.01
    return total


@pytest.mark.parametrize("size", [10, 300])
def test_thirty_connections_of_a_visitor_are_read_as_one(pace, now, size):
    one = sent_within(pace, now, [connection_of(pace, "ann")], 60, size)
    now[0] += 60
    thirty = sent_within(pace, now, [connection_of(pace, "bob") for _ in range(30)], 60, size)
    assert thirty <= 1.2 * one


def test_others_are_read_while_a_visitor_owes(pace):
    greedy, other, host = connection_of(pace, "ann"), connection_of(pace, "bob"), connection_of(pace)
    pace.spend(greedy, 5 * BYTES_PER_S)
    assert pace.wait_s(greedy) == pytest.approx(3)
    assert [pace.wait_s(other), pace.wait_s(host)] == [0, 0]


def test_who_was_refused_is_read_again_after_the_wait(pace, now):
    refused, served = connection_of(pace, "ann"), connection_of(pace, "ann")
    pace.refuse(refused)
    assert [pace.wait_s(refused), pace.wait_s(served)] == [RETRY_S, 0], "streams that have a place go on"
    now[0] += RETRY_S
    assert pace.wait_s(refused) == 0


def test_who_was_refused_gains_nothing_by_connecting_again(pace, now):
    pace.refuse(connection_of(pace, "ann"))
    now[0] += RETRY_S / 2
    assert pace.wait_s(connection_of(pace, "ann")) == RETRY_S / 2
    assert pace.wait_s(connection_of(pace, "bob")) == 0


def test_what_a_visitor_owes_stays_when_it_connects_again(pace):
    pace.spend(connection_of(pace, "ann"), 5 * BYTES_PER_S)
    assert pace.wait_s(connection_of(pace, "ann")) == pytest.approx(3)


def test_wait_returns_when_more_may_be_read_or_the_connection_ended(pace, now):
    connection, slept = connection_of(pace), []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    pace.refuse(connection)
    pace.wait(connection, sleep)
    assert sum(slept) == pytest.approx(RETRY_S)
    pace.refuse(connection)
    connection.closed = True
    pace.wait(connection, lambda _: pytest.fail("nobody waits for it"))


def test_nothing_is_kept_of_visitors_who_went(pace, now):
    for number in range(1000):
        pace.spend(connection_of(pace, str(number)), 1)
        now[0] += 1
    assert len(pace._shares) < 100
