import functools
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_web.errors import SettingsError
from tests.support.fer_rows import KERAS_WARNINGS
from train.config import BACKBONES, NetworkConfig, load_config
from train.networks.networks import HEADS, build_network
from train.networks.transfer import load_pretrained_weights

pytestmark = KERAS_WARNINGS

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype(np.float32)


def network(backbone: str, **changes: object) -> NetworkConfig:
    return NetworkConfig("transfer", "transfer", backbone=backbone, backbone_side=48, **changes)


@pytest.fixture(scope="module")
def built() -> Callable[[str], keras.Model]:
    """The network of a backbone, built once: its hundreds of layers take seconds."""
    return functools.cache(lambda backbone: build_network(network(backbone)))


def numpy_of(outputs: object) -> object:
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_build_network_transfer_is_saved_and_opened_in_safe_mode(
    tmp_path: Path, backbone: str, built: Callable[[str], keras.Model]
) -> None:
    model = built(backbone)
    model.save(tmp_path / "model.keras")

    opened = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)

    # Not by predict, which traces a graph: that takes far longer than two images do.
    expected, found = numpy_of(model(IMAGES, training=False)), numpy_of(opened(IMAGES, training=False))
    for head, size in HEADS.items():
        assert found[head].shape == (2, size)
        np.testing.assert_allclose(found[head], expected[head], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_build_network_transfer_twice_has_the_same_paths(
    backbone: str, built: Callable[[str], keras.Model]
) -> None:
    first, second = built(backbone), build_network(network(backbone), for_training=True)

    assert [each.path for each in first.weights] == [each.path for each in second.weights]


@pytest.mark.parametrize(("backbone", "mean"), [("vgg16", [103.939, 116.779, 123.68]), ("resnet50", None)])
def test_build_network_transfer_preprocesses_as_its_application(
    backbone: str, mean: list[float] | None, built: Callable[[str], keras.Model]
) -> None:
    model = built(backbone)
    application = getattr(keras.applications, backbone)
    before_backbone = keras.Model(model.input, model.get_layer("take_mean_off").output)

    found = numpy_of(before_backbone(IMAGES, training=False))

    expected = application.preprocess_input(np.repeat(IMAGES, 3, axis=-1).copy())
    np.testing.assert_allclose(found, expected, atol=1e-3)
    if mean:
        np.testing.assert_allclose(IMAGES[0, 0, 0, 0] - found[0, 0, 0], mean, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_load_pretrained_weights_gives_the_applications_features(
    tmp_path: Path, built: Callable[[str], keras.Model]
) -> None:
    application = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(48, 48, 3), pooling="avg"
    )
    model = built("efficientnetb0")
    features = keras.Model(model.input, model.get_layer("dropout").input)
    expected = numpy_of(application(np.repeat(IMAGES, 3, axis=-1), training=False))
    assert np.ptp(expected) > 0
    application.save_weights(tmp_path / "weights.weights.h5")
    application.save(tmp_path / "model.h5")

    for name in ("weights.weights.h5", "model.h5"):
        for variable in features.weights:
            variable.assign(np.ones(variable.shape))
        load_pretrained_weights(model, network("efficientnetb0", pretrained_weights=str(tmp_path / name)))
        np.testing.assert_allclose(
            numpy_of(features(IMAGES, training=False)), expected, rtol=1e-3, atol=1e-5, err_msg=name
        )


def test_load_pretrained_weights_of_another_network_raises(
    tmp_path: Path, built: Callable[[str], keras.Model]
) -> None:
    other = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3), pooling="avg")
    other.save_weights(tmp_path / "vgg16.weights.h5")
    config = network("efficientnetb0", pretrained_weights=str(tmp_path / "vgg16.weights.h5"))

    with pytest.raises(SettingsError, match="does not fit efficientnetb0"):
        load_pretrained_weights(built("efficientnetb0"), config)


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_load_pretrained_weights_missing_or_broken_file_raises(
    tmp_path: Path, content: bytes | None, built: Callable[[str], keras.Model]
) -> None:
    path = tmp_path / "efficientnetb0.h5"
    if content:
        path.write_bytes(content)
    config = network("efficientnetb0", pretrained_weights=str(path))

    with pytest.raises(SettingsError, match="does not fit" if content else "does not exist"):
        load_pretrained_weights(built("efficientnetb0"), config)


def test_transfer_config_starts_from_scratch_until_given_weights() -> None:
    assert load_config("transfer").network.pretrained_weights == ""
