"""Each format and each shape of the tutorials: opened by us, the probabilities are those of Keras."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_web.errors import SetupError
from fer_web.inference.custom.options import ModelOptions
from fer_web.inference.custom.scaling import scale_pixels
from fer_web.inference.models import open_model
from fer_web.inference.scores import softmax
from tests.support import custom_networks as networks
from tests.support import tfjs_models
from tests.support.fer_rows import KERAS_WARNINGS
from tests.support.servers import ROOT

pytestmark = [KERAS_WARNINGS, pytest.mark.filterwarnings("ignore:.*np.object.*:FutureWarning")]

SHAPES = {
    "sequential_48": (networks.sequential_48, "0..1", 1),
    "xception_64": (networks.xception_64, "-1..1", 1),
    "rgb_224": (networks.rgb_224, "0..255", 3),
}
FORMATS = {
    "keras": networks.save_keras,
    "h5": networks.save_h5,
    "json": networks.save_json,
    "keras 2 json": networks.save_keras_2,
    "SavedModel": networks.save_saved_model,
    "tflite": networks.save_tflite,
    "onnx": networks.save_onnx,
    "TensorFlow.js layers": lambda model, folder: tfjs_models.save_layers(model, folder),
    "TensorFlow.js graph": lambda model, folder: tfjs_models.save_graph(model, folder),
}


@pytest.fixture(scope="module")
def models():
    return {name: build() for name, (build, _, _) in SHAPES.items()}


def expected(model, crops, scaling):
    """What Keras itself says."""
    repeated = np.repeat(crops, model.input_shape[-1] // crops.shape[-1], axis=-1)
    outputs = np.asarray(model(scale_pixels(repeated, scaling), training=False))
    return softmax(outputs) if outputs.min() < 0 or outputs.max() > 1 else outputs


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_in_every_format_agrees_with_keras(models, tmp_path, shape, file_format):
    model, (_, scaling, _) = models[shape], SHAPES[shape]
    path = FORMATS[file_format](model, tmp_path)
    says_scaling = file_format in ("keras", "h5", "json", "keras 2 json", "TensorFlow.js layers")
    options = ModelOptions(
        scaling="auto" if says_scaling else scaling, is_trusted=file_format == "SavedModel"
    )
    opened = open_model(path, options)
    crops = networks.faces_for(opened.info.size_hw, opened.info.channels)
    assert opened.info.size_hw == model.input_shape[1:3]
    assert opened.info.options["scaling"] == scaling
    prediction = opened.new_classifier().classify(crops)
    wanted = expected(model, crops, scaling)
    np.testing.assert_allclose(prediction.scores, wanted, atol=1e-4)
    assert np.abs(wanted[0] - wanted[1]).max() > 0.02  # or agreement would mean nothing
    assert prediction.original_scores is None
    assert prediction.uncertainty.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("scaling", ["0..1", "-1..1", "0..255"])
def test_a_quantised_tflite_says_its_scaling_and_agrees_nearly(tmp_path, dtype, scaling):
    model = networks.sequential_48() if scaling != "0..255" else rescaled()
    crops = networks.faces_for((48, 48))
    black_and_white = np.stack([np.zeros((48, 48, 1), np.uint8), np.full((48, 48, 1), 255, np.uint8)])
    samples = scale_pixels(np.concatenate([crops, black_and_white]), scaling)
    opened = open_model(networks.save_quantised(model, tmp_path, dtype, samples))
    assert opened.info.options["scaling"] == scaling
    assert not [text for text in opened.warnings if "--scaling" in text]
    prediction = opened.new_classifier().classify(crops)
    np.testing.assert_allclose(prediction.scores, expected(model, crops, scaling), atol=0.1)
    np.testing.assert_allclose(prediction.scores.sum(axis=1), 1, atol=1e-5)


def rescaled():
    """sequential_48 that takes 0-255."""
    import keras

    inner = networks.sequential_48()
    return keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Rescaling(1 / 255), *inner.layers])


def test_onnx_with_channels_first_is_turned(tmp_path):
    torch_like = onnx_with_channels_first(tmp_path / "first.onnx")
    opened = open_model(torch_like, ModelOptions(scaling="0..1"))
    assert (opened.info.size_hw, opened.network.input.is_channels_first) == ((56, 48), True)
    crops = networks.faces_for((56, 48))
    # The network is the mean of the left, middle and right third of each row, told by seven weights.
    means = scale_pixels(crops, "0..1")[..., 0].mean(axis=1)[:, :7]
    np.testing.assert_allclose(opened.new_classifier().classify(crops).scores, softmax(9 * means), atol=1e-3)


def onnx_with_channels_first(path):
    """(N, 1, 56, 48) to nine times the means of its first seven columns."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("ReduceMean", ["image", "axes"], ["means"], keepdims=0),
        helper.make_node("Slice", ["means", "start", "end", "axis"], ["seven"]),
        helper.make_node("Mul", ["seven", "nine"], ["scores"]),
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
        helper.make_tensor("start", TensorProto.INT64, [1], [0]),
        helper.make_tensor("end", TensorProto.INT64, [1], [7]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("nine", TensorProto.FLOAT, [1], [9.0]),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 56, 48])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 7])],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


@pytest.mark.parametrize("colour", ["grey", "rgb", "bgr"])
def test_three_channels_get_grey_or_colours_in_the_order_that_was_said(models, tmp_path, colour):
    model = models["rgb_224"]
    opened = open_model(networks.save_keras(model, tmp_path), ModelOptions(colour=colour))
    assert opened.info.channels == (1 if colour == "grey" else 3)
    crops = networks.faces_for((224, 224), opened.info.channels)
    fed = crops[..., ::-1] if colour == "bgr" else crops
    np.testing.assert_allclose(
        opened.new_classifier().classify(crops).scores, expected(model, fed, "0..255"), atol=1e-3
    )


def test_no_face_gives_no_scores(models, tmp_path):
    opened = open_model(networks.save_keras(models["sequential_48"], tmp_path))
    prediction = opened.new_classifier().classify(np.zeros((0, 48, 48, 1), np.uint8))
    assert prediction.scores.shape == (0, 7)
    assert prediction.uncertainty.shape == (0,)


def test_a_model_is_named_by_its_file_and_its_hash(models, tmp_path):
    path = networks.save_keras(models["sequential_48"], tmp_path)
    info = open_model(path).info
    assert (info.name, len(info.model_hash), info.has_original) == ("model.keras", 64, False)
    (tmp_path / "other").mkdir()
    other = open_model(networks.save_json(models["sequential_48"], tmp_path / "other")).info
    (tmp_path / "other" / "model.weights.h5").write_bytes(
        (tmp_path / "other" / "model.weights.h5").read_bytes() + b" "
    )
    assert open_model(tmp_path / "other" / "model.json").info.model_hash != other.model_hash


@pytest.mark.parametrize(("file_format", "imports"), [("tflite", False), ("onnx", False), ("keras", True)])
def test_tensorflow_is_imported_only_for_its_own_formats(models, tmp_path, file_format, imports):
    path = FORMATS[file_format](models["sequential_48"], tmp_path)
    script = (
        "import sys; from pathlib import Path; from fer_web.inference.models import open_model;"
        f"open_model(Path({str(path)!r})); print('tensorflow' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert run.stdout.split() == [str(imports)]


def test_onnx_without_onnxruntime_names_the_command(tmp_path, monkeypatch):
    (tmp_path / "model.onnx").write_bytes(b"\x08\x09")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match="python -m pip install onnxruntime"):
        open_model(Path(tmp_path / "model.onnx"))
