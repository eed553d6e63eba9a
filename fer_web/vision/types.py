"""Values that travel between the stages of the pipeline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""uint8 (height, width, 3), OpenCV colour order (blue, green, red)."""


@dataclass(frozen=True)
class Faces:
    """The faces of one frame, best first.

    Attributes:
        xyxy: float32 (N, 4), left, top, right, bottom in frame pixels; may reach over the frame's edge.
        scores: float32 (N,), the detector's certainty, 0-1.
        eyes_xy: float32 (N, 2, 2), the eye on the image's left, then the one on its right, in frame
            pixels; NaN where the detector gives no eyes.
    """

    xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    eyes_xy: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.xyxy)
        shapes = (self.xyxy.shape, self.scores.shape, self.eyes_xy.shape)
        if shapes != ((count, 4), (count,), (count, 2, 2)):
            raise ValueError(f"Faces need shapes (N, 4), (N,), (N, 2, 2), got {shapes}")
        if np.any(self.xyxy[:, 2:] <= self.xyxy[:, :2]):
            raise ValueError("Faces need boxes with right > left and bottom > top")

    def __len__(self) -> int:
        return len(self.xyxy)

    def take(self, index: NDArray[np.intp] | list[int]) -> "Faces":
        """The faces at these positions, in this order."""
        chosen = np.asarray(index, dtype=np.intp)
        return Faces(self.xyxy[chosen], self.scores[chosen], self.eyes_xy[chosen])

    @staticmethod
    def none() -> "Faces":
        """A frame without faces."""
        return Faces(
            np.zeros((0, 4), np.float32), np.zeros((0,), np.float32), np.zeros((0, 2, 2), np.float32)
        )
