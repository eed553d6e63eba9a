"""ONNX files, run by onnxruntime where it is installed."""

import importlib.util
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError, SetupError
from fer_web.inference.custom.custom_network import (
    CLASS_COUNTS,
    FREE_SIDE,
    Clue,
    Input,
    Network,
    checked_classes,
    input_of,
)

PACKAGE = "onnxruntime"
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
_SIDES: Final = (FREE_SIDE, 64, 224, 112, 96, 100, 128, 160, 44, 40, 260, 299, 384)
"""Pictures of networks for faces: what is tried where a file leaves the size open."""

_COUNTS_OF_HEADS: Final = range(CLASS_COUNTS.start, 11)
"""Another output of so many numbers would be for expressions too, and nobody could tell which is meant."""


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
    inputs = predictor.session.get_inputs()
    if len(inputs) != 1 or inputs[0].type not in _TYPES:
        kinds = ", ".join(each.type for each in inputs)
        raise ModelArtifactError(
            f"{path} takes {len(inputs)} inputs ({kinds}); one of {', '.join(_TYPES)} is needed. Export it "
            "anew."
        )
    taken = _found_input(path, predictor, inputs[0])
    position, classes = _found_output(path, predictor.shapes(1))
    predictor.output = position
    clue = Clue("0..255", "its input, which is whole numbers") if inputs[0].type == "tensor(uint8)" else None
    return Network(path, "ONNX", taken, classes, lambda: predictor, clue=clue)


def external_files(path: Path) -> list[Path]:
    """The files beside an .onnx file that hold its weights, by the names that exporters give them."""
    return sorted(
        each
        for each in path.parent.glob(f"{path.stem}*")
        if each.suffix in (".data", ".onnx_data", ".weights")
    )


class OnnxPredictor:
    """Runs a session on one thread of the caller's; it may be used by many threads."""

    output = 0
    """The position of the output that holds the scores."""

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
            raise ModelArtifactError(_unreadable(path, str(exc))) from exc
        self._name = ""

    def prepare(self, taken: Input, dtype: Any) -> None:
        """Say what the network takes."""
        self._name = self.session.get_inputs()[0].name
        self._taken, self._dtype = taken, dtype

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (N, K) of scaled pictures (N, height, width, channels), whatever the file's own order."""
        found = self._run(batch)[self.output]
        return np.asarray(found, np.float32).reshape(len(batch), -1)

    def shapes(self, count: int) -> list[tuple[int, ...]]:
        """Shapes of all outputs for so many black pictures. Raises Exception: the network fails on them."""
        black = np.zeros((count, *self._taken.size_hw, self._taken.channels), np.float32)
        return [tuple(each.shape) for each in self._run(black)]

    def _run(self, batch: NDArray[np.float32]) -> list[NDArray[Any]]:
        pictures = batch.transpose(0, 3, 1, 2) if self._taken.is_channels_first else batch
        if self._dtype == np.uint8:
            pictures = np.clip(np.round(pictures), 0, 255)
        found: list[NDArray[Any]] = self.session.run(
            None, {self._name: np.ascontiguousarray(pictures, self._dtype)}
        )
        return found


def _found_input(path: Path, predictor: OnnxPredictor, node: Any) -> Input:
    """What the network takes: as its file says, and where that is open, the first that it runs on."""
    fault: Exception | None = None
    for taken in _candidates(path, node.shape):
        predictor.prepare(taken, _TYPES[node.type])
        try:
            predictor.shapes(1)
        # onnxruntime's errors derive from Exception only.
        except Exception as exc:
            fault = exc
            continue
        return _with_batch(predictor, taken)
    reason = str(fault).strip().split("\n")[0][:200]
    raise ModelArtifactError(f"{path} fails on a picture ({reason}). Export it again.") from fault


def _candidates(path: Path, shape: Sequence[Any]) -> Iterator[Input]:
    sizes = [size if isinstance(size, int) and size > 0 else None for size in shape]
    if len(sizes) != 4 or (None not in sizes[1:]):
        yield input_of(path, sizes)
        return
    is_open = not {sizes[1], sizes[3]} & {1, 3}
    orders = [sizes]
    if is_open:
        # PyTorch's order first: files that leave all open come from there.
        firsts = [[sizes[0], channels, *sizes[2:]] for channels in (3, 1) if sizes[1] is None]
        lasts = [[*sizes[:3], channels] for channels in (3, 1) if sizes[3] is None]
        orders = [*firsts, *lasts] or [sizes]
    for order, side in itertools.product(orders, _SIDES):
        taken = input_of(path, order)
        open_sides = [order[2], order[3]] if taken.is_channels_first else [order[1], order[2]]
        height, width = (side if each is None else each for each in open_sides)
        yield Input(
            (height, width), taken.channels, taken.is_channels_first, taken.is_batch_fixed, side == FREE_SIDE
        )


def _with_batch(predictor: OnnxPredictor, taken: Input) -> Input:
    """The input, one picture at a time where the network takes no more, whatever its file says."""
    try:
        is_whole = taken.is_batch_fixed or all(shape[:1] == (2,) for shape in predictor.shapes(2))
    except Exception:  # as above
        is_whole = False
    return (
        taken
        if is_whole
        else Input(taken.size_hw, taken.channels, taken.is_channels_first, True, taken.is_size_free)
    )


def _found_output(path: Path, shapes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    """Position and length of the output for expressions; others may be features, or valence and arousal.

    Raises: ModelArtifactError: there is none, or there are several.
    """
    flat = [_without_ends(shape) for shape in shapes]
    fitting = [at for at, shape in enumerate(flat) if len(shape) == 2 and shape[1] in CLASS_COUNTS]
    others = [shape for at, shape in enumerate(flat) if [at] != fitting]
    if len(fitting) == 1 and not any(shape and shape[-1] in _COUNTS_OF_HEADS for shape in others):
        return fitting[0], flat[fitting[0]][1]
    return 0, checked_classes(path, flat)


def _without_ends(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without the sides of one at its end: (1, 7, 1, 1) holds seven numbers."""
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _unreadable(path: Path, text: str) -> str:
    reason = text.strip().split("\n")[0][:200]
    if "xternal" in text:
        return (
            f"{path} takes its weights from another file that cannot be read ({reason}). Copy both into one "
            "folder."
        )
    return (
        f"{path} cannot be opened as ONNX ({reason}): it was cut short, or needs a newer onnxruntime. Export "
        "it again."
    )
