"""Many small faces with their labels on one picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
from PIL import Image, ImageDraw, ImageFont

from fer_web.analysis.folders.folder_scores import ImagePrediction
from fer_web.metrics.text_tables import certainty

COLUMNS: Final = 10
FACE_SIDE: Final = 120
MARGIN: Final = 10
LINE: Final = 15
FONT_SIZE: Final = 12
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_TILE_WIDTH: Final = FACE_SIDE + MARGIN
_TILE_HEIGHT: Final = FACE_SIDE + 3 * LINE + MARGIN


def write_contact_sheet(path: Path, mistakes: Sequence[ImagePrediction]) -> None:
    """Write `contact_sheet` as a PNG."""
    contact_sheet(mistakes).save(path)


def contact_sheet(mistakes: Sequence[ImagePrediction]) -> Image.Image:
    """A picture of what the network saw in each image, what it is, what was said, and the file's name.

    Args: mistakes: predictions with crops, at least one.
    """
    columns = min(COLUMNS, len(mistakes))
    rows = -(-len(mistakes) // columns)
    sheet = Image.new("RGB", (columns * _TILE_WIDTH + MARGIN, rows * _TILE_HEIGHT + MARGIN), "white")
    for number, mistake in enumerate(mistakes):
        row, column = divmod(number, columns)
        _draw_tile(sheet, mistake, MARGIN + column * _TILE_WIDTH, MARGIN + row * _TILE_HEIGHT)
    return sheet


def _draw_tile(sheet: Image.Image, mistake: ImagePrediction, left: int, top: int) -> None:
    sheet.paste(_face(mistake), (left, top))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    lines = (
        (f"is {mistake.image.expression}", "black"),
        (f"said {mistake.label} {certainty(mistake.confidence)}", "#a33000"),
        (mistake.image.path.name, "#555555"),
    )
    for number, (text, colour) in enumerate(lines):
        place = (left, top + FACE_SIDE + number * LINE)
        draw.text(place, _shortened(draw, text, font), fill=colour, font=font)


def _face(mistake: ImagePrediction) -> Image.Image:
    if mistake.crop is None:
        raise ValueError("a prediction without a crop has no place on a contact sheet")
    crop = mistake.crop if mistake.crop.shape[2] == 3 else mistake.crop[:, :, 0]
    return Image.fromarray(cv2.resize(crop, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_CUBIC))


def _shortened(draw: ImageDraw.ImageDraw, text: str, font: _Font) -> str:
    """The text, cut to a tile's width; letters that the font lacks are drawn as boxes."""
    if draw.textlength(text, font=font) <= FACE_SIDE:
        return text
    while text and draw.textlength(f"{text}...", font=font) > FACE_SIDE:
        text = text[:-1]
    return f"{text}..."
