"""A folder of labelled images: DIR/<expression>/*, by the names that data sets give the expressions."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fer_web.analysis.names import clean_file_name
from fer_web.analysis.stills.images import SUFFIXES
from fer_web.data_sets.codes import FOLDERS
from fer_web.data_sets.layouts import Detection, detect
from fer_web.errors import FolderError
from fer_web.labels import CONTEMPT, EMOTIONS, OTHER_NAMES

NAMES: Final = {
    name: (name, *(other for other, ours in OTHER_NAMES.items() if ours == name))
    for name in (*EMOTIONS, CONTEMPT)
}
"""Folder names, in any case, of each expression."""

_EXPRESSION_OF: Final = {name: expression for expression, names in NAMES.items() for name in names}
_LEFT_BY_SYSTEMS: Final = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class LabelledImage:
    """An image file and what its folder says it shows: one of EMOTIONS, or CONTEMPT."""

    path: Path
    expression: str


@dataclass(frozen=True)
class LabelledFolder:
    """A labelled folder holds images whose paths name their expressions.

    Attributes:
        images: by expression in the order of NAMES, then by path.
        skipped: files whose names do not end like an image's.
        detected: the data set and how it was recognised; "" for folders that name expressions.
        unlabelled: images that a data set gives no expression, or one that is none of NAMES.
    """

    images: tuple[LabelledImage, ...]
    skipped: int
    detected: str = ""
    unlabelled: int = 0


def find_labelled_images(root: Path, layout: str | None = None) -> LabelledFolder:
    """The images below `root`/<expression>/, in folders of any depth, or those of a public data set.

    Args: layout: one of data_sets.codes.LAYOUTS; None recognises it.
    Raises: FolderError: no folder, a folder that names no expression, no image, or labels nobody can tell.
    """
    if layout != FOLDERS and root.is_dir() and (layout or not _names_expressions(root)):
        files = files_below(root)
        found = detect(
            [each for each in files if is_image_name(each)],
            [each for each in files if not is_image_name(each)],
            layout,
        )
        if found:
            return _of_data_set(found)
    return _by_folders(root)


def _names_expressions(root: Path) -> bool:
    return any(each.is_dir() and each.name.strip().lower() in _EXPRESSION_OF for each in root.iterdir())


def _of_data_set(found: Detection) -> LabelledFolder:
    order = list(NAMES)
    images = [LabelledImage(each.path, each.expression) for each in found.pictures]
    images.sort(key=lambda image: (order.index(image.expression), image.path))
    return LabelledFolder(tuple(images), 0, found.note, found.unlabelled)


def _by_folders(root: Path) -> LabelledFolder:
    folders = _expression_folders(root)
    images: list[LabelledImage] = []
    skipped = 0
    for expression in NAMES:
        files = [file for folder in folders.get(expression, []) for file in files_below(folder)]
        images += [LabelledImage(file, expression) for file in files if is_image_name(file)]
        skipped += sum(not is_image_name(file) for file in files)
    if not images:
        raise FolderError(f"{root} has no image in its folders; the names of images end in {_suffixes()}.")
    return LabelledFolder(tuple(images), skipped)


def labelled_image(text: str) -> LabelledImage:
    """Read what a client's path says of an image: its nearest folder that names an expression.

    Raises: FolderError: none does.
    """
    parts = [part for part in map(clean_file_name, re.split(r"[/\\]", text)) if part not in ("", ".", "..")]
    for folder in reversed(parts[:-1]):
        expression = _EXPRESSION_OF.get(folder.lower())
        if expression is not None:
            return LabelledImage(Path(*parts), expression)
    raise FolderError(
        f"{'/'.join(parts)[-100:] or 'The path'} is in no folder that names an expression. Allowed, in any "
        f"case: {_allowed()}. Example: happy/1.jpg"
    )


def is_image_name(path: Path) -> bool:
    """Tell whether a file is called like an image."""
    return path.suffix.lower() in SUFFIXES


def files_below(folder: Path) -> list[Path]:
    """All files below a folder but hidden ones, by path. Raises OSError: the folder cannot be read."""
    files: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name.lower() in _LEFT_BY_SYSTEMS:
            continue
        if entry.is_dir():
            # Links to folders may lead in circles.
            files += [] if entry.is_symlink() else files_below(entry)
        else:
            files.append(entry)
    return files


def _expression_folders(root: Path) -> dict[str, list[Path]]:
    if not root.is_dir():
        raise FolderError(f"{root} is no folder. Name the one that holds a folder for each expression.")
    folders: dict[str, list[Path]] = {}
    found = sorted(each for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))
    for folder in found:
        expression = _EXPRESSION_OF.get(folder.name.strip().lower())
        if expression is None:
            raise FolderError(_unknown_folder(root, folder, found))
        folders.setdefault(expression, []).append(folder)
    if not folders:
        raise FolderError(f"{root} has no folders; it needs one for each expression: {_allowed()}.")
    return folders


def _unknown_folder(root: Path, folder: Path, found: list[Path]) -> str:
    names = {each.name.lower() for each in found}
    if names <= {"train", "training", "test", "testing", "val", "valid", "validation"}:
        return f"{root} has splits, not expressions. Name one of them: {', '.join(map(str, found))}."
    if folder.name.isdecimal():
        return f"{folder}: data sets number the expressions differently. Rename the folders to {_allowed()}."
    return f"{folder} names no expression; allowed, in any case: {_allowed()}. Rename or remove the folder."


def _allowed() -> str:
    return ", ".join("/".join(names) for names in NAMES.values())


def _suffixes() -> str:
    return ", ".join(SUFFIXES)
