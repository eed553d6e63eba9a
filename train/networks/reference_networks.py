"""Build trunks of well-known small networks, to compare others with: scaled pixels to features."""

from collections.abc import Callable
from typing import Any

from keras import layers

Normalization = Callable[..., Any]
"""Class of a batch normalisation layer."""


def baseline(x: Any, dropout: float, normalization: Normalization) -> Any:
    """Build three convolutions of 32, 64 and 128, each with a pooling, and a dense layer of 128.

    The plain network of many tutorials, without batch normalisation.
    """
    for i, filters in enumerate((32, 64, 128), start=1):
        x = _conv(x, filters, name=f"conv{i}", activation="relu")
        x = layers.MaxPooling2D(name=f"pool{i}")(x)
    return _dense(x, 128, dropout)


def bn4(x: Any, dropout: float, normalization: Normalization) -> Any:
    """Build four convolutions of 32, 64, 128 and 128 and a dense layer of 250, all with batch
    normalisation.

    Half of `dropout` after each pooling, all of it after the dense layer.
    """
    for i, pair in enumerate(((32, 64), (128, 128)), start=1):
        for j, filters in enumerate(pair, start=1):
            x = _conv_bn_relu(x, filters, normalization, name=f"conv{i}_{j}")
        x = layers.MaxPooling2D(name=f"pool{i}")(x)
        x = layers.Dropout(dropout / 2, name=f"dropout{i}")(x)
    return _dense_bn(x, 250, dropout, normalization)


def mini_xception(x: Any, dropout: float, normalization: Normalization) -> Any:
    """Build mini-Xception.

    Arriaga et al. 2017, "Real-time convolutional neural networks for emotion and gender
    classification": four modules of separable convolutions with short cuts. The last convolution to
    class maps is left to the heads, which come after the global average here.
    """
    for i in (1, 2):
        x = _conv_bn_relu(x, 8, normalization, name=f"conv{i}", padding="valid")
    for i, filters in enumerate((16, 32, 64, 128), start=1):
        x = _separable_module(x, filters, normalization, name=f"module{i}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dropout(dropout, name="dropout")(x)


def vgg_small(x: Any, dropout: float, normalization: Normalization) -> Any:
    """Build VGG made small: four pairs of convolutions, 32 to 256, and a dense layer of 256.

    The original is of Simonyan and Zisserman 2015.
    """
    for i, filters in enumerate((32, 64, 128, 256), start=1):
        for j in (1, 2):
            x = _conv_bn_relu(x, filters, normalization, name=f"conv{i}_{j}")
        x = layers.MaxPooling2D(name=f"pool{i}")(x)
    return _dense_bn(x, 256, dropout, normalization)


TRUNKS = {"baseline": baseline, "bn4": bn4, "mini_xception": mini_xception, "vgg_small": vgg_small}


def _separable_module(x: Any, filters: int, normalization: Normalization, *, name: str) -> Any:
    shortcut = _conv(x, filters, name=f"{name}_shortcut", kernel_size=1, strides=2, use_bias=False)
    shortcut = _normalize(shortcut, normalization, name=f"{name}_shortcut_bn")
    for i in (1, 2):
        x = layers.SeparableConv2D(
            filters,
            3,
            padding="same",
            use_bias=False,
            depthwise_initializer="he_normal",
            pointwise_initializer="he_normal",
            name=f"{name}_{i}_conv",
        )(x)
        x = _normalize(x, normalization, name=f"{name}_{i}_bn")
        if i == 1:
            x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _conv(x: Any, filters: int, *, name: str, kernel_size: int = 3, **options: Any) -> Any:
    options = {"padding": "same", "kernel_initializer": "he_normal", **options}
    return layers.Conv2D(filters, kernel_size, name=name, **options)(x)


def _conv_bn_relu(
    x: Any, filters: int, normalization: Normalization, *, name: str, padding: str = "same"
) -> Any:
    x = _conv(x, filters, name=f"{name}_conv", use_bias=False, padding=padding)
    return layers.ReLU(name=f"{name}_relu")(_normalize(x, normalization, name=f"{name}_bn"))


def _normalize(x: Any, normalization: Normalization, *, name: str) -> Any:
    return normalization(momentum=0.98, epsilon=1e-5, name=name)(x)


def _dense_bn(x: Any, units: int, dropout: float, normalization: Normalization) -> Any:
    """Build a normalised dense layer.

    Its inputs are all positive and thousands, so that few of Adam's steps move a unit's sum far
    below zero for every image. Without normalisation such a unit never learns again: 247 of bn4's
    250 did not.
    """
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(units, use_bias=False, kernel_initializer="he_normal", name="dense")(x)
    # As an image of one pixel: the fused kernel takes no other shape.
    x = _normalize(layers.Reshape((1, 1, units), name="dense_pixel")(x), normalization, name="dense_bn")
    x = layers.Flatten(name="dense_flat")(layers.ReLU(name="dense_relu")(x))
    return layers.Dropout(dropout, name="dropout")(x)


def _dense(x: Any, units: int, dropout: float) -> Any:
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name="dense")(x)
    return layers.Dropout(dropout, name="dropout")(x)
