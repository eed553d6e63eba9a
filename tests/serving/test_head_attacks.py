"""Heads of requests that never end or are too large, on a real server in both modes."""

import contextlib
import time

import pytest
import requests

from tests.support import attacks
from tests.support.servers import ServerProcess

SLOW_CONNECTIONS = 20
MAX_GROWTH_MB = 60


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    with ServerProcess("--async-mode", request.param) as running:
        requests.get(running.url, timeout=60)
        yield running
    log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]


def test_a_head_that_never_ends_holds_no_place(server):
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(contextlib.closing(attacks.http_connection(server)))
            for _ in range(SLOW_CONNECTIONS)
        ]
        left = list(slow)
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            connection.setblocking(False)
        # A byte each second: the server's patience with the next one begins anew with each.
        for _ in range(90):
            left = [connection for connection in left if attacks.is_open_after(connection, b"a")]
            if not left:
                break
            time.sleep(1)
        assert not left
    assert requests.get(server.url, timeout=60).status_code == 200


def test_headers_fill_no_memory(server):
    before_mb = server.memory_mb
    with contextlib.ExitStack() as stack:
        for number in range(40):
            connection = stack.enter_context(contextlib.closing(attacks.http_connection(server)))
            attacks.send_until_cut(connection, attacks.large_head(number))
        assert requests.get(server.url, timeout=60).status_code == 200
        assert server.memory_mb - before_mb < MAX_GROWTH_MB


def test_headers_that_are_too_large_are_refused_and_fair_ones_are_not(server):
    with contextlib.closing(attacks.http_connection(server)) as connection:
        attacks.send_until_cut(connection, attacks.large_head(0, lines=3))
        assert connection.recv(100).split()[1] in (b"400", b"431")
    assert requests.get(server.url, headers={"X-Long": "a" * 8_000}, timeout=60).status_code == 200


def test_connection_is_kept_for_the_next_request(server):
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"{server.url}/healthz", timeout=60).status_code == 200
