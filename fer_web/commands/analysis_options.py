"""Holds what predict and test-folder have in common: options, the analyser, progress."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, TypeVar

import cv2

from fer_web.analysis.stills.stills import FACES, MAX_STILL_FACES, StillAnalyser
from fer_web.commands.parsers import number_in
from fer_web.inference.models import Model, open_model, options_of
from fer_web.settings import Settings, add_setting_options
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import build_detector, resolve_detector

MODEL_SETTINGS: Final = ("labels", "scaling", "colour", "crop", "temperature", "trust")
"""These settings describe a model of one's own."""

VIDEO_SETTINGS: Final = (
    "model",
    *MODEL_SETTINGS,
    "detector",
    "max_faces",
    "smoothing_s",
    "search_interval_s",
    "record_hz",
    "max_video_pixels",
    "max_video_hours",
)
"""These settings decide how a video is analysed, here or by a worker."""

SETTINGS: Final = (
    "model",
    *MODEL_SETTINGS,
    "detector",
    "max_image_bytes",
    "max_image_pixels",
)
"""Settings that are options of these tools too."""

_Item = TypeVar("_Item")


def add_analysis_options(parser: Any) -> None:
    """--json, --faces and the settings that decide how an image is analysed."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument(
        "--faces",
        choices=FACES,
        default="auto",
        help="detect: search each image for faces; whole: each image is one face, as in FER-2013; auto: "
        "whole where the image is small or one face fills it, else detect (default: auto)",
    )
    add_setting_options(parser, SETTINGS)
    parser.add_argument(
        "--max-faces",
        type=number_in(1, MAX_STILL_FACES),
        default=MAX_STILL_FACES,
        metavar="N",
        help=f"faces analysed in one image, the surest (default: {MAX_STILL_FACES})",
    )


def open_analyser(
    settings: Settings, faces: str, *, warn: bool = True, may_guess: bool = False
) -> tuple[Model, StillAnalyser, str | None]:
    """The model, what analyses with it, and the detector's name, None where none is needed.

    Args:
        warn: print on standard error what the model's users should know.
        may_guess: an order of outputs that nobody knows is guessed rather than refused.
    Raises: FerWebError: a file is missing or does not fit.
    """
    cv2.setNumThreads(1)  # crops are too small to be worth a thread
    model = open_model(settings.model, replace(options_of(settings), may_guess=may_guess))
    for warning in model.warnings if warn else ():
        print(f"{model.info.name}: {warning}.", file=sys.stderr)
    name = None if faces == "whole" else resolve_detector(settings.detector, BLAZEFACE_PATH)
    detector = build_detector(name, BLAZEFACE_PATH, for_stills=True) if name else None
    return model, StillAnalyser(model.new_classifier(), detector, settings.max_faces), name


def with_progress(items: Iterable[_Item], total: int) -> Iterable[_Item]:
    """The items, with a bar on standard error where that is a terminal."""
    if total < 2 or not sys.stderr.isatty():
        return items
    # Imported here: without a terminal it is not needed.
    from rich.console import Console
    from rich.progress import track

    return track(items, "images", total, console=Console(stderr=True), transient=True)
