"""Pictures that no data set is needed for: what a network does with them tells what its output holds."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.inference.custom.custom_network import LOGITS, SIGMOID, SOFTMAX
from fer_web.vision.preprocess import Crops

_COUNT = 12
_TOLERANCE = 0.05
"""A row's sum may be off by this: 8-bit outputs are rounded to 1/256 each."""


def probe_crops(size_hw: tuple[int, int], channels: int) -> Crops:
    """Drawn faces and clouds of grey, always the same; uint8 (12, height, width, channels)."""
    random = np.random.default_rng(7)
    pictures = [_cloud(random) if number % 2 else _face(random) for number in range(_COUNT)]
    sized = [cv2.resize(picture, size_hw[::-1], interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.repeat(np.stack(sized)[..., None], channels, axis=-1)


def output_by_values(outputs: NDArray[np.float32]) -> str:
    """SOFTMAX, SIGMOID or LOGITS for a network's outputs (N, K) on probes.

    Rows of logits that all lie between 0 and 1 and sum to 1 do not come by chance. Shares that lie between 0
    and 1 without summing to 1 are taken as a sigmoid's only where the file says so, as logits may be small.
    """
    is_share = bool((outputs >= -_TOLERANCE).all() and (outputs <= 1 + _TOLERANCE).all())
    sums_to_1 = bool(np.abs(outputs.sum(axis=1) - 1).max() < _TOLERANCE)
    return SOFTMAX if is_share and sums_to_1 else LOGITS


def contradicts(outputs: NDArray[np.float32], said: str) -> bool:
    """Tell whether outputs (N, K) cannot be what the file says that they are."""
    if said == SOFTMAX:
        return output_by_values(outputs) != SOFTMAX
    return said == SIGMOID and bool((outputs < -_TOLERANCE).any() or (outputs > 1 + _TOLERANCE).any())


def _face(random: np.random.Generator) -> NDArray[np.uint8]:
    picture = _cloud(random) // 2
    light = int(random.integers(140, 230))
    dark = light // 3
    cv2.ellipse(picture, (48, 48), (34, 44), 0, 0, 360, light, -1)
    for x in (34, 62):
        cv2.ellipse(picture, (x, 38), (7, 4), 0, 0, 360, dark, -1)
    cv2.ellipse(picture, (48, 70), (16, int(random.integers(2, 12))), 0, 0, 360, dark, 2)
    return cv2.GaussianBlur(picture, (5, 5), 0).astype(np.uint8)


def _cloud(random: np.random.Generator) -> NDArray[np.uint8]:
    coarse = random.integers(0, 256, (6, 6), np.uint8)
    return cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
