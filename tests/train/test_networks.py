from pathlib import Path

import keras
import numpy as np
import pytest

from train.config import CONFIG_DIR, FitConfig, load_config
from train.networks import MAX_PARAMETERS, build_network


@pytest.mark.parametrize("path", sorted(CONFIG_DIR.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_network_outputs_and_size(path: Path) -> None:
    model = build_network(load_config(path.stem).network)

    assert model.input_shape == (None, 48, 48, 1)
    assert {key: value.shape for key, value in model.output.items()} == {
        "original": (None, 7),
        "ferplus": (None, 10),
    }
    assert model.count_params() <= MAX_PARAMETERS


def test_build_network_fast_normalisation_computes_the_same(tiny_config: FitConfig) -> None:
    plain = build_network(tiny_config.network)
    fast = build_network(tiny_config.network, for_training=True)
    images = np.random.default_rng(0).uniform(0, 255, (8, 48, 48, 1)).astype(np.float32)
    assert [each.path for each in plain.weights] == [each.path for each in fast.weights]
    for mine, other in zip(fast.weights, plain.weights, strict=True):
        mine.assign(other)

    for training in (False, True):
        # Dropout is random: in training only the moving statistics that follow are compared.
        expected, found = plain(images, training=training), fast(images, training=training)
        if not training:
            np.testing.assert_allclose(found["ferplus"], expected["ferplus"], atol=1e-4)

    for mine, other in zip(moving(fast), moving(plain), strict=True):
        # The fused kernel divides the variance by n - 1.
        np.testing.assert_allclose(mine, other, rtol=0.05, atol=0.005)


def moving(model: keras.Model) -> list[np.ndarray]:
    return [each.numpy() for each in model.weights if "/moving_" in each.path]
