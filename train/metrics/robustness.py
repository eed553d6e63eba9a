"""Change faces as bad cameras, light and framing do, always alike, to score a model on each."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""uint8 (N, H, W), grey, 0-255."""

NOISE_SEED = 2013


def darken(images: Images) -> Images:
    """Leave a fifth of the light."""
    return _to_uint8(images * 0.2)


def blur(images: Images) -> Images:
    """Blur by a Gaussian of 1.5 pixels."""
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), 1.5, borderType=cv2.BORDER_REPLICATE))


def add_noise(images: Images) -> Images:
    """Add Gaussian noise of 20 grey values, the same for every model."""
    noise = np.random.default_rng(NOISE_SEED).normal(0.0, 20.0, images.shape)
    return _to_uint8(images + noise)


def lower_resolution(images: Images) -> Images:
    """Keep a third of the pixels to each side, and enlarge them again."""

    def change(image: Images) -> NDArray[Any]:
        height, width = image.shape
        small = cv2.resize(image, (width // 3, height // 3), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)

    return _each(images, change)


def rotate(images: Images) -> Images:
    """Turn by 20 degrees, every other image to the other side."""
    return _move(images, [_turn(images, 20.0), _turn(images, -20.0)])


def shift(images: Images) -> Images:
    """Move off centre by 15 % of the width, every other image to the other side."""
    by = 0.15 * images.shape[2]
    return _move(images, [np.array([[1, 0, each], [0, 1, 0]], np.float64) for each in (by, -by)])


def cover_mouth(images: Images) -> Images:
    """Paint middle grey from two thirds of the height down."""
    changed = images.copy()
    changed[:, round(images.shape[1] * 2 / 3) :] = 128
    return changed


def cover_eyes(images: Images) -> Images:
    """Paint a dark bar over both eyes, which FER-2013 has at about 0.4 of the height."""
    changed = images.copy()
    height = images.shape[1]
    changed[:, round(0.3 * height) : round(0.48 * height)] = 20
    return changed


CHANGES: dict[str, Callable[[Images], Images]] = {
    "dark": darken,
    "blur": blur,
    "noise": add_noise,
    "low resolution": lower_resolution,
    "rotation": rotate,
    "off centre": shift,
    "covered mouth": cover_mouth,
    "covered eyes": cover_eyes,
}


def _to_uint8(values: NDArray[np.floating]) -> Images:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _each(images: Images, change: Callable[[Images], NDArray[Any]]) -> Images:
    changed = np.empty_like(images)
    for row, image in enumerate(images):
        changed[row] = change(image)
    return changed


def _turn(images: Images, degrees: float) -> NDArray[np.float64]:
    centre = ((images.shape[2] - 1) / 2, (images.shape[1] - 1) / 2)
    return np.asarray(cv2.getRotationMatrix2D(centre, degrees, 1.0), np.float64)


def _move(images: Images, affine: list[NDArray[np.float64]]) -> Images:
    """Apply the given 2 x 3 matrices in turn, one to an image; edges repeat outward."""
    changed = np.empty_like(images)
    size_wh = (images.shape[2], images.shape[1])
    for row, image in enumerate(images):
        matrix = affine[row % len(affine)]
        changed[row] = cv2.warpAffine(image, matrix, size_wh, borderMode=cv2.BORDER_REPLICATE)
    return changed
