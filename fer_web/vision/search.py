"""Search a whole frame with BlazeFace, small faces included, and find known faces again."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from fer_web.vision.blazeface import BlazeFace
from fer_web.vision.boxes import blend_repeats, iou_matrix, join_faces, suppress_repeats
from fer_web.vision.regions import Region, whole_frame
from fer_web.vision.roll import roll_rad_by_eyes
from fer_web.vision.types import Faces, Frame


@dataclass(frozen=True)
class SearchOptions:
    """Thresholds and sizes of the search; `python -m benchmarks.detect` measures what they do.

    Attributes:
        min_candidate_score: what a pass over the frame or a tile must score to be looked at again.
        min_checked_score: what a candidate must score on its own crop to be a face.
        check_scale: side of that crop in units of the candidate's box.
        max_checks: candidates looked at again, best first: bounds the time spent on one frame.
        min_near_score: what a known face must score to be found again; lower than for a new one, because
            where a face just was there is one already.
        near_scale: side of the region searched around a known face in units of its box.
    """

    min_candidate_score: float = 0.3
    min_checked_score: float = 0.7
    check_scale: float = 2.2
    max_checks: int = 8
    min_near_score: float = 0.5
    near_scale: float = 2.2


# A face must overlap the box it was looked for at; two boxes of one face overlap by at least SAME_FACE_IOU.
MIN_CHECK_IOU = 0.25
SAME_FACE_IOU = 0.3

# A tile takes two thirds of the frame's short side (320 pixels of 480), but not less than this: the network
# sees 128 pixels, so a smaller tile would only be enlarged.
MIN_TILE_SIDE = 192
MAX_TILES_IN_A_ROW = 4


def tile_regions(height: int, width: int) -> list[Region]:
    """Overlapping squares that cover the frame: 3 x 2 for 640x480, 4 x 2 for 1280x720, none if too small."""
    side = max(MIN_TILE_SIDE, min(height, width) * 2 / 3)
    if max(height, width) <= side * 1.25:
        return []
    return [Region(x, y, side) for y in _tile_centres(height, side) for x in _tile_centres(width, side)]


def _tile_centres(length: int, side: float) -> list[float]:
    if length <= side:
        return [length / 2]
    # Overlap by half a tile where the frame is not too long for that.
    count = min(1 + ceil((length - side) / (side / 2) - 0.01), MAX_TILES_IN_A_ROW)
    return [float(centre) for centre in np.linspace(side / 2, length - side / 2, count)]


class BlazeFaceDetector:
    """A `FaceDetector` on BlazeFace."""

    name = "blazeface"

    def __init__(self, path: Path, num_threads: int = 1, options: SearchOptions | None = None) -> None:
        self._network = BlazeFace(path, num_threads)
        self._options = options or SearchOptions()

    def search(self, frame_bgr: Frame) -> Faces:
        """Whole frame, then tiles; each candidate is checked again on its own, upright crop."""
        height, width = frame_bgr.shape[:2]
        candidates = self._candidates(frame_bgr, [whole_frame(height, width), *tile_regions(height, width)])
        options = self._options
        checked = [
            self._look_at(frame_bgr, candidates.take([index]), options.check_scale, options.min_checked_score)
            for index in range(min(len(candidates), options.max_checks))
        ]
        return suppress_repeats(join_faces(checked), SAME_FACE_IOU)

    def look_near(self, frame_bgr: Frame, faces: Faces) -> Faces:
        """Find each given face again near its box; at most one face for each, in the same order."""
        options = self._options
        return join_faces(
            [
                self._look_at(frame_bgr, faces.take([index]), options.near_scale, options.min_near_score)
                for index in range(len(faces))
            ]
        )

    def _candidates(self, frame_bgr: Frame, regions: list[Region]) -> Faces:
        passes = [
            self._network.find(frame_bgr, region, self._options.min_candidate_score) for region in regions
        ]
        return blend_repeats(join_faces(passes), SAME_FACE_IOU)

    def _look_at(self, frame_bgr: Frame, face: Faces, scale: float, min_score: float) -> Faces:
        found = self._network.find(frame_bgr, region_around(face, scale), min_score)
        overlaps = iou_matrix(face.xyxy, found.xyxy)[0]
        if not (overlaps >= MIN_CHECK_IOU).any():
            return Faces.none()
        return found.take([int(overlaps.argmax())])


def region_around(face: Faces, scale: float) -> Region:
    """A region around one face, `scale` times its box, turned with its eyes."""
    left, top, right, bottom = (float(value) for value in face.xyxy[0])
    side = scale * max(right - left, bottom - top)
    return Region((left + right) / 2, (top + bottom) / 2, side, roll_rad_by_eyes(face.eyes_xy[0]))
