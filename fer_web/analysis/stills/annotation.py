"""Boxes and labels drawn on a copy of a frame, in the colours of the live page."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from fer_web.analysis.stills.heat_drawing import draw_heat
from fer_web.inference.certainty import REASON_TEXTS
from fer_web.inference.results import FaceResult
from fer_web.metrics.text_tables import certainty
from fer_web.vision.types import Frame

COLOURS: Final = {
    "happy": "#E69F00",
    "sad": "#0072B2",
    "angry": "#D55E00",
    "surprise": "#56B4E9",
    "fear": "#CC79A7",
    "disgust": "#009E73",
    "neutral": "#999999",
}
"""Okabe and Ito 2008, as in static/js/shared/palette.js: for any colour vision, and never without text."""

UNSURE_COLOUR: Final = "#E8EBF0"
MIN_LONGER_SIDE: Final = 320
"""Smaller images are enlarged, so that the text on them can be read."""

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT: Final = 22
"""A capital letter at scale 1 is this high, in pixels."""


def annotate(frame_bgr: Frame, faces: Sequence[FaceResult]) -> Frame:
    """Draw each face's box, and its expression with its confidence, or that it is unsure.

    A face that has heat maps gets that of its expression beneath.

    Args: frame_bgr: uint8 (H, W, 3). Not modified.
    Returns: uint8 (H, W, 3); enlarged where the longer side was below MIN_LONGER_SIDE.
    """
    enlarge = max(1, -(-MIN_LONGER_SIDE // max(frame_bgr.shape[:2])))
    drawn = cv2.resize(frame_bgr, None, fx=enlarge, fy=enlarge, interpolation=cv2.INTER_CUBIC)
    picture = np.ascontiguousarray(drawn, np.uint8)
    for face in faces:
        if face.heatmap:
            draw_heat(picture, face.heatmap, face.label)
    for face in faces:
        _draw_face(picture, face)
    return picture


def label_text(face: FaceResult) -> str:
    """Return the text that is written beside a face."""
    if face.is_sure:
        return f"{face.label} {certainty(face.confidence)}"
    why = f" ({REASON_TEXTS[face.reason]})" if face.reason else ""
    return f"unsure: {face.label} or {face.rival}{why}"


def _draw_face(picture: Frame, face: FaceResult) -> None:
    height, width = picture.shape[:2]
    left, top, box_width, box_height = face.box
    corner = round(left * width), round(top * height)
    opposite = round((left + box_width) * width), round((top + box_height) * height)
    colour = _bgr(COLOURS[face.label] if face.is_sure else UNSURE_COLOUR)
    thickness = max(2, round(max(height, width) / 400))
    cv2.rectangle(picture, corner, opposite, (0, 0, 0), thickness + 2)
    cv2.rectangle(picture, corner, opposite, colour, thickness)
    _draw_text(picture, label_text(face), corner, colour)


def _draw_text(picture: Frame, text: str, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Text on a plate above the box, moved into the picture where it would stand outside."""
    height, width = picture.shape[:2]
    scale = max(12, max(height, width) / 45) / _FONT_HEIGHT
    thickness = max(1, round(1.5 * scale))
    (text_width, text_height), below = cv2.getTextSize(text, _FONT, scale, thickness)
    left = max(0, min(corner[0], width - text_width))
    bottom = max(corner[1], text_height + 2 * below)
    plate = (left, bottom - text_height - 2 * below), (left + text_width, bottom)
    cv2.rectangle(picture, *plate, colour, cv2.FILLED)
    place = (left, bottom - below)
    cv2.putText(picture, text, place, _FONT, scale, _text_colour(colour), thickness, cv2.LINE_AA)


def _text_colour(background_bgr: tuple[int, int, int]) -> tuple[int, int, int]:
    blue, green, red = background_bgr
    is_light = 0.114 * blue + 0.587 * green + 0.299 * red > 105
    return (20, 14, 11) if is_light else (255, 255, 255)


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return blue, green, red
