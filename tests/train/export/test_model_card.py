"""The card's text from made-up numbers, and the benchmarks' figures on it."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.expressions import PhotoAnswer
from benchmarks.expressions import summarize as summarize_photos
from benchmarks.models import Contestant
from benchmarks.models import summarize as summarize_times
from fer_web.inference.artifact import META_FILE, load_artifact, write_meta
from fer_web.labels import EMOTIONS, FERPLUS_EMOTIONS
from tests.support.fakes.models import write_empty_model
from train.__main__ import main
from train.export.model_card import model_card


def make_scores(names: tuple[str, ...], accuracy: float) -> dict[str, Any]:
    each = {"precision": 0.7, "recall_interval_95": [0.2, 0.6], "f1": 0.5, "count": 100}
    return {
        "count": 3199,
        "accuracy": accuracy,
        "interval_95": [accuracy - 0.01, accuracy + 0.01],
        "macro_f1": 0.601,
        "classes": {name: {**each, "recall": 0.9 - 0.1 * i} for i, name in enumerate(names)},
        "without_copies": {"count": 2932, "accuracy": accuracy - 0.005},
    }


def make_meta() -> dict[str, Any]:
    shown = make_scores((*EMOTIONS, "contempt"), 0.903) | {
        "calibration_error_at_temperature_1": 0.071,
        "calibration_error": 0.0121,
        "calibration_error_cross_fitted": 0.0149,
        "accuracy_at_coverage": {"0.8": 0.966},
        "unsure": {"answered_share": 0.9, "accuracy_of_answered": 0.934},
    }
    parity = {
        "accuracy_change": {"original": -0.0008, "ferplus": 0.0025},
        "largest_logit_difference": 0.10828,
    }
    litert = {"kind": "int8-weights", "latency_ms": 0.575, "size_bytes": 2_900_000, **parity, "passes": True}
    exact = {"accuracy_change": {"original": 0.0, "ferplus": 0.0}, "largest_logit_difference": 0.00002}
    return {
        "name": "tiny",
        "labels": list(EMOTIONS),
        "input": {"height": 48, "width": 48, "channels": 1, "range": [0, 255]},
        "parameters": 2_845_089,
        "temperature": 0.65,
        "logit_offsets": [0.0] * 7,
        "unsure_below": 0.61,
        "litert": litert,
        "litert_candidates": [litert],
        "formats": [{"format": "onnx", "title": "ONNX", "size_bytes": 11_400_000, **exact}],
        "metrics": {
            "data": {"usage": "PublicTest", "count": 3589},
            "label_agreement": 0.668,
            "original": make_scores(EMOTIONS, 0.731),
            "ferplus": make_scores(FERPLUS_EMOTIONS, 0.898),
            "shown": shown,
            "flip_averaged": {key: {"accuracy": 0.9111} for key in ("original", "ferplus", "shown")},
            "robustness": {
                "dark": {
                    "original": 0.70,
                    "original_change": -0.031,
                    "ferplus": 0.88,
                    "ferplus_change": -0.018,
                },
                "noise": {
                    "original": 0.6,
                    "original_change": -0.131,
                    "ferplus": 0.81,
                    "ferplus_change": -0.088,
                },
            },
            "robustness_worst": {"name": "noise", "against": "ferplus", "change": -0.088},
        },
        "chosen_on": "PublicTest: temperature",
        "seed": 3,
        "data": {"training_rows": 27_000, "dropped_copies": 1_709, "copies_left_out": "near"},
        "checkpoint": {"kind": "last", "epoch": 80, "weights": "averaged"},
        "config": {"network": {"name": "tiny"}},
        "environment": {
            "cpu_count": "2",
            "backend": "tensorflow",
            "keras": "3.15.1",
            "tensorflow": "2.21.0",
            "code_version": "0123456789abcdef+changes",
        },
        "training": {
            "epochs": 80,
            "planned_epochs": 80,
            "minutes": 95.4,
            "slowest_epoch_s": 88.0,
            "image_sides": [{"until_epoch": 36, "side": 32}, {"until_epoch": 80, "side": 48}],
            "resumed": 2,
        },
    }


@pytest.fixture
def meta() -> dict[str, Any]:
    return make_meta()


def one_line(card: str) -> str:
    return re.sub(r"\s+", " ", card)


def test_card_quotes_every_measured_figure(meta: dict[str, Any]) -> None:
    card = one_line(model_card(meta, ["history.png", "risk_coverage.png"]))

    for text in (
        "2.85 million parameters",
        "| FER-2013's original labels | 3,199 | 73.1 % | 72.1 to 74.1 % | 60.1 % | 72.6 % (2,932 rows) | 91.",
        "| FER+ majority of eight expressions | 3,199 | 89.8 %",
        "| FER+ majority, by the shown label | 3,199 | 90.3 %",
        "7.1 % as the network gives it (temperature 1) and 1.2 % as shown (temperature 0.65); 1.5 % when",
        "surest it is right in 96.6 %",
        "Below a confidence of 0.61 a face is called unsure; of the others (90.0 % of the faces) 93.4 % are",
        "| sad | 100 | 70.0 % | 50.0 % | 20.0 to 60.0 | 50.0 % |",
        "Recalled worst where it is the FER+ majority: contempt, fear, disgust.",
        "agree on 66.8 % of these pictures",
        "| LiteRT int8-weights | 0.57 | 2.9 | -0.08 / +0.25 | 0.10828 |",
        "| ONNX | - | 11.4 | +0.00 / +0.00 | 0.00002 |",
        "![risk coverage](plots/risk_coverage.png)",
        "Licence and data",
    ):
        assert text in card


def test_card_has_a_row_for_each_kind_of_poor_pictures_and_names_the_worst(meta: dict[str, Any]) -> None:
    card = one_line(model_card(meta, []))

    assert "| dark | 70.0 % (-3.1) | 88.0 % (-1.8) |" in card
    assert "| noise | 60.0 % (-13.1) | 81.0 % (-8.8) |" in card
    assert 'The worst is "noise" with -8.8.' in card
    assert "## Plots" not in card


def test_card_tells_how_it_was_trained(meta: dict[str, Any]) -> None:
    card = one_line(model_card(meta, []))

    assert "80 epochs in 95 minutes, on a machine with 2 CPU cores, seed 3, backend tensorflow" in card
    assert "1,709 rows that are near copies of rows in another split" in card
    assert "The pictures grew during training: 32x32 to epoch 36, then 48x48 to epoch 80." in card
    assert "The run was interrupted and continued from its last checkpoint 2 times." in card
    assert "The code was that of commit 0123456789ab, with changes in train/ that were not committed." in card
    assert "--config tiny.toml --seed 3" in card


@pytest.mark.parametrize(
    ("start", "has_command"), [("runs/shipped_1_scratch", True), ("runs/of-my-own", False)]
)
def test_card_of_a_run_that_started_from_another_says_so(
    meta: dict[str, Any], start: str, has_command: bool
) -> None:
    assert "From random weights on" in model_card(meta, [])
    meta["config"]["start_from"] = start
    card = one_line(model_card(meta, []))

    assert f"From the weights of an earlier run ({start}) on" in card
    assert ("python -m train fit --config shipped_1_scratch --data" in card) == has_command


def test_card_of_a_run_that_started_from_a_mean_names_all_of_it(meta: dict[str, Any]) -> None:
    meta["config"] |= {"start_from": "runs/shipped_1_scratch", "average_with": ["runs/vgg_small", "runs/own"]}
    card = one_line(model_card(meta, []))

    mean = "the mean of the weights of earlier runs (runs/shipped_1_scratch, runs/vgg_small and runs/own)"
    assert f"From {mean} on" in card
    assert "--config shipped_1_scratch --data" in card
    assert "--config vgg_small --data" in card


def test_card_names_every_earlier_run_and_the_teachers(meta: dict[str, Any]) -> None:
    assert "of what it learned" not in model_card(meta, [])
    taught = {"teachers": ["runs/a", "runs/b"], "distill_on": "rows", "distill_weight": 0.5}
    # By its former name, as runs of that time say it.
    meta["config"] |= {"start_from": "runs/flagship3", **taught}
    card = model_card(meta, [])

    assert "the weights of an earlier run (runs/shipped_2_deeper)" in card
    names = ("shipped_1_scratch", "shipped_2_deeper")
    first, second = (card.index(f"fit --config {name} --data") for name in names)
    assert first < second < card.index("--config tiny.toml")
    assert "50 % of what it learned is what runs/a and runs/b together said of each picture and its" in card
    # Runs from before teachers could be asked once.
    del meta["config"]["distill_on"]
    assert "said of each picture as the network sees it" in one_line(model_card(meta, []))


def test_card_names_the_runs_of_its_teachers_each_once(meta: dict[str, Any]) -> None:
    meta["config"] |= {"start_from": "runs/flagship5", "teachers": ["runs/flagship5", "runs/flagship4"]}
    meta["config"] |= {"distill_on": "rows", "distill_weight": 0.6}
    commands = [line for line in model_card(meta, []).splitlines() if "train fit" in line]

    names = [line.split("--config ")[1].split()[0] for line in commands]
    shipped = ["shipped_1_scratch", "shipped_2_deeper", "shipped_3_self_taught"]
    assert names == [*shipped, "flagship4", "tiny.toml"]


def test_card_names_weights_that_came_by_a_teacher(meta: dict[str, Any]) -> None:
    assert "ImageNet" not in model_card(meta, [])
    teachers = ["runs/flagship5", "runs/flagship4", "runs/transfer_lite0"]
    meta["config"] |= {"teachers": teachers, "distill_on": "batches", "distill_weight": 0.8}
    card = one_line(model_card(meta, []))

    taught = "is what runs/shipped_3_self_taught, runs/flagship4 and runs/transfer_lite0 together said"
    assert f"{taught} of each" in card
    began = "transfer_lite0 began with weights learned on ImageNet (efficientnet-lite0-57934424.pth)."
    assert f"Other pictures had a part in it: {began} The licence of those weights applies" in card


@pytest.mark.parametrize(
    ("backbone", "option", "pictures"),
    [
        ("efficientnetb0", "pretrained_weights", "ImageNet"),
        ("efficientnetb0", "imagenet_weights", "ImageNet"),
        ("of an earlier version", "pretrained_weights", "other pictures"),
    ],
)
def test_card_of_a_run_that_began_with_pretrained_weights_says_so(
    meta: dict[str, Any], backbone: str, option: str, pictures: str
) -> None:
    meta["config"]["network"].pop("pretrained_weights", None)
    meta["config"]["network"] |= {
        "name": "transfer",
        "backbone": backbone,
        option: "some/where/weights.h5",
    }
    # Only this architecture takes any.
    assert pictures not in model_card(meta, [])
    meta["config"]["network"]["architecture"] = "transfer"
    card = one_line(model_card(meta, []))

    assert f"From weights learned on {pictures}" in card
    began = "transfer began with weights learned on "
    assert re.search(rf"{began}{pictures}[\w ,]* \(weights\.h5\)\.", card)


def test_card_of_a_run_that_was_stopped_early_says_so(meta: dict[str, Any]) -> None:
    meta["training"] |= {"epochs": 28, "resumed": 0, "image_sides": [{"until_epoch": 80, "side": 48}]}
    card = one_line(model_card(meta, []))

    assert "28 epochs in 95 minutes of 80 planned: the schedule was not run to its end" in card
    assert "interrupted" not in card
    assert "grew" not in card


def test_card_leaves_out_what_was_not_measured(meta: dict[str, Any]) -> None:
    for key in ("config", "formats", "training"):
        del meta[key]
    for key in ("robustness", "robustness_worst", "flip_averaged"):
        del meta["metrics"][key]
    # Models exported before the shown label was scored by class.
    for key in ("classes", "macro_f1"):
        del meta["metrics"]["shown"][key]
    card = one_line(model_card(meta, []))

    assert "does not say how it was trained" in card
    assert "## Poor pictures" not in card
    assert "by the shown label" not in card
    assert "| 60.1 % | 72.6 % (2,932 rows) | - |" in card


def test_card_of_exact_copies_says_exact(meta: dict[str, Any]) -> None:
    del meta["data"]["copies_left_out"]
    card = one_line(model_card(meta, []))
    assert "1,709 rows whose exact pixels also stand in another split were left out" in card


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    folder = write_empty_model(tmp_path / "model")
    stored = json.loads((folder / META_FILE).read_text())
    write_meta(folder, make_meta() | stored)
    return folder


def write_photo_scores(path: Path, model_hash: str) -> Path:
    """As benchmarks.expressions prints them: 45 of 48 found faces right, two not found."""
    said = ["neutral"] * 45 + ["sad"] * 3 + [None] * 2
    scores = summarize_photos(PhotoAnswer("neutral", label, True) for label in said)
    path.write_text(json.dumps({"model": {"sha256": model_hash}, **scores}))
    return path


def write_times(path: Path, litert_file: Path) -> Path:
    """As benchmarks.models prints them: mini-Xception takes 0.2 ms where ours takes 0.55."""
    ours = Contestant("tiny", "int8", litert_file, 2_845_089)
    other = Contestant("mini-Xception", "int8", litert_file, 58_423)
    path.write_text(json.dumps(summarize_times([ours, other], np.array([[0.55, 0.2]] * 3))))
    return path


def test_card_command_keeps_figures_of_benchmarks(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = load_artifact(model_dir)
    photos = write_photo_scores(tmp_path / "photos.json", artifact.model_hash)
    times = write_times(tmp_path / "times.json", artifact.litert_path)
    arguments = ["card", str(model_dir)]
    assert main([*arguments, "--photos-json", str(photos), "--times-json", str(times)]) == 0

    first = (model_dir / "MODEL_CARD.md").read_text()
    assert "| neutral | 50 | 2 | 93.8 % | 83.2 to 97.9 |" in first
    assert "in 2 no face was found; of the others 93.8 % are labelled" in one_line(first)
    assert "| mini-Xception, int8 | 58,423 | 0.20 | 2.75 times as long |" in first
    assert load_artifact(model_dir) == artifact
    assert main(arguments) == 0
    assert (model_dir / "MODEL_CARD.md").read_text() == first
    assert "MODEL_CARD.md" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--photos-json", "--times-json"])
@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"model": {"sha256": "0"}, "files": [{"size_bytes": 1}]}']
)
def test_card_command_refuses_other_figures(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, content: str
) -> None:
    path = tmp_path / "figures.json"
    path.write_text(content)
    before = (model_dir / META_FILE).read_bytes()
    assert main(["card", str(model_dir), option, str(path)]) == 1

    error = capsys.readouterr().err
    assert re.search(r"error: .*figures\.json (cannot be read as JSON|does not hold the figures)", error)
    assert "python -m benchmarks." in error
    assert (model_dir / META_FILE).read_bytes() == before
