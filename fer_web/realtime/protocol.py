"""The wire: what a client may send and what it gets back. docs/protocol.md describes it for others."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from fer_web.errors import FerWebError, ProtocolError
from fer_web.events.rules import Rule, parse_rules
from fer_web.history.types import Marker
from fer_web.inference.correction import Check, Correction, RestingFace, correction_of, offsets_by_name
from fer_web.inference.results import FaceResult, FrameResult
from fer_web.inference.stream_settings import SERVER_SETTINGS, StreamSettings
from fer_web.labels import EMOTIONS

MAX_SEQ = 2**53 - 1
"""Largest integer that a JavaScript number holds exactly."""

MAX_IN_FLIGHT = 8
"""Unanswered frames that a client should have at most: 27 results a second at a round trip of 300 ms.

The page is told, and so many frames of a stream may wait at the server."""

DROPPED_NEWER = "newer_frame"
DROPPED_OVERLOADED = "overloaded"
DROPPED_STOPPED = "stopped"
EXPECTED_HEADER = (
    '{"seq": integer, "captured_ms": number}, perhaps with "heatmap": boolean and "settings": object, '
    "and the JPEG as binary"
)
EXPECTED_RECORD = '{"on": boolean, "session": id or null, "name": text or null}'
EXPECTED_NAME = '{"face": integer, "name": text}'
EXPECTED_RULES = '{"rules": list of rules}'
EXPECTED_TAKE = '{"face": integer, "expression": one of the seven or null}'
EXPECTED_LEARN = '{"face": integer, "by": "resting" or "check"}'
EXPECTED_CORRECT = '{"face": integer, "offsets": seven numbers by expression, or null}'
EXPECTED_MARKER = '{"text": text, "at_s": number or null}'


@dataclass(frozen=True)
class RecordMessage:
    """A validated `record` event. `session` None starts a new one."""

    is_on: bool
    session: str | None
    name: str


@dataclass(frozen=True)
class MarkerMessage:
    """A validated `marker` event. `at_s` None is now."""

    text: str
    at_s: float | None


@dataclass(frozen=True)
class NameMessage:
    """A validated `name` event. `face`: id of a face of the stream."""

    face: int
    name: str


@dataclass(frozen=True)
class TakeMessage:
    """A validated `take` event. `expression` None ends the take."""

    face: int
    expression: str | None


@dataclass(frozen=True)
class LearnMessage:
    """A validated `learn` event. `is_check`: of several expressions, else of the resting face."""

    face: int
    is_check: bool


@dataclass(frozen=True)
class CorrectMessage:
    """A validated `correct` event. `correction` None takes it away."""

    face: int
    correction: Correction | None


@dataclass(frozen=True)
class FrameMessage:
    """A validated `frame` event: its header and the JPEG's bytes (not yet decoded).

    `heatmap`: whether the faces of the answer get heat maps, where the network has any.
    `settings`: the client's choice for this frame.
    """

    seq: int
    captured_ms: float
    jpeg: bytes
    heatmap: bool = False
    settings: StreamSettings = SERVER_SETTINGS


def parse_frame(arguments: tuple[Any, ...]) -> FrameMessage:
    """Validate a `frame` event's arguments.

    Raises: ProtocolError: a missing, unknown or malformed part, named in the text.
    """
    if len(arguments) != 2:
        raise ProtocolError(f"frame takes {EXPECTED_HEADER}; {len(arguments)} arguments came.")
    header, jpeg = arguments
    if not isinstance(header, dict) or set(header) - {"heatmap", "settings"} != {"seq", "captured_ms"}:
        came = sorted(map(str, header))[:5] if isinstance(header, dict) else type(header).__name__
        raise ProtocolError(f"frame takes {EXPECTED_HEADER}; as header came {came}.")
    if not isinstance(jpeg, bytes):
        raise ProtocolError(f"frame takes {EXPECTED_HEADER}; as JPEG came {type(jpeg).__name__}.")
    heatmap = header.get("heatmap", False)
    if not isinstance(heatmap, bool):
        raise ProtocolError(f"heatmap must be true or false; {heatmap!r:.40} came.")
    return FrameMessage(
        _parse_seq(header["seq"]),
        _parse_number("captured_ms", "milliseconds", header["captured_ms"]),
        jpeg,
        heatmap,
        _parse_settings(header.get("settings", {})),
    )


def parse_record(arguments: tuple[Any, ...]) -> RecordMessage:
    """Validate a `record` event's arguments; all but `on` may be left out. Raises ProtocolError."""
    message = _parse_object("record", EXPECTED_RECORD, arguments, ("on", "session", "name"))
    is_on, session, name = (message.get(key) for key in ("on", "session", "name"))
    if not isinstance(is_on, bool):
        raise ProtocolError(f"record takes {EXPECTED_RECORD}; as on came {is_on!r:.40}.")
    if not (session is None or isinstance(session, str)) or not (name is None or isinstance(name, str)):
        raise ProtocolError(f"record takes {EXPECTED_RECORD}; session or name is neither text nor null.")
    return RecordMessage(is_on, session, name or "")


