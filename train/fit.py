"""Train a network and keep everything about the run in one folder; killed runs continue where they stood."""

import contextlib
import csv
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_web.errors import DataError, SettingsError
from fer_web.labels import EMOTIONS
from train.augment import augment_batch
from train.config import FitConfig
from train.data import FerData, training_rows, vote_shares
from train.metrics import accuracy, ferplus_majority
from train.networks import build_network

CONFIG_FILE = "config.json"
HISTORY_FILE = "history.csv"
LAST_FILE = "last.npz"
BEST_FILE = "best.npz"
_EMA, _MODEL, _OPTIMIZER = "ema/", "model/", "optimizer/"


@dataclass(frozen=True)
class FitResult:
    """What a run reached: its folder, and the last row of history.csv."""

    run_dir: Path
    last_epoch: dict[str, float]


def fit(config: FitConfig, data: FerData, run_dir: Path, *, say: Callable[[str], None] = print) -> FitResult:
    """Train to the last epoch of `config`, from the run folder's last checkpoint if there is one.

    Args:
        data: with a Training and a PublicTest split, and FER+ votes.
        run_dir: created; holds config.json, history.csv, last.npz (everything) and best.npz (averaged weights).
        say: called with one line of text an epoch.
    Raises:
        DataError: no votes, or too few rows.
        SettingsError: the folder holds a run with another configuration or other data.
    """
    if data.votes is None:
        raise DataError(
            "the data has no FER+ votes, which the second head learns from. Give --ferplus fer2013new.csv"
        )
    training, leaks = training_rows(data, drop_leaks=config.drop_leaks)
    if len(training) < config.batch_size:
        raise DataError(
            f"{len(training)} training rows are fewer than batch_size {config.batch_size}. Lower it"
        )
    record = {"config": config.to_dict(), "data": _describe_data(data, training, leaks)}
    _open_run(run_dir, record)
    keras.utils.set_random_seed(config.seed)
    model = compile_network(config, steps_per_epoch=len(training) // config.batch_size)
    start_epoch = restore(run_dir / LAST_FILE, model) if (run_dir / LAST_FILE).is_file() else 0
    say(
        f"{len(training)} training rows ({leaks} copies of PublicTest left out), from epoch {start_epoch + 1}"
    )
    recorder = _Recorder(run_dir, data.split("PublicTest"), say)
    if start_epoch < config.epochs:
        model.fit(
            training_batches(training, config, start_epoch),
            initial_epoch=start_epoch,
            epochs=config.epochs,
            steps_per_epoch=len(training) // config.batch_size,
            callbacks=[recorder],
            shuffle=False,
            verbose=0,
        )
    return FitResult(run_dir, {key: float(value) for key, value in recorder.rows[-1].items()})


def compile_network(config: FitConfig, *, steps_per_epoch: int) -> keras.Model:
    """A fresh network with its losses and optimizer, ready for `fit`."""
    with dtype_policy(config.dtype_policy):
        model = build_network(config.network, for_training=True)
    steps = steps_per_epoch * config.epochs
    warmup = max(1, round(steps * config.warmup_share))
    schedule = keras.optimizers.schedules.CosineDecay(
        config.peak_learning_rate / 25,
        decay_steps=max(1, steps - warmup),
        warmup_target=config.peak_learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.SGD(
        schedule,
        momentum=config.momentum,
        nesterov=True,
        weight_decay=config.weight_decay,
        use_ema=True,
        ema_momentum=config.ema_momentum,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    smoothed = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
    soft = keras.losses.CategoricalCrossentropy(from_logits=True)
    losses = {"original": smoothed, "ferplus": soft}
    weights = {"original": 1.0, "ferplus": config.ferplus_weight}
    model.compile(optimizer=optimizer, loss=losses, loss_weights=weights)
    optimizer.build(model.trainable_variables)
    return model


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build layers under another Keras dtype policy, for the time of a with block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def training_batches(data: FerData, config: FitConfig, start_epoch: int = 0) -> tf.data.Dataset:
    """Shuffled, augmented batches of the epochs from `start_epoch` to the last.

    Order and augmentation depend on the seed, the epoch and the step only: a resumed run sees the same batches.

    Yields: float32 (B, 48, 48, 1) and the targets of the two heads, float32 (B, 7) and (B, 10).
    """
    images = tf.constant(data.images[..., None])
    original = tf.constant(np.eye(len(EMOTIONS), dtype=np.float32)[data.emotion])
    ferplus = tf.constant(vote_shares(data.votes))
    steps = len(data) // config.batch_size

    def shuffled(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = tf.stack([tf.cast(config.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(len(data)), seed=seed)
        rows = tf.reshape(order[: steps * config.batch_size], [steps, config.batch_size])
        return tf.data.Dataset.from_tensor_slices((rows, epoch * steps + tf.range(steps, dtype=tf.int64)))

    def batch(rows: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        seed = tf.cast(tf.stack([tf.cast(config.seed, tf.int64), step]), tf.int32)
        changed = augment_batch(tf.cast(tf.gather(images, rows), tf.float32), config.augment, seed)
        return changed, {"original": tf.gather(original, rows), "ferplus": tf.gather(ferplus, rows)}

    epochs = tf.data.Dataset.range(start_epoch, config.epochs)
    return epochs.flat_map(shuffled).map(batch, num_parallel_calls=2, deterministic=True).prefetch(4)


class _Recorder(keras.callbacks.Callback):
    """After each epoch: score the averaged weights on PublicTest, then write history and checkpoints."""

    def __init__(self, run_dir: Path, validation: FerData, say: Callable[[str], None]) -> None:
        super().__init__()
        self._run_dir, self._validation, self._say = run_dir, validation, say
        self.rows = _read_history(run_dir / HISTORY_FILE)
        self._started_s = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started_s = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        seconds = time.monotonic() - self._started_s
        averaged, scores = score_averaged(self.model, self._validation)
        row = {"epoch": epoch + 1, **{key: float(value) for key, value in (logs or {}).items()}, **scores}
        row |= {"seconds": seconds}
        self.rows = [old for old in self.rows if float(old["epoch"]) <= epoch] + [row]
        # History first: a kill between the two leaves a row too many, which the line above removes on resuming.
        _write_history(self._run_dir / HISTORY_FILE, self.rows)
        if selection_score(row) >= max(selection_score(each) for each in self.rows):
            _write_arrays(self._run_dir / BEST_FILE, {"epoch": np.array(epoch + 1), **averaged})
        save(self._run_dir / LAST_FILE, self.model, averaged, epochs_done=epoch + 1)
        self._say(
            f"epoch {epoch + 1}: loss {row['loss']:.4f}, PublicTest {scores['val_original_accuracy']:.4f} original, "
            f"{scores['val_ferplus_accuracy']:.4f} FER+ majority, {seconds:.0f} s"
        )


def selection_score(row: dict[str, Any]) -> float:
    """Mean PublicTest accuracy of the two heads: what "best" means."""
    return (float(row["val_original_accuracy"]) + float(row["val_ferplus_accuracy"])) / 2


def score_averaged(
    model: keras.Model, validation: FerData
) -> tuple[dict[str, NDArray[np.float32]], dict[str, float]]:
    """Put the averaged weights into the model, read and score them, and put the raw ones back.

    Returns: the averaged weights by "ema/" and path, and the accuracies of the two heads.
    """
    raw = [keras.ops.convert_to_numpy(variable).copy() for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    averaged = {_EMA + each.path: keras.ops.convert_to_numpy(each).copy() for each in model.weights}
    logits = model.predict(validation.images[..., None].astype(np.float32), batch_size=256, verbose=0)
    for variable, value in zip(model.trainable_variables, raw, strict=True):
        variable.assign(value)
    majority, counts = ferplus_majority(validation.votes)
    ferplus = logits["ferplus"][:, :8].argmax(axis=1)
    return averaged, {
        "val_original_accuracy": accuracy(validation.emotion, logits["original"].argmax(axis=1)),
        "val_ferplus_accuracy": accuracy(majority[counts], ferplus[counts]),
    }


def save(
    path: Path, model: keras.Model, averaged: dict[str, NDArray[np.float32]], *, epochs_done: int
) -> None:
    """Write a checkpoint that `restore` continues from and `averaged_weights` reads, in one atomic step."""
    arrays: dict[str, NDArray[Any]] = {"epoch": np.array(epochs_done), **averaged}
    for prefix, owner in ((_MODEL, model), (_OPTIMIZER, model.optimizer)):
        # By position: Keras numbers the names of optimizers and seed generators through a process.
        for i, variable in enumerate(owner.variables):
            arrays[f"{prefix}{i}"] = keras.ops.convert_to_numpy(variable)
    _write_arrays(path, arrays)


def restore(path: Path, model: keras.Model) -> int:
    """Set a compiled model and its optimizer to a checkpoint. Returns how many epochs were done."""
    with np.load(path) as arrays:
        for prefix, owner in ((_MODEL, model), (_OPTIMIZER, model.optimizer)):
            for i, variable in enumerate(owner.variables):
                variable.assign(arrays[f"{prefix}{i}"])
        return int(arrays["epoch"])


def averaged_weights(path: Path) -> tuple[dict[str, NDArray[np.float32]], int]:
    """The averaged weights of a checkpoint by variable path, and the epoch they are from."""
    with np.load(path) as arrays:
        names = [name for name in arrays.files if name.startswith(_EMA)]
        return {name.removeprefix(_EMA): arrays[name] for name in names}, int(arrays["epoch"])


def _describe_data(data: FerData, training: FerData, leaks: int) -> dict[str, Any]:
    return {"training_rows": len(training), "dropped_copies": leaks, "sha256": data.sha256()}


def _open_run(run_dir: Path, record: dict[str, Any]) -> None:
    """Create the folder and write config.json, or check that the run in it is the same one."""
    path = run_dir / CONFIG_FILE
    wanted = json.loads(json.dumps(record))
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        if {key: found.get(key) for key in wanted} != wanted:
            raise SettingsError(
                f"{run_dir} holds a run with another configuration or other data. Choose another --run"
            )
        return
    run_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**wanted, "environment": describe_environment()}, indent=2) + "\n"
    _write_atomically(path, text.encode())


def describe_environment() -> dict[str, str]:
    """Versions that a run's figures depend on, and the code's git hash."""
    return {
        "code_version": code_version(),
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": keras.config.backend(),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cpu_count": str(os.cpu_count()),
    }


def code_version() -> str:
    """Git hash of the working tree, with "+changes" when train/ differs from it; "unknown" outside git."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _read_history(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write_history(path: Path, rows: list[dict[str, Any]]) -> None:
    names = list(rows[-1])
    lines = [names, *([str(row[name]) for name in names] for row in rows)]
    _write_atomically(path, "".join(",".join(line) + "\n" for line in lines).encode())


def _write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)
    _replace(partial, path)


def _write_atomically(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    _replace(partial, path)


def _replace(partial: Path, path: Path) -> None:
    """Put a fully written file in place; a kill leaves the old file or the new one, never half of one."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
