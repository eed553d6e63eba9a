"""Values that travel between the stages of the pipeline."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""uint8 (height, width, 3), OpenCV colour order (blue, green, red)."""

NO_POINTS = np.full((0, 4, 2), np.nan, np.float32)


@dataclass(frozen=True)
class Faces:
    """The faces of one frame, best first.

    Attributes:
        xyxy: float32 (N, 4), left, top, right, bottom in frame pixels; may reach over the frame's edge.
        scores: float32 (N,), the detector's certainty, 0-1.
        eyes_xy: float32 (N, 2, 2), the eye on the image's left, then the one on its right, in frame
            pixels; NaN where the detector gives no eyes.
        points_xy: float32 (N, 4, 2), nose, mouth, the ear on the image's left, then the one on its right, in
            frame pixels; NaN where the detector gives none. Left out, all are NaN.
    """

    xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    eyes_xy: NDArray[np.float32]
    points_xy: NDArray[np.float32] = field(default_factory=lambda: NO_POINTS)

    def __post_init__(self) -> None:
        count = len(self.xyxy)
        if self.points_xy is NO_POINTS and count:
            object.__setattr__(self, "points_xy", np.full((count, 4, 2), np.nan, np.float32))
        shapes = (self.xyxy.shape, self.scores.shape, self.eyes_xy.shape, self.points_xy.shape)
        if shapes != ((count, 4), (count,), (count, 2, 2), (count, 4, 2)):
            raise ValueError(f"Faces need shapes (N, 4), (N,), (N, 2, 2), (N, 4, 2), got {shapes}")
        if np.any(self.xyxy[:, 2:] <= self.xyxy[:, :2]):
            raise ValueError("Faces need boxes with right > left and bottom > top")

    def __len__(self) -> int:
        return len(self.xyxy)

    def take(self, index: NDArray[np.intp] | list[int]) -> "Faces":
        """The faces at these positions, in this order."""
        chosen = np.asarray(index, dtype=np.intp)
        return Faces(self.xyxy[chosen], self.scores[chosen], self.eyes_xy[chosen], self.points_xy[chosen])

    @staticmethod
    def none() -> "Faces":
        """A frame without faces."""
        return Faces(
            np.zeros((0, 4), np.float32), np.zeros((0,), np.float32), np.zeros((0, 2, 2), np.float32)
        )
