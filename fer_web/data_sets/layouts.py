"""Says of a folder's pictures what they show, where a public data set's names or lists do."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_web.data_sets.codes import DATA_SETS, DataSet
from fer_web.data_sets.label_lists import key_of, labels_by_lists
from fer_web.errors import FolderError

MOST: Final = 0.9
"""This share of the pictures must be named as a data set names them, or it is not taken for that one."""


@dataclass(frozen=True)
class LabelledPath:
    """A picture, what it shows, and what its name says of split and person; "" where it says nothing."""

    path: Path
    expression: str
    split: str = ""
    person: str = ""


@dataclass(frozen=True)
class Detection:
    """The pictures of a data set.

    Attributes:
        data_set: whose names they have.
        pictures: those with one of the eight expressions, by path.
        unlabelled: pictures without a label, or with one that is none of these.
        note: by what they were recognised, for people.
    """

    data_set: DataSet
    pictures: tuple[LabelledPath, ...]
    unlabelled: int
    note: str


def detect(pictures: Sequence[Path], others: Sequence[Path], layout: str | None = None) -> Detection | None:
    """Read what the pictures of a folder show.

    Args:
        pictures: all pictures below the folder. others: all other files there.
        layout: a name of DATA_SETS; None takes the one whose names fit.
    Returns: None where no data set's names fit.
    Raises: FolderError: several fit, numbers that data sets use differently, or `layout` does not fit.
    """
    names = [layout] if layout else list(DATA_SETS)
    fitting = [
        each for each in (_read(DATA_SETS[name], pictures, others, bool(layout)) for name in names) if each
    ]
    if len(fitting) > 1:
        titles = " and ".join(each.data_set.title for each in fitting)
        raise FolderError(f"The pictures could be of {titles}. Say which: {_choices(fitting)}.")
    if fitting:
        return fitting[0]
    if layout:
        data_set = DATA_SETS[layout]
        raise FolderError(
            f"None of the {len(pictures)} pictures has a label as {data_set.title} has them. Name its folder "
            "whole, with its lists of labels, or leave --layout out."
        )
    _refuse_numbers(pictures)
    return None


def _read(
    data_set: DataSet, pictures: Sequence[Path], others: Sequence[Path], is_asked_for: bool
) -> Detection | None:
    matched = [path for path in pictures if data_set.match(path.name)]
    lists = labels_by_lists(data_set, others)
    has_lists = sum(key_of(path.name) in lists for path in pictures) >= MOST * len(pictures) > 0
    if not is_asked_for and len(matched) < MOST * max(1, len(pictures)) and not has_lists:
        return None
    chosen = pictures if has_lists or len(matched) < MOST * len(pictures) else matched
    chosen, skipped = _without_copies(data_set, chosen)
    found = [(path, _expression(data_set, path, lists)) for path in chosen]
    if data_set.name == "ckplus" and lists:
        found += _first_frames(data_set, found)
    labelled = sorted({path: name for path, name in found if name}.items())
    if not labelled:
        return None
    by = "lists of labels" if lists else "codes in file names" if data_set.letters else "numbers of folders"
    note = f"{data_set.title}, by {by}" + (f"; {skipped} are copies before alignment" if skipped else "")
    known = tuple(_labelled(data_set, path, name) for path, name in labelled)
    return Detection(data_set, known, len(chosen) - len(labelled), note)


def _labelled(data_set: DataSet, path: Path, expression: str) -> LabelledPath:
    match = data_set.match(path.name)
    parts = match.groupdict() if match else {}
    return LabelledPath(path, expression, parts.get("split") or "", parts.get("person") or "")


def _expression(data_set: DataSet, path: Path, lists: Mapping[str, str | None]) -> str | None:
    key = key_of(path.name)
    if key in lists:
        return lists[key]
    match = data_set.match(path.name)
    if match and data_set.letters:
        return data_set.letters[match["code"].upper()]
    if lists:
        return None
    numbers = (part for part in reversed(path.parent.parts) if part.isdecimal() and len(part) == 1)
    number = next(numbers, None)
    return data_set.of_number(number) if number else None


def _without_copies(data_set: DataSet, pictures: Sequence[Path]) -> tuple[list[Path], int]:
    """RAF-DB has each picture twice: as it was, and aligned. The aligned one counts."""
    if data_set.name != "rafdb":
        return list(pictures), 0
    aligned = {key_of(path.name) for path in pictures if path.stem.lower().endswith("_aligned")}
    kept = [
        path
        for path in pictures
        if path.stem.lower().endswith("_aligned") or key_of(path.name) not in aligned
    ]
    return kept, len(pictures) - len(kept)


def _first_frames(
    data_set: DataSet, found: Sequence[tuple[Path, str | None]]
) -> list[tuple[Path, str | None]]:
    """CK+ begins each sequence with a neutral face and labels its last frame."""
    sequences: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    labelled = set()
    for path, name in found:
        match = data_set.match(path.name)
        if match:
            key = (path.parent, f"{match['person']}_{match['sequence']}".lower())
            sequences[key].append(path)
            labelled |= {key} if name else set()
    firsts = (min(paths) for key, paths in sequences.items() if key in labelled and len(paths) > 1)
    return [(path, "neutral") for path in firsts]


def _refuse_numbers(pictures: Sequence[Path]) -> None:
    """Folders of numbers, with file names of no data set, could mean anything."""
    numbers = Counter(path.parent.name for path in pictures if path.parent.name.isdecimal())
    if not pictures or sum(numbers.values()) < MOST * len(pictures):
        return
    possible = [each for each in DATA_SETS.values() if each.numbers and all(map(each.of_number, numbers))]
    if possible:
        titles = ", ".join(each.title for each in possible)
        raise FolderError(
            f"The folders {', '.join(sorted(numbers))} are numbers, which {titles} use differently. Say "
            f"whose they are: --layout {' or '.join(each.name for each in possible)}."
        )


def _choices(fitting: Sequence[Detection]) -> str:
    return " or ".join(f"--layout {each.data_set.name}" for each in fitting)
