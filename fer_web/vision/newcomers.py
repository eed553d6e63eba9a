"""The search for newcomers in a live stream, spread over its frames so that each takes about as long."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.vision.boxes import iou_matrix, join_faces
from fer_web.vision.faces import FaceDetector
from fer_web.vision.regions import SearchPart
from fer_web.vision.types import Faces, Frame

PASSES_A_FRAME: Final = 1
CHECKS_A_FRAME: Final = 1
"""A frame has at most one pass and the looks at one candidate: four runs of BlazeFace, of which a tracked
face takes one."""

HURRIED_PASSES: Final = 4
HURRIED_CHECKS: Final = 2
"""The same while a stream begins and after a cut, when everybody may be new: ten runs. All of a 640x480
frame is searched after five frames."""

CAMERA_PACE_S: Final = 1 / 30
MAX_PACE: Final = 30
"""Where frames are further apart than a camera's, each does as much more of the work, up to this."""

RETRY_INTERVAL_S: Final = 0.2
"""A part of the frame in which somebody is missing is searched again after this, and a cut counts no sooner
after another: an empty room must stay cheap."""

MOVED_S: Final = 0.3
MOVED_SHARE: Final = 0.35
MAX_MOVED: Final = 8
"""Where something moved, the parts that have it near their middle, within this share of their side, are
searched as soon for this time: it may be somebody who comes."""

BESIDE_KNOWN: Final = 1.0
"""What moves within so many boxes of a known face is that person."""

LOST_INTERVAL_S: Final = 1.0
"""The same for frames in which all faces are lost at once: perhaps a cut, perhaps one face that flickers."""

MAX_WAITING: Final = 12
MAX_WAITING_FRAMES: Final = 6
"""Candidates that wait for their check, and how long: people move, and the next pass finds them again."""

CLEAR_SCORE: Final = 0.6
MAX_CLEAR: Final = 64
CLEAR_FRAMES: Final = 36
"""The same for candidates that score so much: in a call of many people, all of them wait when it begins. No
pattern of a wall scores so."""

REJECTED_S: Final = 1.0
MAX_REJECTED: Final = 64
MIN_RISE: Final = 0.15
SAME_PLACE_IOU: Final = 0.5
"""A pattern that was no face is not looked at again for this time at its place, unless it scores more by
this: a textured wall would take all looks, and have many chances to pass for a face."""

SAME_FACE_IOU: Final = 0.3
"""A candidate that overlaps another or a known face by more is the same."""


@dataclass(frozen=True, eq=False)
class _Candidate:
    face: Faces
    frame_number: int

    @property
    def score(self) -> float:
        return float(self.face.scores[0])


@dataclass(frozen=True, eq=False)
class _Rejected:
    face: Faces
    at_s: float


