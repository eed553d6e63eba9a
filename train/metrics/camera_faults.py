"""Corrupt batches as bad light and cheap cameras do: dark, out of focus, small, noisy."""

import tensorflow as tf

from train.config import AugmentConfig
from train.data.draws import as_columns, uniform

LOW_RESOLUTION_FACTORS = (2, 3)
"""So many pixels become one, to each side: 48 pixels become 24 or 16."""


def corrupt(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Apply each fault to its share of a batch, in the order in which a camera makes them.

    Args:
        images: float32 (N, H, W, 1), 0-255.
        seed: int32 (2,).
    Returns: float32 (N, H, W, 1), 0-255; the input itself when all shares are 0.
    """
    dark, focus, small, noisy = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    if config.dark_share:
        images = _darken(images, config, dark)
    if config.blur_share:
        images = _blur(images, config, focus)
    if config.low_resolution_share:
        images = _lower_resolution(images, config, small)
    if config.noise_share:
        images = _add_noise(images, config, noisy)
    return images


def _darken(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    chance, strength = uniform(seed, tf.shape(images)[0], 2)
    gamma = tf.where(chance < config.dark_share, 1.0 + strength * (config.dark_gamma - 1.0), 1.0)
    darker = 255.0 * tf.pow(images / 255.0, as_columns(gamma))
    return tf.where(as_columns(gamma) > 1.0, darker, images)


def _blur(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Blur by a Gaussian of two passes; borders repeat.

    The reach of 4 pixels is two of the largest sigma allowed.
    """
    chance, strength = uniform(seed, tf.shape(images)[0], 2)
    sigma = 0.3 + strength * (config.blur_sigma - 0.3)
    offsets = tf.range(-4, 5, dtype=tf.float32)
    weights = tf.exp(-0.5 * tf.square(offsets[None, :] / sigma[:, None]))
    weights = weights / tf.reduce_sum(weights, axis=1, keepdims=True)
    blurred = images[..., 0]
    for axis in (1, 2):
        blurred = _weighted_shifts(blurred, weights, axis)
    return tf.where(as_columns(chance < config.blur_share), blurred[..., None], images)


def _weighted_shifts(images: tf.Tensor, weights: tf.Tensor, axis: int) -> tf.Tensor:
    """Return the sum of images (N, H, W) moved by -4 to 4 pixels along `axis`, weighted by (N, 9)."""
    length = images.shape[axis]
    wide = tf.gather(images, tf.clip_by_value(tf.range(-4, length + 4), 0, length - 1), axis=axis)
    moved = [wide[:, i : i + length] if axis == 1 else wide[:, :, i : i + length] for i in range(9)]
    return tf.add_n([each * weights[:, i, None, None] for i, each in enumerate(moved)])


def _lower_resolution(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    chance, which = uniform(seed, tf.shape(images)[0], 2)
    height, width = images.shape[1], images.shape[2]
    choice = tf.cast(which * len(LOW_RESOLUTION_FACTORS), tf.int32)
    result = images
    for i, factor in enumerate(LOW_RESOLUTION_FACTORS):
        small = tf.nn.avg_pool2d(images, factor, factor, "SAME")
        enlarged = tf.image.resize(small, [height, width], method="bilinear")
        result = tf.where(
            as_columns((chance < config.low_resolution_share) & (choice == i)), enlarged, result
        )
    return result


def _add_noise(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    draws, grains = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    chance, strength = uniform(draws, tf.shape(images)[0], 2)
    sigma = tf.where(chance < config.noise_share, strength * config.noise_sigma, 0.0)
    noise = tf.random.stateless_normal(tf.shape(images), grains) * as_columns(sigma)
    return tf.clip_by_value(images + noise, 0.0, 255.0)
