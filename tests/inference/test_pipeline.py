import dataclasses

import numpy as np
import pytest

from fer_web.errors import FrameError
from fer_web.inference.classifier import Prediction
from fer_web.inference.correction import Correction
from fer_web.inference.pipeline import FrameLimits, Pipeline, StreamState
from fer_web.inference.scores import shown_scores
from fer_web.inference.stream_settings import StreamSettings
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from fer_web.vision.frames import encode_jpeg
from fer_web.vision.one_pass import OnePassSearch
from fer_web.vision.smoothing import ScoreSmoother
from fer_web.vision.tracking import FaceTracker
from fer_web.vision.types import Faces
from tests.support.fakes.models import model_info


class FixedDetector(OnePassSearch):
    """Finds the same faces in every frame."""

    name = "fixed"

    def __init__(self, *boxes):
        self.boxes = boxes

    def search(self, frame_bgr):
        count = len(self.boxes)
        xyxy = np.array(self.boxes, np.float32).reshape(count, 4)
        return Faces(xyxy, np.ones(count, np.float32), np.full((count, 2, 2), np.nan, np.float32))

    def look_near(self, frame_bgr, faces):
        return faces


class FixedClassifier:
    """Votes for one column, with a strength."""

    certainty = None

    def __init__(self, column, strength=5.0, **info):
        self.info = model_info(**info)
        self.column, self.strength = column, strength
        self.crops = []

    def classify(self, crops):
        self.crops.append(crops)
        ferplus = np.zeros((len(crops), 10), np.float32)
        ferplus[:, FERPLUS_VOTES.index(self.column)] = self.strength
        return Prediction(*shown_scores(ferplus, 1.0))


FRAME = encode_jpeg(np.full((200, 400, 3), 128, np.uint8))


def pipeline(detector, classifier, max_pixels=1_000_000):
    return Pipeline(detector, classifier, FrameLimits(100_000, max_pixels))


BOX_A, BOX_B = (10, 10, 90, 90), (200, 10, 280, 90)


def new_state():
    return StreamState(FaceTracker(), ScoreSmoother(0.0))


def test_process_gives_boxes_as_fractions_of_the_frame():
    (face,) = (
        pipeline(FixedDetector((100, 50, 200, 150)), FixedClassifier("happiness"))
        .process(FRAME, 0.0, new_state())
        .faces
    )
    assert face.box == pytest.approx((0.25, 0.25, 0.25, 0.5))
    assert (face.label, face.is_sure) == ("happy", True)
    assert face.confidence == max(face.scores)
    assert sum(face.scores) == pytest.approx(1)
    assert len(face.scores) == len(EMOTIONS)


def test_process_no_face_gives_no_results_and_all_timings():
    result = pipeline(FixedDetector(), FixedClassifier("fear")).process(FRAME, 0.0, new_state())
    assert result.faces == ()
    assert list(result.timings_ms) == ["decode", "detect", "crop", "classify", "total"]


@pytest.mark.parametrize(
    ("column", "strength", "is_sure"),
    [("sadness", 5.0, True), ("sadness", 0.5, False), ("unknown", 9.0, False), ("not-a-face", 9.0, False)],
)
def test_process_is_sure_only_with_confidence_and_without_doubt(column, strength, is_sure):
    (face,) = (
        pipeline(FixedDetector((10, 10, 90, 90)), FixedClassifier(column, strength))
        .process(FRAME, 0.0, new_state())
        .faces
    )
    assert face.is_sure is is_sure


def test_process_keeps_ids_and_gives_values_that_json_takes():
    state, pipe = new_state(), pipeline(FixedDetector((10, 10, 90, 90)), FixedClassifier("anger"))
    first, second = (pipe.process(FRAME, time_s, state).faces[0] for time_s in (0.0, 0.03))
    assert first.face_id == second.face_id
    assert type(first.face_id) is int
    assert all(type(value) is float for value in (*first.box, *first.scores, first.confidence))


@pytest.mark.parametrize(("size_hw", "channels"), [((48, 48), 1), ((64, 56), 1), ((96, 96), 3)])
def test_process_cuts_crops_as_the_model_wants_them(size_hw, channels):
    classifier = FixedClassifier("fear", size_hw=size_hw, channels=channels)
    pipeline(FixedDetector((10, 10, 90, 90)), classifier).process(FRAME, 0.0, new_state())
    assert classifier.crops[0].shape == (1, *size_hw, channels)


def test_process_bad_frame_raises_and_the_stream_goes_on():
    state, pipe = new_state(), pipeline(FixedDetector((10, 10, 90, 90)), FixedClassifier("anger"))
    face_id = pipe.process(FRAME, 0.0, state).faces[0].face_id
    with pytest.raises(FrameError):
        pipe.process(b"nothing", 0.03, state)
    assert pipe.process(FRAME, 0.06, state).faces[0].face_id == face_id


