import io
import sys
from pathlib import Path

import pytest

from tests.support.fer_rows import make_data, write_kaggle_csv
from train.data.fer_data import load_data
from train.data.progress import watch


def test_watch_no_terminal_gives_plain_lines_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_kaggle_csv(tmp_path / "fer2013.csv", make_data(training=7, public=7))

    load_data(tmp_path / "fer2013.csv", watch=watch)

    out, err = capsys.readouterr()
    first, last = err.splitlines()
    assert out == ""
    assert first == "reading fer2013.csv"
    assert last.startswith("fer2013.csv: 14 read in ")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_watch_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    assert list(watch(range(5), "numbers", 5)) == [0, 1, 2, 3, 4]

    assert "reading numbers" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
