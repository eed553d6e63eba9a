"""Draw a run's curves, with a look that all plots share."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DPI = 110

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#000000")
"""Okabe and Ito 2008: told apart by colour-blind readers too."""

LINE_STYLES = ("-", "--", ":", "-.")
"""Beside the colour, so that grey prints can be read."""


COLOUR_OF_EXPRESSION = {
    "angry": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "surprise": "#56B4E9",
    "neutral": "#999999",
    "contempt": "#000000",
} | {"anger": "#D55E00", "happiness": "#E69F00", "sadness": "#0072B2"}
"""As on the live page; FER+ names three of them otherwise."""


def save(figure: Figure, path: Path) -> None:
    """Write a PNG; folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI)


def finish(axes: Axes, *, title: str, xlabel: str, ylabel: str) -> None:
    """Add the title, the names of the axes and a light grid."""
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def line_look(number: int) -> dict[str, str]:
    """Return the colour and line style of the n-th line of a plot."""
    return {
        "color": PALETTE[number % len(PALETTE)],
        "linestyle": LINE_STYLES[number // len(PALETTE) % len(LINE_STYLES)],
    }


def plot_history(history: list[dict[str, float]], path: Path) -> None:
    """Draw losses and PublicTest accuracies over epochs as a PNG; folders are created."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    drawn = (("original_loss", "original labels"), ("ferplus_loss", "FER+ votes"))
    _draw_columns(losses, history, drawn, scale=1)
    finish(losses, title="Training loss", xlabel="epoch", ylabel="cross-entropy")
    drawn = (("val_original_accuracy", "original labels"), ("val_ferplus_accuracy", "FER+ majority"))
    _draw_columns(scores, history, drawn, scale=100)
    finish(scores, title="PublicTest accuracy, averaged weights", xlabel="epoch", ylabel="%")
    save(figure, path)


def _draw_columns(
    axes: Axes, history: list[dict[str, float]], columns: Sequence[tuple[str, str]], *, scale: float
) -> None:
    epochs = [row["epoch"] for row in history]
    for number, (key, label) in enumerate(columns):
        values = [scale * row[key] for row in history]
        axes.plot(epochs, values, label=label, color=PALETTE[number], linestyle=LINE_STYLES[number])
    axes.legend(frameon=False)
