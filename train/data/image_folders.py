"""Read pictures in folders by emotion, as Kaggle's image version of FER-2013 has them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.data_sets.layouts import Detection, LabelledPath, detect
from fer_web.errors import DataError, FolderError
from fer_web.labels import EMOTIONS, OTHER_NAMES
from fer_web.vision.preprocess import pad_to_square
from train.data.progress import Watch, unwatched

SPLITS = {"train": "Training", "test": "PublicTest"}
"""Folder names and the split that their pictures belong to, unless a file's own name says which."""

EVERY = 5
"""Without splits, every fifth of a data set's people is tested on, or every fifth picture."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm")

_EMOTION_OF = {name: name for name in EMOTIONS} | {
    name: emotion for name, emotion in OTHER_NAMES.items() if emotion in EMOTIONS
}
_LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Pictures:
    """It holds what the folders held, by folder, then by file name.

    Attributes:
        images: uint8 (N, side, side), grey.
        emotion: uint8 (N,), position in EMOTIONS.
        usage: uint8 (N,), split's id.
        paths: of the N files.
    """

    images: NDArray[np.uint8]
    emotion: NDArray[np.uint8]
    usage: NDArray[np.uint8]
    paths: tuple[Path, ...]


def read_image_folders(root: Path, usages: tuple[str, ...], side: int, watch: Watch = unwatched) -> Pictures:
    """Read `train/<emotion>/*` and `test/<emotion>/*`, or one of the two, or a public data set (data_sets).

    Kaggle's test folder mixes both test splits of FER-2013, told apart by file names such as
    "PrivateTest_1234.jpg"; there the name decides.

    Args:
        usages: names of the splits; a split's id is its position.
        side: height and width that every picture is brought to, with its edges repeated to make it
            square.
    Raises: DataError: an unknown folder, an emotion without a picture, or a file that is no
        picture.
    """
    if (data_set := _data_set(root)) is not None:
        return _of_data_set(data_set, usages, side, watch, root.name)
    splits = _folders(root, {name: name for name in SPLITS}, "split")
    if not splits:
        raise DataError(f"{root} has no folder 'train' or 'test'. Give --data the folder that holds them")
    found = [(split, *each) for split in SPLITS if split in splits for each in _pictures(splits[split])]
    paths = tuple(path for _, _, path in found)
    images = [_read_grey(path, side) for path in watch(paths, f"the pictures of {root.name}", len(paths))]
    emotions = [EMOTIONS.index(emotion) for _, emotion, _ in found]
    usage_ids = [usages.index(_usage_by_name(path, usages) or SPLITS[split]) for split, _, path in found]
    return Pictures(np.stack(images), np.array(emotions, np.uint8), np.array(usage_ids, np.uint8), paths)


def _data_set(root: Path) -> Detection | None:
    """The folder as a public data set; None where its folders name expressions, or nobody knows."""
    files = sorted(each for each in root.rglob("*") if each.is_file() and not _is_hidden(each))
    pictures = [each for each in files if each.suffix.lower() in SUFFIXES]
    if any(parent.name.lower() in _EMOTION_OF for each in pictures[:1] for parent in each.parents):
        return None
    try:
        return detect(pictures, [each for each in files if each.suffix.lower() not in SUFFIXES])
    except FolderError as exc:
        raise DataError(str(exc).removesuffix(".")) from exc


def _of_data_set(found: Detection, usages: tuple[str, ...], side: int, watch: Watch, name: str) -> Pictures:
    """The pictures of the seven emotions; splits as their names say, or every fifth person to PublicTest."""
    chosen = [each for each in found.pictures if each.expression in EMOTIONS]
    people = sorted({each.person for each in chosen})
    usage = [usages.index(_split_of(each, people, number)) for number, each in enumerate(chosen)]
    paths = tuple(each.path for each in chosen)
    images = [
        _read_grey(path, side) for path in watch(paths, f"{found.data_set.title} in {name}", len(paths))
    ]
    emotions = [EMOTIONS.index(each.expression) for each in chosen]
    return Pictures(np.stack(images), np.array(emotions, np.uint8), np.array(usage, np.uint8), paths)


def _split_of(picture: LabelledPath, people: list[str], number: int) -> str:
    """A person is in one split only, or the same face would be learned and tested."""
    if picture.split:
        return {"train": "Training", "test": "PublicTest"}.get(picture.split.lower(), picture.split)
    turn = people.index(picture.person) if picture.person else number
    return "PublicTest" if turn % EVERY == EVERY - 1 else "Training"


def _folders(parent: Path, known: dict[str, str], what: str) -> dict[str, Path]:
    """Return the folders of `parent` by the name that `known` gives for theirs in lower case."""
    found: dict[str, Path] = {}
    for path in sorted(each for each in parent.iterdir() if each.is_dir() and not _is_hidden(each)):
        name = known.get(path.name.lower())
        if name is None or name in found:
            allowed = ", ".join(sorted(set(known.values())))
            problem = "is an unknown" if name is None else f"is a second folder for the {what} {name!r}; an"
            raise DataError(f"{path} {problem} {what}; allowed: {allowed}. Rename or remove the folder")
        found[name] = path
    return found


def _pictures(split: Path) -> list[tuple[str, Path]]:
    """Return the emotion and path of each picture of a split, in the order of EMOTIONS."""
    folders = _folders(split, _EMOTION_OF, "emotion")
    pictures: list[tuple[str, Path]] = []
    for emotion in EMOTIONS:
        folder = folders.get(emotion, split / emotion)
        files = sorted(folder.iterdir()) if emotion in folders else []
        files = [each for each in files if not _is_hidden(each)]
        if not files:
            raise DataError(f"{folder} has no picture; every emotion needs one. Add pictures of {emotion!r}")
        pictures += [(emotion, each) for each in files]
    return pictures


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _LEFT_BY_SYSTEMS


def _usage_by_name(path: Path, usages: tuple[str, ...]) -> str | None:
    prefix = path.name.partition("_")[0]
    return prefix if prefix in usages else None


def _read_grey(path: Path, side: int) -> NDArray[np.uint8]:
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path} is no picture ({', '.join(SUFFIXES)}). Remove it")
    content = np.fromfile(path, np.uint8)
    # Not imread: on Windows it cannot open names outside the system's code page.
    grey = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if content.size else None
    if grey is None:
        raise DataError(f"{path} cannot be opened as a picture. Fetch it again or remove it")
    return _fit_square(np.asarray(grey, np.uint8), side)


def _fit_square(grey: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    smooth = cv2.INTER_AREA if max(grey.shape) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pad_to_square(grey), (side, side), interpolation=smooth), np.uint8)
