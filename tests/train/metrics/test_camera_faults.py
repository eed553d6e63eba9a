import numpy as np
import pytest
import tensorflow as tf

from train.config import AugmentConfig
from train.metrics.camera_faults import corrupt

SEED = tf.constant([3, 0], tf.int32)


@pytest.fixture
def images() -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(0, 255, (16, 48, 48, 1)), tf.float32)


def test_spoil_without_shares_is_the_input(images: tf.Tensor) -> None:
    assert corrupt(images, AugmentConfig(), SEED) is images


def test_spoil_empty_batch_stays_empty() -> None:
    config = AugmentConfig(dark_share=1, blur_share=1, low_resolution_share=1, noise_share=1)

    assert corrupt(tf.zeros((0, 48, 48, 1)), config, SEED).shape == (0, 48, 48, 1)


def test_spoil_dark_lowers_greys_and_keeps_black_and_white() -> None:
    greys = tf.tile(tf.reshape(tf.constant([0.0, 128.0, 255.0]), (1, 3, 1, 1)), (8, 1, 1, 1))

    found = corrupt(greys, AugmentConfig(dark_share=1.0, dark_gamma=3.0), SEED).numpy()[:, :, 0, 0]

    np.testing.assert_allclose(found[:, [0, 2]], [[0.0, 255.0]] * 8, atol=1e-3)
    assert (found[:, 1] < 128).all()
    assert (found[:, 1] >= 32).all()


def test_spoil_blur_keeps_the_mean_and_spreads_a_dot_evenly() -> None:
    dot = np.zeros((8, 48, 48, 1), np.float32)
    dot[:, 24, 24] = 255

    found = corrupt(tf.constant(dot), AugmentConfig(blur_share=1.0), SEED).numpy()[..., 0]

    np.testing.assert_allclose(found.sum(axis=(1, 2)), 255, rtol=1e-4)
    np.testing.assert_allclose(found, found[:, ::-1, :][:, np.r_[47, 0:47]], atol=1e-3)
    np.testing.assert_allclose(found, np.swapaxes(found, 1, 2), atol=1e-3)
    assert found.max() < 255


def test_spoil_blur_leaves_an_even_grey_to_its_borders() -> None:
    grey = tf.fill((4, 48, 48, 1), 90.0)

    np.testing.assert_allclose(corrupt(grey, AugmentConfig(blur_share=1.0), SEED), grey, atol=1e-3)


def test_spoil_low_resolution_removes_a_fine_pattern_and_keeps_the_mean() -> None:
    fine = np.indices((48, 48)).sum(axis=0) % 2 * 200.0
    images = tf.constant(np.repeat(fine[None, ..., None], 8, axis=0), tf.float32)

    found = corrupt(images, AugmentConfig(low_resolution_share=1.0), SEED).numpy()

    assert (found.std(axis=(1, 2, 3)) < 15).all()
    np.testing.assert_allclose(found.mean(axis=(1, 2, 3)), 100, atol=1)


def test_spoil_noise_is_zero_on_average_and_within_its_limit() -> None:
    grey = tf.fill((32, 48, 48, 1), 128.0)

    found = corrupt(grey, AugmentConfig(noise_share=1.0, noise_sigma=20.0), SEED).numpy() - 128

    assert np.abs(found.mean(axis=(1, 2, 3))).max() < 2.0
    assert 0 < found.std(axis=(1, 2, 3)).max() < 21
