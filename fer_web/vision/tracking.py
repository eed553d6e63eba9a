"""Tells which face is which from frame to frame, and takes in newcomers."""

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from math import isfinite
from typing import Final

import numpy as np

from fer_web.vision.boxes import Boxes, centres, iou_matrix, join_faces, longer_sides
from fer_web.vision.changes import ChangeWatch
from fer_web.vision.faces import FaceDetector
from fer_web.vision.newcomers import CAMERA_PACE_S, LOST_INTERVAL_S, NewcomerSearch
from fer_web.vision.types import Faces, Frame

SAME_FACE_IOU: Final = 0.3
"""Boxes of one face in neighbouring frames overlap by more than this."""

MAX_JUMP_SIDES: Final = 1.0
MAX_SIZE_RATIO: Final = 1.8
"""A face that came back is the lost one if its centre is within one side of where it was expected and its
size is alike."""

MAX_GLIDE_S: Final = 0.25
MAX_GLIDE_SIDES: Final = 1.0
"""A lost face is expected to move on for this long and this far, then to stay."""

MIN_STEP_S: Final = 0.005
"""A displacement over less time than this says nothing about the velocity."""

ASSUMED_STEP_S: Final = CAMERA_PACE_S
"""Two frames whose times do not say are this far apart: a camera's usual pace."""

MAX_STEP_S: Final = 10.0
"""A longer pause between two frames counts as this long: everybody unseen is forgotten by then."""

PACE_STEPS: Final = 5
"""The shortest of this many last steps is the stream's pace: one late frame says nothing about it."""

VELOCITY_SHARE: Final = 0.5
"""The newest displacement enters a track's velocity by this share."""


CLEAR_SCORE: Final = 0.75
TRIAL_FRAMES: Final = 3
"""A newcomer with a lower score is shown once it was found again in so many frames in a row: a pattern that
looks like a face does so in a frame here and there, and a live stream gives it many chances."""


@dataclass(frozen=True)
class TrackedFaces:
    """The faces of one frame with their ids.

    Attributes:
        faces: what is visible now, oldest track first.
        ids: one for each face; stable over frames and never used again within the stream.
    """

    faces: Faces
    ids: tuple[int, ...]


@dataclass
class _Track:
    id: int | None  # None while it is on trial
    face: Faces
    seen_s: float
    trial_frames: int = TRIAL_FRAMES
    velocity: Boxes = field(default_factory=lambda: np.zeros((1, 4), np.float32))

    def expected(self, now_s: float) -> Faces:
        """The face where it should be by now, prediction by its last movement."""
        reach = longer_sides(self.face.xyxy)[0] * np.float32(MAX_GLIDE_SIDES)
        shift = np.clip(self.velocity * np.float32(min(now_s - self.seen_s, MAX_GLIDE_S)), -reach, reach)
        eyes_shift = shift[:, None, :2]
        return Faces(self.face.xyxy + shift, self.face.scores, self.face.eyes_xy + eyes_shift)

    def see(self, face: Faces, now_s: float) -> None:
        passed_s = now_s - self.seen_s
        if passed_s >= MIN_STEP_S:
            moved = (centres(face.xyxy) - centres(self.face.xyxy)) / passed_s
            blended = self.velocity * (1 - VELOCITY_SHARE) + np.tile(moved, 2) * VELOCITY_SHARE
            self.velocity = blended.astype(np.float32)
        self.face, self.seen_s = face, now_s


