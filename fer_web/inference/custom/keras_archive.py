"""A .keras file, which is a ZIP, looked at before Keras opens it."""

import io
import zipfile
from pathlib import Path

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.hdf5_files import check_hdf5

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MAX_CONFIG_BYTES = 20_000_000
MAX_RATIO = 50
"""Unpacked to packed. Keras stores weights unpacked, and float32 weights shrink by a tenth at most."""


def read_keras_archive(path: Path) -> str:
    """Check the file and give its architecture, as JSON.

    Raises: ModelArtifactError: it is cut short, lacks a part, or unpacks to far more than it is.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive)
            config, weights = archive.read(CONFIG), archive.read(WEIGHTS)
    except KeyError as exc:
        raise ModelArtifactError(
            f"{path} is a ZIP file without {exc.args[0].split(chr(39))[1]}, and so no Keras model. Save it "
            "with model.save('model.keras')."
        ) from exc
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as exc:
        raise ModelArtifactError(
            f"{path} cannot be unpacked ({str(exc)[:200]}): it was cut short or altered. Fetch it again."
        ) from exc
    check_hdf5(path, io.BytesIO(weights))
    return config.decode("utf-8", "replace")


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    config_bytes = max((part.file_size for part in parts if part.filename == CONFIG), default=0)
    if unpacked > MAX_RATIO * path.stat().st_size or config_bytes > MAX_CONFIG_BYTES:
        raise ModelArtifactError(
            f"{path} has {path.stat().st_size} bytes and would unpack to {unpacked}: no network shrinks so "
            "far. It is not opened."
        )
