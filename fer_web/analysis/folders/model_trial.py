"""A model tried out: its time beside ours, its accuracy on labelled images, and what would fit it better."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.analysis.folders.labelled_images import LabelledImage
from fer_web.analysis.stills.images import ImageLimits, read_image
from fer_web.analysis.stills.stills import PreparedStill, StillAnalyser
from fer_web.errors import FerWebError
from fer_web.inference.classifier import Classifier
from fer_web.inference.custom.options import COLOURS, NONE
from fer_web.labels import CONTEMPT, EMOTIONS
from fer_web.metrics.classification_report import score_labels
from fer_web.vision.preprocess import FER_CROP, Crops

_WARM_UP, _TURNS = 5, 60
_TOGETHER: Final = 32
MIN_FACES: Final = 50
"""Fewer say too little about an order of seven outputs, of which there are 5040."""

CLEARLY: Final = 0.05
"""Share of faces by which another scaling or order must do better to be named."""

TRIED_FACES: Final = 600
"""Faces with which other ways to feed a network are tried: more take longer and hardly say more."""

_COMMON_FIRST: Final = ("neutral", "happy", "sad", "surprise", "angry", "fear", "disgust")
"""Of orders that do equally well, the one with names that more networks have is taken."""

Outputs = Callable[[Crops, str, str], NDArray[np.float32]]
"""Crops, a scaling and a colour to a network's own outputs (N, K)."""


@dataclass(frozen=True)
class LabelledCrops:
    """The largest face of each image.

    Attributes:
        crops: uint8 (N, ...), as the model takes them.
        truth: int (N,), positions in EMOTIONS.
        no_face: images without a face. unreadable: images that could not be read.
        others: the first TRIED_FACES faces cut in other ways, by the names of CROPS.
    """

    crops: Crops
    truth: NDArray[np.int64]
    no_face: int
    unreadable: int
    others: Mapping[str, Crops] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """A fit says how well a network does, fed and read in one way; accuracy is a share of 0-1."""

    scaling: str
    labels: tuple[str, ...]
    accuracy: float
    colour: str = COLOURS[0]
    crop: str = FER_CROP

    def changes(self, used: "Fit") -> int:
        """In how many options it differs from another."""
        pairs = zip(self._options(), used._options(), strict=True)
        return sum(ours != theirs for ours, theirs in pairs)

    def _options(self) -> tuple[object, ...]:
        return self.scaling, self.labels, self.colour, self.crop


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
    images: Sequence[LabelledImage],
    analyser: StillAnalyser,
    limits: ImageLimits,
    faces: str,
    others: Sequence[str] = (),
) -> LabelledCrops:
    """Find the largest face of each image of the seven expressions.

    Args: faces: one of stills.FACES. others: names of CROPS to cut the first faces by too.
    """
    crops: list[NDArray[np.uint8]] = []
    truth, no_face, unreadable = [], 0, 0
    again: dict[str, list[Crops]] = {crop: [] for crop in others}
    for image in images:
        if image.expression == CONTEMPT:
            continue
        try:
            frame_bgr = read_image(image.path, limits).frame_bgr
            prepared = analyser.prepare(frame_bgr, faces)
        except FerWebError:
            unreadable += 1
            continue
        if not len(prepared.crops):
            no_face += 1
            continue
        if len(crops) < TRIED_FACES:
            for crop in others:
                again[crop].append(analyser.cut_again(frame_bgr, prepared, crop)[_largest(prepared)])
        crops.append(prepared.crops[_largest(prepared)])
        truth.append(EMOTIONS.index(image.expression))
    stacked = np.stack(crops) if crops else np.zeros((0, 1, 1, 1), np.uint8)
    stacked_others = {crop: np.stack(parts) for crop, parts in again.items() if parts}
    return LabelledCrops(stacked, np.array(truth, np.int64), no_face, unreadable, stacked_others)


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


def logits_of_views(outputs: Callable[[Crops], NDArray[np.float32]], crops: Crops) -> NDArray[np.float32]:
    """Mean logits (N, K) of crops and their mirror images, as pictures are shown."""
    views = ([outputs(part), outputs(part[:, :, ::-1])] for part in _parts(crops))
    return np.concatenate([np.mean(both, axis=0) for both in views])


