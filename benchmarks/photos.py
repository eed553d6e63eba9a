"""Photos of single faces for the benchmarks: from a folder, an archive, or PyPI packages."""

from pathlib import Path

import cv2
import numpy as np

from fer_web.vision.types import Frame

SUFFIXES = (".jpg", ".jpeg", ".png")


def load_face_photos(path: Path | None) -> list[Frame]:
    """Photos with one face each, uint8 (H, W, 3), blue-green-red, of any size.

    Args:
        path: a folder of JPEG or PNG files, searched deeply; or an .npz with `data` (all files' bytes, one
            after the other) and `end` (where each ends); or None for the two faces that ship with
            scikit-image and matplotlib.
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
    hopper = cv2.imread(str(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"))
    # Heads with a little around them, as the photos of a collection of faces are.
    return [np.asarray(astronaut[20:230, 120:330], np.uint8), np.asarray(hopper[95:405, 105:415], np.uint8)]
