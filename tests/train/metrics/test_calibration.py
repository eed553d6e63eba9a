import numpy as np
import pytest

from fer_web.labels import EMOTIONS, FERPLUS_INDEX_OF_EMOTION, FERPLUS_VOTES
from train.metrics.calibration import (
    BALANCES,
    Scaling,
    calibrate,
    cross_fitted_error,
    emotion_of,
    fit_temperature,
    shown_correctness,
)
from train.metrics.label_offsets import MAX_OFFSET, fit_offsets


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
    scores = Scaling(calibration.temperature, calibration.logit_offsets).apply(logits)
    confidence = scores.max(axis=1)
    assert np.mean(confidence >= calibration.unsure_below) == pytest.approx(0.9, abs=0.01)


def test_contempt_majority_counts_as_wrong_and_lowers_the_confidence() -> None:
    logits = np.zeros((50, 10), np.float32)
    logits[:, 0] = 8
    majority = np.zeros(50, int)
    half_wrong = majority.copy()
    half_wrong[::2] = FERPLUS_VOTES.index("contempt")

    _, correct = shown_correctness(logits, half_wrong, Scaling(1.0))
    kept, lowered = fit_temperature(logits, majority), fit_temperature(logits, half_wrong)

    assert correct.tolist() == [False, True] * 25
    assert Scaling(kept).apply(logits).max() > 0.99
    assert Scaling(lowered).apply(logits).max() == pytest.approx(0.54, abs=0.02)
    assert cross_fitted_error(logits, majority) < 0.05


def prefer_neutral(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that call every other fearful face neutral by a little, and are sure of the rest."""
    rng = np.random.default_rng(seed)
    fear, neutral = FERPLUS_VOTES.index("fear"), FERPLUS_VOTES.index("neutral")
    majority = np.where(np.arange(count) % 10 == 0, fear, neutral)
    logits = rng.normal(0, 0.1, (count, 10)).astype(np.float32)
    logits[np.arange(count), majority] += 4
    missed = np.arange(count) % 20 == 0
    logits[missed, neutral] = logits[missed, fear] + 0.5
    order = rng.permutation(count)
    return logits[order], majority[order]


def test_calibrate_offsets_win_back_a_rare_expression_at_no_loss() -> None:
    logits, majority = prefer_neutral(1000)

    calibration = calibrate(logits, majority)
    scaling = Scaling(calibration.temperature, calibration.logit_offsets)

    assert calibration.balance in BALANCES
    _, before = shown_correctness(logits, majority, Scaling(calibration.temperature))
    _, after = shown_correctness(logits, majority, scaling)
    assert before.mean() == pytest.approx(0.95)
    assert after.mean() > 0.99
    unseen = prefer_neutral(1000, seed=1)
    assert shown_correctness(*unseen, scaling)[1].mean() > 0.99


def test_calibrate_offsets_that_do_not_help_are_left_out() -> None:
    logits = np.full((70, 10), -6, np.float32)
    majority = np.tile(FERPLUS_INDEX_OF_EMOTION, 10)
    logits[np.arange(70), majority] = 6

    calibration = calibrate(logits, majority)

    assert calibration.balance is None
    assert calibration.logit_offsets == (0.0,) * 7


def test_fit_offsets_undo_a_shift(sharp_logits: tuple[np.ndarray, np.ndarray]) -> None:
    logits, truth = sharp_logits
    shift = np.array([0.5, -1.0, 0.0, 0.5, 0.0, 0.0, 0.0])

    offsets = fit_offsets(logits[:, :7] - shift, truth, balance=0.0)

    assert np.mean(offsets) == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(offsets, shift, atol=0.35)


def test_fit_offsets_balance_favours_the_rare_class() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(3000) < 0.05).astype(int)
    logits = np.zeros((3000, 2))
    logits[:, 1] = np.where(truth == 1, 1.0, -1.0) + rng.normal(0, 1.5, 3000)

    plain, balanced = (fit_offsets(logits, truth, balance)[1] for balance in (0.0, 1.0))

    assert plain < 0
    assert balanced > plain + 0.5


@pytest.mark.parametrize("count", [1, 2])
def test_fit_offsets_few_rows_stay_finite(count: int) -> None:
    offsets = fit_offsets(np.eye(7)[:count] * 100, np.arange(count), balance=0.5)

    assert len(offsets) == 7
    assert np.abs(offsets).max() <= MAX_OFFSET


def test_emotion_of_names_agree() -> None:
    found = [EMOTIONS[i] if i >= 0 else None for i in emotion_of(np.arange(10))]

    assert found == ["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", None, None, None]
