"""Search a whole frame with BlazeFace, small faces included, and find known faces again."""

from dataclasses import dataclass, replace
from math import ceil, exp, log
from pathlib import Path
from typing import Final

import numpy as np

from fer_web.vision.blazeface import SAME_FACE_IOU, BlazeFace
from fer_web.vision.boxes import areas, iou_matrix, join_faces, longer_sides, non_maximum_suppression
from fer_web.vision.regions import Region, SearchPart, whole_frame
from fer_web.vision.roll import roll_rad_by_eyes
from fer_web.vision.types import Faces, Frame

SMALL_LOOKS: Final = ((2.2, False), (1.8, True), (3.0, True))
"""Looks at a small candidate in a live stream: side of the crop in boxes, and whether it is mirrored."""


@dataclass(frozen=True)
class SearchOptions:
    """Thresholds and sizes; the scores were tuned with `python -m benchmarks.thresholds`.

    Attributes:
        min_candidate_score: what a pass over the frame or a tile must score to be looked at again.
        min_tile_candidate_score: the same for a tile in a live stream, where looks at small candidates do not
            count the pass: faces of 40 pixels often score less than others in it.
        min_face_score: what a candidate's looks must score on average to be a face.
        min_small_face_score: the same for faces smaller than SMALL_SHARE: a frame has many more small
            patterns than large ones, and nearly all false boxes are small.
        min_live_small_score: what three looks at such a candidate must score on average in a live stream.
        check_scale: side of the crop of the first look again, in units of the candidate's box.
        second_check_scale: the same for the second, mirrored look.
        max_checks: candidates looked at again, best first: bounds the time spent on one frame.
        max_tiles_in_row: of one size, in each direction: bounds the time spent on long frames.
        min_near_score: what a known face must score to be found again; lower than for a new one, because
            where a face just was there is one already.
        near_scale: side of the region searched around a known face in units of its box.
    """

    min_candidate_score: float = 0.3
    min_tile_candidate_score: float = 0.2
    min_face_score: float = 0.63
    min_small_face_score: float = 0.68
    min_live_small_score: float = 0.72
    check_scale: float = 2.2
    second_check_scale: float = 1.8
    max_checks: int = 12
    max_tiles_in_row: int = 4
    min_near_score: float = 0.55
    near_scale: float = 2.2


MIN_CHECK_IOU: Final = 0.25
"""A face found on a candidate's own crop must overlap it by this much to be the same."""

SMALL_SHARE: Final = 0.2
"""A face whose box is less than this share of the frame's short side is a small one."""

INNER_SHARE: Final = 0.7
"""A box of less than half the size is no face of its own where this share of it lies inside another's."""

MIN_LOOK_SCORE: Final = 0.1
LOGIT_OF_NOTHING: Final = log(0.02 / 0.98)
"""A look that finds nothing at the candidate's place counts as this."""

CLEAR_MARGIN: Final = 0.5
BEST_LOGIT: Final = 2.5
"""The second look is left out if it would have to score less than sigmoid(-0.5) to change a yes, or more than
sigmoid(2.5) to change a no: one look is enough for most candidates."""

BEST_SMALL_LOGIT: Final = 2.0
"""No more looks follow if they would have to be better than this: 95 % of those at small faces are not."""

# A tile takes 7/12 of the frame's short side (280 pixels of 480; 3 x 2 of them overlap by 100 x 80 pixels, so
# that a face too small for the pass over the whole frame lies whole in one of them). A tile is not less than
# 192 pixels: the network sees 128, so a smaller one would only be enlarged.
TILE_SHARE: Final = 7 / 12
MIN_TILE_SIDE: Final = 192
MIN_OVERLAP_SHARE: Final = 0.25

WHOLE_INTERVAL: Final = 0.2
TILE_INTERVAL: Final = 1.2
FINE_INTERVAL: Final = 0.9
"""Parts of a frame are searched again in a live stream after this, in search intervals: with 1 s, a large
face is found in 0.3 s, and a small one in 1 s. Three of four frames have a pass at 30 a second."""

# The finest tiles of a live stream take 2/5 of the frame's short side (192 pixels of 480, 4 x 3 of them): a
# face of 40 pixels is 27 of the 128 that the network sees. A tile of 7/12 finds one of seven of such faces.
FINE_TILE_SHARE: Final = 0.4
MAX_FINE_TILES_IN_ROW: Final = 6


