import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import pytest

from fer_web.errors import DataError, SettingsError
from tests.support.fer_rows import KERAS_WARNINGS
from train.config import AugmentConfig, FitConfig
from train.data.fer_data import FerData
from train.fit.batches import training_batches
from train.fit.epoch_end import is_stalled
from train.fit.fit import FitOptions, FitResult, fit, sample_batches
from train.fit.optimizer import build_optimizer
from train.runs.checkpoint import BEST_FILE, LAST_FILE, averaged_weights, save_averaged
from train.runs.run_folder import code_version, read_config, read_history, read_run, write_history

pytestmark = KERAS_WARNINGS

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module", autouse=True)
def few_statistics() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.fit.fit.STATISTICS_BATCHES", 2)
        yield


def quiet(_: str) -> None:
    pass


EPOCHS = 6


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_config: FitConfig, data: FerData) -> FitResult:
    """A run that learned the rows, for tests that need any: they change a copy of its folder."""
    options = FitOptions(say=quiet, writes_events=True, shows_steps=True)
    folder = tmp_path_factory.mktemp("runs") / "finished"
    return fit(replace(tiny_config, epochs=EPOCHS, batch_size=8), data, folder, options=options)


@pytest.fixture
def copied(tmp_path: Path, finished: FitResult) -> Path:
    return shutil.copytree(finished.run_dir, tmp_path / "run")


def test_fit_learns_64_images_by_heart(finished: FitResult) -> None:
    assert finished.last_epoch["loss"] < 0.9
    assert finished.last_epoch["val_original_accuracy"] > 0.9
    assert finished.last_epoch["val_ferplus_accuracy"] > 0.9


def test_fit_run_folder_holds_what_is_needed_to_repeat(
    finished: FitResult, tiny_config: FitConfig, data: FerData
) -> None:
    folder = finished.run_dir
    record = read_run(folder)
    assert read_config(folder) == replace(tiny_config, epochs=EPOCHS, batch_size=8)
    assert record["data"] == {"training_rows": 64, "dropped_copies": 0, "sha256": data.sha256()}
    assert {"code_version", "tensorflow", "keras", "python"} <= set(record["environment"])
    assert [row["epoch"] for row in read_history(folder)] == [*range(1, EPOCHS + 1)]
    assert averaged_weights(folder / LAST_FILE)[1] == EPOCHS
    assert (folder / BEST_FILE).is_file()
    assert not list(folder.glob("*partial*"))


def test_fit_writes_a_plot_and_tensorboard_files(finished: FitResult) -> None:
    assert cv2.imread(str(finished.run_dir / "plots" / "history.png")).size
    assert len(list((finished.run_dir / "tensorboard").iterdir())) == 1


