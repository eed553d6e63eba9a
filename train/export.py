"""From a run folder to a model folder: Keras and LiteRT files, meta.json, card and plot."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_web.errors import DataError, ModelArtifactError
from fer_web.inference.artifact import KERAS_FILE, LITERT_FILE, ModelArtifact, write_meta
from fer_web.inference.classifier import Logits
from fer_web.labels import EMOTIONS, FERPLUS_EMOTIONS, FERPLUS_VOTES
from train.calibration import Calibration, calibrate
from train.checkpoint import BEST_FILE, LAST_FILE, averaged_weights
from train.config import FitConfig
from train.data import FerData
from train.evaluate import Predictions, evaluate, run_keras
from train.litert_files import KINDS, LiteRTFile, run_litert, write_litert
from train.metrics import accuracy, ferplus_majority
from train.model_card import write_model_card
from train.networks import INPUT_SHAPE, build_network
from train.plots import plot_history
from train.run_folder import code_version, read_config, read_history, read_run

CHECKPOINTS = {"last": LAST_FILE, "best": BEST_FILE}
SELECTION_SPLIT = "PublicTest"
MAX_ACCURACY_DROP = 0.003
"""A LiteRT file may lose this share of right answers on either output against the Keras file."""

MAX_DOUBT = 0.5
"""Over half of the expected votes for "unknown" or "not-a-face": no expression has a majority any more."""

CALIBRATION_IMAGES = 300


@dataclass(frozen=True)
class Candidate:
    """A LiteRT file beside the Keras network, both over the same images.

    Attributes:
        logits: what the file gives.
        accuracy_change: of the outputs "original" and "ferplus", negative is worse.
        largest_difference: of any logit.
    """

    file: LiteRTFile
    logits: Logits
    accuracy_change: dict[str, float]
    largest_difference: float

    @property
    def passes(self) -> bool:
        """Whether neither output loses more than MAX_ACCURACY_DROP."""
        return min(self.accuracy_change.values()) > -MAX_ACCURACY_DROP

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "kind": self.file.kind,
            "latency_ms": round(self.file.latency_ms, 3),
            "size_bytes": self.file.size_bytes,
            "accuracy_change": {key: round(value, 5) for key, value in self.accuracy_change.items()},
            "largest_logit_difference": round(self.largest_difference, 5),
            "passes": self.passes,
        }


def export(
    run_dir: Path,
    data: FerData,
    out: Path,
    *,
    checkpoint: str = "last",
    say: Callable[[str], None] = print,
) -> ModelArtifact:
    """Write a model folder from the averaged weights of a run.

    The LiteRT file is the fastest whose accuracy on PublicTest stays; temperature and threshold are chosen
    there too.

    Args:
        data: the rows that the run was trained on, PublicTest and FER+ votes included.
        out: created; files of the same names are replaced, meta.json last.
        checkpoint: "last", or "best" on PublicTest.
    Raises:
        DataError: no finished epoch, no votes, or other data than the run's.
        ModelArtifactError: no LiteRT file is good enough.
    """
    record, config = read_run(run_dir), read_config(run_dir)
    if data.votes is None or data.sha256() != record["data"]["sha256"]:
        raise DataError(
            f"the data is not that of {run_dir}. Give the --data and --ferplus it was trained with"
        )
    validation = data.split(SELECTION_SPLIT)
    model, epoch = load_averaged(config, run_dir / CHECKPOINTS[checkpoint])
    out.mkdir(parents=True, exist_ok=True)
    model.save(out / KERAS_FILE)
    candidates = compare_files(model, data, validation, seed=config.seed, out=out / LITERT_FILE, say=say)
    shipped = choose(candidates)
    calibration = calibrate_on(shipped.logits, validation)
    predictions = Predictions(
        out / LITERT_FILE,
        shipped.logits,
        calibration.temperature,
        calibration.unsure_below,
        logit_offsets=calibration.logit_offsets,
    )
    meta = {
        **_describe_model(model, config, shipped, calibration),
        "metrics": evaluate(predictions, data, SELECTION_SPLIT),
        "litert_candidates": [each.to_dict() for each in candidates],
        "data": record["data"],
        "seed": config.seed,
        "checkpoint": {"kind": checkpoint, "epoch": epoch, "weights": "averaged"},
        "chosen_on": f"{SELECTION_SPLIT}: temperature, logit_offsets, unsure_below, kind of LiteRT file"
        + (", checkpoint" if checkpoint == "best" else ""),
        "config": config.to_dict(),
        "environment": record["environment"],
        "code_version": code_version(),
    }
    history = read_history(run_dir)
    plot_history(history, out / "plots" / "history.png")
    write_model_card(out / "MODEL_CARD.md", meta, history)
    return write_meta(out, meta)


def load_averaged(config: FitConfig, checkpoint: Path) -> tuple[keras.Model, int]:
    """The float32 network with a checkpoint's averaged weights, and the epoch these are from."""
    weights, epoch = averaged_weights(checkpoint)
    model = build_network(config.network)
    for variable in model.weights:
        variable.assign(weights[variable.path])
    return model, epoch


