"""Random changes to whole batches of training images, as TensorFlow operations for tf.data."""

import math

import tensorflow as tf

from train.config import AugmentConfig


def augment_batch(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Turn, scale, shift, mirror, relight and partly cover each image of a batch, each by its own draw.

    Args:
        images: float32 (N, H, W, 1), 0-255.
        seed: int32 (2,); the same seed gives the same result, so that a resumed run repeats itself.
    Returns: float32 (N, H, W, 1), 0-255.
    """
    geometry, light, erase = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    images = _move(images, config, geometry)
    images = _relight(images, config, light)
    return _erase(images, config, erase)


def _uniform(seed: tf.Tensor, count: tf.Tensor, columns: int) -> list[tf.Tensor]:
    """`columns` tensors float32 (count,), -1 to 1."""
    return tf.unstack(tf.random.stateless_uniform([columns, count], seed, -1.0, 1.0), axis=0)


def _move(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    turn, size, right, down, flip = _uniform(seed, count, 5)
    angle = turn * math.radians(config.rotate_degrees)
    zoom = 1.0 / (1.0 + size * config.scale)
    mirror = tf.where(flip < 0, -1.0, 1.0)
    cos, sin = tf.cos(angle) * zoom, tf.sin(angle) * zoom
    # Rows map an output pixel to the input pixel it is read from, about the image's centre.
    cx, cy = (width - 1) / 2, (height - 1) / 2
    x0 = cx + right * config.shift * width - mirror * (cos * cx - sin * cy)
    y0 = cy + down * config.shift * height - (sin * cx + cos * cy)
    zero = tf.zeros_like(angle)
    rows = tf.stack([mirror * cos, -mirror * sin, x0, sin, cos, y0, zero, zero], axis=1)
    # Reflected borders look like surroundings of a face; black ones would teach that frames are black.
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=rows,
        output_shape=[height, width],
        interpolation="BILINEAR",
        fill_mode="REFLECT",
        fill_value=0.0,
    )


def _relight(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    brighter, stronger = _uniform(seed, tf.shape(images)[0], 2)
    gain = (1.0 + stronger * config.contrast)[:, None, None, None]
    offset = (brighter * config.brightness)[:, None, None, None]
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value((images - mean) * gain + mean + offset, 0.0, 255.0)


def _erase(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Cover one square with one grey (Zhong et al. 2020, "Random erasing data augmentation")."""
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    chance, top, left, grey = [(each + 1) / 2 for each in _uniform(seed, count, 4)]
    side = config.erase_pixels
    in_rows = _within(height, top * (height - side), side)
    in_columns = _within(width, left * (width - side), side)
    covered = in_rows[:, :, None] & in_columns[:, None, :] & (chance < config.erase_share)[:, None, None]
    return tf.where(covered[..., None], grey[:, None, None, None] * 255.0, images)


def _within(length: int, start: tf.Tensor, side: int) -> tf.Tensor:
    """bool (N, length): positions from `start` (N,) on, `side` of them."""
    first = tf.round(start)[:, None]
    position = tf.range(length, dtype=tf.float32)[None, :]
    return (position >= first) & (position < first + side)
