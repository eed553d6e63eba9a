"""What a hostile client sends to a real server; tests and benchmarks/harden.py use the same."""

import contextlib
import itertools
import json
import socket
import struct
import threading
import time

import cv2
import numpy as np
import requests
import websocket

from fer_web.settings import Settings
from fer_web.vision.frames import encode_jpeg
from tests.support.faces import camera_frame_bgr

SOCKET_PATH = "/socket.io/?EIO=4&transport=websocket"
NESTED_BYTES = 570_000
PART_OPCODE = 0
"""Of a later part of a message; RFC 6455, section 5.2."""


def stranger(server, timeout_s=60):
    """A WebSocket that has said nothing yet: it is not let in."""
    connection = websocket.create_connection(f"ws://127.0.0.1:{server.port}{SOCKET_PATH}", timeout=timeout_s)
    assert connection.recv().startswith("0{")
    return connection


def visitor(server, timeout_s=60):
    """A WebSocket that was let in."""
    connection = stranger(server, timeout_s)
    connection.send("40")
    assert connection.recv().startswith("40{")
    return connection


def nested_text(size=NESTED_BYTES):
    """An event of lists in lists, whose parsing takes long; `size` bytes."""
    lists = ",".join(["[" * 20 + "]" * 20] * (size // 41 - 1))
    return f'42["frame",[{lists}]]'.ljust(size)


def header_without_picture(seq=1, filler=0):
    """A frame's header, whose binary part is still to come; filler: bytes of empty lists in it."""
    header = {"seq": seq, "captured_ms": 1, "more": [[]] * (filler // 3)}
    event = json.dumps(["frame", header, {"_placeholder": True, "num": 0}], separators=(",", ":"))
    return f"451-{seq}{event}"


def raw_part(opcode, data=b"", *, is_last=False):
    """Bytes of a part of a message, its mask zero, so that it costs nothing to make."""
    size = len(data)
    if size < 126:
        length = bytes([0x80 | size])
    else:
        length = b"\xfe" + struct.pack("!H", size) if size < 65536 else b"\xff" + struct.pack("!Q", size)
    return bytes([(0x80 if is_last else 0) | opcode]) + length + b"\0" * 4 + data


def send_until_cut(connection, data):
    """Send it all, or as much as the server takes; works on a socket and on a WebSocket."""
    with contextlib.suppress(OSError):
        getattr(connection, "sock", connection).sendall(data)


def texts_until_closed(connection, within_s=60):
    """All texts that come until the server closes, pings answered; fails where it takes longer."""
    end_s = time.monotonic() + within_s
    texts = []
    with contextlib.closing(connection.sock):
        while True:
            assert time.monotonic() < end_s, "the connection was left open"
            try:
                opcode, data = connection.recv_data()
            except websocket.WebSocketTimeoutException:
                raise AssertionError("the connection was left open") from None
            except (websocket.WebSocketException, OSError):
                return texts
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return texts
            texts.append(data.decode(errors="replace"))
            if texts[-1] == "2":
                with contextlib.suppress(OSError, websocket.WebSocketException):
                    connection.send("3")


def large_frame(size):
    """A JPEG of a face with a comment that makes it this long."""
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    parts, left = [], size - len(jpeg)
    while left > 4:
        length = min(left - 2, 65_000)
        parts.append(b"\xff\xfe" + struct.pack("!H", length) + b"\0" * (length - 2))
        left -= length + 2
    return jpeg[:2] + b"".join(parts) + jpeg[2:]


def http_connection(server, timeout_s=60):
    """A plain connection."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=timeout_s)


def is_open_after(connection, data):
    """Send these bytes; whether the server has not ended this connection (which does not block)."""
    try:
        connection.send(data)
        return connection.recv(1000) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def large_head(number, lines=90):
    """A head of many long lines, each of which is allowed by itself; its end does not come."""
    line = f"X-{number}: {'a' * 64_000}\r\n".encode()
    return b"GET / HTTP/1.1\r\nHost: localhost\r\n" + line * lines


def costly_frame():
    """A JPEG of the most pixels and scans that are allowed: its decoding takes many times the usual."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (102, 128, 3), np.uint8)
    frame = cv2.resize(noise, (1280, 1020), interpolation=cv2.INTER_NEAREST)
    assert frame.shape[0] * frame.shape[1] <= Settings.max_frame_pixels
    _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_QUALITY, 30])
    return data.tobytes()


class Flood:
    """What became of a flood so far: called, it counts the frames that were analysed."""

    def __init__(self, times_ms):
        self._times_ms = times_ms

    def __call__(self):
        return sum(map(len, self._times_ms))

    def analysed_ms(self):
        """The time that their analysis took, together."""
        return sum(map(sum, self._times_ms))


@contextlib.contextmanager
def flood_of_frames(clients, jpeg, in_flight=4):
    """Keep frames in flight on each of these RawClients; gives a Flood."""
    answers, must_end = [[] for _ in clients], threading.Event()

    def flood(number, client):
        with contextlib.suppress(OSError, websocket.WebSocketException):
            for seq in range(in_flight):
                client.send_frame(jpeg, seq)
            for seq in itertools.count(in_flight):
                # Most are dropped for a newer one, and answered so at once.
                answer = json.loads(client.next_answer().lstrip("0123456789"))[0]
                if "error" not in answer and answer["dropped"] is None:
                    answers[number].append(answer["timings_ms"]["total"])
                if must_end.is_set():
                    return
                client.send_frame(jpeg, seq)

    threads = [threading.Thread(target=flood, args=item) for item in enumerate(clients)]
    for thread in threads:
        thread.start()
    try:
        yield Flood(answers)
    finally:
        must_end.set()
        for thread in threads:
            thread.join(60)


def wait_for(is_so, within_s=60):
    """Whether it becomes so within this time."""
    end_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.02)
    return True


def json_of(server, path, cookie):
    """The answer of the HTTP API to this browser."""
    answer = requests.get(f"{server.url}{path}", headers={"Cookie": cookie, "Origin": server.url}, timeout=60)
    return answer.json()


def many_scans():
    """A JPEG of forty million pixels and 99 scans, in few bytes."""
    grey = np.full((5000, 8000), 128, np.uint8)
    data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * (99 - data.count(b"\xff\xda")) + data[-2:]
