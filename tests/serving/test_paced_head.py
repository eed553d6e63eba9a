import io
from http.client import HTTPException

import pytest

from fer_web.serving.paced_head import HEAD_TIMEOUT_S, MAX_HEAD_BYTES, PacedHead


class FakeSocket(io.RawIOBase):
    """Gives a byte at a time, each a second after the last."""

    def __init__(self, data, size=1):
        self.data, self.size = io.BytesIO(data), size
        self.now_s, self.timeouts = 0.0, []

    def readable(self):
        return True

    def readinto(self, buffer):
        part = self.data.read(min(self.size, len(buffer)))
        buffer[: len(part)] = part
        self.now_s += 1
        return len(part)

    def gettimeout(self):
        return 30.0

    def settimeout(self, timeout_s):
        self.timeouts.append(timeout_s)


def head_of(data, size=1):
    raw = FakeSocket(data, size)
    head = PacedHead(io.BufferedReader(raw), raw, lambda: raw.now_s)
    head.begin()
    return head, raw


def test_head_that_comes_in_time_is_read_and_the_body_keeps_the_old_timeout():
    head, raw = head_of(b"GET /\r\n\r\nbody")
    assert [head.readline(), head.readline(1000)] == [b"GET /\r\n", b"\r\n"]
    head.end()
    assert raw.timeouts[-1] == 30.0
    assert head.read(4) == b"body"


def test_each_byte_in_time_does_not_make_a_slow_head_fast():
    head, raw = head_of(b"GET /" + b"a" * 100)
    with pytest.raises(TimeoutError, match="20 s"):
        head.readline()
    assert raw.now_s <= HEAD_TIMEOUT_S + 1
    assert min(raw.timeouts) >= 0


def test_waiting_for_the_next_request_is_no_part_of_its_head():
    head, raw = head_of(b"GET /\r\n")
    raw.now_s = 1000
    assert head.readline() == b"GET /\r\n"


def test_headers_are_bounded_together():
    line = b"a: " + b"b" * 30_000 + b"\r\n"
    head, _ = head_of(b"GET /\r\n" + line * 3, size=100_000)
    assert head.readline() == b"GET /\r\n"
    assert [head.readline(65_537) for _ in range(2)] == [line] * 2
    with pytest.raises(HTTPException, match=str(MAX_HEAD_BYTES)):
        head.readline(65_537)


def test_readline_stops_at_the_size_that_was_asked_for():
    head, _ = head_of(b"abcdef\n", size=10)
    assert [head.readline(4), head.readline(4)] == [b"abcd", b"ef\n"]


def test_closed_connection_gives_what_came():
    head, _ = head_of(b"GE")
    assert [head.readline(), head.readline()] == [b"GE", b""]
