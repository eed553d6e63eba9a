"""One expression, from a row of the data to the page: the same name at every step."""

import html
import json
import re

import numpy as np
import pytest

from fer_web.factory import create_application
from fer_web.factory.inference import new_stream_state
from fer_web.inference.artifact import load_artifact
from fer_web.inference.classifier import Prediction
from fer_web.inference.pipeline import FrameLimits, Pipeline
from fer_web.inference.scores import shown_scores, softmax
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from fer_web.realtime.protocol import result_to_wire
from fer_web.settings import Settings
from fer_web.vision.frames import encode_jpeg
from fer_web.vision.haar import HaarDetector
from tests.support.faces import camera_frame_bgr
from tests.support.fakes.models import model_info
from tests.support.fakes.pipelines import InstantPipeline
from train.config import NetworkConfig
from train.data.fer_data import load_data, vote_shares
from train.metrics.calibration import emotion_of
from train.networks.networks import build_network

KAGGLE = {0: "angry", 1: "disgust", 2: "fear", 3: "happy", 4: "sad", 5: "surprise", 6: "neutral"}
"""FER-2013's ids, as Kaggle documents them."""

FERPLUS_HEADER = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
"""Columns of fer2013new.csv, as its authors wrote it."""

FERPLUS_NAME = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
}


def write_row(folder, label, name):
    """One picture in Kaggle's file, and ten votes for the same expression in FER+'s."""
    pixels = " ".join(["7"] * 48 * 48)
    (folder / "fer2013.csv").write_text(f"emotion,pixels,Usage\n{label},{pixels},Training\n")
    votes = ",".join("10" if column == FERPLUS_NAME[name] else "0" for column in FERPLUS_HEADER.split(","))
    header = f"Usage,Image name,{FERPLUS_HEADER}"
    (folder / "fer2013new.csv").write_text(f"{header}\nTraining,fer0000000.png,{votes}\n")
    return folder / "fer2013.csv", folder / "fer2013new.csv"


class Echo:
    """A classifier whose logits are what training would have as targets."""

    info = model_info()
    certainty = None

    def __init__(self, original, ferplus):
        scores, uncertainty = shown_scores(np.float32(ferplus) * 9, 1.0)
        self.prediction = Prediction(scores, uncertainty, softmax(np.float32(original) * 9))

    def classify(self, crops):
        prediction = (self.prediction.scores, self.prediction.uncertainty, self.prediction.original_scores)
        return Prediction(*(np.repeat(each, len(crops), 0) for each in prediction))


@pytest.fixture
def page_emotions():
    application = create_application(Settings(async_mode="threading", detector="haar"), [InstantPipeline()])
    page = application.flask.test_client().get("/").text
    yield json.loads(html.unescape(re.search(r'name="fer-options" content="([^"]*)"', page)[1]))["emotions"]
    application.scheduler.stop()


@pytest.mark.parametrize(("label", "name"), KAGGLE.items())
def test_label_order_row_to_target_to_scores_to_wire_to_page(tmp_path, page_emotions, label, name):
    data = load_data(*write_row(tmp_path, label, name))
    original = np.eye(len(EMOTIONS))[data.emotion]
    ferplus = vote_shares(data.votes)

    assert EMOTIONS[int(original[0].argmax())] == name
    assert FERPLUS_VOTES[int(ferplus[0].argmax())] == FERPLUS_NAME[name]
    assert EMOTIONS[int(emotion_of(ferplus.argmax(axis=1))[0])] == name
    assert EMOTIONS[int(shown_scores(ferplus * 9, 1.0)[0].argmax())] == name
    pipeline = Pipeline(HaarDetector(), Echo(original, ferplus), FrameLimits(300_000, 10**6))
    result = pipeline.process(encode_jpeg(camera_frame_bgr()), 0.0, new_stream_state(Settings()))
    (face,) = result_to_wire(1, result, 0.0)["faces"]
    assert face["label"] == name
    assert max(face["scores"], key=face["scores"].get) == name
    assert list(face["scores"]) == page_emotions
    assert page_emotions[label] == name


def test_label_order_network_outputs_and_meta_json_have_a_place_for_each_name():
    outputs = build_network(NetworkConfig(stem_filters=(8, 8), blocks=((8, 2),))).output
    meta = json.loads((load_artifact(Settings().model).folder / "meta.json").read_text())

    assert outputs["original"].shape == (None, len(EMOTIONS))
    assert outputs["ferplus"].shape == (None, len(FERPLUS_VOTES))
    assert meta["labels"] == list(KAGGLE.values())
    assert meta["ferplus_votes"] == [*FERPLUS_HEADER.split(",")[:9], "not-a-face"]
    assert list(meta["metrics"]["original"]["classes"]) == meta["labels"]
