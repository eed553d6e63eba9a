"""The one place that opens a .tflite file."""

from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray


class Interpreter(Protocol):
    """The part of LiteRT's interpreter that we use. Not thread-safe: one instance belongs to one thread."""

    def allocate_tensors(self) -> None:
        """Reserve memory; needed once, and again after a resize."""

    def get_input_details(self) -> list[dict[str, Any]]:
        """Index, name, shape and dtype of each input."""

    def get_output_details(self) -> list[dict[str, Any]]:
        """Index, name, shape and dtype of each output."""

    def resize_tensor_input(self, input_index: int, tensor_size: list[int]) -> None:
        """Change an input's shape; allocate again afterwards."""

    def set_tensor(self, tensor_index: int, value: NDArray[np.generic]) -> None:
        """Copy an array into an input."""

    def invoke(self) -> None:
        """Compute the outputs; releases the interpreter lock meanwhile."""

    def get_tensor(self, tensor_index: int) -> NDArray[Any]:
        """A copy of an output."""

    def get_signature_list(self) -> dict[str, dict[str, list[str]]]:
        """Return, by signature, the names of its inputs and outputs."""

    def get_signature_runner(self, signature_key: str) -> Any:
        """A function from inputs by name to a dict of outputs by name."""


def open_interpreter(path: Path, num_threads: int = 1) -> Interpreter:
    """Load a .tflite file, ready to be invoked.

    LiteRT is used where it is installed. TensorFlow's own interpreter stands in on platforms without a LiteRT
    wheel; it is imported only then, because that import takes about 2 s and 400 MB.

    Raises: ValueError: the file is missing or not a LiteRT model.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter as LiteRtInterpreter
    except ImportError:
        import tensorflow as tf

        LiteRtInterpreter = tf.lite.Interpreter  # noqa: N806 - a class
    interpreter = cast(Interpreter, LiteRtInterpreter(model_path=str(path), num_threads=num_threads))
    interpreter.allocate_tensors()
    return interpreter
