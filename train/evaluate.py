"""Every score of a model on one split, as a dictionary of plain JSON types."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.artifact import ModelArtifact, load_artifact, sha256_of
from fer_web.inference.classifier import LiteRTClassifier, Logits
from fer_web.inference.scores import shown_scores
from fer_web.labels import EMOTIONS, FERPLUS_EMOTIONS
from train.calibration import cross_fitted_error, emotion_of, shown_correctness
from train.data import FerData, copies_of, repeats
from train.metrics import (
    accuracy,
    class_scores,
    confusion_matrix,
    expected_calibration_error,
    ferplus_majority,
    macro_f1,
    risk_coverage,
    wilson_interval,
)
from train.robustness import CHANGES

COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Predictions:
    """A model's output on some images, and what is needed to show it.

    Attributes:
        source: the file that ran.
        logits: of N images.
        temperature: divides the FER+ logits.
        unsure_below: confidence (0-1) under which a face is called unsure, None where the model does not say.
        flip_averaged: means of the logits of each image and of its mirror image, None where not computed. The
            live page does not average; the other scores are of `logits`.
    """

    source: Path
    logits: Logits
    temperature: float = 1.0
    unsure_below: float | None = None
    flip_averaged: Logits | None = None


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
    return Predictions(source, logits, artifact.temperature, artifact.unsure_below, averaged)


def average_logits(one: Logits, other: Logits) -> Logits:
    """Mean of two sets of logits of the same rows."""
    return Logits((one.original + other.original) / 2, (one.ferplus + other.ferplus) / 2)


def _keras_runner(path: Path) -> Callable[[NDArray[np.uint8]], Logits]:
    model = load_keras(path)
    return lambda images: run_keras(model, images)


def _litert_runner(artifact: ModelArtifact) -> Callable[[NDArray[np.uint8]], Logits]:
    classifier = LiteRTClassifier(artifact)
    return lambda images: classifier.classify(np.ascontiguousarray(images[..., None]))


def load_keras(path: Path) -> keras.Model:
    """Open a .keras file, without running code from it. Raises ModelArtifactError."""
    if path.suffix != ".keras" or not path.is_file():
        raise ModelArtifactError(f"{path} is no model: give a folder with meta.json or a .keras file")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise ModelArtifactError(f"{path} cannot be opened as a Keras model ({exc})") from exc
    outputs = getattr(model, "output", None)
    if not isinstance(outputs, dict) or set(outputs) != {"original", "ferplus"}:
        raise ModelArtifactError(
            f"{path} lacks the outputs 'original' and 'ferplus'. Export it: python -m train export"
        )
    return model


def run_keras(model: keras.Model, images: NDArray[np.uint8]) -> Logits:
    """Logits of uint8 (N, 48, 48) images."""
    outputs = model.predict(images[..., None].astype(np.float32), batch_size=256, verbose=0)
    return Logits(outputs["original"], outputs["ferplus"])


def evaluate(predictions: Predictions, data: FerData, usage: str) -> dict[str, Any]:
    """Score predictions for one split, with and without its copies.

    Copies are rows whose exact pixels also stand in another split of `data`, or earlier in the same one.

    Args:
        predictions: of the split's rows, in order.
        data: all rows that are known, the split's among them.
    """
    part = data.split(usage)
    others = data.images[~np.isin(data.usage, part.usage[:1])]
    unique = ~(copies_of(part.images, others) | repeats(part.images))
    result: dict[str, Any] = {
        "model": {"file": str(predictions.source), "sha256": sha256_of(predictions.source)},
        "data": {"usage": usage, "count": len(part), "copies": int((~unique).sum()), "sha256": part.sha256()},
        "original": score_original(predictions.logits, part, unique),
    }
    if _majority(part)[1].any():
        result["label_agreement"] = measure_label_agreement(part)
        result["ferplus"] = score_ferplus(predictions.logits, part, unique)
        result["shown"] = score_shown(predictions, part)
    if predictions.flip_averaged is not None:
        result["flip_averaged"] = _score_flip_averaged(predictions.flip_averaged, part)
    return result


def _score_flip_averaged(logits: Logits, part: FerData) -> dict[str, Any]:
    all_rows = np.ones(len(part), bool)
    scores = {"original": score_original(logits, part, all_rows)}
    if _majority(part)[1].any():
        scores["ferplus"] = score_ferplus(logits, part, all_rows)
    wanted = ("count", "accuracy", "interval_95", "macro_f1")
    return {key: {name: each[name] for name in wanted} for key, each in scores.items()}


def score_robustness(
    classify: Callable[[NDArray[np.uint8]], Logits], clean: Logits, part: FerData
) -> dict[str, dict[str, float]]:
    """Accuracies (0-1) on each kind of changed images, and their differences to the clean ones.

    Args:
        classify: uint8 (N, 48, 48) to logits.
        clean: logits of the unchanged rows of `part`.
    Returns: by name of CHANGES: "original" and "original_change", with votes "ferplus" and "ferplus_change".
    """
    before = _accuracies(clean, part)
    rows = {}
    for name, change in CHANGES.items():
        after = _accuracies(classify(change(part.images)), part)
        rows[name] = after | {f"{key}_change": after[key] - before[key] for key in after}
    return rows


def _accuracies(logits: Logits, part: FerData) -> dict[str, float]:
    found = {"original": accuracy(part.emotion, logits.original.argmax(axis=1))}
    majority, counts = _majority(part)
    if counts.any():
        predicted = logits.ferplus[:, : len(FERPLUS_EMOTIONS)].argmax(axis=1)
        found["ferplus"] = accuracy(majority[counts], predicted[counts])
    return found


def _majority(part: FerData) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
    """As `ferplus_majority`; without votes no row has one."""
    if part.votes is None:
        return np.zeros(len(part), np.int64), np.zeros(len(part), bool)
    return ferplus_majority(part.votes)


def measure_label_agreement(part: FerData) -> float:
    """Share (0-1) of rows with a FER+ majority whose original label says the same."""
    majority, counts = ferplus_majority(part.votes)
    return float(np.mean(part.emotion[counts] == emotion_of(majority[counts])))


def score_original(logits: Logits, part: FerData, unique: NDArray[np.bool_]) -> dict[str, Any]:
    """Scores of the first output against FER-2013's labels."""
    return _both(part.emotion, logits.original.argmax(axis=1), unique, EMOTIONS)


