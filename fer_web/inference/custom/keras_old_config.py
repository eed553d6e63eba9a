"""Architectures as Keras 1 and 2 wrote them, rewritten as Keras 3 reads them. Pure."""

from typing import Any, Final

from fer_web.inference.custom.keras_config import names_in

Config = dict[str, Any]

_INPUT, _SEQUENTIAL = "InputLayer", "Sequential"
_SHAPE: Final = "batch_input_shape"
_SEEN_SHAPES: Final = (_SHAPE, "batch_shape")
_NO_INPUT_KEYS: Final = (_SHAPE, "input_dtype", "input_dim", "input_length")

_CLASSES_OF_KERAS_1: Final = {
    "Convolution2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D",
    "Deconvolution2D": "Conv2DTranspose",
}
_WORDS_OF_KERAS_1: Final = {
    "nb_filter": "filters",
    "subsample": "strides",
    "border_mode": "padding",
    "output_dim": "units",
    "p": "rate",
    "bias": "use_bias",
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
}
_LAYERS_OF_KERAS_1: Final = names_in(
    """
    Convolution2D SeparableConvolution2D Deconvolution2D Conv2D SeparableConv2D Conv2DTranspose Dense Dropout
    SpatialDropout2D MaxPooling2D AveragePooling2D GaussianDropout
    """
)
_ORDERS: Final = {"tf": "channels_last", "th": "channels_first"}
_INITIALISERS: Final = names_in("glorot_uniform glorot_normal he_uniform he_normal lecun_uniform zero one")
_NORMALISATION: Final = ("name", "trainable", "axis", "momentum", "epsilon", "dtype")


def is_old(config: Config) -> bool:
    """Tell whether an architecture was written before Keras 3: that one names each class's module."""
    return "module" not in config


def renewed(config: Config) -> Config:
    """The same architecture for Keras 3.

    A Sequential may be a plain list of layers (Keras 1.0 to 2.2.2). Its shape may stand in its first layer
    (to 2.3.1) or inside a model that is its first one. Keras 1 had other names for most options.

    Args: config: a checked one, with `class_name` and `config`. Not modified.
    """
    config = _in_words_of_keras_2(config)
    inner = config["config"]
    if config["class_name"] == _SEQUENTIAL:
        given = inner if isinstance(inner, list) else inner.get("layers", [])
        head = {"name": config.get("name", "sequential")} if isinstance(inner, list) else inner
        layers = [_in_words_of_keras_2(layer) for layer in given]
        shape = next((found for layer in layers[:1] if (found := _shape_of(layer))), None)
        layers = [_without_shape(renewed(layer)) for layer in layers]
        if shape and layers[0]["class_name"] != _INPUT:
            layers.insert(0, _input_layer(f"{head.get('name', 'sequential')}_input", shape))
        return {**config, "config": {**head, "layers": layers}}
    if isinstance(inner, dict) and isinstance(inner.get("layers"), list):
        layers = [_without_shape(renewed(layer)) for layer in inner["layers"]]
        ends = {key: _alone(inner[key]) for key in ("input_layers", "output_layers") if key in inner}
        return {**config, "config": {**inner, **ends, "layers": layers}}
    return config


def _alone(ends: list[Any]) -> list[Any]:
    """A model's only input or output not in a list: inside another model, it would give and take lists."""
    return ends[0] if len(ends) == 1 and isinstance(ends[0], list) else ends


def _shape_of(layer: Config) -> list[int | None] | None:
    """Shape of a layer's input, with the batch, where it says it or a model inside it does."""
    inner = layer["config"]
    if isinstance(inner, list):
        return _shape_of(inner[0]) if inner else None
    found = next((inner[key] for key in _SEEN_SHAPES if inner.get(key)), None)
    if found is None and inner.get("layers"):
        first = [each for each in inner["layers"] if each["class_name"] == _INPUT] or inner["layers"]
        return _shape_of(first[0])
    return list(found) if found else None


def _without_shape(layer: Config) -> Config:
    if layer["class_name"] == _INPUT or not isinstance(layer["config"], dict):
        return layer
    kept = {key: value for key, value in layer["config"].items() if key not in _NO_INPUT_KEYS}
    return {**layer, "config": kept}


def _input_layer(name: str, shape: list[int | None]) -> Config:
    return {"class_name": _INPUT, "config": {_SHAPE: shape, "dtype": "float32", "name": name}}


def _in_words_of_keras_2(layer: Config) -> Config:
    kind, inner = layer["class_name"], layer["config"]
    if not isinstance(inner, dict):
        return layer
    if kind == "BatchNormalization" and "mode" in inner:
        inner = {key: value for key, value in inner.items() if key in _NORMALISATION}
    if kind in _LAYERS_OF_KERAS_1 and _is_keras_1(inner):
        inner = _options_of_keras_1(inner)
    if "dim_ordering" in inner:
        order = inner["dim_ordering"]
        rest = {key: value for key, value in inner.items() if key != "dim_ordering"}
        inner = {**rest, "data_format": _ORDERS.get(order, "channels_last")}
    return {**layer, "class_name": _CLASSES_OF_KERAS_1.get(kind, kind), "config": inner}


def _is_keras_1(inner: Config) -> bool:
    return any(word in inner for word in (*_WORDS_OF_KERAS_1, "dim_ordering", "nb_row"))


def _options_of_keras_1(inner: Config) -> Config:
    given = {_WORDS_OF_KERAS_1.get(key, key): value for key, value in inner.items()}
    if "nb_row" in given:
        given["kernel_size"] = [given.pop("nb_row"), given.pop("nb_col")]
    if given.get("kernel_initializer", "") not in ("", *_INITIALISERS):
        given["kernel_initializer"] = "glorot_uniform"  # its weights are read from the file
    dropped = ("activity_regularizer", "weights", "input_dim")
    return {key: value for key, value in given.items() if key not in dropped}
