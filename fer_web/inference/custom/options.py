"""Defines what a person says about a network of their own, where its file does not say it."""

from dataclasses import dataclass
from typing import Final

from fer_web.errors import SettingsError
from fer_web.inference.custom.scaling import parse_scaling
from fer_web.labels import CONTEMPT, EMOTIONS, OTHER_NAMES
from fer_web.vision.preprocess import CROPS, FER_CROP

AUTO: Final = "auto"
NONE: Final = "none"
"""The name of an output that is left out: the others share its probability as they stand to each other."""

LEAST_OUTPUTS, MOST_OUTPUTS = 4, 8
LEAST_NAMED: Final = 2
"""With one expression alone, every face would show it."""

COLOURS: Final = ("grey", "rgb", "bgr")


@dataclass(frozen=True)
class ModelOptions:
    """These options were given beside --model.

    Attributes:
        labels: the outputs' expressions in their order, or NONE; empty means that nobody said.
        scaling: as `parse_scaling` reads it, or AUTO.
        colour: what networks of three channels get; one of COLOURS.
        is_trusted: whether files that can run code may be opened.
        crop: how much of a head it sees; one of CROPS.
        temperature: divides its logits, for a calibrated confidence; 0 means that nobody measured one.
        may_guess: an order of outputs that nobody knows is guessed rather than refused.
    Raises: SettingsError: a value is not allowed.
    """

    labels: tuple[str, ...] = ()
    scaling: str = AUTO
    colour: str = COLOURS[0]
    is_trusted: bool = False
    crop: str = FER_CROP
    temperature: float = 0.0
    may_guess: bool = False

    def __post_init__(self) -> None:
        if self.scaling != AUTO:
            parse_scaling(self.scaling, channels=3)
        if self.crop not in CROPS:
            raise SettingsError(f"--crop is {self.crop!r}; allowed: {', '.join(CROPS)}.")
        if self.colour not in COLOURS:
            raise SettingsError(f"--colour is {self.colour!r}; allowed: {', '.join(COLOURS)}.")


def parse_labels(text: str) -> tuple[str, ...]:
    """Names of expressions from a list with commas, in our own words; () from an empty one.

    Raises: SettingsError: an unknown name, one that stands twice, or too few or too many of them.
    """
    if not text.strip():
        return ()
    labels = tuple(_expression(word) for word in text.split(","))
    named = [name for name in labels if name != NONE]
    problem = None
    if twice := sorted({name for name in named if named.count(name) > 1}):
        problem = f"{twice[0]!r} stands twice"
    elif not LEAST_OUTPUTS <= len(labels) <= MOST_OUTPUTS:
        problem = f"it names {len(labels)} outputs, {LEAST_OUTPUTS} to {MOST_OUTPUTS} are allowed"
    elif len(set(named) & set(EMOTIONS)) < LEAST_NAMED:
        problem = f"fewer than {LEAST_NAMED} of them are expressions that can be shown"
    if problem:
        raise SettingsError(
            f"--labels {text!r}: {problem}. Name the network's outputs in their order, each once, such as "
            f"{','.join(EMOTIONS)}, with {CONTEMPT} where it has that, and {NONE} for one to leave out."
        )
    return labels


def missing_of(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The expressions that no output stands for, in the order of EMOTIONS."""
    return tuple(name for name in EMOTIONS if name not in labels)


def _expression(word: str) -> str:
    name = word.strip().lower()
    ours = (*EMOTIONS, CONTEMPT, NONE)
    known = {**{each: each for each in ours}, **OTHER_NAMES}
    if name not in known:
        raise SettingsError(
            f"--labels: {word.strip()!r} is no expression; allowed: {', '.join(ours)}, and "
            f"{', '.join(sorted(OTHER_NAMES))}."
        )
    return known[name]
