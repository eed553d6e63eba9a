"""Estimate the batch normalisation statistics that belong to given weights."""

from collections.abc import Iterable

import keras
from numpy.typing import ArrayLike


def estimate_batch_statistics(model: keras.Model, batches: Iterable[ArrayLike]) -> None:
    """Set every layer's moving mean and variance to their averages over `batches`.

    Averaged weights need this: the moving statistics of training belong to the raw weights, and
    with them the averaged network is several points worse until the learning rate has faded
    (Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization",
    section 3.2).

    Args:
        model: changed in place; its other weights stay.
        batches: float32 (N, 48, 48, 1) each, 0-255, as in training; at least one.
    """
    layers = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in layers]
    sums: list[tuple[keras.KerasTensor, keras.KerasTensor]] = []
    count = 0
    for layer in layers:
        # The moving statistics then hold those of the last batch alone.
        layer.momentum = 0.0
    for batch in batches:
        model(batch, training=True)
        found = [(layer.moving_mean + 0.0, layer.moving_variance + 0.0) for layer in layers]
        sums = [(a + c, b + d) for (a, b), (c, d) in zip(sums, found, strict=True)] if sums else found
        count += 1
    for layer, momentum, (mean, variance) in zip(layers, momenta, sums, strict=True):
        layer.momentum = momentum
        layer.moving_mean.assign(mean / count)
        layer.moving_variance.assign(variance / count)
