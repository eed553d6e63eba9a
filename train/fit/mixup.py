"""Blend training images and their targets (Zhang et al. 2018, "mixup")."""

import tensorflow as tf

Targets = dict[str, tf.Tensor]


def mix_batch(
    images: tf.Tensor, targets: Targets, alpha: float, seed: tf.Tensor
) -> tuple[tf.Tensor, Targets]:
    """Blend each image and each of its targets with the next row's, by one share for all of them.

    Args:
        images: float32 (N, H, W, 1).
        targets: float32 (N, ...) each.
        alpha: shares are drawn from Beta(alpha, alpha), separately for each row; 0 changes nothing.
        seed: int32 (2,).
    Returns: images and targets of the same shapes.
    """
    if not alpha:
        return images, targets
    gammas = tf.random.stateless_gamma([2, tf.shape(images)[0]], seed, alpha)
    # Both can underflow to 0 for a small alpha; the row then stays as it is.
    total = gammas[0] + gammas[1]
    own = tf.where(total > 0, tf.math.divide_no_nan(gammas[0], total), 1.0)
    # The larger share is the row's own: an image and its targets keep their place in the batch.
    own = tf.maximum(own, 1.0 - own)
    return _blend(images, own), {key: _blend(each, own) for key, each in targets.items()}


def _blend(rows: tf.Tensor, own: tf.Tensor) -> tf.Tensor:
    share = tf.reshape(own, [-1] + [1] * (rows.shape.rank - 1))
    return share * rows + (1.0 - share) * tf.roll(rows, shift=-1, axis=0)
