"""A custom network as a classifier: crops in, seven scores out."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.classifier import Prediction
from fer_web.inference.custom.custom_model import Reading, predictor_of
from fer_web.inference.custom.custom_network import LOGITS, SIGMOID, Explainer, Network
from fer_web.inference.custom.options import scale_pixels
from fer_web.inference.heatmaps import HeatMaps
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.scores import softmax
from fer_web.labels import EMOTIONS
from fer_web.vision.preprocess import Crops


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
        scores = seven_scores(self.outputs(crops, self._reading.scaling), self._reading)
        return Prediction(scores, np.zeros(len(crops), np.float32))

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
        scaled = scale_pixels(self._coloured(crops), self._reading.scaling)
        columns = tuple(self._reading.labels.index(name) for name in EMOTIONS)
        size = 1 if self._network.input.is_batch_fixed else len(scaled)
        parts = [scaled[i : i + size] for i in range(0, len(scaled), size)]
        return np.concatenate([explainer.explain(part, columns, self._reading.output) for part in parts])

    def outputs(self, crops: Crops, scaling: str) -> NDArray[np.float32]:
        """The network's own outputs (N, K), K = 7 or 8, with a scaling of choice; N is at least 1."""
        return self._predictor.predict(scale_pixels(self._coloured(crops), scaling))

    def _coloured(self, crops: Crops) -> Crops:
        if crops.shape[-1] < self._network.input.channels:
            return np.repeat(crops, self._network.input.channels, axis=-1)
        return crops[..., ::-1] if self._reading.colour == "bgr" else crops


def seven_scores(outputs: NDArray[np.float32], reading: Reading) -> NDArray[np.float32]:
    """Outputs (N, 7 or 8) in the network's order as probabilities (N, 7) in ours, rows summing to 1.

    An eighth output, contempt, is left out as in our own network's scores.
    """
    ours = outputs[:, [reading.labels.index(name) for name in EMOTIONS]]
    if reading.output == LOGITS:
        return softmax(ours)
    shares = np.clip(ours, 1e-9 if reading.output == SIGMOID else 0, None)
    totals = shares.sum(axis=1, keepdims=True)
    even = np.full_like(shares, 1 / len(EMOTIONS))
    return np.asarray(np.divide(shares, totals, out=even, where=totals > 1e-6), np.float32)
