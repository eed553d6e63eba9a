"""Measures how far a face leans to the side."""

from math import atan2, isfinite, radians
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_ROLL_RAD: Final = radians(60)
"""People in front of a camera rarely lean further, but confused eye points may."""


def roll_rad_by_eyes(eyes_xy: NDArray[np.float32]) -> float:
    """Angle of the line between the eyes, clockwise on the screen, within +-60 degrees.

    Args:
        eyes_xy: float32 (2, 2), the eye on the image's left, then the one on its right.
    Returns: radians; 0 when the eyes are unknown (NaN) or further turned than is plausible.
    """
    (left_x, left_y), (right_x, right_y) = eyes_xy.tolist()
    roll_rad = atan2(right_y - left_y, right_x - left_x)
    return roll_rad if isfinite(roll_rad) and abs(roll_rad) <= MAX_ROLL_RAD else 0.0
