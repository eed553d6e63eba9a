"""Change whole batches of training images at random, by TensorFlow operations for tf.data."""

import math

import tensorflow as tf

from train.config import AugmentConfig
from train.data.draws import as_columns, signed_uniform, uniform
from train.metrics.camera_faults import corrupt


def augment_batch(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Turn, scale, shift, mirror, relight, corrupt and partly cover each image of a batch, by its
    own draw.

    Args:
        images: float32 (N, H, W, 1), 0-255.
        seed: int32 (2,); the same seed gives the same result, so that a resumed run repeats itself.
    Returns: float32 (N, H, W, 1), 0-255.
    """
    geometry, light, erase = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    # Beside the three seeds, not among them: runs without these options see the batches they always
    # saw.
    glasses, mask, camera = tf.unstack(
        tf.random.experimental.stateless_split(tf.random.experimental.stateless_fold_in(seed, 1), 3)
    )
    if config.glasses_share:
        images = _wear_glasses(images, config, glasses)
    if config.mask_share:
        images = _wear_mask(images, config, mask)
    images = _move(images, config, geometry)
    images = _relight(images, config, light)
    images = corrupt(images, config, camera)
    return _erase(images, config, erase)


def _wear_glasses(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Cover both eyes, at about 0.4 of FER-2013's height, with the bridge free or covered."""
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    chance, middle, thickness, bridge, grey = uniform(seed, count, 5)
    rows = _within(height, (0.28 + 0.08 * middle) * height, (0.12 + 0.1 * thickness) * height)
    gap = tf.where(bridge < 0.5, 0.0, 0.14 * width)
    from_middle = tf.abs(tf.range(width, dtype=tf.float32) - (width - 1) / 2)[None, :]
    columns = (from_middle >= gap[:, None] / 2) & (from_middle <= 0.38 * width)
    return _cover(images, rows, columns, chance < config.glasses_share, grey)


def _wear_mask(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Cover mouth and chin: from between 0.58 and 0.7 of the height down, as wide as a face."""
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    chance, top, side, grey = uniform(seed, count, 4)
    start = tf.round((0.58 + 0.12 * top) * height)
    rows = tf.range(height, dtype=tf.float32)[None, :] >= start[:, None]
    margin = 0.18 * side * width
    columns = _within(width, margin, width - 2 * margin)
    return _cover(images, rows, columns, chance < config.mask_share, grey)


def _move(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    turn, size, right, down, flip = signed_uniform(seed, count, 5)
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
    # Reflected borders look like surroundings of a face; black ones would teach that frames are
    # black.
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=rows,
        output_shape=[height, width],
        interpolation="BILINEAR",
        fill_mode="REFLECT",
        fill_value=0.0,
    )


def _relight(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    brighter, stronger = signed_uniform(seed, tf.shape(images)[0], 2)
    gain = as_columns(1.0 + stronger * config.contrast)
    offset = as_columns(brighter * config.brightness)
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value((images - mean) * gain + mean + offset, 0.0, 255.0)


def _erase(images: tf.Tensor, config: AugmentConfig, seed: tf.Tensor) -> tf.Tensor:
    """Cover one square with one grey (Zhong et al. 2020, "Random erasing data augmentation")."""
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    chance, top, left, grey = [(each + 1) / 2 for each in signed_uniform(seed, count, 4)]
    side = config.erase_pixels
    in_rows = _within(height, top * (height - side), side)
    in_columns = _within(width, left * (width - side), side)
    return _cover(images, in_rows, in_columns, chance < config.erase_share, grey)


def _cover(
    images: tf.Tensor, in_rows: tf.Tensor, in_columns: tf.Tensor, is_covered: tf.Tensor, grey: tf.Tensor
) -> tf.Tensor:
    """Paint `grey` (N,), 0-1, where rows (N, H) meet columns (N, W) on chosen images (N,)."""
    covered = in_rows[:, :, None] & in_columns[:, None, :] & is_covered[:, None, None]
    return tf.where(covered[..., None], as_columns(grey) * 255.0, images)


def _within(length: int, start: tf.Tensor, side: tf.Tensor | int) -> tf.Tensor:
    """Return positions from `start` (N,) on, `side` (N,) of them, rounded: bool (N, length)."""
    first = tf.round(start)[:, None]
    position = tf.range(length, dtype=tf.float32)[None, :]
    return (position >= first) & (position < first + tf.reshape(tf.round(tf.cast(side, tf.float32)), [-1, 1]))
