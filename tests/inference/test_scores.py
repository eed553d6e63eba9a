import numpy as np
import pytest

from fer_web.inference.classifier import Prediction
from fer_web.inference.results import face_result
from fer_web.inference.scores import contempt_share, shown_scores, softmax
from fer_web.inference.shown_labels import ShownLabel
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from tests.support.fakes.models import model_info

FERPLUS_NAME = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
}


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_shown_scores_each_vote_column_becomes_its_emotion(emotion):
    logits = np.zeros((1, 10))
    logits[0, FERPLUS_VOTES.index(FERPLUS_NAME[emotion])] = 8
    scores, uncertainty = shown_scores(logits, 1.0)
    assert EMOTIONS[int(scores[0].argmax())] == emotion
    assert uncertainty[0] < 0.01


def test_shown_scores_rows_sum_to_one_and_contempt_is_left_out():
    logits = np.random.default_rng(0).normal(size=(50, 10)) * 3
    scores, _ = shown_scores(logits, 0.7)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    logits[:, FERPLUS_VOTES.index("contempt")] += 5
    np.testing.assert_allclose(shown_scores(logits, 0.7)[0], scores, atol=1e-5)


@pytest.mark.parametrize("column", ["unknown", "not-a-face"])
def test_shown_scores_unknown_and_not_a_face_are_doubt(column):
    logits = np.zeros((1, 10))
    logits[0, FERPLUS_VOTES.index(column)] = 10
    scores, uncertainty = shown_scores(logits, 1.0)
    assert uncertainty[0] > 0.99
    np.testing.assert_allclose(scores[0], 1 / 7, atol=1e-5)


def test_shown_scores_offsets_are_added_before_the_temperature_and_leave_the_doubt():
    logits = np.random.default_rng(1).normal(size=(20, 10))
    offsets = np.array([0, 1.5, 0, 0, -0.5, 0, 0])
    moved = logits.copy()
    moved[:, FERPLUS_VOTES.index("disgust")] += 1.5
    moved[:, FERPLUS_VOTES.index("sadness")] -= 0.5
    scores, uncertainty = shown_scores(logits, 0.7, offsets)
    np.testing.assert_allclose(scores, shown_scores(moved, 0.7)[0], atol=1e-5)
    np.testing.assert_array_equal(uncertainty, shown_scores(logits, 0.7)[1])


def test_shown_scores_no_faces():
    scores, uncertainty = shown_scores(np.zeros((0, 10)), 1.0)
    assert scores.shape == (0, 7)
    assert uncertainty.shape == (0,)


def test_softmax_huge_logits_stay_finite_and_low_temperature_sharpens():
    assert np.isfinite(softmax(np.array([[1e4, -1e4]]))).all()
    logits = np.array([[1.0, 0.0]])
    assert softmax(logits, 0.5)[0, 0] > softmax(logits, 1.0)[0, 0]


def test_what_a_network_cannot_name_stays_nothing_after_averages():
    """Averages over time lift each score a little; nobody measured those of missing expressions."""
    model = model_info(missing=("disgust", "fear"))
    smoothed = np.array([0.1, 0.004, 0.004, 0.7, 0.1, 0.042, 0.05], np.float32)
    prediction = Prediction(smoothed[None], np.zeros(1, np.float32))
    shown = ShownLabel(3, is_sure=True, since_s=0.0)
    face = face_result(1, np.array([0, 0, 1, 1], np.float32), prediction, smoothed, shown, model)
    assert (face.scores[1], face.scores[2], face.raw_scores[1]) == (0, 0, 0)
    assert sum(face.scores) == pytest.approx(1)
    assert face.confidence == face.scores[3] > 0.7


def test_contempt_has_its_share_beside_the_seven_and_votes_for_nothing_do_not_count():
    logits = np.log(np.array([[1, 1, 1, 1, 1, 1, 1, 3, 50, 50]], np.float32))
    assert contempt_share(logits, 1.0) == pytest.approx([0.3])
