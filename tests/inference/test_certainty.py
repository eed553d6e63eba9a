import json

import cv2
import numpy as np
import pytest

from fer_web.errors import ModelArtifactError
from fer_web.factory.inference import build_pipeline, new_stream_state
from fer_web.inference.artifact import load_artifact
from fer_web.inference.certainty import (
    CERTAINTY_FILE,
    REASON_TEXTS,
    REASONS,
    load_certainty,
    reason_of,
    view_spread,
)
from fer_web.inference.judgement import USUAL_SPREAD, ViewSpreads, tempered
from fer_web.inference.models import open_model
from fer_web.inference.views import classify_both
from fer_web.settings import Settings
from fer_web.vision.regions import Region
from fer_web.vision.types import Faces
from fer_web.vision.visibility import MEASURES, measure_faces, outside_share, turn_signs
from tests.support.faces import astronaut_bgr

FOLDER = Settings().model
MODEL = load_artifact(FOLDER).certainty


@pytest.fixture(scope="module")
def analyser():
    from fer_web.analysis.stills.stills import StillAnalyser
    from fer_web.vendor_files import BLAZEFACE_PATH
    from fer_web.vision.faces import build_detector

    detector = build_detector("blazeface", BLAZEFACE_PATH, for_stills=True)
    return StillAnalyser(open_model(FOLDER).new_classifier(), detector, 5)


def drawn(*parts):
    """The astronaut with a dark scarf over her mouth, with sunglasses, or both."""
    frame = astronaut_bgr().copy()
    if "mouth" in parts:
        cv2.rectangle(frame, (186, 131), (262, 172), (30, 30, 30), -1)
    if "eyes" in parts:
        cv2.circle(frame, (204, 106), 17, (15, 15, 15), -1)
        cv2.circle(frame, (240, 106), 17, (15, 15, 15), -1)
    return frame


def conditions(analyser, *parts):
    """How strongly each condition holds."""
    frame = drawn(*parts)
    still = analyser.prepare(frame, "detect")
    classifier = open_model(FOLDER).new_classifier()
    prediction, _ = classify_both(classifier, still.crops)
    return dict(zip(REASONS, MODEL.conditions(*still.visibility, prediction.cells)[0], strict=True))


def dimmed():
    """Nothing to read: scarf, glasses and hardly any light."""
    return (drawn("mouth", "eyes") * 0.07).astype(np.uint8)


def test_what_covers_a_face_is_seen(analyser):
    clean, masked, glasses = (conditions(analyser, part) for part in ("", "mouth", "eyes"))
    assert max(clean.values()) < 0.2
    assert masked["mouth_covered"] > 0.6 > 0.3 > masked["eyes_covered"]
    assert glasses["eyes_covered"] > 0.6 > 0.3 > glasses["mouth_covered"]


def test_a_clean_still_is_sure_and_a_dark_one_is_not_and_says_why(analyser):
    (clean,) = analyser.analyse(astronaut_bgr(), "detect").faces
    assert (clean.label, clean.is_sure, clean.reason) == ("happy", True, None)
    (dark,) = analyser.analyse(dimmed(), "detect").faces
    assert not dark.is_sure
    assert dark.reason in {"dark", "mouth_covered", "eyes_covered"}
    assert dark.rival != dark.label
    assert dark.confidence < 0.5 < clean.confidence


def test_what_is_shown_says_how_certain_it_is_and_raw_scores_stay(analyser):
    (face,) = analyser.analyse(dimmed(), "detect").faces
    assert face.confidence == pytest.approx(max(face.scores))
    assert sum(face.scores) == pytest.approx(1)
    assert max(face.raw_scores) != pytest.approx(face.confidence, abs=1e-3)
    assert np.argmax(face.raw_scores) == np.argmax(face.scores)


def test_a_stream_says_why_it_is_unsure_until_there_is_light():
    settings = Settings()
    pipeline = build_pipeline(settings, open_model(FOLDER).new_classifier(), "blazeface")
    state = new_stream_state(settings)
    frames = [dimmed()] * 20 + [astronaut_bgr()] * 40
    shown = [pipeline.analyse(frame, step / 15, state).faces for step, frame in enumerate(frames)]
    (hidden,), (clear,) = shown[19], shown[-1]
    assert not hidden.is_sure
    assert hidden.reason in {"dark", "mouth_covered", "eyes_covered"}
    assert (clear.label, clear.is_sure, clear.reason) == ("happy", True, None)


