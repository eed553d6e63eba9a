"""Fit both small networks of fer_web/inference/certainty.py, and choose the threshold by cost."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.certainty import (
    FEATURES,
    FORMAT,
    INPUTS,
    REASONS,
    CertaintyModel,
    Layer,
    Limit,
    condition_inputs,
    features,
    run_layers,
    view_spread,
)
from fer_web.inference.scores import shown_scores
from fer_web.labels import EMOTIONS
from fer_web.vision.visibility import MEASURES
from train.certainty.examples import Examples

LIMITS: Final = (
    Limit("brightness", 38.0, -14.0),
    Limit("side_px", 44.0, -14.0),
    Limit("outside_share", 0.16, 0.08),
)
"""Dark, small and cut are no matter of learning: from where on people are told so."""

HIDDEN: Final = (32, 12)
EPOCHS: Final = (16, 50)
WRONG_COST: Final = 5.0
"""A wrong answer that is called sure costs as much as so many that are called unsure."""

NEUTRAL: Final = EMOTIONS.index("neutral")
LEARNED: Final = len(REASONS) - len(LIMITS)


@dataclass(frozen=True)
class Scale:
    """How a network's logits become scores: see `shown_scores`."""

    temperature: float
    logit_offsets: tuple[float, ...]

    def shifted(self, neutral_offset: float) -> "Scale":
        """Return the same with more or less for neutral."""
        offsets = list(self.logit_offsets)
        offsets[NEUTRAL] += neutral_offset
        return Scale(self.temperature, tuple(offsets))

    def scores(self, ferplus: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return scores (N, 7) and uncertainty (N,) of logits (N, 10)."""
        return shown_scores(ferplus, self.temperature, self.logit_offsets)


def fit_certainty(
    training: Examples,
    choosing: Examples,
    scale: Scale,
    model_hash: str,
    neutral_offset: float,
    seed: int = 0,
) -> CertaintyModel:
    """Fit on the training pictures; calibrate, and choose the threshold, on others.

    A network knows its training pictures better than any others, so that the certainty fitted there is too
    high: a slope and an offset from `choosing` mend it (Platt 1999).
    """
    scale = scale.shifted(neutral_offset)
    means, scales = np.nanmean(training.measures, axis=0), np.nanstd(training.measures, axis=0) + 1e-6
    both = training.joined(training.mirrored())
    inputs = np.concatenate([inputs_of(both, means, scales, view) for view in (0, 1)])
    targets = np.concatenate([both.is_spoiled[:, :LEARNED]] * 2).astype(np.float32)
    condition_layers = _fit_network(inputs, targets, HIDDEN[0], EPOCHS[0], seed)
    model = CertaintyModel(
        model_hash, 0.0, neutral_offset, means.astype(np.float32), scales.astype(np.float32),
        condition_layers, LIMITS, (Layer(np.zeros((FEATURES, 1), np.float32), np.zeros(1, np.float32)),),
    )  # fmt: skip
    # Half of the examples as stills and calm streams see them, half as one view does.
    found = [features_of(model, training, scale, view) for view in (None, 0)]
    inputs = np.concatenate([each for each, _ in found])
    targets = np.concatenate([right for _, right in found]).astype(np.float32)[:, None]
    layers = _fit_network(inputs, targets, HIDDEN[1], EPOCHS[1], seed + 1)
    layers = _calibrated(layers, *features_of(model, choosing, scale))
    certainty, is_right = certainties(_with(model, layers, 0.0), choosing, scale)
    return _with(model, layers, cheapest_threshold(certainty, is_right))


def inputs_of(
    examples: Examples, means: NDArray[Any], scales: NDArray[Any], view: int | None
) -> NDArray[np.float32]:
    """Return the inputs of the conditions, by one view's cells or, for None, the mean of both."""
    cells = examples.cells.mean(axis=1) if view is None else examples.cells[:, view]
    return condition_inputs(examples.measures, examples.patches, cells, means, scales)


def features_of(
    model: CertaintyModel, examples: Examples, scale: Scale, view: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return what certainty is made of, float32 (N, FEATURES), and whether the shown label is right, (N,)."""
    ferplus = examples.ferplus.mean(axis=1) if view is None else examples.ferplus[:, view]
    scores, uncertainty = scale.scores(ferplus)
    spread = view_spread(scale.scores(examples.ferplus[:, 0])[0], scale.scores(examples.ferplus[:, 1])[0])
    cells = examples.cells.mean(axis=1) if view is None else examples.cells[:, view]
    conditions = model.conditions(examples.measures, examples.patches, cells)
    evidence = np.column_stack([uncertainty, spread, conditions]).astype(np.float32)
    return features(scores, evidence), scores.argmax(axis=1) == examples.truth


def certainties(
    model: CertaintyModel, examples: Examples, scale: Scale
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the certainty of each example, float32 (N,), and whether it is right, bool (N,)."""
    found, is_right = features_of(model, examples, scale)
    return _sigmoid(run_layers(model.certainty_layers, found)[:, 0]), is_right


def cheapest_threshold(certainty: NDArray[np.float32], is_right: NDArray[np.bool_]) -> float:
    """Return the threshold at which wrong answers called sure and answers called unsure cost least."""
    # Finer steps would follow the noise of some thousand examples.
    thresholds = np.round(np.arange(0.4, 0.96, 0.05), 2)
    costs = [
        (WRONG_COST * (~is_right & (certainty >= each)) + (certainty < each)).mean() for each in thresholds
    ]
    return float(thresholds[int(np.argmin(costs))])


def to_json(model: CertaintyModel, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return certainty.json. Args: chosen: how it was fitted and what was measured, for people."""
    return {
        "format": FORMAT,
        "model_hash": model.model_hash,
        "chosen": chosen,
        "labels": list(EMOTIONS),
        "reasons": list(REASONS),
        "measures": list(MEASURES),
        "unsure_below": model.unsure_below,
        "neutral_offset": model.neutral_offset,
        "measure_means": _short(model.measure_means),
        "measure_scales": _short(model.measure_scales),
        "limits": [vars(each) for each in model.limits],
        "condition_layers": [_layer_to_json(each) for each in model.condition_layers],
        "certainty_layers": [_layer_to_json(each) for each in model.certainty_layers],
    }


def _layer_to_json(layer: Layer) -> dict[str, Any]:
    return {"weights": [_short(row) for row in layer.weights], "bias": _short(layer.bias)}


def _short(values: NDArray[np.float32]) -> list[float]:
    return [float(f"{value:.3g}") for value in values.tolist()]


def _with(model: CertaintyModel, layers: tuple[Layer, ...], threshold: float) -> CertaintyModel:
    return replace(model, certainty_layers=layers, unsure_below=threshold)


def _fit_network(
    inputs: NDArray[np.float32], targets: NDArray[np.float32], hidden: int, epochs: int, seed: int
) -> tuple[Layer, ...]:
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((inputs.shape[1],)),
            layers.Dropout(0.1 if inputs.shape[1] == INPUTS else 0.0),
            layers.Dense(hidden, "relu", kernel_regularizer=keras.regularizers.l2(1e-3)),
            layers.Dense(targets.shape[1], kernel_regularizer=keras.regularizers.l2(1e-4)),
        ]
    )
    network.compile(keras.optimizers.Adam(2e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    network.fit(inputs, targets, batch_size=128, epochs=epochs, verbose=0)
    return tuple(Layer(*(np.asarray(each) for each in layer.get_weights())) for layer in network.layers[1:])


def _calibrated(
    layers: tuple[Layer, ...], found: NDArray[np.float32], is_right: NDArray[np.bool_]
) -> tuple[Layer, ...]:
    """Return the layers with the slope and offset under which they say best how often they are right."""
    logits = run_layers(layers, found)[:, 0].astype(np.float64)
    slope, offset = 1.0, 0.0
    for _ in range(50):
        share = _sigmoid(slope * logits + offset).astype(np.float64)
        weight = share * (1 - share) + 1e-9
        design = np.column_stack([logits, np.ones_like(logits)])
        step = np.linalg.solve(design.T @ (design * weight[:, None]), design.T @ (is_right - share))
        slope, offset = slope + step[0], offset + step[1]
    last = layers[-1]
    scaled = Layer((last.weights * slope).astype(np.float32), (last.bias * slope + offset).astype(np.float32))
    return (*layers[:-1], scaled)


def _sigmoid(logits: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))
