"""Corrections over Socket.IO: a face is taken, judged, corrected, and what is shown of it follows."""

import itertools

import numpy as np
import pytest

from fer_web.factory import create_application
from fer_web.inference.results import FaceResult, FrameResult
from fer_web.inference.scores import softmax
from fer_web.inference.stream_settings import SERVER_SETTINGS
from fer_web.labels import EMOTIONS
from fer_web.settings import Settings
from tests.support.clients import socket_client
from tests.support.fakes.models import write_empty_model


class DroopyPipeline:
    """Two people: 1 is as the test says and always a little sad, 2 is happy."""

    def __init__(self):
        self.shows, self._rng = "neutral", np.random.default_rng(0)

    def process(self, jpeg, captured_s, state, heatmaps=False, settings=SERVER_SETTINGS):
        logits = self._rng.normal(0, 0.1, (2, 7))
        logits[0, EMOTIONS.index("sad")] += 2.5
        logits[0, EMOTIONS.index(self.shows)] += 2.0
        logits[1, EMOTIONS.index("happy")] += 5.0
        raw = softmax(logits)
        state.corrections.see((1, 2), raw)
        shown = state.corrections.apply((1, 2), raw)
        faces = tuple(
            FaceResult(
                number + 1, (0, 0, 1, 1), tuple(row.tolist()), tuple(raw[number].tolist()),
                EMOTIONS[row.argmax()], float(row.max()), True,
            )
            for number, row in enumerate(shown)
        )  # fmt: skip
        return FrameResult(faces, {"total": 1.0}, settings, state.corrections.faces)


class Page:
    """A live page's socket."""

    def __init__(self, application, pipeline):
        self._client, self._pipeline = socket_client(application), pipeline
        self._seq = itertools.count(1)

    def ask(self, event, **payload):
        return self._client.emit(event, payload, callback=True)

    def see(self, count=1, shows="neutral"):
        """Send frames; return what the last shows of the first face."""
        self._pipeline.shows = shows
        for seq in itertools.islice(self._seq, count):
            header = {"seq": seq, "captured_ms": seq * 33.0}
            answer = self._client.emit("frame", header, b"x", callback=True)
        return answer["faces"][0]


@pytest.fixture
def page(tmp_path):
    pipeline = DroopyPipeline()
    model = write_empty_model(tmp_path / "model")
    settings = Settings(model=model, async_mode="threading", detector="haar", data_dir=tmp_path / "data")
    application = create_application(settings, [pipeline])
    yield Page(application, pipeline)
    application.scheduler.stop()
    application.close()


def test_resting_face_is_learned_shown_and_taken_away_again(page):
    assert page.see()["label"] == "sad"
    assert page.ask("take", face=1, expression="neutral") == {"views": 0}
    page.see(40)
    assert page.ask("take", face=1, expression=None) == {"views": 40}
    learned = page.ask("learn", face=1, by="resting")
    assert (learned["called"], learned["before"]) == ("sad", 0.0)
    assert learned["after"] > 0.7
    assert "corrected" not in page.see(), "nothing changes before the person says so"
    assert page.ask("correct", face=1, offsets=learned["offsets"]) == {}
    face = page.see()
    face = page.see()
    assert (face["label"], face["corrected"]) == ("neutral", True)
    assert page.see(shows="sad")["label"] == "sad"
    page.ask("correct", face=1, offsets=None)
    assert page.see()["label"] == "sad"


def test_check_tells_the_table_and_offers_what_helps(page):
    page.see()
    for name in ("happy", "neutral", "surprise"):
        page.ask("take", face=1, expression=name)
        page.see(30, shows=name)
    page.ask("take", face=1, expression=None)
    learned = page.ask("learn", face=1, by="check")
    assert set(learned["table"]) == {"happy", "neutral", "surprise"}
    assert learned["table"]["neutral"]["sad"] == 1.0
    assert learned["after"] > learned["before"]
    page.ask("correct", face=1, offsets=learned["offsets"])
    assert [page.see(shows=name)["label"] for name in learned["table"]] == list(learned["table"])


def test_what_was_taken_is_forgotten_once_it_was_judged(page):
    page.see()
    page.ask("take", face=1, expression="neutral")
    page.see(20)
    assert "before" in page.ask("learn", face=1, by="resting")
    error = page.ask("learn", face=1, by="resting")["error"]
    assert (error["code"], error["retryable"]) == ("take_refused", True)
    assert "12 views of face 1 are needed, 0 were taken" in error["message"]


@pytest.mark.parametrize("event", ["take", "learn", "correct"])
def test_before_the_first_frame_there_is_nobody_to_correct(page, event):
    payload = {"take": {"expression": "sad"}, "learn": {"by": "check"}, "correct": {"offsets": None}}[event]
    assert "Send frames first" in page.ask(event, face=1, **payload)["error"]["message"]


def test_a_new_stream_knows_no_corrections(page):
    page.see()
    page.ask("correct", face=1, offsets={**dict.fromkeys(EMOTIONS, 0), "sad": -2})
    assert page.see()["label"] == "neutral"
    page.ask("stop")
    assert page.see()["label"] == "sad"


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("take", {"face": 1, "expression": "joy"}),
        ("learn", {"face": 1, "by": "magic"}),
        ("correct", {"face": 1, "offsets": {"sad": 9}}),
    ],
)
def test_malformed_message_gets_one_clear_error_and_the_client_stays(page, event, payload):
    page.see()
    assert page.ask(event, **payload)["error"]["code"] == "bad_message"
    assert page.see()["id"] == 1