class NewcomerSearch:
    """What a stream's search remembers. It holds no detector: see `FaceTracker`."""

    def __init__(self, search_interval_s: float) -> None:
        """Args: search_interval_s: the time in which the whole frame is searched, tile by tile."""
        self._search_interval_s = search_interval_s
        self._size_hw: tuple[int, int] | None = None
        self._parts: tuple[SearchPart, ...] = ()
        self._searched_s: dict[SearchPart, float] = {}
        self._waiting: list[_Candidate] = []
        self._rejected: list[_Rejected] = []
        self._frame_number = 0
        self._cut_s: float | None = None
        self._moved: list[tuple[float, float, float]] = []

    def notice(self, places_xy: NDArray[np.float32], now_s: float, known: Faces) -> None:
        """Search soon where something moved that is no known face.

        Args:
            places_xy: float32 (N, 2), frame pixels.
            known: the faces of this frame.
        """
        self._moved = [each for each in self._moved if now_s - each[2] < MOVED_S]
        self._moved += [(x, y, now_s) for x, y in places_xy.tolist() if not _is_beside_any(x, y, known)]
        self._moved = self._moved[-MAX_MOVED:]

    def begin_again(self, now_s: float, min_gap_s: float = RETRY_INTERVAL_S) -> None:
        """Search all parts soon, because the scene may have been cut; not if it just was."""
        if self._cut_s is None or now_s - self._cut_s >= min_gap_s:
            self._cut_s = now_s
            self._searched_s, self._waiting, self._rejected = {}, [], []

    def search(
        self,
        frame_bgr: Frame,
        now_s: float,
        detector: FaceDetector,
        *,
        known: Faces,
        missing: Faces,
        pace: int,
    ) -> Faces:
        """Do this frame's share of the search.

        Args:
            frame_bgr: uint8 (H, W, 3).
            now_s: time of the stream.
            known: the faces of this frame that were found already.
            missing: faces that were lost, where they are expected; their surroundings are searched first.
            pace: how many times further than a camera's the stream's frames are apart.
        Returns: the faces found, at their places in this frame.
        """
        self._frame_number += 1
        self._follow_size((frame_bgr.shape[0], frame_bgr.shape[1]), detector)
        is_hurried = self._is_hurried()
        share = min(max(1, pace), MAX_PACE)
        for part in self._due_parts(now_s, known, missing)[
            : share * (HURRIED_PASSES if is_hurried else PASSES_A_FRAME)
        ]:
            self._searched_s[part] = now_s
            self._line_up(detector.find(frame_bgr, part))
        self._forget(now_s)
        checks = share * (HURRIED_CHECKS if is_hurried else CHECKS_A_FRAME)
        return self._check_waiting(frame_bgr, now_s, detector, known, checks)

    def _follow_size(self, size_hw: tuple[int, int], detector: FaceDetector) -> None:
        if size_hw != self._size_hw:
            self._size_hw = size_hw
            self._parts = detector.parts(*size_hw)
            self._searched_s, self._waiting, self._rejected = {}, [], []

    def _is_hurried(self) -> bool:
        return any(part not in self._searched_s for part in self._parts)

    def _due_parts(self, now_s: float, known: Faces, missing: Faces) -> list[SearchPart]:
        """The parts whose time has come, the most overdue first; those never searched in their order."""
        is_empty = not len(known) and not len(missing)
        overdue: list[tuple[float, SearchPart]] = []
        for part in self._parts:
            is_promising = (
                _contains_any(part, missing) or self._has_moved(part) or (is_empty and part is self._parts[0])
            )
            interval_s = part.interval * self._search_interval_s
            interval_s = min(interval_s, RETRY_INTERVAL_S) if is_promising else interval_s
            since_s = now_s - self._searched_s.get(part, float("-inf"))
            if since_s >= interval_s:
                overdue.append((since_s / interval_s, part))
        return [part for _, part in sorted(overdue, key=lambda pair: -pair[0])]

    def _has_moved(self, part: SearchPart) -> bool:
        region = part.region
        reach = MOVED_SHARE * region.side
        return any(
            max(abs(x - region.centre_x), abs(y - region.centre_y)) <= reach for x, y, _ in self._moved
        )

    def _line_up(self, found: Faces) -> None:
        for index in range(len(found)):
            candidate = _Candidate(found.take([index]), self._frame_number)
            same = [each for each in self._waiting if _overlap(each.face, candidate.face) > SAME_FACE_IOU]
            if all(each.score < candidate.score for each in same):
                self._waiting = [each for each in self._waiting if each not in same] + [candidate]

    def _forget(self, now_s: float) -> None:
        self._rejected = [each for each in self._rejected if now_s - each.at_s < REJECTED_S]
        waiting = [each for each in self._waiting if self._may_wait(each) and not self._is_rejected(each)]
        waiting.sort(key=lambda each: -each.score)
        clear = sum(each.score >= CLEAR_SCORE for each in waiting)
        self._waiting = waiting[: max(MAX_WAITING, min(clear, MAX_CLEAR))]

    def _may_wait(self, candidate: _Candidate) -> bool:
        frames = CLEAR_FRAMES if candidate.score >= CLEAR_SCORE else MAX_WAITING_FRAMES
        return candidate.frame_number > self._frame_number - frames

    def _check_waiting(
        self, frame_bgr: Frame, now_s: float, detector: FaceDetector, known: Faces, checks: int
    ) -> Faces:
        found: list[Faces] = []
        while self._waiting and checks > 0:
            candidate = self._waiting.pop(0)
            if not _overlaps_any(candidate.face, join_faces([known, *found])):
                face = detector.check(frame_bgr, candidate.face)
                checks -= detector.has_checks
                if not len(face):
                    self._rejected = [*self._rejected, _Rejected(candidate.face, now_s)][-MAX_REJECTED:]
                elif not _overlaps_any(face, join_faces([known, *found])):
                    found.append(face)
        return join_faces(found)

    def _is_rejected(self, candidate: _Candidate) -> bool:
        return any(
            _overlap(each.face, candidate.face) > SAME_PLACE_IOU
            and candidate.score < float(each.face.scores[0]) + MIN_RISE
            for each in self._rejected
        )


def _contains_any(part: SearchPart, faces: Faces) -> bool:
    return any(
        part.region.contains((left + right) / 2, (top + bottom) / 2)
        for left, top, right, bottom in faces.xyxy.tolist()
    )


def _is_beside_any(x: float, y: float, faces: Faces) -> bool:
    return any(
        left - BESIDE_KNOWN * (right - left) <= x <= right + BESIDE_KNOWN * (right - left)
        and top - BESIDE_KNOWN * (bottom - top) <= y <= bottom + BESIDE_KNOWN * (bottom - top)
        for left, top, right, bottom in faces.xyxy.tolist()
    )


def _overlap(first: Faces, second: Faces) -> float:
    return float(iou_matrix(first.xyxy, second.xyxy)[0, 0])


def _overlaps_any(face: Faces, others: Faces) -> bool:
    return bool((iou_matrix(face.xyxy, others.xyxy) > SAME_FACE_IOU).any())
