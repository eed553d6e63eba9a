import numpy as np
import pytest

from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from train.calibration import calibrate, cross_fitted_error, emotion_of, fit_temperature


@pytest.fixture
def sharp_logits() -> tuple[np.ndarray, np.ndarray]:
    """Logits three times too large for the labels drawn from them."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (4000, 7))
    shares = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    truth = (shares.cumsum(axis=1) > rng.random((4000, 1))).argmax(axis=1)
    logits = np.full((4000, 10), -50.0)
    logits[:, :7] = 3 * honest
    return logits.astype(np.float32), truth


def test_fit_temperature_finds_the_factor(sharp_logits: tuple[np.ndarray, np.ndarray]) -> None:
    assert fit_temperature(*sharp_logits) == pytest.approx(3, rel=0.08)


def test_calibrate_error_is_small_and_a_tenth_is_unsure(sharp_logits: tuple[np.ndarray, np.ndarray]) -> None:
    logits, majority = sharp_logits

    calibration = calibrate(logits, majority)

    assert calibration.cross_fitted_error < 0.02
    scores = np.exp(logits[:, :7] / calibration.temperature)
    confidence = (scores / scores.sum(axis=1, keepdims=True)).max(axis=1)
    assert np.mean(confidence >= calibration.unsure_below) == pytest.approx(0.9, abs=0.01)


def test_cross_fitted_error_of_contempt_majority_counts_as_wrong() -> None:
    logits = np.zeros((50, 10), np.float32)
    logits[:, 0] = 8
    majority = np.zeros(50, int)
    wrong = majority.copy()
    wrong[::2] = FERPLUS_VOTES.index("contempt")

    assert cross_fitted_error(logits, majority) < 0.05
    assert cross_fitted_error(logits, wrong) == pytest.approx(0.5, abs=0.05)


def test_emotion_of_names_agree() -> None:
    found = [EMOTIONS[i] if i >= 0 else None for i in emotion_of(np.arange(10))]

    assert found == ["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", None, None, None]
