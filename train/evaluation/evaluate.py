"""Score a model on one split, as a dictionary of plain JSON types."""

from pathlib import Path
from typing import Any

from fer_web.inference.artifact import sha256_of
from fer_web.inference.classifier import Logits
from train.data.fer_data import FerData
from train.evaluation.scoring import (
    Copies,
    find_copies,
    label_agreement,
    majority_of,
    score_ferplus,
    score_original,
    score_robustness,
    score_votes,
    worst_change,
)
from train.evaluation.shown_scoring import score_flip_averaged, score_shown
from train.runs.model_outputs import Predictions, predict


def evaluate_model(
    model: Path,
    data: FerData,
    usage: str,
    *,
    runtime: str = "litert",
    flip_average: bool = False,
    robustness: bool = False,
) -> dict[str, Any]:
    """Run a model over one split and score it; see `predict` and `evaluate`.

    Args: robustness: score changed images too. Raises: ModelArtifactError, DataError.
    """
    part = data.split(usage)
    predictions = predict(model, part.images, runtime=runtime, flip_average=flip_average)
    result = evaluate(predictions, data, usage)
    if robustness:
        rows = score_robustness(
            lambda images: predict(model, images, runtime=runtime).logits, predictions.logits, part
        )
        result |= {"robustness": rows, "robustness_worst": worst_change(rows)}
    return result


def evaluate(predictions: Predictions, data: FerData, usage: str) -> dict[str, Any]:
    """Score predictions for one split, with and without its copies and near copies.

    Args:
        predictions: of the split's rows, in order.
        data: all rows that are known, the split's among them.
    """
    part = data.split(usage)
    copies = find_copies(data, part)
    result: dict[str, Any] = {
        "model": {"file": str(predictions.source), "sha256": sha256_of(predictions.source)},
        "data": {
            "usage": usage,
            "count": len(part),
            "copies": int(copies.exact.sum()),
            "near_copies": int((copies.near & ~copies.exact).sum()),
            "sha256": part.sha256(),
        },
        "original": score_original(predictions.logits, part, copies),
    }
    if majority_of(part)[1].any():
        result["label_agreement"] = label_agreement(part)
        result["ferplus"] = score_ferplus(predictions.logits, part, copies)
        result["votes"] = score_votes(predictions.logits, part)
        result["shown"] = score_shown(predictions, part, copies)
    if predictions.flip_averaged is not None:
        result["flip_averaged"] = _score_flip_averaged(predictions, predictions.flip_averaged, part, copies)
    return result


def _score_flip_averaged(
    predictions: Predictions, averaged: Logits, part: FerData, copies: Copies
) -> dict[str, Any]:
    scores = {"original": score_original(averaged, part, copies)}
    if majority_of(part)[1].any():
        scores["ferplus"] = score_ferplus(averaged, part, copies)
    wanted = ("count", "accuracy", "interval_95", "macro_f1")
    found = {key: {name: each[name] for name in wanted} for key, each in scores.items()}
    if majority_of(part)[1].any():
        found["shown"] = score_flip_averaged(predictions, averaged, part)
    return found
