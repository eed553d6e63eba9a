"""ONNX files, run by onnxruntime where it is installed."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError, SetupError
from fer_web.inference.custom.custom_network import Clue, Input, Network, checked_classes, input_of

PACKAGE = "onnxruntime"
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


def open_onnx(path: Path) -> Network:
    """Open an .onnx file.

    Raises:
        SetupError: onnxruntime is not installed.
        ModelArtifactError: it is broken, or no network for expressions.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise SetupError(
            f"{path} needs {PACKAGE}, which is not installed. Install it: python -m pip install -r "
            f"requirements-export.txt, or only python -m pip install {PACKAGE}"
        )
    predictor = OnnxPredictor(path)
    inputs, outputs = predictor.session.get_inputs(), predictor.session.get_outputs()
    if len(inputs) != 1 or inputs[0].type not in _TYPES:
        kinds = ", ".join(each.type for each in inputs)
        raise ModelArtifactError(
            f"{path} takes {len(inputs)} inputs ({kinds}); one of {', '.join(_TYPES)} is needed. Export it "
            "anew."
        )
    classes = checked_classes(path, [each.shape for each in outputs])
    taken = input_of(path, inputs[0].shape)
    predictor.prepare(taken, _TYPES[inputs[0].type])
    clue = Clue("0..255", "its input, which is whole numbers") if inputs[0].type == "tensor(uint8)" else None
    return Network(path, "ONNX", taken, classes, lambda: predictor, clue=clue)


class OnnxPredictor:
    """Runs a session on one thread of the caller's; it may be used by many threads."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self.session: Any = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        # onnxruntime's errors derive from Exception only, each from it directly.
        except Exception as exc:
            reason = str(exc).strip().split("\n")[0][:200]
            raise ModelArtifactError(
                f"{path} cannot be opened as ONNX ({reason}): it was cut short, or needs a newer "
                "onnxruntime. Export it again."
            ) from exc
        self._name = ""

    def prepare(self, taken: Input, dtype: Any) -> None:
        """Say what the network takes."""
        self._name = self.session.get_inputs()[0].name
        self._taken, self._dtype = taken, dtype

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (N, K) of scaled pictures (N, height, width, channels), whatever the file's own order."""
        pictures = batch.transpose(0, 3, 1, 2) if self._taken.is_channels_first else batch
        pictures = np.ascontiguousarray(
            np.round(pictures) if self._dtype == np.uint8 else pictures, self._dtype
        )
        return np.asarray(self.session.run(None, {self._name: pictures})[0], np.float32)