def tile_regions(height: int, width: int, max_in_row: int = SearchOptions.max_tiles_in_row) -> list[Region]:
    """Overlapping squares that cover the frame: 3 x 2 for 640x480, 4 x 2 for 1280x720, none if small."""
    side = max(MIN_TILE_SIDE, min(height, width) * TILE_SHARE)
    if max(height, width) <= side * 1.25:
        return []
    return tiles_of(height, width, side, max_in_row)


def fine_tile_regions(height: int, width: int) -> list[Region]:
    """Finer squares for a live stream: 4 x 3 for 640x480, 6 x 3 for 1280x720, none for small frames."""
    side = min(height, width) * FINE_TILE_SHARE
    if side < MIN_TILE_SIDE:
        return []
    return tiles_of(height, width, side, MAX_FINE_TILES_IN_ROW)


def tiles_of(
    height: int, width: int, side: float, max_in_row: int, min_overlap: float = MIN_OVERLAP_SHARE
) -> list[Region]:
    """Squares of one size that cover the frame, row by row; `min_overlap` is a share of their side."""
    step = side * (1 - min_overlap)
    rows, columns = (_tile_centres(length, side, step, max_in_row) for length in (height, width))
    return [Region(x, y, side) for y in rows for x in columns]


def _tile_centres(length: int, side: float, step: float, max_in_row: int) -> list[float]:
    if length <= side:
        return [length / 2]
    count = 1 + ceil((length - side) / step)
    count = min(count, max_in_row)
    return [float(centre) for centre in np.linspace(side / 2, length - side / 2, count)]


class BlazeFaceDetector:
    """A `FaceDetector` on BlazeFace."""

    name = "blazeface"
    has_checks = True

    def __init__(self, path: Path, num_threads: int = 1, options: SearchOptions | None = None) -> None:
        self._network = BlazeFace(path, num_threads)
        self._options = options or SearchOptions()

    def search(self, frame_bgr: Frame) -> Faces:
        """Whole frame, then tiles; each candidate is looked at again on its own, upright crop."""
        candidates = self.candidates(frame_bgr)
        count = min(len(candidates), self._options.max_checks)
        checked = [self._check(frame_bgr, candidates.take([index])) for index in range(count)]
        return without_inner(non_maximum_suppression(join_faces(checked), SAME_FACE_IOU))

    def look_near(self, frame_bgr: Frame, faces: Faces) -> Faces:
        """Find each given face again near its box; at most one face for each, in the same order."""
        return join_faces([self._find_again(frame_bgr, faces.take([index])) for index in range(len(faces))])

    def parts(self, height: int, width: int) -> tuple[SearchPart, ...]:
        """The whole frame, its tiles, and finer ones for the smallest faces."""
        tiles, fine = tile_regions(height, width), fine_tile_regions(height, width)
        return (
            SearchPart(whole_frame(height, width), WHOLE_INTERVAL),
            *(SearchPart(tile, TILE_INTERVAL) for tile in tiles),
            *(SearchPart(tile, FINE_INTERVAL) for tile in fine),
        )

    def find(self, frame_bgr: Frame, part: SearchPart) -> Faces:
        """What may be a face in one part, best first: one run of the network."""
        options = self._options
        if part.region.side >= max(frame_bgr.shape[:2]):
            return self._run(frame_bgr, part.region, options.min_candidate_score)
        found = self._run(frame_bgr, part.region, options.min_tile_candidate_score)
        is_small = longer_sides(found.xyxy) < SMALL_SHARE * min(frame_bgr.shape[:2])
        return found.take(np.flatnonzero(is_small | (found.scores >= options.min_candidate_score)))

    def candidates(self, frame_bgr: Frame) -> Faces:
        """Find what may be a face, best first: the passes over the whole frame and over its tiles.

        Between passes repeats are dropped rather than blended: a face cut by a tile's edge has a wrong box.
        """
        height, width = frame_bgr.shape[:2]
        tiles = tile_regions(height, width, self._options.max_tiles_in_row)
        min_score = self._options.min_candidate_score
        regions = [whole_frame(height, width), *tiles]
        passes = [self._run(frame_bgr, region, min_score) for region in regions]
        return non_maximum_suppression(join_faces(passes), SAME_FACE_IOU)

    def look_again(self, frame_bgr: Frame, candidate: Faces, scale: float, *, is_mirrored: bool) -> Faces:
        """Find what is at a candidate's place, on a crop of its own: one face or none."""
        region = replace(region_around(candidate, scale), is_mirrored=is_mirrored)
        found = self._run(frame_bgr, region, MIN_LOOK_SCORE)
        overlaps = iou_matrix(candidate.xyxy, found.xyxy)[0]
        return found.take(np.flatnonzero(overlaps >= MIN_CHECK_IOU)[:1])

    def check(self, frame_bgr: Frame, candidate: Faces) -> Faces:
        """Look again at a candidate of `find`, in that frame or one soon after: one face or none.

        At most three runs of the network.
        """
        if is_small_face(candidate, frame_bgr):
            return self._check_small(frame_bgr, candidate)
        return self._check(frame_bgr, candidate)

    def _run(self, frame_bgr: Frame, region: Region, min_score: float) -> Faces:
        return self._network.find(frame_bgr, region, min_score)

    def _check_small(self, frame_bgr: Frame, candidate: Faces) -> Faces:
        """A small candidate as a face, with the mean of three looks, or none.

        The score of the pass says little here: it depends on where in its tile the face lies.
        """
        min_score = self._options.min_live_small_score
        wanted, first = len(SMALL_LOOKS) * log(min_score / (1 - min_score)), Faces.none()
        logits: list[float] = []
        for scale, is_mirrored in SMALL_LOOKS:
            found = self.look_again(frame_bgr, candidate, scale, is_mirrored=is_mirrored)
            first = first if logits else found
            logits.append(logit(found))
            to_come = len(SMALL_LOOKS) - len(logits)
            if not len(first) or sum(logits) + to_come * BEST_SMALL_LOGIT < wanted:
                return Faces.none()
        return replace(first, scores=np.array([sigmoid(sum(logits) / len(logits))], np.float32))

    def _check(self, frame_bgr: Frame, candidate: Faces) -> Faces:
        """The candidate as a face, with the box of the first look and the mean of all scores, or none.

        The mean logit of three differing looks (the pass, its own crop, a tighter mirrored crop) tells faces
        from patterns better than any one of them: with as few false boxes it misses half as many faces.
        """
        options = self._options
        first = self.look_again(frame_bgr, candidate, options.check_scale, is_mirrored=False)
        if not len(first):
            return first
        logits = [logit(candidate), logit(first)]
        is_small = is_small_face(candidate, frame_bgr)
        min_score = options.min_small_face_score if is_small else options.min_face_score
        wanted = 3 * log(min_score / (1 - min_score))
        if wanted - BEST_LOGIT < sum(logits) < wanted + CLEAR_MARGIN:
            scale = options.second_check_scale
            logits.append(logit(self.look_again(frame_bgr, candidate, scale, is_mirrored=True)))
        mean_logit = sum(logits) / len(logits)
        is_face = sum(logits) >= wanted
        score = np.array([sigmoid(mean_logit)], np.float32)
        return replace(first, scores=score) if is_face else Faces.none()

    def _find_again(self, frame_bgr: Frame, face: Faces) -> Faces:
        region = region_around(face, self._options.near_scale)
        found = self._run(frame_bgr, region, self._options.min_near_score)
        overlaps = iou_matrix(face.xyxy, found.xyxy)[0]
        if not (overlaps >= MIN_CHECK_IOU).any():
            return Faces.none()
        return found.take([int(overlaps.argmax())])


