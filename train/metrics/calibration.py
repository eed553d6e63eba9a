"""Turn FER+ logits into shown probabilities, and choose when a face is called unsure.

The label that is shown and its probability come from a temperature and, where they help, one offset
for each of the seven expressions (vector scaling with one common scale, Guo et al. 2017). Both are
chosen on faces with a FER+ majority, and every choice between kinds is made cross-fitted: each
fifth of the faces is scored with parameters from the other four.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.scores import NO_OFFSETS, shown_scores
from fer_web.labels import FERPLUS_INDEX_OF_EMOTION, FERPLUS_VOTES
from train.metrics.label_offsets import fit_offsets
from train.metrics.metrics import expected_calibration_error, risk_coverage

TEMPERATURES = np.round(np.geomspace(0.25, 4.0, 161), 4)
"""They are tried one by one: the loss has one minimum, and 1.7 % is finer than its error."""

BALANCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7)
"""They are tried one by one: 0 fits the probabilities, 1 has all expressions count alike."""

MAX_ACCURACY_LOSS = 0.003
"""Share of right labels that a better balance over the seven may cost, cross-fitted. With none, sad
and disgusted faces are named too rarely; with more, the surest labels are wrong more often.
`benchmarks.calibration` shows what each balance gives and costs."""

ANSWERED_SHARE = 0.9
"""On this share of faces the model commits itself; the least sure tenth is "unsure"."""

FOLDS = 5

_EMOTION_OF_VOTE = np.full(len(FERPLUS_VOTES), -1)
_EMOTION_OF_VOTE[list(FERPLUS_INDEX_OF_EMOTION)] = np.arange(len(FERPLUS_INDEX_OF_EMOTION))


@dataclass(frozen=True)
class Scaling:
    """It turns FER+ logits into shown probabilities: see `shown_scores`."""

    temperature: float
    logit_offsets: tuple[float, ...] = NO_OFFSETS

    def apply(self, ferplus_logits: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the shown probabilities, float32 (N, 7), of logits (N, 10)."""
        return shown_scores(ferplus_logits, self.temperature, self.logit_offsets)[0]


@dataclass(frozen=True)
class Calibration:
    """It holds what meta.json stores beside the network.

    Attributes:
        temperature: divides the FER+ logits.
        unsure_below: confidence, 0-1.
        cross_fitted_error: expected calibration error (0-1) when the scaling for each fifth of the
            faces is chosen on the other four.
        logit_offsets: added to the logits of EMOTIONS before the temperature; zeros where they do
            not help.
        balance: one of BALANCES, by which the offsets were fitted; None without offsets.
    """

    temperature: float
    unsure_below: float
    cross_fitted_error: float
    logit_offsets: tuple[float, ...] = NO_OFFSETS
    balance: float | None = None


def emotion_of(ferplus_label: NDArray[np.integer]) -> NDArray[np.int64]:
    """Turn FER+ columns (N,) into positions in EMOTIONS, int64; -1 where there is none."""
    return np.asarray(_EMOTION_OF_VOTE[ferplus_label], np.int64)


def calibrate(ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer]) -> Calibration:
    """Choose offsets, temperature and threshold on faces with a FER+ majority.

    Args:
        ferplus_logits: (N, 10).
        majority: (N,), columns of FERPLUS_VOTES; contempt counts as an error, as it cannot be
            shown.
    """
    balance = choose_balance(ferplus_logits, majority)
    scaling = fit_scaling(ferplus_logits, majority, balance)
    confidence, correct = shown_correctness(ferplus_logits, majority, scaling)
    curve = risk_coverage(confidence, correct)
    threshold = curve.confidence[max(0, round(ANSWERED_SHARE * len(curve.confidence)) - 1)]
    return Calibration(
        temperature=scaling.temperature,
        unsure_below=round(float(threshold), 3),
        cross_fitted_error=cross_fitted_error(ferplus_logits, majority, balance),
        logit_offsets=scaling.logit_offsets,
        balance=balance,
    )


def choose_balance(ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer]) -> float | None:
    """Return the balance with the highest mean recall that costs at most MAX_ACCURACY_LOSS; None:
    no offsets.

    All are compared cross-fitted.
    """
    truth = emotion_of(majority)

    def score(balance: float | None) -> tuple[float, float]:
        right = cross_fit(ferplus_logits, majority, balance).argmax(axis=1) == truth
        recalls = [right[truth == label].mean() for label in np.unique(truth[truth >= 0])]
        return float(np.mean(recalls)), float(right.mean())

    best, (best_recall, plain_accuracy) = None, score(None)
    for balance in BALANCES:
        recall, accuracy = score(balance)
        if recall > best_recall and accuracy >= plain_accuracy - MAX_ACCURACY_LOSS:
            best, best_recall = balance, recall
    return best


def fit_scaling(
    ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer], balance: float | None = None
) -> Scaling:
    """Return the offsets by `balance`, none when it is None, and then the temperature."""
    offsets = NO_OFFSETS
    if balance is not None:
        truth = emotion_of(majority)
        seven = ferplus_logits[:, list(FERPLUS_INDEX_OF_EMOTION)]
        offsets = fit_offsets(seven[truth >= 0], truth[truth >= 0], balance)
    return Scaling(fit_temperature(ferplus_logits, majority, offsets), offsets)


def fit_temperature(
    ferplus_logits: NDArray[np.floating],
    majority: NDArray[np.integer],
    logit_offsets: tuple[float, ...] = NO_OFFSETS,
) -> float:
    """Return the temperature whose confidence says best how often the shown label is right.

    That is the lowest log loss of the confidence. The whole distribution's likelihood (Guo et al.
    2017) gives the same calibration error where there are no offsets, but does not count a contempt
    majority as an error.
    """

    def loss(temperature: float) -> float:
        scaling = Scaling(temperature, logit_offsets)
        confidence, correct = shown_correctness(ferplus_logits, majority, scaling)
        said = np.where(correct, confidence, 1 - confidence.astype(np.float64))
        return float(-np.log(np.maximum(said, 1e-6)).mean())

    return float(min(TEMPERATURES, key=lambda each: loss(float(each))))


def shown_correctness(
    ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer], scaling: Scaling
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the shown label's confidence, float32 (N,), and whether it is right, bool (N,)."""
    scores = scaling.apply(ferplus_logits)
    return scores.max(axis=1), scores.argmax(axis=1) == emotion_of(majority)


def cross_fit(
    ferplus_logits: NDArray[np.floating],
    majority: NDArray[np.integer],
    balance: float | None = None,
) -> NDArray[np.float32]:
    """Return shown probabilities, float32 (N, 7), with each fold's scaling from the others."""
    fold = np.arange(len(majority)) % FOLDS
    scores = np.zeros((len(majority), len(NO_OFFSETS)), np.float32)
    for held_out in range(FOLDS):
        here = fold == held_out
        scores[here] = fit_scaling(ferplus_logits[~here], majority[~here], balance).apply(
            ferplus_logits[here]
        )
    return scores


def cross_fitted_error(
    ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer], balance: float | None = None
) -> float:
    """Return the calibration error (0-1) of cross-fitted probabilities of the majority's label."""
    scores = cross_fit(ferplus_logits, majority, balance)
    return expected_calibration_error(scores.max(axis=1), scores.argmax(axis=1) == emotion_of(majority))
