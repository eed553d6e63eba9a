"""TensorFlow.js' models: the scores of the original, and clear words about what is broken."""

import json
import os

import keras
import numpy as np
import pytest

from fer_web.commands.main import main
from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.opening import open_custom
from fer_web.inference.custom.options import ModelOptions
from fer_web.inference.custom.probes import probe_crops
from fer_web.inference.custom.scaling import scale_pixels
from tests.support import tfjs_models
from tests.support.custom_networks import with_weights
from tests.support.fer_rows import KERAS_WARNINGS

pytestmark = [KERAS_WARNINGS, pytest.mark.filterwarnings("ignore:.*np.object.*:FutureWarning")]
L = keras.layers


@pytest.fixture(scope="module")
def flat():
    return with_weights(
        keras.Sequential(
            [
                keras.Input((48, 48, 1)),
                L.Conv2D(8, 3, activation="relu", name="conv"),
                L.BatchNormalization(name="norm"),
                L.MaxPooling2D(name="pool"),
                L.DepthwiseConv2D(3, strides=2, name="deep"),
                L.GlobalAveragePooling2D(name="flat"),
                L.Dropout(0.3, name="drop"),
                L.Dense(7, activation="softmax", name="dense"),
            ]
        )
    )


@pytest.fixture(scope="module")
def nested():
    """As Teachable Machine builds it."""
    image = L.Input((64, 64, 3), name="pic")
    inner = L.BatchNormalization(name="norm")(L.Conv2D(8, 3, use_bias=False, name="conv")(image))
    base = with_weights(keras.Model(image, L.ReLU(max_value=6.0, name="relu")(inner), name="base"))
    front = keras.Sequential([L.Input((64, 64, 3)), base, L.GlobalAveragePooling2D(name="gap")], name="front")
    head = keras.Sequential([L.Input((8,)), L.Dense(7, activation="softmax", name="dense")], name="head")
    return keras.Sequential([L.Input((64, 64, 3)), front, with_weights(head)], name="top")


def outputs(path, options=None):
    opened = open_custom(path, options or ModelOptions())
    crops = probe_crops(opened.network.input.size_hw, opened.network.input.channels)
    return opened.new_classifier().outputs(crops, "0..1")


def expected(model):
    crops = probe_crops(model.input_shape[1:3], model.input_shape[3])
    return np.asarray(model(scale_pixels(crops, "0..1"), training=False))


SAVES = {
    "layers of Keras 2": tfjs_models.save_layers,
    "layers of Keras 3": lambda model, folder: tfjs_models.save_layers(model, folder, "3.5.0"),
    "by JavaScript": tfjs_models.save_by_javascript,
    "graph": tfjs_models.save_graph,
    "fused graph": lambda model, folder: tfjs_models.save_graph(model, folder, fused=True),
    "names with the model's": lambda model, folder: tfjs_models.save_layers(
        model, folder, name_of=lambda layer, kind: f"sequential_1/{layer}/{kind}:0"
    ),
    "other names": lambda model, folder: tfjs_models.save_layers(
        model, folder, name_of=lambda layer, kind: f"x_{layer}/{kind}"
    ),
}


@pytest.mark.parametrize("way", SAVES)
def test_every_layout_gives_the_scores_of_keras(flat, tmp_path, way):
    path = SAVES[way](flat, tmp_path / "web")
    np.testing.assert_allclose(outputs(path), expected(flat), atol=1e-4)
    assert np.ptp(expected(flat), axis=0).max() > 0.005  # or agreement would mean nothing


@pytest.mark.parametrize("way", ["layers of Keras 2", "layers of Keras 3", "by JavaScript", "graph"])
def test_models_in_models_give_the_scores_of_keras(nested, tmp_path, way):
    path = SAVES[way](nested, tmp_path / "web")
    np.testing.assert_allclose(outputs(path.parent), expected(nested), atol=1e-4)


@pytest.mark.parametrize(("dtype", "tolerance"), [("uint8", 0.1), ("uint16", 1e-3), ("float16", 0.01)])
def test_quantised_weights_are_unpacked(flat, tmp_path, dtype, tolerance):
    path = tfjs_models.save_layers(flat, tmp_path, quantised=dtype)
    np.testing.assert_allclose(outputs(path), expected(flat), atol=tolerance)


def test_labels_of_teachable_machine_are_taken(flat, tmp_path):
    path = tfjs_models.save_layers(flat, tmp_path)
    names = ["Neutral", "Happy", "Sad", "Angry", "Surprised", "Fear", "Disgust"]
    (tmp_path / "metadata.json").write_text(json.dumps({"labels": names, "imageSize": 48}))
    assert open_custom(path, ModelOptions()).reading.labels[:4] == ("neutral", "happy", "sad", "angry")
    (tmp_path / "metadata.json").write_text(json.dumps({"labels": ["Class 1", "Class 2"]}))
    (tmp_path / "labels.txt").write_text("".join(f"{number} {name}\n" for number, name in enumerate(names)))
    reading = open_custom(path, ModelOptions()).reading
    assert reading.labels[4:] == ("surprise", "fear", "disgust")
    assert any("labels.txt" in text for text in reading.warnings)


