"""Ask teachers about each training row, once for a whole run."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from fer_web.errors import DataError
from fer_web.inference.scores import softmax
from train.runs.checkpoint import write_atomically
from train.runs.model_outputs import average_logits, run_keras

SOFT_TARGETS_FILE = "soft_targets.npz"


@dataclass(frozen=True)
class SoftTargets:
    """It holds the probabilities of N rows.

    Attributes:
        original, ferplus: float32 (N, 7) and (N, 10), as the network's outputs are ordered.
    """

    original: NDArray[np.float32]
    ferplus: NDArray[np.float32]

    def write(self, path: Path) -> None:
        """Store in one .npz file, whole or not at all."""
        file = io.BytesIO()
        np.savez(file, **vars(self))
        write_atomically(path, file.getvalue())

    @classmethod
    def read(cls, path: Path, count: int) -> "SoftTargets":
        """Read what `write` wrote.

        Raises DataError: it cannot be read or is not of `count` rows.
        """
        try:
            with np.load(path) as file:
                stored = cls(file["original"], file["ferplus"])
        # NumPy and zipfile have a dozen errors for a file that is cut short.
        except Exception as exc:
            raise DataError(f"{path} cannot be read ({exc}). Remove it: fit asks the teachers again") from exc
        if {len(stored.original), len(stored.ferplus)} != {count}:
            raise DataError(f"{path} is not of {count} rows. Remove it: fit asks the teachers again")
        return stored


def ask_teachers(
    teachers: Sequence[keras.Model], images: NDArray[np.uint8], temperature: float
) -> SoftTargets:
    """Return the softened mean of all teachers' logits of each image and of its mirror image.

    The mean of several networks and views is right more often than any of them, and of a doubtful
    label it says how doubtful (Hinton et al. 2015, "Distilling the knowledge in a neural network").

    Args:
        images: uint8 (N, 48, 48).
        temperature: divides the logits, above 0.
    """
    views = [
        average_logits(run_keras(each, images), run_keras(each, images[:, :, ::-1])) for each in teachers
    ]
    return SoftTargets(
        softmax(np.mean([each.original for each in views], axis=0), temperature),
        softmax(np.mean([each.ferplus for each in views], axis=0), temperature),
    )


def blend(labels: NDArray[np.float32], taught: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """Return targets (N, K) of which `weight` (0-1) is the teachers'.

    Their cross-entropy is the weighted sum of that with the labels and that with the teachers.
    """
    return (1 - np.float32(weight)) * labels + np.float32(weight) * taught