def score_ferplus(logits: Logits, part: FerData, unique: NDArray[np.bool_]) -> dict[str, Any]:
    """Scores of the second output against FER+'s majority of eight expressions."""
    majority, counts = ferplus_majority(part.votes)
    predicted = logits.ferplus[:, : len(FERPLUS_EMOTIONS)].argmax(axis=1)
    return _both(majority[counts], predicted[counts], unique[counts], FERPLUS_EMOTIONS)


def score_shown(predictions: Predictions, part: FerData) -> dict[str, Any]:
    """Scores of what users see against FER+'s majority; a contempt majority counts as an error."""
    majority, counts = ferplus_majority(part.votes)
    logits, majority = predictions.logits.ferplus[counts], majority[counts]
    raw_confidence, correct = shown_correctness(logits, majority, 1.0)
    confidence, _ = shown_correctness(logits, majority, predictions.temperature)
    curve = risk_coverage(confidence, correct)
    return {
        "count": len(correct),
        "accuracy": float(correct.mean()),
        "temperature": predictions.temperature,
        "calibration_error_at_temperature_1": expected_calibration_error(raw_confidence, correct),
        "calibration_error": expected_calibration_error(confidence, correct),
        "calibration_error_cross_fitted": cross_fitted_error(logits, majority),
        "accuracy_at_coverage": {str(each): curve.accuracy_at(each) for each in COVERAGES},
        "unsure": _score_unsure(predictions, part, confidence, correct),
    }


def _score_unsure(
    predictions: Predictions, part: FerData, confidence: NDArray[np.float32], correct: NDArray[np.bool_]
) -> dict[str, Any] | None:
    if predictions.unsure_below is None:
        return None
    sure = confidence >= predictions.unsure_below
    all_scores, _ = shown_scores(predictions.logits.ferplus, predictions.temperature)
    majority, _ = ferplus_majority(part.votes)
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


