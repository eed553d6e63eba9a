"""Heat maps of Keras networks of any kind, by gradients.

Selvaraju et al. 2017, "Grad-CAM: visual explanations from deep networks via gradient-based localization": the
last pictures inside the network, each weighed by how much it moves an expression's score, on average.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.custom.custom_network import LOGITS, SIGMOID
from fer_web.inference.heatmaps import HeatMaps

_TINY: Final = 1e-30
"""Below it a probability is taken for this: its logarithm must stay a number."""


MAX_COLOURS: Final = 3


class GradCam:
    """Calls a network as one compiled function; it may be used by many threads."""

    def __init__(self, model: Any) -> None:
        """Args: model: from pictures to its last pictures (N, rows, columns, channels) and outputs (N, K)."""
        self._model = model
        self._compiled: dict[tuple[tuple[int, ...], str], Any] = {}

    def explain(self, batch: NDArray[np.float32], columns: tuple[int, ...], output: str) -> HeatMaps:
        """Heat maps of scaled pictures.

        Args:
            batch: float32 (N, height, width, channels).
            columns: which outputs are expressions that are shown, K of them.
            output: SOFTMAX, SIGMOID or LOGITS.
        Returns: float32 (N, K, rows, columns); never below 0.
        """
        key = columns, output
        # Two threads that come first both compile it; either's is right.
        call = self._compiled.get(key) or self._compiled.setdefault(key, self._compile(*key))
        return np.asarray(call(batch), np.float32)

    def _compile(self, columns: tuple[int, ...], output: str) -> Any:
        import tensorflow as tf

        shape = (None, *self._model.input_shape[1:])
        return tf.function(
            lambda batch: self._explain(batch, columns, output),
            input_signature=[tf.TensorSpec(shape, tf.float32)],
            autograph=False,
        )

    def _explain(self, batch: Any, columns: tuple[int, ...], output: str) -> Any:
        import tensorflow as tf

        with tf.GradientTape(persistent=True) as tape:
            tape.watch(batch)
            pictures, outputs = self._model(batch, training=False)
            scores = tf.gather(_logits(outputs, output), columns, axis=1)
            # Softmax sees differences only: what moves all alike decides nothing.
            scores -= tf.reduce_mean(scores, axis=1, keepdims=True)
            each = tf.unstack(scores, axis=1)
        maps = []
        for score in each:
            slope = tape.gradient(score, pictures, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            weights = tf.reduce_mean(slope, axis=(1, 2), keepdims=True)
            maps.append(tf.nn.relu(tf.reduce_sum(weights * pictures, axis=-1)))
        return tf.stack(maps, axis=1)


def grad_cam_of(model: Any) -> GradCam | None:
    """Grad-CAM of a Keras model; None where its output does not come from pictures inside it."""
    import keras

    if any(getattr(layer, "data_format", None) == "channels_first" for layer in model.layers):
        return None
    try:
        pictures = _last_pictures(model.outputs[0])
        return None if pictures is None else GradCam(keras.Model(model.inputs, [pictures, model.outputs[0]]))
    # A class of its maker's own need not be a graph of layers. It still classifies.
    except (AttributeError, ValueError, KeyError, IndexError):
        return None


def _last_pictures(output: Any) -> Any:
    """The last pictures on the ways to an output, (N, rows, columns, channels); None without any."""
    waiting, seen = [output], set()
    while waiting:
        tensor = waiting.pop(0)
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if _has_cells(tensor.shape):
            return tensor
        # By these nodes and not by layer.output: a layer of a file may have been called before.
        operation, node, _ = tensor._keras_history
        waiting += operation._inbound_nodes[node].input_tensors
    return None


def _has_cells(shape: tuple[int | None, ...]) -> bool:
    """Tell whether these are pictures of more than one cell, and more than the input's colours."""
    is_picture = len(shape) == 4 and all(side is None or side > 1 for side in shape[1:3])
    return is_picture and (shape[3] or 0) > MAX_COLOURS


def _logits(outputs: Any, output: str) -> Any:
    """Return what the last activation was given, but for a shift of all alike."""
    import tensorflow as tf

    if output == LOGITS:
        return outputs
    # Keras keeps them for its loss: probabilities that were rounded to 0 or 1 have no slope any more.
    if (kept := getattr(outputs, "_keras_logits", None)) is not None:
        return kept
    logarithm = tf.math.log(tf.maximum(outputs, _TINY))
    return logarithm - tf.math.log(tf.maximum(1 - outputs, _TINY)) if output == SIGMOID else logarithm
