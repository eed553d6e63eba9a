"""Train a network and keep everything about the run in one folder; killed runs continue where they stood."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_web.errors import DataError
from fer_web.labels import EMOTIONS, FERPLUS_EMOTIONS
from train.augment import augment_batch
from train.batch_statistics import estimate_batch_statistics
from train.checkpoint import BEST_FILE, LAST_FILE, restore, save, save_averaged
from train.config import FitConfig
from train.data import FerData, rarity_weights, training_rows, vote_shares
from train.metrics import accuracy, ferplus_majority
from train.mixup import mix_batch
from train.networks import build_network
from train.run_folder import open_run, read_history, write_history

STATISTICS_BATCHES = 24
"""Batches from which batch normalisation is estimated anew for the averaged weights."""


@dataclass(frozen=True)
class FitResult:
    """What a run reached: its folder, and the last row of history.csv."""

    run_dir: Path
    last_epoch: dict[str, float]


def fit(config: FitConfig, data: FerData, run_dir: Path, *, say: Callable[[str], None] = print) -> FitResult:
    """Train to the last epoch of `config`, from the run folder's last checkpoint if there is one.

    Args:
        data: with a Training and a PublicTest split, and FER+ votes.
        run_dir: created; holds config.json, history.csv, last.npz (everything) and best.npz.
        say: called with one line of text an epoch.
    Raises:
        DataError: no votes, or too few rows.
        SettingsError: the folder holds a run with another configuration or other data.
    """
    if data.votes is None:
        raise DataError("the data has no FER+ votes, which the second head learns from. Give --ferplus")
    training, leaks = training_rows(data, drop_leaks=config.drop_leaks)
    steps = len(training) // config.batch_size
    if steps < 1:
        raise DataError(
            f"{len(training)} training rows are fewer than a batch of {config.batch_size}. Lower it"
        )
    validation = data.split("PublicTest")
    rows = {"training_rows": len(training), "dropped_copies": leaks, "sha256": data.sha256()}
    open_run(run_dir, config, rows)
    keras.utils.set_random_seed(config.seed)
    model = compile_network(config, steps_per_epoch=steps)
    start_epoch = restore(run_dir / LAST_FILE, model) if (run_dir / LAST_FILE).is_file() else 0
    left_out = f"({leaks} near copies of other splits left out)"
    say(f"{len(training)} training rows {left_out}, epoch {start_epoch + 1} on")
    recorder = _Recorder(run_dir, sample_batches(training, config), validation, say)
    if start_epoch < config.epochs:
        # One call for all phases: at its end Keras puts the averaged weights into the model.
        model.fit(
            all_batches(training, config, start_epoch),
            initial_epoch=start_epoch,
            epochs=config.epochs,
            steps_per_epoch=steps,
            callbacks=[recorder],
            shuffle=False,
            verbose=0,
        )
    return FitResult(run_dir, recorder.rows[-1])


def compile_network(config: FitConfig, *, steps_per_epoch: int) -> keras.Model:
    """A fresh network with its losses and optimizer, ready for `fit`."""
    with dtype_policy(config.dtype_policy):
        model = build_network(config.network, for_training=True, any_size=len(config.phases()) > 1)
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


def all_batches(data: FerData, config: FitConfig, start_epoch: int = 0) -> tf.data.Dataset:
    """`training_batches` of one phase after the other, from `start_epoch` to the last."""
    parts = []
    for end_epoch, side in config.phases():
        if start_epoch < end_epoch:
            parts.append(training_batches(data, config, start_epoch, end_epoch, side=side))
            start_epoch = end_epoch
    return functools.reduce(lambda earlier, later: earlier.concatenate(later), parts)


def training_batches(
    data: FerData, config: FitConfig, start_epoch: int = 0, end_epoch: int | None = None, *, side: int = 48
) -> tf.data.Dataset:
    """Shuffled, augmented batches of the epochs from `start_epoch` to before `end_epoch`, or to the last.

    Order and augmentation depend on seed, epoch and step only: a resumed run sees the same batches.

    Args: side: of the images in pixels; they are changed at 48 pixels and made smaller last.
    Yields: float32 (B, side, side, 1), the targets of the two heads, float32 (B, 7) and (B, 10), and with
        `ferplus_balance` the weights of each row in the two losses, float32 (B,).
    """
    images = tf.constant(data.images[..., None])
    original = tf.constant(np.eye(len(EMOTIONS), dtype=np.float32)[data.emotion])
    shares = vote_shares(data.votes)
    ferplus = tf.constant(shares)
    weight = tf.constant(rarity_weights(shares, config.ferplus_balance))
    steps = len(data) // config.batch_size

    def shuffled(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = tf.stack([tf.cast(config.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(len(data)), seed=seed)
        rows = tf.reshape(order[: steps * config.batch_size], [steps, config.batch_size])
        return tf.data.Dataset.from_tensor_slices((rows, epoch * steps + tf.range(steps, dtype=tf.int64)))

    def batch(rows: tf.Tensor, step: tf.Tensor) -> tuple[Any, ...]:
        seed = tf.cast(tf.stack([tf.cast(config.seed, tf.int64), step]), tf.int32)
        changed = augment_batch(tf.cast(tf.gather(images, rows), tf.float32), config.augment, seed)
        targets = {"original": tf.gather(original, rows), "ferplus": tf.gather(ferplus, rows)}
        changed, mixed = mix_batch(
            changed,
            {**targets, "weight": tf.gather(weight, rows)},
            config.mixup_alpha,
            tf.random.experimental.stateless_fold_in(seed, 2),
        )
        if side != changed.shape[1]:
            changed = tf.image.resize(changed, [side, side], antialias=True)
        row_weight = mixed.pop("weight")
        if not config.ferplus_balance:
            return changed, mixed
        return changed, mixed, {"original": tf.ones_like(row_weight), "ferplus": row_weight}

    epochs = tf.data.Dataset.range(start_epoch, config.epochs if end_epoch is None else end_epoch)
    return epochs.flat_map(shuffled).map(batch, num_parallel_calls=2, deterministic=True).prefetch(4)


def sample_batches(data: FerData, config: FitConfig) -> tf.data.Dataset:
    """The first augmented batches of training again, float32 (B, 48, 48, 1).

    They are not blended: the statistics are for whole faces, and a blend of two has less contrast.
    """
    batches = training_batches(data, replace(config, mixup_alpha=0.0))
    return batches.map(lambda images, *_: images).take(STATISTICS_BATCHES)


class _Recorder(keras.callbacks.Callback):
    """After each epoch: score the averaged weights on PublicTest, then write history and checkpoints."""

    def __init__(
        self, run_dir: Path, sample: tf.data.Dataset, validation: FerData, say: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._run_dir, self._sample, self._validation, self._say = run_dir, sample, validation, say
        self.rows = read_history(run_dir)
        self._started_s = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started_s = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        seconds = time.monotonic() - self._started_s
        averaged, scores = score_averaged(self.model, self._sample, self._validation)
        losses = {key: float(value) for key, value in (logs or {}).items()}
        row = {"epoch": epoch + 1, **losses, **scores, "seconds": seconds}
        self.rows = [old for old in self.rows if old["epoch"] <= epoch] + [row]
        # History first: a kill between the two leaves a row too many, which the line above drops on resuming.
        write_history(self._run_dir, self.rows)
        if selection_score(row) >= max(selection_score(each) for each in self.rows):
            save_averaged(self._run_dir / BEST_FILE, averaged, epochs_done=epoch + 1)
        save(self._run_dir / LAST_FILE, self.model, averaged, epochs_done=epoch + 1)
        original, ferplus = scores["val_original_accuracy"], scores["val_ferplus_accuracy"]
        self._say(
            f"epoch {epoch + 1}: loss {row['loss']:.4f}, PublicTest {original:.4f} original, "
            f"{ferplus:.4f} FER+ majority, {seconds:.0f} s"
        )


def selection_score(row: dict[str, float]) -> float:
    """Mean PublicTest accuracy of the two heads: what "best" means."""
    return (row["val_original_accuracy"] + row["val_ferplus_accuracy"]) / 2


def score_averaged(
    model: keras.Model, sample: tf.data.Dataset, validation: FerData
) -> tuple[dict[str, NDArray[np.float32]], dict[str, float]]:
    """Put the averaged weights into the model, read and score them, and put the raw ones back.

    Args: sample: images to estimate batch normalisation from.
    Returns: the averaged weights by variable path, and the accuracies of the two heads.
    """
    raw = [keras.ops.convert_to_numpy(variable).copy() for variable in model.variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    estimate_batch_statistics(model, sample)
    averaged = {each.path: keras.ops.convert_to_numpy(each).copy() for each in model.weights}
    logits = model.predict(validation.images[..., None].astype(np.float32), batch_size=256, verbose=0)
    for variable, value in zip(model.variables, raw, strict=True):
        variable.assign(value)
    majority, counts = ferplus_majority(validation.votes)
    ferplus = logits["ferplus"][:, : len(FERPLUS_EMOTIONS)].argmax(axis=1)
    return averaged, {
        "val_original_accuracy": accuracy(validation.emotion, logits["original"].argmax(axis=1)),
        "val_ferplus_accuracy": accuracy(majority[counts], ferplus[counts]),
    }