def parse_marker(arguments: tuple[Any, ...]) -> MarkerMessage:
    """Validate a `marker` event's arguments; `at_s` may be left out. Raises ProtocolError."""
    message = _parse_object("marker", EXPECTED_MARKER, arguments, ("text", "at_s"))
    text, at_s = message.get("text"), message.get("at_s")
    if not isinstance(text, str):
        raise ProtocolError(f"marker takes {EXPECTED_MARKER}; as text came {type(text).__name__}.")
    return MarkerMessage(text, None if at_s is None else _parse_number("at_s", "seconds", at_s))


def parse_name(arguments: tuple[Any, ...]) -> NameMessage:
    """Validate a `name` event's arguments. Raises ProtocolError."""
    message = _parse_object("name", EXPECTED_NAME, arguments, ("face", "name"))
    name = message.get("name")
    if not isinstance(name, str):
        raise ProtocolError(f"name takes {EXPECTED_NAME}; as name came {type(name).__name__}.")
    return NameMessage(_parse_face("name", EXPECTED_NAME, message), name)


def parse_take(arguments: tuple[Any, ...]) -> TakeMessage:
    """Validate a `take` event's arguments. Raises ProtocolError."""
    message = _parse_object("take", EXPECTED_TAKE, arguments, ("face", "expression"))
    expression = message.get("expression")
    if expression is not None and expression not in EMOTIONS:
        raise ProtocolError(
            f"take takes {EXPECTED_TAKE}; {', '.join(EMOTIONS)} are allowed, {expression!r:.40} came."
        )
    return TakeMessage(_parse_face("take", EXPECTED_TAKE, message), expression)


def parse_learn(arguments: tuple[Any, ...]) -> LearnMessage:
    """Validate a `learn` event's arguments. Raises ProtocolError."""
    message = _parse_object("learn", EXPECTED_LEARN, arguments, ("face", "by"))
    by = message.get("by")
    if by not in ("resting", "check"):
        raise ProtocolError(f"learn takes {EXPECTED_LEARN}; as by came {by!r:.40}.")
    return LearnMessage(_parse_face("learn", EXPECTED_LEARN, message), by == "check")


def parse_correct(arguments: tuple[Any, ...]) -> CorrectMessage:
    """Validate a `correct` event's arguments. Raises ProtocolError: numbers out of bounds too."""
    message = _parse_object("correct", EXPECTED_CORRECT, arguments, ("face", "offsets"))
    face, offsets = _parse_face("correct", EXPECTED_CORRECT, message), message.get("offsets")
    if offsets is None:
        return CorrectMessage(face, None)
    if not isinstance(offsets, dict):
        raise ProtocolError(f"correct takes {EXPECTED_CORRECT}; as offsets came {type(offsets).__name__}.")
    numbers = {
        name: _parse_number(f"offsets of {name!r:.40}", "logits", each) for name, each in offsets.items()
    }
    return CorrectMessage(face, correction_of(numbers))


def _parse_face(event: str, expected: str, message: dict[str, Any]) -> int:
    face = message.get("face")
    if isinstance(face, bool) or not isinstance(face, int) or not 0 <= face < 2**31:
        raise ProtocolError(f"{event} takes {expected}; as face came {face!r:.40}.")
    return face


def parse_rules_message(arguments: tuple[Any, ...]) -> tuple[Rule, ...]:
    """Validate a `rules` event's arguments. Raises ProtocolError, InvalidValueError."""
    message = _parse_object("rules", EXPECTED_RULES, arguments, ("rules",))
    return parse_rules(message.get("rules"))


def _parse_object(
    event: str, expected: str, arguments: tuple[Any, ...], keys: tuple[str, ...]
) -> dict[str, Any]:
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        raise ProtocolError(f"{event} takes {expected}; something else came.")
    if unknown := sorted(set(map(str, arguments[0])) - set(keys)):
        raise ProtocolError(f"{event} takes {expected}; {unknown[0]!r:.40} is unknown.")
    return dict(arguments[0])


def seq_of(arguments: tuple[Any, ...]) -> int | None:
    """The sequence number of a message that may be malformed, so that even an error can be matched."""
    header = arguments[0] if arguments else None
    seq = header.get("seq") if isinstance(header, dict) else None
    is_valid = isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq <= MAX_SEQ
    return seq if is_valid else None


