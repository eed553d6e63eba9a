import json
import math

import pytest

from fer_web.errors import FrameError, ProtocolError
from fer_web.inference.heatmaps import FaceHeatmap
from fer_web.inference.results import FaceResult, FrameResult
from fer_web.inference.stream_settings import StreamSettings
from fer_web.labels import EMOTIONS
from fer_web.realtime.protocol import (
    MAX_SEQ,
    dropped_to_wire,
    error_to_wire,
    parse_correct,
    parse_frame,
    parse_learn,
    parse_take,
    result_to_wire,
    seq_of,
    view_to_wire,
)

ZERO = dict.fromkeys(EMOTIONS, 0)
GOOD = {"seq": 3, "captured_ms": 12.5}


def test_parse_frame_good():
    message = parse_frame((GOOD, b"jpeg"))
    assert (message.seq, message.captured_ms, message.jpeg) == (3, 12.5, b"jpeg")


@pytest.mark.parametrize(
    ("header", "heatmap"), [({}, False), ({"heatmap": True}, True), ({"heatmap": False}, False)]
)
def test_parse_frame_says_whether_heat_maps_are_wanted(header, heatmap):
    assert parse_frame(({**GOOD, **header}, b"jpeg")).heatmap is heatmap


def test_parse_frame_takes_the_settings_of_the_stream():
    settings = {"smoothing_s": 0, "unsure_below": 0.5, "max_faces": 3}
    assert parse_frame(({**GOOD, "settings": settings}, b"")).settings == StreamSettings(**settings)
    assert parse_frame(({**GOOD, "settings": {}}, b"")).settings.chosen() == {}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "0 arguments"),
        ((GOOD,), "1 arguments"),
        ((GOOD, b"", b""), "3 arguments"),
        (("x", b""), "str"),
        (({"seq": 1}, b""), "seq"),
        (({**GOOD, "more": 1}, b""), "more"),
        (({**GOOD, "heatmap": 1}, b""), "heatmap must be true or false; 1 came"),
        (({"seq": 1, "heatmap": True}, b""), "captured_ms"),
        (({**GOOD, "settings": None}, b""), "settings must be an object; NoneType came"),
        (({**GOOD, "settings": {"blur": 1}}, b""), "smoothing_s, unsure_below, max_faces; 'blur' came"),
        (({**GOOD, "settings": {"smoothing_s": -1}}, b""), "smoothing_s must be a number from 0 to 10; -1"),
        (({**GOOD, "settings": {"smoothing_s": math.nan}}, b""), "smoothing_s must be"),
        (({**GOOD, "settings": {"unsure_below": 1.5}}, b""), "unsure_below must be a number from 0 to 1"),
        (({**GOOD, "settings": {"unsure_below": True}}, b""), "unsure_below"),
        (({**GOOD, "settings": {"max_faces": 0}}, b""), "max_faces must be an integer from 1 to 64; 0"),
        (({**GOOD, "settings": {"max_faces": 1.5}}, b""), "max_faces"),
        ((GOOD, "text"), "str"),
        ((GOOD, None), "NoneType"),
        (({**GOOD, "seq": "1"}, b""), "seq"),
        (({**GOOD, "seq": True}, b""), "seq"),
        (({**GOOD, "seq": -1}, b""), "seq"),
        (({**GOOD, "seq": 1.5}, b""), "seq"),
        (({**GOOD, "seq": MAX_SEQ + 1}, b""), "seq"),
        (({**GOOD, "captured_ms": None}, b""), "captured_ms"),
        (({**GOOD, "captured_ms": math.inf}, b""), "captured_ms"),
        (({**GOOD, "captured_ms": math.nan}, b""), "captured_ms"),
        (({**GOOD, "captured_ms": 10**400}, b""), "captured_ms"),
    ],
)
def test_parse_frame_bad_says_what_came(arguments, word):
    with pytest.raises(ProtocolError, match=word):
        parse_frame(arguments)


def test_parse_frame_error_text_is_short_whatever_came():
    with pytest.raises(ProtocolError) as error:
        parse_frame(({"seq": "9" * 100_000, "captured_ms": 0}, b""))
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("arguments", "seq"), [((), None), ((GOOD,), 3), (("x",), None), (({"seq": "1"},), None)]
)
def test_seq_of_malformed_message(arguments, seq):
    assert seq_of(arguments) == seq


