"""Defines what every runtime makes of a file: a network to run, and what the file says about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.options import LEAST_OUTPUTS, MOST_OUTPUTS
from fer_web.inference.heatmaps import HeatMaps
from fer_web.labels import EMOTIONS

SOFTMAX, SIGMOID, LOGITS = "softmax", "sigmoid", "logits"
"""An output holds rows that sum to 1, shares that do not, or anything."""

MIN_SIDE, MAX_SIDE = 16, 512
FREE_SIDE: Final = 48
"""FER-2013's pictures: what a network that takes any size is given."""

CLASS_COUNTS = range(LEAST_OUTPUTS, MOST_OUTPUTS + 1)


class Predictor(Protocol):
    """Runs a network. One thread at a time may use an instance."""

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (N, K) of scaled pictures (N, height, width, channels); N is at least 1."""
        ...


class Explainer(Protocol):
    """Makes heat maps. Any thread may use an instance."""

    def explain(self, batch: NDArray[np.float32], columns: tuple[int, ...], output: str) -> HeatMaps:
        """Heat maps (N, K, rows, columns) of scaled pictures.

        Args: columns: which K outputs are expressions that are shown. output: SOFTMAX, SIGMOID or LOGITS.
        """
        ...


class OneByOne:
    """A predictor for a network that takes one picture at a time."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (N, K) of scaled pictures."""
        return np.concatenate([self._predictor.predict(picture[None]) for picture in batch])


@dataclass(frozen=True)
class Input:
    """The pictures that a network takes.

    Attributes:
        size_hw: height and width in pixels, 16-512.
        channels: 1 or 3.
        is_channels_first: (N, C, H, W) instead of (N, H, W, C).
        is_batch_fixed: one picture at a time.
        is_size_free: it takes any size; size_hw is then FER-2013's.
    """

    size_hw: tuple[int, int]
    channels: int
    is_channels_first: bool = False
    is_batch_fixed: bool = False
    is_size_free: bool = False


@dataclass(frozen=True)
class Clue:
    """A clue is what a file says about the scaling of its pixels, and where."""

    scaling: str
    source: str


@dataclass(frozen=True)
class Network:
    """A file that was opened.

    Attributes:
        path: of the file, or of the folder.
        file_format: its name.
        input: the pictures that it takes.
        classes: its outputs, 4 to 8.
        new_predictor: makes one for each thread.
        output: SOFTMAX, SIGMOID or LOGITS where the file says it, else None.
        clue: None where the file says nothing about scaling.
        is_xception: it is built of separable convolutions, as mini-Xception is.
        explainer: makes its heat maps, None where none can be made.
    """

    path: Path
    file_format: str
    input: Input
    classes: int
    new_predictor: Callable[[], Predictor]
    output: str | None = None
    clue: Clue | None = None
    is_xception: bool = False
    explainer: Explainer | None = None


def input_of(path: Path, shape: Sequence[Any]) -> Input:
    """Read an input's shape; sizes that are no numbers, or below 1, are free.

    Raises: ModelArtifactError: it does not take pictures of a face.
    """
    sizes = [size if isinstance(size, int) and size > 0 else None for size in shape]
    if len(sizes) != 4 or not {sizes[1], sizes[3]} & {1, 3}:
        shown = "(" + ", ".join("any" if size is None else str(size) for size in sizes) + ")"
        raise ModelArtifactError(
            f"{path} takes input of shape {shown}; networks for pictures (N, height, width, 1 or 3) or (N, 1 "
            "or 3, height, width) can be used. Give another file."
        )
    if sizes[0] not in (None, 1):
        raise ModelArtifactError(
            f"{path} takes {sizes[0]} pictures at once; one, or any number, is needed. Save it without that."
        )
    is_first = sizes[3] not in (1, 3)
    channels = sizes[1] if is_first else sizes[3]
    height, width = sizes[2:4] if is_first else sizes[1:3]
    _check_sides(path, height, width)
    return Input(
        size_hw=(height or FREE_SIDE, width or FREE_SIDE),
        channels=channels or 1,
        is_channels_first=is_first,
        is_batch_fixed=sizes[0] is not None,
        is_size_free=height is None or width is None,
    )


def checked_classes(path: Path, outputs: Sequence[Sequence[Any]]) -> int:
    """Length of the one output. Raises ModelArtifactError: there are more, or it has not 4 to 8 numbers."""
    shapes = [tuple(each) for each in outputs]
    if len(shapes) != 1:
        lengths = ", ".join(str(each[-1] if each else 1) for each in shapes)
        raise ModelArtifactError(
            f"{path} has {len(shapes)} outputs (of {lengths} numbers); one is needed. A network of fer-web's "
            "own is given as its folder, with meta.json."
        )
    (shape,) = shapes
    if len(shape) != 2 or shape[1] not in CLASS_COUNTS:
        came = f"{shape[1]} classes" if len(shape) == 2 else f"an output of shape {shape}"
        raise ModelArtifactError(
            f"{path} has {came}; {LEAST_OUTPUTS} to {MOST_OUTPUTS} are needed, of {', '.join(EMOTIONS)} and "
            "contempt. Give a network for these expressions."
        )
    return int(shape[1])


def _check_sides(path: Path, height: int | None, width: int | None) -> None:
    sides = [side for side in (height, width) if side is not None]
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
        raise ModelArtifactError(
            f"{path} takes pictures of {height} x {width} pixels; {MIN_SIDE} to {MAX_SIDE} are allowed. Give "
            "another network."
        )
