"""More than the label: valence and arousal, intensity, second expression, all derived from the seven scores.

None of it is measured on the face: it says in other words what the scores say. docs/trust.md explains it, and
static/js/shared/affect.js has the same constants for pages; a test compares them. Pure NumPy.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.labels import EMOTIONS

POSITIONS: Final = {
    "angry": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "happy": (0.81, 0.51),
    "sad": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "neutral": (0.0, 0.0),
}
"""Valence and arousal of each expression, -1 to 1: mean ratings of "angry", "disgusted", "fearful", "happy",
"sad" and "surprised" in Russell and Mehrabian (1977), "Evidence for a three-factor theory of emotions",
Journal of Research in Personality 11, 273-294. Neutral is the origin of Russell's circumplex (1980)."""

SECOND_LEAST: Final = 0.25
"""A second expression is strong from this score on: a quarter of those who look would name it."""

SECOND_MARGIN: Final = 0.05
"""In a stream, a second expression is shown until its score is lower than SECOND_LEAST by this."""

_NEUTRAL: Final = EMOTIONS.index("neutral")
_PLACES: Final = np.array([POSITIONS[emotion] for emotion in EMOTIONS], np.float32)


def valence_arousal(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """Valence (unpleasant -1, pleasant 1) and arousal (calm -1, active 1) of scores: the mean of POSITIONS.

    Args: scores: (..., 7), probabilities in the order of EMOTIONS, in sum 1.
    Returns: float32 (..., 2). Valence lies between -0.64 and 0.81, arousal between -0.27 and 0.67.
    """
    return np.asarray(np.asarray(scores, np.float32) @ _PLACES, np.float32)


def intensity(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """How far a face is from neutral, 0-1: all that is not neutral's score. Float32 (...) from (..., 7)."""
    return np.asarray(np.clip(1 - np.asarray(scores, np.float32)[..., _NEUTRAL], 0, 1), np.float32)


def second_expressions(scores: NDArray[np.floating], label: NDArray[np.integer]) -> NDArray[np.int8]:
    """The expression that is strong beside the label, neither of them neutral.

    Args: scores: (N, 7). label: (N,), positions in EMOTIONS.
    Returns: int8 (N,), positions in EMOTIONS; -1 where none reaches SECOND_LEAST, or the label is neutral.
    """
    others = np.array(scores, np.float32).reshape(-1, len(EMOTIONS))
    others[:, _NEUTRAL] = -1
    others[np.arange(len(others)), label] = -1
    best = others.argmax(axis=1)
    is_strong = (others.max(axis=1, initial=-1) >= SECOND_LEAST) & (np.asarray(label) != _NEUTRAL)
    return np.where(is_strong, best, -1).astype(np.int8)


def steady_second(last: int | None, scores: NDArray[np.floating], label: int, calm: float) -> int | None:
    """The second expression of a face in a stream, which does not flicker around SECOND_LEAST.

    Args:
        last: what was shown of the face before; None: nothing.
        scores: (7,). label: position in EMOTIONS of what is shown.
        calm: 0-1, the share of SECOND_MARGIN that holds.
    """
    may_stay = last is not None and last != label and label != _NEUTRAL
    if may_stay and last is not None and scores[last] >= SECOND_LEAST - SECOND_MARGIN * calm:
        return last
    return second_of(scores, label)


def second_of(scores: NDArray[np.floating], label: int) -> int | None:
    """`second_expressions` of one face: (7,) and a position in EMOTIONS; None where there is none."""
    found = int(second_expressions(np.asarray(scores)[None], np.array([label]))[0])
    return None if found < 0 else found
