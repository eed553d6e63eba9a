"""A detector and a classifier whose answers are known, and an analyser of both."""

from dataclasses import replace

import numpy as np

from fer_web.analysis.stills.images import ImageLimits
from fer_web.analysis.stills.still_analyser import SharedAnalyser
from fer_web.analysis.stills.stills import StillAnalyser
from fer_web.inference.classifier import Prediction
from fer_web.vision.types import Faces
from tests.support.fakes.models import model_info


class FixedDetector:
    """Finds the same boxes in every image."""

    name = "fixed"

    def __init__(self, *boxes):
        self.boxes = boxes

    def search(self, frame_bgr):
        count = len(self.boxes)
        xyxy = np.array(self.boxes, np.float32).reshape(count, 4)
        return Faces(xyxy, np.ones(count, np.float32), np.full((count, 2, 2), np.nan, np.float32))


class MeanClassifier:
    """Says the expression whose number is the crop's mean divided by 30, and keeps the calls."""

    certainty = None

    def __init__(self, has_original=True, **info):
        self.info = model_info(**info)
        self.has_original = has_original
        self.calls = []

    def classify(self, crops):
        self.calls.append(crops)
        which = (crops.reshape(len(crops), -1).mean(axis=1) // 30).astype(int) if len(crops) else []
        scores = np.full((len(crops), 7), 0.02, np.float32)
        scores[np.arange(len(crops)), which] = 0.88
        original = scores[:, ::-1].copy() if self.has_original else None
        return Prediction(scores, np.zeros(len(crops), np.float32), original)


class LeftClassifier(MeanClassifier):
    """Has heat maps that say: the left half."""

    def __init__(self, **info):
        super().__init__(**{"heatmaps": "cam", **info})

    def explain(self, crops):
        """As `classify`, with the maps."""
        heat = np.zeros((len(crops), 7, 2, 2), np.float32)
        # Of the second half of a batch, the mirror images, it is the right half.
        half = -(-len(crops) // 2)
        heat[:half, :, :, 0] = heat[half:, :, :, 1] = 1
        return replace(self.classify(crops), heatmaps=heat)


def shared_analyser(*boxes, max_bytes=1_000_000, max_pixels=1_000_000):
    """Finds these boxes in every image, and expressions by how bright they are."""
    return SharedAnalyser(
        lambda: StillAnalyser(LeftClassifier(), FixedDetector(*boxes), 64), ImageLimits(max_bytes, max_pixels)
    )
