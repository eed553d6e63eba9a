from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from fer_web.errors import SettingsError
from tests.support.fer_rows import KERAS_WARNINGS
from tests.support.tfjs_files import write_graph_weights
from train.config import NetworkConfig
from train.networks.networks import MAX_PARAMETERS, build_network
from train.networks.transfer import load_pretrained_weights

pytestmark = KERAS_WARNINGS

FACES = np.random.default_rng(0).uniform(0, 255, (32, 48, 48, 1)).astype(np.float32)

# Table 1 of Howard et al. 2017, with a stride of 1 where its last stage begins.
BLOCKS = [
    *[(64, 1)],
    *[(128, 2), (128, 1)],
    *[(256, 2), (256, 1)],
    *[(512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)],
    *[(1024, 1), (1024, 1)],
]

Arrays = dict[str, NDArray[np.float32]]


def shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the file's arrays: scales are merged into all kernels but the depthwise ones."""
    yield "conv1/convolution/merged_input", (3, 3, 3, 32)
    yield "conv1_bn/batchnorm_1/sub", (32,)
    before = 32
    for i, (channels, _) in enumerate(BLOCKS, start=1):
        yield f"conv_dw_{i}/depthwise_kernel", (3, 3, before, 1)
        yield f"conv_dw_{i}_bn/batchnorm_1/mul", (before,)
        yield f"conv_dw_{i}_bn/batchnorm_1/sub", (before,)
        yield f"conv_pw_{i}/convolution/merged_input", (1, 1, before, channels)
        yield f"conv_pw_{i}_bn/batchnorm_1/sub", (channels,)
        before = channels
    yield "age_pred/kernel", (256, 100)


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    rng = np.random.default_rng(1)
    made: Arrays = {}
    for name, shape in shapes():
        if name.endswith("/mul"):
            array = rng.uniform(0.5, 1.5, shape)
        elif name.endswith("/sub"):
            array = rng.uniform(-0.5, 0.5, shape)
        else:
            fan_in = 9 if "depthwise" in name else np.prod(shape[:3])
            array = rng.normal(0, np.sqrt(2 / fan_in), shape)
        made[name] = array.astype(np.float32)
    # Pixels are not scaled down before it.
    made["conv1/convolution/merged_input"] /= 100
    return made


def features_of_colours(images: NDArray[np.float32], arrays: Arrays) -> NDArray[np.float32]:
    """The network as the file has it, for colours without their mean: (N, H, W, 3) to (N, 1024)."""
    x = tf.nn.conv2d(images, arrays["conv1/convolution/merged_input"], 2, "SAME")
    x = tf.nn.relu6(x + arrays["conv1_bn/batchnorm_1/sub"])
    for i, (_, stride) in enumerate(BLOCKS, start=1):
        x = tf.nn.depthwise_conv2d(x, arrays[f"conv_dw_{i}/depthwise_kernel"], [1, stride, stride, 1], "SAME")
        scale, shift = (arrays[f"conv_dw_{i}_bn/batchnorm_1/{part}"] for part in ("mul", "sub"))
        x = tf.nn.relu6(x * scale + shift)
        x = tf.nn.conv2d(x, arrays[f"conv_pw_{i}/convolution/merged_input"], 1, "SAME")
        x = tf.nn.relu6(x + arrays[f"conv_pw_{i}_bn/batchnorm_1/sub"])
    return tf.reduce_mean(x, axis=[1, 2]).numpy()


def config(path: Path) -> NetworkConfig:
    return NetworkConfig(
        "faces", "transfer", backbone="mobilenet", backbone_side=48, pretrained_weights=str(path)
    )


def loaded(path: Path, *, for_training: bool = False) -> keras.Model:
    model = build_network(config(path), for_training=for_training)
    load_pretrained_weights(model, config(path), FACES)
    return keras.Model(model.input, model.get_layer("dropout").input)


def test_grey_faces_have_the_features_that_their_colours_have(tmp_path: Path, arrays: Arrays) -> None:
    write_graph_weights(tmp_path / "faces.json", arrays)

    found = loaded(tmp_path / "faces.json").predict(FACES, verbose=0)

    # The mean pixel of VGGFace2. At the border it is not taken off what lies outside: one shift for all
    # channels of a grey pixel differs there, so colours have the mean of the means taken off.
    colours = np.repeat(FACES, 3, axis=-1) - np.mean([91.4953, 103.8827, 131.0912])
    made = dict(arrays)
    kernel = made["conv1/convolution/merged_input"]
    apart = np.array([91.4953, 103.8827, 131.0912]) - np.mean([91.4953, 103.8827, 131.0912])
    made["conv1_bn/batchnorm_1/sub"] = made["conv1_bn/batchnorm_1/sub"] - np.einsum(
        "hwco,c->o", kernel, apart
    ).astype(np.float32)
    expected = features_of_colours(colours.astype(np.float32), made)
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_training_starts_from_the_same_features(tmp_path: Path, arrays: Arrays) -> None:
    write_graph_weights(tmp_path / "faces.json", arrays)
    plain = loaded(tmp_path / "faces.json").predict(FACES, verbose=0)

    trunk = loaded(tmp_path / "faces.json", for_training=True)

    scale = np.abs(plain).max()
    np.testing.assert_allclose(trunk.predict(FACES, verbose=0), plain, atol=1e-3 * scale)
    # By the statistics of these faces, which the layers took for their own.
    np.testing.assert_allclose(np.asarray(trunk(FACES, training=True)), plain, atol=1e-2 * scale)


def _without_a_block(arrays: Arrays) -> Arrays:
    return {name: each for name, each in arrays.items() if "_dw_7" not in name}


def _wider(arrays: Arrays) -> Arrays:
    return {**arrays, "conv_pw_13/convolution/merged_input": np.zeros((1, 1, 1024, 1280), np.float32)}


def _without_a_scale(arrays: Arrays) -> Arrays:
    return {name: each for name, each in arrays.items() if name != "conv_dw_3_bn/batchnorm_1/mul"}


def _with_one_shift(arrays: Arrays) -> Arrays:
    return {**arrays, "conv_pw_5_bn/batchnorm_1/sub": np.zeros(1, np.float32)}


def _damaged(name: str) -> Callable[[Arrays], Arrays]:
    def change(arrays: Arrays) -> Arrays:
        array = arrays[name].copy()
        array.flat[3] = np.nan
        return {**arrays, name: array}

    return change


@pytest.mark.parametrize(
    "change",
    [
        _without_a_block,
        _wider,
        _without_a_scale,
        _with_one_shift,
        _damaged("conv1/convolution/merged_input"),
        _damaged("conv_pw_2_bn/batchnorm_1/sub"),
    ],
)
def test_weights_of_another_network_raise(
    tmp_path: Path, arrays: Arrays, change: Callable[[Arrays], Arrays]
) -> None:
    write_graph_weights(tmp_path / "other.json", change(arrays))

    with pytest.raises(SettingsError, match=r"other\.json does not fit mobilenet .* Take faceres-deep\.json"):
        loaded(tmp_path / "other.json")


def test_a_missing_or_broken_file_says_what_to_take(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"missing\.json does not exist\. The head of .*transfer_faces\.toml"
    ):
        loaded(tmp_path / "missing.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(SettingsError, match=r"broken\.json does not fit mobilenet .*transfer_faces\.toml"):
        loaded(tmp_path / "broken.json")


def test_the_network_is_within_what_may_ship(tmp_path: Path) -> None:
    assert build_network(config(tmp_path)).count_params() <= MAX_PARAMETERS
