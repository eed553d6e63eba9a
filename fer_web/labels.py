"""The seven expressions and the ten FER+ vote columns: the only copy of their order."""

from typing import Final

EMOTIONS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The order of FER-2013's label ids 0-6, of every model output and of the wire."""

CONTEMPT: Final = "contempt"
"""The eighth expression of FER+, AffectNet and CK+: none of the seven, so it is never shown."""

OTHER_NAMES: Final = {
    "anger": "angry",
    "contemptuous": CONTEMPT,
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "scared": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
"""Others call them so, in lower case."""

FERPLUS_VOTES: Final = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "not-a-face",
)
"""Columns of FER+'s fer2013new.csv (Barsoum et al. 2016), and the order of the model's FER+ output."""

FERPLUS_EMOTIONS: Final = FERPLUS_VOTES[:8]
"""The eight expressions that FER+'s authors score; the last two columns say that there is none to name."""

FERPLUS_INDEX_OF_EMOTION: Final = tuple(
    FERPLUS_VOTES.index(name)
    for name in ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
)
"""Each of EMOTIONS has this column among FERPLUS_VOTES."""
