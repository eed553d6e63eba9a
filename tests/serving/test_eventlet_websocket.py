import inspect
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_web.serving.eventlet_websocket import harden, unmask
from fer_web.serving.message_bounds import MessageBounds

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from eventlet import websocket

MASK = st.tuples(*[st.integers(0, 255)] * 4)


def by_the_standard(data, mask, offset):
    """RFC 6455, section 5.3, to the letter."""
    return bytes(octet ^ mask[(offset + i) % 4] for i, octet in enumerate(data))


@given(st.binary(max_size=300), MASK, st.integers(0, 2**40))
def test_unmask_equals_the_standard_for_any_data_mask_and_offset(data, mask, offset):
    assert unmask(data, mask, len(data), offset) == by_the_standard(data, mask, offset)


@given(st.binary(min_size=1, max_size=64), MASK, st.lists(st.integers(1, 9), max_size=8))
def test_unmask_in_pieces_equals_unmask_at_once(data, mask, sizes):
    pieces, position = [], 0
    for size in [*sizes, len(data)]:
        piece = data[position : position + size]
        pieces.append(unmask(piece, mask, len(piece), position))
        position += len(piece)
    assert b"".join(pieces) == unmask(data, mask)


@given(st.binary(max_size=50), MASK, st.integers(0, 3))
def test_unmask_agrees_with_the_function_it_replaces(data, mask, offset):
    original = vars(websocket.RFC6455WebSocket).get("_apply_mask")
    if original.__func__ is not unmask:
        assert unmask(data, mask, len(data), offset) == original.__func__(data, mask, len(data), offset)


def test_unmask_length_takes_a_part():
    assert unmask(b"abcdef", (1, 2, 3, 4), 2) == by_the_standard(b"ab", (1, 2, 3, 4), 0)


def test_unmask_returns_bytes():
    assert type(unmask(b"abc", (0, 0, 0, 0))) is bytes


@pytest.fixture
def hardened():
    names = ("_apply_mask", "Message", "close", "_recv_frame")
    saved = {name: inspect.getattr_static(websocket.RFC6455WebSocket, name) for name in names}
    negotiate = websocket.WebSocketWSGI._negotiate_permessage_deflate
    harden(websocket, MessageBounds(1000, text_bytes=100), lambda: None)
    yield websocket
    for name, value in saved.items():
        setattr(websocket.RFC6455WebSocket, name, value)
    websocket.WebSocketWSGI._negotiate_permessage_deflate = negotiate


def test_harden_caps_the_sum_of_fragments(hardened):
    message = hardened.RFC6455WebSocket.Message(2, 1000)
    message.push(b"x" * 600)
    with pytest.raises(hardened.FailedConnectionError) as error:
        message.push(b"x" * 600)
    assert error.value.status == 1009
    assert "1000" in error.value.message


def test_harden_twice_caps_once_at_the_new_limit(hardened):
    harden(hardened, MessageBounds(10), lambda: None)
    message = hardened.RFC6455WebSocket.Message(2, 1000)
    with pytest.raises(hardened.FailedConnectionError, match="10 bytes"):
        message.push(b"x" * 11)


def test_harden_lets_a_message_of_the_limit_through(hardened):
    message = hardened.RFC6455WebSocket.Message(2, 1000)
    message.push(b"x" * 400)
    message.push(b"y" * 600, final=True)
    assert message.getvalue() == b"x" * 400 + b"y" * 600


def test_harden_caps_texts_at_a_bound_of_their_own(hardened):
    message = hardened.RFC6455WebSocket.Message(1, 1000)
    message.push(b"x" * 100)
    with pytest.raises(hardened.FailedConnectionError, match="A text of more than 100 bytes") as error:
        message.push(b"x")
    assert error.value.status == 1009


def test_harden_offers_no_compression(hardened):
    handler = hardened.WebSocketWSGI(lambda _ws: None)
    assert handler._negotiate_permessage_deflate({"permessage-deflate": [{}]}) is None
