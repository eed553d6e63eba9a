"""Square, possibly turned regions of a frame: cut them out, and map points found in them back."""

from dataclasses import dataclass
from math import ceil, cos, floor, sin

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""uint8 (height, width, channels)."""


@dataclass(frozen=True)
class Region:
    """A square in a frame, turned by `roll_rad` (clockwise on the screen), then perhaps mirrored sideways."""

    centre_x: float
    centre_y: float
    side: float
    roll_rad: float = 0.0
    is_mirrored: bool = False

    def axes(self) -> NDArray[np.float64]:
        """float64 (2, 2): columns are the region's x and y axis in frame pixels, as long as its side."""
        turn = np.array([[cos(self.roll_rad), -sin(self.roll_rad)], [sin(self.roll_rad), cos(self.roll_rad)]])
        mirror = np.array([-1, 1]) if self.is_mirrored else 1
        return np.asarray(turn * mirror * self.side, np.float64)

    def contains(self, x: float, y: float) -> bool:
        """Tell whether a point of the frame lies in the upright square."""
        return max(abs(x - self.centre_x), abs(y - self.centre_y)) <= self.side / 2

    def to_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map points (..., 2) from 0-1 inside the region to frame pixels."""
        offset = np.array([self.centre_x, self.centre_y])
        return np.asarray((points - 0.5) @ self.axes().T + offset, np.float32)


@dataclass(frozen=True)
class SearchPart:
    """A region that a live search looks at in one pass.

    Attributes:
        region: where.
        interval: time after which it is searched again, in units of the stream's search interval.
    """

    region: Region
    interval: float


def whole_frame(height: int, width: int) -> Region:
    """The smallest square around a frame (letterboxing: the missing strips are filled)."""
    return Region(width / 2, height / 2, float(max(height, width)))


def cut_region(image: Image, region: Region, size: int, border: int = cv2.BORDER_CONSTANT) -> Image:
    """Resample a region to `size` x `size` pixels, without aliasing.

    Shrinking goes in halves (each pixel the mean of four; 0.06 ms for a 640x480 frame where one INTER_AREA
    resize to the same size takes 0.2 ms), the remaining factor below 2, the turn and the part outside the
    frame in one bilinear warp.

    Args:
        image: uint8 (H, W, 3). Not modified.
        border: OpenCV border mode for what lies outside the image (BORDER_CONSTANT fills black).
    Returns: uint8 (size, size, 3).
    """
    left, top, right, bottom = _bounds_inside(image, region)
    if right <= left or bottom <= top:
        return np.zeros((size, size, image.shape[2]), np.uint8)
    part, halvings = _shrink(image[top:bottom, left:right], region.side / size)
    matrix = _output_to_part(region, size, left, top, 0.5**halvings)
    warped = cv2.warpAffine(
        part, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border
    )
    return np.asarray(warped, np.uint8)


def _bounds_inside(image: Image, region: Region) -> tuple[int, int, int, int]:
    # Two pixels more than the turned square: bilinear sampling reads its neighbours.
    reach = region.side / 2 * (abs(cos(region.roll_rad)) + abs(sin(region.roll_rad))) + 2
    height, width = image.shape[:2]
    return (
        max(0, floor(region.centre_x - reach)),
        max(0, floor(region.centre_y - reach)),
        min(width, ceil(region.centre_x + reach)),
        min(height, ceil(region.centre_y + reach)),
    )


def _shrink(part: Image, factor: float) -> tuple[Image, int]:
    halvings = 0
    while factor >= 2 and min(part.shape[:2]) >= 2:
        height, width = part.shape[0] // 2, part.shape[1] // 2
        # Whole 2x2 blocks only: an odd last row or column would make the factor a little less than 2.
        even = part[: height * 2, : width * 2]
        part = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        factor /= 2
        halvings += 1
    return part, halvings


def _output_to_part(region: Region, size: int, left: int, top: int, scale: float) -> NDArray[np.float64]:
    # Pixel i covers i to i + 1, so its centre is i + 0.5 on both sides of the mapping.
    axes = region.axes() * scale / size
    origin = (np.array([region.centre_x - left, region.centre_y - top])) * scale
    shift = origin - axes @ np.full(2, size / 2 - 0.5) - 0.5
    return np.column_stack([axes, shift])
