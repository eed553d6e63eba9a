"""Files that say which picture shows what: texts of RAF-DB and CK+, AffectNet's arrays, FER+'s votes."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from fer_web.data_sets.codes import DATA_SETS, DataSet
from fer_web.labels import FERPLUS_VOTES, OTHER_NAMES

RAFDB_LIST: Final = "list_patition_label.txt"
CK_SUFFIX: Final = "_emotion.txt"
EXPRESSION_SUFFIX: Final = "_exp.npy"
MAX_LIST_BYTES: Final = 500_000_000
_MAX_LABEL_BYTES: Final = 10_000
_PATH_COLUMNS: Final = ("subdirectory_filepath", "image", "image name", "path", "pth", "file", "filename")
_LABEL_COLUMNS: Final = ("expression", "label", "emotion")


def labels_by_lists(data_set: DataSet, files: Sequence[Path]) -> dict[str, str | None]:
    """What lists among `files` say of pictures, by their names in lower case without a suffix.

    None for a picture that has a label which is none of the eight expressions.
    """
    found: dict[str, str | None] = {}
    for file in files:
        if _size(file) <= MAX_LIST_BYTES:
            found.update(_of_file(data_set, file))
    return found


def key_of(name: str) -> str:
    """How a picture is found in `labels_by_lists`: its name without folders, suffix and "_aligned"."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return stem.lower().removesuffix("_aligned")


def _of_file(data_set: DataSet, file: Path) -> Iterator[tuple[str, str | None]]:
    name = file.name.lower()
    if data_set.name == "rafdb" and name == RAFDB_LIST:
        yield from _pairs(data_set, file)
    elif data_set.name == "ckplus" and name.endswith(CK_SUFFIX) and _size(file) <= _MAX_LABEL_BYTES:
        yield name.removesuffix(CK_SUFFIX), data_set.of_number(_text(file).strip())
    elif data_set.name == "affectnet" and name.endswith(EXPRESSION_SUFFIX):
        yield name.removesuffix(EXPRESSION_SUFFIX), data_set.of_number(_number_in(file))
    elif data_set.name in ("affectnet", "rafdb", "ferplus") and name.endswith(".csv"):
        yield from _rows(data_set, file)


def _pairs(data_set: DataSet, file: Path) -> Iterator[tuple[str, str | None]]:
    for line in _text(file).splitlines():
        words = line.split()
        if len(words) == 2:
            yield key_of(words[0]), data_set.of_number(words[1])


def _rows(data_set: DataSet, file: Path) -> Iterator[tuple[str, str | None]]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        rows = csv.reader(text)
        try:
            head = next(rows, [])
            columns = [each.strip().lower() for each in head]
            if data_set.name == "ferplus":
                yield from _votes(
                    columns, [head] if head and head[0].lower().startswith("fer0") else [], rows
                )
                return
            path = next((columns.index(name) for name in _PATH_COLUMNS if name in columns), None)
            label = next((columns.index(name) for name in _LABEL_COLUMNS if name in columns), None)
            if path is None or label is None:
                return
            for row in rows:
                is_row = len(row) > max(path, label) and bool(row[path])
                if is_row and (data_set.name != "rafdb" or data_set.match(row[path])):
                    word = row[label].strip().lower()
                    yield key_of(row[path]), data_set.of_number(word) or _named(word)
        except csv.Error:
            return  # it is no list of labels


def _votes(
    columns: list[str], first: list[list[str]], rows: Iterator[list[str]]
) -> Iterator[tuple[str, str | None]]:
    """FER+'s fer2013new.csv with a head, and the label.csv of its scripts: no head, a box after the name."""
    if first:
        name, start = 0, 2
    elif "image name" in columns and "neutral" in columns:
        name, start = columns.index("image name"), columns.index("neutral")
    else:
        return
    for row in (*first, *rows):
        votes = row[start : start + len(FERPLUS_VOTES)]
        if len(votes) == len(FERPLUS_VOTES) and row[name]:
            yield key_of(row[name]), _majority(votes)


def _majority(votes: list[str]) -> str | None:
    """The expression that most taggers named alone; None where it is shared, or none of the eight."""
    try:
        counts = [float(each) for each in votes]
    except ValueError:
        return None
    best = max(counts)
    named = FERPLUS_VOTES[counts.index(best)]
    return _named(named) if counts.count(best) == 1 else None


def _named(word: str) -> str | None:
    known = {name for name in DATA_SETS["ferplus"].numbers if name}
    return word if word in known else OTHER_NAMES.get(word)


def _number_in(file: Path) -> str:
    """An array of one number or one text, as AffectNet has one for each picture; "" where it is another."""
    try:
        if _size(file) > _MAX_LABEL_BYTES:
            return ""
        values = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return ""
    return str(values.reshape(-1)[0]) if values.size == 1 else ""


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig", errors="replace")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return MAX_LIST_BYTES + 1
