import pytest
from socketio.packet import Packet

from fer_web.rate_limit import TokenBucket
from fer_web.realtime.transport import ConnectionBudget, LimitedWebSocket, StrictPacket


@pytest.mark.parametrize(
    "text", ["0", "1", '2["stop",{}]', '21["stop"]', '51-1["frame",{"seq":1},{"_placeholder":true,"num":0}]']
)
def test_strict_packet_takes_what_our_clients_send(text):
    strict, usual = StrictPacket(encoded_packet=text), Packet(encoded_packet=text)
    assert (strict.packet_type, strict.data, strict.id) == (usual.packet_type, usual.data, usual.id)
    assert strict.attachment_count == usual.attachment_count


@pytest.mark.parametrize(
    "text",
    [
        "2[]",
        "2{}",
        "2",
        "2[1]",
        '2[{"a":1}]',
        '2["connect"]',
        '2["disconnect"]',
        '2["*"]',
        '50-["frame"]',
        '52-["frame",{}]',
        '59999999999-["frame",{}]',
        '21-["stop"]',
        "2{{{",
        "2" + "[" * 10_000,
    ],
)
def test_strict_packet_refuses_the_rest(text):
    with pytest.raises((ValueError, RecursionError)):
        StrictPacket(encoded_packet=text)


class FakeWebSocket:
    def __init__(self, *packets):
        self.packets = list(packets)
        self.sent = []

    def wait(self):
        return self.packets.pop(0) if self.packets else None

    def send(self, message):
        self.sent.append(message)


def limited(websocket, rate_per_s=10):
    turns = []
    packets, data = TokenBucket(rate_per_s, lambda: 0.0), TokenBucket(1000, lambda: 0.0)
    return LimitedWebSocket(websocket, ConnectionBudget(packets, data), lambda: turns.append(1)), turns


def test_guarded_websocket_gives_others_a_turn_after_every_packet():
    websocket, turns = limited(FakeWebSocket("3", b"x"))
    assert [websocket.wait(), websocket.wait(), websocket.wait()] == ["3", b"x", None]
    assert len(turns) == 3


@pytest.mark.parametrize("packet", ["", "x", "²", "7", "9"])
def test_guarded_websocket_ends_a_connection_that_does_not_speak_engine_io(packet):
    websocket, _ = limited(FakeWebSocket(packet, "3"))
    assert websocket.wait() is None


def test_guarded_websocket_ends_a_flood_and_says_why():
    fake = FakeWebSocket(*["5"] * 30)
    websocket, _ = limited(fake, rate_per_s=10)
    answers = [websocket.wait() for _ in range(21)]
    assert answers == ["5"] * 20 + [None]
    assert '"too_many_messages"' in fake.sent[0]
    assert fake.sent[0].startswith('42["closing"')


def test_guarded_websocket_ends_few_packets_of_many_bytes():
    fake = FakeWebSocket(*[b"x" * 900] * 3)
    websocket, _ = limited(fake, rate_per_s=10)
    assert [websocket.wait() for _ in range(3)] == [b"x" * 900] * 2 + [None]
    assert '"too_many_messages"' in fake.sent[0]
