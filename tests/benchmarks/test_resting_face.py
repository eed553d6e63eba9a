"""What the benchmark of resting faces makes of a face, and how it counts."""

import numpy as np
import pytest

from benchmarks.resting_face import WARPED_PX, Faces, clear_faces, measure_people, see, trait_map, warp
from fer_web.errors import FerWebError
from fer_web.inference.classifier import Prediction
from fer_web.inference.correction import RESTING_BOUND
from fer_web.inference.scores import softmax
from fer_web.labels import EMOTIONS
from train.data.fer_data import FerData

FACE = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1)).T


class ReadsTheLight:
    """Sees in a picture's mean light which expression it is; neutral faces look a little sad."""

    def classify(self, crops):
        labels = np.clip(np.round(crops.mean(axis=(1, 2, 3)) / 35 - 0.4), 0, 6).astype(int)
        logits = np.zeros((len(crops), 7))
        logits[np.arange(len(crops)), labels] = 4.0
        logits[labels == 6, EMOTIONS.index("sad")] = 4.0 + RESTING_BOUND / 2
        return Prediction(softmax(logits), np.zeros(len(crops), np.float32))


def test_no_trait_leaves_a_face_as_it_is_and_low_corners_move_the_mouth_alone():
    plain, droopy = (warp(FACE, trait_map(trait)) for trait in ((0,) * 5, (0.05, 0, 0, 0, 0)))
    assert plain.shape == (WARPED_PX, WARPED_PX)
    rows, columns = np.nonzero(np.abs(plain.astype(int) - droopy) > 2)
    assert 0.55 < rows.min() / WARPED_PX < rows.max() / WARPED_PX < 1.0
    assert {bool(column < WARPED_PX / 2) for column in columns} == {True, False}


def test_views_of_one_picture_differ_and_the_same_seed_gives_the_same():
    picture = warp(FACE, trait_map((0,) * 5))
    first, again = (see(picture, np.random.default_rng(1)) for _ in range(2))
    assert (first == again).all()
    assert (first != see(picture, np.random.default_rng(2))).any()


def test_neutral_is_gained_and_other_expressions_stay_as_they_were():
    light = np.array([18, 50, 84, 118, 152, 186, 222], np.uint8)
    images = np.repeat(light, 6)[:, None, None] * np.ones((48, 48), np.uint8)
    faces = Faces(images, tuple(np.arange(6) + 6 * label for label in range(7)))
    (gain,) = measure_people(faces, ReadsTheLight(), people=1, seed=0)
    assert gain.neutral[0] < 0.3
    assert gain.neutral[1] > gain.neutral[0] + 0.5
    assert len(gain.others) == 6
    assert all(after >= before for before, after in gain.others)


def test_too_few_clear_faces_are_told():
    votes = np.zeros((3, 10), np.uint8)
    votes[:, 0] = 10
    part = FerData(np.zeros((3, 48, 48), np.uint8), np.full(3, 6, np.uint8), np.zeros(3, np.uint8), votes)
    with pytest.raises(FerWebError, match="angry has 0"):
        clear_faces(part)
