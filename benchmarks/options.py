"""Declare the options that several benchmarks take."""

import argparse
from pathlib import Path

from fer_web.errors import DataError
from fer_web.vendor_files import BLAZEFACE_PATH
from train.data.fer_data import FerData, load_data


def new_parser(doc: str | None) -> argparse.ArgumentParser:
    """Make a parser that describes itself by the first line of a benchmark's docstring."""
    return argparse.ArgumentParser(description=(doc or "").split("\n")[0])


def add_photos(parser: argparse.ArgumentParser, *, empty: int) -> None:
    """Add the photos to paste into frames, and how many frames are to be empty."""
    parser.add_argument("--photos", type=Path, help="folder or .npz of photos with one face each")
    parser.add_argument("--count", type=int, help="use only the first COUNT photos")
    help_text = "frames without people (default: %(default)s)"
    parser.add_argument("--empty", type=int, default=empty, help=help_text)
    add_blazeface(parser)


def add_blazeface(parser: argparse.ArgumentParser) -> None:
    """Add the file of the face detector."""
    parser.add_argument("--blazeface", type=Path, default=BLAZEFACE_PATH, help="the .tflite file")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the files that `load_public_test` reads."""
    parser.add_argument("--data", type=Path, required=True, help="fer2013.csv or an .npz")
    help_text = "FER+'s fer2013new.csv, where the data has no votes"
    parser.add_argument("--ferplus", type=Path, help=help_text)


def load_public_test(options: argparse.Namespace) -> FerData:
    """Read the rows of PublicTest, with votes. Raises DataError: there are none."""
    part = load_data(options.data, options.ferplus).split("PublicTest")
    if part.votes is None:
        raise DataError("the data has no votes. Give --ferplus fer2013new.csv too")
    return part
