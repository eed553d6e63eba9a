"""Run a model over images: a shipped folder through LiteRT or Keras, or a .keras file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.artifact import ModelArtifact, load_artifact
from fer_web.inference.classifier import LiteRTClassifier, Logits
from fer_web.inference.scores import NO_OFFSETS
from train.metrics.calibration import Scaling
from train.runs.run_folder import CONFIG_FILE


@dataclass(frozen=True)
class Predictions:
    """It holds a model's output on some images, and what is needed to show it.

    Attributes:
        source: the file that ran.
        logits: of N images.
        temperature: divides the FER+ logits.
        unsure_below: confidence (0-1) under which a face is called unsure, None where the model
            does not say.
        flip_averaged: means of the logits of each image and of its mirror image, None where not
            computed. The live page does not average; the other scores are of `logits`.
        logit_offsets: added to the FER+ logits of EMOTIONS before the temperature.
    """

    source: Path
    logits: Logits
    temperature: float = 1.0
    unsure_below: float | None = None
    flip_averaged: Logits | None = None
    logit_offsets: tuple[float, ...] = NO_OFFSETS

    @property
    def scaling(self) -> Scaling:
        """Return what turns the logits into shown probabilities."""
        return Scaling(self.temperature, self.logit_offsets)


def predict(
    model: Path, images: NDArray[np.uint8], *, runtime: str = "litert", flip_average: bool = False
) -> Predictions:
    """Run a shipped model folder or a .keras file over images.

    Args:
        model: folder with meta.json, or a .keras file of this package.
        images: uint8 (N, 48, 48).
        runtime: for a folder, "litert" runs what the live page runs, "keras" the other file.
        flip_average: run the mirror images too, for the scores in a column of their own.
    Raises: ModelArtifactError: there is no such model, or it is not one of ours.
    """
    if (model / CONFIG_FILE).is_file():
        raise ModelArtifactError(
            f"{model} is a run, not a model. Export it first: python -m train export {model} --out FOLDER "
            "--data ..."
        )
    artifact = load_artifact(model) if model.is_dir() else None
    if artifact is None:
        source, run = model, _keras_runner(model)
    elif runtime == "keras":
        source, run = artifact.keras_path, _keras_runner(artifact.keras_path)
    else:
        source, run = artifact.litert_path, _litert_runner(artifact)
    logits = run(images)
    averaged = average_logits(logits, run(images[:, :, ::-1])) if flip_average else None
    if artifact is None:
        return Predictions(source, logits, flip_averaged=averaged)
    return Predictions(
        source, logits, artifact.temperature, artifact.unsure_below, averaged, artifact.logit_offsets
    )


def average_logits(*answers: Logits) -> Logits:
    """Return the mean of sets of logits of the same rows; at least one."""
    return Logits(
        np.mean([each.original for each in answers], axis=0),
        np.mean([each.ferplus for each in answers], axis=0),
    )


def load_keras(path: Path) -> keras.Model:
    """Open a .keras file, without running code from it. Raises ModelArtifactError."""
    if path.suffix != ".keras" or not path.is_file():
        raise ModelArtifactError(f"{path} is no model: give a folder with meta.json or a .keras file")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise ModelArtifactError(f"{path} cannot be opened as a Keras model ({exc})") from exc
    outputs = getattr(model, "output", None)
    if not isinstance(outputs, dict) or not {"original", "ferplus"} <= set(outputs):
        raise ModelArtifactError(
            f"{path} lacks the outputs 'original' and 'ferplus'. Export it: python -m train export"
        )
    return model


def run_keras(model: keras.Model, images: NDArray[np.uint8]) -> Logits:
    """Return the logits of uint8 (N, 48, 48) images."""
    outputs = model.predict(images[..., None].astype(np.float32), batch_size=256, verbose=0)
    return Logits(outputs["original"], outputs["ferplus"])


def _keras_runner(path: Path) -> Callable[[NDArray[np.uint8]], Logits]:
    model = load_keras(path)
    return lambda images: run_keras(model, images)


def _litert_runner(artifact: ModelArtifact) -> Callable[[NDArray[np.uint8]], Logits]:
    classifier = LiteRTClassifier(artifact)
    return lambda images: classifier.logits(np.ascontiguousarray(images[..., None]))