class FaceTracker:
    """Follows the faces of one stream. It holds no detector, so any thread's detector may serve any frame."""

    def __init__(self, search_interval_s: float = 1.0, keep_lost_s: float = 0.8, max_faces: int = 16) -> None:
        """Set the limits of one stream.

        Args:
            search_interval_s: the time in which the whole frame is searched for newcomers, part by part.
            keep_lost_s: how long an unseen face keeps its id.
            max_faces: faces followed at once; bounds the time spent on one frame.
        """
        self._newcomers = NewcomerSearch(search_interval_s)
        self._changes = ChangeWatch()
        self._keep_lost_s = keep_lost_s
        self._max_faces = self._allowed_faces = max_faces
        self._ids = count(1)
        self._tracks: list[_Track] = []
        self._last_time_s: float | None = None
        self._now_s = 0.0
        self._steps_s: deque[float] = deque(maxlen=PACE_STEPS)
        self._size_hw: tuple[int, int] | None = None

    def update(
        self, frame_bgr: Frame, time_s: float, detector: FaceDetector, max_faces: int | None = None
    ) -> TrackedFaces:
        """Find the known faces in the next frame, and do a share of the search for newcomers.

        Args:
            frame_bgr: uint8 (H, W, 3); may change its size within the stream.
            time_s: when the frame was captured. Where it does not move on, a camera's pace is assumed.
            max_faces: fewer than the stream's limit; the faces that are known longest are kept.
        """
        self._allowed_faces = min(self._max_faces, max_faces or self._max_faces)
        self._tracks = self._tracks[: self._allowed_faces]
        was_seen = any(map(self._is_visible, self._tracks))
        self._advance_clock(time_s)
        self._follow_size((frame_bgr.shape[0], frame_bgr.shape[1]))
        self._follow_known(frame_bgr, detector)
        self._watch_for_cuts(frame_bgr, was_seen=was_seen)
        self._try_newcomers()
        self._take_in(self._search(frame_bgr, detector))
        self._tracks = [track for track in self._tracks if self._now_s - track.seen_s <= self._keep_lost_s]
        shown = {track.id: track.face for track in self._tracks if track.id and self._is_visible(track)}
        return TrackedFaces(join_faces(list(shown.values())), tuple(shown))

    def _try_newcomers(self) -> None:
        """Name those that were found again often enough, and forget those that were not."""
        self._tracks = [track for track in self._tracks if track.id or self._is_visible(track)]
        for track in self._tracks:
            if track.id is None:
                track.trial_frames -= 1
                track.id = None if track.trial_frames else next(self._ids)

    def _watch_for_cuts(self, frame_bgr: Frame, *, was_seen: bool) -> None:
        """Let the search begin again where the picture is another one, or everybody is lost at once."""
        change = self._changes.look(frame_bgr)
        self._newcomers.notice(change.places_xy, self._now_s, self._faces(is_visible=True))
        if change.is_cut:
            self._newcomers.begin_again(self._now_s)
        elif was_seen and not any(map(self._is_visible, self._tracks)):
            self._newcomers.begin_again(self._now_s, LOST_INTERVAL_S)

    def _search(self, frame_bgr: Frame, detector: FaceDetector) -> Faces:
        return self._newcomers.search(
            frame_bgr,
            self._now_s,
            detector,
            known=self._faces(is_visible=True),
            missing=self._faces(is_visible=False),
            pace=round(min(self._steps_s, default=ASSUMED_STEP_S) / CAMERA_PACE_S),
        )

    def _faces(self, *, is_visible: bool) -> Faces:
        """The tracks' faces: those of this frame, or the lost ones where they are expected."""
        chosen = [track for track in self._tracks if self._is_visible(track) == is_visible]
        return join_faces([track.expected(self._now_s) for track in chosen])

    def _is_visible(self, track: _Track) -> bool:
        return track.seen_s == self._now_s

    def _advance_clock(self, time_s: float) -> None:
        # The client's clock may stand still, be set back or be nonsense; ours only moves on, in steps that a
        # float can still add up. Were it to stand still, no search for newcomers would ever be due.
        passed_s = 0.0
        if isfinite(time_s):
            passed_s = time_s - self._last_time_s if self._last_time_s is not None else 0.0
            self._last_time_s = time_s
        step_s = min(passed_s if passed_s > 0 else ASSUMED_STEP_S, MAX_STEP_S)
        self._now_s += step_s
        if passed_s > 0:
            self._steps_s.append(step_s)

    def _follow_size(self, size_hw: tuple[int, int]) -> None:
        """Carry the tracks over when the client changes the size of its frames."""
        if self._size_hw is not None and size_hw != self._size_hw:
            factor_xy = np.array([size_hw[1] / self._size_hw[1], size_hw[0] / self._size_hw[0]], np.float32)
            factor = np.tile(factor_xy, 2)
            for track in self._tracks:
                face = track.face
                track.face = Faces(face.xyxy * factor, face.scores, face.eyes_xy * factor_xy)
                track.velocity = track.velocity * factor
        self._size_hw = size_hw

    def _follow_known(self, frame_bgr: Frame, detector: FaceDetector) -> None:
        pairs: list[tuple[float, _Track, Faces]] = []
        for track in self._tracks:
            expected = track.expected(self._now_s)
            found = detector.look_near(frame_bgr, expected)
            if len(found) and self._distance(track, found) <= MAX_JUMP_SIDES:
                pairs.append((float(iou_matrix(expected.xyxy, found.xyxy)[0, 0]), track, found.take([0])))
        # Two tracks may have found one face, when people cross: it belongs to the one expected closest to it.
        taken: list[Faces] = []
        for _, track, found in sorted(pairs, key=lambda pair: -pair[0]):
            if not (iou_matrix(found.xyxy, join_faces(taken).xyxy) > SAME_FACE_IOU).any():
                track.see(found, self._now_s)
                taken.append(found)

    def _take_in(self, found: Faces) -> None:
        """Match what the search found with the tracks; what matches none starts a new one."""
        for index in range(len(found)):
            face = found.take([index])
            if any(self._is_visible(track) and _overlap(track.face, face) for track in self._tracks):
                continue
            lost = [track for track in self._tracks if not self._is_visible(track)]
            same = min(lost, key=lambda track: self._distance(track, face), default=None)
            if same is not None and self._distance(same, face) <= MAX_JUMP_SIDES:
                same.see(face, self._now_s)
            elif len(self._tracks) < self._allowed_faces:
                is_clear = float(face.scores[0]) >= CLEAR_SCORE
                self._tracks.append(_Track(next(self._ids) if is_clear else None, face, self._now_s))

    def _distance(self, track: _Track, face: Faces) -> float:
        """Measure from an expected track to a face, in track sides; infinite if sizes differ."""
        expected = track.expected(self._now_s)
        side, face_side = float(longer_sides(expected.xyxy)[0]), float(longer_sides(face.xyxy)[0])
        if max(side, face_side) > MAX_SIZE_RATIO * min(side, face_side):
            return float("inf")
        return float(np.linalg.norm(centres(expected.xyxy) - centres(face.xyxy))) / side


def _overlap(first: Faces, second: Faces) -> bool:
    return bool(iou_matrix(first.xyxy, second.xyxy)[0, 0] > SAME_FACE_IOU)
