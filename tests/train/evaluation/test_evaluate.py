"""Scores of made-up predictions, without a network."""

import json
from pathlib import Path

import numpy as np
import pytest

from fer_web.inference.classifier import Logits
from fer_web.labels import EMOTIONS, FERPLUS_EMOTIONS
from tests.support.fer_rows import make_data
from train.data.fer_data import FerData
from train.evaluation.describe import describe
from train.evaluation.evaluate import evaluate
from train.evaluation.evaluation_plots import write_evaluation
from train.evaluation.scoring import find_copies, worst_change
from train.runs.model_outputs import Predictions


def all_different(training: int = 70, public: int = 140, *, seed: int = 0) -> FerData:
    """Rows without near copies: pictures of noise, and the votes of `make_data`."""
    data = make_data(training, public, seed=seed)
    images = np.random.default_rng(seed).integers(0, 256, data.images.shape, np.uint8)
    return FerData(images, data.emotion, data.usage, data.votes)


def predictions_for(part: FerData, source: Path, *, seed: int = 1, **options: object) -> Predictions:
    """Logits that are right in about two thirds of the rows."""
    rng = np.random.default_rng(seed)
    original = rng.normal(0, 1, (len(part), 7)) + 2.5 * np.eye(7)[part.emotion]
    votes = np.zeros((len(part), 10)) if part.votes is None else part.votes / 10
    ferplus = rng.normal(0, 1, (len(part), 10)) + 2.5 * votes
    logits = Logits(original.astype(np.float32), ferplus.astype(np.float32))
    return Predictions(source, logits, **options)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"model")
    return path


@pytest.fixture
def result(source: Path) -> dict:
    data = all_different()
    part = data.split("PublicTest")
    averaged = predictions_for(part, source, seed=2).logits
    found = predictions_for(part, source, temperature=0.8, unsure_below=0.4, flip_averaged=averaged)
    return evaluate(found, data, "PublicTest")


def test_evaluate_is_plain_json_without_nan(result: dict) -> None:
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_evaluate_heads_have_means_classes_and_curves(result: dict) -> None:
    for key, names in (("original", EMOTIONS), ("ferplus", FERPLUS_EMOTIONS)):
        scores = result[key]
        assert list(scores["classes"]) == list(names)
        assert scores["count"] == 140
        recalls = [each["recall"] for each in scores["classes"].values() if each["count"]]
        assert scores["balanced_accuracy"] == pytest.approx(np.mean(recalls))
        areas = [each["auc"] for each in scores["classes"].values() if each["count"]]
        assert scores["macro_auc"] == pytest.approx(np.mean(areas))
        assert 0.8 < scores["macro_auc"] < 1
        rates = scores["roc"]["true_positive_rates"]["disgust"]
        assert rates == sorted(rates)
    assert result["ferplus"]["classes"]["contempt"]["auc"] is None


def test_evaluate_shown_agrees_with_its_own_confusion(result: dict) -> None:
    shown = result["shown"]

    assert np.sum(shown["confusion"]) == shown["count"] == 140
    assert shown["accuracy"] == pytest.approx(np.trace(shown["confusion"]) / 140)
    assert shown["accuracy_at_coverage"]["1.0"] == pytest.approx(shown["accuracy"])
    assert shown["risk_coverage"]["risk"][-1] == pytest.approx(1 - shown["accuracy"], abs=1e-5)
    assert len(shown["risk_coverage"]["coverage"]) == 50
    assert sum(shown["reliability"]["count"]) == 140
    against = shown["against_original"]
    assert against["count"] == 140
    assert against["accuracy"] == pytest.approx(shown["accuracy"])  # the votes are for the labels
    low, high = shown["calibration_error_if_exact"]["interval_95"]
    assert low < shown["calibration_error_if_exact"]["mean"] < high
    assert set(result["flip_averaged"]) == {"original", "ferplus", "shown"}
    assert result["flip_averaged"]["shown"]["accuracy"] != shown["accuracy"]


def test_evaluate_offsets_move_the_shown_label_and_nothing_else(source: Path) -> None:
    data = all_different()
    part = data.split("PublicTest")
    offsets = tuple(9.0 if name == "fear" else 0.0 for name in EMOTIONS)

    plain = evaluate(predictions_for(part, source), data, "PublicTest")
    moved = evaluate(predictions_for(part, source, logit_offsets=offsets), data, "PublicTest")

    assert moved["ferplus"] == plain["ferplus"]
    assert moved["shown"]["classes"]["fear"]["recall"] == 1
    assert plain["shown"]["classes"]["fear"]["recall"] < 1


def test_evaluate_without_votes_has_original_labels_alone(source: Path) -> None:
    data = all_different()
    bare = FerData(data.images, data.emotion, data.usage)

    found = evaluate(predictions_for(bare.split("PublicTest"), source), bare, "PublicTest")

    assert set(found) == {"model", "data", "original"}
    assert "original labels" in describe(found)


def test_find_copies_tells_exact_from_near() -> None:
    data = all_different(training=4, public=5)
    images = data.images.copy()
    images[4] = images[0]
    images[5] = np.clip(images[1][:, ::-1].astype(int) * 0.8 + 10, 0, 255)
    images[7] = images[6]
    changed = FerData(images, data.emotion, data.usage, data.votes)

    copies = find_copies(changed, changed.split("PublicTest"))

    assert copies.exact.tolist() == [True, False, False, True, False]
    assert copies.near.tolist() == [True, True, False, True, False]


def test_find_copies_of_a_split_alone_has_repeats_only() -> None:
    data = all_different(training=0, public=5)

    assert not find_copies(data, data).near.any()


def test_worst_change_is_the_largest_loss_against_the_majority() -> None:
    rows = {
        "dark": {"original_change": -0.5, "ferplus_change": -0.1},
        "blur": {"original_change": -0.1, "ferplus_change": -0.2},
    }

    assert worst_change(rows) == {"name": "blur", "against": "ferplus", "change": -0.2}
    bare = {name: {"original_change": row["original_change"]} for name, row in rows.items()}
    assert worst_change(bare)["name"] == "dark"


def test_write_evaluation_writes_report_metrics_and_plots(result: dict, tmp_path: Path) -> None:
    rows = {
        name: {"original": 0.5, "original_change": -0.1, "ferplus": 0.6, "ferplus_change": change}
        for name, change in (("dark", -0.1), ("noise", -0.3))
    }
    robust = result | {"robustness": rows, "robustness_worst": worst_change(rows)}

    write_evaluation(tmp_path / "out", robust)

    names = ("confusion", "roc", "reliability", "risk_coverage", "robustness")
    for name in names:
        assert (tmp_path / "out" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == robust
    text = (tmp_path / "out" / "report.txt").read_text()
    assert "worst: noise, -30.0 points (FER+ majority)" in text
    for key in ("original", "ferplus", "shown"):
        assert f"{100 * result[key]['accuracy']:.1f} %" in text


def test_write_evaluation_without_votes_has_no_plot_of_the_shown_label(source: Path, tmp_path: Path) -> None:
    data = all_different()
    bare = FerData(data.images, data.emotion, data.usage)

    found = evaluate(predictions_for(bare.split("PublicTest"), source), bare, "PublicTest")
    write_evaluation(tmp_path / "out", found)

    pictures = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert pictures == {"confusion.png", "roc.png"}
