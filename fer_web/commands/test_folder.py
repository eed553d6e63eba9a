"""python -m fer_web test-folder: how well a model does on labelled images."""

import argparse
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fer_web.analysis.folders.folder_report import describe_folder, write_folder_report
from fer_web.analysis.folders.folder_scores import predict_images, score_folder
from fer_web.analysis.folders.labelled_images import LabelledImage, find_labelled_images
from fer_web.analysis.stills.images import ImageLimits
from fer_web.commands.analysis_options import add_analysis_options, open_analyser, with_progress
from fer_web.commands.parsers import number_in, parser_with_examples
from fer_web.data_sets.codes import LAYOUTS
from fer_web.settings import settings_of

_EXAMPLES: Final = """examples:
  python -m fer_web test-folder fer2013/test --faces whole
  python -m fer_web test-folder photos --limit 500 --out report
  python -m fer_web test-folder photos --json > report.json
  python -m fer_web test-folder affectnet/val --layout affectnet

DIR holds a folder for each expression: angry, disgust, fear, happy, sad, surprise, neutral, or names that
other data sets use (anger, happiness, ...); contempt is counted apart.
KDEF, JAFFE, CK+, RAF-DB, AffectNet and FER+ are known by file names and lists; --layout says which they are.
--out writes report.txt, report.json, confusion.png and mistakes.png.
exit status: 0 all images could be read, 1 some could not, or nothing could be scored, 2 wrong arguments,
130 interrupted."""

LIMIT_SEED: Final = 0
"""The choice that --limit makes uses this seed, so that it is the same every time."""


def add_test_folder(tools: Any) -> None:
    """Add the tool to the command line."""
    parser = parser_with_examples(
        tools.add_parser, "test-folder", help="score a model on a folder of labelled images", epilog=_EXAMPLES
    )
    parser.set_defaults(run=run_test_folder)
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="folder with DIR/<expression>/*, or of a data set"
    )
    add_analysis_options(parser)
    add_layout_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report and its plots here")
    parser.add_argument(
        "--limit", type=number_in(1, 100_000_000), metavar="N", help="score N images, chosen at random"
    )


def add_layout_option(parser: Any) -> None:
    """--layout, for folders of labelled images."""
    parser.add_argument(
        "--layout", choices=LAYOUTS, help="whose names and numbers the folder has (default: recognised)"
    )


def run_test_folder(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Score a folder and print the report; returns 1 where a file could not be read, or none scored."""
    settings = settings_of(given, environment)
    found = find_labelled_images(given.folder, given.layout)
    images = choose(found.images, given.limit)
    model, analyser, detector = open_analyser(settings, given.faces)
    predictions = list(
        predict_images(
            images,
            analyser,
            ImageLimits.from_settings(settings),
            given.faces,
            lambda items: with_progress(items, len(images)),
        )
    )
    report = {
        "folder": str(given.folder),
        "model": {"name": model.info.name, "sha256": model.info.model_hash},
        "detector": detector,
        "faces": given.faces,
        "skipped": found.skipped,
        "detected": found.detected,
        "unlabelled": found.unlabelled,
        "missing": list(model.info.missing),
        **score_folder(predictions),
    }
    written = write_folder_report(given.out, report, predictions) if given.out else []
    print(json.dumps(report, indent=1, ensure_ascii=False) if given.json else describe_folder(report))
    if written and not given.json:
        print(f"\nwritten: {', '.join(map(str, written))}")
    return 1 if report["unreadable"] or not report["scored"] else 0


def choose(images: tuple[LabelledImage, ...], limit: int | None) -> tuple[LabelledImage, ...]:
    """Choose at most `limit` of the images, the same ones every time, in their order."""
    if limit is None or limit >= len(images):
        return images
    chosen = sorted(random.Random(LIMIT_SEED).sample(range(len(images)), limit))
    return tuple(images[position] for position in chosen)
