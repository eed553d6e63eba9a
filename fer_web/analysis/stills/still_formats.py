"""The faces of one image as JSON, as rows of a table and as text."""

from typing import Any, Final

import numpy as np

from fer_web.analysis.stills.annotation import label_text
from fer_web.analysis.stills.stills import StillResult
from fer_web.errors import FerWebError
from fer_web.inference.affect import intensity, valence_arousal
from fer_web.inference.results import FaceResult
from fer_web.labels import EMOTIONS
from fer_web.metrics.text_tables import certainty

CSV_COLUMNS: Final = (
    "file", "width", "height", "face", "left", "top", "face_width", "face_height",
    *EMOTIONS, "label", "confidence", "sure", "error", "valence", "arousal", "intensity", "second",
)  # fmt: skip
_DIGITS: Final = 5


def still_to_wire(still: StillResult, remarks: tuple[str, ...] = ()) -> dict[str, Any]:
    """One image as plain JSON types. Args: remarks: on its file."""
    height, width = still.size_hw
    return {
        "width": width,
        "height": height,
        "framing": still.framing,
        "reason": still.reason,
        "found": still.found,
        "remarks": [*remarks, *_left_out(still)],
        "faces": [_face_to_wire(face, still) for face in still.faces],
    }


def error_to_wire(error: FerWebError) -> dict[str, Any]:
    """Say why there is no result, in the error shape of HTTP and Socket.IO."""
    return {"error": error.to_wire()}


def box_px(face: FaceResult, still: StillResult) -> list[int]:
    """Left, top, width and height in whole pixels of the image; may reach over its edge."""
    height, width = still.size_hw
    return [round(part * side) for part, side in zip(face.box, (width, height) * 2, strict=True)]


def describe_still(name: str, still: StillResult, remarks: tuple[str, ...] = ()) -> str:
    """One image as text: a line for it and one for each face and remark. Args: remarks: on its file."""
    count = {0: "no face found", 1: "1 face"}.get(len(still.faces), f"{len(still.faces)} faces")
    how = f" (the whole image: {still.reason})" if still.framing == "whole" else ""
    said = [f"  remark: {remark}" for remark in (*remarks, *_left_out(still))]
    return "\n".join([f"{name}: {count}{how}", *(_face_line(face, still) for face in still.faces), *said])


def csv_rows(name: str, still: StillResult) -> list[tuple[Any, ...]]:
    """A row of CSV_COLUMNS for each face; one with empty cells where none was found.

    Args: name: of the file, as a spreadsheet may be shown it.
    """
    height, width = still.size_hw
    if not still.faces:
        return [(name, width, height, *[""] * (len(CSV_COLUMNS) - 3))]
    return [
        (name, width, height, *_face_cells(face, still), "", *_affect_cells(face)) for face in still.faces
    ]


def csv_error_rows(name: str, error: FerWebError) -> list[tuple[Any, ...]]:
    """One row of CSV_COLUMNS for an image that could not be analysed."""
    before = CSV_COLUMNS.index("error") - 1
    return [(name, *[""] * before, str(error), *[""] * (len(CSV_COLUMNS) - before - 2))]


def _left_out(still: StillResult) -> tuple[str, ...]:
    """Say that there are more faces than were analysed."""
    shown = len(still.faces)
    return (f"{shown} of {still.found} faces shown, the surest.",) if shown < still.found else ()


def _face_to_wire(face: FaceResult, still: StillResult) -> dict[str, Any]:
    scores = zip(EMOTIONS, face.scores, strict=True)
    heatmap = {"heatmap": face.heatmap.to_wire()} if face.heatmap else {}
    return {
        "box": [round(part, _DIGITS) for part in face.box],
        "box_px": box_px(face, still),
        "scores": {name: round(score, _DIGITS) for name, score in scores},
        "label": face.label,
        "confidence": round(face.confidence, _DIGITS),
        "sure": face.is_sure,
        "rival": face.rival,
        "reason": face.reason,
        **_affect_of(face),
        **heatmap,
    }


def _affect_of(face: FaceResult) -> dict[str, Any]:
    """What is derived from a face's scores: valence, arousal, intensity and the second expression."""
    scores = np.array(face.scores, np.float32)
    valence, arousal = valence_arousal(scores).tolist()
    return {
        "valence": round(valence, _DIGITS),
        "arousal": round(arousal, _DIGITS),
        "intensity": round(float(intensity(scores)), _DIGITS),
        "second": face.second,
    }


def _face_line(face: FaceResult, still: StillResult) -> str:
    left, top, width, height = box_px(face, still)
    ranked = sorted(zip(face.scores, EMOTIONS, strict=True), reverse=True)[1:3]
    others = ", ".join(f"{name} {certainty(score)}" for score, name in ranked)
    return f"  {label_text(face):<22} at {left},{top} {width}x{height}; then {others}"


def _face_cells(face: FaceResult, still: StillResult) -> tuple[Any, ...]:
    scores = (f"{score:.{_DIGITS}f}" for score in face.scores)
    prediction = (face.label, f"{face.confidence:.{_DIGITS}f}", int(face.is_sure))
    return (face.face_id, *box_px(face, still), *scores, *prediction)


def _affect_cells(face: FaceResult) -> tuple[Any, ...]:
    *numbers, second = _affect_of(face).values()
    return (*(f"{number:.{_DIGITS}f}" for number in numbers), second or "")
