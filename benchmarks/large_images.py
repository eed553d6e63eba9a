"""Search small faces in large images, as a frame and as a still: python -m benchmarks.large_images."""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.composites import EMPTY_SCENES, load_scene
from benchmarks.photos import load_face_photos
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.boxes import Boxes, iou_matrix
from fer_web.vision.faces import FaceDetector, build_detector
from fer_web.vision.types import Frame

SIZE_WH = (4000, 3000)
FACE_SIDES = (120, 200, 300, 500)
SAME_FACE_IOU = 0.3
COLUMNS, ROWS = 4, 3
PHOTO_SIDE = 1.2
"""It is the longer side of a photo in sides of its face: the photos show little else."""


def compose(photos: list[Frame], name: str, face_side: int, rng: np.random.Generator) -> tuple[Frame, Boxes]:
    """Return a large image with twelve photos of one face each, and their boxes, (12, 4)."""
    background = cv2.resize(load_scene(name), SIZE_WH, interpolation=cv2.INTER_CUBIC)
    frame = np.asarray(cv2.GaussianBlur(background, (0, 0), 2), np.uint8)
    boxes = []
    for cell in range(COLUMNS * ROWS):
        photo = photos[rng.integers(len(photos))]
        scale = PHOTO_SIDE * face_side / max(photo.shape[:2])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        face = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=how)
        left, top = 300 + cell % COLUMNS * 900, 300 + cell // COLUMNS * 850
        bottom, right = top + face.shape[0], left + face.shape[1]
        frame[top:bottom, left:right] = face
        boxes.append((left, top, right, bottom))
    return frame, np.array(boxes, np.float32)


def measure(detector: FaceDetector, photos: list[Frame], face_side: int) -> tuple[int, int, int, float]:
    """Count faces found, faces there and false boxes, and time an image, in ms of the processor."""
    rng = np.random.default_rng(0)
    hits = there = false = 0
    used_s = 0.0
    for name in EMPTY_SCENES:
        frame, boxes = compose(photos, name, face_side, rng)
        began_s = time.process_time()
        found = detector.search(frame)
        used_s += time.process_time() - began_s
        is_same = iou_matrix(boxes, found.xyxy) > SAME_FACE_IOU
        hits, there = hits + int(is_same.any(axis=1).sum()), there + len(boxes)
        false += int((~is_same.any(axis=0)).sum())
    return hits, there, false, 1000 * used_s / len(EMPTY_SCENES)


def main() -> None:
    """Print a line for each size of faces and each way to search."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--photos", type=Path, help="a folder of photos or an .npz; two faces by default")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    photos = [photo for photo in load_face_photos(options.photos) if min(photo.shape[:2]) > 150]
    for name, for_stills in (("frame", False), ("still", True)):
        detector = build_detector("blazeface", BLAZEFACE_PATH, for_stills=for_stills)
        for side in FACE_SIDES:
            hits, there, false, used_ms = measure(detector, photos, side)
            counts = f"{hits} of {there}, {false} false boxes"
            print(f"{name}, faces of {side} px: {counts}, {used_ms:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