def search_fits(
    outputs: Outputs, used: Fit, scalings: Sequence[str], colours: Sequence[str], faces: LabelledCrops
) -> list[Fit]:
    """Try scalings and colours, then crops, with `used.labels` and the best order; the best fit comes first.

    Not every combination: the best scaling and colour of the crop in use are tried with the other crops, and
    only where another crop does clearly better, all scalings and colours once more.
    """
    fits: list[Fit] = []
    for crop in (used.crop, *(name for name in faces.others if name != used.crop)):
        tried = _faces_of(faces, used.crop, crop)
        best = max(fits, key=lambda fit: fit.accuracy, default=None)
        found = _fits(outputs, used, scalings, colours, tried, crop) if best is None else []
        if best is not None:
            found = _fits(outputs, used, [best.scaling], [best.colour], tried, crop)
            if max(fit.accuracy for fit in found) >= best.accuracy + CLEARLY / 2:
                found += _fits(outputs, used, scalings, colours, tried, crop)
        fits += found
    return sorted(dict.fromkeys(fits), key=lambda fit: -fit.accuracy)


def fits_by_accuracy(
    outputs: Outputs,
    labels: tuple[str, ...],
    scalings: Sequence[str],
    faces: LabelledCrops,
    colours: Sequence[str] = COLOURS[:1],
    crop: str = FER_CROP,
) -> list[Fit]:
    """Try scalings and colours with `labels` and with the best order of all; the best fit comes first."""
    fits = []
    for scaling, colour in itertools.product(scalings, colours):
        answers = np.concatenate([outputs(part, scaling, colour) for part in _parts(faces.crops)])
        orders = dict.fromkeys((labels, best_order(answers, faces.truth, labels)))
        fits += [
            Fit(scaling, order, _accuracy(answers, faces.truth, order), colour, crop) for order in orders
        ]
    return sorted(fits, key=lambda fit: -fit.accuracy)


def better_fit(fits: Sequence[Fit], used: Fit, count: int) -> Fit | None:
    """A way that clearly does better than the one in use on `count` faces, with as few changes as do it."""
    if count < MIN_FACES:
        return None
    near_best = [fit for fit in fits if fit.accuracy > fits[0].accuracy - CLEARLY / 5]
    best = min(near_best, key=lambda fit: fit.changes(used))
    return best if best.accuracy >= used.accuracy + CLEARLY else None


def best_order(
    answers: NDArray[np.float32], truth: NDArray[np.int64], labels: tuple[str, ...]
) -> tuple[str, ...]:
    """The names of outputs (N, K) with which most faces are right; those that `labels` leaves out stay so."""
    named = [place for place, name in enumerate(labels) if name != NONE]
    counts = np.zeros((len(EMOTIONS) + 1, len(named)), np.int64)
    rows = np.array([_COMMON_FIRST.index(name) for name in EMOTIONS])[truth]
    np.add.at(counts, (rows, answers[:, named].argmax(axis=1)), 1)
    has_contempt = CONTEMPT in labels or len(named) > len(EMOTIONS)
    names = (*_COMMON_FIRST, CONTEMPT) if has_contempt else _COMMON_FIRST
    orders = np.array(list(itertools.permutations(range(len(names)), len(named))))
    right = counts[orders, np.arange(len(named))].sum(axis=1)
    found = list(labels)
    for place, name in zip(named, orders[right.argmax()], strict=True):
        found[place] = names[name]
    return tuple(found)


def _fits(
    outputs: Outputs,
    used: Fit,
    scalings: Sequence[str],
    colours: Sequence[str],
    faces: LabelledCrops,
    crop: str,
) -> list[Fit]:
    return fits_by_accuracy(outputs, used.labels, scalings, faces, colours, crop)


def _faces_of(faces: LabelledCrops, used: str, crop: str) -> LabelledCrops:
    crops = faces.crops if crop == used else faces.others[crop]
    return LabelledCrops(crops[:TRIED_FACES], faces.truth[:TRIED_FACES], faces.no_face, faces.unreadable)


def _accuracy(answers: NDArray[np.float32], truth: NDArray[np.int64], labels: tuple[str, ...]) -> float:
    """Share of all faces that are right; those of expressions without an output are wrong."""
    places = {name: place for place, name in enumerate(labels) if name in EMOTIONS}
    said = answers[:, list(places.values())].argmax(axis=1)
    numbers = np.array([EMOTIONS.index(name) for name in places])
    return float(np.mean(numbers[said] == truth))


def _time_ms(classifier: Classifier, crop: Crops) -> float:
    began_s = time.perf_counter()
    classifier.classify(crop)
    return 1000 * (time.perf_counter() - began_s)


def _largest(prepared: PreparedStill) -> int:
    sides = prepared.xyxy[:, 2:] - prepared.xyxy[:, :2]
    return int(sides.prod(axis=1).argmax())


def _parts(crops: Crops) -> list[Crops]:
    return [crops[start : start + _TOGETHER] for start in range(0, len(crops), _TOGETHER)]
