"""Reads what the layers of a Keras network say about its pixels and its output."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fer_web.inference.custom.custom_network import LOGITS, SIGMOID, SOFTMAX, Clue
from fer_web.inference.custom.keras_config import names_in

_BEFORE_SCALING = names_in(
    """
    InputLayer CenterCrop Resizing Reshape ZeroPadding2D GaussianNoise Dropout RandomBrightness RandomContrast
    RandomCrop RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth RandomZoom
    """
)
"""Layers that leave the range of pixels as it is when a network is used."""

_OUTPUTS = {"softmax": SOFTMAX, "sigmoid": SIGMOID, "linear": LOGITS}


def clue_of(model: Any) -> Clue | None:
    """Return what the first layers say about scaling; None where they say nothing."""
    for layer in _from_the_front(model):
        kind = type(layer).__name__
        if kind == "Rescaling":
            return _clue_of_factor(float(np.max(layer.scale)))
        if kind == "Normalization":
            return _clue_of_range(np.asarray(layer.mean), np.asarray(layer.variance), "Normalization")
        if kind == "BatchNormalization":
            mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
            return _clue_of_range(mean, variance, "BatchNormalization")
        if kind not in _BEFORE_SCALING:
            return None
    return None


def output_of(model: Any) -> str | None:
    """SOFTMAX, SIGMOID or LOGITS by the last layer; None where it does not say."""
    layer = model.layers[-1]
    while hasattr(layer, "layers") and layer.layers:
        layer = layer.layers[-1]
    if type(layer).__name__ == "Softmax":
        return SOFTMAX
    activation = getattr(layer, "activation", None)
    return _OUTPUTS.get(getattr(activation, "__name__", ""))


def is_xception(model: Any) -> bool:
    """Tell whether it is built of separable convolutions."""
    return any("SeparableConv2D" in type(layer).__name__ for layer in _from_the_front(model))


def _from_the_front(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if getattr(layer, "layers", None):
            yield from _from_the_front(layer)
        else:
            yield layer


def _clue_of_factor(factor: float) -> Clue | None:
    source = f"its Rescaling layer of {factor:.4g}"
    if factor < 0.05:
        return Clue("0..255", source)
    if 1.5 <= factor <= 4:
        return Clue("0..1", source)
    return Clue("-1..1", source) if 0.3 <= factor <= 0.7 else None


def _clue_of_range(mean: Any, variance: Any, kind: str) -> Clue | None:
    """Decide by the mean and variance that training measured; an untrained layer has 0 and 1."""
    centre, spread = float(np.mean(mean)), float(np.sqrt(np.mean(variance)))
    source = f"its first {kind} layer, which saw pixels of mean {centre:.3g}"
    if abs(centre) > 5:
        return Clue("0..255", source)
    if 0.2 <= centre <= 0.8 and spread < 0.6:
        return Clue("0..1", source)
    return Clue("-1..1", source) if abs(centre) < 0.2 and spread < 0.9 else None
