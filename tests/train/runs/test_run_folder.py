"""Runs and models that were made when configurations had other names."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fer_web.errors import SettingsError
from fer_web.inference.artifact import META_FILE
from tests.support.servers import ROOT
from train.config import FORMER_NAMES, FitConfig, from_dict, load_config
from train.export.model_card import list_plots, model_card
from train.fit.teachers import teacher_file
from train.runs.run_folder import CONFIG_FILE, find_run, open_run, read_config

DATA = {"training_rows": 64, "sha256": "0" * 64}


def as_of_before(config: FitConfig) -> FitConfig:
    """The same configuration under its former name, with the former names of what it learned from."""
    before = {new: old for old, new in FORMER_NAMES.items()}
    text = json.dumps(config.to_dict())
    for new, old in before.items():
        text = text.replace(new, old)
    return from_dict(json.loads(text))


@pytest.mark.parametrize("name", FORMER_NAMES.values())
def test_run_begun_under_a_former_name_goes_on(tmp_path: Path, name: str) -> None:
    config = load_config(name)
    former = as_of_before(config)
    assert former.network.name != config.network.name
    open_run(tmp_path, former, DATA)

    open_run(tmp_path, config, DATA)

    assert read_config(tmp_path) == former
    with pytest.raises(SettingsError, match="another configuration"):
        open_run(tmp_path, replace(config, epochs=3), DATA)


@pytest.mark.parametrize(
    ("there", "asked"), [*FORMER_NAMES.items(), *((b, a) for a, b in FORMER_NAMES.items())]
)
def test_run_is_found_by_both_names_of_its_configuration(tmp_path: Path, there: str, asked: str) -> None:
    assert find_run(tmp_path / asked) == tmp_path / asked
    open_run(tmp_path / there, load_config("bn4"), DATA)

    assert find_run(tmp_path / asked) == tmp_path / there
    assert teacher_file(str(tmp_path / asked)).parent == tmp_path / there

    (tmp_path / asked).mkdir()
    assert find_run(tmp_path / asked) == tmp_path / asked


def test_other_runs_are_found_by_their_own_name_alone(tmp_path: Path) -> None:
    open_run(tmp_path / "bn4", load_config("bn4"), DATA)

    assert find_run(tmp_path / "bn4") / CONFIG_FILE == tmp_path / "bn4" / CONFIG_FILE
    assert find_run(tmp_path / "bn5") == tmp_path / "bn5"


def test_shipped_model_its_card_and_its_configuration_agree() -> None:
    folder = ROOT / "models" / "flagship"
    meta = json.loads((folder / META_FILE).read_text())

    assert from_dict(meta["config"]) == load_config(meta["name"])
    assert (folder / "MODEL_CARD.md").read_text() == model_card(meta, list_plots(folder), folder.name)
