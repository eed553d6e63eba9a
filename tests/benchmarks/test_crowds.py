"""Pictures that are hard to search, made of photos."""

import json
import sys

import numpy as np
import pytest

from benchmarks import detect
from benchmarks.composites import make_portraits
from benchmarks.crowds import COVERS, cover_face, crowd, gallery
from benchmarks.photos import load_face_photos
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.boxes import longer_sides
from fer_web.vision.search import BlazeFaceDetector


@pytest.fixture(scope="module")
def portraits():
    return make_portraits(load_face_photos(None), BLAZEFACE_PATH)


def test_a_crowd_has_faces_of_the_wanted_side_that_do_not_overlap(portraits):
    made = crowd(portraits, (480, 640), 32, np.random.default_rng(0))
    assert made.frame_bgr.shape == (480, 640, 3)
    assert longer_sides(made.xyxy) == pytest.approx(32, abs=0.01)
    assert len(np.unique(made.xyxy.round(), axis=0)) == len(made.xyxy) == 14


def test_a_gallery_has_everybody_inside(portraits):
    made = gallery(portraits, 5, (720, 1280))
    assert made.xyxy.shape == (25, 4)
    assert made.xyxy.min() >= 0
    assert (made.xyxy.max(axis=0) <= [1280, 720, 1280, 720]).all()


@pytest.mark.parametrize("cover", COVERS)
def test_a_cover_changes_a_part_of_the_photo(portraits, cover):
    covered = cover_face(portraits[0], cover, BlazeFaceDetector(BLAZEFACE_PATH))
    changed = (covered.photo_bgr != portraits[0].photo_bgr).any(axis=2).mean()
    assert changed > 0.01


def test_the_table_of_stills_counts_faces_and_false_boxes(monkeypatch, capsys):
    monkeypatch.setattr(detect, "small_face_rows", lambda *_: [])
    monkeypatch.setattr(detect, "gallery_rows", lambda *_: [])
    arguments = ["detect", "--table", "stills", "--empty", "2", "--json"]
    monkeypatch.setattr(sys, "argv", arguments)
    detect.main()
    rows = json.loads(capsys.readouterr().out)["stills"]
    assert rows["mouth covered"]["still"]["faces"] == 2
    assert rows["nobody in view"]["still"]["frames"] == 1
