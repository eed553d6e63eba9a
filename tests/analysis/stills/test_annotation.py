import re
from dataclasses import replace

import numpy as np

from fer_web.analysis.stills.annotation import COLOURS, annotate, label_text
from fer_web.inference.results import FaceResult
from fer_web.labels import EMOTIONS
from tests.support.servers import ROOT


def face(box=(0.25, 0.25, 0.5, 0.5), label="happy", is_sure=True):
    return FaceResult(1, box, (0.1,) * 7, (0.1,) * 7, label, 0.42, is_sure)


def test_colours_are_those_of_the_page():
    palette = (ROOT / "static" / "js" / "shared" / "palette.js").read_text()
    assert dict(re.findall(r'(\w+): "(#\w{6})"', palette)) == COLOURS
    assert set(COLOURS) == set(EMOTIONS)


def test_annotate_draws_on_a_copy():
    frame = np.full((400, 400, 3), 255, np.uint8)
    drawn = annotate(frame, [face()])
    assert (frame == 255).all()
    assert drawn.shape == frame.shape
    assert drawn[200, 100].tolist() == [0x00, 0x9F, 0xE6]  # the left edge of the box in blue, green, red
    assert drawn[200, 200].tolist() == [255, 255, 255]


def test_annotate_small_images_are_enlarged_so_that_text_can_be_read():
    drawn = annotate(np.zeros((48, 60, 3), np.uint8), [face((0, 0, 1, 1))])
    assert drawn.shape == (288, 360, 3)


def test_annotate_boxes_over_the_edge_keep_their_text_inside():
    frame = np.full((400, 400, 3), 255, np.uint8)
    for box in ((-0.2, -0.2, 0.4, 0.4), (0.9, 0.9, 0.4, 0.4), (0.9, -0.3, 0.5, 0.2)):
        drawn = annotate(frame, [face(box)])
        plate = (drawn == [0x00, 0x9F, 0xE6]).all(axis=2)
        assert plate.sum() > 1000


def test_label_says_when_it_is_unsure():
    assert label_text(face()) == "happy 42 %"
    assert label_text(face(is_sure=False)) == "unsure: happy or angry"
    assert label_text(replace(face(is_sure=False), reason="dark")) == "unsure: happy or angry (too dark)"
