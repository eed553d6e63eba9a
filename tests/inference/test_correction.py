import math

import numpy as np
import pytest

from fer_web.errors import ProtocolError
from fer_web.inference.correction import (
    LEAST_GAIN,
    MAX_OFFSET,
    RESTING_BOUND,
    Correction,
    check,
    correction_of,
    fit_correction,
    resting_face,
)
from fer_web.inference.scores import softmax
from fer_web.labels import EMOTIONS

SAD, HAPPY, NEUTRAL = (EMOTIONS.index(name) for name in ("sad", "happy", "neutral"))


def views(count=60, noise=0.2, seed=0, **logits):
    """Raw scores of a face whose logits are these, and 0 elsewhere."""
    row = np.array([logits.get(name, 0.0) for name in EMOTIONS])
    return softmax(row + np.random.default_rng(seed).normal(0, noise, (count, 7)))


def person(noise=0.3, strength=2.0, **bias):
    """Takes of somebody whose every expression leans towards something, as a droopy mouth does."""
    takes = {}
    for seed, name in enumerate(EMOTIONS):
        logits = dict(bias)
        logits[name] = logits.get(name, 0) + strength
        takes[name] = views(noise=noise, seed=seed, **logits)
    return takes


def test_correction_shifts_logits_and_keeps_a_sum_of_one():
    offsets = tuple(0.1 * number for number in range(7))
    before = views(4)
    after = Correction(offsets).applied_to(before)
    shifts = np.log(after / before) - np.array(offsets)
    assert np.allclose(shifts, shifts[:, :1], atol=1e-5)
    assert np.allclose(after.sum(axis=1), 1)
    assert after.dtype == np.float32


@pytest.mark.parametrize("value", [MAX_OFFSET + 0.01, -MAX_OFFSET - 0.01, math.nan, math.inf])
def test_correction_out_of_bounds_is_refused(value):
    with pytest.raises(ProtocolError, match="A correction has 7 numbers from -2 to 2"):
        Correction((value, *[0.0] * 6))


@pytest.mark.parametrize("names", [EMOTIONS[:6], (*EMOTIONS, "contempt"), ()])
def test_correction_that_does_not_name_the_seven_is_refused(names):
    with pytest.raises(ProtocolError, match="offsets must name angry"):
        correction_of(dict.fromkeys(names, 0.0))


def test_sad_resting_face_is_neutral_afterwards_and_only_sad_is_lowered():
    resting = resting_face(views(sad=2.5, neutral=2.0))
    assert (resting.called, resting.views) == ("sad", 60)
    assert resting.before < 0.2
    assert resting.after > 0.7
    offsets = resting.correction.offsets
    assert offsets[SAD] < -0.5
    assert [value for place, value in enumerate(offsets) if place != SAD] == [0.0] * 6


def test_neutral_resting_face_is_left_alone():
    resting = resting_face(views(neutral=3.0))
    assert (resting.called, resting.before, resting.after, resting.correction) == ("neutral", 1.0, 1.0, None)


def test_resting_face_is_corrected_no_further_than_the_bound():
    resting = resting_face(views(happy=3.2, neutral=2.0))
    assert resting.correction.offsets[HAPPY] == -RESTING_BOUND


def test_smile_instead_of_a_resting_face_stays_a_smile():
    resting = resting_face(views(happy=8.0))
    assert (resting.called, resting.after, resting.correction) == ("happy", 0.0, None)


def test_resting_correction_leaves_a_plain_expression_alone():
    correction = resting_face(views(sad=2.4, neutral=2.0)).correction
    for name in ("happy", "surprise", "angry", "sad"):
        plain = views(**{"sad": 0.4, name: 5.0})
        assert (correction.applied_to(plain).argmax(axis=1) == EMOTIONS.index(name)).all()


def test_check_of_a_leaning_person_offers_a_correction_that_helps_on_what_it_did_not_see():
    takes = person(sad=1.5, happy=-1.0, noise=0.5)
    result = check(takes)
    assert result.after >= result.before + LEAST_GAIN
    assert result.correction.offsets[SAD] < 0 < result.correction.offsets[HAPPY]
    fresh = {name: views(seed=90 + place, noise=0.5, **{"sad": 1.5, "happy": -1.0, name: 2.0})
             for place, name in enumerate(EMOTIONS) if name not in ("sad", "happy")}  # fmt: skip
    for name, each in fresh.items():
        right = (each.argmax(axis=1) == EMOTIONS.index(name)).mean()
        corrected = (result.correction.applied_to(each).argmax(axis=1) == EMOTIONS.index(name)).mean()
        assert corrected >= right


def test_check_table_has_shares_of_what_was_shown():
    result = check({"happy": views(happy=6.0), "sad": views(neutral=6.0), "fear": views(surprise=6.0)})
    assert list(result.table) == ["happy", "sad", "fear"]
    assert result.table["happy"][HAPPY] == 1.0
    assert (result.table["sad"][SAD], result.table["sad"][NEUTRAL]) == (0.0, 1.0)
    assert result.before == pytest.approx(1 / 3)


def test_check_offers_nothing_where_all_is_right():
    result = check(person(strength=5.0))
    assert (result.before, result.correction) == (1.0, None)


def test_check_offers_nothing_where_the_halves_of_the_takes_contradict_each_other():
    takes = {}
    for seed, (name, other) in enumerate((("happy", "sad"), ("sad", "happy"), ("angry", "fear"))):
        first, second = views(30, seed=seed, **{name: 3.0}), views(30, seed=seed + 9, **{other: 3.0})
        takes[name] = np.concatenate([first, second])
    assert check(takes).correction is None


def test_check_of_one_expression_offers_nothing_for_it_would_name_all_so():
    assert check({"sad": views(neutral=2.0, sad=1.0)}).correction is None


@pytest.mark.parametrize("strength", [0.0, 30.0])
def test_fit_stays_in_its_bounds_whatever_was_taken(strength):
    takes = {"happy": views(sad=strength), "sad": views(happy=strength), "neutral": views(angry=strength)}
    offsets = fit_correction(takes).offsets
    assert all(abs(value) <= MAX_OFFSET for value in offsets)
    shown = {EMOTIONS.index(name) for name in takes}
    assert all(value == 0 for place, value in enumerate(offsets) if place not in shown)
