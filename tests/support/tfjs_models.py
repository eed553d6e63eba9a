"""TensorFlow.js' model.json as its converters write it: layers or a graph, with weights in shards."""

import base64
import json

import numpy as np

from tests.support.custom_networks import as_keras_2

SHARD = 4096


def save_layers(
    model, folder, version="2.15.0", quantised=None, name_of=lambda layer, kind: f"{layer}/{kind}"
):
    """A layers-model; `version` 3 keeps Keras 3's architecture. Returns model.json."""
    config = json.loads(model.to_json())
    if not version.startswith("3"):
        config = as_keras_2(config)
    weights = [
        (name_of(layer.name, each.name), np.asarray(each))
        for layer in leaves(model)
        for each in layer.weights
    ]
    topology = {"keras_version": version, "backend": "tensorflow", "model_config": config}
    return written(folder, "layers-model", topology, weights, quantised)


def save_by_javascript(model, folder):
    """A layers-model as TensorFlow.js itself saves it, with no model_config around."""
    config = as_keras_2(json.loads(model.to_json()))
    weights = [
        (f"{layer.name}/{each.name}", np.asarray(each)) for layer in leaves(model) for each in layer.weights
    ]
    topology = {**config, "keras_version": "tfjs-layers 4.22.0", "backend": "tensor_flow.js"}
    return written(folder, "layers-model", topology, weights, None)


def save_graph(model, folder, fused=False):
    """A graph-model: constants in shards, the rest as JSON."""
    import tensorflow as tf
    from google.protobuf import json_format
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    spec = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="image")
    traced = tf.function(lambda image: model(image, training=False)).get_concrete_function(spec)
    frozen = convert_variables_to_constants_v2(traced)
    weights = []
    graph = frozen.graph.as_graph_def()
    for node in graph.node:
        if node.op == "Const":
            values = tf.make_ndarray(node.attr["value"].tensor)
            if values.dtype in (np.float32, np.int32):
                weights.append((node.name, values))
                del node.attr["value"]
    nodes = json_format.MessageToDict(graph)["node"]
    topology = {"node": with_fused(nodes) if fused else nodes, "library": {}, "versions": {"producer": 1}}
    signature = {"outputs": {"scores": {"name": frozen.outputs[0].name}}}
    return written(folder, "graph-model", topology, weights, None, signature=signature)


def with_fused(nodes):
    """Convolution, bias and activation in one operation, as TensorFlow's optimiser leaves them."""
    by_name = {node["name"]: node for node in nodes}
    dropped = set()
    for node in nodes:
        if node["op"] not in ("Relu", "BiasAdd") or node["name"] in dropped:
            continue
        bias = node if node["op"] == "BiasAdd" else by_name[node["input"][0]]
        if bias["op"] != "BiasAdd" or (
            node is bias
            and any(other["op"] == "Relu" and other["input"][0] == node["name"] for other in nodes)
        ):
            continue
        first = by_name[bias["input"][0]]
        if first["op"] not in ("Conv2D", "MatMul"):
            continue
        steps = ["BiasAdd", *(["Relu"] if node["op"] == "Relu" else [])]
        dropped |= {first["name"], bias["name"]} - {node["name"]}
        node["attr"] = {
            **first["attr"],
            "num_args": {"i": "1"},
            "epsilon": {"f": 0},
            "fused_ops": {"list": {"s": [base64.b64encode(step.encode()).decode() for step in steps]}},
        }
        node["input"] = [*first["input"][:2], bias["input"][1]]
        node["op"] = f"_Fused{first['op']}"
    assert dropped
    return [node for node in nodes if node["name"] not in dropped]


def leaves(model):
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from leaves(layer)
        else:
            yield layer


def written(folder, kind, topology, weights, quantised, **more):
    folder.mkdir(exist_ok=True, parents=True)
    entries, data = [], b""
    for name, values in weights:
        entry, packed = stored(name, values, quantised)
        entries.append(entry)
        data += packed
    names = [f"group1-shard{number + 1}of9.bin" for number in range(-(-len(data) // SHARD))]
    for number, name in enumerate(names):
        (folder / name).write_bytes(data[number * SHARD : (number + 1) * SHARD])
    manifest = [{"paths": names, "weights": entries}]
    model = {"format": kind, "modelTopology": topology, **more, "weightsManifest": manifest}
    (folder / "model.json").write_text(json.dumps(model))
    return folder / "model.json"


def stored(name, values, quantised):
    dtype = values.dtype.name
    entry = {"name": name, "shape": list(values.shape), "dtype": dtype}
    if not quantised or dtype != "float32":
        return entry, values.tobytes()
    if quantised == "float16":
        entry["quantization"] = {"dtype": "float16", "original_dtype": dtype}
        return entry, values.astype("<f2").tobytes()
    least, most = float(values.min()), float(values.max())
    scale = (most - least) / np.iinfo(quantised).max or 1.0
    entry["quantization"] = {"dtype": quantised, "min": least, "scale": scale, "original_dtype": dtype}
    return entry, np.round((values - least) / scale).astype(quantised).tobytes()