def result_to_wire(seq: int, result: FrameResult, wait_ms: float) -> dict[str, Any]:
    """The acknowledgement of an analysed frame; `wait_ms` is its time in the slot."""
    timings = {"wait": wait_ms, **result.timings_ms}
    return {
        "seq": seq,
        "faces": [{**_face_to_wire(face, result), **_map_to_wire(face)} for face in result.faces],
        "timings_ms": {name: round(value, 2) for name, value in timings.items()},
        "dropped": None,
    }


def view_to_wire(
    captured_s: float, result: FrameResult, size_hw: tuple[int, int], names: Mapping[int, str] | None = None
) -> dict[str, Any]:
    """The `view` of a frame's result for those who watch its stream; the JPEG goes beside it.

    Args:
        size_hw: the frame's height and width in pixels, which give boxes their shape without a picture.
        names: what the people of faces are called, by the face's id.
    """
    height, width = size_hw
    named = {face: {"name": name} for face, name in (names or {}).items()}
    return {
        "captured_ms": round(captured_s * 1000, 3),
        "size": [width, height],
        "faces": [{**_face_to_wire(face, result), **named.get(face.face_id, {})} for face in result.faces],
        "people": len(result.faces),
    }


def state_to_wire(is_live: bool, has_video: bool, name: str, watchers: int) -> dict[str, Any]:
    """The `state` of a watched stream, for those who watch it."""
    return {"live": is_live, "video": has_video, "name": name, "watchers": watchers}


def watched_to_wire(watchers: int, has_video: bool) -> dict[str, Any]:
    """The `watched` of a live page: how many people watch it, and whether any of them sees its picture."""
    return {"watchers": watchers, "video": has_video}


def marker_to_wire(marker: Marker) -> dict[str, Any]:
    """The acknowledgement of a marker."""
    return {"marker": {"id": marker.id, "at_s": marker.at_s, "text": marker.text}}


def resting_to_wire(resting: RestingFace) -> dict[str, Any]:
    """What was learned of a resting face: shares of its views that are called neutral, and the correction."""
    return {
        "called": resting.called,
        "before": round(resting.before, 4),
        "after": round(resting.after, 4),
        "offsets": _offsets_to_wire(resting.correction),
    }


def check_to_wire(check: Check) -> dict[str, Any]:
    """What was learned of several expressions: the person's table, and the correction where one helps."""
    return {
        "table": {
            shown: {name: round(share, 4) for name, share in zip(EMOTIONS, shares, strict=True)}
            for shown, shares in check.table.items()
        },
        "before": round(check.before, 4),
        "after": round(check.after, 4),
        "offsets": _offsets_to_wire(check.correction),
    }


def _offsets_to_wire(correction: Correction | None) -> dict[str, float] | None:
    return None if correction is None else offsets_by_name(correction.offsets)


def dropped_to_wire(seq: int, reason: str) -> dict[str, Any]:
    """The acknowledgement of a frame that was not analysed."""
    return {"seq": seq, "faces": [], "timings_ms": {}, "dropped": reason}


def error_to_wire(seq: int | None, error: FerWebError, retry_after_s: float | None = None) -> dict[str, Any]:
    """The acknowledgement of a message that was refused; retry_after_s: before then nothing more is read."""
    wait = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
    return {"seq": seq, "error": {**error.to_wire(), **wait}}


def _face_to_wire(face: FaceResult, result: FrameResult) -> dict[str, Any]:
    corrected = {"corrected": True} if face.face_id in result.corrected else {}
    return {
        "id": face.face_id,
        "box": [round(value, 5) for value in face.box],
        "scores": {name: round(score, 4) for name, score in zip(EMOTIONS, face.scores, strict=True)},
        "label": face.label,
        "confidence": round(face.confidence, 4),
        "sure": face.is_sure,
        "rival": face.rival,
        "reason": face.reason,
        **({"second": face.second} if face.second else {}),
        **corrected,
    }


def _map_to_wire(face: FaceResult) -> dict[str, Any]:
    return {"heatmap": face.heatmap.to_wire()} if face.heatmap else {}


def _parse_seq(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEQ:
        raise ProtocolError(f"seq must be an integer from 0 to {MAX_SEQ}; {value!r:.40} came.")
    return value


def _parse_settings(value: Any) -> StreamSettings:
    if value == {}:
        return SERVER_SETTINGS
    names = [each.name for each in fields(StreamSettings)]
    if not isinstance(value, dict):
        raise ProtocolError(f"settings must be an object; {type(value).__name__} came.")
    if unknown := sorted(set(map(str, value)) - set(names)):
        raise ProtocolError(f"settings may hold {', '.join(names)}; {unknown[0]!r:.40} came.")
    return StreamSettings(**value)


def _parse_number(name: str, unit: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # One comparison refuses NaN, infinities and integers too large for a float.
    if not is_number or not -MAX_SEQ <= value <= MAX_SEQ:
        raise ProtocolError(f"{name} must be a finite number of {unit}; {value!r:.40} came.")
    return float(value)
