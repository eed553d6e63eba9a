"""TensorFlow.js' layers-model: a Keras architecture in `model.json`, its weights as plain arrays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.tfjs_weights import TOPOLOGY, Weights

_KEYS: Final = ("class_name", "config", "module", "registered_name")


def keras_config_of(model: dict[str, Any]) -> dict[str, Any]:
    """The Keras architecture in a `model.json`, as it was written; {} where there is none."""
    topology = model.get(TOPOLOGY)
    config = topology.get("model_config", topology) if isinstance(topology, dict) else {}
    if not isinstance(config, dict) or not {"class_name", "config"} <= set(config):
        return {}
    return {key: config[key] for key in _KEYS if key in config}


def set_weights(path: Path, model: Any, weights: Weights) -> None:
    """Give a Keras model its weights, by the names of layers; where names differ, in their order.

    Raises: ModelArtifactError: they do not fit.
    """
    variables = list(_variables(model))
    named = _by_names(variables, weights)
    if named is None:
        named = _by_order(path, variables, weights)
    for (name, variable), values in zip(variables, named, strict=True):
        if tuple(variable.shape) != values.shape:
            needed = tuple(variable.shape)
            raise ModelArtifactError(
                f"{path} has weights of shape {values.shape} for {name!r}, which needs {needed}: they are of "
                "another model. Copy model.json again with all files that came with it."
            )
        variable.assign(values)


def _by_names(variables: list[tuple[str, Any]], weights: Weights) -> list[NDArray[Any]] | None:
    """Values for each variable, None where the names do not say it without doubt."""
    short = [_short(name) for name in weights]
    if len(set(short)) != len(short) or set(short) != {name for name, _ in variables}:
        return None
    values = dict(zip(short, weights.values(), strict=True))
    return [values[name] for name, _ in variables]


def _by_order(path: Path, variables: list[tuple[str, Any]], weights: Weights) -> list[NDArray[Any]]:
    known = {_short(name) for name in weights}
    if len(weights) != len(variables):
        missing = [name for name, _ in variables if name not in known]
        lacks = f": none for {missing[0]!r}" if missing else ""
        raise ModelArtifactError(
            f"{path} has {len(weights)} arrays of weights for {len(variables)} of its layers{lacks}. Copy "
            "model.json again with all files that came with it."
        )
    return list(weights.values())


def _short(name: str) -> str:
    """Layer and kind: "model/conv/kernel:0" as "conv/kernel"."""
    return "/".join(name.split(":")[0].split("/")[-2:])


def _variables(model: Any) -> Iterator[tuple[str, Any]]:
    """Each weight with its layer's name, layer by layer as Keras 2 had them; models inside too."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _variables(layer)
        else:
            kept = [each for each in layer.weights if "seed" not in each.path]
            yield from ((f"{layer.name}/{each.name}", each) for each in kept)
