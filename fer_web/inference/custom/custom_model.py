"""Tells how a custom network is fed and understood: as given, by its file, or guessed by rules."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError, SettingsError
from fer_web.inference.custom.custom_network import FREE_SIDE, Network, OneByOne, Predictor
from fer_web.inference.custom.label_files import labels_beside
from fer_web.inference.custom.options import AUTO, NONE, ModelOptions, missing_of
from fer_web.inference.custom.probes import contradicts, output_by_values, probe_crops
from fer_web.inference.custom.scaling import parse_scaling, scale_pixels
from fer_web.labels import CONTEMPT, EMOTIONS, FERPLUS_EMOTIONS, OTHER_NAMES

GIVEN: Final = "given"
ALPHABETIC: Final = tuple(sorted(EMOTIONS))
"""The order of folders, and so of networks trained from folders of pictures."""


_FERPLUS_ORDER: Final = tuple(OTHER_NAMES.get(name, name) for name in FERPLUS_EMOTIONS)
_COMMON_ORDERS: Final = {
    4: ("angry", "happy", "neutral", "sad"),
    5: ("angry", "happy", "neutral", "sad", "surprise"),
    6: tuple(name for name in EMOTIONS if name != "disgust"),
    8: _FERPLUS_ORDER,
}
"""What networks of so many outputs often have: folders of some expressions by the alphabet, FER+."""


@dataclass(frozen=True)
class Reading:
    """A reading holds what is known of a network.

    Attributes:
        labels: of its outputs, in their order.
        scaling: as `parse_scaling` reads it.
        scaling_source: who says so: "given", a layer, or a rule.
        output: SOFTMAX, SIGMOID or LOGITS.
        colour: what a network of three channels gets.
        warnings: what was guessed, and the option that says it.
        temperature: divides its logits; 0 where nobody measured one.
    """

    labels: tuple[str, ...]
    scaling: str
    scaling_source: str
    output: str
    colour: str
    warnings: tuple[str, ...]
    temperature: float = 0.0

    @property
    def missing(self) -> tuple[str, ...]:
        """Expressions without an output."""
        return missing_of(self.labels)


def read_network(network: Network, options: ModelOptions) -> Reading:
    """Put together what was given, what the file says and what has to be guessed.

    Raises:
        SettingsError: --labels does not fit the number of outputs.
        ModelArtifactError: it fails on a picture, or gives numbers that are not finite.
    """
    labels, label_warning = _labels(network, options)
    scaling, source, scaling_warning = _scaling(network, options)
    parse_scaling(scaling, network.input.channels)
    outputs = run_probes(network, scaling, options.colour)
    output = network.output or output_by_values(outputs)
    if contradicts(outputs, output):
        output = output_by_values(outputs)
    warnings = (
        label_warning,
        _missing_warning(labels),
        scaling_warning,
        _size_warning(network),
        _colour_warning(network, options),
        _training_warning(network, scaling, outputs),
    )
    told = tuple(text for text in warnings if text is not None)
    return Reading(labels, scaling, source, output, options.colour, told, options.temperature)


def predictor_of(network: Network) -> Predictor:
    """A predictor that takes any number of pictures."""
    predictor = network.new_predictor()
    return OneByOne(predictor) if network.input.is_batch_fixed else predictor


def run_probes(network: Network, scaling: str, colour: str = "grey") -> NDArray[np.float32]:
    """Outputs (N, K) on probe pictures. Raises ModelArtifactError: it fails, or they are no numbers."""
    crops = probe_crops(network.input.size_hw, network.input.channels)
    try:
        outputs = predictor_of(network).predict(scale_pixels(crops, scaling, colour))
    # Each runtime has errors of its own; all mean that the network does not run.
    except Exception as exc:
        reason = str(exc).strip().split("\n")[0][:200]
        raise ModelArtifactError(f"{network.path} fails on a picture ({reason}). Save it again.") from exc
    if outputs.shape != (len(crops), network.classes):
        raise ModelArtifactError(
            f"{network.path} gives an output of shape {outputs.shape} for {len(crops)} pictures; "
            f"({len(crops)}, {network.classes}) is needed. Save it again."
        )
    if not np.isfinite(outputs).all():
        raise ModelArtifactError(
            f"{network.path} gives outputs that are no numbers (NaN or infinite): its weights are broken. "
            "Train or save it again."
        )
    return outputs


def _labels(network: Network, options: ModelOptions) -> tuple[tuple[str, ...], str | None]:
    if options.labels:
        if len(options.labels) != network.classes:
            raise SettingsError(
                f"--labels names {len(options.labels)} expressions, {network.path} has {network.classes} "
                f"outputs. Name each output once, in their order{_contempt_hint(network)}."
            )
        return options.labels, None
    if beside := labels_beside(network.path, network.classes):
        labels, file = beside
        return labels, f"the order of its outputs is that of {file} beside it: --labels {','.join(labels)}"
    if network.classes != len(EMOTIONS):
        guess = _COMMON_ORDERS[network.classes]
        if options.may_guess:
            return guess, f"the order of its outputs is guessed: --labels {','.join(guess)}"
        raise SettingsError(
            f"{network.path} has {network.classes} outputs, and their order has no common rule. Name them "
            f"with --labels, such as --labels {','.join(guess)} ({NONE} for an output to leave out), or have "
            "it found on labelled images: python -m fer_web models check MODEL --folder DIR"
        )
    return EMOTIONS, (
        f"the order of its outputs is guessed as FER-2013's: --labels {','.join(EMOTIONS)}. A network "
        f"trained from folders of pictures often has that of the alphabet: --labels {','.join(ALPHABETIC)}"
    )


def _missing_warning(labels: tuple[str, ...]) -> str | None:
    missing = missing_of(labels)
    if not missing:
        return None
    return f"it has no output for {', '.join(missing)}, so no face is ever called that; their scores are 0"


def _contempt_hint(network: Network) -> str:
    hint = f", {NONE} for one to leave out"
    return f", with {CONTEMPT}{hint}" if network.classes > len(EMOTIONS) else hint


def _scaling(network: Network, options: ModelOptions) -> tuple[str, str, str | None]:
    clue = network.clue
    if options.scaling != AUTO:
        warning = None
        if clue is not None and clue.scaling != options.scaling:
            warning = (
                f"--scaling {options.scaling} was given, but {clue.source} speaks for "
                f"--scaling {clue.scaling}"
            )
        return options.scaling, GIVEN, warning
    if clue is not None:
        return clue.scaling, clue.source, None
    guess, rule = (
        ("-1..1", "separable convolutions, as mini-Xception has them")
        if network.is_xception
        else (
            "0..1",
            "nothing in the file says otherwise",
        )
    )
    return guess, f"guessed: {rule}", f"the scaling of its pixels is guessed as --scaling {guess} ({rule})"


def _size_warning(network: Network) -> str | None:
    if not network.input.is_size_free:
        return None
    return (
        f"it takes pictures of any size and is given {FREE_SIDE} x {FREE_SIDE} pixels, as FER-2013 has them"
    )


def _training_warning(network: Network, scaling: str, outputs: NDArray[np.float32]) -> str | None:
    """A network that was exported as in training normalises over the pictures that come together."""
    crops = probe_crops(network.input.size_hw, network.input.channels)[:1]
    alone = predictor_of(network).predict(scale_pixels(crops, scaling))[0]
    if np.abs(alone - outputs[0]).max() <= 0.01 * max(1.0, float(np.abs(outputs).max())):
        return None
    return (
        "its answer for a face depends on which faces come with it, as in training: it was saved in that "
        "state. Save it again, without layers that augment pictures"
    )


def _colour_warning(network: Network, options: ModelOptions) -> str | None:
    if network.input.channels == 1:
        return None
    if options.colour != "grey":
        return None
    return (
        "it takes three channels and is given grey in each, as networks trained on FER-2013 were. For one "
        "trained on colour pictures, give --colour rgb, or --colour bgr where OpenCV read them"
    )
