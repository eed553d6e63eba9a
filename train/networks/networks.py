"""Build networks by name: from grey faces in 0-255 to two sets of logits."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from train.config import NetworkConfig
from train.networks.reference_networks import TRUNKS
from train.networks.transfer import transfer

INPUT_SHAPE = (48, 48, 1)
HEADS = {"original": len(EMOTIONS), "ferplus": len(FERPLUS_VOTES)}
"""Names of the two outputs and how many logits each has."""

MAX_PARAMETERS = 5_000_000
"""Networks that ship have no more; `transfer` may have."""


def build_network(
    config: NetworkConfig, *, for_training: bool = False, any_size: bool = False
) -> keras.Model:
    """Build a network with fresh weights, in the current dtype policy.

    Args:
        for_training: use the faster batch normalisation where the backend has one. Weights and
            their paths are the same either way; only the plain network can be saved as a file that
            others open.
        any_size: take images of any height and width, for training on smaller ones; residual
            networks only.
    Returns: a model from float32 (N, 48, 48, 1), 0-255, to a dict of float32 logits: "original" (N,
        7) in the order of EMOTIONS and "ferplus" (N, 10) in the order of FERPLUS_VOTES. Pixel
        scaling is inside.
    """
    has_fused = for_training and keras.config.backend() == "tensorflow"
    normalization = FusedBatchNormalization if has_fused else layers.BatchNormalization
    image = keras.Input((None, None, 1) if any_size else INPUT_SHAPE, name="image")
    x = _trunk(image, config, normalization)
    # float32: softmax and cross-entropy on bfloat16 logits would keep two decimal digits only.
    heads = {name: layers.Dense(size, dtype="float32", name=name)(x) for name, size in HEADS.items()}
    return keras.Model(image, heads, name=config.name)


def _trunk(image: Any, config: NetworkConfig, normalization: type[layers.BatchNormalization]) -> Any:
    if config.architecture == "transfer":
        return transfer(image, config, normalization)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale_pixels")(image)
    if config.architecture in TRUNKS:
        return TRUNKS[config.architecture](x, config.dropout, normalization)
    return _residual(x, config, _Parts(normalization))


def _residual(x: Any, config: NetworkConfig, parts: "_Parts") -> Any:
    x = parts.conv_bn_relu(x, config.stem_filters[0], name="stem1")
    x = parts.conv_bn_relu(x, config.stem_filters[1], strides=2, name="stem2")
    for i, (filters, strides) in enumerate(config.blocks, start=1):
        x = parts.residual_block(x, filters, strides=strides, name=f"block{i}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dropout(config.dropout, name="dropout")(x)


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build layers under another Keras dtype policy, for the time of a with block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class FusedBatchNormalization(layers.BatchNormalization):
    """It normalises by TensorFlow's one fused kernel: residual networks train a quarter faster.

    keras.layers.BatchNormalization copies bfloat16 activations to float32 and back; the kernel
    computes its sums in float32 without the copies.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise (N, H, W, C) by batch statistics in training, by the moving ones otherwise."""
        import tensorflow as tf

        is_training = bool(training and self.trainable)
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=self.moving_mean,
            variance=self.moving_variance,
            epsilon=self.epsilon,
            is_training=is_training,
        )
        if is_training:
            self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1 - self.momentum))
            self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1 - self.momentum))
        return normalized


class _Parts:
    """It makes building blocks that share one kind of batch normalisation."""

    def __init__(self, normalization: type[layers.BatchNormalization]) -> None:
        self._normalization = normalization

    def conv_bn(self, x: Any, filters: int, *, name: str, strides: int = 1, kernel_size: int = 3) -> Any:
        x = layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        )(x)
        return self._normalization(momentum=0.98, epsilon=1e-5, name=f"{name}_bn")(x)

    def conv_bn_relu(self, x: Any, filters: int, *, name: str, strides: int = 1) -> Any:
        return layers.ReLU(name=f"{name}_relu")(self.conv_bn(x, filters, name=name, strides=strides))

    def residual_block(self, x: Any, filters: int, *, strides: int, name: str) -> Any:
        """Build two convolutions and a channel gate beside a short cut.

        He et al. 2016, "Deep residual learning"; Hu et al. 2018, "Squeeze-and-excitation networks".
        """
        shortcut = x
        if strides != 1 or x.shape[-1] != filters:
            shortcut = self.conv_bn(x, filters, kernel_size=1, strides=strides, name=f"{name}_shortcut")
        y = self.conv_bn_relu(x, filters, strides=strides, name=f"{name}_1")
        y = self.conv_bn(y, filters, name=f"{name}_2")
        y = _squeeze_excite(y, name=f"{name}_se")
        return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([y, shortcut]))


def _squeeze_excite(x: Any, *, name: str, ratio: int = 8) -> Any:
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    gate = layers.Conv2D(max(1, channels // ratio), 1, activation="relu", name=f"{name}_squeeze")(gate)
    gate = layers.Conv2D(channels, 1, activation="sigmoid", name=f"{name}_excite")(gate)
    return layers.Multiply(name=f"{name}_scale")([x, gate])
