from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from train.config import AugmentConfig
from train.fit.augment import augment_batch

STILL = AugmentConfig(rotate_degrees=0, scale=0, shift=0, brightness=0, contrast=0, erase_share=0)


@pytest.fixture
def images() -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(0, 255, (16, 48, 48, 1)), tf.float32)


NEW_SHARES = (
    "glasses_share",
    "mask_share",
    "dark_share",
    "blur_share",
    "low_resolution_share",
    "noise_share",
)


def augmented(images: tf.Tensor, config: AugmentConfig, seed: int = 1) -> np.ndarray:
    return augment_batch(images, config, tf.constant([seed, 0], tf.int32)).numpy()


def test_augment_batch_keeps_shape_type_and_range(images: tf.Tensor) -> None:
    changed = augmented(images, AugmentConfig())

    assert changed.shape == images.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_augment_batch_same_seed_repeats_and_another_does_not(images: tf.Tensor) -> None:
    first = augmented(images, AugmentConfig())

    np.testing.assert_array_equal(first, augmented(images, AugmentConfig()))
    assert not np.array_equal(first, augmented(images, AugmentConfig(), seed=2))


def test_augment_batch_without_changes_only_mirrors_some(images: tf.Tensor) -> None:
    changed, original = augmented(images, STILL), images.numpy()

    same = [np.allclose(a, b, atol=0.01) for a, b in zip(changed, original, strict=True)]
    mirrored = [np.allclose(a, b[:, ::-1], atol=0.01) for a, b in zip(changed, original, strict=True)]

    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert 0 < sum(mirrored) < 16


def test_augment_batch_erasing_covers_one_square_of_some(images: tf.Tensor) -> None:
    config = AugmentConfig(rotate_degrees=0, scale=0, shift=0, brightness=0, contrast=0, erase_share=0.5)
    before, after = augmented(images, STILL), augmented(images, config)

    covered = (before != after).sum(axis=(1, 2, 3))

    assert set(covered.tolist()) == {0, 256}


def test_augment_batch_shift_stays_within_its_limit() -> None:
    dot = np.zeros((32, 48, 48, 1), np.float32)
    dot[:, 24, 24] = 255
    config = AugmentConfig(rotate_degrees=0, scale=0, shift=0.1, brightness=0, contrast=0, erase_share=0)

    changed = augmented(tf.constant(dot), config)[..., 0]
    rows, columns = np.array([np.unravel_index(each.argmax(), each.shape) for each in changed]).T

    assert np.abs(rows - 24).max() <= 6
    assert np.abs(columns - 24).max() <= 6
    assert len(set(rows.tolist())) > 3


@pytest.mark.parametrize("name", NEW_SHARES)
def test_augment_batch_share_of_a_half_changes_some_images_and_keeps_the_rest(
    images: tf.Tensor, name: str
) -> None:
    before = augmented(images, STILL)
    after = augmented(images, replace(STILL, **{name: 0.5}))

    changed = (before != after).any(axis=(1, 2, 3))

    assert after.shape == before.shape
    assert after.dtype == np.float32
    assert 0 <= after.min() <= after.max() <= 255
    assert 0 < changed.sum() < 16


@pytest.mark.parametrize("name", NEW_SHARES)
def test_augment_batch_share_of_one_changes_every_image(images: tf.Tensor, name: str) -> None:
    before = augmented(images, STILL)
    after = augmented(images, replace(STILL, **{name: 1.0}))

    assert (np.abs(before - after) > 0.1).any(axis=(1, 2, 3)).all()


def test_augment_batch_new_options_leave_the_draws_of_the_old_ones(images: tf.Tensor) -> None:
    turned = AugmentConfig(brightness=0, contrast=0, erase_share=0)
    before, after = augmented(images, turned), augmented(images, replace(turned, dark_share=1.0))

    # A gamma changes no order: the brightest pixel stays where geometry put it.
    assert [each.argmax() for each in before] == [each.argmax() for each in after]


def test_augment_batch_glasses_and_mask_cover_their_part_of_the_face(images: tf.Tensor) -> None:
    before = augmented(images, STILL)
    with_glasses = augmented(images, replace(STILL, glasses_share=1.0))
    with_mask = augmented(images, replace(STILL, mask_share=1.0))
    # The rest differs by rounding: contrast is computed about another mean.
    glasses = (np.abs(before - with_glasses) > 0.1).any(axis=(0, 2, 3))
    mask = (np.abs(before - with_mask) > 0.1).any(axis=(0, 2, 3))

    assert np.flatnonzero(glasses).min() >= 13
    assert np.flatnonzero(glasses).max() <= 29
    assert np.flatnonzero(mask).min() >= 27
    assert mask[-1]
