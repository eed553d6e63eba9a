"""Finds which cells of a face speak for which expression, from a network's numbers to one face."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.inference.scores import NO_OFFSETS, shown_logits
from fer_web.labels import EMOTIONS

CAM: Final = "cam"
"""Zhou et al. 2016, "Learning deep features for discriminative localization": exact for our networks."""

GRAD_CAM: Final = "grad-cam"
"""Selvaraju et al. 2017, "Grad-CAM: visual explanations from deep networks": for others, an approximation."""

MAX_SIDE: Final = 16
"""Rows and columns of a map that is told; finer ones are averaged."""

_DIGITS: Final = 5

HeatMaps = NDArray[np.float32]
"""float32 (N, 7, rows, columns), in the order of EMOTIONS: above 0 where a cell speaks for the expression
more than for the mean of the seven."""


@dataclass(frozen=True)
class FaceHeatmap:
    """Heat maps of one face, one for each expression.

    Attributes:
        side: rows and columns of each map.
        corners: of the square that the network saw, fractions of the image: left top, right top, right
            bottom, left bottom of the upright face. May lie outside of the image.
        values: for each of EMOTIONS side * side numbers, row by row, 0-255: 0 where a cell does not speak
            for the expression, 255 at the hottest cell of all seven maps. One scale, so that they compare.
        method: CAM or GRAD_CAM.
    """

    side: int
    corners: tuple[tuple[float, float], ...]
    values: tuple[tuple[int, ...], ...]
    method: str

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "side": self.side,
            "corners": [[round(part, _DIGITS) for part in corner] for corner in self.corners],
            "values": {name: list(values) for name, values in zip(EMOTIONS, self.values, strict=True)},
            "method": self.method,
        }


def maps_of_cells(cell_logits: NDArray[np.floating], logit_offsets: Sequence[float] = NO_OFFSETS) -> HeatMaps:
    """Heat maps from what the FER+ head says of each cell alone.

    By the rule of the scores: contempt, "unknown" and "not-a-face" are left out and the offsets are added.
    Each cell's mean over the seven is taken away, as softmax does not see it: what a cell says for all
    alike decides nothing. A map's mean is therefore the expression's logit above the mean of all seven.

    Args: cell_logits: (N, rows, columns, 10), in the order of FERPLUS_VOTES.
    """
    seven = shown_logits(cell_logits, logit_offsets)
    return np.asarray(np.moveaxis(seven - seven.mean(axis=-1, keepdims=True), -1, 1), np.float32)


def face_heatmap(maps: NDArray[np.float32], corners: NDArray[np.floating], method: str) -> FaceHeatmap:
    """Return what is told of one face.

    Args:
        maps: float32 (7, rows, columns), as in HeatMaps.
        corners: (4, 2), as in FaceHeatmap.
    """
    side = min(MAX_SIDE, max(maps.shape[1:]))
    heat = np.clip(np.stack([_resized(each, side) for each in maps]), 0, None)
    scaled = np.rint(255 * heat / max(float(heat.max()), 1e-9)).astype(int)
    return FaceHeatmap(
        side=side,
        corners=tuple((float(x), float(y)) for x, y in corners),
        values=tuple(tuple(each.ravel().tolist()) for each in scaled),
        method=method,
    )


def _resized(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    if values.shape == (side, side):
        return values
    shrinks = min(values.shape) >= side
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (side, side), interpolation=how), np.float32)
