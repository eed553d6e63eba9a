"""The command line of training: its help, and how it ends when something goes wrong."""

import errno
import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.fer_rows import KERAS_WARNINGS, write_ferplus_csv, write_kaggle_csv
from tests.support.servers import ROOT
from train.__main__ import build_parser, main
from train.config import CONFIG_DIR
from train.data.fer_data import FerData

COMMANDS = ("fit", "evaluate", "report", "export", "card")


def arguments_for(command: str, folder: Path) -> list[str]:
    data = ["--data", str(folder / "fer2013.csv"), "--cache", str(folder / "cache")]
    given = {
        "fit": ["--run", str(folder / "run")],
        "evaluate": [str(folder / "model")],
        "export": [str(folder / "run"), "--out", str(folder / "model"), "--formats", "keras"],
    }
    return [command, *given[command], *data]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_can_be_parsed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        build_parser().parse_args([command, "--help"])

    text = " ".join(capsys.readouterr().out.split())
    example = re.search(rf"python -m train ({command} [^;]*)", text.partition("Example")[2])
    assert example
    assert build_parser().parse_args(example[1].split()).command


def commands_of(path: Path) -> list[str]:
    return re.findall(r"-m train ([^\n#`]+)", path.read_text().replace("\\\n", " "))


def test_documents_have_only_commands_that_can_be_parsed() -> None:
    lines = [*commands_of(ROOT / "docs" / "training.md"), *commands_of(ROOT / "README.md")]

    assert {line.split()[0] for line in lines} == set(COMMANDS)
    for line in lines:
        assert build_parser().parse_args(line.split()).command, line


def test_page_on_training_names_every_configuration() -> None:
    text = (ROOT / "docs" / "training.md").read_text()

    assert [path.stem for path in CONFIG_DIR.glob("*.toml") if f"`{path.stem}`" not in text] == []


@pytest.mark.parametrize("command", ["fit", "evaluate", "export"])
def test_main_ctrl_c_ends_with_one_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("train.data.fer_data.load_data", interrupted)

    assert main(arguments_for(command, tmp_path)) == 130
    assert capsys.readouterr().err.splitlines() == [
        "stopped. The same fit command goes on after the last finished epoch; the others start anew"
    ]


def write_noise_csv(path: Path, data: FerData) -> None:
    """Rows that are no near copies of each other."""
    images = np.random.default_rng(0).integers(0, 256, data.images.shape, np.uint8)
    write_kaggle_csv(path, FerData(images, data.emotion, data.usage))


def test_main_full_disk_says_so(
    tmp_path: Path, data: FerData, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_noise_csv(tmp_path / "fer2013.csv", data)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("train.fit.fit.open_run", full)

    options = ["--config", "bn4", "--batch-size", "4"]
    assert main([*arguments_for("fit", tmp_path), *options]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: [Errno 28] No space left on device. Check that the folders can be")


@KERAS_WARNINGS
def test_main_fit_names_the_next_command_and_it_can_be_parsed(
    tmp_path: Path, data: FerData, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("train.fit.fit.STATISTICS_BATCHES", 2)
    write_noise_csv(tmp_path / "fer2013.csv", data)
    (tmp_path / "tiny.toml").write_text(
        'epochs = 1\nbatch_size = 16\ndtype_policy = "float32"\n'
        "[network]\nstem_filters = [8, 8]\nblocks = [[8, 2]]\n"
    )

    assert main([*arguments_for("fit", tmp_path), "--config", str(tmp_path / "tiny.toml")]) == 0

    words = capsys.readouterr().out.splitlines()[-1].partition("Next: python -m train ")[2].split()
    arguments = build_parser().parse_args(words)
    assert (arguments.source, arguments.out) == (tmp_path / "run", tmp_path / "run" / "model")
    assert arguments.data == tmp_path / "fer2013.csv"


def test_main_run_folder_that_cannot_be_made_says_which(
    tmp_path: Path, data: FerData, capsys: pytest.CaptureFixture[str]
) -> None:
    write_noise_csv(tmp_path / "fer2013.csv", data)
    (tmp_path / "run").write_text("a file")

    assert main([*arguments_for("fit", tmp_path), "--batch-size", "4"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert str(tmp_path / "run") in error


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_main_keeps_what_was_read_for_every_command(command: str, tmp_path: Path, data: FerData) -> None:
    write_kaggle_csv(tmp_path / "fer2013.csv", data)
    write_ferplus_csv(tmp_path / "fer2013new.csv", data)

    # There is no model: the data is read before that is seen.
    assert main([*arguments_for(command, tmp_path), "--ferplus", str(tmp_path / "fer2013new.csv")]) == 1
    assert list((tmp_path / "cache").glob("fer2013-*.npz"))
