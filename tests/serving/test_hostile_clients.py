"""Attacks on a real server, in both modes: each ends the attacker's connection and nothing else."""

import contextlib
import re
import socket
import struct
import sys
import threading
import time

import pytest
import requests

from fer_web.vision.frames import encode_jpeg
from tests.support.clients import RawClient
from tests.support.faces import camera_frame_bgr
from tests.support.servers import ServerProcess

SERVED_WITHIN_S = 5
MAX_GROWTH_MB = 60
JPEG = encode_jpeg(camera_frame_bgr(), 80)


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def server(mode):
    with ServerProcess("--async-mode", mode) as running:
        yield running
        log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]
    assert not re.search(r"sid=|GET /|POST /", log), log[-3000:]
    assert len(log) < 100_000


@pytest.fixture
def others(server):
    """Somebody else is served at once, and memory is where it was, when the attack is over."""
    before_mb = server.memory_mb
    yield
    assert_served_at_once(server)
    assert server.memory_mb - before_mb < MAX_GROWTH_MB


def assert_served_at_once(server):
    started = time.monotonic()
    with RawClient(server) as good:
        good.send_frame(JPEG)
        assert '"happy"' in good.next_answer()
    assert time.monotonic() - started < SERVED_WITHIN_S


def masked(text):
    """A WebSocket text message whose mask is zero, so that it costs nothing to make."""
    data = text.encode()
    return b"\x81" + bytes([0x80 | len(data)]) + b"\0" * 4 + data


def polling_post(length):
    """The head of a request whose body is said to have this length."""
    head = "POST /socket.io/?EIO=4&transport=polling&sid=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    return f"{head}{length}\r\n\r\n".encode()


def send_all(raw, data):
    with contextlib.suppress(OSError):
        raw.socket.sock.sendall(data)


@pytest.mark.parametrize("text", ["5", "3", "40/foo,", "40", '421["stop"]', '42["stop"]', '421["x"]'])
def test_unpaced_flood_of_small_messages_ends_that_connection_alone(server, others, text):
    with RawClient(server) as raw:
        attack = threading.Thread(target=send_all, args=(raw, masked(text) * 50_000))
        attack.start()
        assert_served_at_once(server)
        raw.until_closed()
        attack.join(60)
        assert not attack.is_alive()


@pytest.mark.parametrize(
    "text",
    [
        "42[]",
        "42{}",
        "42",
        "4",
        "4x",
        "44",
        "49",
        "x",
        "42{{{",
        "42" + "[" * 100,
        "42[1]",
        '42["connect"]',
        '42["disconnect"]',
        '42["*"]',
        '459-["frame",{}]',
        '459999999999-1["frame",{}]',
        '450-["frame"]',
        '42["' + "9" * 110 + "]",
    ],
)
def test_packet_that_no_client_of_ours_sends_ends_its_connection(server, others, text):
    with RawClient(server) as raw:
        raw.socket.send(text)
        raw.until_closed()


@pytest.mark.parametrize("number", ["5", '"a"', "-7", "null"])
def test_frame_whose_binary_part_is_misnamed_ends_its_connection(server, others, number):
    with RawClient(server) as raw:
        raw.socket.send(f'451-1["frame",{{"seq":1,"captured_ms":1}},{{"_placeholder":true,"num":{number}}}]')
        raw.socket.send_binary(JPEG)
        raw.until_closed()


def test_binary_without_a_header_ends_its_connection(server, others):
    with RawClient(server) as raw:
        raw.socket.send_binary(JPEG)
        raw.until_closed()


