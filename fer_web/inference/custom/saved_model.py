"""SavedModel folders, TensorFlow's own format."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import FerWebError, ModelArtifactError, ModelTrustError
from fer_web.inference.custom.custom_network import Network, checked_classes, input_of
from fer_web.inference.custom.keras_files import OPENED_BY, RISK, import_keras
from fer_web.training_packages import require_packages

SIGNATURE = "serving_default"


def open_saved_model(path: Path, is_trusted: bool) -> Network:
    """Open a SavedModel folder.

    Raises:
        SetupError: TensorFlow is not installed.
        ModelTrustError: nobody said that it may be opened: it is a program, which may read and write files.
        ModelArtifactError: it cannot be opened, or is no network for expressions.
    """
    if not is_trusted:
        raise ModelTrustError(
            f"{path} is a SavedModel, which is a program of its own and may read and write files when it "
            f"runs. {RISK}. If you know who made it, give --trust; otherwise have it saved as .tflite or "
            ".onnx, which hold no code."
        )
    require_packages(f"{path} is a SavedModel and", *OPENED_BY)
    try:
        return _network(path)
    except FerWebError:
        raise
    except Exception as exc:  # TensorFlow's errors are of many kinds; all mean that the folder is broken
        reason = str(exc).strip().split("\n")[0][:300]
        raise ModelArtifactError(
            f"{path} cannot be opened as a SavedModel ({reason}): it is not whole. Save it again."
        ) from exc


class SavedModelPredictor:
    """Runs a signature; it may be used by many threads."""

    def __init__(self, owner: Any, function: Any) -> None:
        import tensorflow as tf

        self._owner = owner  # the signature alone does not keep the variables that it reads
        self._function = function
        (self._name,) = function.structured_input_signature[1]
        self._constant = tf.constant

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (N, K) of scaled pictures."""
        (output,) = self._function(**{self._name: self._constant(batch)}).values()
        return np.asarray(output, np.float32)


def _network(path: Path) -> Network:
    import_keras()
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    if SIGNATURE not in loaded.signatures:
        raise ModelArtifactError(
            f"{path} has no signature {SIGNATURE!r} (it has: {', '.join(loaded.signatures) or 'none'}). Save "
            "it with model.export(FOLDER)."
        )
    function = loaded.signatures[SIGNATURE]
    inputs = list(function.structured_input_signature[1].values())
    if len(inputs) != 1 or inputs[0].dtype != tf.float32:
        kinds = ", ".join(each.dtype.name for each in inputs)
        raise ModelArtifactError(f"{path} takes {len(inputs)} inputs ({kinds}); one of float32 is needed.")
    outputs = [_sizes(each.shape) for each in function.structured_outputs.values()]
    classes = checked_classes(path, outputs)
    predictor = SavedModelPredictor(loaded, function)
    return Network(path, "SavedModel", input_of(path, _sizes(inputs[0].shape)), classes, lambda: predictor)


def _sizes(shape: Any) -> list[int | None]:
    return [] if shape.rank is None else list(shape)
