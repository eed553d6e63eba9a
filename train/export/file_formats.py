"""Write the file formats besides LiteRT, and open them again by their own loaders."""

import importlib.util
import logging
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_web.errors import FerWebError, ModelArtifactError, SettingsError, SetupError
from fer_web.inference.artifact import KERAS_FILE
from fer_web.inference.classifier import Logits
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from train.runs.model_outputs import load_keras, run_keras

Run = Callable[[NDArray[np.uint8]], Logits]
"""It turns images, uint8 (N, 48, 48), into logits."""

SAVED_MODEL_FOLDER = "saved_model"
H5_FILE, ARCHITECTURE_FILE, ONNX_FILE = "model.h5", "architecture.json", "model.onnx"
ONNX_PACKAGES = ("onnx", "tf2onnx", "onnxruntime")
ONNX_OPSET = 18
"""This version of late 2022 is read by every runtime in use and has all that our networks need."""

LITERT, ONNX = "litert", "onnx"
_BATCH = 256


@dataclass(frozen=True)
class FileFormat:
    """It is one way to store a network.

    Attributes:
        files: names in the folder; one may be a folder itself.
        write: puts a float32 network into a folder that exists.
        loaders: by title, functions from that folder to one that runs images; each is compared by
            itself.
    """

    files: tuple[str, ...]
    write: Callable[[keras.Model, Path], None]
    loaders: dict[str, Callable[[Path], Run]]

    def open(self, title: str, folder: Path) -> Run:
        """Open what `write` wrote. Raises ModelArtifactError: it cannot be read."""
        try:
            return self.loaders[title](folder)
        except FerWebError:
            raise
        # Every library has errors of its own; all mean that the file is not what it should be.
        except Exception as exc:
            names = ", ".join(str(folder / name) for name in self.files)
            raise ModelArtifactError(
                f"{names} cannot be opened as {title} ({exc}). Export it again: python -m train export"
            ) from exc

    def size_bytes(self, folder: Path) -> int:
        """Return the size of all files together."""
        return sum(_size_of(folder / name) for name in self.files)


def check_formats(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of formats in the order of ALL_FORMATS, each once; "all" stands for every
    one.

    Raises:
        SettingsError: an unknown name, or none.
        SetupError: a package that a format needs is not installed.
    """
    wanted = {name.strip() for name in names} - {""}
    unknown = sorted(wanted - {*ALL_FORMATS, "all"})
    if unknown or not wanted:
        raise SettingsError(
            f"--formats must be all or some of {', '.join(ALL_FORMATS)}, separated by commas, not "
            f"{unknown[0] if unknown else 'nothing'!r}. Change it"
        )
    chosen = tuple(name for name in ALL_FORMATS if name in wanted or "all" in wanted)
    missing = [name for name in ONNX_PACKAGES if importlib.util.find_spec(name) is None]
    if ONNX in chosen and missing:
        others = ",".join(name for name in chosen if name != ONNX) or ALL_FORMATS[0]
        raise SetupError(
            f"ONNX files need packages that are not installed: {', '.join(missing)}. Install them with "
            f"python -m pip install -r requirements-export.txt, or leave ONNX out: --formats {others}"
        )
    return chosen


def _size_of(path: Path) -> int:
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size


def _input_spec(model: keras.Model) -> keras.InputSpec:
    return keras.InputSpec(dtype="float32", shape=model.input_shape, name="image")


def _to_logits(outputs: Iterable[Any]) -> Logits:
    """Tell outputs apart by shape: converters may rename and reorder them."""
    by_length = {int(each.shape[-1]): np.asarray(each) for each in outputs if len(each.shape) == 2}
    return Logits(by_length[len(EMOTIONS)], by_length[len(FERPLUS_VOTES)])


def _in_batches(call: Callable[[NDArray[np.float32]], Iterable[Any]]) -> Run:
    def run(images: NDArray[np.uint8]) -> Logits:
        pixels = images[..., None].astype(np.float32)
        parts = [_to_logits(call(pixels[i : i + _BATCH])) for i in range(0, len(pixels), _BATCH)]
        return Logits(
            np.concatenate([part.original for part in parts]),
            np.concatenate([part.ferplus for part in parts]),
        )

    return run


def _runner_of(model: keras.Model) -> Run:
    return lambda images: run_keras(model, images)


def _write_keras(model: keras.Model, folder: Path) -> None:
    model.save(folder / KERAS_FILE)


def _write_saved_model(model: keras.Model, folder: Path) -> None:
    path, signature = str(folder / SAVED_MODEL_FOLDER), [_input_spec(model)]
    model.export(path, format="tf_saved_model", verbose=False, input_signature=signature)


def _open_saved_model(folder: Path) -> Run:
    loaded = tf.saved_model.load(str(folder / SAVED_MODEL_FOLDER))
    # Not the signature alone, which does not keep the variables that it reads.
    return _in_batches(
        lambda pixels: loaded.signatures["serving_default"](image=tf.constant(pixels)).values()
    )


def _write_h5(model: keras.Model, folder: Path) -> None:
    # Keras calls HDF5 a legacy format on every save; who asks for it knows.
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        model.save(folder / H5_FILE)
    finally:
        logger.setLevel(level)
    (folder / ARCHITECTURE_FILE).write_text(model.to_json(indent=2) + "\n", encoding="utf-8")


def _open_h5(folder: Path) -> Run:
    return _runner_of(keras.saving.load_model(folder / H5_FILE, compile=False, safe_mode=True))


def _open_h5_by_architecture(folder: Path) -> Run:
    model = keras.models.model_from_json((folder / ARCHITECTURE_FILE).read_text(encoding="utf-8"))
    model.load_weights(folder / H5_FILE)
    return _runner_of(model)


def _write_onnx(model: keras.Model, folder: Path) -> None:
    path, signature = str(folder / ONNX_FILE), [_input_spec(model)]
    with warnings.catch_warnings():
        # Keras mends older tf2onnx by touching np.object, which NumPy warns of.
        warnings.simplefilter("ignore")
        model.export(path, format="onnx", verbose=False, input_signature=signature, opset_version=ONNX_OPSET)


def _open_onnx(folder: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / ONNX_FILE, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    return _in_batches(lambda pixels: session.run(None, {image.name: pixels}))


FORMATS = {
    "keras": FileFormat(
        (KERAS_FILE,), _write_keras, {"Keras": lambda f: _runner_of(load_keras(f / KERAS_FILE))}
    ),
    "savedmodel": FileFormat((SAVED_MODEL_FOLDER,), _write_saved_model, {"SavedModel": _open_saved_model}),
    "h5": FileFormat(
        (H5_FILE, ARCHITECTURE_FILE),
        _write_h5,
        {"HDF5": _open_h5, "HDF5 weights + JSON": _open_h5_by_architecture},
    ),
    ONNX: FileFormat((ONNX_FILE,), _write_onnx, {"ONNX": _open_onnx}),
}
"""They stand under the names that --formats takes; LiteRT has a module of its own."""

ALL_FORMATS = ("keras", LITERT, "savedmodel", "h5", ONNX)
