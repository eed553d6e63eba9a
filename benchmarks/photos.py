"""Load photos of single faces from a folder, an archive, or PyPI packages."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer_web.labels import EMOTIONS
from fer_web.vision.types import Frame

SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class LabelledPhoto:
    """It has a file's bytes as they are, and what its face expresses, one of EMOTIONS."""

    encoded: bytes
    emotion: str


def load_labelled_photos(path: Path) -> list[LabelledPhoto]:
    """Return photos of one face each with a label.

    Args:
        path: an .npz with `data`, `end` and `emotion` (positions in EMOTIONS), or a folder with
            <emotion>/*.jpg.
    Raises: SystemExit: there is none; the message says so.
    """
    if path.suffix == ".npz":
        photos = _labelled_from_archive(path)
    else:
        photos = [
            LabelledPhoto(encoded, emotion)
            for emotion in EMOTIONS
            for encoded in _from_folder(path / emotion)
        ]
    if not photos:
        raise SystemExit(
            f"{path} holds no labelled photos: give an .npz with data, end and emotion, or a folder with "
            f"<emotion>/*.jpg; expressions are {', '.join(EMOTIONS)}"
        )
    return photos


def _labelled_from_archive(path: Path) -> list[LabelledPhoto]:
    try:
        labels = np.load(path)["emotion"].tolist()
        return [
            LabelledPhoto(encoded, EMOTIONS[label])
            for encoded, label in zip(_from_archive(path), labels, strict=True)
        ]
    except (OSError, KeyError, ValueError, IndexError) as exc:
        raise SystemExit(
            f"{path} cannot be read ({exc}): data, end and emotion (0-6) are needed, one of each for a photo"
        ) from exc


def load_face_photos(path: Path | None) -> list[Frame]:
    """Return photos with one face each, uint8 (H, W, 3), blue-green-red, of any size.

    Args:
        path: a folder of JPEG or PNG files, searched deeply; or an .npz with `data` (all files'
            bytes, one after the other) and `end` (where each ends); or None for the two faces that
            ship with scikit-image and matplotlib.
    Raises: SystemExit: there is no readable photo; the message says so.
    """
    if path is None:
        return _packaged_photos()
    encoded = _from_archive(path) if path.suffix == ".npz" else _from_folder(path)
    decoded = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in encoded if data]
    photos = [np.asarray(photo, np.uint8) for photo in decoded if photo is not None]
    if not photos:
        raise SystemExit(
            f"{path} holds no photos: give a folder of .jpg or .png files, or an .npz with data and end"
        )
    return photos


def _from_archive(path: Path) -> list[bytes]:
    archive = np.load(path)
    data, ends = archive["data"].tobytes(), archive["end"].tolist()
    return [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _from_folder(path: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(path.rglob("*")) if file.suffix.lower() in SUFFIXES]


def _packaged_photos() -> list[Frame]:
    import matplotlib
    import skimage.data

    astronaut = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    hopper_path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    hopper = np.asarray(cv2.imread(str(hopper_path)), np.uint8)
    # Heads with a little around them, as the photos of a collection of faces are.
    return [np.asarray(astronaut[20:230, 120:330], np.uint8), hopper[95:405, 105:415]]
