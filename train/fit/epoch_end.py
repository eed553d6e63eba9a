"""Score, record and keep each epoch, and end the run when nothing improves."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from train.data.fer_data import FerData
from train.metrics.metrics import accuracies
from train.networks.batch_statistics import estimate_batch_statistics
from train.runs.checkpoint import BEST_FILE, LAST_FILE, save, save_averaged
from train.runs.model_outputs import run_keras
from train.runs.run_folder import read_history, write_history

Row = dict[str, float]


@dataclass(frozen=True)
class Scoring:
    """It holds what averaged weights are scored with.

    Attributes:
        sample: float32 (B, 48, 48, 1) batches, to estimate batch normalisation from.
        validation: PublicTest with votes.
        ferplus_name: what the FER+ output is scored against, for people.
    """

    sample: Iterable[NDArray[np.float32]]
    validation: FerData
    ferplus_name: str = "FER+ majority"


class EpochRecorder(keras.callbacks.Callback):
    """It scores the averaged weights after each epoch, then writes history and checkpoints."""

    def __init__(self, run_dir: Path, scoring: Scoring, *, patience: int, say: Callable[[str], None]) -> None:
        super().__init__()
        self._run_dir, self._scoring, self._patience, self._say = run_dir, scoring, patience, say
        self.rows = read_history(run_dir)
        self._started_s = 0.0
        self._is_resumed = False

    def is_finished(self, epochs_done: int) -> bool:
        """Tell whether the run has stopped early. Rows past the last checkpoint are forgotten."""
        self.rows = [row for row in self.rows if row["epoch"] <= epochs_done]
        return is_stalled(self.rows, self._patience)

    def on_train_begin(self, logs: Row | None = None) -> None:
        self._is_resumed = bool(self.rows)

    def on_epoch_begin(self, epoch: int, logs: Row | None = None) -> None:
        self._started_s = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Row | None = None) -> None:
        seconds = time.monotonic() - self._started_s
        averaged, scores = score_averaged(self.model, self._scoring)
        losses = {key: float(value) for key, value in (logs or {}).items()}
        # The first row after an interruption says so; the model card counts them.
        row = {"epoch": epoch + 1, **losses, **scores, "seconds": seconds, "resumed": float(self._is_resumed)}
        self._is_resumed = False
        self.rows = [old for old in self.rows if old["epoch"] <= epoch] + [row]
        # History first: a kill between the two leaves a row too many, which the line above drops on
        # resuming.
        write_history(self._run_dir, self.rows)
        if selection_score(row) >= max(selection_score(each) for each in self.rows):
            save_averaged(self._run_dir / BEST_FILE, averaged, epochs_done=epoch + 1)
        save(self._run_dir / LAST_FILE, self.model, averaged, epochs_done=epoch + 1)
        self._say(
            f"epoch {epoch + 1}: loss {row['loss']:.4f}, PublicTest {scores['val_original_accuracy']:.4f} "
            f"original, {scores['val_ferplus_accuracy']:.4f} {self._scoring.ferplus_name}, {seconds:.0f} s"
        )
        if is_stalled(self.rows, self._patience):
            self.model.stop_training = True
            self._say(
                f"stopped early: no better epoch in {self._patience}; epoch {best_epoch(self.rows)} was the "
                "best. Export it with --checkpoint best"
            )


def selection_score(row: Row) -> float:
    """Return the mean PublicTest accuracy of the two heads: what "best" means."""
    return (row["val_original_accuracy"] + row["val_ferplus_accuracy"]) / 2


def best_epoch(rows: list[Row]) -> int:
    """Return the last of the epochs with the highest selection score: the one in best.npz."""
    return int(max(rows, key=lambda row: (selection_score(row), row["epoch"]))["epoch"])


def is_stalled(rows: list[Row], patience: int) -> bool:
    """Tell whether the last `patience` epochs brought nothing better; never for 0."""
    return bool(patience and rows) and rows[-1]["epoch"] - best_epoch(rows) >= patience


def score_averaged(model: keras.Model, scoring: Scoring) -> tuple[dict[str, NDArray[np.float32]], Row]:
    """Put the averaged weights into the model, read and score them, and put the raw ones back.

    Returns: the averaged weights by variable path, and the accuracies of the two heads.
    """
    raw = [keras.ops.convert_to_numpy(variable).copy() for variable in model.variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    for variable in model.trainable_variables:
        # In JAX it now shares the average's memory, which `predict` frees after use.
        variable.assign(keras.ops.convert_to_numpy(variable).copy())
    estimate_batch_statistics(model, scoring.sample)
    averaged = {each.path: keras.ops.convert_to_numpy(each).copy() for each in model.weights}
    scores = accuracies(run_keras(model, scoring.validation.images), scoring.validation)
    for variable, value in zip(model.variables, raw, strict=True):
        variable.assign(value)
    return averaged, {f"val_{head}_accuracy": value for head, value in scores.items()}
