"""Keras networks: .keras, .h5, and an architecture as .json with weights as .h5."""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import FerWebError, ModelArtifactError, ModelTrustError
from fer_web.inference.custom.custom_network import Network, Predictor, checked_classes, input_of
from fer_web.inference.custom.file_kind import HDF5, KERAS, TFJS, ModelFile
from fer_web.inference.custom.grad_cam import grad_cam_of
from fer_web.inference.custom.hdf5_files import check_hdf5
from fer_web.inference.custom.keras_archive import read_keras_archive
from fer_web.inference.custom.keras_config import code_in, parse_config
from fer_web.inference.custom.keras_layers import clue_of, is_xception, output_of
from fer_web.inference.custom.keras_old_config import is_old, renewed
from fer_web.inference.custom.tfjs_layers import keras_config_of, set_weights
from fer_web.inference.custom.tfjs_weights import read_model_json, read_weights
from fer_web.training_packages import require_packages

OPENED_BY = ("tensorflow", "keras", "h5py")
RISK = "Whoever made it can have it do all that you can on this machine: read, change and send your files"
_WEIGHTS_OF_KERAS_3 = ".weights.h5"
_WRAPPING = re.compile(r"Exception encountered: |Exception encountered when calling [^\n]*\n")
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*m")
_OLD_KEYWORDS = {
    "DepthwiseConv2D": ("groups",),
    "SeparableConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "Conv2DTranspose": ("groups",),
}
"""Keras 2 wrote these for these layers and Keras 3 refuses them; they never had an effect."""


def open_keras(file: ModelFile, is_trusted: bool) -> Network:
    """Open a Keras network; TensorFlow is imported only here, after the file was looked at.

    Raises:
        SetupError: TensorFlow is not installed.
        ModelTrustError: it holds more than known layers, and `is_trusted` does not say that this is fine.
        ModelArtifactError: it cannot be opened, or is no network for expressions.
    """
    require_packages(f"{file.path} is a Keras file and", *OPENED_BY)
    config = _checked_config(file)
    found = code_in(config)
    if found and not is_trusted:
        raise ModelTrustError(
            f"{file.path} holds {found[0]}{_and_others(found)}. Opening it can run code from the file. "
            f"{RISK}. If you know who made it, give --trust; otherwise have it saved as .tflite or .onnx, "
            "which hold no code."
        )
    model = _opened(file, lambda: _load(file, config, is_trusted))
    try:
        return _network(file, model)
    except FerWebError:
        raise
    except Exception as exc:  # a model may be of any class
        raise _unreadable(file, exc) from exc


def import_keras() -> Any:
    """Keras, with TensorFlow's start-up messages off."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras


class KerasPredictor:
    """Calls a network as one compiled function; it may be used by many threads."""

    def __init__(self, model: Any) -> None:
        import tensorflow as tf

        shape = (None, *model.input_shape[1:])
        self._call = tf.function(
            lambda batch: model(batch, training=False), input_signature=[tf.TensorSpec(shape, tf.float32)]
        )

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (N, K) of scaled pictures."""
        return np.asarray(self._call(batch), np.float32)


def _checked_config(file: ModelFile) -> dict[str, Any]:
    if file.kind == TFJS:
        return parse_config(file.path, json.dumps(keras_config_of(read_model_json(file.path))))
    if file.kind == KERAS:
        return parse_config(file.path, read_keras_archive(file.path))
    if file.kind == HDF5:
        text = check_hdf5(file.path)
        if text is None:
            raise ModelArtifactError(
                f"{file.path} holds weights without an architecture. Save that too, with model.to_json(), "
                f"and give both: --model ARCHITECTURE.json,{file.path.name}"
            )
        return parse_config(file.path, text)
    assert file.weights is not None
    check_hdf5(file.weights)
    return parse_config(file.path, file.path.read_text(encoding="utf-8", errors="replace"))


def _load(file: ModelFile, config: dict[str, Any], is_trusted: bool) -> Any:
    if file.kind == TFJS:
        return _load_tfjs(file, config, is_trusted)
    if is_old(config) and file.kind != KERAS:
        return _load_as_keras_2(renewed(config), file.weights or file.path, is_trusted)
    if file.weights is None:
        return _load_whole(file.path, is_trusted)
    keras = import_keras()
    model = keras.saving.deserialize_keras_object(config, safe_mode=not is_trusted)
    with _named_by_layout(file.weights) as weights:
        model.load_weights(weights)
    return model


