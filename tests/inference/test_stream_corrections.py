import numpy as np

from fer_web.inference.correction import Correction
from fer_web.inference.stream_corrections import MAX_CORRECTED, MAX_VIEWS, StreamCorrections
from fer_web.labels import EMOTIONS

LESS_SAD = Correction((0, 0, 0, 0, -1.0, 0, 0))
SCORES = np.array([[0.1, 0.1, 0.1, 0.1, 0.35, 0.0, 0.25], [0.1, 0.1, 0.1, 0.1, 0.35, 0.0, 0.25]], np.float32)


def test_only_the_corrected_face_changes_until_the_correction_is_taken_away():
    corrections = StreamCorrections()
    corrections.correct(2, LESS_SAD)
    after = corrections.apply((1, 2), SCORES)
    assert after[0].tolist() == SCORES[0].tolist()
    assert EMOTIONS[after[1].argmax()] == "neutral"
    assert corrections.faces == (2,)
    corrections.correct(2, None)
    assert corrections.apply((1, 2), SCORES) is SCORES


def test_corrections_are_bounded_and_the_first_gives_way():
    corrections = StreamCorrections()
    for face in range(MAX_CORRECTED + 1):
        corrections.correct(face, LESS_SAD)
    assert corrections.faces == tuple(range(1, MAX_CORRECTED + 1))


def test_take_keeps_the_views_of_its_face_alone_while_that_is_in_view():
    corrections = StreamCorrections()
    corrections.see((1, 2), SCORES)
    assert corrections.take(2, "neutral") == 0
    corrections.see((1, 2), SCORES)
    corrections.see((1,), SCORES[:1])
    corrections.see((2,), SCORES[1:])
    assert corrections.take(2, "happy") == 2
    corrections.see((2,), SCORES[1:])
    assert corrections.take(2, None) == 1
    corrections.see((2,), SCORES[1:])
    views = corrections.give_views(2)
    assert {name: rows.shape for name, rows in views.items()} == {"neutral": (2, 7), "happy": (1, 7)}
    assert corrections.give_views(2) == {}, "they are forgotten"


def test_expression_that_is_taken_again_begins_anew():
    corrections = StreamCorrections()
    corrections.take(1, "sad")
    corrections.see((1,), SCORES[:1])
    corrections.take(1, "sad")
    assert corrections.give_views(1) == {}


def test_another_face_forgets_the_views_of_the_one_before():
    corrections = StreamCorrections()
    corrections.take(1, "sad")
    corrections.see((1, 2), SCORES)
    corrections.take(2, "sad")
    assert corrections.give_views(1) == {}


def test_take_keeps_no_more_than_its_bound():
    corrections = StreamCorrections()
    corrections.take(1, "sad")
    for number in range(MAX_VIEWS + 5):
        corrections.see((1,), np.full((1, 7), number, np.float32))
    views = corrections.give_views(1)["sad"]
    assert (len(views), views[0, 0]) == (MAX_VIEWS, 5)
