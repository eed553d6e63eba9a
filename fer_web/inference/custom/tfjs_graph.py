"""TensorFlow.js' graph-model: operations of TensorFlow in `model.json`, its constants as plain arrays."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.custom_network import Network, checked_classes, input_of
from fer_web.inference.custom.keras_config import names_in
from fer_web.inference.custom.tfjs_weights import TOPOLOGY, Weights

Node = dict[str, Any]

GRAPH: Final = "TensorFlow.js graph"
_NODES: Final = 20_000
_INPUT, _CONSTANT, _NOTHING = "Placeholder", "Const", "NoOp"
_OPERATIONS: Final = names_in(
    """
    Abs Add AddN AddV2 AvgPool BatchMatMul BatchMatMulV2 BiasAdd Cast Concat ConcatV2 Const Conv2D
    Conv2DBackpropInput DepthwiseConv2dNative Div DivNoNan Elu Erf Exp ExpandDims Fill
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 GatherV2 Greater GreaterEqual Identity
    IdentityN LeakyRelu Less LessEqual Log LogSoftmax MatMul Max MaxPool Maximum Mean Min Minimum
    MirrorPad Mul Neg NoOp OnesLike Pack Pad PadV2 Placeholder Pow Prod Range Rank RealDiv
    Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor Rsqrt Select SelectV2 Selu
    Shape Sigmoid Slice Softmax Softplus Softsign Split SplitV Sqrt Square SquaredDifference Squeeze
    StopGradient StridedSlice Sub Sum Tanh Tile Transpose Unpack ZerosLike
    """
)
"""These only compute. A graph can also name operations that read and write files, or run others' code."""

_FUSED: Final = {
    "_FusedConv2D": "Conv2D",
    "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
    "_FusedMatMul": "MatMul",
}
_OWN_KEYS: Final = names_in(
    "fused_ops num_args num_host_args epsilon leakyrelu_alpha TArgs filter_format user_ops"
)
_ACTIVATIONS: Final = ("Relu", "Relu6", "Elu", "LeakyRelu", "Sigmoid", "Tanh")


def open_graph(path: Path, model: dict[str, Any], weights: Weights) -> Network:
    """Build a graph-model with TensorFlow, which must be installed.

    Raises: ModelArtifactError: it holds unknown operations, is broken, or is no network for expressions.
    """
    nodes = _checked_nodes(path, model)
    try:
        function = _function(path, model, nodes, weights)
    except ModelArtifactError:
        raise
    except Exception as exc:  # TensorFlow's and protobuf's errors are of many kinds
        reason = str(exc).strip().split("\n")[0][:200]
        raise _wrong(path, f"cannot be opened by TensorFlow ({reason})") from exc
    (picture,), (output,) = function.inputs, function.outputs
    return Network(
        path=path,
        file_format=GRAPH,
        input=input_of(path, _sizes(picture.shape)),
        classes=checked_classes(path, [_sizes(output.shape)]),
        new_predictor=lambda: GraphPredictor(function),
        output="softmax" if output.op.type == "Softmax" else None,
    )


