"""LiteRT files (.tflite), float or quantised."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.custom_network import Clue, Network, checked_classes, input_of
from fer_web.inference.custom.scaling import SCALINGS
from fer_web.vision.litert import open_interpreter

_INTEGERS = (np.uint8, np.int8)


def open_litert(path: Path) -> Network:
    """Open a .tflite file. Raises ModelArtifactError: it is broken, or no network for expressions."""
    details = _opened(path)
    inputs, outputs = details.get_input_details(), details.get_output_details()
    if len(inputs) != 1 or inputs[0]["dtype"] not in (np.float32, *_INTEGERS):
        kinds = ", ".join(np.dtype(each["dtype"]).name for each in inputs)
        raise ModelArtifactError(
            f"{path} takes {len(inputs)} inputs ({kinds}); one of float32, uint8 or int8 is needed. Convert "
            "it anew."
        )
    shape = [int(size) for size in inputs[0]["shape"]]
    classes = checked_classes(path, [[int(size) for size in each["shape"]] for each in outputs])
    return Network(
        path=path,
        file_format="LiteRT",
        input=input_of(path, shape),
        classes=classes,
        new_predictor=lambda: LiteRTPredictor(path),
        clue=_clue(inputs[0]),
    )


class LiteRTPredictor:
    """Runs picture after picture; each instance has an interpreter of its own."""

    def __init__(self, path: Path) -> None:
        self._interpreter = _opened(path)
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (N, K) of scaled pictures."""
        return np.concatenate([self._one(picture[None]) for picture in batch])

    def _one(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._input["index"], _quantised(picture, self._input))
        self._interpreter.invoke()
        return _real(self._interpreter.get_tensor(self._output["index"]), self._output)


def _opened(path: Path) -> Any:
    try:
        return open_interpreter(path)
    except (ValueError, RuntimeError) as exc:
        reason = str(exc).strip().split("\n")[0][:200]
        raise ModelArtifactError(
            f"{path} cannot be opened as LiteRT ({reason}): it was cut short, or uses operations that are "
            "not built in. Convert it again, with built-in operations only."
        ) from exc


def _quantised(picture: NDArray[np.float32], tensor: dict[str, Any]) -> NDArray[Any]:
    if tensor["dtype"] not in _INTEGERS:
        return picture
    scale, zero_point = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    levels = np.round(picture / (scale or 1.0)) + zero_point
    return np.asarray(np.clip(levels, limits.min, limits.max), tensor["dtype"])


def _real(values: NDArray[Any], tensor: dict[str, Any]) -> NDArray[np.float32]:
    if tensor["dtype"] not in _INTEGERS:
        return np.asarray(values, np.float32)
    scale, zero_point = tensor["quantization"]
    return np.asarray((values.astype(np.float32) - zero_point) * (scale or 1.0), np.float32)


def _clue(tensor: dict[str, Any]) -> Clue | None:
    """A quantised input says which numbers its levels stand for."""
    if tensor["dtype"] not in _INTEGERS:
        return None
    scale, zero_point = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    low, high = ((level - zero_point) * (scale or 1.0) for level in (limits.min, limits.max))
    gaps = {
        name: (abs(low - black) + abs(high - white)) / (white - black)
        for name, (black, white) in SCALINGS.items()
    }
    name = min(gaps, key=gaps.__getitem__)
    source = f"its quantised input, which stands for {low:.4g} to {high:.4g}"
    return Clue(name, source) if gaps[name] < 0.4 else None
