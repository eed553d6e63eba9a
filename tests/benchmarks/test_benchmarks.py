"""What the benchmarks on models count and print."""

import json
import re
import sys

import numpy as np
import pytest

from benchmarks import ensembles, expressions, video
from benchmarks.calibration import describe as describe_calibration
from benchmarks.ensembles import answers_of
from benchmarks.ensembles import describe as describe_ensemble
from benchmarks.expressions import PhotoAnswer, describe, summarize
from benchmarks.models import Contestant, published_mini_xception
from benchmarks.models import describe as describe_times
from benchmarks.models import summarize as summarize_times
from benchmarks.photos import load_labelled_photos
from fer_web.inference.classifier import Logits
from fer_web.labels import FERPLUS_INDEX_OF_EMOTION
from fer_web.settings import Settings
from fer_web.vision.frames import encode_jpeg
from tests.support.faces import astronaut_bgr, grace_hopper_bgr
from train.data.fer_data import FerData
from train.export.litert_files import open_call, time_turns
from train.metrics.calibration import BALANCES


@pytest.fixture
def photos_npz(tmp_path):
    grey = np.full((350, 350, 3), 90, np.uint8)
    encoded = [encode_jpeg(picture) for picture in (astronaut_bgr(), grace_hopper_bgr(), grey)]
    path = tmp_path / "photos.npz"
    data = np.frombuffer(b"".join(encoded), np.uint8)
    np.savez(path, data=data, end=np.cumsum([len(each) for each in encoded]), emotion=np.uint8([3, 6, 6]))
    return path


def test_expressions_command_counts_photos_through_the_whole_pipeline(photos_npz, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["expressions", "--photos", str(photos_npz), "--json"])
    expressions.main()
    found = json.loads(capsys.readouterr().out)
    assert (found["photos"], found["not_found"]) == (3, 1)
    assert found["expressions"]["happy"]["recall"] == 1
    assert found["expressions"]["neutral"]["photos"] == 2
    assert found["expressions"]["neutral"]["not_found"] == 1
    assert found["model"]["folder"] == str(Settings().model)


def test_expressions_command_of_a_missing_model_says_so(photos_npz, tmp_path, monkeypatch):
    arguments = ["expressions", "--photos", str(photos_npz), "--model", str(tmp_path / "nothing")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit, match="cannot be read"):
        expressions.main()


def test_summarize_missed_and_unsure_faces_are_counted_apart():
    answers = [
        PhotoAnswer("neutral", "neutral", True),
        PhotoAnswer("neutral", "neutral", False),
        PhotoAnswer("neutral", "sad", False),
        PhotoAnswer("neutral", None, False),
        PhotoAnswer("happy", "happy", True),
    ]
    found = summarize(answers)
    neutral = found["expressions"]["neutral"]
    assert list(found["expressions"]) == ["happy", "neutral"]
    assert neutral["recall"] == pytest.approx(2 / 3)
    assert neutral["unsure_share"] == pytest.approx(2 / 3)
    assert neutral["recall_when_sure"] == 1
    assert (neutral["labels"]["sad"], neutral["not_found"]) == (1, 1)
    assert "recall of neutral: 66.7 %" in describe(found)


def test_load_labelled_photos_from_folders_by_emotion(tmp_path):
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / "one.jpg").write_bytes(b"jpeg")
    (photo,) = load_labelled_photos(tmp_path)
    assert (photo.encoded, photo.emotion) == (b"jpeg", "sad")


def test_load_labelled_photos_empty_folder_says_what_is_needed(tmp_path):
    with pytest.raises(SystemExit, match="holds no labelled photos"):
        load_labelled_photos(tmp_path)


@pytest.mark.parametrize(
    "arrays", [None, {"data": [1, 2], "end": [2]}, {"data": [1], "end": [1], "emotion": [9]}]
)
def test_load_labelled_photos_broken_archive_says_what_is_needed(tmp_path, arrays):
    if arrays:
        np.savez(tmp_path / "photos.npz", **{name: np.uint8(values) for name, values in arrays.items()})
    with pytest.raises(SystemExit, match="data, end and emotion"):
        load_labelled_photos(tmp_path / "photos.npz")


def test_published_mini_xception_has_as_many_parameters_as_the_paper_s():
    model = published_mini_xception()
    assert model.count_params() == 58_423
    assert model.output_shape == (None, 7)


def test_model_times_are_compared_with_the_first(tmp_path):
    path = Settings().model / "model.tflite"
    contestants = [Contestant("ours", "int8", path, 10), Contestant("other", "float32", path, 5)]
    found = summarize_times(contestants, np.array([[2.0, 1.0], [6.0, 2.0], [3.0, 1.0]]))
    assert [row["shipped_takes_times"] for row in found["files"]] == [1.0, 3.0]
    assert [row["median_ms"] for row in found["files"]] == [3.0, 1.0]
    assert "3.00 times" in describe_times(found)
    times_ms = time_turns([open_call(path)], turns=2)
    assert times_ms.shape == (2, 1)
    assert (times_ms > 0).all()


