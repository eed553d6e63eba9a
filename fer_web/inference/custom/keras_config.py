"""A Keras architecture read as plain JSON, before Keras turns any of it into objects.

Its safe mode was got round repeatedly (CVE-2024-3660, CVE-2025-1550, CVE-2025-8747, CVE-2025-9905), by
classes and functions that it looked up by a name in the file. So what may be named is listed here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fer_web.errors import ModelArtifactError


def names_in(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


LAYERS: Final = names_in(
    """
    Activation ActivityRegularization Add AlphaDropout AveragePooling2D AvgPool2D Average
    BatchNormalization CenterCrop Concatenate Conv1D Conv2D Conv2DTranspose Convolution2D Cropping2D
    Dense DepthwiseConv2D Dot Dropout ELU EinsumDense Flatten Functional GaussianDropout GaussianNoise
    GlobalAveragePooling2D GlobalAvgPool2D GlobalMaxPool2D GlobalMaxPooling2D GroupNormalization
    InputLayer LayerNormalization LeakyReLU Masking MaxPool2D MaxPooling2D Maximum Minimum Model
    MultiHeadAttention Multiply Normalization PReLU Permute RandomBrightness RandomContrast RandomCrop
    RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth RandomZoom ReLU RepeatVector
    Rescaling Reshape Resizing RMSNormalization SeparableConv2D SeparableConvolution2D Sequential
    Softmax SpatialDropout2D SpectralNormalization Subtract UnitNormalization UpSampling2D ZeroPadding2D
    """
)
"""Layers that only compute. Lambda, TFSMLayer and others that bring code or read files are not among them."""

PARTS: Final = names_in(
    """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal
    LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal
    VarianceScaling Zeros L1 L1L2 L2 OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg UnitNorm
    DTypePolicy FloatDTypePolicy Policy SeedGenerator __keras_tensor__ __tensor__ __numpy__ __ellipsis__
    __slice__ TensorShape Adam AdamW Adamax Adagrad Nadam RMSprop SGD LossScaleOptimizer
    """
)
"""Initialisers, regularisers, constraints, precision, optimisers, and values."""

ACTIVATIONS: Final = names_in(
    """
    celu elu exponential gelu hard_sigmoid hard_silu hard_swish leaky_relu linear log_softmax mish relu
    relu6 selu sigmoid silu softmax softplus softsign swish tanh
    """
)
OPERATIONS: Final = names_in(
    """
    Absolute Add BatchNorm Clip Cast Conv Divide Exp Flip GetItem HardSigmoid HardSwish Log Max Maximum
    Mean Minimum Multiply Negative Power Relu Relu6 Reshape Rsqrt Sigmoid Silu Softmax Sqrt Square
    Squeeze Stack Subtract Sum Tanh Transpose TrueDivide
    """
)
"""Arithmetic between layers becomes these operations, such as inputs / 255."""

OPERATION_MODULES: Final = ("keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.math", "keras.ops")
MODULES: Final = ("keras", "builtins")
_SIZES = ("units", "filters", "output_dim", "depth_multiplier", "n")
MAX_SIZE = 100_000
MAX_CONFIG_CHARACTERS = 20_000_000
OF_TRAINING: Final = "compile_config"


def parse_config(path: Path, text: str) -> dict[str, Any]:
    """JSON text as a configuration, without what training needs. Raises ModelArtifactError: it is none."""
    try:
        config = json.loads(text[:MAX_CONFIG_CHARACTERS])
    except (ValueError, RecursionError) as exc:
        raise ModelArtifactError(
            f"{path} holds no readable architecture ({exc}): it was cut short or altered. Fetch it again."
        ) from exc
    if not isinstance(config, dict) or not {"class_name", "config"} <= set(config):
        raise ModelArtifactError(f"{path} holds no Keras architecture. Save it with model.to_json().")
    _check_sizes(path, config)
    return {key: value for key, value in config.items() if key != OF_TRAINING}


def code_in(config: dict[str, Any]) -> list[str]:
    """List what in an architecture is more than known layers, as short texts; empty is harmless."""
    return list(dict.fromkeys(text for node in _objects(config) if (text := _problem(node))))


def _problem(node: dict[str, Any]) -> str | None:
    name, module = str(node["class_name"]), node.get("module")
    if name == "Lambda":
        label = node["config"].get("name", name) if isinstance(node["config"], dict) else name
        return f"the Lambda layer {label!r}, which is Python code"
    if name == "__lambda__":
        return "a lambda, which is Python code"
    if name == "function":
        known = str(node["config"]) in ACTIVATIONS
        return None if known and _is_known(module) else f"the function {node['config']!r}"
    if module in OPERATION_MODULES and name in OPERATIONS:
        return None
    if name not in LAYERS | PARTS or not _is_known(module):
        return f"{name!r} of {module}" if module and not _is_known(module) else f"{name!r}, no known layer"
    return None


def _is_known(module: Any) -> bool:
    return module is None or str(module).split(".")[0] in MODULES


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every dict with a class name."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        if isinstance(node, dict):
            if "class_name" in node:
                yield {"config": None, **node}
            waiting.extend(node.values())


def _check_sizes(path: Path, config: dict[str, Any]) -> None:
    for node in _objects(config):
        sizes = node["config"] if isinstance(node["config"], dict) else {}
        for key in _SIZES:
            if isinstance(sizes.get(key), int) and sizes[key] > MAX_SIZE:
                raise ModelArtifactError(
                    f"{path}: {node['class_name']} has {key} {sizes[key]}; up to {MAX_SIZE} are allowed. It "
                    "is not opened."
                )