def test_two_binary_parts_end_the_connection(server, others):
    with RawClient(server) as raw:
        raw.socket.send('452-1["frame",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
        raw.until_closed()


@pytest.mark.parametrize("length", ["-1", "99999999", "1e3", "x"])
def test_polling_body_of_wrong_length_is_refused(server, others, length):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(polling_post(length))
        assert connection.recv(1000).split()[1] in (b"400", b"413")


@pytest.mark.parametrize("body", ["2", "6", "4x", "42[]", "\x1e".join(["3"] * 17), "²"])
def test_polling_packet_that_is_wrong_is_answered_and_holds_nothing(server, others, body):
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    sid = re.search('"sid":"([^"]+)"', requests.get(url, timeout=60).text)[1]
    answer = requests.post(f"{url}&sid={sid}", data=body.encode(), timeout=60)
    assert answer.status_code in (200, 400)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Traceback" not in answer.text


def test_drafts_of_websocket_are_refused(server, others):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://localhost\r\n"
            b"Sec-WebSocket-Key1: 1 2\r\nSec-WebSocket-Key2: 1 2\r\n\r\n12345678"
        )
        assert b" 101 " not in connection.recv(1000).split(b"\r\n")[0]


def test_two_size_limits_cannot_be_slipped_past(server, others):
    small = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 48, 64) + b"\x03" * 10
    comment = b"\xff\xfe" + struct.pack(">H", len(small) + 6) + b"\0" * 4 + small
    start = JPEG.index(b"\xff\xc0")
    huge = JPEG[: start + 5] + struct.pack(">HH", 14000, 14000) + JPEG[start + 9 :]
    scans = JPEG[:-2] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 25_000 + JPEG[-2:]
    with RawClient(server) as raw:
        for seq, jpeg in enumerate([huge[:2] + b"\xff\x00" + comment + huge[2:], scans]):
            raw.send_frame(jpeg, seq)
            assert '"bad_frame"' in raw.next_answer()


def test_clients_that_come_and_go_leave_nothing_behind(server, others):
    for _ in range(40):
        with RawClient(server) as raw:
            raw.send_frame(JPEG)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets another process's limit of open files")
def test_more_connections_than_files_end_nothing(mode):
    with ServerProcess("--async-mode", mode, open_files=128) as server:
        with contextlib.ExitStack() as crowd, contextlib.suppress(OSError):
            for _ in range(300):
                crowd.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=2))
        assert_served_at_once(server)


@pytest.mark.parametrize("moment_s", [0.0, 0.05, 0.1, 0.17])
def test_stop_signal_ends_a_server_that_is_at_work(mode, moment_s):
    with ServerProcess("--async-mode", mode) as server, RawClient(server) as raw:
        attack = threading.Thread(target=send_all, args=(raw, masked("3") * 200_000))
        attack.start()
        time.sleep(moment_s)
        assert server.stop() == 0
        attack.join(30)
    assert server.output[-1] == "Stopped.\n"


def test_stop_signal_is_not_held_up_by_clients(mode):
    with ServerProcess("--async-mode", mode) as server, RawClient(server) as raw:
        raw.send_frame(JPEG)
        raw.socket.recv()
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as half:
            half.sendall(polling_post("500") + b"half")
            assert server.stop() == 0


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Cookie": "fer_owner_12345678=forged"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
    ids=[
        "another site",
        "no site",
        "another port",
        "a site not named",
        "a cookie without an origin",
        "another name",
    ],
)
def test_another_sites_page_gets_no_socket(server, headers, transport):
    own = {"Origin": f"http://127.0.0.1:{server.port}"}
    assert socket_status(server, transport, own) == (b"101" if transport == "websocket" else b"200")
    refused = b"400" if "Host" in headers else b"403"
    assert socket_status(server, transport, headers) == refused


def socket_status(server, transport, headers):
    lines = {"Host": f"127.0.0.1:{server.port}", "Connection": "close", **headers}
    if transport == "websocket":
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
        lines |= {"Connection": "Upgrade", "Upgrade": "websocket", **key}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        address = f"/socket.io/?EIO=4&transport={transport}"
        connection.sendall(f"GET {address} HTTP/1.1\r\n{head}\r\n".encode())
        return connection.recv(100).split(b" ")[1]
