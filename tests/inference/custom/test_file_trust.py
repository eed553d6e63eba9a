"""Files that can run code are not opened unless somebody says so, and then they are."""

import json
import warnings
import zipfile

import h5py
import keras
import numpy as np
import pytest

from fer_web.errors import ModelArtifactError, ModelTrustError
from fer_web.inference.custom.keras_config import code_in, parse_config
from fer_web.inference.custom.options import ModelOptions
from fer_web.inference.models import open_model
from tests.support import custom_networks as networks
from tests.support.fer_rows import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS
TRUSTED = ModelOptions(is_trusted=True)
layers = keras.layers


def with_lambda():
    """A network whose second layer is a Python function of its maker's."""
    return keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            layers.Lambda(lambda x: x * 2.0, output_shape=(48, 48, 1), name="double"),
            layers.Flatten(),
            layers.Dense(7, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("save", [networks.save_keras, networks.save_h5, networks.save_json])
def test_a_lambda_asks_for_trust_and_runs_with_it(tmp_path, save):
    model = with_lambda()
    path = save(model, tmp_path)
    with pytest.raises(ModelTrustError) as error:
        open_model(path)
    for words in (
        "Lambda layer 'double'",
        "Python code",
        "read, change and send",
        "--trust",
        ".tflite or .onnx",
    ):
        assert words in str(error.value)
    crops = networks.faces_for((48, 48))
    scores = open_model(path, TRUSTED).new_classifier().classify(crops).scores
    np.testing.assert_allclose(scores, model(crops / np.float32(255)), atol=1e-3)


def test_a_lambda_does_not_run_without_trust(tmp_path):
    marker = tmp_path / "was-here"
    code = with_code(marker)
    path = networks.save_keras(code, tmp_path)
    marker.unlink(missing_ok=True)
    with pytest.raises(ModelTrustError):
        open_model(path)
    assert not marker.exists()
    open_model(path, TRUSTED)
    assert marker.exists()


def with_code(marker):
    """A network that writes a file when it is built."""
    place = str(marker)

    return keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            layers.Lambda(lambda x: (open(place, "w").close(), x)[1], output_shape=(48, 48, 1)),
            layers.Flatten(),
            layers.Dense(7),
        ]
    )


def test_a_saved_model_always_asks_for_trust(tmp_path):
    path = networks.save_saved_model(networks.sequential_48(), tmp_path)
    with pytest.raises(ModelTrustError, match=r"SavedModel, which is a program.*--trust"):
        open_model(path)
    assert open_model(path, TRUSTED).info.size_hw == (48, 48)


@keras.saving.register_keras_serializable(package="theirs")
class Doubled(layers.Layer):
    """A layer of somebody's own."""

    def call(self, inputs):
        return inputs * 2


def test_a_registered_layer_asks_for_trust_even_where_this_process_knows_it(tmp_path):
    model = keras.Sequential([keras.Input((48, 48, 1)), Doubled(), layers.Flatten(), layers.Dense(7)])
    with pytest.raises(ModelTrustError, match="Doubled"):
        open_model(networks.save_keras(model, tmp_path))


def test_a_layer_that_nobody_knows_is_a_clear_error_with_trust_too(tmp_path):
    path = networks.save_keras(networks.sequential_48(), tmp_path)
    edit_config(path, lambda text: text.replace('"GlobalAveragePooling2D"', '"SpecialPooling"'))
    with pytest.raises(ModelTrustError, match="'SpecialPooling', no known layer"):
        open_model(path)
    with pytest.raises(ModelArtifactError, match=r"layers of its maker's own.*\.tflite or \.onnx"):
        open_model(path, TRUSTED)


def edit_config(path, edit):
    """Change config.json within a .keras file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = edit(parts["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def config_with(tmp_path, node):
    """Parsed configuration of a network in which `node` stands."""
    inner = {"name": "s", "layers": [{"module": "keras.layers", "class_name": "Flatten", "config": node}]}
    outer = {"module": "keras", "class_name": "Sequential", "config": inner}
    return parse_config(tmp_path, json.dumps(outer))


@pytest.mark.parametrize(
    "node",
    [
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"},
        {"module": "keras.utils", "class_name": "function", "config": "get_file"},
        {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"},
        {"module": "subprocess", "class_name": "Dense", "config": {}},
        {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp/x"}},
        {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {}},
        {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
        {"module": "keras.models", "class_name": "clone_model", "config": {}},
        {"class_name": "__lambda__", "config": {"value": "4wAAAA=="}},
        {"class_name": "Lambda", "config": {"function": ["4wAAAA=="]}},
        {"class_name": "__typespec__", "config": [], "spec_name": "X", "module": "os"},
        {"class_name": "TFOpLambda", "config": {}},
        {"deep": [{"deeper": {"class_name": "Lambda", "config": None}}]},
        {"module": "keras.src.ops.numpy", "class_name": "Vectorize", "config": {}},
        {"compile_config": {"loss": {"module": "theirs", "class_name": "Loss", "config": {}}}},
    ],
)
def test_code_in_finds_every_known_way_round_safe_mode(tmp_path, node):
    assert len(code_in(config_with(tmp_path, node))) == 1


@pytest.mark.parametrize("build", [networks.sequential_48, networks.xception_64, networks.rgb_224])
def test_code_in_finds_nothing_in_plain_networks_of_keras_2_and_3(tmp_path, build):
    model = build()
    model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
    config = json.loads(model.to_json())
    assert code_in(parse_config(tmp_path, json.dumps(config))) == []
    assert code_in(parse_config(tmp_path, json.dumps(networks.as_keras_2(config)))) == []


def test_code_in_finds_nothing_in_a_pretrained_kind_with_arithmetic_in_between(tmp_path):
    image = keras.Input((96, 96, 3))
    base = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(96, 96, 3))
    x = layers.GlobalAveragePooling2D()(base(image * 1.0 / 1.0))
    model = keras.Model(image, layers.Dense(7, activation="softmax")(x))
    assert code_in(parse_config(tmp_path, model.to_json())) == []


@pytest.mark.parametrize("how", ["link", "bytes"])
def test_weights_that_lie_in_another_file_are_refused(tmp_path, how):
    path = networks.save_h5(networks.sequential_48(), tmp_path)
    (tmp_path / "secret").write_bytes(b"x" * 64)
    with h5py.File(path, "r+") as file:
        if how == "link":
            file["model_weights/link"] = h5py.ExternalLink("other.h5", "/secret")
        else:
            outside = [(str(tmp_path / "secret"), 0, 64)]
            file.create_dataset("model_weights/outside", (16,), "f4", external=outside)
    for options in (ModelOptions(), TRUSTED):
        with pytest.raises(ModelArtifactError, match="other files of this machine"):
            open_model(path, options)


def test_a_compiled_model_is_opened_without_its_training_part(tmp_path):
    model = networks.sequential_48()
    model.compile("adam", loss=theirs_loss)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = networks.save_keras(model, tmp_path)
    assert open_model(path).info.size_hw == (48, 48)


def theirs_loss(truth, scores):
    """A loss that only training needs."""
    return keras.losses.categorical_crossentropy(truth, scores)
