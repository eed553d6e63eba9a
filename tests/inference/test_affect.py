import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_web.inference.affect import (
    POSITIONS,
    SECOND_LEAST,
    SECOND_MARGIN,
    intensity,
    second_expressions,
    second_of,
    steady_second,
    valence_arousal,
)
from fer_web.labels import EMOTIONS
from tests.support.servers import ROOT

INDEX = {emotion: number for number, emotion in enumerate(EMOTIONS)}


def scores(**shares):
    """The named scores; the rest goes to neutral."""
    row = np.zeros(7, np.float32)
    for emotion, share in shares.items():
        row[INDEX[emotion]] = share
    row[INDEX["neutral"]] += 1 - row.sum()
    return row


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_pure_expression_stands_at_its_place(emotion):
    assert valence_arousal(scores(**{emotion: 1.0})).tolist() == pytest.approx(POSITIONS[emotion])


@given(st.lists(st.floats(0.001, 1), min_size=7, max_size=7))
def test_every_mixture_lies_between_the_places(shares):
    row = np.array(shares) / sum(shares)
    valence, arousal = valence_arousal(row)
    assert -0.64 <= valence <= 0.81
    assert -0.27 - 1e-6 <= arousal <= 0.67
    assert 0 <= intensity(row) <= 1


def test_tables_come_out_as_rows_do():
    rows = np.random.default_rng(0).dirichlet(np.full(7, 0.5), 50).astype(np.float32)
    assert valence_arousal(rows).dtype == np.float32
    np.testing.assert_allclose(valence_arousal(rows), [valence_arousal(row) for row in rows], atol=1e-6)
    label = rows.argmax(axis=1)
    found = [second_of(row, best) for row, best in zip(rows, label, strict=True)]
    assert second_expressions(rows, label).tolist() == [-1 if each is None else each for each in found]
    assert second_expressions(np.zeros((0, 7)), np.zeros(0, np.int8)).shape == (0,)


@pytest.mark.parametrize(
    ("row", "label", "second"),
    [
        (scores(happy=0.5, surprise=0.4), "happy", "surprise"),
        (scores(happy=0.5, surprise=0.4), "surprise", "happy"),
        (scores(happy=0.7, surprise=0.2), "happy", None),
        (scores(happy=0.5, neutral=0.5), "happy", None),
        (scores(sad=0.4, angry=0.1), "neutral", None),
    ],
)
def test_the_second_expression_is_strong_and_neither_is_neutral(row, label, second):
    found = second_of(row, INDEX[label])
    assert found == (None if second is None else INDEX[second])


def test_in_a_stream_the_second_expression_does_not_flicker_around_its_bound():
    second, happy = None, INDEX["happy"]
    shown = []
    for step in range(20):
        share = SECOND_LEAST + 0.8 * SECOND_MARGIN * (-1) ** step
        second = steady_second(second, scores(happy=0.6, surprise=share), happy, calm=1.0)
        shown.append(second)
    assert set(shown) == {INDEX["surprise"]}
    gone = steady_second(second, scores(happy=0.6, surprise=SECOND_LEAST - 2 * SECOND_MARGIN), happy, 1.0)
    assert gone is None


def test_without_smoothing_each_frame_decides_alone():
    row = scores(happy=0.6, surprise=SECOND_LEAST - 0.01)
    assert steady_second(INDEX["surprise"], row, INDEX["happy"], calm=0.0) is None


def test_the_second_expression_goes_where_it_becomes_the_label_or_the_face_neutral():
    row = scores(happy=0.3, surprise=0.5)
    assert steady_second(INDEX["surprise"], row, INDEX["surprise"], 1.0) == INDEX["happy"]
    assert steady_second(INDEX["surprise"], row, INDEX["neutral"], 1.0) is None


def test_the_document_has_the_same_numbers():
    text = (ROOT / "docs" / "trust.md").read_text()
    for emotion, (valence, arousal) in POSITIONS.items():
        assert re.search(rf"\| {emotion} \| {valence:.2f} \| {arousal:.2f} \|", text), emotion
    assert f"at least {SECOND_LEAST}" in text
