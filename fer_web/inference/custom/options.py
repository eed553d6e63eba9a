"""Defines what a person says about a network of their own, where its file does not say it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import SettingsError
from fer_web.labels import CONTEMPT, EMOTIONS, OTHER_NAMES

AUTO: Final = "auto"
SCALINGS: Final = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
"""The name that --scaling takes leads to what black and white become."""

COLOURS: Final = ("grey", "rgb", "bgr")


@dataclass(frozen=True)
class ModelOptions:
    """These options were given beside --model.

    Attributes:
        labels: the outputs' expressions in their order; empty means that nobody said.
        scaling: a name of SCALINGS, or AUTO.
        colour: what networks of three channels get; one of COLOURS.
        is_trusted: whether files that can run code may be opened.
    Raises: SettingsError: a value is not allowed.
    """

    labels: tuple[str, ...] = ()
    scaling: str = AUTO
    colour: str = COLOURS[0]
    is_trusted: bool = False

    def __post_init__(self) -> None:
        if self.scaling not in (AUTO, *SCALINGS):
            raise SettingsError(f"--scaling is {self.scaling!r}; allowed: {AUTO}, {', '.join(SCALINGS)}.")
        if self.colour not in COLOURS:
            raise SettingsError(f"--colour is {self.colour!r}; allowed: {', '.join(COLOURS)}.")


def parse_labels(text: str) -> tuple[str, ...]:
    """Names of expressions from a list with commas, in our own words; () from an empty one.

    Raises: SettingsError: an unknown name, one that stands twice, or not all seven.
    """
    if not text.strip():
        return ()
    labels = tuple(_expression(word) for word in text.split(","))
    twice = sorted({name for name in labels if labels.count(name) > 1})
    missing = sorted(set(EMOTIONS) - set(labels))
    if twice or missing:
        problem = f"{twice[0]!r} stands twice" if twice else f"{missing[0]!r} is missing"
        raise SettingsError(
            f"--labels {text!r}: {problem}. Name the network's outputs in their order, each once, such as "
            f"{','.join(EMOTIONS)}, and {CONTEMPT} where it has eight."
        )
    return labels


def scale_pixels(crops: NDArray[np.uint8], scaling: str) -> NDArray[np.float32]:
    """Crops, 0-255, as float32 from black to white of a name of SCALINGS."""
    black, white = SCALINGS[scaling]
    return crops.astype(np.float32) * np.float32((white - black) / 255) + np.float32(black)


def _expression(word: str) -> str:
    name = word.strip().lower()
    known = {**{each: each for each in (*EMOTIONS, CONTEMPT)}, **OTHER_NAMES}
    if name not in known:
        raise SettingsError(
            f"--labels: {word.strip()!r} is no expression; allowed: {', '.join((*EMOTIONS, CONTEMPT))}, and "
            f"{', '.join(sorted(OTHER_NAMES))}."
        )
    return known[name]
