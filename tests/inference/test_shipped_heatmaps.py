"""That the heat maps of the model that ships mean what they say."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from fer_web.errors import ModelArtifactError
from fer_web.inference.artifact import META_FILE, load_artifact
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.inference.scores import shown_logits, softmax
from fer_web.settings import Settings
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import build_detector
from fer_web.vision.preprocess import crop_faces
from tests.support.faces import astronaut_bgr, grace_hopper_bgr

CELLS = 2
"""Rows and columns of a map that are covered together."""


@pytest.fixture(scope="module")
def artifact():
    return load_artifact(Settings().model)


@pytest.fixture(scope="module")
def classifier(artifact):
    return LiteRTClassifier(artifact)


@pytest.fixture(scope="module")
def crops():
    """Two people, each as they are and mirrored; uint8 (4, 48, 48, 1)."""
    detector = build_detector("blazeface", BLAZEFACE_PATH)
    pictures = [astronaut_bgr(), grace_hopper_bgr()]
    faces = [crop_faces(each, detector.search(each).take([0]))[0] for each in pictures]
    return np.stack([*faces, *(each[:, ::-1] for each in faces)])


def test_the_mean_of_each_map_gives_the_shown_scores(artifact, classifier, crops):
    noise = np.random.default_rng(3).integers(0, 256, (4, 48, 48, 1), dtype=np.uint8)
    faces = np.concatenate([crops, noise])
    prediction = classifier.explain(faces)
    logits = shown_logits(classifier.logits(faces).ferplus, artifact.logit_offsets)
    means = prediction.heatmaps.mean(axis=(2, 3))
    # The file rounds activations to eight bits, for places and for their average each in its own way.
    np.testing.assert_allclose(means, logits - logits.mean(axis=1, keepdims=True), atol=0.15)
    np.testing.assert_allclose(softmax(means, artifact.temperature), prediction.scores, atol=0.03)


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
def test_in_float_the_mean_over_cells_is_the_logit(artifact, crops):
    from train.runs.model_outputs import load_keras

    outputs = load_keras(artifact.keras_path).predict(crops.astype(np.float32), verbose=0)
    assert outputs["cam"].shape == (4, 6, 6, 10)
    np.testing.assert_allclose(outputs["cam"].mean(axis=(1, 2)), outputs["ferplus"], atol=1e-4)


def test_explaining_changes_no_score(classifier, crops):
    explained, plain = classifier.explain(crops), classifier.classify(crops)
    np.testing.assert_array_equal(explained.scores, plain.scores)
    np.testing.assert_array_equal(explained.original_scores, plain.original_scores)
    assert plain.heatmaps is None
    assert explained.take(2).heatmaps.shape == (1, 7, 6, 6)
    assert classifier.explain(crops[:0]).heatmaps.shape == (0, 7, 6, 6)


def test_covering_the_hottest_cells_costs_more_than_covering_the_coldest(classifier, crops):
    """On the mean of the faces: a single one can be named as well by what is left."""
    lost_hot, lost_cold = np.mean([logits_lost(classifier, crop) for crop in crops], axis=0)
    assert lost_hot > 0.1
    assert lost_hot > 3 * max(lost_cold, 0)


def logits_lost(classifier, crop):
    """How far the label's logit falls when its hottest and its coldest square are covered."""
    prediction = classifier.explain(crop[None])
    label = int(prediction.scores[0].argmax())
    heat = heat_of_squares(prediction.heatmaps[0, label])
    hottest = np.unravel_index(heat.argmax(), heat.shape)
    coldest = np.unravel_index(heat.argmin(), heat.shape)
    # Scores near 1 hardly move; the map's mean is the logit behind them.
    logit, *left = (
        classifier.explain(each[None]).heatmaps[0, label].mean()
        for each in (crop, covered(crop, hottest), covered(crop, coldest))
    )
    return logit - np.array(left)


def heat_of_squares(heat):
    """Mean heat of each square of CELLS x CELLS places."""
    windows = np.lib.stride_tricks.sliding_window_view(heat, (CELLS, CELLS))
    return windows.mean(axis=(2, 3))


def covered(crop, place):
    """The crop with one such square in its mean grey."""
    pixels = crop.shape[0] // 6
    (top, left), side = (at * pixels for at in place), CELLS * pixels
    changed = crop.copy()
    changed[top : top + side, left : left + side] = round(float(crop.mean()))
    return changed


def test_a_folder_without_them_loads_and_says_why_there_are_none(artifact, crops):
    classifier = LiteRTClassifier(dataclasses.replace(artifact, cam_output=None))
    assert classifier.info.heatmaps is None
    assert "train export" in classifier.info.no_heatmaps
    assert classifier.explain(crops).heatmaps is None
    np.testing.assert_array_equal(classifier.explain(crops).scores, classifier.classify(crops).scores)


@pytest.mark.parametrize("name", ["nowhere", "ferplus"])
def test_an_output_that_is_none_of_cells_is_found_at_start(artifact, tmp_path, name):
    folder = tmp_path / "wrong"
    shutil.copytree(artifact.folder, folder, ignore=shutil.ignore_patterns("plots"))
    meta = json.loads((folder / META_FILE).read_text())
    meta["outputs"]["cam"] = name
    (folder / META_FILE).write_text(json.dumps(meta))
    with pytest.raises(ModelArtifactError, match="heat maps need"):
        LiteRTClassifier(load_artifact(folder))
