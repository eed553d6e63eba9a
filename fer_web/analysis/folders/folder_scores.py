"""Scores a model on a folder of labelled images: each image's prediction, and the scores of all."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.analysis.folders.labelled_images import LabelledImage
from fer_web.analysis.stills.images import ImageLimits, read_image
from fer_web.analysis.stills.stills import PreparedStill, StillAnalyser, StillResult
from fer_web.errors import FerWebError
from fer_web.labels import CONTEMPT, EMOTIONS
from fer_web.metrics.classification_report import score_labels

TWO_HEADS: Final = (
    "accuracy is of the expression that users are shown, which the network learned from the votes of ten "
    "people for each image (FER+); accuracy_original is of its second output, learned from FER-2013's own "
    "labels, which agree with the majority of those people on only 63 % of the images."
)
ONE_HEAD: Final = (
    "This model has no second output for FER-2013's own labels, so there is no accuracy_original."
)
NO_FACE_NOTE: Final = "Images in which no face was found count neither as right nor as wrong."

MAX_MISTAKES: Final = 60
_TOGETHER: Final = 32
"""Images that are classified in one call: networks that are slow to start are fast then."""

Watch = Callable[[Iterable[LabelledImage]], Iterable[LabelledImage]]


@dataclass(frozen=True)
class ImagePrediction:
    """An image's prediction says what the model found in it.

    Attributes:
        image: the file and its true expression.
        error: why it could not be read; the rest is then without meaning.
        faces: how many were found; the largest counts.
        framing: "detect" or "whole".
        label: shown expression, with its confidence (0-1); None where no face was found.
        is_sure: whether the label would be shown as sure.
        original_label: by the output for FER-2013's own labels, None where there is none.
        says_contempt: whether contempt is likelier than the label; None where no output stands for it.
        crop: uint8 (height, width, channels), what the network saw, where the shown label is wrong.
    """

    image: LabelledImage
    error: FerWebError | None = None
    faces: int = 0
    framing: str = ""
    label: str | None = None
    confidence: float = 0.0
    is_sure: bool = False
    original_label: str | None = None
    says_contempt: bool | None = None
    crop: NDArray[np.uint8] | None = None

    @property
    def is_right(self) -> bool:
        """Tell whether the shown label is the true one."""
        return self.label == self.image.expression


def predict_images(
    images: Sequence[LabelledImage],
    analyser: StillAnalyser,
    limits: ImageLimits,
    faces: str,
    watch: Watch = lambda images: images,
) -> Iterator[ImagePrediction]:
    """Read and classify images; what cannot be read has an error instead.

    Args: faces: one of stills.FACES. watch: passes the images on while it shows how many there were.
    """
    waiting: list[tuple[LabelledImage, PreparedStill]] = []
    for image in watch(images):
        try:
            waiting.append((image, analyser.prepare(read_image(image.path, limits).frame_bgr, faces)))
        except FerWebError as exc:
            yield ImagePrediction(image, error=exc)
        if len(waiting) == _TOGETHER:
            yield from _predict(waiting, analyser)
            waiting = []
    yield from _predict(waiting, analyser)


def _predict(
    waiting: list[tuple[LabelledImage, PreparedStill]], analyser: StillAnalyser
) -> Iterator[ImagePrediction]:
    results = analyser.predict([prepared for _, prepared in waiting])
    for (image, _), result in zip(waiting, results, strict=True):
        yield prediction_of(image, result)


def prediction_of(image: LabelledImage, result: StillResult) -> ImagePrediction:
    """Return the prediction of an image that could be read."""
    if not result.faces:
        return ImagePrediction(image, framing=result.framing)
    position = result.largest
    face = result.faces[position]
    original = None
    if result.original_scores is not None:
        original = EMOTIONS[int(np.argmax(result.original_scores[position]))]
    return ImagePrediction(
        image,
        faces=len(result.faces),
        framing=result.framing,
        label=face.label,
        confidence=face.confidence,
        is_sure=face.is_sure,
        original_label=original,
        says_contempt=None if result.contempt is None else result.contempt[position],
        crop=None if face.label == image.expression else result.crops[position],
    )


def worst_mistakes(
    predictions: Sequence[ImagePrediction], count: int = MAX_MISTAKES
) -> list[ImagePrediction]:
    """The wrong labels of the seven expressions, the most confident first."""
    wrong = [each for each in _scored(predictions) if not each.is_right]
    return sorted(wrong, key=lambda each: -each.confidence)[:count]


def score_folder(predictions: Sequence[ImagePrediction]) -> dict[str, Any]:
    """All scores, as plain JSON types.

    Both accuracies are shares of the images of the seven expressions in which a face was found, with a 95 %
    interval (Wilson 1927); "shown" and "original" have each class and the confusion, rows are true.
    """
    scored = _scored(predictions)
    truth = _ids([each.image.expression for each in scored])
    shown = score_labels(truth, _ids([each.label for each in scored]), EMOTIONS)
    original = None
    if scored and all(each.original_label for each in scored):
        original = score_labels(truth, _ids([each.original_label for each in scored]), EMOTIONS)
    return {
        "images": len(predictions),
        "scored": len(scored),
        "accuracy": shown["accuracy"],
        "interval_95": shown["interval_95"],
        "accuracy_original": original["accuracy"] if original else None,
        "interval_95_original": original["interval_95"] if original else None,
        "macro_f1": shown["macro_f1"],
        "macro_f1_original": original["macro_f1"] if original else None,
        "difference": TWO_HEADS if original else ONE_HEAD,
        "sure": _score_sure(scored),
        "no_face": _count_no_face(predictions),
        "several_faces": sum(each.faces > 1 for each in predictions),
        "framing": dict(Counter(each.framing for each in predictions if each.error is None)),
        "contempt": _count_contempt(predictions),
        "unreadable": [_unreadable(each.image, each.error) for each in predictions if each.error],
        "shown": shown,
        "original": original,
        "mistakes": [_mistake(each) for each in worst_mistakes(predictions)],
    }


def _scored(predictions: Sequence[ImagePrediction]) -> list[ImagePrediction]:
    return [each for each in predictions if each.label and each.image.expression != CONTEMPT]


def _ids(names: Iterable[str | None]) -> NDArray[np.int64]:
    return np.array([EMOTIONS.index(name or "") for name in names], np.int64)


def _score_sure(scored: Sequence[ImagePrediction]) -> dict[str, Any]:
    sure = [each for each in scored if each.is_sure]
    right = sum(each.is_right for each in sure)
    return {
        "count": len(sure),
        "share": len(sure) / len(scored) if scored else None,
        "accuracy": right / len(sure) if sure else None,
    }


def _count_no_face(predictions: Sequence[ImagePrediction]) -> dict[str, Any]:
    missed = [each.image for each in predictions if each.error is None and each.label is None]
    return {
        "count": len(missed),
        "note": NO_FACE_NOTE,
        "expressions": dict(Counter(image.expression for image in missed)),
        "files": [str(image.path) for image in missed],
    }


def _count_contempt(predictions: Sequence[ImagePrediction]) -> dict[str, Any] | None:
    found = [each for each in predictions if each.image.expression == CONTEMPT and each.error is None]
    if not found:
        return None
    return {
        "count": len(found),
        "labels": dict(Counter(each.label for each in found if each.label)),
        "unsure": sum(bool(each.label) and not each.is_sure for each in found),
        "said": None if all(each.says_contempt is None for each in found) else _count_said(found),
    }


def _count_said(found: Sequence[ImagePrediction]) -> int:
    return sum(bool(each.says_contempt) for each in found)


def _unreadable(image: LabelledImage, error: FerWebError) -> dict[str, Any]:
    return {"file": str(image.path), "error": {"code": error.code, "message": str(error)}}


def _mistake(prediction: ImagePrediction) -> dict[str, Any]:
    return {
        "file": str(prediction.image.path),
        "expression": prediction.image.expression,
        "label": prediction.label,
        "confidence": prediction.confidence,
    }
