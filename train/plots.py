"""Pictures of a run."""

from pathlib import Path

from matplotlib.figure import Figure


def plot_history(history: list[dict[str, float]], path: Path) -> None:
    """Draw losses and PublicTest accuracies over epochs as a PNG; folders are created."""
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    for key, label in (("original_loss", "original labels"), ("ferplus_loss", "FER+ votes")):
        losses.plot(epochs, [row[key] for row in history], label=label)
    losses.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy")
    for key, label in (
        ("val_original_accuracy", "original labels"),
        ("val_ferplus_accuracy", "FER+ majority"),
    ):
        scores.plot(epochs, [100 * row[key] for row in history], label=label)
    scores.set(title="PublicTest accuracy, averaged weights", xlabel="epoch", ylabel="%")
    for axes in (losses, scores):
        axes.grid(alpha=0.3)
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
