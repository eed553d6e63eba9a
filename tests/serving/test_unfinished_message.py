"""A connection whose message never ends is closed, in both serving modes; they wait at the same time."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

from tests.support.clients import BEGUN_MESSAGE, RawClient
from tests.support.servers import ServerProcess

GIVEN_UP_WITHIN_S = 120
"""Two pings, ten seconds each, and time for a busy machine."""


def seconds_until_given_up(mode: str) -> float:
    with ServerProcess("--async-mode", mode) as server, RawClient(server) as raw:
        raw.socket.sock.sendall(BEGUN_MESSAGE)
        raw.socket.sock.settimeout(GIVEN_UP_WITHIN_S)
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while raw.socket.sock.recv(4096):
                pass
        return time.monotonic() - started


def test_message_never_finished_is_given_up():
    with ThreadPoolExecutor() as pool:
        waited = list(pool.map(seconds_until_given_up, ["eventlet", "threading"]))
    assert min(waited) > 10, "whoever sends slowly has the time of a ping at least"
    assert max(waited) < GIVEN_UP_WITHIN_S
