from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.support.fer_rows import KERAS_WARNINGS
from train.config import ARCHITECTURES, CONFIG_DIR, FitConfig, load_config
from train.data.fer_data import FerData
from train.fit.batches import training_batches
from train.fit.fit import compile_network
from train.networks.networks import HEADS, MAX_PARAMETERS, build_network
from train.networks.reference_networks import TRUNKS

pytestmark = KERAS_WARNINGS


@pytest.mark.parametrize("path", sorted(CONFIG_DIR.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_network_outputs_and_size(path: Path) -> None:
    model = build_network(load_config(path.stem).network)

    assert model.input_shape == (None, 48, 48, 1)
    assert {key: value.shape for key, value in model.output.items()} == {
        "original": (None, 7),
        "ferplus": (None, 10),
    }
    assert model.count_params() <= MAX_PARAMETERS


def test_architectures_are_those_that_can_be_built() -> None:
    assert set(ARCHITECTURES) == {"residual", "transfer", *TRUNKS}


@pytest.mark.parametrize("name", sorted(TRUNKS))
def test_a_step_changes_every_weight_of_a_reference_network_in_the_precision_of_its_config(
    name: str, data: FerData
) -> None:
    config = replace(load_config(name), batch_size=4, epochs=1)
    model = compile_network(config, steps_per_epoch=1)
    # To trace a graph takes longer than the step.
    model.run_eagerly = True
    before = [each.numpy().copy() for each in model.trainable_variables]

    batch = next(iter(training_batches(data.split("Training"), config)))
    loss = model.train_on_batch(*batch)

    convolutions = [each for each in model.layers if isinstance(each, keras.layers.Conv2D)]
    computed_in = keras.DTypePolicy(config.dtype_policy).compute_dtype
    assert {each.compute_dtype for each in convolutions} == {computed_in}
    assert {model.get_layer(head).compute_dtype for head in HEADS} == {"float32"}
    assert np.isfinite(loss).all()
    moved = [
        (mine != each.numpy()).any() for mine, each in zip(before, model.trainable_variables, strict=True)
    ]
    assert all(moved)


@pytest.mark.parametrize("name", ["bn4", "vgg_small"])
@pytest.mark.parametrize("for_training", [False, True])
def test_dense_units_of_reference_networks_cannot_die(name: str, for_training: bool) -> None:
    model = build_network(load_config(name).network, for_training=for_training)
    kernel = model.get_layer("dense").kernel
    # As far below zero as a few steps of Adam can bring all units.
    kernel.assign(kernel - 0.01)
    features = keras.Model(model.input, model.get_layer("dropout").output)
    images = np.random.default_rng(0).uniform(0, 255, (64, 48, 48, 1)).astype(np.float32)

    shares = (np.asarray(features(images, training=True)) > 0).mean(axis=0)

    assert (shares > 0).mean() > 0.99


@pytest.mark.parametrize("name", sorted(TRUNKS))
def test_reference_network_weights_have_the_same_paths_in_training(name: str) -> None:
    config = load_config(name).network

    plain, fast = build_network(config), build_network(config, for_training=True)

    assert [each.path for each in plain.weights] == [each.path for each in fast.weights]


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
