"""Score what the live page would say of labelled photos: python -m benchmarks.expressions --photos
NPZ|DIR.

Each file's bytes go through the whole pipeline as the first frame of a stream: decode, find the
face, crop, classify, decide what is sure. The label is the shown one; whether it is called unsure is counted
apart, and so are photos whose face is not found. Of several faces the largest counts.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.options import new_parser
from benchmarks.photos import LabelledPhoto, load_labelled_photos
from fer_web.errors import FerWebError
from fer_web.factory.inference import build_pipeline, new_stream_state
from fer_web.inference.models import open_model
from fer_web.inference.pipeline import Pipeline
from fer_web.inference.results import FaceResult
from fer_web.labels import EMOTIONS
from fer_web.metrics.classification_report import wilson_interval
from fer_web.settings import Settings
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import resolve_detector


@dataclass(frozen=True)
class PhotoAnswer:
    """It holds what one photo should be, what was said (None: no face) and whether it was sure."""

    emotion: str
    label: str | None
    is_sure: bool


def answer(photo: LabelledPhoto, pipeline: Pipeline, settings: Settings) -> PhotoAnswer:
    """Run one photo through the pipeline."""
    faces = pipeline.process(photo.encoded, 0.0, new_stream_state(settings)).faces
    if not faces:
        return PhotoAnswer(photo.emotion, None, False)
    largest = max(faces, key=_area)
    return PhotoAnswer(photo.emotion, largest.label, largest.is_sure)


def _area(face: FaceResult) -> float:
    return face.box[2] * face.box[3]


def summarize(answers: Iterable[PhotoAnswer]) -> dict[str, Any]:
    """Return the scores of each expression that the photos have, as plain JSON types.

    "recall" is the share of the faces found whose label is right, whether it is called unsure or
    not; "recall_when_sure" leaves the unsure ones out.
    """
    answers = list(answers)
    present = [name for name in EMOTIONS if any(each.emotion == name for each in answers)]
    return {
        "photos": len(answers),
        "not_found": sum(each.label is None for each in answers),
        "expressions": {
            name: _summarize_one([each for each in answers if each.emotion == name]) for name in present
        },
    }


def _summarize_one(answers: list[PhotoAnswer]) -> dict[str, Any]:
    found = [each for each in answers if each.label is not None]
    sure = [each for each in found if each.is_sure]
    right = sum(each.label == each.emotion for each in found)
    labels = Counter(each.label for each in found)
    return {
        "photos": len(answers),
        "not_found": len(answers) - len(found),
        "recall": right / len(found) if found else None,
        "interval_95": list(wilson_interval(right, len(found))),
        "unsure_share": 1 - len(sure) / len(found) if found else None,
        "recall_when_sure": sum(each.label == each.emotion for each in sure) / len(sure) if sure else None,
        "labels": {name: labels[name] for name in EMOTIONS},
    }


def describe(summary: dict[str, Any]) -> str:
    """Return the summary as text: one line for each true expression."""
    width = max(map(len, EMOTIONS))
    lines = [
        f"{summary['photos']} photos, {summary['not_found']} of them without a face found; rows are labels "
        "of the photos, columns what is shown",
        " " * width + "".join(f"{name:>10}" for name in EMOTIONS) + f"{'not found':>11}{'unsure':>9}",
    ]
    for name, each in summary["expressions"].items():
        cells = "".join(f"{each['labels'][column]:>10}" for column in EMOTIONS)
        lines.append(f"{name:<{width}}{cells}{each['not_found']:>11}{_percent(each['unsure_share']):>9}")
    for name, each in summary["expressions"].items():
        low, high = each["interval_95"]
        lines.append(
            f"recall of {name}: {_percent(each['recall'])} (95 %: {100 * low:.1f} to {100 * high:.1f}) of "
            f"the faces found; {_percent(each['recall_when_sure'])} where it is sure"
        )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def measure(photos: Path, model: Path, detector: str) -> dict[str, Any]:
    """Run all photos. Raises FerWebError: the model folder, or a photo, cannot be used."""
    settings = Settings()
    opened = open_model(model)
    pipeline = build_pipeline(settings, opened.new_classifier(), resolve_detector(detector, BLAZEFACE_PATH))
    answers = [answer(photo, pipeline, settings) for photo in load_labelled_photos(photos)]
    named = {"folder": str(model), "name": opened.info.name, "sha256": opened.info.model_hash}
    return {"model": named, "detector": resolve_detector(detector, BLAZEFACE_PATH), **summarize(answers)}


def main() -> None:
    """Print the confusion of the photos' labels and the shown ones."""
    parser = new_parser(__doc__)
    parser.add_argument(
        "--photos", type=Path, required=True, help="an .npz, or a folder with <emotion>/*.jpg"
    )
    parser.add_argument("--model", type=Path, default=Settings().model, help="model folder [%(default)s]")
    parser.add_argument("--detector", default="auto", help="blazeface, haar or auto [%(default)s]")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        summary = measure(options.photos, options.model, options.detector)
    except FerWebError as exc:
        raise SystemExit(f"error: {exc}") from exc
    print(json.dumps(summary, indent=2) if options.json else describe(summary))


if __name__ == "__main__":
    main()
