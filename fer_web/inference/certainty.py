"""How likely the shown expression is right, and what speaks against it: a covered mouth, darkness, a turn.

Two small networks, fitted together by `python -m train certainty` and written down as JSON numbers beside
the network that they judge. The first tells from a patch of the crop and what was measured of it which
conditions hold. The second turns the scores, the spread of the last views and these conditions into a
probability, as calibrated confidence is: of faces with a certainty of 0.8, eight in ten are right.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from fer_web.vision.visibility import MEASURES, PATCH_SIDE, Patches

CERTAINTY_FILE: Final = "certainty.json"
FORMAT: Final = 1
MAX_BYTES: Final = 5_000_000

REASONS: Final = ("mouth_covered", "eyes_covered", "turned", "blurred", "dark", "small", "cut")
"""Why a face may be unsure, in the order of the columns of conditions. Stored by position: only grow it."""

REASON_TEXTS: Final = MappingProxyType(
    {
        "mouth_covered": "mouth covered",
        "eyes_covered": "eyes covered",
        "turned": "turn to the camera",
        "blurred": "hold still",
        "dark": "too dark",
        "small": "come closer",
        "cut": "move into the picture",
    }
)
"""What people are told, in English; the pages have them in their languages."""

PRESENT: Final = 0.5
"""A condition from here on is named as the reason; a named one stays down to STAYS."""
STAYS: Final = 0.35

OWN_COLUMNS: Final = 2
"""Evidence begins with the network's uncertainty and the spread of the views; conditions follow."""

CELL_VALUES: Final = 6 * 6 * len(FERPLUS_VOTES)
CELL_SCALE: Final = 5.0
"""Logits of cells are about as large as this."""

INPUTS: Final = PATCH_SIDE**2 + len(MEASURES) + CELL_VALUES
FEATURES: Final = 6 + len(EMOTIONS) + len(REASONS)
LEAST_SCORE: Final = 1e-4

_LEARNED: Final = 4
"""So many of REASONS are learned from pictures; the others are limits on what was measured."""


@dataclass(frozen=True)
class Layer:
    """One dense layer: weights float32 (inputs, outputs), bias float32 (outputs,)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class Limit:
    """A condition on one measure: half there at `middle`, fully beyond `middle + width`.

    A negative width makes it hold where the measure is small.
    """

    measure: str
    middle: float
    width: float

    def strength(self, measures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 (N,), 0-1, of measures (N, len(MEASURES)); nothing is said where one is unknown."""
        value = np.nan_to_num(measures[:, MEASURES.index(self.measure)], nan=self.middle - 9 * self.width)
        return np.asarray(_sigmoid(2 * (value - self.middle) / self.width), np.float32)


