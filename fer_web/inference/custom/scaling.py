"""How pixels become the numbers that a network was trained on. Pure NumPy."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import SettingsError

SCALINGS: Final = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
"""The name that --scaling takes leads to what black and white become."""

IMAGENET, CAFFE, PICTURE = "imagenet", "caffe", "picture"
"""ImageNet's mean and deviation, as PyTorch's networks have it; its mean alone, as Keras' VGG16 and ResNet50
have it; each picture's own mean and deviation."""

FER2013_GREY: Final = "0.508/0.255"
"""Mean and deviation of FER-2013's training pixels, which are grey."""

_RANGES: Final = {
    # Means and deviations of 0-255, red, green and blue: torchvision's, and those of Keras' "caffe" mode.
    IMAGENET: ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    CAFFE: ((123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
}
_NUMBER: Final = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBERS: Final = rf"{_NUMBER}(?:,{_NUMBER},{_NUMBER})?"
SCALING_FORM: Final = rf"auto|0\.\.1|-1\.\.1|0\.\.255|{IMAGENET}|{CAFFE}|{PICTURE}|{_NUMBERS}/{_NUMBERS}"
"""What --scaling may be, as a regular expression."""

SCALING_ALLOWED: Final = (
    "auto, 0..1, -1..1, 0..255, imagenet, caffe, picture, or MEAN/DEVIATION of one number each or of "
    "three with commas, such as 0.508/0.255: of pixels of 0 to 1, or of 0 to 255 where a number is above 1"
)


@dataclass(frozen=True)
class Scaling:
    """A scaling takes `mean` from pixels of 0-255 and divides by `deviation`.

    Attributes:
        mean: of one channel, or of three in the network's order; `deviation` likewise.
        is_each_picture: each picture's own mean and deviation instead.
    """

    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    is_each_picture: bool = False

    def apply(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scale pixels, 0-255, (..., channels) to float32."""
        pixels = crops.astype(np.float32)
        if not self.is_each_picture:
            mean, deviation = (np.array(each, np.float32) for each in (self.mean, self.deviation))
            return np.asarray((pixels - mean) / deviation, np.float32)
        axes = tuple(range(1, pixels.ndim))
        # As tf.image.per_image_standardization: a picture of one colour has no deviation to divide by.
        least = 1 / np.sqrt(max(1, pixels[0].size)) if len(pixels) else 1.0
        deviation = np.maximum(pixels.std(axis=axes, keepdims=True), np.float32(least))
        return np.asarray((pixels - pixels.mean(axis=axes, keepdims=True)) / deviation, np.float32)


def parse_scaling(name: str, channels: int = 1, colour: str = "grey") -> Scaling:
    """Read a scaling's name for a network of so many channels.

    Args: colour: the order of three channels; "bgr" turns ImageNet's means round, not given numbers.
    Raises: SettingsError: it is none, divides by zero, or has three numbers for one channel.
    """
    if name in SCALINGS:
        black, white = SCALINGS[name]
        return Scaling((-black * 255 / (white - black),), (255 / (white - black),))
    if name == PICTURE:
        return Scaling(is_each_picture=True)
    if name in _RANGES:
        mean, deviation = (values[:: -1 if colour == "bgr" else 1] for values in _RANGES[name])
        if channels == 1:
            return Scaling((sum(mean) / 3,), (sum(deviation) / 3,))
        return Scaling(mean, deviation)
    if not re.fullmatch(f"{_NUMBERS}/{_NUMBERS}", name):
        raise SettingsError(f"--scaling is {name!r}; allowed: {SCALING_ALLOWED}.")
    return _given(name, channels)


def scale_pixels(crops: NDArray[np.uint8], name: str, colour: str = "grey") -> NDArray[np.float32]:
    """Crops (N, height, width, channels), 0-255, as float32 by the name of a scaling."""
    return parse_scaling(name, crops.shape[-1] if crops.ndim == 4 else 1, colour).apply(crops)


def _given(name: str, channels: int) -> Scaling:
    mean, deviation = (tuple(float(each) for each in part.split(",")) for part in name.split("/"))
    if not np.isfinite([*mean, *deviation]).all() or any(each <= 0 for each in deviation):
        raise SettingsError(f"--scaling {name}: a deviation is above 0. Give MEAN/DEVIATION.")
    if max(len(mean), len(deviation)) > channels:
        raise SettingsError(
            f"--scaling {name} has numbers for three channels, and the network takes {channels}. "
            "Give one each."
        )
    factor = 1.0 if max(map(abs, (*mean, *deviation))) > 1 else 255.0
    return Scaling(tuple(factor * each for each in mean), tuple(factor * each for each in deviation))
