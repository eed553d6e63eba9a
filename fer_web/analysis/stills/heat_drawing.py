"""A face's heat map drawn into a picture, in the colours of the live page (static/js/shared/heatmap.js)."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.inference.heatmaps import FaceHeatmap
from fer_web.labels import EMOTIONS
from fer_web.vision.types import Frame

MAX_ALPHA: Final = 0.69
"""The face must stay to be seen beneath the hottest place."""


def draw_heat(picture_bgr: Frame, heatmap: FaceHeatmap, label: str) -> None:
    """Lay the map of one expression over its square.

    Args: picture_bgr: uint8 (H, W, 3); changed in place.
    """
    height, width = picture_bgr.shape[:2]
    corners = np.array(heatmap.corners) * (width, height)
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, (width, height)).astype(int)
    if right <= left or bottom <= top:
        return
    part = picture_bgr[top:bottom, left:right]
    heat = _warped(heatmap, label, corners - (left, top), part.shape[:2])
    colours = cv2.applyColorMap(np.rint(heat).astype(np.uint8), cv2.COLORMAP_INFERNO)
    alpha = (MAX_ALPHA / 255 * heat)[..., None]
    part[:] = np.rint(part + alpha * (colours.astype(np.float32) - part)).astype(np.uint8)


def _warped(
    heatmap: FaceHeatmap, label: str, corners: NDArray[np.float64], size_hw: tuple[int, ...]
) -> NDArray[np.float32]:
    """The map, 0-255, turned and enlarged to where its square lies, float32 (height, width)."""
    side = heatmap.side
    values = np.array(heatmap.values[EMOTIONS.index(label)], np.float32).reshape(side, side)
    # Pixel i covers i to i + 1, its middle is i + 0.5: on both sides of the mapping.
    square = np.array([[0, 0], [side, 0], [0, side]], np.float32) - 0.5
    target = np.asarray(corners[[0, 1, 3]] - 0.5, np.float32)
    matrix = cv2.getAffineTransform(square, target)
    warped = cv2.warpAffine(values, matrix, (size_hw[1], size_hw[0]), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.float32)