KILLED_RUN = """
import json, os, signal, sys
from pathlib import Path
from tests.support.fer_rows import make_data
from train.config import from_dict
import train.fit.fit

train.fit.fit.STATISTICS_BATCHES = 2

def say(line):
    if line.startswith("epoch 2:"):
        os.kill(os.getpid(), signal.SIGKILL)

train.fit.fit.fit(from_dict(json.loads(sys.argv[1])), make_data(), Path(sys.argv[2]), say=say)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows cannot kill -9")
def test_fit_with_all_options_learns_and_killed_and_resumed_gives_equal_weights(
    tmp_path: Path, tiny_config: FitConfig, data: FerData
) -> None:
    # Killed between the two phases, with all that changes or weighs images.
    augment = replace(tiny_config.augment, blur_share=0.2, dark_share=0.2, low_resolution_share=0.2)
    options = {"mixup_alpha": 0.2, "ferplus_balance": 0.3, "augment": augment}
    tiny_config = replace(tiny_config, image_sides=((0.67, 32), (0.33, 48)), **options)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    arguments = [json.dumps(tiny_config.to_dict()), str(killed)]
    command = [sys.executable, "-c", KILLED_RUN, *arguments]
    died = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert averaged_weights(killed / LAST_FILE)[1] == 2

    fit(tiny_config, data, killed, say=quiet)
    fit(tiny_config, data, whole, say=quiet)

    resumed, straight = averaged_weights(killed / LAST_FILE)[0], averaged_weights(whole / LAST_FILE)[0]
    assert resumed.keys() == straight.keys()
    for name in straight:
        np.testing.assert_allclose(resumed[name], straight[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert [(row["epoch"], row["resumed"]) for row in read_history(killed)] == [(1, 0), (2, 0), (3, 1)]
    rows = read_history(whole)
    assert not any(row["resumed"] for row in rows)
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_fit_finished_run_is_not_trained_again(
    copied: Path, finished: FitResult, tiny_config: FitConfig, data: FerData
) -> None:
    changed_ns = (copied / LAST_FILE).stat().st_mtime_ns

    again = fit(replace(tiny_config, epochs=EPOCHS, batch_size=8), data, copied, say=quiet)

    assert again.last_epoch == finished.last_epoch
    assert (copied / LAST_FILE).stat().st_mtime_ns == changed_ns


def test_fit_broken_run_folder_says_which_file(copied: Path, tiny_config: FitConfig, data: FerData) -> None:
    for name, content in (
        ("history.csv", b"epoch,loss\n1.0,x\n"),
        (LAST_FILE, (copied / LAST_FILE).read_bytes()[:5000]),
        ("config.json", b"[]"),
    ):
        (copied / name).write_bytes(content)
        with pytest.raises(DataError, match=name):
            fit(replace(tiny_config, epochs=EPOCHS, batch_size=8), data, copied, say=quiet)


def test_save_averaged_full_disk_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_averaged(tmp_path / BEST_FILE, {"a": np.ones(3, np.float32)}, epochs_done=1)

    def full(file: IO[bytes], **arrays: object) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match=r"No space left.*best\.npz"):
        save_averaged(tmp_path / BEST_FILE, {"a": np.zeros(3, np.float32)}, epochs_done=2)

    assert averaged_weights(tmp_path / BEST_FILE)[1] == 1
    assert [path.name for path in tmp_path.iterdir()] == [BEST_FILE]


def test_write_history_older_rows_lack_a_column(tmp_path: Path) -> None:
    write_history(tmp_path, [{"epoch": 1.0}, {"epoch": 2.0, "resumed": 1.0}])

    assert read_history(tmp_path) == [{"epoch": 1.0, "resumed": 0.0}, {"epoch": 2.0, "resumed": 1.0}]


def test_fit_folder_of_another_run_raises(copied: Path, tiny_config: FitConfig, data: FerData) -> None:
    with pytest.raises(SettingsError, match="another configuration or other data"):
        fit(replace(tiny_config, epochs=EPOCHS, batch_size=8, seed=9), data, copied, say=quiet)


def test_fit_without_votes_by_adam_in_bfloat16_learns_labels_with_both_outputs_and_says_so(
    tmp_path: Path, tiny_config: FitConfig, data: FerData
) -> None:
    bare = FerData(data.images, data.emotion, data.usage)
    lines: list[str] = []

    config = replace(
        tiny_config,
        epochs=6,
        batch_size=8,
        optimizer="adam",
        peak_learning_rate=0.01,
        dtype_policy="mixed_bfloat16",
    )

    result = fit(config, bare, tmp_path, say=lines.append)

    assert result.last_epoch["val_original_accuracy"] > 0.9
    assert result.last_epoch["val_ferplus_accuracy"] > 0.9
    assert any("no FER+ votes: the FER+ output learns the seven original labels" in line for line in lines)
    assert "of the labels by the FER+ output" in lines[-1]
    record = read_run(tmp_path)["data"]
    assert (record["ferplus_targets"], record["sha256"]) == ("original labels", bare.sha256())


def test_fit_stops_when_nothing_improves_and_stays_stopped(
    tmp_path: Path, tiny_config: FitConfig, data: FerData
) -> None:
    config = replace(tiny_config, epochs=9, early_stopping_epochs=2)
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("train.fit.epoch_end.selection_score", lambda row: -row["epoch"])
        first = fit(config, data, tmp_path, say=lines.append)
        again = fit(config, data, tmp_path, say=lines.append)

    assert first.last_epoch["epoch"] == 3
    assert again == first
    assert [line for line in lines if line.startswith("stopped early: no better epoch in 2; epoch 1 was")]
    assert averaged_weights(tmp_path / BEST_FILE)[1] == 1
    assert averaged_weights(tmp_path / LAST_FILE)[1] == 3


@pytest.mark.parametrize(
    ("scores", "patience", "stalled"),
    [([], 1, False), ([5, 4, 3], 0, False), ([5, 4], 2, False), ([5, 4, 3], 2, True), ([5, 4, 5], 2, False)],
)
def test_is_stalled_counts_epochs_since_the_best(scores: list[int], patience: int, stalled: bool) -> None:
    rows = [
        {"epoch": i, "val_original_accuracy": score, "val_ferplus_accuracy": score}
        for i, score in enumerate(scores, start=1)
    ]

    assert is_stalled(rows, patience) is stalled


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_build_optimizer_rate_rises_to_the_peak_and_falls_to_its_last_share(share: float) -> None:
    config = FitConfig(peak_learning_rate=0.2, warmup_share=0.1, last_rate_share=share)

    optimizer = build_optimizer(config, steps=100)
    rates = []
    for step in (0, 5, 10, 55, 100, 101):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))

    last = 0.2 * share
    assert rates == pytest.approx([0.008, 0.104, 0.2, 0.1 * (1 + share), last, last], abs=1e-6)


def test_training_batches_class_weights_weigh_the_labels_alone(tiny_config: FitConfig, data: FerData) -> None:
    rare = data.rows((data.emotion != 1) | (np.arange(len(data)) == 1)).split("Training")

    batches = training_batches(rare, replace(tiny_config, class_weights="balanced", epochs=1))

    weights = np.concatenate([each["original"] for _, _, each in batches])
    labels = np.concatenate([each["original"].numpy().argmax(axis=1) for _, each, _ in batches])
    assert weights[labels == 1].min() > 5 * weights[labels != 1].max()
    assert {float(value) for _, _, each in batches for value in each["ferplus"]} == {1.0}


def test_fit_too_few_rows_raises(tmp_path: Path, tiny_config: FitConfig, data: FerData) -> None:
    with pytest.raises(DataError, match="64 training rows are fewer than a batch of 100"):
        fit(replace(tiny_config, batch_size=100), data, tmp_path, say=quiet)


def test_training_batches_resumed_epoch_is_the_same(tiny_config: FitConfig, data: FerData) -> None:
    training = data.split("Training")
    steps = 64 // tiny_config.batch_size

    straight = list(training_batches(training, tiny_config))
    resumed = list(training_batches(training, tiny_config, start_epoch=2))

    assert len(straight) == 3 * steps
    for (images, targets), (images_again, targets_again) in zip(straight[2 * steps :], resumed, strict=True):
        np.testing.assert_array_equal(images, images_again)
        np.testing.assert_array_equal(targets["ferplus"], targets_again["ferplus"])


def test_training_batches_options_off_have_no_weights(tiny_config: FitConfig, data: FerData) -> None:
    images, targets = next(iter(training_batches(data.split("Training"), tiny_config)))

    assert images.shape == (16, 48, 48, 1)
    np.testing.assert_array_equal(np.unique(targets["original"]), [0, 1])


def test_training_batches_balance_weighs_ferplus_alone_and_mixup_blends(
    tiny_config: FitConfig, data: FerData
) -> None:
    rare = data.rows((data.emotion != 1) | (np.arange(len(data)) == 1))
    config = replace(tiny_config, ferplus_balance=0.5, mixup_alpha=1.0)

    batches = list(training_batches(rare.split("Training"), config))

    weights = np.concatenate([each["ferplus"] for _, _, each in batches])
    assert {float(value) for _, _, each in batches for value in each["original"]} == {1.0}
    assert weights.max() > 1.2 > 1 > weights.min()
    blended = batches[0][1]["original"].numpy()
    np.testing.assert_allclose(blended.sum(axis=1), 1, atol=1e-6)
    assert ((blended > 0) & (blended < 1)).any()


def test_training_batches_smaller_side_is_the_same_images_shrunk(
    tiny_config: FitConfig, data: FerData
) -> None:
    training = data.split("Training")
    large = next(iter(training_batches(training, tiny_config)))[0]
    small = next(iter(training_batches(training, tiny_config, side=24)))[0]

    assert small.shape == (16, 24, 24, 1)
    shrunk = [cv2.resize(image, (24, 24), interpolation=cv2.INTER_AREA) for image in large.numpy()[..., 0]]
    correlation = np.corrcoef(np.stack(shrunk).ravel(), small.numpy().ravel())[0, 1]
    assert correlation > 0.95


def test_sample_batches_are_unchanged_where_that_is_wanted(tiny_config: FitConfig, data: FerData) -> None:
    training = data.split("Training")
    config = replace(tiny_config, augment=AugmentConfig(), statistics_on="unchanged")
    rows = {image.tobytes() for each in training.images for image in (each, each[:, ::-1])}
    (found, *_) = sample_batches(training, config)
    assert {image.astype(np.uint8).tobytes() for image in found[..., 0]} <= rows

    (changed, *_) = sample_batches(training, replace(config, statistics_on="augmented"))
    assert {image.astype(np.uint8).tobytes() for image in changed[..., 0]}.isdisjoint(rows)


def test_sample_batches_are_never_blended(tiny_config: FitConfig, data: FerData) -> None:
    training = data.split("Training")
    plain = list(sample_batches(training, tiny_config))
    found = list(sample_batches(training, replace(tiny_config, mixup_alpha=1.0, ferplus_balance=0.5)))

    for mine, other in zip(found, plain, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_fit_run_older_than_an_option_continues(
    copied: Path, finished: FitResult, tiny_config: FitConfig, data: FerData
) -> None:
    record = read_run(copied)
    del record["config"]["mixup_alpha"], record["config"]["augment"]["blur_share"]
    network = record["config"]["network"]
    network["imagenet_weights"] = network.pop("pretrained_weights")
    (copied / "config.json").write_text(json.dumps(record))

    again = fit(replace(tiny_config, epochs=EPOCHS, batch_size=8), data, copied, say=quiet)

    assert again.last_epoch == finished.last_epoch


def test_training_batches_each_epoch_has_every_row_in_another_order(
    tiny_config: FitConfig, data: FerData
) -> None:
    training = data.split("Training")
    batches = list(training_batches(training, tiny_config))
    labels = [targets["original"].numpy().argmax(axis=1) for _, targets in batches]
    epochs = np.concatenate(labels[:4]), np.concatenate(labels[4:8])

    assert np.bincount(epochs[0]).tolist() == np.bincount(training.emotion).tolist()
    assert epochs[0].tolist() != epochs[1].tolist()


def test_code_version_is_a_hash_or_unknown() -> None:
    version = code_version().removesuffix("+changes")
    assert version == "unknown" or (len(version) == 40 and set(version) <= set("0123456789abcdef"))
    assert os.linesep not in version
