"""Find offsets that make rare classes count more, by weighted logistic regression."""

import numpy as np
from numpy.typing import NDArray

RIDGE = 0.003
"""Weight of the offsets' squares in the loss: a class with a handful of rows cannot run away."""

MAX_OFFSET = 5.0
"""A logit moves by no more than this, to either side."""

_STEPS = 30


def fit_offsets(
    logits: NDArray[np.floating], truth: NDArray[np.integer], balance: float
) -> tuple[float, ...]:
    """Find offsets b and one scale s for which softmax(s * (logits + b)) fits the labels best.

    A row of a class with the share m of all rows weighs m ** -balance, as rare classes do in
    balanced losses (Menon et al. 2021, "Long-tail learning via logit adjustment", derives the
    offsets that this amounts to).

    Args:
        logits: (N, K).
        truth: (N,), 0 to K - 1.
        balance: 0 fits the probabilities as they are, 1 has every class count the same.
    Returns: K offsets in the unit of the logits, of mean 0, at most MAX_OFFSET to either side.
    """
    weights = class_weights(truth, logits.shape[1], balance)[truth]
    parameters = _minimize(np.asarray(logits, np.float64), truth, weights / weights.sum())
    offsets = parameters[1:] / max(parameters[0], 0.05)
    return tuple(np.round(np.clip(offsets - offsets.mean(), -MAX_OFFSET, MAX_OFFSET), 4).tolist())


def class_weights(truth: NDArray[np.integer], classes: int, balance: float) -> NDArray[np.float64]:
    """Return the weight of a row of each class, float64 (classes,): its share ** -balance."""
    shares = np.bincount(truth, minlength=classes) / max(len(truth), 1)
    return np.where(shares > 0, np.where(shares > 0, shares, 1.0) ** -balance, 0.0)


def _minimize(
    logits: NDArray[np.float64], truth: NDArray[np.integer], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Find the scale and the scaled offsets, float64 (1 + K,), by Newton's method."""
    count, classes = logits.shape
    # The scores are this times the parameters: (N, K, 1 + K).
    slope = np.concatenate(
        [logits[:, :, None], np.broadcast_to(np.eye(classes), (count, classes, classes))], 2
    )
    start = np.concatenate([[1.0], np.zeros(classes)])
    parameters = start
    for _ in range(_STEPS):
        shares = _softmax(slope @ parameters)
        gradient = np.einsum("n,nk,nkp->p", weights, shares - np.eye(classes)[truth], slope)
        gradient += 2 * RIDGE * (parameters - start)
        step = np.linalg.solve(_curvature(shares, slope, weights), gradient)
        # Far from the minimum a whole step could go past it and never come back.
        step *= min(1.0, 1.0 / np.abs(step).max(initial=1e-12))
        parameters = parameters - step
        if np.abs(step).max() < 1e-6:
            break
    return parameters


def _curvature(
    shares: NDArray[np.float64], slope: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the second derivatives of the loss, float64 (1 + K, 1 + K)."""
    rooted = slope * np.sqrt(weights[:, None] * shares)[:, :, None]
    mean = np.einsum("nk,nkp->np", shares, slope) * np.sqrt(weights)[:, None]
    rows = rooted.reshape(-1, slope.shape[2])
    return np.asarray(rows.T @ rows - mean.T @ mean + 2 * RIDGE * np.eye(slope.shape[2]), np.float64)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), np.float64)