def test_calibration_table_has_a_row_for_each_kind_and_names_the_choice():
    rng = np.random.default_rng(0)
    majority = rng.choice(8, 300)
    logits = (rng.normal(0, 1, (300, 10)) + 3 * np.eye(10)[majority]).astype(np.float32)
    header, plain, *rest = describe_calibration(logits, majority).splitlines()
    assert header.split()[:2] == ["offsets", "error"]
    assert plain.startswith("none ")
    assert len(rest) == len(BALANCES) + 1
    assert rest[-1].startswith("an export takes: ")


def rows_of_each_emotion() -> FerData:
    """100 rows of each emotion, on whose label all taggers agree."""
    emotion = np.arange(700, dtype=np.uint8) % 7
    votes = np.zeros((700, 10), np.uint8)
    votes[np.arange(700), np.array(FERPLUS_INDEX_OF_EMOTION)[emotion]] = 10
    images = np.random.default_rng(0).integers(0, 255, (700, 48, 48)).astype(np.uint8)
    return FerData(images, emotion, np.ones(700, np.uint8), votes)


def test_ensemble_is_scored_by_the_mean_of_its_networks_logits():
    part = rows_of_each_emotion()
    wrong = (part.emotion + 1) % 7

    def answers(right: float, other: float) -> tuple[Logits, Logits]:
        """The same logits for each row's own label and for the one after it."""
        original = right * np.eye(7)[part.emotion] + other * np.eye(7)[wrong]
        ferplus = np.zeros((700, 10))
        ferplus[:, list(FERPLUS_INDEX_OF_EMOTION)] = original
        return Logits(original, ferplus), Logits(original + 0.01, ferplus + 0.01)

    # By the mean of the probabilities the two that are less sure, and wrong, would win.
    networks = {"a": answers(20.0, 0.0), "b": answers(0.0, 6.0), "c": answers(0.0, 6.0)}
    header, *rows = describe_ensemble(networks, part).splitlines()
    assert header.split()[:3] == ["networks", "original", "FER+"]
    shares = {row.split()[0]: [float(each) for each in re.findall(r"([\d.]+) %", row)] for row in rows}
    assert shares == {"a": [100.0] * 6, "b": [0.0] * 6, "c": [0.0] * 6, "together": [100.0] * 6}


class _SeesLight:
    """A network whose logits of anger are the light of the left half, and of happiness the right half's."""

    def predict(self, images, **_):
        halves = np.stack([images[:, :, :24].mean((1, 2, 3)), images[:, :, 24:].mean((1, 2, 3))], axis=1)
        return {"original": halves, "ferplus": 2 * halves}


def test_ensemble_asks_each_network_of_pictures_and_their_mirror_images():
    part = rows_of_each_emotion()
    plain, mirrored = answers_of(_SeesLight(), part)
    left, right = part.images[:, :, :24].mean((1, 2)), part.images[:, :, 24:].mean((1, 2))
    np.testing.assert_allclose(plain.original, np.stack([left, right], axis=1), rtol=1e-4)
    np.testing.assert_allclose(plain.ferplus, 2 * plain.original)
    middle = (left + right) / 2
    np.testing.assert_allclose(mirrored.original, np.stack([middle, middle], axis=1), rtol=1e-4)


def test_ensemble_of_one_network_twice_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ensembles", "runs/a", "runs/b", "runs/a", "--data", "a.npz"])
    with pytest.raises(SystemExit):
        ensembles.main()
    assert "a network is named twice" in capsys.readouterr().err


def test_video_benchmark_analyses_every_frame_and_relates_times_to_the_clip(tmp_path):
    clip, settings = video.make_clip(tmp_path, astronaut_bgr(), seconds=1), Settings()
    for name, read in video.READERS.items():
        turn = video.measure(read(clip, settings), settings, "written", tmp_path / f"{name}.mp4", clip)
        assert (turn["frames"], turn["with_face"]) == (30, 30), name
        assert (tmp_path / f"{name}.mp4").stat().st_size > 10_000
    turn = {"frames": 30, "with_face": 30, "wall_s": 0.5, "processor_s": 0.25, "half_mb": 90, "end_mb": 91}
    found = video.summarize([turn])
    assert (found["times_real_time"], found["end_mb"]) == (2.0, 91)
    assert (found["wall_ms"], found["processor_ms"]) == pytest.approx((1000 / 60, 1000 / 120))
    assert "2.0" in video.describe("analysed", found)
