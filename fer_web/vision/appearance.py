"""Describes what a face looks like, to tell it from the others of the same stream.

A description lives in the memory of its stream alone: it is never stored, sent or compared with another
stream's, and it is too coarse to name anybody.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.vision.preprocess import crop_region
from fer_web.vision.regions import cut_region
from fer_web.vision.types import Faces, Frame

Appearance = NDArray[np.float32]
"""float32 (296,): directions of edges in 5 x 5 cells, grey levels in 8 x 8, and colours in 4 x 4."""

CROP_PX: Final = 40
EDGE_CELLS: Final = 5
DIRECTIONS: Final = 8
THUMBNAIL_PX: Final = 8
THUMBNAIL_WEIGHT: Final = 0.5
COLOUR_CELLS: Final = 4
COLOUR_WEIGHT: Final = 0.08
MIN_CONTRAST: Final = 3.0
"""A crop whose grey levels spread by less shows nothing to tell a face by."""

CELL_PX: Final = CROP_PX // EDGE_CELLS


def describe(frame_bgr: Frame, face: Faces) -> Appearance | None:
    """Describe one face; None where its crop shows nothing.

    Brightness, contrast and the colour of the light are taken out.

    Args: frame_bgr: uint8 (H, W, 3). Not modified. face: one face.
    """
    crop = cut_region(frame_bgr, crop_region(face), CROP_PX, cv2.BORDER_REPLICATE)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.float32)
    if float(grey.std()) < MIN_CONTRAST:
        return None
    thumbnail = _unit(_shrunk(grey, THUMBNAIL_PX) - grey.mean()) * THUMBNAIL_WEIGHT
    parts = (_edges(grey), thumbnail, _colours(crop) * COLOUR_WEIGHT)
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


def difference(first: Appearance, second: Appearance) -> float:
    """How unlike two faces look: about 0.25 for one person's, 0.85 for two people's, at most about 2."""
    return float(np.linalg.norm(first - second))


def _edges(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Histograms of oriented gradients (Dalal and Triggs 2005), square roots, in unit length."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.9)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(across, down)
    direction = (angle * (DIRECTIONS / np.pi)).astype(np.intp) % DIRECTIONS
    rows = np.arange(CROP_PX) // CELL_PX
    cells = (rows[:, None] * EDGE_CELLS + rows[None]) * DIRECTIONS + direction
    sums = np.bincount(cells.ravel(), strength.ravel(), EDGE_CELLS * EDGE_CELLS * DIRECTIONS)
    return _unit(np.sqrt(sums))


def _colours(crop_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Ratios of colours in cells, without their mean: the colour of the light is in all cells alike."""
    cells = np.log(_shrunk(crop_bgr.astype(np.float32), COLOUR_CELLS) + 16)
    ratios = np.stack([cells[..., 2] - cells[..., 1], cells[..., 0] - cells[..., 1]], axis=-1)
    return np.asarray(ratios - ratios.mean(axis=(0, 1)), np.float32)


def _shrunk(pixels: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)
