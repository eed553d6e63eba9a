"""Tells which face is which from frame to frame, and takes in newcomers."""

from collections import deque
from dataclasses import dataclass
from itertools import count
from math import inf, isfinite
from typing import Final

import numpy as np

from fer_web.vision.appearance import Appearance, describe
from fer_web.vision.assignment import assign
from fer_web.vision.boxes import centres, iou_matrix, join_faces, longer_sides
from fer_web.vision.changes import Change, ChangeWatch
from fer_web.vision.faces import FaceDetector
from fer_web.vision.newcomers import CAMERA_PACE_S, LOST_INTERVAL_S, NewcomerSearch
from fer_web.vision.track import DESCRIBE_INTERVAL_S, Track
from fer_web.vision.types import Faces, Frame

SAME_FACE_IOU: Final = 0.3
"""Boxes of one face in neighbouring frames overlap by more than this."""

MAX_JUMP_SIDES: Final = 1.0
MAX_SIZE_RATIO: Final = 1.8
"""A face that came back is the lost one if its centre is within one side of where it was expected and its
size is alike; or wherever it is, if it looks alike."""

KEEP_PLACE_S: Final = 0.8
"""Where a face was lost says for this long who is found there; it is looked for there as long."""

ASSUMED_STEP_S: Final = CAMERA_PACE_S
"""Two frames whose times do not say are this far apart: a camera's usual pace."""

MAX_STEP_S: Final = 10.0
"""A longer pause between two frames counts as this long: everybody unseen is forgotten by then."""

PACE_STEPS: Final = 5
"""The shortest of this many last steps is the stream's pace: one late frame says nothing about it."""

CLEAR_SCORE: Final = 0.75
TRIAL_FRAMES: Final = 3
"""A newcomer with a lower score is shown once it was found again in so many frames in a row: a pattern that
looks like a face does so in a frame here and there, and a live stream gives it many chances."""

ALIKE: Final = 0.6
ALIKE_NEAR: Final = 0.75
"""A face that is less unlike a lost one is the same: anywhere, and where that one was just lost. Of different
people's faces 1 % are, and of the same person's 3 to 4 % are not."""

MAYBE_ALIKE: Final = 0.85
MAYBE_FRAMES: Final = 4
"""A newcomer between the two gets so many frames to be known again, before it gets a number of its own."""

LOOK_WEIGHT: Final = 3.0
"""What a difference of looks costs, where a difference of one side of a face costs 1."""

NEAR_IOU: Final = 0.05
"""A face that overlaps another by more may be covered, and is not described."""

MAX_LOST_TRACKS: Final = 20
"""Faces of a stream that are remembered while they are not seen."""


LEFT_OUT_S: Final = 1.5
MAX_LEFT_OUT: Final = 64
"""Faces beyond the limit are remembered for about as long as a search takes, to tell how many there are."""


@dataclass(frozen=True)
class TrackedFaces:
    """The faces of one frame with their ids.

    Attributes:
        faces: what is visible now, oldest track first.
        ids: one for each face; stable over frames and never used again within the stream.
    """

    faces: Faces
    ids: tuple[int, ...]


