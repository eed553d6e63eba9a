"""Recognises a path's format by its name and its first bytes, before anything opens it."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.tfjs_weights import JSON_BYTES, MANIFEST, TOPOLOGY

KERAS, HDF5, ARCHITECTURE, SAVED_MODEL = "Keras", "HDF5", "architecture and weights", "SavedModel"
LITERT, ONNX, TFJS = "LiteRT", "ONNX", "TensorFlow.js"

_BY_SUFFIX = {
    ".keras": KERAS,
    ".h5": HDF5,
    ".hdf5": HDF5,
    ".json": ARCHITECTURE,
    ".tflite": LITERT,
    ".onnx": ONNX,
}
FORMATS = (
    "a folder with meta.json, .keras, .h5, .json with its weights, TensorFlow.js' model.json, a SavedModel "
    "folder, .tflite or .onnx"
)

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_LITERT_MAGIC, _LITERT_MAGIC_AT = b"TFL3", 4
_LFS_MAGIC = b"version https://git-lfs"
_ZIP_MAGIC = b"PK\x03\x04"
_PICKLE_PROTOCOLS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
MAX_BYTES = 2_000_000_000


@dataclass(frozen=True)
class ModelFile:
    """A path whose format is known.

    Attributes:
        path: the file, or SavedModel's folder.
        kind: one of this module's names.
        weights: of an ARCHITECTURE.
    """

    path: Path
    kind: str
    weights: Path | None = None


def recognise(path: Path) -> ModelFile:
    """Say what a path is.

    Raises: ModelArtifactError: it is missing, empty, too large, or no model; the text says what it is.
    """
    if path.is_dir():
        return _folder(path)
    if "," in str(path) and not path.exists():
        architecture, weights = (Path(each.strip()) for each in str(path).split(",", 1))
        beside = architecture.with_name(weights.name)
        return _architecture(architecture, weights if weights.is_file() else beside)
    kind = _BY_SUFFIX.get(path.suffix.lower())
    if kind is None and path.is_file():
        raise ModelArtifactError(
            f"{path} is no model that can be opened; allowed: {FORMATS}. Give one of these."
        )
    if kind == ARCHITECTURE:
        return ModelFile(path, TFJS) if _is_tfjs(path) else _architecture(path, _weights_beside(path))
    check_content(path, kind)
    return ModelFile(path, kind or "")


def check_content(path: Path, kind: str | None) -> None:
    """Look at a file's size and first bytes. Raises ModelArtifactError: it is not what its name says."""
    head = _head(path)
    if not head:
        raise ModelArtifactError(f"{path} is empty: the download or the copy failed. Fetch it again.")
    if head.startswith(_LFS_MAGIC):
        raise ModelArtifactError(
            f"{path} is a pointer of Git LFS, not the model itself. Fetch the model: git lfs pull"
        )
    if head.startswith(_PICKLE_PROTOCOLS):
        raise ModelArtifactError(
            f"{path} is a Python pickle, which runs whatever code is in it as soon as it is opened. It is "
            "not read, with no option. Save the network anew: model.save('model.keras')"
        )
    if kind == HDF5 and head.startswith(_ZIP_MAGIC):
        raise ModelArtifactError(f"{path} is a ZIP file, as .keras files are. Name it so: {path.stem}.keras")
    if kind == KERAS and head.startswith(_HDF5_MAGIC):
        raise ModelArtifactError(f"{path} is an HDF5 file. Name it so: {path.stem}.h5")
    if not _has_magic(path, kind, head):
        raise ModelArtifactError(
            f"{path} is no {kind} file: it begins with {head[:8]!r}. It was cut short, altered or named "
            "wrongly; fetch or save it again."
        )


def _has_magic(path: Path, kind: str | None, head: bytes) -> bool:
    if kind == HDF5:
        return head.startswith(_HDF5_MAGIC)
    if kind == KERAS:
        return zipfile.is_zipfile(path)
    if kind == LITERT:
        return head[_LITERT_MAGIC_AT:].startswith(_LITERT_MAGIC)
    return True


def _head(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelArtifactError(
                f"{path} has {path.stat().st_size} bytes; up to {MAX_BYTES} are read. Give a smaller network."
            )
        with path.open("rb") as file:
            return file.read(32)
    except (OSError, ValueError) as exc:
        raise ModelArtifactError(
            f"{path} cannot be read ({getattr(exc, 'strerror', exc)}). Give --model a file or folder that "
            f"exists: {FORMATS}."
        ) from exc


def _folder(path: Path) -> ModelFile:
    if (path / "saved_model.pb").is_file():
        return ModelFile(path, SAVED_MODEL)
    if (path / "model.json").is_file() and _is_tfjs(path / "model.json"):
        return ModelFile(path / "model.json", TFJS)
    if (path / "keras_metadata.pb").is_file() or (path / "variables").is_dir():
        raise ModelArtifactError(
            f"{path} is a SavedModel without saved_model.pb: it is not whole. Copy it again."
        )
    raise ModelArtifactError(f"{path} has neither meta.json nor saved_model.pb; allowed: {FORMATS}.")


def _architecture(path: Path, weights: Path) -> ModelFile:
    head = _head(path)
    if not head.lstrip().startswith(b"{"):
        check_content(path, None)
        raise ModelArtifactError(f"{path} is no JSON with an architecture. Save it with model.to_json().")
    check_content(weights, HDF5)
    return ModelFile(path, ARCHITECTURE, weights)


def _is_tfjs(path: Path) -> bool:
    """Tell whether a .json is TensorFlow.js', which names its weights itself."""
    head = _head(path).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(b"{") or path.stat().st_size > JSON_BYTES:
        return False
    text = path.read_bytes()
    return f'"{TOPOLOGY}"'.encode() in text and f'"{MANIFEST}"'.encode() in text


def _weights_beside(path: Path) -> Path:
    _head(path)
    names = [f"{path.stem}{suffix}" for suffix in (".weights.h5", ".h5", ".hdf5")]
    found = [path.with_name(name) for name in names if path.with_name(name).is_file()]
    if not found:
        raise ModelArtifactError(
            f"{path} holds an architecture only, and there is no {' or '.join(names)} beside it. Name the "
            f"weights: --model {path},WEIGHTS.h5"
        )
    return found[0]
