"""The model that ships: its files, and what it says about real faces."""

import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from fer_web.errors import ModelArtifactError
from fer_web.factory.inference import build_pipeline, new_stream_state
from fer_web.inference.artifact import KERAS_FILE, LITERT_FILE, META_FILE, load_artifact, sha256_of
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.inference.scores import shown_scores, softmax
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from fer_web.settings import ROOT, Settings
from fer_web.vision.frames import encode_jpeg
from fer_web.vision.haar import HaarDetector
from fer_web.vision.preprocess import crop_faces
from tests.support.faces import astronaut_bgr, grace_hopper_bgr, two_faces_bgr
from tests.support.fakes.models import model_meta
from train.config import FORMER_NAMES
from train.runs.model_outputs import load_keras, predict

MAX_BYTES = 20_000_000


@pytest.fixture(scope="module")
def artifact():
    return load_artifact(Settings().model)


@pytest.fixture(scope="module", params=["blazeface", "haar"])
def pipeline(request, artifact):
    return build_pipeline(Settings(), LiteRTClassifier(artifact), request.param)


def test_files_are_small_enough_for_the_repository(artifact):
    assert all(path.stat().st_size < MAX_BYTES for path in artifact.folder.iterdir() if path.is_file())


def test_meta_says_where_its_figures_come_from(artifact):
    meta = json.loads((artifact.folder / META_FILE).read_text())
    assert meta["seed"] is not None
    assert meta["data"]["training_rows"] > 20_000
    assert "PublicTest" in json.dumps(meta["metrics"])


def test_meta_agrees_with_the_files(artifact):
    meta = json.loads((artifact.folder / META_FILE).read_text())
    hashes = {name: sha256_of(artifact.folder / name) for name in (KERAS_FILE, LITERT_FILE)}
    assert meta["files"] == hashes
    assert meta["metrics"]["model"]["sha256"] == hashes[LITERT_FILE] == artifact.model_hash
    assert meta["litert"]["size_bytes"] == artifact.litert_path.stat().st_size
    assert meta["litert"] in meta["litert_candidates"]
    assert meta["litert"]["passes"]
    assert meta["temperature"] == artifact.temperature == meta["metrics"]["shown"]["temperature"]
    assert meta["unsure_below"] == artifact.unsure_below == meta["metrics"]["shown"]["unsure"]["below"]
    offsets = meta["metrics"]["shown"].get("logit_offsets", [0.0] * len(EMOTIONS))
    neutral_offset = artifact.certainty.neutral_offset
    assert artifact.logit_offsets == pytest.approx([*offsets[:-1], offsets[-1] + neutral_offset])


