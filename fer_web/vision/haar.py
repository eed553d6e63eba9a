"""OpenCV's Haar cascade: the detector that needs no other file than OpenCV's own."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.errors import SetupError
from fer_web.vision.boxes import Boxes, centres, iou_matrix, join_faces, longer_sides
from fer_web.vision.one_pass import OnePassSearch
from fer_web.vision.types import Faces, Frame

CASCADE_FILE: Final = "haarcascade_frontalface_default.xml"
SCALE_STEP: Final = 1.1
MIN_NEIGHBOURS: Final = 5
CASCADE_SIDE: Final = 1.11
CASCADE_SHIFT_Y: Final = -0.11
"""The cascade's box in units of BlazeFace's box of the same face: its side, and how far lower its centre is.
Medians from `python -m benchmarks.framing`; with them a box means the same whichever detector found it."""

NEAR_SCALE: Final = 2.0
NEAR_WIDTH: Final = 128
NEAR_SIDES: Final = (0.7, 1.4)
"""A region where a face just was, shrunk to this width, is searched for faces of about its size."""

MIN_NEAR_IOU: Final = 0.25

STILL_SEARCH_WIDTH: Final = 1280
"""Single images have time for it."""


class HaarDetector(OnePassSearch):
    """A `FaceDetector` on Viola and Jones' cascade. It gives no eyes and a score of 1."""

    name = "haar"

    def __init__(self, search_width: int = 320) -> None:
        """Longer frames are shrunk to `search_width`; 640 finds smaller faces in three times the time."""
        path = Path(cv2.__file__).parent / "data" / CASCADE_FILE
        self._cascade = cv2.CascadeClassifier(str(path)) if path.is_file() else cv2.CascadeClassifier()
        if self._cascade.empty():
            raise SetupError(
                f"OpenCV's {CASCADE_FILE} is missing. Install the requirements again: make setup"
            )
        self._search_width = search_width

    def search(self, frame_bgr: Frame) -> Faces:
        """All faces of the frame."""
        grey, shrink = _shrunk_grey(frame_bgr, self._search_width)
        return self._detect(grey, shrink, 0, max(grey.shape))

    def look_near(self, frame_bgr: Frame, faces: Faces) -> Faces:
        """Find each given face again near its box; at most one face for each, in the same order."""
        return join_faces([self._find_again(frame_bgr, faces.take([index])) for index in range(len(faces))])

    def _find_again(self, frame_bgr: Frame, face: Faces) -> Faces:
        height, width = frame_bgr.shape[:2]
        centre, reach = centres(face.xyxy)[0], longer_sides(face.xyxy)[0] * NEAR_SCALE / 2
        corners = np.concatenate([centre - reach, centre + reach])
        left, top, right, bottom = np.clip(corners, 0, [width, height, width, height]).astype(int).tolist()
        if right <= left or bottom <= top:
            return Faces.none()
        grey, shrink = _shrunk_grey(frame_bgr[top:bottom, left:right], NEAR_WIDTH)
        side = float(longer_sides(face.xyxy)[0]) * CASCADE_SIDE / shrink
        found = self._detect(grey, shrink, round(NEAR_SIDES[0] * side), round(NEAR_SIDES[1] * side))
        found = replace(found, xyxy=found.xyxy + np.array([left, top, left, top], np.float32))
        overlaps = iou_matrix(face.xyxy, found.xyxy)[0]
        if not (overlaps >= MIN_NEAR_IOU).any():
            return Faces.none()
        return found.take([int(overlaps.argmax())])

    def _detect(self, grey: NDArray[np.uint8], shrink: float, min_side: int, max_side: int) -> Faces:
        boxes = self._cascade.detectMultiScale(
            grey,
            scaleFactor=SCALE_STEP,
            minNeighbors=MIN_NEIGHBOURS,
            minSize=(min_side, min_side),
            maxSize=(max_side, max_side),
        )
        xywh = np.asarray(boxes, np.float32).reshape(-1, 4) * np.float32(shrink)
        best_first = np.argsort(-xywh[:, 2], kind="stable")
        count = len(xywh)
        eyes_xy = np.full((count, 2, 2), np.nan, np.float32)
        return Faces(_like_blazeface(xywh)[best_first], np.ones(count, np.float32), eyes_xy)


def _shrunk_grey(picture_bgr: Frame, max_width: int) -> tuple[NDArray[np.uint8], float]:
    """The picture in grey with its longer side at most `max_width`, and by how much it was shrunk."""
    grey = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY)
    shrink = max(1.0, max(grey.shape) / max_width)
    if shrink > 1:
        size = (max(1, round(grey.shape[1] / shrink)), max(1, round(grey.shape[0] / shrink)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8), shrink


def _like_blazeface(xywh: Boxes) -> Boxes:
    side = xywh[:, 2:] / np.float32(CASCADE_SIDE)
    shift = np.array([0, CASCADE_SHIFT_Y], np.float32) * side
    centre = xywh[:, :2] + xywh[:, 2:] / 2 - shift
    return np.concatenate([centre - side / 2, centre + side / 2], axis=1)
