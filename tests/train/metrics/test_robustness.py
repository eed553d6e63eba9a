import numpy as np
import pytest

from train.metrics.robustness import CHANGES, cover_eyes, cover_mouth, darken, rotate, shift


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 48, 48), np.uint8)


@pytest.mark.parametrize("name", CHANGES)
def test_change_keeps_form_changes_every_image_and_repeats(images: np.ndarray, name: str) -> None:
    before = images.copy()

    changed = CHANGES[name](images)

    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    assert (changed != images).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(CHANGES[name](images), changed)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("name", CHANGES)
def test_change_of_no_images_is_none(name: str) -> None:
    assert CHANGES[name](np.zeros((0, 48, 48), np.uint8)).shape == (0, 48, 48)


@pytest.mark.parametrize("name", ["blur", "low resolution", "rotation", "off centre"])
def test_change_leaves_an_even_grey(name: str) -> None:
    grey = np.full((2, 48, 48), 77, np.uint8)

    np.testing.assert_array_equal(CHANGES[name](grey), grey)


def test_darken_known_values() -> None:
    assert darken(np.array([[[0, 100, 255]]], np.uint8)).tolist() == [[[0, 20, 51]]]


def test_shift_moves_to_both_sides_in_turn() -> None:
    dot = np.zeros((2, 48, 48), np.uint8)
    dot[:, 24, 24] = 255

    columns = [each.max(axis=0).argmax() for each in shift(dot)]

    assert columns == [31, 17]


def test_rotate_turns_about_the_middle(images: np.ndarray) -> None:
    rings = np.hypot(*(np.indices((48, 48)) - 23.5)).astype(np.uint8) * 4

    turned = rotate(np.stack([rings, rings]))

    np.testing.assert_allclose(turned[0][14:34, 14:34], rings[14:34, 14:34], atol=5)
    np.testing.assert_allclose(turned[0], turned[1][:, ::-1], atol=5)


def test_covers_leave_the_rest(images: np.ndarray) -> None:
    np.testing.assert_array_equal(cover_mouth(images)[:, :32], images[:, :32])
    np.testing.assert_array_equal(cover_eyes(images)[:, 23:], images[:, 23:])
    np.testing.assert_array_equal(cover_eyes(images)[:, :14], images[:, :14])
