"""python -m fer_web predict: the expressions in images."""

import argparse
import contextlib
import csv
import glob
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from fer_web.analysis.folders.labelled_images import files_below, is_image_name
from fer_web.analysis.stills.annotation import annotate
from fer_web.analysis.stills.images import KINDS, ImageLimits, Picture, read_image
from fer_web.analysis.stills.still_formats import (
    CSV_COLUMNS,
    csv_error_rows,
    csv_rows,
    describe_still,
    error_to_wire,
    still_to_wire,
)
from fer_web.analysis.stills.stills import StillAnalyser, StillResult
from fer_web.commands.analysis_options import add_analysis_options, open_analyser, with_progress
from fer_web.commands.parsers import parser_with_examples
from fer_web.errors import FerWebError, FileUnreadableError, InvalidValueError
from fer_web.metrics.spreadsheet_text import neutral_text
from fer_web.settings import settings_of

_EXAMPLES: Final = """examples:
  python -m fer_web predict photo.jpg
  python -m fer_web predict holiday/ --out annotated --csv faces.csv
  python -m fer_web predict crops/*.png --faces whole --json
  python -m fer_web predict photo.jpg --heatmap --out annotated

With --json, one object a line for each image: file, width, height, framing, reason, found (how many faces),
remarks, faces (box: left, top, width, height in fractions of the image; box_px in pixels; scores, label,
confidence, sure, valence, arousal, intensity, second; with --heatmap, heatmap: side, corners, values,
method); or file and error.
exit status: 0 all images were analysed, 1 some were not, 2 wrong arguments, 130 interrupted."""

_JPEG_SUFFIXES: Final = (".jpg", ".jpeg", ".jpe", ".jfif")


@dataclass(frozen=True)
class Analysed:
    """An image file with its picture and result, or with why there are none."""

    path: Path
    picture: Picture = field(default_factory=lambda: Picture(np.zeros((0, 0, 3), np.uint8)))
    result: StillResult | None = None
    error: FerWebError | None = None

    @property
    def still(self) -> StillResult:
        """The result; ValueError where there is an error."""
        if self.result is None:
            raise ValueError(f"{self.path} was not analysed")
        return self.result


