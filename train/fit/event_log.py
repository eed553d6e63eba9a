"""Write a run's history as TensorBoard reads it."""

import socket
import time
from pathlib import Path

import tensorflow as tf

FOLDER = "tensorboard"


class EventLog:
    """It is one new event file.

    TensorFlow writes the format itself; only looking at it needs TensorBoard.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns():020d}.{socket.gethostname()}"
        self._writer = tf.io.TFRecordWriter(str(folder / name))
        self._write(tf.compat.v1.Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, row: dict[str, float]) -> None:
        """Write one row of history.csv: a curve a column, over epochs."""
        values = [
            tf.compat.v1.Summary.Value(tag=key, simple_value=value)
            for key, value in row.items()
            if key != "epoch"
        ]
        summary = tf.compat.v1.Summary(value=values)
        self._write(tf.compat.v1.Event(wall_time=time.time(), step=int(row["epoch"]), summary=summary))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    def _write(self, event: "tf.compat.v1.Event") -> None:
        self._writer.write(event.SerializeToString())
        self._writer.flush()
