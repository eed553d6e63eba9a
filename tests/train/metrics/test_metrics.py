import math

import numpy as np
import pytest
from sklearn import metrics as reference

from fer_web.metrics.classification_report import (
    accuracy,
    balanced_accuracy,
    class_scores,
    confusion_matrix,
    macro_f1,
    weighted_f1,
    wilson_interval,
)
from train.metrics.metrics import (
    expected_calibration_error,
    ferplus_majority,
    risk_coverage,
)


@pytest.fixture
def labels() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 7, 400)
    predicted = np.where(rng.random(400) < 0.6, truth, rng.integers(0, 6, 400))
    return truth, predicted


def test_scores_agree_with_scikit_learn(labels: tuple[np.ndarray, np.ndarray]) -> None:
    truth, predicted = labels

    confusion = confusion_matrix(truth, predicted, 7)
    scores = class_scores(confusion)

    np.testing.assert_array_equal(confusion, reference.confusion_matrix(truth, predicted))
    expected = reference.precision_recall_fscore_support(truth, predicted, zero_division=0)
    found_scores = (scores.precision, scores.recall, scores.f1, scores.support)
    for found, wanted in zip(found_scores, expected, strict=True):
        np.testing.assert_allclose(found, wanted)
    assert macro_f1(scores) == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert weighted_f1(scores) == pytest.approx(reference.f1_score(truth, predicted, average="weighted"))
    assert balanced_accuracy(scores) == pytest.approx(reference.balanced_accuracy_score(truth, predicted))
    assert accuracy(truth, predicted) == pytest.approx(reference.accuracy_score(truth, predicted))


def test_class_scores_absent_class_is_left_out_of_macro_f1() -> None:
    scores = class_scores(confusion_matrix(np.array([0, 1]), np.array([0, 1]), 3))

    assert scores.f1.tolist() == [1.0, 1.0, 0.0]
    assert macro_f1(scores) == 1.0


def test_empty_input_gives_nan_or_widest_interval() -> None:
    none = np.zeros(0, int)

    assert math.isnan(accuracy(none, none))
    nothing = class_scores(confusion_matrix(none, none, 7))
    assert all(math.isnan(mean(nothing)) for mean in (macro_f1, weighted_f1, balanced_accuracy))
    assert math.isnan(expected_calibration_error(none, none.astype(bool)))
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert math.isnan(risk_coverage(none, none.astype(bool)).accuracy_at(0.8))
    assert ferplus_majority(np.zeros((0, 10), np.uint8))[1].shape == (0,)


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilson_interval_known_values(successes: int, count: int, low: float, high: float) -> None:
    assert wilson_interval(successes, count) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("votes", "leader", "counts"),
    [
        ((6, 4, 0, 0, 0, 0, 0, 0, 0, 0), 0, True),
        ((5, 5, 0, 0, 0, 0, 0, 0, 0, 0), 0, False),
        ((5, 4, 1, 0, 0, 0, 0, 0, 0, 0), 0, True),
        ((0, 0, 0, 0, 4, 3, 3, 0, 0, 0), 4, False),
        ((2, 0, 0, 0, 0, 0, 0, 0, 8, 0), 8, False),
        ((0, 0, 0, 0, 0, 0, 0, 0, 0, 10), 9, False),
        ((0, 5, 0, 0, 0, 0, 0, 0, 5, 0), 1, False),
        ((0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0, False),
    ],
)
def test_ferplus_majority_rule(votes: tuple[int, ...], leader: int, counts: bool) -> None:
    found, has_majority = ferplus_majority(np.array([votes], np.uint8))

    assert found[0] == leader
    assert has_majority[0] == counts


def test_expected_calibration_error_of_known_gap() -> None:
    confidence = np.full(10, 0.8)
    correct = np.arange(10) < 6

    assert expected_calibration_error(confidence, correct) == pytest.approx(0.2)
    assert expected_calibration_error(np.ones(4), np.ones(4, bool)) == 0


def test_risk_coverage_answers_the_surest_first() -> None:
    curve = risk_coverage(np.array([0.2, 0.9, 0.8, 0.4]), np.array([False, True, True, False]))

    assert curve.confidence.tolist() == [0.9, 0.8, 0.4, 0.2]
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.accuracy_at(0.5) == 1.0
    assert curve.accuracy_at(1.0) == 0.5