class FaceTracker:
    """Follows the faces of one stream. It holds no detector, so any thread's detector may serve any frame."""

    def __init__(self, search_interval_s: float = 1.0, keep_lost_s: float = 4.0, max_faces: int = 16) -> None:
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
        self._left_out: list[tuple[Faces, float]] = []
        self.most_left_out = 0
        self._ids = count(1)
        self._tracks: list[Track] = []
        self._cut_s = -inf
        self._last_time_s: float | None = None
        self._now_s = self._previous_s = 0.0
        self._steps_s: deque[float] = deque(maxlen=PACE_STEPS)
        self._size_hw: tuple[int, int] | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """That faces were left out, in words, where there were more at once than the limit."""
        if not self.most_left_out:
            return ()
        total = self._max_faces + self.most_left_out
        return (f"{self._max_faces} of {total} faces shown at once: --max-faces (FER_MAX_FACES) allows more",)

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
        seen = [track for track in self._tracks if self._is_visible(track)]
        self._tracks = [track for track in self._tracks if track not in seen[self._allowed_faces :]]
        was_seen = any(map(self._is_visible, self._tracks))
        self._advance_clock(time_s)
        self._follow_size((frame_bgr.shape[0], frame_bgr.shape[1]))
        change = self._changes.look(frame_bgr)
        self._cut_s = self._now_s if change.is_cut else self._cut_s
        strangers = self._follow_known(frame_bgr, detector)
        self._guide_search(change, was_seen=was_seen)
        self._try_newcomers(frame_bgr)
        self._take_in(frame_bgr, join_faces([strangers, self._search(frame_bgr, detector)]))
        self._describe_free(frame_bgr)
        self._forget()
        visible = [track for track in self._tracks if track.id and self._is_visible(track)]
        shown = {track.id: track.face for track in visible[: self._allowed_faces] if track.id}
        return TrackedFaces(join_faces(list(shown.values())), tuple(shown))

    def _forget(self) -> None:
        kept = [track for track in self._tracks if self._now_s - track.seen_s <= self._keep_lost_s]
        lost = sorted((track for track in kept if not self._is_visible(track)), key=lambda each: each.seen_s)
        self._tracks = [track for track in kept if track not in lost[:-MAX_LOST_TRACKS]]

    def _try_newcomers(self, frame_bgr: Frame) -> None:
        """Name those that were found again often enough, and forget those that were not."""
        self._tracks = [track for track in self._tracks if track.id or self._is_visible(track)]
        for trial in [track for track in self._tracks if track.id is None]:
            trial.trial_frames -= 1
            known = self._known_again(frame_bgr, trial.face)
            if known is not None:
                known.see(trial.face, self._now_s)
                self._tracks.remove(trial)
            elif trial.trial_frames <= 0:
                trial.id = next(self._ids)

    def _known_again(self, frame_bgr: Frame, face: Faces) -> Track | None:
        """The lost one that a face on trial looks like most, if it does."""
        lost = [track for track in self._tracks if track.id and not self._is_visible(track)]
        look = describe(frame_bgr, face) if lost else None
        costs = {track: self._cost(track, face, look) for track in lost}
        best = min(costs, key=costs.__getitem__, default=None)
        return best if best is not None and isfinite(costs[best]) else None

    def _guide_search(self, change: Change, *, was_seen: bool) -> None:
        """Search where something moved, and everywhere after a cut or where everybody is lost at once."""
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
        chosen = [track for track in self._at_their_places() if self._is_visible(track) == is_visible]
        return join_faces([track.expected(self._now_s) for track in chosen])

    def _at_their_places(self) -> list[Track]:
        return [track for track in self._tracks if self._missed_s(track) <= KEEP_PLACE_S]

    def _missed_s(self, track: Track) -> float:
        """How long a face had been lost when this frame came, however long the last step was."""
        return max(0.0, self._previous_s - track.seen_s)

    def _is_visible(self, track: Track) -> bool:
        return track.seen_s == self._now_s

    def _advance_clock(self, time_s: float) -> None:
        # The client's clock may stand still, be set back or be nonsense; ours only moves on, in steps that a
        # float can still add up. Were it to stand still, no search for newcomers would ever be due.
        passed_s = 0.0
        if isfinite(time_s):
            passed_s = time_s - self._last_time_s if self._last_time_s is not None else 0.0
            self._last_time_s = time_s
        step_s = min(passed_s if passed_s > 0 else ASSUMED_STEP_S, MAX_STEP_S)
        self._previous_s = self._now_s
        self._now_s += step_s
        if passed_s > 0:
            self._steps_s.append(step_s)

    def _follow_size(self, size_hw: tuple[int, int]) -> None:
        """Carry the tracks over when the client changes the size of its frames."""
        if self._size_hw is not None and size_hw != self._size_hw:
            factor_xy = np.array([size_hw[1] / self._size_hw[1], size_hw[0] / self._size_hw[0]], np.float32)
            for track in self._tracks:
                track.rescale(factor_xy)
        self._size_hw = size_hw

    def _follow_known(self, frame_bgr: Frame, detector: FaceDetector) -> Faces:
        """Find the tracks' faces where they are expected. Returns: faces found that are none of them."""
        nearest: list[Faces] = []
        tracks = sorted(self._at_their_places(), key=lambda track: -track.seen_s)
        for track in tracks[: 2 * self._max_faces]:
            found = detector.look_near(frame_bgr, track.expected(self._now_s))
            if len(found) and not _overlaps_any(found, nearest):
                nearest.append(found)
        taken = self._match(frame_bgr, tracks, nearest)
        left = [face for index, face in enumerate(nearest) if index not in taken]
        return join_faces([face for face in left if not self._is_known(face)])

    def _match(self, frame_bgr: Frame, tracks: list[Track], found: list[Faces]) -> set[int]:
        """Give faces to tracks, so that all together fit best. Returns: the faces that were given."""
        if not tracks or not found:
            return set()
        looks = [self._look_if_in_doubt(frame_bgr, face, tracks) for face in found]
        costs = np.array(
            [
                [self._cost(track, face, look) for face, look in zip(found, looks, strict=True)]
                for track in tracks
            ]
        )
        pairs = assign(costs)
        for row, column in pairs:
            tracks[row].see(found[column], self._now_s)
        return {column for _, column in pairs}

    def _look_if_in_doubt(self, frame_bgr: Frame, face: Faces, tracks: list[Track]) -> Appearance | None:
        """What a face looks like, where its place alone does not say whose it is."""
        near = [track for track in tracks if self._distance(track, face) <= 2 * MAX_JUMP_SIDES]
        is_clear = len(near) == 1 and not self._must_look_alike(near[0])
        return None if is_clear else describe(frame_bgr, face)

    def _must_look_alike(self, track: Track) -> bool:
        """Somebody else may be at its place: it was not seen for several frames, or the scene was cut."""
        step_s = min(self._steps_s, default=ASSUMED_STEP_S)
        return self._missed_s(track) > 1.5 * step_s or track.seen_s < self._cut_s

    def _cost(self, track: Track, face: Faces, look: Appearance | None) -> float:
        """What it costs to take a face for a track's; infinite where it cannot be."""
        distance = self._distance(track, face)
        unlike = track.unlikeness(look)
        is_near = distance <= MAX_JUMP_SIDES and self._missed_s(track) <= KEEP_PLACE_S
        if unlike is None:
            return distance if is_near else inf
        if self._must_look_alike(track):
            is_cut = track.seen_s < self._cut_s
            if unlike > (ALIKE_NEAR if is_near and not is_cut else ALIKE):
                return inf
            return LOOK_WEIGHT * unlike + (0 if is_cut else min(distance, MAX_JUMP_SIDES))
        return LOOK_WEIGHT * unlike + distance if is_near else inf

    def _take_in(self, frame_bgr: Frame, found: Faces) -> None:
        """Match what the search found with the tracks; what matches none starts a new one."""
        new = [found.take([index]) for index in range(len(found))]
        new = [face for face in new if not self._is_known(face)]
        lost = [track for track in self._tracks if track.id and not self._is_visible(track)]
        taken = self._match(frame_bgr, lost, new)
        for index, face in enumerate(new):
            visible = sum(map(self._is_visible, self._tracks))
            if index in taken or self._is_known(face):
                continue
            if visible < self._allowed_faces:
                self._tracks.append(self._newcomer(frame_bgr, face))
            elif float(face.scores[0]) >= CLEAR_SCORE:
                self._leave_out(face)

    def _leave_out(self, face: Faces) -> None:
        """Count a face that is one too many, once in LEFT_OUT_S."""
        others = [
            each
            for each in self._left_out
            if self._now_s - each[1] < LEFT_OUT_S and not _overlaps_any(face, [each[0]])
        ]
        self._left_out = [*others, (face, self._now_s)][-MAX_LEFT_OUT:]
        self.most_left_out = max(self.most_left_out, len(self._left_out))

    def _newcomer(self, frame_bgr: Frame, face: Faces) -> Track:
        look = describe(frame_bgr, face)
        lost = [track for track in self._tracks if track.id and not self._is_visible(track)]
        unlike = [track.unlikeness(look) for track in lost]
        is_doubtful = any(each is not None and each <= MAYBE_ALIKE for each in unlike)
        trial = MAYBE_FRAMES if is_doubtful else 0
        trial = max(trial, 0 if float(face.scores[0]) >= CLEAR_SCORE else TRIAL_FRAMES)
        track = Track(None if trial else next(self._ids), face, self._now_s, trial)
        track.remember(look, self._now_s)
        return track

    def _is_known(self, face: Faces) -> bool:
        return _overlaps_any(face, [track.face for track in self._tracks if self._is_visible(track)])

    def _describe_free(self, frame_bgr: Frame) -> None:
        """Learn from time to time what each face looks like that no other one covers or may be."""
        near = self._at_their_places()
        expected = join_faces([track.expected(self._now_s) for track in near]).xyxy
        overlaps = iou_matrix(expected, expected)
        for index, track in enumerate(near):
            is_due = self._now_s - track.described_s >= DESCRIBE_INTERVAL_S
            is_free = int((overlaps[index] > NEAR_IOU).sum()) == 1
            if is_due and is_free and self._is_visible(track):
                track.remember(describe(frame_bgr, track.face), self._now_s)

    def _distance(self, track: Track, face: Faces) -> float:
        """Measure from an expected track to a face, in track sides; infinite if sizes differ."""
        expected = track.expected(self._now_s)
        side, face_side = float(longer_sides(expected.xyxy)[0]), float(longer_sides(face.xyxy)[0])
        if max(side, face_side) > MAX_SIZE_RATIO * min(side, face_side):
            return inf
        return float(np.linalg.norm(centres(expected.xyxy) - centres(face.xyxy))) / side


def _overlaps_any(face: Faces, others: list[Faces]) -> bool:
    return bool((iou_matrix(face.xyxy, join_faces(others).xyxy) > SAME_FACE_IOU).any())