def test_process_shows_smoothed_scores_and_keeps_the_raw_ones():
    state = StreamState(FaceTracker(), ScoreSmoother(10.0))
    detector = FixedDetector((10, 10, 90, 90))
    pipeline(detector, FixedClassifier("happiness")).process(FRAME, 0.0, state)
    (face,) = pipeline(detector, FixedClassifier("sadness")).process(FRAME, 0.03, state).faces
    assert EMOTIONS[int(np.argmax(face.raw_scores))] == "sad"
    assert face.label == "happy"


def test_process_corrects_what_is_shown_of_a_face_and_leaves_its_raw_scores():
    detector, classifier = FixedDetector(BOX_A, BOX_B), FixedClassifier("sadness", strength=1.0)
    state = new_state()
    first, second = pipeline(detector, classifier).process(FRAME, 0.0, state).faces
    state.corrections.correct(first.face_id, Correction((0, 0, 0, 0, -2.0, 0, 0)))
    result = pipeline(detector, classifier).process(FRAME, 0.03, state)
    assert result.faces[0].label != "sad"
    assert result.faces[0].raw_scores == first.raw_scores
    assert result.faces[1].scores == second.scores
    assert result.corrected == (first.face_id,)


def test_process_gives_a_take_the_raw_scores_of_each_view():
    pipe, state = pipeline(FixedDetector(BOX_A, BOX_B), FixedClassifier("fear")), new_state()
    face_id = pipe.process(FRAME, 0.0, state).faces[1].face_id
    state.corrections.correct(face_id, Correction((0, 0, -2.0, 0, 0, 0, 0)))
    state.corrections.take(face_id, "fear")
    raw = [pipe.process(FRAME, step / 30, state).faces[1].raw_scores for step in (1, 2)]
    assert state.corrections.give_views(face_id)["fear"].tolist() == [list(each) for each in raw]


def test_analyse_a_decoded_frame_is_what_process_makes_of_its_jpeg():
    frame_bgr = np.full((200, 400, 3), 128, np.uint8)
    detector = FixedDetector((100, 50, 200, 150))
    from_jpeg = pipeline(detector, FixedClassifier("sadness")).process(
        encode_jpeg(frame_bgr), 0.0, new_state()
    )
    from_pixels = pipeline(detector, FixedClassifier("sadness")).analyse(frame_bgr, 0.0, new_state())
    assert from_pixels.faces == from_jpeg.faces
    assert set(from_jpeg.timings_ms) - set(from_pixels.timings_ms) == {"decode"}


def test_analyse_takes_frames_larger_than_a_client_may_send():
    frame_bgr = np.zeros((200, 400, 3), np.uint8)
    found = pipeline(FixedDetector((0, 0, 100, 100)), FixedClassifier("neutral"), max_pixels=1024)
    assert len(found.analyse(frame_bgr, 0.0, new_state()).faces) == 1


def test_heat_maps_lie_on_the_crop_of_their_face_when_asked_for():
    class Explaining(FixedClassifier):
        def explain(self, crops):
            heat = np.zeros((len(crops), 7, 2, 2), np.float32)
            heat[:, EMOTIONS.index("sad"), 1, 1] = 1
            return dataclasses.replace(self.classify(crops), heatmaps=heat)

    pipe = pipeline(FixedDetector((100, 50, 200, 150)), Explaining("sadness", heatmaps="cam"))
    (plain,) = pipe.process(FRAME, 0.0, new_state()).faces
    (face,) = pipe.process(FRAME, 0.0, new_state(), heatmaps=True).faces
    assert plain.heatmap is None
    assert face.heatmap.values[EMOTIONS.index("sad")] == (0, 0, 0, 255)
    # The crop's side is 1.17 boxes, and its middle 40 % down the box.
    expected = np.array([(91.5, 31.5), (208.5, 31.5), (208.5, 148.5), (91.5, 148.5)]) / (400, 200)
    np.testing.assert_allclose(face.heatmap.corners, expected, atol=1e-3)
    assert dataclasses.replace(face, heatmap=None) == plain


def test_process_obeys_the_settings_of_the_frame():
    state = StreamState(FaceTracker(), ScoreSmoother(10.0))
    detector, happy, sad = (
        FixedDetector(BOX_A, BOX_B),
        FixedClassifier("happiness"),
        FixedClassifier("sadness"),
    )
    pipeline(detector, happy).process(FRAME, 0.0, state)
    settings = StreamSettings(smoothing_s=0.0, unsure_below=1.0, max_faces=1)
    result = pipeline(detector, sad).process(FRAME, 0.03, state, settings=settings)
    (face,) = result.faces
    assert (face.label, face.is_sure, face.face_id) == ("sad", False, 1)
    assert result.settings == settings
    results = [pipeline(detector, happy).process(FRAME, 0.1 * step, state) for step in range(1, 30)]
    assert len(results[-1].faces) == 2
