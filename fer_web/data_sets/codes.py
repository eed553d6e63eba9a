"""How public data sets number and abbreviate the expressions, as their own descriptions say. Facts only."""

import re
from dataclasses import dataclass, field
from typing import Final

from fer_web.labels import CONTEMPT, EMOTIONS, OTHER_NAMES

_BY_NUMBER: Final = {
    "affectnet": ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", CONTEMPT),
    "ckplus": ("neutral", "angry", CONTEMPT, "disgust", "fear", "happy", "sad", "surprise"),
    "ferplus": ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", CONTEMPT),
    "fer2013": EMOTIONS,
    "rafdb": (None, "surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"),
}
_LETTERS: Final = {
    "AN": "angry",
    "DI": "disgust",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
_PICTURE: Final = r"\.(?:jpe?g|png|bmp|tiff?|webp|pgm)"


@dataclass(frozen=True)
class DataSet:
    """A data set's ways to name what a picture shows.

    Attributes:
        name: as --layout takes it. title: as people call it.
        pattern: of its file names, in any case; its groups may be "code", "person" and "split".
        letters: what a name's "code" means.
        numbers: what the numbers of its folders and lists mean, by position; None where one means nothing.
    """

    name: str
    title: str
    pattern: str
    letters: dict[str, str] = field(default_factory=dict)
    numbers: tuple[str | None, ...] = ()

    def match(self, file_name: str) -> re.Match[str] | None:
        """The parts of a file name of this data set; None where it is of another."""
        return re.fullmatch(self.pattern, file_name, re.IGNORECASE)

    def of_number(self, text: str) -> str | None:
        """The expression of a number, such as "3", "3.0" or "3.0000000e+00"; None where it means none."""
        try:
            number = float(text)
        except ValueError:
            return None
        if not number.is_integer() or not 0 <= number < len(self.numbers):
            return None
        return self.numbers[int(number)]


DATA_SETS: Final = {
    each.name: each
    for each in (
        DataSet(
            "kdef",
            "KDEF",
            rf"[AB](?P<person>[FM]\d\d)(?P<code>AF|AN|DI|HA|NE|SA|SU)(?:S|HL|HR|FL|FR){_PICTURE}",
            _LETTERS | {"AF": "fear"},
        ),
        DataSet(
            "jaffe",
            "JAFFE",
            rf"(?P<person>[A-Z]{{2}})\.(?P<code>AN|DI|FE|HA|NE|SA|SU)\d+\.\d+{_PICTURE}",
            _LETTERS | {"FE": "fear"},
        ),
        DataSet(
            "ckplus",
            "CK+",
            rf"(?P<person>S\d{{3}})_(?P<sequence>\d{{3}})_(?P<frame>\d{{8}}){_PICTURE}",
            numbers=_BY_NUMBER["ckplus"],
        ),
        DataSet(
            "rafdb",
            "RAF-DB",
            rf"(?P<split>train|test)_\d+(?P<aligned>_aligned)?{_PICTURE}",
            numbers=_BY_NUMBER["rafdb"],
        ),
        DataSet("affectnet", "AffectNet", rf"[0-9a-f]{{56}}{_PICTURE}", numbers=_BY_NUMBER["affectnet"]),
        DataSet("ferplus", "FER+", rf"fer\d{{7}}{_PICTURE}", numbers=_BY_NUMBER["ferplus"]),
        DataSet(
            "fer2013",
            "FER-2013",
            rf"(?P<split>Training|PublicTest|PrivateTest)_\d+{_PICTURE}",
            numbers=_BY_NUMBER["fer2013"],
        ),
    )
}
FOLDERS: Final = "folders"
"""The layout of folders that name expressions."""

LAYOUTS: Final = (FOLDERS, *DATA_SETS)


def expression_of(word: str) -> str | None:
    """One of EMOTIONS, or CONTEMPT, by any name that is usual; None for another word."""
    name = word.strip().lower()
    return name if name in (*EMOTIONS, CONTEMPT) else OTHER_NAMES.get(name)
