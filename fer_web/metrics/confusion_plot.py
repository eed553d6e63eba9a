"""A confusion matrix as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

DPI = 110


def draw_confusion(axes: Axes, confusion: NDArray[np.integer[Any]], names: Sequence[str]) -> None:
    """Draw a matrix (K, K), true classes in rows: shares of each row in % and counts."""
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*confusion.shape):
        if confusion[row, column]:
            colour = "white" if shares[row, column] > 0.5 else "black"
            text = f"{100 * shares[row, column]:.0f}\n({confusion[row, column]:,})"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7.5)
    ticks = range(len(names))
    axes.set_xticks(ticks, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, names)
    axes.set(xlabel="predicted", ylabel="true")


def write_confusions(
    file: Path | IO[bytes], matrices: dict[str, NDArray[np.integer[Any]]], names: Sequence[str]
) -> None:
    """Write a PNG with one matrix (K, K) beside another, each under its title."""
    figure = Figure(figsize=(5.9 * len(matrices), 5.6), layout="constrained")
    subplots = np.atleast_1d(figure.subplots(1, len(matrices)))
    for axes, (title, confusion) in zip(subplots, matrices.items(), strict=True):
        draw_confusion(axes, confusion, names)
        axes.set_title(title, fontsize=10)
    figure.suptitle("Shares of each row in %, and counts", fontsize=10)
    figure.savefig(file, dpi=DPI, format="png")