def compare_files(
    model: keras.Model,
    data: FerData,
    validation: FerData,
    *,
    seed: int,
    out: Path,
    say: Callable[[str], None] = print,
) -> list[Candidate]:
    """Write every kind of LiteRT file, compare each over `validation` and put the chosen one at `out`."""
    training = data.split("Training").images
    rows = np.random.default_rng(seed).choice(
        len(training), min(CALIBRATION_IMAGES, len(training)), replace=False
    )
    reference = run_keras(model, validation.images)
    candidates = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            file = write_litert(model, kind, Path(folder) / f"{kind}.tflite", training[rows])
            candidates.append(compare(file, reference, validation))
            say(describe_candidate(candidates[-1]))
        out.write_bytes(choose(candidates).file.path.read_bytes())
    return candidates


def compare(file: LiteRTFile, reference: Logits, validation: FerData) -> Candidate:
    """Run a file over the images of `reference` and take the differences."""
    logits = run_litert(file, validation.images)
    before, after = accuracies(reference, validation), accuracies(logits, validation)
    differences = (logits.original - reference.original, logits.ferplus - reference.ferplus)
    return Candidate(
        file,
        logits,
        {key: after[key] - before[key] for key in before},
        max(float(np.abs(each).max()) for each in differences),
    )


def accuracies(logits: Logits, part: FerData) -> dict[str, float]:
    """Accuracy (0-1) of each output: against original labels, and against FER+'s majority."""
    majority, counts = ferplus_majority(part.votes)
    ferplus = logits.ferplus[:, : len(FERPLUS_EMOTIONS)].argmax(axis=1)
    return {
        "original": accuracy(part.emotion, logits.original.argmax(axis=1)),
        "ferplus": accuracy(majority[counts], ferplus[counts]),
    }


def choose(candidates: list[Candidate]) -> Candidate:
    """The fastest file that passes. Raises ModelArtifactError: none does."""
    passing = [each for each in candidates if each.passes]
    if not passing:
        changes = {each.file.kind: each.accuracy_change for each in candidates}
        raise ModelArtifactError(
            f"every LiteRT file loses over {MAX_ACCURACY_DROP:.1%} of accuracy: {changes}"
        )
    return min(passing, key=lambda each: each.file.latency_ms)


def calibrate_on(logits: Logits, part: FerData) -> Calibration:
    """Temperature and threshold from the rows that have a FER+ majority."""
    majority, counts = ferplus_majority(part.votes)
    return calibrate(logits.ferplus[counts], majority[counts])


def describe_candidate(candidate: Candidate) -> str:
    """One line of text about a LiteRT file."""
    file, change = candidate.file, candidate.accuracy_change
    return (
        f"{file.kind}: {file.latency_ms:.2f} ms, {file.size_bytes / 1e6:.1f} MB, accuracy "
        f"{100 * change['original']:+.2f} original, {100 * change['ferplus']:+.2f} FER+ points, "
        f"largest difference {candidate.largest_difference:.4f}"
    )


def _describe_model(
    model: keras.Model, config: FitConfig, shipped: Candidate, calibration: Calibration
) -> dict[str, Any]:
    height, width, channels = INPUT_SHAPE
    return {
        "name": config.network.name,
        "labels": list(EMOTIONS),
        "ferplus_votes": list(FERPLUS_VOTES),
        "input": {"height": height, "width": width, "channels": channels, "range": [0, 255]},
        "outputs": shipped.file.outputs,
        "litert": shipped.to_dict(),
        "parameters": model.count_params(),
        "temperature": calibration.temperature,
        "logit_offsets": list(calibration.logit_offsets),
        "unsure_below": calibration.unsure_below,
        "max_doubt": MAX_DOUBT,
    }
