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
_WARM_UP, _TURNS, _CALLS = 5, 20, 10


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
    """Convert a float32 network to a LiteRT file with float32 input (1, 48, 48, 1), 0-255.

    Args:
        kind: one of KINDS.
        calibration: uint8 (N, 48, 48), Training images from which int8 takes the ranges of
            activations.
    """
    height, width, channels = model.input_shape[1:]
    spec = keras.InputSpec(dtype="float32", shape=(1, height, width, channels), name="image")
    options = _converter_options(kind, calibration)
    model.export(str(path), format="litert", verbose=False, input_signature=[spec], **options)
    return LiteRTFile(kind, path, name_outputs(open_interpreter(path)), path.stat().st_size)


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
    """Return the milliseconds for one face on one thread, for each file: the lowest of the medians
    of its turns.

    The files take turns of ten calls, so that other work on the machine hits all alike; it only
    ever adds.
    """
    runs = [_runner(open_interpreter(file.path)) for file in files]
    image = np.full((1, 48, 48, 1), 128, np.float32)
    for run in runs:
        for _ in range(_WARM_UP):
            run(image)
    turns = [[_median_ms(run, image) for run in runs] for _ in range(_TURNS)]
    return [float(each) for each in np.min(turns, axis=0)]


def _median_ms(run: Callable[[NDArray[np.float32]], Any], image: NDArray[np.float32]) -> float:
    samples = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        run(image)
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
