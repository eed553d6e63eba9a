"""Measure what a resting face is worth: python -m benchmarks.resting_face --data FILE [--ferplus FILE].

People are made from faces of PublicTest: each has a trait, such as low corners of the mouth or raised brows,
by which all their pictures are warped. They count where their neutral face is called neutral in less than
80 % of the views. Three seconds of it give the correction; other views, and other expressions with the same
trait, are judged without and with it. The correction is what a live stream would get.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.options import add_data, load_public_test, new_parser
from fer_web.errors import FerWebError
from fer_web.inference.artifact import load_artifact
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.inference.correction import NEUTRAL, Correction, resting_face
from fer_web.labels import EMOTIONS, FERPLUS_INDEX_OF_EMOTION
from fer_web.settings import Settings
from train.data.fer_data import FerData

WARPED_PX: Final = 144
CLEAR_VOTES: Final = 6
"""A face is of an expression where so many of ten taggers say so."""

RESTING_VIEWS: Final = 30
"""Three seconds, ten views each: neighbouring views of a camera are nearly the same."""

TESTED_VIEWS: Final = 20
PICTURES: Final = 6
TROUBLED_BELOW: Final = 0.8
MOST_TRIALS: Final = 40
"""So many made people are looked at for each that counts."""

SPREADS: Final = (0.035, 0.03, 0.03, 0.03, 0.03)
"""Of the traits: corners of the mouth, inner brows, outer brows and lower lip down, mouth wide; in sides."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Faces:
    """Faces of PublicTest by what they express: positions in `images`, for each of EMOTIONS."""

    images: NDArray[np.uint8]
    of_emotion: tuple[NDArray[np.intp], ...]


@dataclass(frozen=True)
class Gain:
    """Shares of one person's views that are called right, 0-1, without and with the correction.

    neutral: of other views of the resting face. others: of each other expression, in the order of EMOTIONS.
    """

    neutral: tuple[float, float]
    others: tuple[tuple[float, float], ...]


def clear_faces(part: FerData) -> Faces:
    """Take the faces on whose expression the taggers agree. Raises FerWebError: an expression has none."""
    votes = part.known_votes
    is_clear = votes.max(axis=1) >= CLEAR_VOTES
    majority = votes.argmax(axis=1)
    of_emotion = tuple(np.flatnonzero(is_clear & (majority == column)) for column in FERPLUS_INDEX_OF_EMOTION)
    for emotion, rows in zip(EMOTIONS, of_emotion, strict=True):
        if len(rows) < PICTURES:
            raise FerWebError(
                f"{PICTURES} clear faces of each expression are needed, {emotion} has {len(rows)}"
            )
    return Faces(part.images, of_emotion)


def measure_people(faces: Faces, classifier: LiteRTClassifier, people: int, seed: int) -> Iterator[Gain]:
    """Yield what the correction gives each made person whose neutral face is called something else."""
    found = 0
    for trial in range(MOST_TRIALS * people):
        if found == people:
            return
        rng = np.random.default_rng((seed, trial))
        trait = trait_map(rng.normal(0, SPREADS).tolist())
        own = warp(faces.images[rng.choice(faces.of_emotion[NEUTRAL])], trait)
        glance = _scores(classifier, [own] * 8, rng)
        if _share(glance, NEUTRAL) >= TROUBLED_BELOW:
            continue
        resting = resting_face(_scores(classifier, [own] * RESTING_VIEWS, rng))
        tested = _scores(classifier, [own] * TESTED_VIEWS, rng)
        if _share(tested, NEUTRAL) < TROUBLED_BELOW:
            found += 1
            yield Gain(
                _gain(tested, NEUTRAL, resting.correction),
                tuple(
                    _gain(_expression(faces, classifier, label, trait, rng), label, resting.correction)
                    for label in range(len(EMOTIONS))
                    if label != NEUTRAL
                ),
            )


