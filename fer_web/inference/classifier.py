"""From face crops to logits, whatever runs the network."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.artifact import MEND, ModelArtifact
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from fer_web.vision.litert import open_interpreter
from fer_web.vision.preprocess import to_model_input


@dataclass(frozen=True)
class Logits:
    """The network's two outputs for N faces.

    Attributes:
        original: float32 (N, 7), for FER-2013's own labels, in the order of EMOTIONS.
        ferplus: float32 (N, 10), for the shares of FER+ votes, in the order of FERPLUS_VOTES.
    """

    original: NDArray[np.float32]
    ferplus: NDArray[np.float32]


class Classifier(Protocol):
    """Anything that turns crops into logits. One thread at a time may use an instance."""

    size_hw: tuple[int, int]

    def classify(self, crops: NDArray[np.uint8]) -> Logits:
        """Classify uint8 (N, height, width, 1) crops, 0-255; N may be 0."""
        ...


class LiteRTClassifier:
    """Runs model.tflite face by face: its input has a fixed batch of one, which XNNPACK runs fastest."""

    def __init__(self, artifact: ModelArtifact, num_threads: int = 1) -> None:
        """Raises: ModelArtifactError: the file does not fit its meta.json."""
        self.size_hw = artifact.size_hw
        self._interpreter = open_interpreter(artifact.litert_path, num_threads)
        try:
            signature = self._interpreter.get_signature_list()["serving_default"]
            self._runner = self._interpreter.get_signature_runner("serving_default")
            (self._input_name,) = signature["inputs"]
        except (KeyError, ValueError) as exc:
            raise ModelArtifactError(
                f"{artifact.litert_path} has no signature 'serving_default' with one input. {MEND}"
            ) from exc
        self._names = (artifact.original_output, artifact.ferplus_output)
        self._check_outputs(artifact)

    def classify(self, crops: NDArray[np.uint8]) -> Logits:
        """Classify uint8 (N, height, width, 1) crops, 0-255; N may be 0."""
        original = np.empty((len(crops), len(EMOTIONS)), np.float32)
        ferplus = np.empty((len(crops), len(FERPLUS_VOTES)), np.float32)
        for row, crop in enumerate(to_model_input(crops)):
            outputs = self._runner(**{self._input_name: crop[None]})
            original[row] = outputs[self._names[0]][0]
            ferplus[row] = outputs[self._names[1]][0]
        return Logits(original, ferplus)

    def _check_outputs(self, artifact: ModelArtifact) -> None:
        """Run once: warms the interpreter up and finds a wrong number of outputs at start, not live."""
        outputs = self._runner(**{self._input_name: np.zeros((1, *self.size_hw, 1), np.float32)})
        for name, labels in zip(self._names, (EMOTIONS, FERPLUS_VOTES), strict=True):
            shape = outputs[name].shape if name in outputs else None
            if shape != (1, len(labels)):
                raise ModelArtifactError(
                    f"{artifact.litert_path} has output {name} of shape {shape}, "
                    f"labels.py has {len(labels)} names. {MEND}"
                )
