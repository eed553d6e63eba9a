import numpy as np
import pytest
import tensorflow as tf

from train.fit.mixup import mix_batch

SEED = tf.constant([1, 7], tf.int32)


@pytest.fixture
def images() -> tf.Tensor:
    """Row i is all of grey 10 i, so that a blend shows its shares."""
    return tf.reshape(tf.range(16, dtype=tf.float32) * 10, (16, 1, 1, 1)) * tf.ones((1, 48, 48, 1))


@pytest.fixture
def targets() -> dict[str, tf.Tensor]:
    return {"original": tf.eye(16), "ferplus": tf.eye(16, 20), "weight": tf.range(16, dtype=tf.float32)}


def test_mix_batch_alpha_zero_is_the_input(images: tf.Tensor, targets: dict[str, tf.Tensor]) -> None:
    found_images, found_targets = mix_batch(images, targets, 0.0, SEED)

    assert found_images is images
    assert found_targets is targets


@pytest.mark.parametrize("alpha", [0.001, 0.2, 1.0])
def test_mix_batch_image_and_all_targets_have_the_same_shares(
    images: tf.Tensor, targets: dict[str, tf.Tensor], alpha: float
) -> None:
    mixed_images, mixed = mix_batch(images, targets, alpha, SEED)

    shares = mixed["original"].numpy()
    assert mixed_images.shape == images.shape
    assert mixed_images.dtype == tf.float32
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(mixed["ferplus"][:, :16], shares, atol=1e-6)
    np.testing.assert_allclose(mixed["weight"], shares @ np.arange(16), atol=1e-4)
    greys = shares @ (np.arange(16) * 10.0)
    np.testing.assert_allclose(
        mixed_images, np.broadcast_to(greys[:, None, None, None], (16, 48, 48, 1)), atol=1e-3
    )


def test_mix_batch_own_share_is_at_least_half_and_differs_by_row(
    images: tf.Tensor, targets: dict[str, tf.Tensor]
) -> None:
    _, mixed = mix_batch(images, targets, 1.0, SEED)

    own = np.diag(mixed["original"].numpy())

    assert own.min() >= 0.5
    assert len(set(own.tolist())) == 16


def test_mix_batch_same_seed_repeats(images: tf.Tensor, targets: dict[str, tf.Tensor]) -> None:
    first, _ = mix_batch(images, targets, 0.4, SEED)
    second, _ = mix_batch(images, targets, 0.4, SEED)

    np.testing.assert_array_equal(first, second)
