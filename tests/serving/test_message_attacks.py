"""Messages that are too long, never whole, too many or too early, in both modes: each ends its connection."""

import json
import re
import time

import pytest
import requests
import websocket

from fer_web.realtime.protocol import MAX_IN_FLIGHT
from fer_web.realtime.transport import MAX_CONNECTS
from fer_web.realtime.unfinished import ATTACHMENT_TIMEOUT_S
from fer_web.serving.message_bounds import MAX_TEXT_BYTES
from fer_web.settings import Settings
from tests.support import attacks
from tests.support.clients import RawClient
from tests.support.servers import ServerProcess

POLLING = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    with ServerProcess("--async-mode", request.param) as running:
        yield running
    log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]


def assert_still_served(server):
    with RawClient(server) as good:
        good.send_frame(attacks.large_frame(100_000))
        assert '"happy"' in good.next_answer()


def polling_sid(server):
    return re.search('"sid":"([^"]+)"', requests.get(f"{server.url}{POLLING}", timeout=60).text)[1]


def is_known(server, sid):
    # A packet that does nothing: a pong.
    return requests.post(f"{server.url}{POLLING}&sid={sid}", data="3", timeout=60).status_code == 200


@pytest.mark.parametrize("enter", [attacks.stranger, attacks.visitor], ids=["stranger", "visitor"])
@pytest.mark.parametrize("size", [MAX_TEXT_BYTES + 1, attacks.NESTED_BYTES])
def test_a_long_text_is_not_taken_in(server, enter, size):
    connection = enter(server)
    attacks.send_until_cut(connection, attacks.raw_part(1, attacks.nested_text(size).encode(), is_last=True))
    assert not [text for text in attacks.texts_until_closed(connection) if text.startswith("43")]
    assert_still_served(server)


def test_a_text_of_many_parts_is_not_longer(server):
    connection = attacks.visitor(server)
    half = attacks.nested_text()[: MAX_TEXT_BYTES * 2 // 3].encode()
    attacks.send_until_cut(connection, attacks.raw_part(1, half))
    attacks.send_until_cut(connection, attacks.raw_part(attacks.PART_OPCODE, half))
    attacks.texts_until_closed(connection)


def test_a_text_of_the_allowed_length_is_answered(server):
    connection = attacks.visitor(server)
    connection.send('421["nothing"' + " " * (MAX_TEXT_BYTES - 14) + "]")
    assert "There is no event" in connection.recv()
    connection.shutdown()


@pytest.mark.parametrize("size", [MAX_TEXT_BYTES + 1, attacks.NESTED_BYTES])
def test_a_long_text_is_not_taken_in_by_polling(server, size):
    sid = polling_sid(server)
    body = f"3\x1e{attacks.nested_text(size)}"
    answer = requests.post(f"{server.url}{POLLING}&sid={sid}", data=body, timeout=60)
    assert answer.status_code == 413
    assert str(MAX_TEXT_BYTES) in answer.text
    assert not is_known(server, sid)


def test_a_picture_may_be_long_by_polling(server):
    sid = polling_sid(server)
    url = f"{server.url}{POLLING}&sid={sid}"
    assert requests.post(url, data="40", timeout=60).status_code == 200
    picture = "b" + "/9j/" * (Settings.max_frame_bytes // 3)
    body = f"{attacks.header_without_picture()}\x1e{picture}"
    assert requests.post(url, data=body, timeout=60).status_code == 200
    assert is_known(server, sid)


@pytest.mark.parametrize(
    "text", ['42["stop"]', '421["record",{"on":true}]', attacks.header_without_picture(), "41", "43[]", "4x"]
)
def test_a_stranger_may_say_nothing_but_connect(server, text):
    connection = attacks.stranger(server)
    connection.send(text)
    assert attacks.texts_until_closed(connection) in ([], ["1"])  # Engine.IO's word for the end


def test_a_stranger_asks_a_few_times_to_be_let_in(server):
    connection = attacks.stranger(server)
    for _ in range(MAX_CONNECTS + 1):
        connection.send("40/nowhere,")
    refusals = attacks.texts_until_closed(connection)
    assert sum(text.startswith("44/nowhere") for text in refusals) == MAX_CONNECTS


def test_a_picture_that_does_not_come_is_waited_for_a_moment(server):
    connection = attacks.visitor(server)
    started = time.monotonic()
    connection.send(attacks.header_without_picture(filler=3000))
    texts = attacks.texts_until_closed(connection)
    assert any('"too_slow"' in text for text in texts)
    assert time.monotonic() - started >= ATTACHMENT_TIMEOUT_S


def test_pictures_that_come_are_all_answered(server):
    with RawClient(server) as raw:
        jpeg = attacks.large_frame(Settings.max_frame_bytes)
        for seq in range(MAX_IN_FLIGHT):
            raw.send_frame(jpeg, seq)
        answers = [json.loads(raw.next_answer().split("[", 1)[1][:-1]) for _ in range(MAX_IN_FLIGHT)]
    assert {each["seq"] for each in answers} == set(range(MAX_IN_FLIGHT))
    assert all("error" not in each for each in answers)


@pytest.mark.parametrize(
    "part",
    [
        attacks.raw_part(9, is_last=True),
        attacks.raw_part(10, b"x", is_last=True),
        attacks.raw_part(attacks.PART_OPCODE),
    ],
    ids=["pings", "pongs", "empty parts"],
)
def test_parts_that_are_no_messages_are_counted(server, part):
    connection = attacks.visitor(server)
    begin = attacks.raw_part(2) if part == attacks.raw_part(attacks.PART_OPCODE) else b""
    attacks.send_until_cut(connection, begin + part * 20_000)
    attacks.texts_until_closed(connection)
    assert_still_served(server)


def test_compression_is_not_offered(server):
    url = f"ws://127.0.0.1:{server.port}{attacks.SOCKET_PATH}"
    offer = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
    connection = websocket.create_connection(url, timeout=60, header=offer)
    assert "sec-websocket-extensions" not in connection.getheaders()
    connection.shutdown()
