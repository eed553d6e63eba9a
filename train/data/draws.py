"""Draw random numbers for batches: one for each image, repeatable by seed."""

import tensorflow as tf


def signed_uniform(seed: tf.Tensor, count: tf.Tensor, columns: int) -> list[tf.Tensor]:
    """Draw `columns` tensors float32 (count,), -1 to 1."""
    return list(tf.unstack(tf.random.stateless_uniform([columns, count], seed, -1.0, 1.0), axis=0))


def uniform(seed: tf.Tensor, count: tf.Tensor, columns: int) -> list[tf.Tensor]:
    """Draw `columns` tensors float32 (count,), 0 to below 1."""
    return list(tf.unstack(tf.random.stateless_uniform([columns, count], seed), axis=0))


def as_columns(per_image: tf.Tensor) -> tf.Tensor:
    """Give (N,) the shape (N, 1, 1, 1), to meet images (N, H, W, 1)."""
    return per_image[:, None, None, None]