def _expression(
    faces: Faces,
    classifier: LiteRTClassifier,
    label: int,
    trait: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    rows = rng.choice(faces.of_emotion[label], PICTURES, replace=False)
    return _scores(classifier, [warp(faces.images[row], trait) for row in rows for _ in range(2)], rng)


def _scores(
    classifier: LiteRTClassifier, pictures: list[Picture], rng: np.random.Generator
) -> NDArray[np.float32]:
    return classifier.classify(np.stack([see(picture, rng) for picture in pictures])[..., None]).scores


def _share(scores: NDArray[np.float32], label: int) -> float:
    return float((scores.argmax(axis=1) == label).mean())


def _gain(scores: NDArray[np.float32], label: int, correction: Correction | None) -> tuple[float, float]:
    corrected = scores if correction is None else correction.applied_to(scores)
    return _share(scores, label), _share(corrected, label)


def trait_map(trait: Sequence[float], side_px: int = WARPED_PX) -> NDArray[np.float32]:
    """Return where each pixel of a person's warped picture comes from, float32 (2, side, side), x and y.

    Args: trait: how far the parts of SPREADS go, in sides. A picture is framed as FER-2013's are.
    """
    corners, inner, outer, lip, wide = trait
    y, x = np.mgrid[0:side_px, 0:side_px].astype(np.float32) / side_px
    right, down = np.zeros_like(x), lip * _bump(x, y, 0.5, 0.84, 0.06)
    for side in (-1, 1):
        mouth = _bump(x, y, 0.5 + side * 0.16, 0.77, 0.06)
        down += corners * mouth
        down += inner * _bump(x, y, 0.5 + side * 0.09, 0.30, 0.07)
        down += outer * _bump(x, y, 0.5 + side * 0.25, 0.29, 0.07)
        right += side * wide * mouth
    return np.asarray(np.stack([x - right, y - down]) * side_px, np.float32)


def _bump(
    x: NDArray[np.float32], y: NDArray[np.float32], at_x: float, at_y: float, sigma: float
) -> NDArray[np.float32]:
    return np.asarray(np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * sigma**2)), np.float32)


def warp(image: Picture, trait: NDArray[np.float32]) -> Picture:
    """Give a face a trait. Args: image: uint8 (48, 48). Returns: uint8 (WARPED_PX, WARPED_PX)."""
    large = cv2.resize(image, (WARPED_PX, WARPED_PX), interpolation=cv2.INTER_CUBIC)
    warped = cv2.remap(large, trait[0], trait[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def see(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return one view as a stream has it: turned and moved a little, in other light, and noisy."""
    middle, turn_deg, scale = WARPED_PX / 2, rng.uniform(-5, 5), rng.uniform(0.95, 1.05)
    matrix = np.asarray(cv2.getRotationMatrix2D((middle, middle), turn_deg, scale), np.float64)
    matrix[:, 2] += rng.uniform(-0.03, 0.03, 2) * WARPED_PX
    moved = cv2.warpAffine(picture, matrix, (WARPED_PX, WARPED_PX), borderMode=cv2.BORDER_REPLICATE)
    view = cv2.resize(moved, (48, 48), interpolation=cv2.INTER_AREA).astype(np.float32)
    lit = view * rng.uniform(0.85, 1.15) + rng.uniform(-12, 12) + rng.normal(0, 4, view.shape)
    return np.asarray(np.clip(lit[:, ::-1] if rng.random() < 0.5 else lit, 0, 255), np.uint8)


def measure_resting_faces(
    part: FerData, classifier: LiteRTClassifier, people: int, seed: int
) -> dict[str, float]:
    """Return the row of the table: percentages without and with the correction. Raises FerWebError."""
    gains = list(measure_people(clear_faces(part), classifier, people, seed))
    neutral = 100 * np.mean([gain.neutral for gain in gains], axis=0)
    others = 100 * np.mean([gain.others for gain in gains], axis=0)
    changes = others[:, 1] - others[:, 0]
    worst = int(changes.argmin())
    names = [emotion for emotion in EMOTIONS if emotion != EMOTIONS[NEUTRAL]]
    return {
        "people": len(gains),
        "neutral_before_percent": float(neutral[0]),
        "neutral_after_percent": float(neutral[1]),
        "others_before_percent": float(others[:, 0].mean()),
        "others_after_percent": float(others[:, 1].mean()),
        f"{names[worst]}_change_points": float(changes[worst]),
    }


def main() -> None:
    """Run and print."""
    parser = new_parser(__doc__)
    add_data(parser)
    parser.add_argument("--people", type=int, default=60, help="made people [%(default)s]")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    try:
        classifier = LiteRTClassifier(load_artifact(Settings().model))
        row = measure_resting_faces(load_public_test(options), classifier, options.people, options.seed)
    except FerWebError as exc:
        raise SystemExit(f"error: {exc}") from exc
    print("".join(f"  {name} {value:.4g}" for name, value in row.items()))


if __name__ == "__main__":
    main()
