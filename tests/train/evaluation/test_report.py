import json
from pathlib import Path

import pytest

from tests.support.fer_rows import KERAS_WARNINGS
from tests.support.servers import ROOT
from train.__main__ import main
from train.config import load_config

pytestmark = KERAS_WARNINGS

HISTORY = """\
epoch,original_loss,ferplus_loss,val_original_accuracy,val_ferplus_accuracy,seconds
1,2.0,2.1,0.4,0.5,60.0
2,1.5,1.6,0.6123,0.7234,61.0
"""

METRICS = {
    "model": {"file": "model.tflite", "sha256": "00"},
    "data": {"usage": "PublicTest", "count": 100},
    "original": {"accuracy": 0.655, "interval_95": [0.6, 0.7], "count": 100},
    "ferplus": {
        "accuracy": 0.8,
        "interval_95": [0.75, 0.85],
        "count": 90,
        "classes": {"fear": {"recall": 0.61}, "sadness": {"recall": 0.7}},
    },
    "shown": {
        "calibration_error_cross_fitted": 0.0155,
        "accuracy_at_coverage": {"0.8": 0.95},
        "classes": {"fear": {"recall": 0.72}},
        "risk_coverage": {"coverage": [0.5, 1.0], "risk": [0.01, 0.2], "confidence": [0.9, 0.2]},
    },
    "robustness_worst": {"name": "noise", "against": "ferplus", "change": -0.125},
}


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "run-1"
    folder.mkdir()
    record = {"config": load_config("mini_xception").to_dict(), "data": {}, "environment": {}}
    (folder / "config.json").write_text(json.dumps(record))
    (folder / "history.csv").write_text(HISTORY)
    return folder


@pytest.fixture
def evaluation_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "scored"
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    return folder


def report(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["report", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_report_run_and_evaluation_side_by_side(
    run_dir: Path, evaluation_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, run, scored = report(capsys, run_dir, evaluation_dir).splitlines()

    assert header.split()[:4] == ["name", "parameters", "epochs", "minutes"]
    assert run.split()[:7] == ["run-1", "52,545", "2", "2", "-", "61.2", "%"]
    assert scored.split()[:5] == ["scored", "-", "-", "-", "PublicTest"]
    for cell in ("65.5 % (60.0 to 70.0)", "80.0 % (75.0 to 85.0)", "1.55 %", "95.0 %", "-12.5 noise"):
        assert cell in scored


def test_report_recall_is_of_the_shown_label_else_of_the_ferplus_output(
    evaluation_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = json.loads(report(capsys, evaluation_dir / "metrics.json", "--json"))

    assert (row["recall"]["fear"], row["recall"]["sad"], row["recall"]["happy"]) == (0.72, 0.7, None)
    assert row["name"] == "scored"


def test_report_evaluation_inside_a_run_gives_its_scores(
    run_dir: Path, evaluation_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run_dir / "metrics.json").write_bytes((evaluation_dir / "metrics.json").read_bytes())

    (row,) = json.loads(report(capsys, run_dir, "--json"))

    assert row["epochs"] == 2
    assert row["ferplus"] == {"accuracy": 0.8, "interval_95": [0.75, 0.85], "count": 90}


def test_report_run_before_its_first_epoch_has_dashes(
    run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run_dir / "history.csv").unlink()

    line = report(capsys, run_dir, "--markdown").splitlines()[-1]

    assert line.startswith("| run-1 | 52,545 | 0 | - | - | - | - |")


def test_report_shipped_model_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    meta = json.loads((ROOT / "models/flagship/meta.json").read_text())

    line = report(capsys, ROOT / "models/flagship", "--markdown").splitlines()[-1]

    assert line.startswith(f"| flagship | {meta['parameters']:,} |")
    assert f"{100 * meta['metrics']['ferplus']['accuracy']:.1f} %" in line


def test_report_out_writes_table_figures_and_curves(
    run_dir: Path, evaluation_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(capsys, run_dir, evaluation_dir, "--out", tmp_path / "out")

    assert (tmp_path / "out" / "report.md").read_text().count("\n") == 4
    assert len(json.loads((tmp_path / "out" / "report.json").read_text())) == 2
    assert (tmp_path / "out" / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("nothing", None, "is no run, model or evaluation"),
        ("metrics.json", "{", "cannot be read as JSON"),
        ("metrics.json", "[]", "holds list"),
        ("metrics.json", '{"original": 1}', "is no evaluation"),
        ("meta.json", "{}", "has no metrics"),
        (
            "config.json",
            '{"config": {"networks": 1}, "data": {}, "environment": {}}',
            "is not of this version",
        ),
        ("config.json", "{}", "is not of this program"),
    ],
)
def test_report_of_something_else_says_what_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)

    assert main(["report", str(tmp_path)]) == 1

    assert said in capsys.readouterr().err
