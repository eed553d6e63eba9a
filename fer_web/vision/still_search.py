"""Search a still for faces down to 24 pixels: BlazeFace on large blocks of several scales, in threads."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import ceil, log
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.vision.blazeface import INPUT_SIZE, SAME_FACE_IOU, ThreadNetworks
from fer_web.vision.boxes import join_faces, non_maximum_suppression
from fer_web.vision.regions import Region, whole_frame
from fer_web.vision.search import (
    BEST_SMALL_LOGIT,
    BlazeFaceDetector,
    SearchOptions,
    is_small_face,
    logit,
    sigmoid,
    tiles_of,
    without_inner,
)
from fer_web.vision.types import Faces, Frame

STILL_SEARCH: Final = SearchOptions(min_candidate_score=0.3, max_checks=512)
"""A pass over a still must score so much to be looked at again."""

STILL_LOOKS: Final = ((2.2, False), (1.8, True), (3.0, True), (3.6, False), (2.6, True), (1.5, False))
COUNTED_LOOKS: Final = 4
MIN_LOGIT: Final = 0.9
"""Of these looks at a small candidate (side of the crop in boxes, whether it is mirrored) the best four must
have this logit on average. Of 1,191 faces of 24 to 40 pixels it lost 4 %; of 1,610 patterns one passed."""

MIN_LARGE_LOGIT: Final = 0.75
"""The same for a candidate that is not small: there are few such patterns, and sunglasses cost a face 0.4."""

MIN_FIRST_LOGIT: Final = 0.0
"""None of these faces had less at the first look, and most patterns had. A large one may have 1 less."""

BLOCK_SIZE: Final = 256
"""Pixels of a block as the network sees it: the cost by pixel is that of 128, and less of it overlaps."""

FINEST_STEP: Final = 1.0
"""Pixels of the still in one of the network's, at the finest scale: it finds 96 % of faces of 24 of its
pixels, and half of those of 16."""

MAX_SCALE_RATIO: Final = 2.5
"""Scales differ by at most so much, so that no size of face is missed: the count of blocks grows with the
picture's area, without a jump."""

MIN_BLOCK_OVERLAP: Final = 3 / 16
"""A face of 48 of the network's pixels, which the next scale sees as 19, lies whole in a block."""

FINEST_PIXELS: Final = 13_000_000
"""In larger pictures the finest blocks grow, so that there are not more of them than about 400."""

MAX_BLOCKS_IN_ROW: Final = 200

RANGE_CELL: Final = 8
MIN_RANGE: Final = 10
"""Where neighbouring cells of 8 x 8 pixels differ by less than so many levels of grey is a wall or a sky."""

CLEAR_FACE: Final = 0.8
"""Nobody is looked for inside a face of a coarser scale that scores so much: see `without_inner`."""

MAX_SEARCH_THREADS: Final = 4

_Item = TypeVar("_Item")


def block_levels(height: int, width: int) -> list[list[Region]]:
    """Blocks that cover the picture at each scale, the coarsest first; none but for the last in small ones.

    The whole picture in `INPUT_SIZE` pixels is the scale before the first.
    """
    finest = FINEST_STEP * max(1, height * width / FINEST_PIXELS) ** 0.5
    coarsest = max(height, width) / INPUT_SIZE
    count = max(1, ceil(log(max(1.0, coarsest / finest)) / log(MAX_SCALE_RATIO)))
    steps = np.geomspace(max(coarsest, finest), finest, count + 1)[1:]
    return [_blocks(height, width, float(step) * BLOCK_SIZE) for step in steps]


def _blocks(height: int, width: int, side: float) -> list[Region]:
    return tiles_of(height, width, side, MAX_BLOCKS_IN_ROW, MIN_BLOCK_OVERLAP)


