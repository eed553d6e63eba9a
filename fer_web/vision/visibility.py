"""Measures how well a face can be seen: light, contrast, detail, size, where its points lie, what is cut off.

Everything is read from the crop that the network gets anyway and from the detector's points, so that it
costs some tens of microseconds a face.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.vision.preprocess import Crops, crop_region
from fer_web.vision.regions import Region
from fer_web.vision.types import Faces

MEASURES: Final = (
    "brightness", "contrast", "detail", "side_px", "outside_share",
    "eye_left_x", "eye_left_y", "eye_right_x", "eye_right_y", "nose_x", "nose_y",
    "mouth_x", "mouth_y", "ear_left_x", "ear_left_y", "ear_right_x", "ear_right_y",
    "yaw", "ear_yaw", "pitch", "narrowness",
)  # fmt: skip
"""The columns of `measure_faces`: mean and standard deviation of the crop's grey levels (0-255), its finest
detail as a share of its contrast, its side in pixels of the frame, the share of it that lies outside of the
frame, the six points in sides of the crop, from its left top corner, and four signs of a turned head, of
which `turn_signs` tells."""

POINTS: Final = slice(5, 17)
SIGNS: Final = slice(17, 21)

PATCH_SIDE: Final = 24
"""Pixels of a patch to each side: enough to tell a covered mouth from a closed one."""

Patches = NDArray[np.float32]
"""float32 (N, PATCH_SIDE ** 2): small grey crops, each of mean 0 and standard deviation 1."""

MIN_SPAN: Final = 0.05
"""Points that lie nearer to each other than this count as so far apart, in sides of the crop."""

_FLAT: Final = 4.0
"""Grey levels by which less contrast counts as this much: it is noise."""


def measure_faces(
    crops: Crops, faces: Faces, frame_hw: tuple[int, int]
) -> tuple[NDArray[np.float32], Patches]:
    """Measure each face of a frame.

    Args:
        crops: uint8 (N, height, width, channels), as `crop_faces` makes them.
        faces: of the same frame; unknown points (NaN) stay NaN.
        frame_hw: height and width of the frame in pixels.
    Returns: measures, float32 (N, len(MEASURES)), and patches, float32 (N, PATCH_SIDE ** 2).
    """
    measures = np.empty((len(crops), len(MEASURES)), np.float32)
    patches = np.empty((len(crops), PATCH_SIDE**2), np.float32)
    for row, crop in enumerate(crops):
        grey = crop[..., 0] if crop.shape[-1] == 1 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        measures[row, :3], patches[row] = _measure_crop(np.ascontiguousarray(grey))
        face = faces.take([row])
        region = crop_region(face)
        measures[row, 3] = region.side
        measures[row, 4] = outside_share(region, frame_hw)
        points = _points_in_crop(face, region)
        measures[row, POINTS], measures[row, SIGNS] = points.ravel(), turn_signs(points)
    return measures, patches


def measure_whole(crop: NDArray[np.uint8], side_px: float) -> tuple[NDArray[np.float32], Patches]:
    """Measure a picture that is a face as a whole: its points are unknown, and nothing of it is cut off.

    Args: crop: uint8 (height, width, channels). side_px: the picture's longer side.
    Returns: as `measure_faces`, of one face.
    """
    grey = crop[..., 0] if crop.shape[-1] == 1 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    first, patch = _measure_crop(np.ascontiguousarray(grey))
    measures = np.full((1, len(MEASURES)), np.nan, np.float32)
    measures[0, :5] = (*first, side_px, 0.0)
    return measures, patch[None]


def _measure_crop(grey: NDArray[np.uint8]) -> tuple[tuple[float, float, float], NDArray[np.float32]]:
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    contrast = max(deviation, _FLAT)
    # The Laplacian's spread falls first when a picture is blurred (Pech-Pacheco et al. 2000).
    _, edges = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    small = cv2.resize(grey, (PATCH_SIDE, PATCH_SIDE), interpolation=cv2.INTER_AREA)
    patch = (small.ravel().astype(np.float32) - np.float32(mean)) / np.float32(contrast)
    return (mean, deviation, float(edges[0, 0]) / contrast), patch


def outside_share(region: Region, frame_hw: tuple[int, int]) -> float:
    """Return how much of an upright square lies outside of its frame, 0-1."""
    height, width = frame_hw
    half = region.side / 2
    seen_w = min(width, region.centre_x + half) - max(0.0, region.centre_x - half)
    seen_h = min(height, region.centre_y + half) - max(0.0, region.centre_y - half)
    return 1 - max(0.0, seen_w) * max(0.0, seen_h) / region.side**2


def turn_signs(points: NDArray[np.floating]) -> tuple[float, float, float, float]:
    """Return what of an upright face's six points (6, 2) changes with a turn of its head.

    How far the nose is from the middle of the eyes, in distances of the eyes; how unequally it is far from
    both ears; how high it is between mouth and eyes; and how wide the eyes are apart for the height of the
    face, less in a turn to a side and more in one up or down. The first two have no sign.
    """
    eye_left, eye_right, nose, mouth, ear_left, ear_right = points
    across = max(float(eye_right[0] - eye_left[0]), MIN_SPAN)
    between = (eye_left + eye_right) / 2
    down = max(float(mouth[1] - between[1]), MIN_SPAN)
    ears = max(float(ear_right[0] - ear_left[0]), MIN_SPAN)
    return (
        abs(float(nose[0] - between[0])) / across,
        abs(float(2 * nose[0] - ear_left[0] - ear_right[0])) / ears,
        float(nose[1] - between[1]) / down,
        across / down,
    )


def _points_in_crop(face: Faces, region: Region) -> NDArray[np.float64]:
    points = np.concatenate([face.eyes_xy[0], face.points_xy[0]])
    offsets = points - np.array([region.centre_x, region.centre_y])
    return np.asarray(offsets @ np.linalg.inv(region.axes()).T + 0.5, np.float64)
