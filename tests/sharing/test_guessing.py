import pytest

from fer_web.errors import TooManyGuessesError
from fer_web.sharing import guessing
from fer_web.sharing.guessing import MAX_FAILURES, WINDOW_S, AddressGuessLimiter
from tests.support.clocks import Clock

PHONE = "192.168.1.7"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limiter(clock):
    return AddressGuessLimiter(clock)


def fail(limiter, address, times=MAX_FAILURES):
    for _ in range(times):
        limiter.check(address)
        limiter.failed(address)


def test_ten_failures_are_let_through_and_then_it_waits(limiter, clock):
    fail(limiter, PHONE)
    clock.advance(20)
    with pytest.raises(TooManyGuessesError, match="Wait 40 seconds") as error:
        limiter.check(PHONE)
    assert (error.value.http_status, error.value.retry_after_s) == (429, 40)


def test_after_the_window_it_may_try_again(limiter, clock):
    fail(limiter, PHONE)
    clock.advance(WINDOW_S)
    fail(limiter, PHONE)
    with pytest.raises(TooManyGuessesError):
        limiter.check(PHONE)


def test_the_window_slides(limiter, clock):
    fail(limiter, PHONE, 5)
    clock.advance(30)
    fail(limiter, PHONE, 5)
    with pytest.raises(TooManyGuessesError):
        limiter.check(PHONE)
    clock.advance(30)
    fail(limiter, PHONE, 5)
    with pytest.raises(TooManyGuessesError):
        limiter.check(PHONE)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (PHONE, "192.168.1.8", False),
        (PHONE, "::ffff:192.168.1.7", True),
        ("fd00:1:2:3::1", "fd00:1:2:3:ffff::2", True),
        ("fd00:1:2:3::1", "fd00:1:2:4::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        (None, "", True),
    ],
)
def test_which_addresses_count_as_one(limiter, one, other, is_same):
    fail(limiter, one)
    if is_same:
        with pytest.raises(TooManyGuessesError):
            limiter.check(other)
    else:
        limiter.check(other)


def test_only_so_many_addresses_are_remembered(limiter, monkeypatch):
    monkeypatch.setattr(guessing, "MAX_ADDRESSES", 3)
    fail(limiter, PHONE)
    for i in range(3):
        limiter.failed(f"10.0.0.{i}")
    limiter.check(PHONE)
    assert len(limiter._failures_s) == 3
