import pytest

from fer_web.sharing import handshakes
from fer_web.sharing.handshakes import BURST, MAX_GROUPS, TOTAL_BURST, HandshakeLimit


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limit(clock):
    return HandshakeLimit(clock)


def taken(limit, address, tries):
    return sum(limit.take(address) for _ in range(tries))


def test_one_address_begins_a_burst_then_five_a_second(limit, clock):
    assert taken(limit, "192.168.7.9", 200) == BURST
    clock.now_s += 2
    assert taken(limit, "192.168.7.9", 200) == 10
    clock.now_s += 3600
    assert taken(limit, "192.168.7.9", 200) == BURST


def test_another_address_is_not_held_up(limit):
    taken(limit, "192.168.7.9", 200)
    assert limit.take("192.168.7.10")


def test_a_network_of_ipv6_is_one_address(limit):
    assert sum(limit.take(f"fd77::{number:x}") for number in range(1, 200)) == BURST
    assert limit.take("fd78::1")


@pytest.mark.parametrize("nothing", [None, "", "unknown"])
def test_what_is_no_address_is_bounded_together(limit, nothing):
    assert taken(limit, nothing, 200) == BURST


def test_all_addresses_together_are_bounded(limit, clock):
    assert sum(limit.take(f"10.0.{number // 250}.{number % 250}") for number in range(2000)) == TOTAL_BURST
    clock.now_s += 1
    assert limit.take("192.168.7.9")


def test_memory_is_bounded(limit, monkeypatch):
    monkeypatch.setattr(handshakes, "MAX_GROUPS", 10)
    for number in range(50):
        limit.take(f"10.0.0.{number}")
    assert len(limit._buckets) == 10 < MAX_GROUPS
