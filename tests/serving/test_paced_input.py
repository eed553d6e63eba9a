"""A client that sends a byte now and then is sent away, in both modes, whatever it sends to."""

import contextlib
import io
import json
import re
import socket
import time

import pytest
import requests

from fer_web.errors import SlowUploadError
from fer_web.serving.paced_input import GRACE_S, MIN_BYTES_PER_S, PacedInput
from tests.support.servers import ServerProcess


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


class Drip(io.RawIOBase):
    """A byte every 29 seconds."""

    def __init__(self, clock):
        self._clock = clock

    def readable(self):
        return True

    def readinto(self, buffer):
        self._clock.now_s += 29
        buffer[:1] = b"x"
        return 1


@pytest.mark.parametrize("size", [0, 1, 7, 65_536, 200_000, -1])
def test_reads_what_the_file_reads(size):
    data = bytes(range(256)) * 500
    paced, plain = (wrap(io.BufferedReader(io.BytesIO(data))) for wrap in (PacedInput, lambda file: file))
    for _ in range(4):
        assert paced.read(size) == plain.read(size)
    assert paced.readline(10) == plain.readline(10)


def test_a_client_that_drips_is_not_waited_for():
    clock = Clock()
    body = PacedInput(io.BufferedReader(Drip(clock)), clock)
    with pytest.raises(SlowUploadError, match="20000 a second are needed"):
        body.read(65_536)
    assert clock.now_s < GRACE_S + 30


def test_a_steady_client_is_read_to_the_end():
    clock = Clock()
    body = PacedInput(io.BufferedReader(io.BytesIO(bytes(400 * MIN_BYTES_PER_S))), clock)
    for second in range(1, 200):
        clock.now_s = second
        assert len(body.read(2 * MIN_BYTES_PER_S)) == 2 * MIN_BYTES_PER_S


class HastyServer(ServerProcess):
    """As app.py, but for the time that slow clients have."""

    PROGRAM = (
        "-c",
        "import runpy, fer_web.serving.paced_input as pace; pace.GRACE_S = 1.0; "
        "runpy.run_path('app.py', run_name='__main__')",
    )


def is_whole(answer):
    head, gap, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(gap) and (len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n"))


def slow_answer(server, path, head):
    """What the server says to who sends a byte every tenth of a second."""
    request = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 90000\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(request.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + head)
        client.settimeout(0.1)
        answer, end_s = b"", time.monotonic() + 60
        while not is_whole(answer):
            assert time.monotonic() < end_s, answer
            with contextlib.suppress(TimeoutError):
                part = client.recv(10_000)
                if not part:
                    break
                answer += part
                continue
            with contextlib.suppress(ConnectionError):
                client.sendall(b"x")
    return answer.decode()


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_every_body_has_to_come_in_time(mode):
    with HastyServer("--async-mode", mode) as server:
        polling = "/socket.io/?EIO=4&transport=polling"
        sid = json.loads(requests.get(f"{server.url}{polling}", timeout=60).text[1:])["sid"]
        answer = slow_answer(server, f"{polling}&sid={sid}", b"")
        assert answer.startswith("HTTP/1.1 408 "), answer
        for path, head in (("/api/v1/videos", b"RIFF\0\0\0\0AVI LIST"), ("/api/v1/predict", b"\x89PNG")):
            answer = slow_answer(server, path, head)
            assert answer.startswith("HTTP/1.1 408 "), (path, answer)
            assert '"code":"too_slow"' in answer.replace(" ", ""), path
        assert list((server.data_dir / "uploads").glob("run-*/*/")) == []
    assert "Traceback" not in "".join(server.output)
