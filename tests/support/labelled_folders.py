"""Folders of labelled images, made of the tests' own rows and faces."""

import cv2

from fer_web.labels import EMOTIONS
from tests.support.fer_rows import make_data


def write_folder(root, images, labels, names=EMOTIONS):
    """Write uint8 (N, 48, 48) images as root/<name>/<number>.png; `names` by label."""
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = root / names[label]
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath(f"{number:03d}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return root


def write_rows(root, rows=70, **options):
    """Rows of every label; returns them."""
    data = make_data(0, rows)
    write_folder(root, data.images, data.emotion, **options)
    return data
