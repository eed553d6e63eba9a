"""Turns face crops into what is shown, whatever runs the network."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.artifact import MEND, ModelArtifact
from fer_web.inference.certainty import CertaintyModel
from fer_web.inference.heatmaps import CAM, HeatMaps, maps_of_cells
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.scores import contempt_share, shown_scores, softmax
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from fer_web.vision.litert import open_interpreter
from fer_web.vision.preprocess import Crops, to_model_input


@dataclass(frozen=True)
class Logits:
    """The network's two outputs for N faces.

    Attributes:
        original: float32 (N, 7), for FER-2013's own labels, in the order of EMOTIONS.
        ferplus: float32 (N, 10), for the shares of FER+ votes, in the order of FERPLUS_VOTES.
    """

    original: NDArray[np.float32]
    ferplus: NDArray[np.float32]


@dataclass(frozen=True)
class Prediction:
    """A prediction is what a network says about N faces.

    Attributes:
        scores: float32 (N, 7), 0-1 in the order of EMOTIONS, rows sum to 1: what is shown.
        uncertainty: float32 (N,), 0-1, how much speaks for naming no expression at all.
        original_scores: float32 (N, 7), as FER-2013's own labels would have it, not shown; None where the
            network has no such output.
        heatmaps: float32 (N, 7, rows, columns); None where they were not asked for or the network has none.
        contempt: float32 (N,), 0-1, how much speaks for contempt, which is never shown; None where no output
            stands for it.
        cells: float32 (N, rows, columns, 10), FER+ logits of each cell alone; None where there are none.
    """

    scores: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    original_scores: NDArray[np.float32] | None = None
    heatmaps: HeatMaps | None = None
    cells: NDArray[np.float32] | None = None
    contempt: NDArray[np.float32] | None = None

    def take(self, row: int) -> "Prediction":
        """One of the N faces alone."""
        rows = slice(row, row + 1)
        original = None if self.original_scores is None else self.original_scores[rows]
        heatmaps = None if self.heatmaps is None else self.heatmaps[rows]
        return Prediction(self.scores[rows], self.uncertainty[rows], original, heatmaps)


class Classifier(Protocol):
    """Anything that judges crops. One thread at a time may use an instance."""

    @property
    def info(self) -> ModelInfo:
        """The network, and the crops that it takes."""
        ...

    @property
    def certainty(self) -> CertaintyModel | None:
        """Judges its scores; None where nothing was fitted to it."""
        ...

    def classify(self, crops: Crops) -> Prediction:
        """Classify uint8 (N, *info.size_hw, info.channels) crops, 0-255; N may be 0."""
        ...

    def explain(self, crops: Crops) -> Prediction:
        """As `classify`, with heat maps where `info.heatmaps` says that there are any."""
        ...


def info_of(artifact: ModelArtifact) -> ModelInfo:
    """A checked model folder as its users see it."""
    return ModelInfo(
        name=artifact.name,
        model_hash=artifact.model_hash,
        size_hw=artifact.size_hw,
        channels=1,
        unsure_below=_unsure_below(artifact),
        max_uncertainty=artifact.max_uncertainty,
        has_original=True,
        heatmaps=CAM if artifact.cam_output else None,
        no_heatmaps="" if artifact.cam_output else WITHOUT_CAM,
        options={
            "temperature": artifact.temperature,
            "unsure_below": _unsure_below(artifact),
            "max_doubt": artifact.max_uncertainty,
        },
    )


def _unsure_below(artifact: ModelArtifact) -> float:
    return artifact.unsure_below if artifact.certainty is None else artifact.certainty.unsure_below


WITHOUT_CAM = "the model was exported without heat maps (a new python -m train export writes them)"


class LiteRTClassifier:
    """Runs model.tflite face by face: its input has a fixed batch of one, which XNNPACK runs fastest."""

    def __init__(self, artifact: ModelArtifact, num_threads: int = 1) -> None:
        """Raises: ModelArtifactError: the file does not fit its meta.json."""
        self.info = info_of(artifact)
        self.certainty = artifact.certainty
        self._artifact = artifact
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

    def classify(self, crops: Crops) -> Prediction:
        """Classify uint8 (N, height, width, 1) crops, 0-255; N may be 0."""
        return self._predict(crops)

    def explain(self, crops: Crops) -> Prediction:
        """As `classify`, with heat maps where the folder was exported with them."""
        prediction = self._predict(crops)
        if prediction.cells is None:
            return prediction
        maps = maps_of_cells(prediction.cells, self._artifact.logit_offsets)
        return replace(prediction, heatmaps=maps)

    def logits(self, crops: Crops) -> Logits:
        """Both outputs for uint8 (N, height, width, 1) crops, 0-255; N may be 0."""
        return self._run(crops)

    def logits_and_cells(self, crops: Crops) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """FER+ logits (N, 10) and those of each cell (N, rows, columns, 10); rows is 0 without cells."""
        cells = np.empty((len(crops), *self._cells_hw, len(FERPLUS_VOTES)), np.float32)
        return self._run(crops, cells if self._artifact.cam_output else None).ferplus, cells

    def _predict(self, crops: Crops) -> Prediction:
        cells = None
        if self._artifact.cam_output is not None:
            cells = np.empty((len(crops), *self._cells_hw, len(FERPLUS_VOTES)), np.float32)
        logits = self._run(crops, cells)
        scores, uncertainty = shown_scores(
            logits.ferplus, self._artifact.temperature, self._artifact.logit_offsets
        )
        contempt = contempt_share(logits.ferplus, self._artifact.temperature, self._artifact.logit_offsets)
        return Prediction(scores, uncertainty, softmax(logits.original), cells=cells, contempt=contempt)

    def _run(self, crops: Crops, cells: NDArray[np.float32] | None = None) -> Logits:
        """Args: cells: (N, rows, columns, 10), filled with the FER+ logits of each cell."""
        original = np.empty((len(crops), len(EMOTIONS)), np.float32)
        ferplus = np.empty((len(crops), len(FERPLUS_VOTES)), np.float32)
        for row, crop in enumerate(to_model_input(crops)):
            outputs = self._runner(**{self._input_name: crop[None]})
            original[row] = outputs[self._names[0]][0]
            ferplus[row] = outputs[self._names[1]][0]
            if cells is not None:
                cells[row] = outputs[self._artifact.cam_output][0]
        return Logits(original, ferplus)

    def _check_outputs(self, artifact: ModelArtifact) -> None:
        """Run once: warms the interpreter up and finds a wrong number of outputs at start, not live."""
        outputs = self._runner(**{self._input_name: np.zeros((1, *self.info.size_hw, 1), np.float32)})
        self._cells_hw = _checked_cells(artifact, outputs)
        for name, labels in zip(self._names, (EMOTIONS, FERPLUS_VOTES), strict=True):
            shape = outputs[name].shape if name in outputs else None
            if shape != (1, len(labels)):
                raise ModelArtifactError(
                    f"{artifact.litert_path} has output {name} of shape {shape}, "
                    f"labels.py has {len(labels)} names. {MEND}"
                )


def _checked_cells(artifact: ModelArtifact, outputs: Mapping[str, NDArray[np.float32]]) -> tuple[int, int]:
    """Rows and columns of the output for cells; (0, 0) without one. Raises ModelArtifactError."""
    name = artifact.cam_output
    if name is None:
        return 0, 0
    shape = outputs[name].shape if name in outputs else ()
    if len(shape) != 4 or shape[-1] != len(FERPLUS_VOTES) or 0 in shape:
        raise ModelArtifactError(
            f"{artifact.litert_path} has output {name} of shape {shape or None}, heat maps need (1, rows, "
            f"columns, {len(FERPLUS_VOTES)}). {MEND}"
        )
    return shape[1], shape[2]
