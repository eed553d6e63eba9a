"""ONNX files as exporters of ten years wrote them: each with the scores that its arithmetic gives."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.opening import open_custom
from fer_web.inference.custom.options import ModelOptions
from fer_web.inference.custom.probes import probe_crops
from fer_web.inference.custom.scaling import scale_pixels
from fer_web.inference.scores import softmax

RANDOM = np.random.default_rng(3)
KERNEL = {channels: RANDOM.normal(0, 1, (7, channels, 5, 5)).astype(np.float32) for channels in (1, 3)}
GIVEN = ModelOptions(scaling="0..1")


def saved(
    path, *, opset=18, ir=None, shape=("n", 1, 48, 48), dtype=TensorProto.FLOAT, softmaxed=False, **how
):
    """A convolution, the mean of its pictures, and what `how` asks for. Returns the file."""
    channels = how.get("channels", 1)
    nodes, name = [], "image"
    real = TensorProto.FLOAT16 if dtype == TensorProto.FLOAT16 else TensorProto.FLOAT
    if dtype not in (TensorProto.FLOAT, TensorProto.FLOAT16):
        nodes.append(helper.make_node("Cast", [name], ["cast"], to=real))
        name = "cast"
    if how.get("last"):
        nodes.append(helper.make_node("Transpose", [name], ["turned"], perm=[0, 3, 1, 2]))
        name = "turned"
    nodes.append(helper.make_node("Conv", [name, "kernel"], ["pictures"], strides=[3, 3]))
    nodes.append(helper.make_node("GlobalAveragePool", ["pictures"], ["means"]))
    end = "means"
    if not how.get("keeps_sides"):
        nodes.append(helper.make_node("Flatten", [end], ["flat"]))
        end = "flat"
    if softmaxed:
        nodes.append(helper.make_node("Softmax", [end], ["shares"], axis=1))
        end = "shares"
    sides = ["n", 7, 1, 1] if how.get("keeps_sides") else ["n", 7]
    outputs = [helper.make_tensor_value_info(end, real, None if how.get("is_silent") else sides)]
    if how.get("features"):
        nodes.append(helper.make_node("Flatten", ["pictures"], ["features"]))
        outputs.insert(0, helper.make_tensor_value_info("features", real, ["n", "m"]))
    kernel = KERNEL[channels].astype(np.float16 if real == TensorProto.FLOAT16 else np.float32)
    inputs = [helper.make_tensor_value_info("image", dtype, list(shape))]
    if how.get("weights_are_inputs"):
        inputs.append(helper.make_tensor_value_info("kernel", real, list(kernel.shape)))
    weights = [numpy_helper.from_array(kernel, "kernel")]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = ir or min(10, 3 if opset < 9 else 8)
    external = {"save_as_external_data": True, "location": "model.onnx.data", "size_threshold": 0}
    onnx.save(model, path, **(external if how.get("external") else {}))
    return path


def logits(crops, channels):
    """The same arithmetic in NumPy, of pixels of 0 to 1."""
    pixels = scale_pixels(np.repeat(crops[..., :1], channels, axis=-1), "0..1")
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (5, 5), axis=(1, 2))[:, ::3, ::3]
    return np.einsum("nhwcij,kcij->nk", windows, KERNEL[channels]) / np.prod(windows.shape[1:3])


def assert_right(path, channels=1, options=GIVEN, atol=1e-4):
    opened = open_custom(path, options)
    crops = probe_crops(opened.info.size_hw, opened.info.channels)
    scores = opened.new_classifier().classify(crops).scores
    np.testing.assert_allclose(scores, softmax(logits(crops, channels)), atol=atol)
    return opened


@pytest.mark.parametrize("opset", range(7, 23))
def test_every_opset_gives_its_scores(tmp_path, opset):
    assert_right(saved(tmp_path / "model.onnx", opset=opset))


@pytest.mark.parametrize("softmaxed", [True, False])
def test_a_missing_softmax_is_seen(tmp_path, softmaxed):
    opened = assert_right(saved(tmp_path / "model.onnx", softmaxed=softmaxed))
    assert opened.reading.output == ("softmax" if softmaxed else "logits")


CASES = {
    "one at a time": ({"shape": (1, 1, 48, 48)}, 1),
    "dynamic batch": ({"shape": ("batch", 1, 64, 56)}, 1),
    "channels last": ({"shape": (None, 48, 48, 1), "last": True}, 1),
    "three, last": ({"shape": (None, 112, 112, 3), "last": True, "channels": 3}, 3),
    "three, first": ({"shape": (1, 3, 112, 112), "channels": 3}, 3),
    "any size": ({"shape": ("n", 1, "h", "w")}, 1),
    "all open": ({"shape": ("batch", "channels", "h", "w"), "channels": 3}, 3),
    "all open, last": ({"shape": ("batch", "h", "w", "c"), "channels": 3, "last": True}, 3),
    "all open, grey": ({"shape": ("batch", "channels", "h", "w")}, 1),
    "weights among the inputs": ({"opset": 8, "ir": 3, "weights_are_inputs": True}, 1),
    "sides of one": ({"keeps_sides": True}, 1),
    "no shape of its output": ({"is_silent": True}, 1),
    "features too": ({"features": True}, 1),
    "doubles": ({"dtype": TensorProto.DOUBLE}, 1),
    "weights in another file": ({"external": True}, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_every_form_gives_its_scores(tmp_path, case):
    how, channels = CASES[case]
    assert_right(saved(tmp_path / "model.onnx", **how), channels)


def test_half_precision_gives_nearly_its_scores(tmp_path):
    assert_right(saved(tmp_path / "model.onnx", dtype=TensorProto.FLOAT16), atol=0.01)


def test_whole_numbers_are_fed_as_they_are(tmp_path):
    opened = open_custom(saved(tmp_path / "model.onnx", dtype=TensorProto.UINT8), ModelOptions())
    assert opened.info.options["scaling"] == "0..255"
    crops = probe_crops((48, 48), 1)
    scores = opened.new_classifier().classify(crops).scores
    np.testing.assert_allclose(scores, softmax(255 * logits(crops, 1)), atol=1e-3)


def test_weights_in_another_file_belong_to_the_hash_and_are_missed(tmp_path):
    path = saved(tmp_path / "model.onnx", external=True)
    before = open_custom(path, GIVEN).info.model_hash
    data = tmp_path / "model.onnx.data"
    changed = bytearray(data.read_bytes())
    changed[0] ^= 1
    data.write_bytes(changed)
    assert open_custom(path, GIVEN).info.model_hash != before
    data.unlink()
    with pytest.raises(ModelArtifactError, match=r"weights from another file|cannot be opened as ONNX"):
        open_custom(path, GIVEN)


@pytest.mark.parametrize("place", ["../../../etc/passwd", "/etc/passwd"])
def test_weights_from_elsewhere_are_refused(tmp_path, place):
    path = saved(tmp_path / "model.onnx", external=True)
    model = onnx.load(path, load_external_data=False)
    for each in model.graph.initializer[0].external_data:
        if each.key == "location":
            each.value = place
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelArtifactError) as error:
        open_custom(path, GIVEN)
    assert "\n" not in str(error.value)