class GraphPredictor:
    """Runs a graph; it may be used by many threads."""

    def __init__(self, function: Any) -> None:
        import tensorflow as tf

        self._function, self._constant = function, tf.constant

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (N, K) of scaled pictures."""
        (output,) = self._function(self._constant(batch))
        return np.asarray(output, np.float32)


def _checked_nodes(path: Path, model: dict[str, Any]) -> list[Node]:
    topology = model.get(TOPOLOGY)
    nodes = topology.get("node") if isinstance(topology, dict) else None
    if not isinstance(nodes, list) or not 0 < len(nodes) <= _NODES or not all(map(_is_node, nodes)):
        raise _wrong(path, "holds no layers and no graph")
    unknown = sorted({str(node["op"]) for node in nodes} - set(_OPERATIONS) - set(_FUSED))
    if unknown:
        raise ModelArtifactError(
            f"{path} holds the operation {unknown[0]!r:.60}, which is not among those that only compute on "
            "pictures. It is not opened; have the network saved as .tflite or .onnx."
        )
    return [part for node in nodes for part in _unfused(path, node)]


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and all(isinstance(node.get(key), str) for key in ("name", "op"))


def _unfused(path: Path, node: Node) -> Iterator[Node]:
    """The plain operations that a fused one stands for; the last has its name."""
    attributes = node.get("attr") or {}
    if node["op"] not in _FUSED:
        yield {**node, "attr": attributes}
        return
    try:
        fused = attributes["fused_ops"]["list"].get("s", [])
        steps = [base64.b64decode(each).decode() for each in fused]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise _wrong(path, f"does not say what is fused in {node['name']!r:.80}") from exc
    inputs, name = list(node.get("input", [])), str(node["name"])
    kept = {key: value for key, value in attributes.items() if key not in _OWN_KEYS}
    plain = {"op": _FUSED[node["op"]], "input": inputs[:2], "attr": kept}
    parts, extra = [plain], inputs[2:]
    kind = {"T": attributes.get("T", {"type": "DT_FLOAT"})}
    for step in steps:
        if step == "BiasAdd" and extra:
            parts.append({"op": "BiasAdd", "input": [extra.pop(0)], "attr": kind})
        elif step in _ACTIVATIONS:
            slope = {"alpha": attributes["leakyrelu_alpha"]} if "leakyrelu_alpha" in attributes else {}
            parts.append({"op": step, "input": [], "attr": kind | (slope if step == "LeakyRelu" else {})})
        else:
            raise _wrong(path, f"holds a fused {step!r:.40}, which is not known")
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        before = [f"{name}/unfused_{number - 1}"] if number else []
        own = name if is_last else f"{name}/unfused_{number}"
        yield {**part, "name": own, "input": [*before, *part["input"]]}


def _function(path: Path, model: dict[str, Any], nodes: list[Node], weights: Weights) -> Any:
    import tensorflow as tf
    from google.protobuf import json_format  # type: ignore[import-untyped]  # no stubs in the wheel

    graph = json_format.ParseDict({"node": nodes}, tf.compat.v1.GraphDef())
    for node in graph.node:
        if node.op == _CONSTANT and node.name in weights:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weights[node.name]))
            node.attr["dtype"].type = node.attr["value"].tensor.dtype
        elif node.op == _CONSTANT and "value" not in node.attr:
            raise _wrong(path, f"has no weights for {node.name!r:.80}")
        if node.op.startswith("FusedBatchNorm"):
            node.attr["is_training"].b = False
    picture = _only(path, [node.name for node in graph.node if node.op == _INPUT], "inputs")
    output = _only(path, _output_names(model, nodes), "outputs")
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    ends = [wrapped.graph.as_graph_element(_tensor(name)) for name in (picture, output)]
    return wrapped.prune([ends[0]], [ends[1]])


def _output_names(model: dict[str, Any], nodes: list[Node]) -> list[str]:
    """Names of the outputs: as the signature says, else the nodes that no other takes."""
    signature = model.get("signature") or (model.get("userDefinedMetadata") or {}).get("signature") or {}
    said = [each.get("name", key) for key, each in (signature.get("outputs") or {}).items()]
    taken = {name.lstrip("^").split(":")[0] for node in nodes for name in node.get("input", [])}
    ends = (node["name"] for node in nodes if node["op"] not in (_CONSTANT, _NOTHING, _INPUT))
    return said or [name for name in ends if name not in taken]


def _only(path: Path, names: list[str], what: str) -> str:
    if len(names) != 1:
        raise _wrong(path, f"has {len(names)} {what}; one is needed")
    return names[0]


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _sizes(shape: Any) -> list[int | None]:
    return [] if shape.rank is None else list(shape)


def _wrong(path: Path, what: str) -> ModelArtifactError:
    return ModelArtifactError(
        f"{path} {what}. Convert the network again, or have it saved as .tflite or .onnx."
    )
