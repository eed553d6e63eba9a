from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from fer_web.errors import SettingsError
from tests.support.fer_rows import KERAS_WARNINGS
from tests.support.torch_files import state_dict_file
from train.config import NetworkConfig, load_config
from train.networks.networks import MAX_PARAMETERS, build_network
from train.networks.transfer import load_pretrained_weights

pytestmark = KERAS_WARNINGS

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype(np.float32)

# Table 1 of Tan and Le 2019: filters' side, channels and stride of each of the sixteen blocks.
BLOCKS = [
    *[(3, 16, 1)],
    *[(3, 24, 2), (3, 24, 1)],
    *[(5, 40, 2), (5, 40, 1)],
    *[(3, 80, 2), (3, 80, 1), (3, 80, 1)],
    *[(5, 112, 1), (5, 112, 1), (5, 112, 1)],
    *[(5, 192, 2), (5, 192, 1), (5, 192, 1), (5, 192, 1)],
    *[(3, 320, 1)],
]

Arrays = dict[str, NDArray[np.float32]]


def shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names of PyTorch's state dict, and shapes; those of a convolution are (out, in, H, W)."""
    yield "_conv_stem.weight", (32, 3, 3, 3)
    yield "_bn0", (32,)
    before = 32
    for i, (side, channels, _) in enumerate(BLOCKS):
        wide = before * 6 if i else before
        if i:
            yield f"_blocks.{i}._expand_conv.weight", (wide, before, 1, 1)
            yield f"_blocks.{i}._bn0", (wide,)
        yield f"_blocks.{i}._depthwise_conv.weight", (wide, 1, side, side)
        yield f"_blocks.{i}._bn1", (wide,)
        yield f"_blocks.{i}._project_conv.weight", (channels, wide, 1, 1)
        yield f"_blocks.{i}._bn2", (channels,)
        before = channels
    yield "_conv_head.weight", (1280, 320, 1, 1)
    yield "_bn1", (1280,)


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    rng = np.random.default_rng(1)
    made: Arrays = {}
    for name, shape in shapes():
        if name.endswith(".weight"):
            made[name] = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
            continue
        for part, (low, high) in {"weight": (0.5, 1.5), "bias": (-0.5, 0.5)}.items():
            made[f"{name}.{part}"] = rng.uniform(low, high, shape).astype(np.float32)
        made[f"{name}.running_mean"] = rng.normal(0, 0.1, shape).astype(np.float32)
        made[f"{name}.running_var"] = rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return made


def features_of_colours(images: NDArray[np.float32], arrays: Arrays) -> NDArray[np.float32]:
    """The network as it is published, for colours: (N, H, W, 3), 0-255, to (N, 1280)."""

    def normalized(x: tf.Tensor, name: str) -> tf.Tensor:
        gamma, beta, mean, variance = (
            arrays[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def convolved(x: tf.Tensor, name: str, stride: int = 1) -> tf.Tensor:
        return tf.nn.conv2d(x, arrays[f"{name}.weight"].transpose(2, 3, 1, 0), stride, "SAME")

    x = tf.constant((images - 127) / 128)
    x = tf.nn.relu6(normalized(convolved(x, "_conv_stem", 2), "_bn0"))
    for i, (_, channels, stride) in enumerate(BLOCKS):
        name, y = f"_blocks.{i}", x
        if i:
            y = tf.nn.relu6(normalized(convolved(y, f"{name}._expand_conv"), f"{name}._bn0"))
        filters = arrays[f"{name}._depthwise_conv.weight"].transpose(2, 3, 0, 1)
        y = tf.nn.depthwise_conv2d(y, filters, [1, stride, stride, 1], "SAME")
        y = tf.nn.relu6(normalized(y, f"{name}._bn1"))
        y = normalized(convolved(y, f"{name}._project_conv"), f"{name}._bn2")
        x = y + x if stride == 1 and x.shape[-1] == channels else y
    x = tf.nn.relu6(normalized(convolved(x, "_conv_head"), "_bn1"))
    return tf.reduce_mean(x, axis=[1, 2]).numpy()


def config(path: Path) -> NetworkConfig:
    return NetworkConfig(
        "lite0", "transfer", backbone="efficientnet_lite0", backbone_side=48, pretrained_weights=str(path)
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    """The network, built once: tests load other weights into it, or fail to."""
    return build_network(config(tmp_path_factory.mktemp("none") / "none.pth"))


def features(model: keras.Model) -> NDArray[np.float32]:
    """What the heads see of IMAGES; without a graph, whose tracing takes longer than two images do."""
    return keras.ops.convert_to_numpy(
        keras.Model(model.input, model.get_layer("dropout").input)(IMAGES, training=False)
    )


def test_grey_faces_have_the_features_that_their_colours_have_in_training_too(
    tmp_path: Path, arrays: Arrays, plain: keras.Model
) -> None:
    (tmp_path / "lite0.pth").write_bytes(state_dict_file(arrays))
    wanted = config(tmp_path / "lite0.pth")
    expected = features_of_colours(np.repeat(IMAGES, 3, axis=-1), arrays)
    assert np.ptp(expected) > 0

    for model in (plain, build_network(wanted, for_training=True)):
        load_pretrained_weights(model, wanted)
        np.testing.assert_allclose(features(model), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def _without_a_block(arrays: Arrays) -> Arrays:
    return {name: each for name, each in arrays.items() if "_blocks.7." not in name}


def _wider(arrays: Arrays) -> Arrays:
    return {**arrays, "_conv_head.weight": np.zeros((1408, 320, 1, 1), np.float32)}


@pytest.mark.parametrize("change", [_without_a_block, _wider])
def test_weights_of_another_network_raise(
    tmp_path: Path, arrays: Arrays, plain: keras.Model, change: object
) -> None:
    (tmp_path / "other.pth").write_bytes(state_dict_file(change(arrays)))
    wanted = config(tmp_path / "other.pth")

    with pytest.raises(SettingsError, match=r"other\.pth does not fit efficientnet_lite0"):
        load_pretrained_weights(plain, wanted)


def test_a_broken_file_raises(tmp_path: Path, plain: keras.Model) -> None:
    (tmp_path / "broken.pth").write_bytes(b"no weights")
    wanted = config(tmp_path / "broken.pth")

    with pytest.raises(SettingsError, match=r"broken\.pth does not fit .* Take the \.pth file"):
        load_pretrained_weights(plain, wanted)


def test_a_missing_file_says_how_to_fetch_it(tmp_path: Path, plain: keras.Model) -> None:
    wanted = config(tmp_path / "missing.pth")

    with pytest.raises(
        SettingsError, match=r"missing\.pth does not exist\. The head of .*transfer_lite0\.toml"
    ):
        load_pretrained_weights(plain, wanted)


def test_the_config_is_within_what_may_ship() -> None:
    network = load_config("transfer_lite0").network

    assert network.backbone == "efficientnet_lite0"
    assert build_network(network).count_params() <= MAX_PARAMETERS
