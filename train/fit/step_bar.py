"""Draw a bar over the steps of each epoch, on terminals."""

import sys
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class StepBar(keras.callbacks.Callback):
    """It shows on stderr how far the epoch is; what is printed meanwhile stays above the bar."""

    def __init__(self) -> None:
        super().__init__()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(
            *columns,
            console=Console(stderr=True),
            transient=True,
            # A redirected stdout must get its lines, not the terminal.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task: Any = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._task = self._progress.add_task("", total=self.params["steps"])
        self._progress.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        text = f"epoch {epoch + 1} of {self.params['epochs']}"
        self._progress.reset(self._task, description=text, total=self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._progress.update(self._task, completed=batch + 1)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back, also after an error."""
        self._progress.stop()