@dataclass(frozen=True)
class CertaintyModel:
    """Judges what a network says.

    Attributes:
        model_hash: of the network that it was fitted to.
        unsure_below: the certainty below which a face is called unsure.
        neutral_offset: added to neutral's logit, besides the network's own offsets.
        measure_means, measure_scales: float32 (len(MEASURES),), for standard units.
        condition_layers: standard measures and a patch -> logits of the learned conditions.
        limits: of the other conditions, in the order of REASONS.
        certainty_layers: `features` -> the logit of being right.
    """

    model_hash: str
    unsure_below: float
    neutral_offset: float
    measure_means: NDArray[np.float32]
    measure_scales: NDArray[np.float32]
    condition_layers: tuple[Layer, ...]
    limits: tuple[Limit, ...]
    certainty_layers: tuple[Layer, ...]

    def conditions(
        self, measures: NDArray[np.float32], patches: Patches, cells: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """Return how strongly each of REASONS holds, float32 (N, len(REASONS)), 0-1.

        Args: measures, patches: as `measure_faces` returns them. cells: of the prediction.
        """
        inputs = condition_inputs(measures, patches, cells, self.measure_means, self.measure_scales)
        learned = _sigmoid(run_layers(self.condition_layers, inputs))
        limited = [limit.strength(measures) for limit in self.limits]
        return np.concatenate([learned, np.stack(limited, axis=1)], axis=1).astype(np.float32)

    def certainty(self, scores: NDArray[np.float32], evidence: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how likely the best of the scores is right.

        Args:
            scores: float32 (N, 7), 0-1.
            evidence: float32 (N, 2 + len(REASONS)): uncertainty, spread of the views, conditions.
        Returns: float32 (N,), 0-1.
        """
        return np.asarray(_sigmoid(run_layers(self.certainty_layers, features(scores, evidence))[:, 0]))


def condition_inputs(
    measures: NDArray[np.float32],
    patches: Patches,
    cells: NDArray[np.float32] | None,
    means: NDArray[np.float32],
    scales: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return patches, measures in standard units and cells, float32 (N, INPUTS); unknown ones are 0."""
    standard = np.clip(np.nan_to_num((measures - means) / scales), -4, 4)
    flat = np.zeros((len(patches), CELL_VALUES)) if cells is None else cells.reshape(-1, CELL_VALUES)
    return np.concatenate([patches, standard, flat / CELL_SCALE], axis=1, dtype=np.float32)


def features(scores: NDArray[np.float32], evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what certainty is made of, float32 (N, FEATURES).

    The logarithms of the three best scores, the entropy, the network's uncertainty, the spread of the views,
    which expression leads, and the conditions.
    """
    logs = np.log(np.maximum(scores, LEAST_SCORE))
    three = -np.sort(-logs, axis=1)[:, :3]
    entropy = -(scores * logs).sum(axis=1, keepdims=True)
    leads = (np.arange(len(EMOTIONS)) == scores.argmax(axis=1)[:, None]).astype(np.float32)
    return np.concatenate(
        [three, entropy, evidence[:, :OWN_COLUMNS], leads, evidence[:, OWN_COLUMNS:]], axis=1
    )


def run_layers(layers: Sequence[Layer], inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a network's logits: dense layers with rectifiers between them."""
    values = inputs
    for layer in layers[:-1]:
        values = np.maximum(values @ layer.weights + layer.bias, 0)
    return np.asarray(values @ layers[-1].weights + layers[-1].bias)


def view_spread(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far two views' scores (..., 7) differ, float32 (...), 0-1.

    Half of the sum of all differences, the total variation distance.
    """
    return np.asarray(np.abs(one - other).sum(axis=-1) / 2, np.float32)


def reason_of(conditions: NDArray[np.float32], last: str | None = None) -> str | None:
    """Return the condition that holds most strongly; None where none does.

    Args: conditions: float32 (len(REASONS),). last: what was named of this face before: it stays longer.
    """
    best = int(np.argmax(conditions))
    if last is not None and conditions[REASONS.index(last)] >= max(STAYS, float(conditions[best]) - 0.3):
        return last
    return REASONS[best] if conditions[best] >= PRESENT else None


def load_certainty(folder: Path, model_hash: str) -> CertaintyModel | None:
    """Read a model folder's certainty.json; None where there is none.

    Raises: ModelArtifactError: it is damaged, or was fitted to another network.
    """
    path = folder / CERTAINTY_FILE
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        model = _parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, KeyError, TypeError, ValueError) as exc:
        raise ModelArtifactError(
            f"{path} cannot be used ({exc}). Fetch it again (git checkout -- models), "
            "or make it: python -m train certainty"
        ) from exc
    if model.model_hash != model_hash:
        raise ModelArtifactError(
            f"{path} was fitted to the network {model.model_hash[:12]}, the folder holds {model_hash[:12]}. "
            "Fit it anew: python -m train certainty, or delete it"
        )
    return model


def _parse(raw: dict[str, Any]) -> CertaintyModel:
    if raw["format"] != FORMAT:
        raise ValueError(f"it has format {raw['format']!r}, this program reads {FORMAT}")
    for key, known in (("reasons", REASONS), ("measures", MEASURES), ("labels", EMOTIONS)):
        if tuple(raw[key]) != known:
            raise ValueError(f"{key} are {raw[key]}, this program has {list(known)}")
    threshold = float(raw["unsure_below"])
    if not 0 <= threshold <= 1:
        raise ValueError(f"unsure_below is {threshold}; 0 to 1 is allowed")
    limits = tuple(
        Limit(str(each["measure"]), float(each["middle"]), float(each["width"])) for each in raw["limits"]
    )
    if len(limits) != len(REASONS) - _LEARNED or any(
        each.measure not in MEASURES or not each.width for each in limits
    ):
        raise ValueError(f"its limits are {raw['limits']}")
    return CertaintyModel(
        model_hash=str(raw["model_hash"]),
        unsure_below=threshold,
        neutral_offset=float(_numbers(raw["neutral_offset"], ())),
        measure_means=_numbers(raw["measure_means"], (len(MEASURES),)),
        measure_scales=_numbers(raw["measure_scales"], (len(MEASURES),)),
        condition_layers=_layers(raw["condition_layers"], INPUTS, _LEARNED),
        limits=limits,
        certainty_layers=_layers(raw["certainty_layers"], FEATURES, 1),
    )


def _layers(raw: list[dict[str, Any]], inputs: int, outputs: int) -> tuple[Layer, ...]:
    layers = []
    for each in raw:
        width = len(each["bias"])
        layers.append(Layer(_numbers(each["weights"], (inputs, width)), _numbers(each["bias"], (width,))))
        inputs = width
    if not layers or inputs != outputs:
        raise ValueError(f"its layers end in {inputs} outputs, {outputs} are needed")
    return tuple(layers)


def _numbers(raw: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    values = np.asarray(raw, np.float32)
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"numbers of shape {values.shape} where {shape} is needed, or not finite")
    return values


def _sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)
