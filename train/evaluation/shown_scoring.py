"""Score what users see: the shown label, its probability and when it is called unsure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.classifier import Logits
from fer_web.labels import EMOTIONS
from fer_web.metrics.classification_report import score_labels
from train.data.fer_data import FerData
from train.evaluation.scoring import Copies
from train.metrics.calibration import Scaling, choose_balance, cross_fitted_error, emotion_of
from train.metrics.metrics import RiskCoverage, expected_calibration_error, ferplus_majority, risk_coverage
from train.metrics.probability_metrics import (
    calibration_error_if_exact,
    equal_mass_calibration_error,
    reliability,
)
from train.runs.model_outputs import Predictions

COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
CURVE_POINTS = 50
SHOWN_TRUTHS = (*EMOTIONS, "contempt")
"""A face may be one of these by majority; contempt cannot be shown, so it is never recalled."""


def score_shown(predictions: Predictions, part: FerData, copies: Copies) -> dict[str, Any]:
    """Score what users see against FER+'s majority; a contempt majority counts as an error."""
    majority, counts = ferplus_majority(part.known_votes)
    logits, majority = predictions.logits.ferplus[counts], majority[counts]
    scores = predictions.scaling.apply(logits)
    truth = np.where(emotion_of(majority) < 0, len(EMOTIONS), emotion_of(majority))
    predicted, confidence = scores.argmax(axis=1), scores.max(axis=1)
    correct = predicted == truth
    curve = risk_coverage(confidence, correct)
    return {
        **score_labels(truth, predicted, SHOWN_TRUTHS),
        "temperature": predictions.temperature,
        "logit_offsets": list(predictions.logit_offsets),
        **_score_calibration(predictions, logits, majority),
        "accuracy_at_coverage": _at_coverages(curve),
        "risk_coverage": describe_curve(curve),
        "unsure": _score_unsure(predictions, part, confidence, correct),
        "against_original": _score_against_original(predictions, part),
        "without_copies": _without(copies.exact[counts], confidence, correct),
        "without_near_copies": _without(copies.near[counts], confidence, correct),
    }


def score_flip_averaged(predictions: Predictions, logits: Logits, part: FerData) -> dict[str, Any]:
    """Return the main scores of other logits of the same rows, shown by the same scaling."""
    majority, counts = ferplus_majority(part.known_votes)
    scores = predictions.scaling.apply(logits.ferplus[counts])
    truth = emotion_of(majority[counts])
    correct = scores.argmax(axis=1) == truth
    labelled = np.where(truth < 0, len(EMOTIONS), truth)
    plain = score_labels(labelled, scores.argmax(axis=1), SHOWN_TRUTHS)
    return {
        **{key: plain[key] for key in ("count", "accuracy", "interval_95", "macro_f1")},
        "calibration_error": expected_calibration_error(scores.max(axis=1), correct),
        "accuracy_at_coverage": _at_coverages(risk_coverage(scores.max(axis=1), correct)),
    }


def _score_calibration(
    predictions: Predictions, logits: NDArray[np.floating], majority: NDArray[np.integer]
) -> dict[str, Any]:
    truth = emotion_of(majority)
    raw, shown = Scaling(1.0).apply(logits), predictions.scaling.apply(logits)
    confidence, correct = shown.max(axis=1), shown.argmax(axis=1) == truth
    mean, low, high = calibration_error_if_exact(confidence)
    balance = choose_balance(logits, majority) if any(predictions.logit_offsets) else None
    return {
        "calibration_error_at_temperature_1": expected_calibration_error(
            raw.max(axis=1), raw.argmax(axis=1) == truth
        ),
        "calibration_error": expected_calibration_error(confidence, correct),
        "calibration_error_cross_fitted": cross_fitted_error(logits, majority, balance),
        "calibration_error_equal_mass": equal_mass_calibration_error(confidence, correct),
        "calibration_error_if_exact": {"mean": mean, "interval_95": [low, high]},
        "mean_confidence": float(confidence.mean()),
        "reliability": reliability(confidence, correct),
    }


def _score_against_original(predictions: Predictions, part: FerData) -> dict[str, Any]:
    """Score the shown label against FER-2013's own labels, over all rows, as a folder test does."""
    shown = predictions.scaling.apply(predictions.logits.ferplus).argmax(axis=1)
    scores = score_labels(part.emotion, shown, EMOTIONS)
    return {key: scores[key] for key in ("count", "accuracy", "interval_95", "macro_f1")}


def _at_coverages(curve: RiskCoverage) -> dict[str, float]:
    return {str(share): curve.accuracy_at(share) for share in COVERAGES}


def describe_curve(curve: RiskCoverage, points: int = CURVE_POINTS) -> dict[str, Any]:
    """Return evenly spaced points of a risk-coverage curve, and the area under all of it."""
    count = len(curve.coverage)
    chosen = np.unique(np.linspace(0, count - 1, min(points, count)).round().astype(int))
    sampled = {
        "coverage": curve.coverage[chosen],
        "risk": curve.risk[chosen],
        "confidence": curve.confidence[chosen],
    }
    return {
        "area": float(curve.risk.mean()),
        **{key: np.round(values, 5).tolist() for key, values in sampled.items()},
    }


def _score_unsure(
    predictions: Predictions, part: FerData, confidence: NDArray[np.floating], correct: NDArray[np.bool_]
) -> dict[str, Any] | None:
    if predictions.unsure_below is None:
        return None
    sure = confidence >= predictions.unsure_below
    all_scores = predictions.scaling.apply(predictions.logits.ferplus)
    majority, _ = ferplus_majority(part.known_votes)
    nameless = emotion_of(majority) < 0
    unsure = all_scores.max(axis=1) < predictions.unsure_below
    return {
        "below": predictions.unsure_below,
        "answered_share": float(sure.mean()),
        "accuracy_of_answered": float(correct[sure].mean()) if sure.any() else None,
        "accuracy_of_unsure": float(correct[~sure].mean()) if not sure.all() else None,
        "unsure_share_of_all_rows": float(unsure.mean()),
        "unsure_share_of_nameless_rows": float(unsure[nameless].mean()) if nameless.any() else None,
    }


def _without(
    copies: NDArray[np.bool_], confidence: NDArray[np.floating], correct: NDArray[np.bool_]
) -> dict[str, Any] | None:
    kept = ~copies
    if not kept.any():
        return None
    return {
        "count": int(kept.sum()),
        "accuracy": float(correct[kept].mean()),
        "calibration_error": expected_calibration_error(confidence[kept], correct[kept]),
    }
