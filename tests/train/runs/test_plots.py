from pathlib import Path

from matplotlib.colors import to_rgb

from fer_web.labels import EMOTIONS, FERPLUS_EMOTIONS
from train.runs.plots import COLOUR_OF_EXPRESSION, LINE_STYLES, PALETTE, line_look, plot_history

ROW = {"original_loss": 2.0, "ferplus_loss": 1.0, "val_original_accuracy": 0.5, "val_ferplus_accuracy": 0.6}


def test_plot_history_draws_even_one_epoch(tmp_path: Path) -> None:
    plot_history([{"epoch": 1.0, **ROW}], tmp_path / "plots" / "history.png")

    assert (tmp_path / "plots" / "history.png").read_bytes().startswith(b"\x89PNG")


def test_line_look_is_different_for_as_many_lines_as_there_are_looks() -> None:
    count = len(PALETTE) * len(LINE_STYLES)

    assert len({tuple(line_look(number).values()) for number in range(count)}) == count


def test_every_expression_has_a_colour_of_its_own() -> None:
    for names in (EMOTIONS, FERPLUS_EMOTIONS):
        assert len({to_rgb(COLOUR_OF_EXPRESSION[name]) for name in names}) == len(names)