class StillDetector(BlazeFaceDetector):
    """A `FaceDetector` whose search takes longer, and finds smaller faces and more of them."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Args: threads: of a search; 0: as many as there are cores, up to MAX_SEARCH_THREADS."""
        super().__init__(path, 1, STILL_SEARCH)
        self._networks = ThreadNetworks(path)
        self._pool = ThreadPoolExecutor(
            threads or min(MAX_SEARCH_THREADS, os.cpu_count() or 1), "still-search"
        )

    def search(self, frame_bgr: Frame) -> Faces:
        """The whole picture, then blocks of ever finer scales; each candidate is looked at again."""
        candidates = self.candidates(frame_bgr)
        count = min(len(candidates), self._options.max_checks)
        checked = self._share(lambda index: self.check(frame_bgr, candidates.take([index])), range(count))
        return without_inner(non_maximum_suppression(join_faces(checked), SAME_FACE_IOU))

    def candidates(self, frame_bgr: Frame) -> Faces:
        """Find what may be a face, best first."""
        height, width = frame_bgr.shape[:2]
        min_score = self._options.min_candidate_score
        whole = [whole_frame(height, width)]
        found = self._share(lambda region: self._run(frame_bgr, region, min_score), whole)
        textured = _textured(frame_bgr)
        for blocks in block_levels(height, width):
            clear = join_faces(found)
            clear = clear.take(np.flatnonzero(clear.scores >= CLEAR_FACE))
            wanted = [each for each in blocks if _has_any(textured, each) and not _is_inside(each, clear)]
            found += self._share(lambda block: self._find_wide(frame_bgr, block), wanted)
        return non_maximum_suppression(join_faces(found), SAME_FACE_IOU)

    def check(self, frame_bgr: Frame, candidate: Faces) -> Faces:
        """The candidate as a face, with the mean of its best looks, or none."""
        first, logits, best = Faces.none(), list[float](), list[float]()
        wanted, min_first = _bars(candidate, frame_bgr)
        for scale, is_mirrored in STILL_LOOKS:
            found = self.look_again(frame_bgr, candidate, scale, is_mirrored=is_mirrored)
            if not logits and len(found):
                first, (wanted, min_first) = found, _bars(found, frame_bgr)
            logits.append(logit(found))
            if logits[0] < min_first or _sum_at_best(logits) < wanted:
                return Faces.none()
            best = sorted(logits)[-COUNTED_LOOKS:]
            # Those to come score more than nothing.
            if len(best) >= COUNTED_LOOKS - 1 and sum(best) >= wanted:
                break
        return replace(first, scores=np.array([sigmoid(sum(best) / len(best))], np.float32))

    def _run(self, frame_bgr: Frame, region: Region, min_score: float) -> Faces:
        # Only the threads of the search come here: those that ask are many, and each would keep a network.
        return self._networks.of().find(frame_bgr, region, min_score)

    def _find_wide(self, frame_bgr: Frame, block: Region) -> Faces:
        return self._networks.of(BLOCK_SIZE).find(frame_bgr, block, self._options.min_candidate_score)

    def _share(self, find: Callable[[_Item], Faces], items: Sequence[_Item]) -> list[Faces]:
        """What `find` gives for each, in that order, by all threads."""
        return list(self._pool.map(find, items))


def _bars(face: Faces, frame_bgr: Frame) -> tuple[float, float]:
    """What the best looks at a box must add up to, and what the first must have."""
    if is_small_face(face, frame_bgr):
        return COUNTED_LOOKS * MIN_LOGIT, MIN_FIRST_LOGIT
    return COUNTED_LOOKS * MIN_LARGE_LOGIT, MIN_FIRST_LOGIT - 1


def _sum_at_best(logits: list[float]) -> float:
    """What the looks can still add up to."""
    to_come = [BEST_SMALL_LOGIT] * (len(STILL_LOOKS) - len(logits))
    return sum(sorted([*logits, *to_come])[-COUNTED_LOOKS:])


def _textured(frame_bgr: Frame) -> NDArray[np.bool_]:
    """Where neighbours differ, by cells: bool (height / 8, width / 8)."""
    height, width = frame_bgr.shape[:2]
    size = (max(1, width // RANGE_CELL), max(1, height // RANGE_CELL))
    cells = cv2.resize(frame_bgr, size, interpolation=cv2.INTER_AREA).max(axis=2)
    around = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.dilate(cells, around) - cv2.erode(cells, around) >= MIN_RANGE)


def _has_any(textured: NDArray[np.bool_], block: Region) -> bool:
    left, top, right, bottom = (int(edge // RANGE_CELL) for edge in _edges(block))
    return bool(textured[max(0, top) : bottom + 1, max(0, left) : right + 1].any())


def _is_inside(block: Region, faces: Faces) -> bool:
    left, top, right, bottom = _edges(block)
    boxes = faces.xyxy
    return bool(
        (
            (boxes[:, 0] <= left) & (boxes[:, 1] <= top) & (boxes[:, 2] >= right) & (boxes[:, 3] >= bottom)
        ).any()
    )


def _edges(block: Region) -> tuple[float, float, float, float]:
    half = block.side / 2
    return block.centre_x - half, block.centre_y - half, block.centre_x + half, block.centre_y + half
