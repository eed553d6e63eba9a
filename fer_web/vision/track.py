"""What a stream remembers of one face: where it is, how it moves, and what it looks like."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from fer_web.vision.appearance import Appearance, difference
from fer_web.vision.boxes import Boxes, centres, longer_sides
from fer_web.vision.types import Faces

MAX_GLIDE_S: Final = 0.25
MAX_GLIDE_SIDES: Final = 1.0
"""A lost face is expected to move on for this long and this far, then to stay."""

MIN_STEP_S: Final = 0.005
"""A displacement over less time than this says nothing about the velocity."""

VELOCITY_SHARE: Final = 0.5
"""The newest displacement enters a track's velocity by this share."""

MAX_LOOKS: Final = 4
NEW_LOOK: Final = 0.4
LOOK_SHARE: Final = 0.3
"""A face has so many remembered looks, of a head that turns; one that differs by less is blended in."""

DESCRIBE_INTERVAL_S: Final = 0.3
"""A face that nobody is near is described this often."""


@dataclass(eq=False)
class Track:
    """One face over several frames; without an id while it is on trial."""

    id: int | None
    face: Faces
    seen_s: float
    trial_frames: int = 0
    velocity: Boxes = field(default_factory=lambda: np.zeros((1, 4), np.float32))
    looks: list[Appearance] = field(default_factory=list)
    described_s: float = float("-inf")

    def expected(self, now_s: float) -> Faces:
        """The face where it should be by now, by its last movement."""
        reach = longer_sides(self.face.xyxy)[0] * np.float32(MAX_GLIDE_SIDES)
        shift = np.clip(self.velocity * np.float32(min(now_s - self.seen_s, MAX_GLIDE_S)), -reach, reach)
        eyes_shift = shift[:, None, :2]
        return Faces(
            self.face.xyxy + shift,
            self.face.scores,
            self.face.eyes_xy + eyes_shift,
            self.face.points_xy + eyes_shift,
        )

    def see(self, face: Faces, now_s: float) -> None:
        """Take the face where it is now."""
        passed_s, shift = now_s - self.seen_s, centres(face.xyxy) - centres(self.face.xyxy)
        if np.abs(shift).max() > longer_sides(face.xyxy)[0] * MAX_GLIDE_SIDES:
            # It did not glide there: it was away, or the picture was cut.
            self.velocity = np.zeros_like(self.velocity)
        elif passed_s >= MIN_STEP_S:
            moved = np.tile(shift / passed_s, 2)
            self.velocity = (self.velocity * (1 - VELOCITY_SHARE) + moved * VELOCITY_SHARE).astype(np.float32)
        self.face, self.seen_s = face, now_s

    def rescale(self, factor_xy: Boxes) -> None:
        """Follow a change of the frame's size. Args: factor_xy: float32 (2,)."""
        factor = np.tile(factor_xy, 2)
        self.face = Faces(
            self.face.xyxy * factor,
            self.face.scores,
            self.face.eyes_xy * factor_xy,
            self.face.points_xy * factor_xy,
        )
        self.velocity = self.velocity * factor

    def unlikeness(self, look: Appearance | None) -> float | None:
        """How unlike the nearest remembered look is; None where there is nothing to compare."""
        if look is None or not self.looks:
            return None
        return min(difference(each, look) for each in self.looks)

    def remember(self, look: Appearance | None, now_s: float) -> None:
        """Learn what the face looks like now."""
        self.described_s = now_s
        if look is None:
            return
        unlike = [difference(each, look) for each in self.looks]
        if not unlike or min(unlike) > NEW_LOOK:
            # The first look stays: it is from when nobody else was taken for this face.
            self.looks = [*self.looks[:1], *self.looks[1:][-(MAX_LOOKS - 2) :], look]
        else:
            nearest = int(np.argmin(unlike))
            self.looks[nearest] = self.looks[nearest] * (1 - LOOK_SHARE) + look * LOOK_SHARE