def test_result_to_wire_has_the_agreed_shape():
    face = FaceResult(
        7, (0.1, 0.2, 0.3, 0.4), (0.1,) * 6 + (0.4,), (0.2,) * 6 + (0.0,), "neutral", 0.4, False
    )
    wire = result_to_wire(5, FrameResult((face,), {"decode": 1.234}), 0.5)
    assert wire == {
        "seq": 5,
        "faces": [
            {
                "id": 7,
                "box": [0.1, 0.2, 0.3, 0.4],
                "scores": dict(zip(EMOTIONS, [0.1] * 6 + [0.4], strict=True)),
                "label": "neutral",
                "confidence": 0.4,
                "sure": False,
                "rival": "angry",
                "reason": None,
            }
        ],
        "timings_ms": {"wait": 0.5, "decode": 1.23},
        "dropped": None,
    }
    json.dumps(wire)


def test_a_heat_map_goes_to_who_asked_for_it_and_not_to_watchers():
    heatmap = FaceHeatmap(1, ((0, 0), (1, 0), (1, 1), (0, 1)), ((9,),) * 7, "cam")
    face = FaceResult(7, (0.1, 0.2, 0.3, 0.4), (0.1,) * 7, (0.1,) * 7, "sad", 0.4, False, heatmap)
    found = FrameResult((face,), {})
    assert result_to_wire(5, found, 0.5)["faces"][0]["heatmap"] == heatmap.to_wire()
    assert "heatmap" not in view_to_wire(1.0, found, (480, 640))["faces"][0]


def test_corrected_face_says_so_to_its_page_and_to_watchers():
    faces = tuple(
        FaceResult(each, (0, 0, 1, 1), (0.1,) * 7, (0.1,) * 7, "sad", 0.4, False) for each in (1, 2)
    )
    found = FrameResult(faces, {}, corrected=(2, 9))
    for wire in (result_to_wire(5, found, 0.5), view_to_wire(1.0, found, (480, 640))):
        assert ["corrected" in face for face in wire["faces"]] == [False, True]
        assert wire["faces"][1]["corrected"] is True


@pytest.mark.parametrize(
    ("parse", "message", "words"),
    [
        (parse_take, {"face": 1, "expression": "joy"}, "angry, disgust"),
        (parse_take, {"face": 1, "expression": ["sad"]}, "are allowed"),
        (parse_take, {"face": "1", "expression": "sad"}, "as face came '1'"),
        (parse_take, {"face": True}, "as face came True"),
        (parse_take, {"face": 1, "seconds": 3}, "'seconds' is unknown"),
        (parse_learn, {"face": 1}, '"resting" or "check"'),
        (parse_learn, {"face": -1, "by": "check"}, "as face came -1"),
        (parse_correct, {"face": 1, "offsets": [0] * 7}, "as offsets came list"),
        (parse_correct, {"face": 1, "offsets": {"sad": 1}}, "offsets must name angry"),
        (parse_correct, {"face": 1, "offsets": {**ZERO, "sad": "1"}}, "finite number of logits; '1'"),
        (parse_correct, {"face": 1, "offsets": {**ZERO, "sad": math.nan}}, "finite number"),
        (parse_correct, {"face": 1, "offsets": {**ZERO, "sad": 2.1}}, "from -2 to 2"),
        (parse_correct, {"face": 1, "offsets": {**ZERO, "sad": True}}, "finite number"),
    ],
)
def test_malformed_messages_about_corrections_say_what_is_allowed(parse, message, words):
    with pytest.raises(ProtocolError) as caught:
        parse((message,))
    assert words in str(caught.value)


def test_corrections_are_read_in_the_order_of_the_expressions():
    offsets = {name: number / 10 for number, name in reversed(list(enumerate(EMOTIONS)))}
    assert parse_correct(({"face": 3, "offsets": offsets},)).correction.offsets == (
        0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6,
    )  # fmt: skip
    assert parse_correct(({"face": 3, "offsets": None},)).correction is None


def test_dropped_and_error_have_the_agreed_shape():
    assert dropped_to_wire(1, "newer_frame") == {
        "seq": 1,
        "faces": [],
        "timings_ms": {},
        "dropped": "newer_frame",
    }
    assert error_to_wire(None, FrameError("text")) == {
        "seq": None,
        "error": {"code": "bad_frame", "message": "text", "retryable": False},
    }
