"""A model tried out: its time beside ours, its accuracy on labelled images, and what would fit it better."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.analysis.folders.labelled_images import LabelledImage
from fer_web.analysis.stills.images import ImageLimits, read_image
from fer_web.analysis.stills.stills import PreparedStill, StillAnalyser
from fer_web.errors import FerWebError
from fer_web.inference.classifier import Classifier
from fer_web.labels import CONTEMPT, EMOTIONS
from fer_web.metrics.classification_report import score_labels
from fer_web.vision.preprocess import Crops

_WARM_UP, _TURNS = 5, 60
_TOGETHER: Final = 32
MIN_FACES: Final = 50
"""Fewer say too little about an order of seven outputs, of which there are 5040."""

CLEARLY: Final = 0.05
"""Share of faces by which another scaling or order must do better to be named."""

Outputs = Callable[[Crops, str], NDArray[np.float32]]
"""Crops and a scaling to a network's own outputs (N, K)."""


@dataclass(frozen=True)
class LabelledCrops:
    """The largest face of each image.

    Attributes:
        crops: uint8 (N, ...), as the model takes them.
        truth: int (N,), positions in EMOTIONS.
        no_face: images without a face. unreadable: images that could not be read.
    """

    crops: Crops
    truth: NDArray[np.int64]
    no_face: int
    unreadable: int


@dataclass(frozen=True)
class Fit:
    """A fit says how well a network does, fed and read in one way; accuracy is a share of 0-1."""

    scaling: str
    labels: tuple[str, ...]
    accuracy: float


def median_times_ms(classifiers: Sequence[Classifier]) -> list[float]:
    """Milliseconds for one face, for each: they take turns, so that other work hits all alike."""
    crops = [np.full((1, *each.info.size_hw, each.info.channels), 128, np.uint8) for each in classifiers]
    for each, crop in zip(classifiers, crops, strict=True):
        for _ in range(_WARM_UP):
            each.classify(crop)
    samples = [
        [_time_ms(each, crop) for each, crop in zip(classifiers, crops, strict=True)] for _ in range(_TURNS)
    ]
    return [float(value) for value in np.median(samples, axis=0)]


def cut_labelled(
    images: Sequence[LabelledImage], analyser: StillAnalyser, limits: ImageLimits, faces: str
) -> LabelledCrops:
    """Find the largest face of each image of the seven expressions. Args: faces: one of stills.FACES."""
    crops, truth, no_face, unreadable = [], [], 0, 0
    for image in images:
        if image.expression == CONTEMPT:
            continue
        try:
            prepared = analyser.prepare(read_image(image.path, limits).frame_bgr, faces)
        except FerWebError:
            unreadable += 1
            continue
        if not len(prepared.crops):
            no_face += 1
            continue
        crops.append(prepared.crops[_largest(prepared)])
        truth.append(EMOTIONS.index(image.expression))
    stacked = np.stack(crops) if crops else np.zeros((0, 1, 1, 1), np.uint8)
    return LabelledCrops(stacked, np.array(truth, np.int64), no_face, unreadable)


def score_classifier(classifier: Classifier, faces: LabelledCrops) -> dict[str, Any]:
    """Accuracy on faces with its 95 % interval (Wilson 1927), and that of the original output."""
    prediction = [classifier.classify(part) for part in _parts(faces.crops)]
    shown = np.concatenate([each.scores.argmax(axis=1) for each in prediction])
    scored = score_labels(faces.truth, shown, EMOTIONS)
    original = [
        each.original_scores.argmax(axis=1) for each in prediction if each.original_scores is not None
    ]
    return {
        "accuracy": scored["accuracy"],
        "interval_95": scored["interval_95"],
        "accuracy_original": float(np.mean(np.concatenate(original) == faces.truth)) if original else None,
        "faces": len(faces.truth),
        "no_face": faces.no_face,
        "unreadable": faces.unreadable,
    }


def fits_by_accuracy(
    outputs: Outputs, labels: tuple[str, ...], scalings: Sequence[str], faces: LabelledCrops
) -> list[Fit]:
    """Try each scaling with `labels` and with the best order of all; the best fit comes first."""
    fits = []
    for scaling in scalings:
        answers = np.concatenate([outputs(part, scaling).argmax(axis=1) for part in _parts(faces.crops)])
        counts = np.zeros((len(EMOTIONS), len(labels)), np.int64)
        np.add.at(counts, (faces.truth, answers), 1)
        for order in (labels, _best_order(counts, labels)):
            right = sum(counts[row, order.index(name)] for row, name in enumerate(EMOTIONS))
            fits.append(Fit(scaling, order, right / len(faces.truth)))
    return sorted(fits, key=lambda fit: -fit.accuracy)


def better_fit(fits: Sequence[Fit], used: Fit, count: int) -> Fit | None:
    """A way that clearly does better than the one in use on `count` faces, with as few changes as do it."""
    if count < MIN_FACES:
        return None
    near_best = [fit for fit in fits if fit.accuracy > fits[0].accuracy - CLEARLY / 5]
    best = min(near_best, key=lambda fit: (fit.scaling != used.scaling) + (fit.labels != used.labels))
    return best if best.accuracy >= used.accuracy + CLEARLY else None


def _best_order(counts: NDArray[np.int64], labels: tuple[str, ...]) -> tuple[str, ...]:
    """The order of the outputs in which most are right, of (truth, output) counts."""
    orders = np.array(list(itertools.permutations(range(len(labels)), len(EMOTIONS))))
    right = counts[np.arange(len(EMOTIONS)), orders].sum(axis=1)
    found = {int(output): name for name, output in zip(EMOTIONS, orders[right.argmax()], strict=True)}
    return tuple(found.get(output, CONTEMPT) for output in range(len(labels)))


def _time_ms(classifier: Classifier, crop: Crops) -> float:
    began_s = time.perf_counter()
    classifier.classify(crop)
    return 1000 * (time.perf_counter() - began_s)


def _largest(prepared: PreparedStill) -> int:
    sides = prepared.xyxy[:, 2:] - prepared.xyxy[:, :2]
    return int(sides.prod(axis=1).argmax())


def _parts(crops: Crops) -> list[Crops]:
    return [crops[start : start + _TOGETHER] for start in range(0, len(crops), _TOGETHER)]
