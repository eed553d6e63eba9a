"""Fit a model folder's certainty.json: python -m train certainty."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from fer_web.errors import DataError
from fer_web.inference.artifact import ModelArtifact, load_artifact
from fer_web.inference.certainty import CERTAINTY_FILE, REASONS
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.labels import EMOTIONS
from fer_web.vision.types import Frame
from train.certainty.examples import ExampleMaker, Examples, framed
from train.certainty.fitting import WRONG_COST, Scale, certainties, fit_certainty, to_json
from train.data.fer_data import FerData
from train.data.splits import USAGES
from train.metrics.calibration import emotion_of
from train.metrics.metrics import ferplus_majority

NEUTRAL_OFFSET: Final = -0.29
"""Half a unit of what is shown, times the temperature of 0.58, goes from neutral to others. Of the offsets
from 0 to -0.5 it is the last one at which neutral's recall on photos stays above 0.88, and the one with the
highest accuracy on PublicTest, where sad's recall rises from 0.63 to 0.76."""

PICTURES: Final = 5500
"""So many pictures of Training are drawn: the conditions are learned no better from twice as many."""

SEED: Final = 5
KINDS: Final = ((), *((reason,) for reason in REASONS))


def fit_model(
    folder: Path, data: FerData, photos: Path, blazeface: Path, examples: Path, say: Callable[[str], None]
) -> None:
    """Make the examples, unless `examples` holds them, fit, and write certainty.json into the model folder.

    Training is fitted on; of PublicTest and the photos, the even ones calibrate and choose the threshold, and
    the odd ones say how good it is.

    Raises: DataError: there are no FER+ votes, or no photos.
    """
    artifact = load_artifact(folder)
    parts = {name: examples / f"{name}.npz" for name in ("training", "public", "photos")}
    examples.mkdir(parents=True, exist_ok=True)
    for number, (name, path) in enumerate(parts.items()):
        if not path.is_file():
            say(f"making the examples of {name}: several minutes")
            maker = ExampleMaker(LiteRTClassifier(artifact), blazeface)
            frames = _photo_frames(photos) if name == "photos" else _frames(data, name == "training")
            maker.make(frames, number, None if name == "training" else KINDS).save(path)
    training, public, pictures = (Examples.load(path) for path in parts.values())
    choosing = public.take(public.row % 2 == 0).joined(pictures.take(pictures.row % 2 == 0))
    scale = _scale_of(artifact)
    model = fit_certainty(training, choosing, scale, artifact.model_hash, NEUTRAL_OFFSET)
    shifted = scale.shifted(NEUTRAL_OFFSET)
    chosen = {
        "threshold": f"the least cost on even pictures, one wrong and sure being {WRONG_COST:g} unsure",
        "choosing": len(choosing),
        "training": len(training),
        "public_odd": measured(
            *certainties(model, public.take(public.row % 2 == 1), shifted), model.unsure_below
        ),
        "photos_odd": measured(
            *certainties(model, pictures.take(pictures.row % 2 == 1), shifted), model.unsure_below
        ),
    }
    text = json.dumps(to_json(model, chosen)).replace('], "', '],\n"') + "\n"
    (folder / CERTAINTY_FILE).write_text(text, encoding="utf-8")
    load_artifact(folder)
    say(f"{folder / CERTAINTY_FILE} is written: {json.dumps(chosen)}")


def measured(certainty: Any, is_right: Any, threshold: float) -> dict[str, float]:
    """Return the share that is sure, and of it the share that is right."""
    is_sure = certainty >= threshold
    right = float(is_right[is_sure].mean()) if is_sure.any() else 0.0
    return {"sure": round(float(is_sure.mean()), 4), "right_when_sure": round(right, 4)}


def _scale_of(artifact: ModelArtifact) -> Scale:
    """Return the network's own scale, without what an earlier certainty.json added."""
    scale = Scale(artifact.temperature, artifact.logit_offsets)
    return scale if artifact.certainty is None else scale.shifted(-artifact.certainty.neutral_offset)


def _frames(data: FerData, is_training: bool) -> Iterator[tuple[int, int, Frame]]:
    if data.votes is None:
        raise DataError(
            "The fit needs FER+ votes. Give --ferplus fer2013new.csv, or an .npz that holds them."
        )
    majority, is_clear = ferplus_majority(data.votes)
    usage = USAGES.index("Training" if is_training else "PublicTest")
    rows = np.flatnonzero((data.usage == usage) & is_clear)
    if is_training:
        rows = np.random.default_rng(SEED).permutation(rows)[:PICTURES]
    truth = emotion_of(majority)
    truth = np.where(truth < 0, len(EMOTIONS), truth)
    for row in rows.tolist():
        yield row, int(truth[row]), framed(data.images[row], np.random.default_rng((SEED, row)))


def _photo_frames(path: Path) -> Iterator[tuple[int, int, Frame]]:
    try:
        with np.load(path) as archive:
            encoded, ends, emotions = (
                archive["data"].tobytes(),
                archive["end"].tolist(),
                archive["emotion"].tolist(),
            )
    except (OSError, KeyError, ValueError) as exc:
        raise DataError(
            f"{path} cannot be read ({exc}): an .npz with data, end and emotion (0-6) is needed."
        ) from exc
    for number, (start, end, emotion) in enumerate(zip([0, *ends[:-1]], ends, emotions, strict=True)):
        photo = cv2.imdecode(np.frombuffer(encoded[start:end], np.uint8), cv2.IMREAD_COLOR)
        if photo is not None:
            yield number, emotion, np.asarray(photo, np.uint8)