@pytest.mark.parametrize("key", ["original", "ferplus"])
def test_meta_scores_follow_from_its_own_confusions(artifact, key):
    scores = json.loads((artifact.folder / META_FILE).read_text())["metrics"][key]
    for each in (scores, scores["without_copies"]):
        confusion = np.array(each["confusion"])
        assert confusion.sum() == each["count"]
        assert each["accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum())
        low, high = each["interval_95"]
        assert low < each["accuracy"] < high
        for row, name in enumerate(each["classes"]):
            assert each["classes"][name]["count"] == confusion[row].sum()
            assert each["classes"][name]["recall"] == pytest.approx(
                confusion[row, row] / confusion[row].sum()
            )


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
def test_keras_and_litert_files_hold_one_network(artifact):
    faces = [crop_of(picture) for picture in (astronaut_bgr(), grace_hopper_bgr())]
    noise = np.random.default_rng(2).integers(0, 256, (6, 48, 48), np.uint8)
    images = np.stack([*faces, *faces[:1], *noise])
    images[2] = images[0][:, ::-1]
    keras_logits = predict(artifact.folder, images, runtime="keras").logits
    litert_logits = predict(artifact.folder, images, runtime="litert").logits
    for name in ("original", "ferplus"):
        one, other = getattr(keras_logits, name), getattr(litert_logits, name)
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99
        np.testing.assert_array_equal(one[:3].argmax(axis=1), other[:3].argmax(axis=1))
    assert EMOTIONS[int(keras_logits.original[0].argmax())] == "happy"
    assert FERPLUS_VOTES[int(keras_logits.ferplus[0].argmax())] == "happiness"
    model = load_keras(artifact.keras_path)
    meta = json.loads((artifact.folder / META_FILE).read_text())
    assert model.count_params() == meta["parameters"]
    # The file was written when the configuration had its former name.
    assert FORMER_NAMES[model.name] == meta["name"] == artifact.name


def crop_of(picture):
    """The one face of a picture as the classifier gets it, uint8 (48, 48)."""
    return crop_faces(picture, HaarDetector().search(picture), (48, 48))[0, :, :, 0]


def test_astronaut_is_happy_and_the_page_may_say_so(pipeline):
    (face,) = pipeline.process(encode_jpeg(astronaut_bgr()), 0.0, new_stream_state(Settings())).faces
    assert (face.label, face.is_sure) == ("happy", True)


def test_two_faces_are_classified_each_on_its_own(pipeline):
    faces = pipeline.process(encode_jpeg(two_faces_bgr()), 0.0, new_stream_state(Settings())).faces
    labels = [face.label for face in sorted(faces, key=lambda face: face.box[0])]
    assert len(labels) == 2
    assert labels[0] == "happy"
    assert labels[1] != "happy"


def test_grace_hopper_is_not_called_happy(pipeline):
    (face,) = pipeline.process(encode_jpeg(grace_hopper_bgr()), 0.0, new_stream_state(Settings())).faces
    assert face.scores[EMOTIONS.index("happy")] < 0.5


def test_classifier_shapes_order_and_no_faces(artifact):
    classifier = LiteRTClassifier(artifact)
    assert classifier.logits(np.zeros((0, 48, 48, 1), np.uint8)).ferplus.shape == (0, len(FERPLUS_VOTES))
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    together = classifier.logits(crops)
    assert together.original.shape == (3, len(EMOTIONS))
    for row, crop in enumerate(crops):
        alone = classifier.logits(crop[None])
        np.testing.assert_allclose(alone.ferplus[0], together.ferplus[row], atol=1e-5)
        np.testing.assert_allclose(alone.original[0], together.original[row], atol=1e-5)


def test_classify_shows_the_calibrated_output_and_gives_the_original_one_too(artifact):
    offsets = tuple(2.0 if name == "disgust" else 0.0 for name in EMOTIONS)
    moved = dataclasses.replace(artifact, temperature=0.5, logit_offsets=offsets)
    classifier = LiteRTClassifier(moved)
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    logits, prediction = classifier.logits(crops), classifier.classify(crops)
    scores, uncertainty = shown_scores(logits.ferplus, 0.5, offsets)
    np.testing.assert_array_equal(prediction.scores, scores)
    np.testing.assert_array_equal(prediction.uncertainty, uncertainty)
    np.testing.assert_array_equal(prediction.original_scores, softmax(logits.original))
    assert (classifier.info.has_original, classifier.info.is_calibrated) == (True, True)


def test_swapped_outputs_are_found_at_start(artifact, tmp_path):
    folder = tmp_path / "swapped"
    shutil.copytree(artifact.folder, folder)
    meta = json.loads((folder / META_FILE).read_text())
    meta["outputs"] = {"original": meta["outputs"]["ferplus"], "ferplus": meta["outputs"]["original"]}
    (folder / META_FILE).write_text(json.dumps(meta))
    with pytest.raises(ModelArtifactError, match="7 names"):
        LiteRTClassifier(load_artifact(folder))


def test_unknown_output_name_is_found_at_start(artifact, tmp_path):
    folder = tmp_path / "renamed"
    shutil.copytree(artifact.folder, folder)
    meta = {**json.loads((folder / META_FILE).read_text())}
    meta["outputs"] = {**model_meta()["outputs"], "ferplus": "nowhere"}
    (folder / META_FILE).write_text(json.dumps(meta))
    with pytest.raises(ModelArtifactError, match="nowhere"):
        LiteRTClassifier(load_artifact(folder))


def test_where_litert_has_no_wheel_tensorflow_gives_the_same_logits():
    script = """
import sys, json, warnings
warnings.simplefilter("ignore")
if sys.argv[1] == "without":
    sys.modules["ai_edge_litert"] = None
import numpy as np
from fer_web.inference.artifact import load_artifact
from fer_web.inference.classifier import LiteRTClassifier
from fer_web.settings import Settings
crops = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1), dtype=np.uint8)
logits = LiteRTClassifier(load_artifact(Settings().model)).logits(crops)
print(json.dumps([logits.ferplus.tolist(), "tensorflow" in sys.modules]))
"""
    outputs = []
    for mode in ("with", "without"):
        run = subprocess.run(
            [sys.executable, "-c", script, mode],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        outputs.append(json.loads(run.stdout.strip().splitlines()[-1]))
    (with_litert, uses_tensorflow), (without, falls_back) = outputs
    assert (uses_tensorflow, falls_back) == (False, True)
    np.testing.assert_allclose(with_litert, without, atol=1e-3)
