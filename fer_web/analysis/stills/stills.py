"""One still image -> its faces: a full search without memory, or the image as it is, where it is a face."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.errors import InvalidValueError
from fer_web.inference.classifier import Classifier, Prediction
from fer_web.inference.judgement import evidence_of, judge
from fer_web.inference.results import FaceResult, face_result
from fer_web.inference.shown_labels import ShownLabel, ShownLabels
from fer_web.inference.views import classify_both
from fer_web.vision.faces import FaceDetector
from fer_web.vision.preprocess import (
    UNIT_SQUARE,
    Crops,
    crop_corners,
    crop_faces,
    crop_region,
    pad_to_square,
    whole_crop,
)
from fer_web.vision.types import Faces, Frame
from fer_web.vision.visibility import Patches, measure_faces, measure_whole

FACES: Final = ("auto", "detect", "whole")
"""An image's faces are searched for, or the whole image is taken for one, or whichever fits it."""

Framing = Literal["detect", "whole"]

SMALL_SIDE: Final = 64
"""An image of so few pixels is a face that was cut out: a photo of a person would have none left for it."""

FILLING_SHARE: Final = 0.7
"""The network's square of a face that was cut out takes at least this share of the image's longer
side. On FER-2013's images the median is 1.01 and 98 % are above it; a face across half a photo has
about 0.5."""

MAX_STILL_FACES: Final = 64
"""One image has at most this many: a live frame has time for fewer, a group photo may show more."""

MAX_SEARCHED_SIDE: Final = 16_384
"""Longer panoramas are shrunk to this before they are searched: OpenCV cuts nothing out of 32,768 pixels."""

MAX_PADDED_SIDES: Final = 8
"""An image that is not square is padded at this many sides of the network's input at most."""


@dataclass(frozen=True)
class PreparedStill:
    """An image whose faces wait to be classified.

    Attributes:
        size_hw: of the image, in pixels.
        framing: how the faces were found, and `reason` why so, in words.
        xyxy: float32 (N, 4), fractions of the image.
        crops: uint8 (N, ...), as the classifier takes them.
        corners: float32 (N, 4, 2), of each crop, fractions of the image; they may lie outside of it.
        visibility: measures and patches of each crop, as `measure_faces` returns them.
        found: faces found, of which the N surest are kept.
        faces: these N in the searched image; None where the image is one face.
    """

    size_hw: tuple[int, int]
    framing: Framing
    reason: str
    xyxy: NDArray[np.float32]
    crops: Crops
    corners: NDArray[np.float32]
    visibility: tuple[NDArray[np.float32], Patches]
    found: int
    faces: Faces | None = None


@dataclass(frozen=True)
class StillResult:
    """The faces of one image.

    Attributes:
        size_hw: of the image, in pixels.
        faces: numbered from 1; with `detect` the surest detection first.
        original_scores: for each face, seven probabilities as FER-2013's own labels would have it; None where
            the network has no such output.
        framing: how the faces were found, and `reason` why so, in words.
        crops: uint8 (N, ...), what the network saw.
        found: faces found; there may be more than `faces`, which are the surest.
        contempt: for each face, whether contempt is likelier than each of the seven; None where no output of
            the network stands for it.
    """

    size_hw: tuple[int, int]
    faces: tuple[FaceResult, ...]
    original_scores: tuple[tuple[float, ...], ...] | None
    framing: Framing
    reason: str
    crops: Crops
    found: int
    contempt: tuple[bool, ...] | None = None

    @property
    def largest(self) -> int:
        """Position of the largest face; ValueError where there is none."""
        areas = [face.box[2] * face.box[3] for face in self.faces]
        return areas.index(max(areas))