def test_the_hash_is_of_all_shards(flat, tmp_path):
    path = tfjs_models.save_layers(flat, tmp_path)
    before = open_custom(path, ModelOptions()).info.model_hash
    shard = next(tmp_path.glob("*.bin"))
    data = bytearray(shard.read_bytes())
    data[0] ^= 1
    shard.write_bytes(data)
    assert open_custom(path, ModelOptions()).info.model_hash != before


def entry(model, number=0):
    return model["weightsManifest"][0]["weights"][number]


def paths(model, *names):
    model["weightsManifest"][0]["paths"] = list(names)


def drop_weight(model):
    del model["weightsManifest"][0]["weights"][-1]


FAULTS = {
    "elsewhere": (lambda model: paths(model, "../../etc/passwd"), "not in its folder"),
    "absolute": (lambda model: paths(model, "/etc/passwd"), "not in its folder"),
    "windows": (lambda model: paths(model, "..\\..\\secret"), "not in its folder"),
    "drive": (lambda model: paths(model, "C:secret"), "not in its folder"),
    "address": (lambda model: paths(model, "http://example.org/a.bin"), "not in its folder"),
    "inside": (lambda model: paths(model, "a/../../b.bin"), "not in its folder"),
    "empty": (lambda model: paths(model, ""), "not in its folder"),
    "missing": (lambda model: paths(model, "nothing.bin"), "which is not beside it"),
    "link": (lambda model: paths(model, "link.bin"), "not in its folder"),
    "huge": (lambda model: entry(model).update(shape=[10**6, 10**6]), "up to 300000000 are read"),
    "huger": (lambda model: entry(model).update(shape=[2**62] * 8), "up to 300000000 are read"),
    "negative": (lambda model: entry(model).update(shape=[-1, 3]), "of shape"),
    "words": (lambda model: entry(model).update(shape=["a"]), "of shape"),
    "fractions": (lambda model: entry(model).update(shape=[1.5]), "of shape"),
    "other shape": (lambda model: entry(model).update(shape=[72, 1]), "of another model"),
    "text": (lambda model: entry(model).update(dtype="string"), "cannot be read"),
    "no name": (lambda model: entry(model).pop("name"), "says not what it is"),
    "twice": (lambda model: entry(model).update(name=entry(model, 1)["name"]), "two weights of the name"),
    "one too few": (drop_weight, "of another model"),
    "no manifest": (lambda model: model.update(weightsManifest=[]), "has no weightsManifest"),
    "other manifest": (lambda model: model.update(weightsManifest=[7]), "without paths or weights"),
    "no layers": (lambda model: model.update(modelTopology={}), "no layers and no graph"),
    "quantised": (lambda model: entry(model).update(quantization={"dtype": "int4"}), "cannot be read"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_model_json_is_refused_in_one_line(flat, tmp_path, capsys, fault):
    path = tfjs_models.save_layers(flat, tmp_path / "web")
    os.symlink("/etc/passwd", tmp_path / "web" / "link.bin")
    model = json.loads(path.read_text())
    change, words = FAULTS[fault]
    change(model)
    path.write_text(json.dumps(model))
    assert main(["models", "check", str(path)], {}) == 1
    err = capsys.readouterr().err.strip()
    assert words in err
    assert "\n" not in err


def test_a_shard_that_was_cut_short_and_one_with_nan(flat, tmp_path):
    path = tfjs_models.save_layers(flat, tmp_path)
    shard = sorted(tmp_path.glob("*.bin"))[0]
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-100])
    with pytest.raises(ModelArtifactError, match="cut short"):
        outputs(path)
    shard.write_bytes(np.float32(np.nan).tobytes() + whole[4:])
    with pytest.raises(ModelArtifactError, match="NaN"):
        outputs(path)


@pytest.mark.parametrize(
    "operation", ["ReadFile", "WriteFile", "PyFunc", "PartitionedCall", "LoadAndRemapMatrix"]
)
def test_a_graph_with_operations_that_do_more_than_compute_is_not_opened(flat, tmp_path, operation):
    path = tfjs_models.save_graph(flat, tmp_path)
    model = json.loads(path.read_text())
    model["modelTopology"]["node"].append({"name": "x", "op": operation, "input": [], "attr": {}})
    path.write_text(json.dumps(model))
    with pytest.raises(ModelArtifactError, match=f"operation '{operation}'"):
        open_custom(path, ModelOptions(is_trusted=True))


@pytest.mark.parametrize("key", ["input", "attr"])
def test_an_altered_graph_is_refused(flat, tmp_path, key):
    path = tfjs_models.save_graph(flat, tmp_path)
    model = json.loads(path.read_text())
    node = next(each for each in model["modelTopology"]["node"] if each["op"] == "Conv2D")
    node[key] = ["nowhere", "nothing"] if key == "input" else {"T": {"type": "DT_LIES"}}
    path.write_text(json.dumps(model))
    with pytest.raises(ModelArtifactError, match="cannot be opened by TensorFlow"):
        outputs(path)
