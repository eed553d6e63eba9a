"""Turn rows into augmented batches, by tf.data whatever Keras computes with."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_web.labels import EMOTIONS
from train.config import FitConfig
from train.data.fer_data import FerData, label_weights, rarity_weights, vote_shares
from train.data.splits import SIDE
from train.fit.augment import augment_batch
from train.fit.mixup import mix_batch
from train.fit.soft_targets import SoftTargets, blend

TEACHER_IMAGES = "teacher_images"
"""Name among the targets of what teachers see: the batch at 48 pixels."""


@dataclass(frozen=True)
class _Targets:
    """It says what each of N rows is to be learned as.

    Attributes:
        original, ferplus: float32 (N, 7) and (N, 10).
        original_weight, ferplus_weight: float32 (N,), of mean 1.
    """

    original: NDArray[np.float32]
    ferplus: NDArray[np.float32]
    original_weight: NDArray[np.float32]
    ferplus_weight: NDArray[np.float32]

    @classmethod
    def of(cls, data: FerData, config: FitConfig, taught: SoftTargets | None) -> "_Targets":
        shares = vote_shares(data.known_votes)
        labels = np.eye(len(EMOTIONS), dtype=np.float32)[data.emotion]
        return cls(
            labels if taught is None else blend(labels, taught.original, config.distill_weight),
            shares if taught is None else blend(shares, taught.ferplus, config.distill_weight),
            label_weights(data.emotion, config.label_balance),
            rarity_weights(shares, config.ferplus_balance),
        )


def all_batches(
    data: FerData, config: FitConfig, start_epoch: int = 0, *, taught: SoftTargets | None = None
) -> tf.data.Dataset:
    """Return `training_batches` of one phase after the other, from `start_epoch` to the last."""
    parts = []
    for end_epoch, side in config.phases():
        if start_epoch < end_epoch:
            parts.append(training_batches(data, config, start_epoch, end_epoch, side=side, taught=taught))
            start_epoch = end_epoch
    return functools.reduce(lambda earlier, later: earlier.concatenate(later), parts)


def training_batches(
    data: FerData,
    config: FitConfig,
    start_epoch: int = 0,
    end_epoch: int | None = None,
    *,
    side: int = SIDE,
    taught: SoftTargets | None = None,
) -> tf.data.Dataset:
    """Return shuffled, augmented batches of the epochs from `start_epoch` to before `end_epoch`, or
    to the last.

    Order and augmentation depend on seed, epoch and step only: a resumed run sees the same batches.

    Args:
        data: with votes.
        side: of the images in pixels; they are changed at 48 pixels and made smaller last.
        taught: what teachers say of each row, `distill_weight` of its targets; None for none.
    Yields: float32 (B, side, side, 1); the targets of the two heads, float32 (B, 7) and (B, 10);
        with teachers of batches TEACHER_IMAGES, float32 (B, 48, 48, 1); and with `ferplus_balance`
        or `class_weights` the weights of each row in the two losses, float32 (B,).
    """
    images = tf.constant(data.images[..., None])
    targets = {name: tf.constant(each) for name, each in vars(_Targets.of(data, config, taught)).items()}
    is_weighted = bool(config.ferplus_balance or config.label_balance)

    def batch(rows: tf.Tensor, step: tf.Tensor) -> tuple[Any, ...]:
        seed = tf.cast(tf.stack([tf.cast(config.seed, tf.int64), step]), tf.int32)
        changed = augment_batch(tf.cast(tf.gather(images, rows), tf.float32), config.augment, seed)
        changed, mixed = mix_batch(
            changed,
            {name: tf.gather(each, rows) for name, each in targets.items()},
            config.mixup_alpha,
            tf.random.experimental.stateless_fold_in(seed, 2),
        )
        learned = {head: mixed[head] for head in ("original", "ferplus")}
        weights = {head: mixed[f"{head}_weight"] for head in learned}
        if config.teaches_batches:
            learned[TEACHER_IMAGES] = changed
        if side != SIDE:
            changed = tf.image.resize(changed, [side, side], antialias=True)
        return (changed, learned, weights) if is_weighted else (changed, learned)

    order = _order(len(data), config, start_epoch, config.epochs if end_epoch is None else end_epoch)
    return order.map(batch, num_parallel_calls=2, deterministic=True).prefetch(4)


def _order(count: int, config: FitConfig, start_epoch: int, end_epoch: int) -> tf.data.Dataset:
    """Return each batch's row numbers, int32 (B,), and step, int64; only whole batches count."""
    steps = count // config.batch_size

    def shuffled(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = tf.stack([tf.cast(config.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seed=seed)
        rows = tf.reshape(order[: steps * config.batch_size], [steps, config.batch_size])
        return tf.data.Dataset.from_tensor_slices((rows, epoch * steps + tf.range(steps, dtype=tf.int64)))

    return tf.data.Dataset.range(start_epoch, end_epoch).flat_map(shuffled)