def add_predict(tools: Any) -> None:
    """Add the tool to the command line."""
    parser = parser_with_examples(
        tools.add_parser, "predict", help="name the expressions in images", epilog=_EXAMPLES
    )
    parser.set_defaults(run=run_predict)
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help=f"files ({KINDS}), folders, or patterns such as *.jpg"
    )
    add_analysis_options(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write each image with boxes and labels into this folder, as NAME-faces",
    )
    parser.add_argument(
        "--heatmap",
        action="store_true",
        help="show which places of each face speak for its label: as colours in the images of --out, and "
        "for all seven expressions as numbers in --json",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a table with a row for each face")
    parser.add_argument("--force", action="store_true", help="replace the table where there is one")


def run_predict(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Analyse images one after the other; returns 1 where some could not be."""
    settings = settings_of(given, environment)
    limits = ImageLimits.from_settings(settings)
    paths = list(find_images(given.paths))
    if given.heatmap and not (given.json or given.out):
        raise InvalidValueError("--heatmap shows nothing as text. Add --out DIR for images, or --json.")
    model, analyser, _ = open_analyser(settings, given.faces)
    if given.heatmap and model.info.heatmaps is None:
        raise InvalidValueError(f"--heatmap cannot be had: {model.info.no_heatmaps}. Leave it out.")
    failed = 0
    with contextlib.ExitStack() as stack:
        table = _open_table(given, stack) if given.csv else None
        drawn = AnnotatedImages(given.out) if given.out else None
        for path in with_progress(paths, len(paths)):
            analysed = analyse_file(path, analyser, limits, given.faces, given.heatmap)
            failed += analysed.error is not None
            if table:
                table.writerows(_rows(analysed))
            if drawn:
                drawn.write(analysed)
            _print(given, analysed)
    if not given.json and len(paths) > 1:
        print(f"{len(paths)} images, {f'{failed} of them not analysed' if failed else 'all analysed'}")
    _tell_written(given, len(paths) - failed)
    return 1 if failed else 0


def _tell_written(given: argparse.Namespace, drawn: int) -> None:
    written = [f"{drawn} with boxes in {given.out}"] if given.out else []
    written += [str(given.csv)] if given.csv else []
    if written and not given.json:
        print(f"written: {', '.join(written)}")


def find_images(names: Sequence[str]) -> Iterator[Path]:
    """Find what was named: files as they are, images below folders, and what patterns match.

    A name that leads to nothing is passed on, so that its error stands among the results.
    """
    for name in names:
        for path in _matches(name):
            inside = [file for file in files_below(path) if is_image_name(file)] if path.is_dir() else []
            yield from inside or [path]


def _matches(name: str) -> list[Path]:
    """The file of this name, or those that a pattern matches: Windows' shells leave patterns to programs."""
    is_pattern = glob.has_magic(name) and not os.path.exists(name)
    return [Path(found) for found in (is_pattern and sorted(glob.glob(name, recursive=True))) or [name]]


def analyse_file(
    path: Path, analyser: StillAnalyser, limits: ImageLimits, faces: str, heatmaps: bool = False
) -> Analysed:
    """Read and analyse one file."""
    try:
        if path.is_dir():
            raise FileUnreadableError(f"{path} is a folder without images.")
        picture = read_image(path, limits)
        return Analysed(path, picture, analyser.analyse(picture.frame_bgr, faces, heatmaps))
    except FerWebError as exc:
        return Analysed(path, error=exc)


class AnnotatedImages:
    """Writes images with their boxes into one folder, each under a name of its own."""

    def __init__(self, folder: Path) -> None:
        """Raises: OSError: the folder cannot be made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken: set[str] = set()

    def write(self, analysed: Analysed) -> None:
        """Write one image, where there is one. Raises: OSError: it cannot be written."""
        if analysed.error:
            return
        suffix = ".jpg" if analysed.path.suffix.lower() in _JPEG_SUFFIXES else ".png"
        _, data = cv2.imencode(suffix, annotate(analysed.picture.frame_bgr, analysed.still.faces))
        (self._folder / self._name(f"{analysed.path.stem}-faces", suffix)).write_bytes(data.tobytes())

    def _name(self, stem: str, suffix: str) -> str:
        number, name = 1, f"{stem}{suffix}"
        while name.lower() in self._taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        self._taken.add(name.lower())
        return name


def _open_table(given: argparse.Namespace, stack: contextlib.ExitStack) -> Any:
    if given.csv.exists() and not given.force:
        raise InvalidValueError(
            f"{given.csv} exists. Name another file with --csv, or replace it with --force."
        )
    file = stack.enter_context(given.csv.open("w", encoding="utf-8", newline=""))
    table = csv.writer(file)
    table.writerow(CSV_COLUMNS)
    return table


def _rows(analysed: Analysed) -> list[tuple[Any, ...]]:
    name = neutral_text(str(analysed.path))
    return csv_error_rows(name, analysed.error) if analysed.error else csv_rows(name, analysed.still)


def _print(given: argparse.Namespace, analysed: Analysed) -> None:
    path = str(analysed.path)
    if given.json:
        remarks = analysed.picture.remarks
        found = error_to_wire(analysed.error) if analysed.error else still_to_wire(analysed.still, remarks)
        text = json.dumps({"file": path, **found}, ensure_ascii=False)
    elif analysed.error:
        text = f"{path}: not analysed: {analysed.error}"
    else:
        text = describe_still(path, analysed.still, analysed.picture.remarks)
    # Flushed: long lists are followed through pipes.
    print(text, flush=True)