def without_inner(faces: Faces) -> Faces:
    """The faces without those inside a larger one: an eye or a badge, where tiles are small."""
    corners, sizes = faces.xyxy, areas(faces.xyxy)
    top_left = np.maximum(corners[:, None, :2], corners[None, :, :2])
    bottom_right = np.minimum(corners[:, None, 2:], corners[None, :, 2:])
    shared = np.prod(np.maximum(bottom_right - top_left, 0), axis=-1)
    is_inside = (shared > INNER_SHARE * sizes[:, None]) & (sizes[None] > 2 * sizes[:, None])
    return faces.take(np.flatnonzero(~is_inside.any(axis=1)))


def region_around(face: Faces, scale: float) -> Region:
    """A region around one face, `scale` times its box, turned with its eyes."""
    left, top, right, bottom = (float(value) for value in face.xyxy[0])
    side = scale * max(right - left, bottom - top)
    return Region((left + right) / 2, (top + bottom) / 2, side, roll_rad_by_eyes(face.eyes_xy[0]))


def is_small_face(face: Faces, frame_bgr: Frame) -> bool:
    """Tell whether one face is small in its frame."""
    return bool(longer_sides(face.xyxy)[0] < SMALL_SHARE * min(frame_bgr.shape[:2]))


def sigmoid(logit: float) -> float:
    """A logit's score."""
    return 1 / (1 + exp(-logit))


def logit(face: Faces) -> float:
    """Score of one face before the sigmoid; very low if there is none."""
    if not len(face):
        return LOGIT_OF_NOTHING
    score = min(float(face.scores[0]), 0.999)
    return log(score / (1 - score))