def test_tempered_scores_have_the_certainty_as_best_and_keep_their_order():
    scores = np.array([[0.5, 0.3, 0.1, 0.04, 0.03, 0.02, 0.01], [1, 0, 0, 0, 0, 0, 0]], np.float32)
    for wanted in (0.2, 0.6, 0.97):
        shown = tempered(scores, np.full(2, wanted, np.float32))
        assert shown[0].max() == pytest.approx(wanted, abs=1e-3)
        assert (np.argsort(-shown[0]) == np.arange(7)).all()
        assert shown.sum(axis=1) == pytest.approx(1)
    assert tempered(scores[:0], np.zeros(0, np.float32)).shape == (0, 7)
    assert tempered(scores[:1], np.zeros(1, np.float32))[0] == pytest.approx(1 / 7, abs=0.02)


def test_the_strongest_condition_is_the_reason_and_a_named_one_stays_a_while():
    row = np.zeros(len(REASONS), np.float32)
    assert reason_of(row) is None
    row[4] = 0.6
    assert reason_of(row) == "dark"
    row[0] = 0.7
    assert (reason_of(row), reason_of(row, "dark")) == ("mouth_covered", "dark")
    row[4] = 0.2
    assert reason_of(row, "dark") == "mouth_covered"


def test_every_reason_has_words():
    assert set(REASON_TEXTS) == set(REASONS)


def test_the_spread_of_views_is_half_of_all_differences_and_usual_at_first():
    one, other = np.eye(7, dtype=np.float32)[[0, 0]], np.eye(7, dtype=np.float32)[[0, 1]]
    assert view_spread(one, other).tolist() == [0, 1]
    spreads = ViewSpreads()
    assert spreads.update([4], one[:1], 0.0) == pytest.approx([USUAL_SPREAD])
    both = np.concatenate([one[:1], other[1:]])
    assert spreads.update([7, 4], both, 0.1) == pytest.approx([USUAL_SPREAD, 1])
    assert spreads.update([], one[:0], 0.2).shape == (0,)
    assert spreads.update([7], other[1:], 0.3) == pytest.approx([1]), "missed in one frame"


def test_measures_tell_darkness_detail_size_and_what_is_cut_off():
    crops = np.random.default_rng(0).integers(100, 200, (2, 48, 48, 1)).astype(np.uint8)
    crops[1] = crops[1] // 10
    boxes = np.array([[100, 100, 200, 200], [-50, 100, 50, 200]], np.float32)
    faces = Faces(boxes, np.ones(2, np.float32), np.full((2, 2, 2), np.nan, np.float32))
    measures, patches = measure_faces(crops, faces, (480, 640))
    rows = [dict(zip(MEASURES, row, strict=True)) for row in measures.tolist()]
    assert rows[0]["brightness"] > 9 * rows[1]["brightness"]
    assert rows[0]["side_px"] == pytest.approx(117)
    assert rows[0]["outside_share"] == pytest.approx(0)
    assert 0.4 < rows[1]["outside_share"] < 0.6
    assert np.isnan(rows[0]["yaw"])
    assert patches.shape == (2, 576)
    assert np.isfinite(MODEL.conditions(measures, patches, None)).all()
    assert measure_faces(crops[:0], faces.take([]), (480, 640))[0].shape == (0, len(MEASURES))
    assert outside_share(Region(-500, 0, 10), (480, 640)) == 1


def test_a_turned_head_shows_in_its_points_and_both_sides_are_alike():
    frontal = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.5, 0.75], [0.1, 0.4], [0.9, 0.4]])
    turned = frontal + np.array([[0, 0], [-0.1, 0], [0.1, 0], [0.05, 0], [0.1, 0], [-0.2, 0]])
    other = (turned * (-1, 1) + (1, 0))[[1, 0, 2, 3, 5, 4]]
    yaw, ears, pitch, narrow = turn_signs(frontal)
    assert (yaw, ears, pitch, narrow) == pytest.approx((0, 0, 0.5, 1))
    assert turn_signs(turned) == pytest.approx(turn_signs(other))
    assert turn_signs(turned)[0] > 0.3
    assert turn_signs(turned)[3] < narrow


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw.update(format=9), "format 9"),
        (lambda raw: raw.update(reasons=["dark"]), "reasons"),
        (lambda raw: raw.update(unsure_below=2), "0 to 1"),
        (lambda raw: raw["certainty_layers"].pop(), "layers end"),
        (lambda raw: raw["measure_means"].pop(), "shape"),
        (lambda raw: raw.update(model_hash="0" * 64), "fitted to the network 000000000000"),
        (lambda raw: raw.pop("limits"), "limits"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(tmp_path, change, words):
    raw = json.loads((FOLDER / CERTAINTY_FILE).read_text())
    change(raw)
    (tmp_path / CERTAINTY_FILE).write_text(json.dumps(raw))
    with pytest.raises(ModelArtifactError, match=words):
        load_certainty(tmp_path, MODEL.model_hash)
    assert load_certainty(tmp_path / "nothing", "") is None