class StillAnalyser:
    """Holds a classifier and perhaps a detector, and so belongs to one thread at a time."""

    def __init__(self, classifier: Classifier, detector: FaceDetector | None, max_faces: int) -> None:
        """Args:
        detector: None where every image is analysed as a whole.
        max_faces: of one image; the surest are kept.
        """
        self._classifier = classifier
        self.model = classifier.info
        self.detector = detector
        self._max_faces = max_faces

    def analyse(self, frame_bgr: Frame, faces: str = "auto", heatmaps: bool = False) -> StillResult:
        """Find and classify the faces of one image.

        Args:
            frame_bgr: uint8 (H, W, 3). Not modified.
            faces: one of FACES.
            heatmaps: whether faces get heat maps; not where the network has none.
        """
        return self.predict([self.prepare(frame_bgr, faces)], heatmaps)[0]

    def prepare(self, frame_bgr: Frame, faces: str) -> PreparedStill:
        """Find the faces of one image and cut them out. Raises InvalidValueError: `faces` is not in FACES."""
        if faces not in FACES:
            raise InvalidValueError(f"faces may be one of {', '.join(FACES)}, not {faces!r}.")
        height, width = frame_bgr.shape[:2]
        if faces == "whole":
            return self._whole(frame_bgr, "asked for")
        if faces == "auto" and max(height, width) <= SMALL_SIDE:
            return self._whole(frame_bgr, f"{width}x{height} pixels are no more than a face")
        frame_bgr = _shrunk(frame_bgr, MAX_SEARCHED_SIDE)
        all_found = self._search(frame_bgr)
        found = all_found.take(list(range(min(len(all_found), self._max_faces))))
        share = _filled_share(found, frame_bgr)
        if faces == "auto" and share >= FILLING_SHARE:
            return self._whole(frame_bgr, f"one face fills it ({100 * share:.0f} % of its longer side)")
        reason = "asked for" if faces == "detect" else "no face fills it"
        crops = crop_faces(frame_bgr, found, self.model.size_hw, self.model.channels, self.model.crop)
        fractions = np.asarray(found.xyxy / np.tile(frame_bgr.shape[1::-1], 2), np.float32)
        corners = np.asarray(crop_corners(found, self.model.crop) / frame_bgr.shape[1::-1], np.float32)
        visibility = measure_faces(crops, found, _size_of(frame_bgr))
        return PreparedStill(
            (height, width), "detect", reason, fractions, crops, corners, visibility, len(all_found), found
        )

    def cut_again(self, frame_bgr: Frame, prepared: PreparedStill, crop: str) -> Crops:
        """The crops of a prepared image with more or less of each head. Args: crop: a name of CROPS."""
        if prepared.faces is None:
            return prepared.crops
        frame_bgr = _shrunk(frame_bgr, MAX_SEARCHED_SIDE)
        return crop_faces(frame_bgr, prepared.faces, self.model.size_hw, self.model.channels, crop)

    def predict(self, prepared: Sequence[PreparedStill], heatmaps: bool = False) -> list[StillResult]:
        """Classify the faces of several images together, which some networks do faster."""
        if not prepared:
            return []
        crops = np.concatenate([each.crops for each in prepared])
        prediction, spread = classify_both(self._classifier, crops, heatmaps=heatmaps)
        measures, patches = (
            np.concatenate(parts) for parts in zip(*(each.visibility for each in prepared), strict=True)
        )
        certainty = self._classifier.certainty
        evidence = evidence_of(prediction, spread, certainty, lambda: (measures, patches))
        judgement = judge(prediction.scores, evidence, certainty)
        shown = ShownLabels().update(
            range(len(crops)), prediction.scores, judgement, self.model, time_s=0.0, smoothing_s=0.0
        )
        scores = judgement.tempered(prediction.scores)
        results, row = [], 0
        for each in prepared:
            results.append(self._result(each, prediction, scores, shown, row))
            row += len(each.crops)
        return results

    def _search(self, frame_bgr: Frame) -> Faces:
        if self.detector is None:
            raise InvalidValueError("There is no face detector: only whole images can be analysed.")
        return self.detector.search(frame_bgr)

    def _whole(self, frame_bgr: Frame, reason: str) -> PreparedStill:
        crop = whole_crop(
            _padded_to_square(frame_bgr, self.model.size_hw), self.model.size_hw, self.model.channels
        )
        box = np.array([[0, 0, 1, 1]], np.float32)
        size_hw = _size_of(frame_bgr)
        visibility = measure_whole(crop, max(size_hw))
        corners = _square_corners(size_hw)
        return PreparedStill(size_hw, "whole", reason, box, crop[None], corners, visibility, 1)

    def _result(
        self,
        prepared: PreparedStill,
        prediction: Prediction,
        scores: NDArray[np.float32],
        shown: Sequence[ShownLabel],
        first: int,
    ) -> StillResult:
        rows = range(first, first + len(prepared.crops))
        faces = tuple(
            face_result(
                number + 1,
                prepared.xyxy[number],
                prediction.take(row),
                scores[row],
                shown[row],
                self.model,
                corners=prepared.corners[number],
            )
            for number, row in enumerate(rows)
        )
        original = None
        if prediction.original_scores is not None:
            original = tuple(tuple(map(float, prediction.original_scores[row])) for row in rows)
        return StillResult(
            prepared.size_hw,
            faces,
            original,
            prepared.framing,
            prepared.reason,
            prepared.crops,
            prepared.found,
            None if prediction.contempt is None else tuple(_is_contempt(prediction, row) for row in rows),
        )


def _is_contempt(prediction: Prediction, row: int) -> bool:
    """Tell whether contempt is likelier than each expression that is shown."""
    if prediction.contempt is None:
        return False
    share = float(prediction.contempt[row])
    return share > float(prediction.scores[row].max()) * (1 - share)


def _padded_to_square(frame_bgr: Frame, size_hw: tuple[int, int]) -> Frame:
    """The whole image as a square. A long strip is shrunk first: its square could fill all memory."""
    is_square = frame_bgr.shape[0] == frame_bgr.shape[1]
    return pad_to_square(frame_bgr if is_square else _shrunk(frame_bgr, MAX_PADDED_SIDES * max(size_hw)))


def _square_corners(size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Corners of the whole image made square, float32 (1, 4, 2), fractions of the image."""
    height, width = size_hw
    sides = max(size_hw) / np.array([width, height], np.float32)
    return np.asarray((UNIT_SQUARE - 0.5) * sides + 0.5, np.float32)[None]


def _shrunk(frame_bgr: Frame, max_side: int) -> Frame:
    """The image with its longer side at most `max_side`."""
    height, width = frame_bgr.shape[:2]
    shrink = max(height, width) / max_side
    if shrink <= 1:
        return frame_bgr
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    return np.asarray(cv2.resize(frame_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def _filled_share(found: Faces, frame_bgr: Frame) -> float:
    """Side of the only face's square, as the network sees it, in longer sides of the image; 0 if several."""
    return crop_region(found).side / max(frame_bgr.shape[:2]) if len(found) == 1 else 0.0


def _size_of(frame_bgr: Frame) -> tuple[int, int]:
    return frame_bgr.shape[0], frame_bgr.shape[1]
