import keras
import numpy as np
import pytest

from train.networks.batch_statistics import estimate_batch_statistics
from train.networks.networks import FusedBatchNormalization


@pytest.mark.parametrize("layer_type", [keras.layers.BatchNormalization, FusedBatchNormalization])
def test_estimate_batch_statistics_are_the_means_over_batches(layer_type: type[keras.layers.Layer]) -> None:
    model = keras.Sequential([keras.Input((48, 48, 1)), layer_type(momentum=0.9)])
    batches = [
        np.random.default_rng(i).normal(3 * i, 1 + i, (4, 48, 48, 1)).astype(np.float32) for i in (1, 2)
    ]

    estimate_batch_statistics(model, batches)

    layer = model.layers[-1]
    assert layer.moving_mean.numpy()[0] == pytest.approx(np.mean([each.mean() for each in batches]), rel=1e-3)
    assert layer.moving_variance.numpy()[0] == pytest.approx(
        np.mean([each.var() for each in batches]), rel=1e-3
    )
    assert layer.momentum == 0.9
