"""Make examples for the fit of certainty: pictures of faces, spoiled or not, go the way of a served frame.

The face is found, its frame is spoiled, the face is found again as a tracked one is, cut out and classified
both ways. A face that is not found any more would not be shown, and gives no example.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.inference.certainty import REASONS
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.inference.views import mirror_cells
from fer_web.vision.blazeface import BlazeFace
from fer_web.vision.preprocess import crop_faces
from fer_web.vision.regions import Region, whole_frame
from fer_web.vision.types import Faces, Frame
from fer_web.vision.visibility import PATCH_SIDE, POINTS, measure_faces
from train.certainty.spoiling import EYE_LEFT, EYE_RIGHT, MOUTH, SPOILS, Scene, turned

ENLARGED: Final = 144
MARGIN: Final = 56
"""A picture of FER-2013 is enlarged to this side and gets this margin: the detector needs some ground."""

FIRST_SCORE: Final = 0.5
NEAR_SCALE: Final = 1.7
NEAR_SCORE: Final = 0.4
"""The detector's score for the clean face; then where, in sides of its box, and from which score on it is
found again."""

CLEAN_SHARE: Final = 0.33
TWICE_SHARE: Final = 0.18
KIND_SHARES: Final = (0.24, 0.22, 0.2, 0.12, 0.08, 0.07, 0.07)
"""Shares of the examples: those not spoiled; of the rest, those spoiled twice, and of each of REASONS."""


@dataclass(frozen=True)
class Examples:
    """N faces as a network sees them.

    Attributes:
        truth: int (N,), positions in EMOTIONS; 7 is none of them.
        is_spoiled: bool (N, len(REASONS)).
        ferplus: float32 (N, 2, 10), logits of the crop and of its mirror image.
        cells: float32 (N, 2, rows, columns, 10), both as they lie on the crop.
        measures, patches: as `measure_faces` returns them.
        row: int (N,), of the picture: pictures, not examples, are kept apart.
    """

    truth: NDArray[np.int64]
    is_spoiled: NDArray[np.bool_]
    ferplus: NDArray[np.float32]
    cells: NDArray[np.float32]
    measures: NDArray[np.float32]
    patches: NDArray[np.float32]
    row: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: NDArray[np.bool_]) -> "Examples":
        """Return those of a mask (N,)."""
        return Examples(*(getattr(self, each.name)[rows] for each in fields(self)))

    def mirrored(self) -> "Examples":
        """Return the mirror images of all."""
        patches = self.patches.reshape(-1, PATCH_SIDE, PATCH_SIDE)[:, :, ::-1].reshape(len(self), -1)
        measures = self.measures.copy()
        points = self.measures[:, POINTS].reshape(-1, 6, 2)[:, [1, 0, 2, 3, 5, 4]] * (-1, 1) + (1, 0)
        measures[:, POINTS] = points.reshape(-1, 12)
        return replace(
            self,
            ferplus=self.ferplus[:, ::-1],
            cells=self.cells[:, ::-1, :, ::-1],
            measures=measures,
            patches=patches,
        )

    def joined(self, other: "Examples") -> "Examples":
        """Return these and then others."""
        pairs = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return Examples(*map(np.concatenate, pairs))

    def save(self, path: Path) -> None:
        """Write an .npz."""
        np.savez(path, **{each.name: getattr(self, each.name) for each in fields(self)})

    @staticmethod
    def load(path: Path) -> "Examples":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return Examples(*(arrays[each.name] for each in fields(Examples)))


class ExampleMaker:
    """Runs detector and network."""

    def __init__(self, classifier: LiteRTClassifier, blazeface: Path) -> None:
        self._classifier = classifier
        self._network = BlazeFace(blazeface)

    def make(
        self,
        frames: Iterable[tuple[int, int, Frame]],
        seed: int,
        kinds: Sequence[tuple[str, ...]] | None = None,
    ) -> Examples:
        """Make the examples of some frames.

        Args:
            frames: the picture's number, its truth, and the frame with the face.
            kinds: how each frame is spoiled, one example for each; None draws one way for each frame.
        """
        rows = [
            (number, truth, names, seen)
            for number, truth, frame in frames
            for seed_of, names in enumerate(kinds or [_drawn_kind(seed, number)])
            if (seen := self._see(frame, names, np.random.default_rng((seed, number, seed_of)))) is not None
        ]
        numbers, truths, names, seen = zip(*rows, strict=True)
        ferplus, cells, measures, patches = (np.stack(part) for part in zip(*seen, strict=True))
        is_spoiled = np.array([[reason in each for reason in REASONS] for each in names])
        return Examples(np.array(truths), is_spoiled, ferplus, cells, measures, patches, np.array(numbers))

    def _see(
        self, frame: Frame, names: Sequence[str], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], ...] | None:
        found = self._network.find(frame, whole_frame(*frame.shape[:2]), FIRST_SCORE)
        if not len(found):
            return None
        scene = scene_of(frame, found)
        if not names:
            # Nobody looks straight into a camera; so little is not called turned.
            yaw, pitch = rng.uniform(-15, 15), rng.uniform(-10, 10)
            scene = turned(scene, yaw, pitch, is_round=True) if rng.random() < 0.3 else scene
        for name in names:
            scene = SPOILS[name](scene, rng)
        face = self._found_again(scene)
        return None if face is None else self._outputs(scene.frame_bgr, face)

    def _found_again(self, scene: Scene) -> Faces | None:
        middle = scene.points[[EYE_LEFT, EYE_RIGHT, MOUTH]].mean(axis=0).tolist()
        across = scene.points[EYE_RIGHT] - scene.points[EYE_LEFT]
        region = Region(
            middle[0], middle[1], scene.side * NEAR_SCALE, float(np.arctan2(across[1], across[0]))
        )
        found = self._network.find(scene.frame_bgr, region, NEAR_SCORE)
        return found.take([0]) if len(found) else None

    def _outputs(self, frame: Frame, face: Faces) -> tuple[NDArray[np.float32], ...]:
        crops = crop_faces(frame, face, self._classifier.info.size_hw)
        views = np.concatenate([crops, crops[:, :, ::-1]])
        ferplus, cells = self._classifier.logits_and_cells(views)
        measures, patches = measure_faces(crops, face, (frame.shape[0], frame.shape[1]))
        return ferplus, mirror_cells(cells, np.array([False, True])), measures[0], patches[0]


def scene_of(frame: Frame, found: Faces) -> Scene:
    """Return the first face of a frame with its points."""
    left, top, right, bottom = found.xyxy[0].tolist()
    points = np.concatenate([found.eyes_xy[0], found.points_xy[0]])
    return Scene(frame, max(right - left, bottom - top), points)


def framed(image: NDArray[np.uint8], rng: np.random.Generator) -> Frame:
    """Return a picture of FER-2013, uint8 (48, 48), as a frame with a margin: its edge or a plain grey."""
    large = cv2.resize(image, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
    is_own = rng.random() < 0.5
    border = cv2.BORDER_REPLICATE if is_own else cv2.BORDER_CONSTANT
    grey = cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, border, value=int(rng.integers(0, 256)))
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def _drawn_kind(seed: int, number: int) -> tuple[str, ...]:
    rng = np.random.default_rng((seed, number, 99))
    if rng.random() < CLEAN_SHARE:
        return ()
    first = str(rng.choice(REASONS, p=KIND_SHARES))
    if rng.random() >= TWICE_SHARE:
        return (first,)
    return first, str(rng.choice([each for each in REASONS[:5] if each != first]))
