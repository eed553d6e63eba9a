"""Measure how far an exported file's output is from that of its network."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_web.inference.classifier import Logits
from fer_web.metrics.text_tables import align
from train.data.fer_data import FerData
from train.metrics.metrics import accuracies

MAX_ACCURACY_DROP = 0.003
"""Share of right answers that a quantised file may lose on either output."""

MAX_FLOAT_DIFFERENCE = 0.01
"""A logit of a file that computes in float32 may differ by this; rounding stays far below."""


@dataclass(frozen=True)
class Parity:
    """It puts a file beside the network, both over the same images.

    Attributes:
        accuracy_change: of the outputs "original" and "ferplus", shares; negative is worse.
        largest_difference: of any logit.
    """

    accuracy_change: dict[str, float]
    largest_difference: float

    @property
    def keeps_accuracy(self) -> bool:
        """Tell whether neither output loses MAX_ACCURACY_DROP or more."""
        return min(self.accuracy_change.values()) > -MAX_ACCURACY_DROP

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "accuracy_change": {key: round(value, 5) for key, value in self.accuracy_change.items()},
            "largest_logit_difference": round(self.largest_difference, 6),
        }


def compare(logits: Logits, reference: Logits, part: FerData) -> Parity:
    """Compare a file's logits with the network's.

    Args: part: the rows that both are of, with FER+ votes.
    """
    before, after = accuracies(reference, part), accuracies(logits, part)
    differences = (logits.original - reference.original, logits.ferplus - reference.ferplus)
    return Parity(
        {key: after[key] - before[key] for key in before},
        max(float(np.abs(each).max()) for each in differences),
    )


def parity_table(rows: list[dict[str, Any]], count: int) -> str:
    """Return a text with a row for each file.

    Args:
        rows: with "title", "size_bytes", "accuracy_change", "largest_logit_difference" and, where
            it was measured, "latency_ms".
        count: of images compared.
    """
    header = ["file", "MB", "ms a face", "original", "FER+", "largest difference of a logit"]
    cells = [
        [
            row["title"],
            f"{row['size_bytes'] / 1e6:.1f}",
            f"{row['latency_ms']:.2f}" if row.get("latency_ms") else "-",
            *(f"{100 * row['accuracy_change'][key]:+.2f}" for key in ("original", "ferplus")),
            f"{row['largest_logit_difference']:.6f}",
        ]
        for row in rows
    ]
    title = f"Beside the Keras network over {count:,} images, changes of accuracy in points:"
    return "\n".join([title, align([header, *cells])])
