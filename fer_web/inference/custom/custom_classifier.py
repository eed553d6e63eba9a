"""A custom network as a classifier: crops in, seven scores out."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.classifier import Prediction
from fer_web.inference.custom.custom_model import Reading, predictor_of
from fer_web.inference.custom.custom_network import LOGITS, SOFTMAX, Explainer, Network
from fer_web.inference.custom.options import NONE
from fer_web.inference.custom.scaling import scale_pixels
from fer_web.inference.heatmaps import HeatMaps
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.scores import softmax
from fer_web.labels import CONTEMPT, EMOTIONS
from fer_web.vision.preprocess import Crops

_TINY: Final = 1e-9
_NOTHING: Final = 1e-6
"""Shares that sum to no more than this say nothing: another output, which is left out, has it all."""


class CustomClassifier:
    """Feeds a network as it was trained, and puts its outputs into our order."""

    def __init__(self, info: ModelInfo, network: Network, reading: Reading) -> None:
        self.info = info
        # Nothing was fitted to a network of others.
        self.certainty = None
        self._predictor = predictor_of(network)
        self._network = network
        self._reading = reading

    def classify(self, crops: Crops) -> Prediction:
        """Classify uint8 (N, *info.size_hw, info.channels) crops, 0-255; N may be 0."""
        if not len(crops):
            return Prediction(np.zeros((0, len(EMOTIONS)), np.float32), np.zeros(0, np.float32))
        outputs = self.outputs(crops, self._reading.scaling)
        scores, contempt = seven_scores(outputs, self._reading), contempt_shares(outputs, self._reading)
        return Prediction(scores, np.zeros(len(crops), np.float32), contempt=contempt)

    def explain(self, crops: Crops) -> Prediction:
        """As `classify`, with heat maps where they can be made. Raises ModelArtifactError: they fail."""
        prediction, explainer = self.classify(crops), self._network.explainer
        if explainer is None or not len(crops):
            return prediction
        try:
            return replace(prediction, heatmaps=self._heatmaps(crops, explainer))
        # A layer without gradients: TensorFlow's errors for that are of several kinds.
        except Exception as exc:
            reason = str(exc).strip().split("\n")[0][:200]
            raise ModelArtifactError(
                f"No heat maps can be made of {self._network.path} ({reason}). Leave them out."
            ) from exc

    def _heatmaps(self, crops: Crops, explainer: Explainer) -> HeatMaps:
        scaled = self._scaled(crops, self._reading.scaling)
        named, columns = _named(self._reading)
        size = 1 if self._network.input.is_batch_fixed else len(scaled)
        parts = [scaled[i : i + size] for i in range(0, len(scaled), size)]
        found = np.concatenate(
            [explainer.explain(part, tuple(columns), self._reading.output) for part in parts]
        )
        maps = np.zeros((len(found), len(EMOTIONS), *found.shape[2:]), np.float32)
        maps[:, named] = found
        return maps

    def logits(self, crops: Crops) -> NDArray[np.float32]:
        """Logits (N, K) of the K expressions that it can name, in the order of EMOTIONS; N is at least 1."""
        outputs = self.outputs(crops, self._reading.scaling)
        return logits_of(outputs[:, _named(self._reading)[1]], self._reading.output)

    def outputs(self, crops: Crops, scaling: str, colour: str | None = None) -> NDArray[np.float32]:
        """The network's own outputs (N, K), K = 4 to 8, scaled and coloured as said; N is at least 1."""
        return self._predictor.predict(self._scaled(crops, scaling, colour))

    def _scaled(self, crops: Crops, scaling: str, colour: str | None = None) -> NDArray[np.float32]:
        colour = colour or self._reading.colour
        return scale_pixels(self._coloured(crops, colour), scaling, colour)

    def _coloured(self, crops: Crops, colour: str) -> Crops:
        if crops.shape[-1] < self._network.input.channels:
            return np.repeat(crops, self._network.input.channels, axis=-1)
        if colour == "grey" and crops.shape[-1] == 3:
            grey = np.stack([cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops])[..., None]
            return np.repeat(np.asarray(grey, np.uint8), 3, axis=-1)
        return crops[..., ::-1] if colour == "bgr" else crops


def seven_scores(outputs: NDArray[np.float32], reading: Reading) -> NDArray[np.float32]:
    """Outputs (N, 4 to 8) in the network's order as probabilities (N, 7) in ours, rows summing to 1.

    Contempt and outputs without an expression are left out, as contempt is in our own network's scores.
    Expressions without an output have 0.
    """
    named, columns = _named(reading)
    ours = logits_of(outputs[:, columns], reading.output)
    scores = np.zeros((len(outputs), len(EMOTIONS)), np.float32)
    scores[:, named] = softmax(ours, reading.temperature or 1.0)
    return scores


def _named(reading: Reading) -> tuple[list[int], list[int]]:
    """Positions in EMOTIONS that have an output, and these outputs."""
    named = [place for place, name in enumerate(EMOTIONS) if name in reading.labels]
    return named, [reading.labels.index(EMOTIONS[place]) for place in named]


def contempt_shares(outputs: NDArray[np.float32], reading: Reading) -> NDArray[np.float32] | None:
    """Probability of contempt (N,) among it and the expressions; None where no output stands for it."""
    if CONTEMPT not in reading.labels:
        return None
    known = [output for output, name in enumerate(reading.labels) if name != NONE]
    shares = softmax(logits_of(outputs[:, known], reading.output), reading.temperature or 1.0)
    column: NDArray[np.float32] = shares[:, known.index(reading.labels.index(CONTEMPT))]
    return column


def logits_of(outputs: NDArray[np.float32], output: str) -> NDArray[np.float32]:
    """Logits from outputs of a kind: of shares, their logarithms. A row without any share becomes even."""
    if output == LOGITS:
        return outputs
    logits = np.log(np.clip(outputs, _TINY, None))
    if output == SOFTMAX:
        logits[outputs.sum(axis=1) <= _NOTHING] = 0
    return np.asarray(logits, np.float32)