def _load_tfjs(file: ModelFile, config: dict[str, Any], is_trusted: bool) -> Any:
    weights = read_weights(file.path, read_model_json(file.path))
    keras = import_keras()
    if is_old(config):
        # Keras builds what Keras 2 wrote in no other way without the file of weights that it expects.
        from keras.src.legacy.saving import saving_utils

        model = saving_utils.model_from_config(renewed(config), custom_objects=_mended_layers(keras))
    else:
        model = keras.saving.deserialize_keras_object(config, safe_mode=not is_trusted)
    set_weights(file.path, model, weights)
    return model


@contextlib.contextmanager
def _named_by_layout(weights: Path) -> Iterator[Path]:
    """The file under a name by which Keras knows its layout, as it looks at nothing else."""
    import h5py

    with h5py.File(weights, "r") as file:
        is_keras_3 = "layer_names" not in file.attrs and "model_weights" not in file
    if is_keras_3 == weights.name.endswith(_WEIGHTS_OF_KERAS_3) and weights.suffix in (".h5", ".hdf5"):
        yield weights
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(
            shutil.copy(weights, Path(folder) / f"model{_WEIGHTS_OF_KERAS_3 if is_keras_3 else '.h5'}")
        )


def _load_whole(path: Path, is_trusted: bool) -> Any:
    keras = import_keras()
    return keras.saving.load_model(
        path, custom_objects=_mended_layers(keras), compile=False, safe_mode=not is_trusted
    )


def _load_as_keras_2(config: dict[str, Any], weights: Path, is_trusted: bool) -> Any:
    # Keras 3 reads what Keras 2 wrote from whole HDF5 files only, and so it gets one.
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "model.h5"
        with h5py.File(weights, "r") as source, h5py.File(whole, "w") as target:
            group = source.get("model_weights", source)
            source.copy(group, target, "model_weights")
            target.attrs["model_config"] = json.dumps(config)
        return _load_whole(whole, is_trusted)


def _mended_layers(keras: Any) -> dict[str, Any]:
    return {name: _mended(getattr(keras.layers, name), drop) for name, drop in _OLD_KEYWORDS.items()}


def _mended(layer: Any, drop: tuple[str, ...]) -> Any:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        layer.__init__(self, *args, **{k: v for k, v in kwargs.items() if k not in drop})

    return type(layer.__name__, (layer,), {"__init__": init})


def _opened(file: ModelFile, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except FerWebError:
        raise
    # Keras has no errors of its own; all mean that the file does not fit it.
    except Exception as exc:
        raise _unreadable(file, exc) from exc


def _unreadable(file: ModelFile, exc: Exception) -> ModelArtifactError:
    # Keras wraps the reason in the whole configuration, once for each layer around it, and in bold letters.
    text = _WRAPPING.split(_TERMINAL_CODES.sub("", str(exc)))[-1]
    reason = text.strip().split("\n")[0][:300] or type(exc).__name__
    return ModelArtifactError(
        f"{file.path} cannot be opened by Keras ({reason}). If layers of its maker's own are in it, or it is "
        "of an old Keras, have it saved as .tflite or .onnx."
    )


def _network(file: ModelFile, model: Any) -> Network:
    path = file.path
    if len(model.inputs) != 1:
        raise ModelArtifactError(f"{path} has {len(model.inputs)} inputs; one is needed, for the face.")
    classes = checked_classes(path, [each.shape for each in model.outputs])
    predictor: Predictor = KerasPredictor(model)
    return Network(
        path=path,
        file_format=file.kind,
        input=input_of(path, model.inputs[0].shape),
        classes=classes,
        new_predictor=lambda: predictor,
        output=output_of(model),
        clue=clue_of(model),
        is_xception=is_xception(model),
        explainer=grad_cam_of(model),
    )


def _and_others(found: list[str]) -> str:
    return f", and {len(found) - 1} more of the kind" if len(found) > 1 else ""
