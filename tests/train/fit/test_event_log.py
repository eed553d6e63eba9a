from pathlib import Path

import pytest
import tensorflow as tf

from train.fit.event_log import EventLog


def test_event_log_holds_every_column_over_epochs(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "tensorboard")
    for epoch in (1.0, 2.0):
        log.add({"epoch": epoch, "loss": 3.0 / epoch})
    log.close()

    (path,) = (tmp_path / "tensorboard").iterdir()
    assert path.name.startswith("events.out.tfevents.")
    records = [
        tf.compat.v1.Event.FromString(each) for each in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    assert records[0].file_version == "brain.Event:2"
    found = [
        (each.step, each.summary.value[0].tag, each.summary.value[0].simple_value) for each in records[1:]
    ]
    assert found == [(1, "loss", pytest.approx(3)), (2, "loss", pytest.approx(1.5))]
