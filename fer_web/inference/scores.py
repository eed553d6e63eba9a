"""Turns the network's FER+ output into seven probabilities and tells how uncertain they are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_web.labels import EMOTIONS, FERPLUS_INDEX_OF_EMOTION, FERPLUS_VOTES

_SHOWN = list(FERPLUS_INDEX_OF_EMOTION)
_UNCERTAINTY = [FERPLUS_VOTES.index("unknown"), FERPLUS_VOTES.index("not-a-face")]
_CONTEMPT = FERPLUS_VOTES.index("contempt")

NO_OFFSETS = (0.0,) * len(EMOTIONS)


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float32]:
    """Rows of probabilities from rows of logits (N, K), float32, each row summing to 1."""
    scaled = np.asarray(logits, np.float32) / np.float32(temperature)
    exponents = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True), np.float32)


def shown_scores(
    ferplus_logits: NDArray[np.floating], temperature: float, logit_offsets: Sequence[float] = NO_OFFSETS
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Turn FER+ logits into the scores that users see.

    Contempt is not among the seven expressions: its share is left out and the seven are scaled to sum to
    1. "unknown" and "not-a-face" are no expressions: their share decides, with the confidence,
    whether a face is called unsure.

    Args:
        ferplus_logits: (N, 10), in the order of FERPLUS_VOTES.
        temperature: divides the logits (Guo et al. 2017, "On calibration of modern neural networks").
        logit_offsets: added to the logits of the seven EMOTIONS, before the temperature; they do not touch
            the uncertainty.
    Returns:
        scores: float32 (N, 7), 0-1 in the order of EMOTIONS, rows sum to 1.
        uncertainty: float32 (N,), 0-1, share of "unknown" and "not-a-face" among all ten.
    """
    logits = np.asarray(ferplus_logits, np.float32)
    uncertainty = softmax(logits, temperature)[:, _UNCERTAINTY].sum(axis=1)
    return softmax(shown_logits(logits, logit_offsets), temperature), uncertainty


def contempt_share(
    ferplus_logits: NDArray[np.floating], temperature: float, logit_offsets: Sequence[float] = NO_OFFSETS
) -> NDArray[np.float32]:
    """Share of contempt (N,) among it and the seven shown expressions, from (N, 10) as in `shown_scores`."""
    logits = np.asarray(ferplus_logits, np.float32)
    eight = np.concatenate([shown_logits(logits, logit_offsets), logits[:, _CONTEMPT, None]], axis=1)
    share: NDArray[np.float32] = softmax(eight, temperature)[:, -1]
    return share


def shown_logits(
    ferplus_logits: NDArray[np.floating], logit_offsets: Sequence[float] = NO_OFFSETS
) -> NDArray[np.float32]:
    """Logits of the seven expressions, float32 (..., 7), from (..., 10) in the order of FERPLUS_VOTES."""
    offsets = np.asarray(logit_offsets, np.float32)
    return np.asarray(ferplus_logits, np.float32)[..., _SHOWN] + offsets
