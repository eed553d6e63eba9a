import keras
import numpy as np
import pytest

from tests.support.fer_rows import KERAS_WARNINGS
from train.config import NetworkConfig
from train.networks.activation_maps import CAM, with_activation_map
from train.networks.networks import build_network
from train.networks.reference_networks import TRUNKS

pytestmark = KERAS_WARNINGS


def small(architecture="residual"):
    return build_network(NetworkConfig(architecture=architecture, stem_filters=(8, 8), blocks=((16, 2),)))


@pytest.mark.parametrize("architecture", ["residual", "mini_xception"])
def test_the_mean_over_cells_is_the_logit(architecture):
    model = small(architecture)
    mapped = with_activation_map(model)
    images = np.random.default_rng(1).uniform(0, 255, (3, 48, 48, 1)).astype(np.float32)
    outputs = mapped.predict(images, verbose=0)
    np.testing.assert_allclose(outputs[CAM].mean(axis=(1, 2)), outputs["ferplus"], atol=1e-4)
    plain = model.predict(images, verbose=0)
    for name in ("original", "ferplus"):
        np.testing.assert_array_equal(outputs[name], plain[name])


def test_it_has_no_weights_of_its_own_and_keeps_name_and_paths():
    model = small()
    mapped = with_activation_map(model)
    assert mapped.name == model.name
    assert [each.path for each in mapped.weights] == [each.path for each in model.weights]


def test_a_network_that_has_it_already_stays_as_it_is(tmp_path):
    with_activation_map(small()).save(tmp_path / "model.keras")
    opened = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert with_activation_map(opened) is opened


@pytest.mark.parametrize("architecture", sorted(set(TRUNKS) - {"mini_xception"}))
def test_a_network_with_a_dense_layer_in_between_has_none(architecture):
    model = small(architecture)
    assert with_activation_map(model) is model
