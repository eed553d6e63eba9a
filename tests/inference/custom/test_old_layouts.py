"""Layouts of networks since Keras 1: each with the same weights, opened with the same scores."""

import json
import shutil

import h5py
import keras
import numpy as np
import pytest

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.opening import open_custom
from fer_web.inference.custom.options import ModelOptions
from fer_web.inference.custom.probes import probe_crops
from fer_web.inference.custom.scaling import scale_pixels
from tests.support.custom_networks import as_keras_2, with_weights
from tests.support.fer_rows import KERAS_WARNINGS

pytestmark = [KERAS_WARNINGS, pytest.mark.filterwarnings("ignore:.*np.object.*:FutureWarning")]

L = keras.layers
KEPT = {
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "activation", "use_bias"),
    "BatchNormalization": ("axis", "momentum", "epsilon"),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "Flatten": (),
    "Dropout": ("rate",),
    "Dense": ("units", "activation", "use_bias"),
}
WORDS_OF_KERAS_1 = {
    "filters": "nb_filter", "strides": "subsample", "padding": "border_mode", "use_bias": "bias",
    "units": "output_dim", "rate": "p",
}  # fmt: skip
INPUT = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 48, 48, 1], "name": "in"}}


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A network, its file as Keras 3 writes it, and its layers as plain as Keras 2 wrote them."""
    model = with_weights(
        keras.Sequential(
            [
                L.Input((48, 48, 1)),
                L.Conv2D(8, 3, activation="relu", name="conv"),
                L.BatchNormalization(name="norm"),
                L.MaxPooling2D(name="pool"),
                L.Flatten(name="flat"),
                L.Dropout(0.3, name="drop"),
                L.Dense(7, activation="softmax", name="dense"),
            ]
        )
    )
    path = tmp_path_factory.mktemp("flat") / "today.h5"
    model.save(path)
    found = json.loads(model.to_json())["config"]["layers"]
    layers = [plain(layer) for layer in found if layer["class_name"] != "InputLayer"]
    return model, path, layers


def plain(layer):
    kind, config = layer["class_name"], layer["config"]
    kept = {"name": config["name"], "trainable": True, **{key: config[key] for key in KEPT[kind]}}
    if kind == "BatchNormalization":
        kept["axis"] = [3]
    return {"class_name": kind, "config": kept}


def with_shape(layers):
    """The first layer says what it takes, as there is no InputLayer."""
    first, *others = layers
    config = {**first["config"], "batch_input_shape": [None, 48, 48, 1], "dtype": "float32"}
    return [{**first, "config": config}, *others]


def in_words_of_keras_1(layer):
    config = {WORDS_OF_KERAS_1.get(key, key): value for key, value in layer["config"].items()}
    kind = layer["class_name"]
    if kind == "Conv2D":
        kind = "Convolution2D"
        config["nb_row"], config["nb_col"] = config.pop("kernel_size")
        config |= {"dim_ordering": "tf", "init": "normal", "W_regularizer": None}
    if kind == "BatchNormalization":
        config |= {"mode": 0, "axis": -1, "beta_init": "zero", "gamma_init": "one"}
    if kind == "MaxPooling2D":
        config["dim_ordering"] = "tf"
    return {"class_name": kind, "config": config}


def sequential(layers):
    return {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}


def functional(layers, kind):
    """The same layers as a graph."""
    names = ["in", *(layer["config"]["name"] for layer in layers)]
    nodes = [{**INPUT, "name": "in", "inbound_nodes": []}]
    for layer, name, before in zip(layers, names[1:], names, strict=False):
        nodes.append({**layer, "name": name, "inbound_nodes": [[[before, 0, 0, {}]]]})
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [[names[-1], 0, 0]]}
    return {"class_name": kind, "config": {"name": "m", "layers": nodes, **ends}}


LAYOUTS = {
    "Sequential with InputLayer": lambda layers: sequential([INPUT, *layers]),
    "Sequential without InputLayer": lambda layers: sequential(with_shape(layers)),
    "Sequential as a list": lambda layers: {"class_name": "Sequential", "config": with_shape(layers)},
    "list in words of Keras 1": lambda layers: {
        "class_name": "Sequential",
        "config": with_shape([in_words_of_keras_1(layer) for layer in layers]),
    },
    "Functional": lambda layers: functional(layers, "Functional"),
    "Model": lambda layers: functional(layers, "Model"),
}


def written(tmp_path, today, config, version="2.2.4"):
    path = tmp_path / "old.h5"
    shutil.copy(today, path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version
    return path


def scores(path, scaling="0..1"):
    opened = open_custom(path, ModelOptions())
    crops = probe_crops(opened.info.size_hw, opened.info.channels)
    return opened.new_classifier().outputs(crops, scaling)


def expected(model):
    crops = probe_crops(model.input_shape[1:3], model.input_shape[3])
    return np.asarray(model(scale_pixels(crops, "0..1"), training=False))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_scores_of_today(flat, tmp_path, layout):
    model, today, layers = flat
    path = written(tmp_path, today, LAYOUTS[layout](layers))
    np.testing.assert_allclose(scores(path), expected(model), atol=1e-4)


@pytest.mark.parametrize("layout", ["Sequential as a list", "list in words of Keras 1"])
def test_an_architecture_beside_its_weights_too(flat, tmp_path, layout):
    model, today, layers = flat
    (tmp_path / "a.json").write_text(json.dumps(LAYOUTS[layout](layers)))
    with h5py.File(today) as source, h5py.File(tmp_path / "a.h5", "w") as target:
        for name in source["model_weights"]:
            source.copy(source["model_weights"][name], target, name)
        for name, value in source["model_weights"].attrs.items():
            target.attrs[name] = value
    np.testing.assert_allclose(scores(tmp_path / "a.json"), expected(model), atol=1e-4)


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    """As Teachable Machine builds it: a Functional in a Sequential in a Sequential."""
    image = L.Input((64, 64, 3), name="pic")
    base = keras.Model(image, L.ReLU(name="relu")(L.Conv2D(8, 3, name="conv")(image)), name="base")
    front = keras.Sequential([L.Input((64, 64, 3)), base, L.GlobalAveragePooling2D(name="gap")], name="front")
    head = keras.Sequential([L.Input((8,)), L.Dense(7, activation="softmax", name="dense")], name="head")
    model = keras.Sequential([L.Input((64, 64, 3)), front, head], name="top")
    path = tmp_path_factory.mktemp("nested") / "today.h5"
    model.save(path)
    return model, path, as_keras_2(json.loads(model.to_json()))


@pytest.mark.parametrize("has_inputs", [True, False])
def test_models_in_models_as_teachable_machine_writes_them(nested, tmp_path, has_inputs):
    model, today, config = nested
    front, head = [layer for layer in config["config"]["layers"] if layer["class_name"] == "Sequential"]
    (inner,) = [layer for layer in front["config"]["layers"] if layer["class_name"] == "Functional"]
    for end in ("input_layers", "output_layers"):
        if not isinstance(inner["config"][end][0], list):
            inner["config"][end] = [inner["config"][end]]
    for part in inner["config"]["layers"]:
        before = {"conv": "pic", "relu": "conv"}.get(part["config"]["name"])
        part["inbound_nodes"] = [[[before, 0, 0, {}]]] if before else []
    if not has_inputs:
        for each in (config, front, head):
            each["config"]["layers"] = [
                part for part in each["config"]["layers"] if part["class_name"] != "InputLayer"
            ]
        head["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 8]
    np.testing.assert_allclose(scores(written(tmp_path, today, config)), expected(model), atol=1e-4)


def test_what_does_not_fit_is_said_without_kerass_wrapping(flat, tmp_path):
    _, today, layers = flat
    first = {"class_name": "Dense", "config": {"name": "d", "units": 3, "activation": "linear"}}
    path = written(tmp_path, today, sequential([INPUT, *layers[:4], first, layers[0]]))
    with pytest.raises(ModelArtifactError) as caught:
        open_custom(path, ModelOptions())
    assert "cannot be opened by Keras (" in str(caught.value)
    assert not any(text in str(caught.value) for text in ("\x1b", "Exception encountered", "()"))
