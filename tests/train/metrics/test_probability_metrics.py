import math

import numpy as np
import pytest
from scipy.special import rel_entr
from sklearn import metrics as reference

from train.metrics.probability_metrics import (
    FALSE_POSITIVE_RATES,
    calibration_error_if_exact,
    equal_mass_calibration_error,
    reliability,
    roc_curve,
    vote_agreement,
)


@pytest.fixture(params=["distinct", "tied"])
def scored(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    positive = rng.random(500) < 0.3
    score = rng.normal(0, 1, 500) + positive
    return positive, score if request.param == "distinct" else score.round(1)


def test_roc_curve_agrees_with_scikit_learn(scored: tuple[np.ndarray, np.ndarray]) -> None:
    curve = roc_curve(*scored)

    false_positive_rate, true_positive_rate, _ = reference.roc_curve(*scored, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, false_positive_rate)
    np.testing.assert_allclose(curve.true_positive_rate, true_positive_rate)
    assert curve.area == pytest.approx(reference.roc_auc_score(*scored))


def test_macro_area_agrees_with_scikit_learn_one_against_the_rest() -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 7, 300)
    shares = rng.dirichlet(np.ones(7), 300) * 0.5 + 0.5 * np.eye(7)[rng.integers(0, 7, 300)]

    areas = [roc_curve(truth == label, shares[:, label]).area for label in range(7)]

    expected = reference.roc_auc_score(truth, shares, multi_class="ovr", average="macro")
    assert np.mean(areas) == pytest.approx(expected)


def test_roc_curve_sampled_is_upright_where_the_curve_is() -> None:
    curve = roc_curve(np.array([True, True, False, False]), np.array([0.9, 0.8, 0.2, 0.1]))

    assert curve.area == 1
    assert curve.sampled() == [1.0] * len(FALSE_POSITIVE_RATES)


def test_roc_curve_without_rows_of_a_class_has_no_area() -> None:
    assert math.isnan(roc_curve(np.zeros(4, bool), np.arange(4)).area)
    assert roc_curve(np.zeros(4, bool), np.arange(4)).sampled() == [None] * 16
    assert math.isnan(roc_curve(np.zeros(0, bool), np.zeros(0)).area)


def test_reliability_bins_of_known_rows() -> None:
    found = reliability(np.array([0.2, 0.4, 0.9, 1.0]), np.array([False, True, True, True]), bins=2)

    assert found["count"] == [2, 2]
    assert found["confidence"] == pytest.approx([0.3, 0.95])
    assert found["accuracy"] == [0.5, 1.0]
    assert reliability(np.zeros(0), np.zeros(0, bool), bins=2)["accuracy"] == [None, None]


def test_equal_mass_calibration_error_of_known_gap() -> None:
    confidence = np.full(30, 0.8)

    assert equal_mass_calibration_error(confidence, np.arange(30) % 5 < 3, bins=6) == pytest.approx(0.2)
    assert math.isnan(equal_mass_calibration_error(np.zeros(0), np.zeros(0, bool)))


def test_calibration_error_if_exact_shrinks_with_rows_and_repeats() -> None:
    few, many = (np.random.default_rng(0).uniform(0.3, 1, count) for count in (500, 20_000))

    mean, low, high = calibration_error_if_exact(few)

    assert low < mean < high
    assert calibration_error_if_exact(many)[0] < mean / 3
    assert calibration_error_if_exact(few) == (mean, low, high)
    assert math.isnan(calibration_error_if_exact(np.zeros(0))[0])


def test_vote_agreement_agrees_with_scipy() -> None:
    rng = np.random.default_rng(7)
    shares, probabilities = rng.dirichlet(np.ones(10), (2, 60))
    shares[:10] = 0
    predicted = probabilities[:, :8].argmax(axis=1)

    found = vote_agreement(shares, probabilities, predicted, nameable=8)

    voted = slice(10, None)
    assert found.count == 50
    assert found.predicted_share == pytest.approx(shares[np.arange(60), predicted][voted].mean())
    assert found.leader_share == pytest.approx(shares[voted, :8].max(axis=1).mean())
    assert found.divergence == pytest.approx(rel_entr(shares, probabilities)[voted].sum(axis=1).mean())
    assert found.cross_entropy > found.divergence


def test_vote_agreement_with_itself_has_no_divergence() -> None:
    shares = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])

    found = vote_agreement(shares, shares, np.array([1, 0]), nameable=2)

    assert found.divergence == pytest.approx(0)
    assert (found.predicted_share, found.leader_share) == (0.75, 0.75)


def test_vote_agreement_without_votes_is_nan() -> None:
    found = vote_agreement(np.zeros((3, 10)), np.full((3, 10), 0.1), np.zeros(3, int), nameable=8)

    assert found.count == 0
    assert math.isnan(found.divergence)
