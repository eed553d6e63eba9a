"""make reproduce: which commands it runs, and that they are commands of `python -m train`."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.servers import ROOT
from train.__main__ import build_parser
from train.config import load_config


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A virtual environment that is up to date and whose python only writes down how it was called."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(tmp_path / "calls"))}\n')
    python.chmod(0o755)
    for stamp in (".runtime", ".export"):
        (tmp_path / stamp).touch()
    return tmp_path


def reproduce(venv: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(
        ["make", "reproduce", f"VENV={venv}", *variables],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("variables", [("DATA=a.csv", "FERPLUS=b.csv"), ("DATA=a.npz",)])
def test_reproduce_trains_three_runs_exports_and_scores_the_last(
    venv: Path, variables: tuple[str, ...]
) -> None:
    done = reproduce(venv, *variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Time: ") == 3

    calls = [shlex.split(line) for line in (venv / "calls").read_text().splitlines()]
    assert [call[:2] for call in calls] == [["-m", "train"]] * 5
    first, second, third, export, evaluate = (build_parser().parse_args(call[2:]) for call in calls)
    assert [first.config, second.config, third.config] == ["flagship", "flagship3", "flagship5"]
    assert first.run == Path(load_config("flagship3").start_from)
    assert second.run == Path(load_config("flagship5").start_from)
    assert [str(second.run)] == list(load_config("flagship5").teachers)
    assert third.run == export.source == Path("runs/flagship5")
    assert export.out == evaluate.model == Path("runs/flagship5/model")
    assert export.formats == "all"
    assert evaluate.robustness
    for each in (first, second, third, export, evaluate):
        assert each.data == Path(variables[0].removeprefix("DATA="))
        assert each.ferplus == (Path("b.csv") if len(variables) == 2 else None)


def test_reproduce_without_data_says_what_to_give(venv: Path) -> None:
    done = reproduce(venv)
    assert done.returncode != 0
    assert "make reproduce DATA=fer2013.csv FERPLUS=fer2013new.csv" in done.stdout
    assert not (venv / "calls").exists()
