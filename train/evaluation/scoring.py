"""Score logits against labels and votes, as dictionaries of plain JSON types."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.classifier import Logits
from fer_web.inference.scores import softmax
from fer_web.labels import EMOTIONS, FERPLUS_EMOTIONS
from fer_web.metrics.classification_report import accuracy, number, score_labels
from train.data.fer_data import FerData, copies_of, near_copies_of, repeats, vote_shares
from train.metrics.calibration import emotion_of
from train.metrics.metrics import ferplus_majority
from train.metrics.probability_metrics import FALSE_POSITIVE_RATES, RocCurve, roc_curve, vote_agreement
from train.metrics.robustness import CHANGES

Rows = NDArray[np.bool_]
"""It chooses rows of a split: bool (N,)."""


@dataclass(frozen=True)
class Copies:
    """It marks the rows of a split that say less than the others.

    Attributes:
        exact: bool (N,), the same pixels stand in another split or earlier in this one.
        near: bool (N,), these and the rows nearly the same as one of another split; see
            `near_copies_of`.
    """

    exact: Rows
    near: Rows


def find_copies(data: FerData, part: FerData) -> Copies:
    """Find copies among the rows of one split of `data`."""
    others = data.images[~np.isin(data.usage, part.usage[:1])]
    exact = copies_of(part.images, others) | repeats(part.images)
    near = near_copies_of(part.images, others) if len(others) else np.zeros(len(part), bool)
    return Copies(exact, exact | near)


def majority_of(part: FerData) -> tuple[NDArray[np.integer], Rows]:
    """Return what `ferplus_majority` does; without votes no row has one."""
    if part.votes is None:
        return np.zeros(len(part), np.int64), np.zeros(len(part), bool)
    return ferplus_majority(part.known_votes)


def score_original(logits: Logits, part: FerData, copies: Copies) -> dict[str, Any]:
    """Score the first output against FER-2013's labels."""
    return score_head(part.emotion, logits.original, copies, EMOTIONS)


def score_ferplus(logits: Logits, part: FerData, copies: Copies) -> dict[str, Any]:
    """Score the second output against FER+'s majority of eight expressions."""
    majority, counts = ferplus_majority(part.known_votes)
    eight = logits.ferplus[counts, : len(FERPLUS_EMOTIONS)]
    counted = Copies(copies.exact[counts], copies.near[counts])
    return score_head(majority[counts], eight, counted, FERPLUS_EMOTIONS)


def score_head(
    truth: NDArray[np.integer], logits: NDArray[np.floating], copies: Copies, names: tuple[str, ...]
) -> dict[str, Any]:
    """Score one output: all rows, ROC curves, and the rows that are no copies.

    Args: truth: (N,). logits: (N, K), for the K names.
    """
    predicted = logits.argmax(axis=1)
    curves = {
        name: roc_curve(truth == label, score)
        for label, (name, score) in enumerate(zip(names, softmax(logits).T, strict=True))
    }
    scores = score_labels(truth, predicted, names)
    for name, curve in curves.items():
        scores["classes"][name]["auc"] = number(curve.area)
    return {
        **scores,
        "macro_auc": _mean_area(curves),
        "roc": describe_roc(curves),
        "without_copies": score_labels(truth[~copies.exact], predicted[~copies.exact], names),
        "without_near_copies": score_labels(truth[~copies.near], predicted[~copies.near], names),
    }


def _mean_area(curves: dict[str, RocCurve]) -> float | None:
    areas = [curve.area for curve in curves.values() if not math.isnan(curve.area)]
    return float(np.mean(areas)) if areas else None


def describe_roc(curves: dict[str, RocCurve]) -> dict[str, Any]:
    """Return the true positive rates of each class at the same false positive rates."""
    return {
        "false_positive_rates": list(FALSE_POSITIVE_RATES),
        "true_positive_rates": {
            name: [None if rate is None else round(rate, 5) for rate in curve.sampled()]
            for name, curve in curves.items()
        },
    }


def score_votes(logits: Logits, part: FerData) -> dict[str, Any]:
    """Return how well the second output, without temperature, fits the votes of all ten columns."""
    predicted = logits.ferplus[:, : len(FERPLUS_EMOTIONS)].argmax(axis=1)
    agreement = vote_agreement(
        vote_shares(part.known_votes), softmax(logits.ferplus), predicted, nameable=len(FERPLUS_EMOTIONS)
    )
    return {key: number(value) for key, value in asdict(agreement).items()}


def label_agreement(part: FerData) -> float:
    """Return the share (0-1) of rows with a FER+ majority whose original label says the same."""
    majority, counts = ferplus_majority(part.known_votes)
    return float(np.mean(part.emotion[counts] == emotion_of(majority[counts])))


def score_robustness(
    classify: Callable[[NDArray[np.uint8]], Logits], clean: Logits, part: FerData
) -> dict[str, dict[str, float]]:
    """Return the accuracies (0-1) on each kind of changed images, and their differences to the
    clean ones.

    Args:
        classify: uint8 (N, 48, 48) to logits.
        clean: logits of the unchanged rows of `part`.
    Returns: by name of CHANGES: "original" and "original_change", with votes "ferplus" and
        "ferplus_change".
    """
    before = _accuracies(clean, part)
    rows = {}
    for name, change in CHANGES.items():
        after = _accuracies(classify(change(part.images)), part)
        rows[name] = after | {f"{key}_change": after[key] - before[key] for key in after}
    return rows


def worst_change(rows: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Name the changed images that cost most: which accuracy fell, and by how much (0-1)."""
    key = "ferplus" if all("ferplus_change" in row for row in rows.values()) else "original"
    name = min(rows, key=lambda each: rows[each][f"{key}_change"])
    return {"name": name, "against": key, "change": rows[name][f"{key}_change"]}


def _accuracies(logits: Logits, part: FerData) -> dict[str, float]:
    found = {"original": accuracy(part.emotion, logits.original.argmax(axis=1))}
    majority, counts = majority_of(part)
    if counts.any():
        predicted = logits.ferplus[:, : len(FERPLUS_EMOTIONS)].argmax(axis=1)
        found["ferplus"] = accuracy(majority[counts], predicted[counts])
    return found
