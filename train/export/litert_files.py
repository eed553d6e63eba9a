"""Write, run and time LiteRT files of a network, from float32 to int8."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.classifier import Logits
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from fer_web.vision.litert import Interpreter, open_interpreter
from train.networks.activation_maps import CAM

KINDS = ("float32", "float16", "int8-weights", "int8")
"""float16: weights stored so. int8-weights: activations quantised as they come. int8: by sample
images.
"""

SIGNATURE = "serving_default"
CALLS_A_TURN = 10
_WARM_UP, _TURNS = 20, 20


@dataclass(frozen=True)
class LiteRTFile:
    """It is one written file.

    Attributes:
        outputs: signature names of the outputs "original", "ferplus" and, where there is one,
            "cam".
        size_bytes: of the file.
    """

    kind: str
    path: Path
    outputs: dict[str, str]
    size_bytes: int


def write_litert(model: keras.Model, kind: str, path: Path, calibration: NDArray[np.uint8]) -> LiteRTFile:
    """Convert a network as `convert` does, and name its outputs."""
    convert(model, kind, path, calibration)
    return LiteRTFile(kind, path, name_outputs(open_interpreter(path)), path.stat().st_size)


def convert(model: keras.Model, kind: str, path: Path, calibration: NDArray[np.uint8]) -> None:
    """Write a float32 network as a LiteRT file with float32 input (1, H, W, 1), 0-255.

    Args:
        kind: one of KINDS.
        calibration: uint8 (N, H, W), images from which int8 takes the ranges of activations.
    """
    spec = keras.InputSpec(dtype="float32", shape=(1, *model.input_shape[1:]), name="image")
    options = _converter_options(kind, calibration)
    model.export(str(path), format="litert", verbose=False, input_signature=[spec], **options)


def run_litert(file: LiteRTFile, images: NDArray[np.uint8]) -> Logits:
    """Return the logits of uint8 (N, 48, 48) images, one by one as the live page runs them."""
    run = _runner(open_interpreter(file.path))
    original = np.empty((len(images), len(EMOTIONS)), np.float32)
    ferplus = np.empty((len(images), len(FERPLUS_VOTES)), np.float32)
    for row, image in enumerate(images[..., None].astype(np.float32)):
        outputs = run(image[None])
        original[row] = outputs[file.outputs["original"]][0]
        ferplus[row] = outputs[file.outputs["ferplus"]][0]
    return Logits(original, ferplus)


def name_outputs(interpreter: Interpreter) -> dict[str, str]:
    """Return the signature names of the outputs by what they are, told apart by shape: converters
    may rename outputs.

    Raises: ModelArtifactError: the file has not one output "original" and one "ferplus".
    """
    outputs = _runner(interpreter)(np.zeros((1, 48, 48, 1), np.float32))
    shapes = {name: value.shape for name, value in outputs.items()}
    wanted = {"original": (1, len(EMOTIONS)), "ferplus": (1, len(FERPLUS_VOTES))}
    found = {key: [name for name, has in shapes.items() if has == shape] for key, shape in wanted.items()}
    if any(len(names) != 1 for names in found.values()):
        raise ModelArtifactError(
            f"the LiteRT file has outputs {shapes}; {wanted} are needed. Export another network"
        )
    found[CAM] = [name for name, has in shapes.items() if len(has) == 4 and has[-1] == len(FERPLUS_VOTES)]
    return {key: names[0] for key, names in found.items() if names}


def measure_latencies_ms(files: list[LiteRTFile]) -> list[float]:
    """Time one face on one thread for each file: the lowest of the medians of its turns, in ms.

    Other work on the machine only ever adds.
    """
    times_ms = time_turns([open_call(file.path) for file in files], _TURNS)
    return [float(each) for each in times_ms.min(axis=0)]


def open_call(path: Path) -> Callable[[], Any]:
    """Return a function that classifies one grey picture, on one thread, as the live page does."""
    interpreter = open_interpreter(path)
    runner = interpreter.get_signature_runner(SIGNATURE)
    (name,) = interpreter.get_signature_list()[SIGNATURE]["inputs"]
    image = np.full(runner.get_input_details()[name]["shape"], 128, np.float32)
    return lambda: runner(**{name: image})


def time_turns(calls: list[Callable[[], Any]], turns: int) -> NDArray[np.float64]:
    """Time calls in turns, so that other work on the machine hits all alike.

    Returns: milliseconds, float64 (turns, len(calls)): the median of CALLS_A_TURN calls.
    """
    for call in calls:
        for _ in range(_WARM_UP):
            call()
    return np.array([[_median_ms(call) for call in calls] for _ in range(turns)])


def _median_ms(call: Callable[[], Any]) -> float:
    samples = []
    for _ in range(CALLS_A_TURN):
        started = time.perf_counter()
        call()
        samples.append(1000 * (time.perf_counter() - started))
    return float(np.median(samples))


def _runner(interpreter: Interpreter) -> Callable[[NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    runner = interpreter.get_signature_runner(SIGNATURE)
    (input_name,) = interpreter.get_signature_list()[SIGNATURE]["inputs"]
    return lambda image: runner(**{input_name: image})


def _converter_options(kind: str, calibration: NDArray[np.uint8]) -> dict[str, Any]:
    # Builtin operations only: the LiteRT runtime of the live page has no TensorFlow kernels.
    target: dict[str, Any] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    options: dict[str, Any] = {"target_spec": target}
    if kind == "float32":
        return options
    options["optimizations"] = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        target["supported_types"] = [tf.float16]
    if kind == "int8":

        def calibration_inputs() -> Iterator[list[NDArray[np.float32]]]:
            for image in calibration[..., None].astype(np.float32):
                yield [image[None]]

        options["representative_dataset"] = calibration_inputs
    return options