def _both(
    truth: NDArray[np.integer],
    predicted: NDArray[np.integer],
    unique: NDArray[np.bool_],
    names: tuple[str, ...],
) -> dict[str, Any]:
    return {
        **score_labels(truth, predicted, names),
        "without_copies": score_labels(truth[unique], predicted[unique], names),
    }


def score_labels(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], names: tuple[str, ...]
) -> dict[str, Any]:
    """Count, accuracy with 95 % interval, macro-F1, scores of each class, confusion (rows are true)."""
    confusion = confusion_matrix(truth, predicted, len(names))
    scores = class_scores(confusion)
    hits = int(np.diag(confusion).sum())
    per_class = {
        name: {
            "precision": float(scores.precision[i]),
            "recall": float(scores.recall[i]),
            "f1": float(scores.f1[i]),
            "count": int(scores.support[i]),
        }
        for i, name in enumerate(names)
    }
    return {
        "count": len(truth),
        "accuracy": hits / len(truth) if len(truth) else None,
        "interval_95": list(wilson_interval(hits, len(truth))),
        "macro_f1": macro_f1(scores) if len(truth) else None,
        "classes": per_class,
        "confusion": confusion.tolist(),
    }


def describe(result: dict[str, Any]) -> str:
    """A short text report of `evaluate`'s result."""
    data = result["data"]
    lines = [
        f"{result['model']['file']} on {data['usage']}, {data['count']} rows, {data['copies']} of them copies"
    ]
    for key, title in (("original", "original labels"), ("ferplus", "FER+ majority")):
        if key in result:
            averaged = result.get("flip_averaged", {}).get(key)
            lines += [_describe_labels(title, result[key], averaged), *_describe_classes(result[key])]
    if "shown" in result:
        lines += _describe_shown(result["shown"])
    if "robustness" in result:
        lines += ["on changed images, with the difference to the clean score in points:"]
        lines += [_describe_change(name, each) for name, each in result["robustness"].items()]
    return "\n".join(lines)


def _describe_labels(title: str, scores: dict[str, Any], averaged: dict[str, Any] | None) -> str:
    low, high = scores["interval_95"]
    rest = scores["without_copies"]
    return (
        f"{title}: {_percent(scores['accuracy'])} ({_percent(low)} to {_percent(high)}, "
        f"n = {scores['count']}), macro-F1 {_percent(scores['macro_f1'])}; "
        f"without copies {_percent(rest['accuracy'])} (n = {rest['count']})"
        + (f"; averaged with mirror images {_percent(averaged['accuracy'])}" if averaged else "")
    )


def _describe_change(name: str, scores: dict[str, float]) -> str:
    titles = {"original": "original labels", "ferplus": "FER+ majority"}
    parts = [
        f"{title} {_percent(scores[key])} ({100 * scores[f'{key}_change']:+.1f})"
        for key, title in titles.items()
        if key in scores
    ]
    return f"  {name:<14} {'  '.join(parts)}"


def _describe_classes(scores: dict[str, Any]) -> list[str]:
    return [
        f"  {name:<10} precision {_percent(each['precision'])}  recall {_percent(each['recall'])}  "
        f"F1 {_percent(each['f1'])}  n = {each['count']}"
        for name, each in scores["classes"].items()
    ]


def _describe_shown(shown: dict[str, Any]) -> list[str]:
    lines = [
        f"shown probability: calibration error {_percent(shown['calibration_error_at_temperature_1'])} at "
        f"temperature 1, {_percent(shown['calibration_error'])} at {shown['temperature']:g}, "
        f"{_percent(shown['calibration_error_cross_fitted'])} cross-fitted",
        "surest faces: "
        + ", ".join(
            f"{float(k):.0%} of them {_percent(v)}" for k, v in shown["accuracy_at_coverage"].items()
        ),
    ]
    unsure = shown["unsure"]
    if unsure:
        lines.append(
            f"unsure below {unsure['below']:g}: {_percent(unsure['answered_share'])} answered, "
            f"{_percent(unsure['accuracy_of_answered'])} of those right"
        )
    return lines


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
