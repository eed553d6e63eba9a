"""Any still image -> one upright BGR frame; every limit is checked on the header, before decoding."""

import io
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fer_web.errors import (
    EmptyImageError,
    FileUnreadableError,
    ImageError,
    ImageTooLargeError,
    NotAnImageError,
)
from fer_web.settings import Settings
from fer_web.vision.frames import complete_jpeg
from fer_web.vision.types import Frame

SUFFIXES: Final = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm",
    ".avif", ".heic", ".heif",
)  # fmt: skip
"""Names that a folder's images may end in, in lower case. A file that is named itself may end in anything."""

KINDS: Final = "JPEG, PNG, WebP, BMP, GIF, TIFF, PPM, AVIF or HEIC"
_FORMATS: Final = ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF"]
"""Names of Pillow's decoders that may run; the others are never shown an unknown client's bytes."""

MAX_SCANS: Final = 100
"""A progressive JPEG has about ten scans, each of which walks over the whole image, however short it is; what
a camera puts beside the image (thumbnail, second view) has its own."""

MAX_SCANNED_PIXELS: Final = 600_000_000
"""Pixels of a JPEG times its scans: twelve scans of the largest image. 99 of them took eight seconds."""

_MAGIC: Final = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG", "PNG"), (b"GIF8", "GIF"), (b"BM", "BMP"),
    (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"II+\0", "TIFF"), (b"MM\0+", "TIFF"),
    (b"P2", "PPM"), (b"P3", "PPM"), (b"P5", "PPM"), (b"P6", "PPM"),
)  # fmt: skip
_HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_ORIENTATION: Final = 0x0112

# The limits here are the settings', and checked by us: Pillow would only warn, on standard error. It also
# warns of oddities in an image's metadata, which nobody can mend who wants to see a face.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True)
class ImageLimits:
    """Largest image file that is opened: its bytes, and its width times height."""

    max_bytes: int
    max_pixels: int

    @staticmethod
    def from_settings(settings: Settings) -> "ImageLimits":
        """The limits that the settings say."""
        return ImageLimits(settings.max_image_bytes, settings.max_image_pixels)


@dataclass(frozen=True)
class Picture:
    """A decoded image.

    Attributes:
        frame_bgr: uint8 (height, width, 3), upright.
        remarks: what whoever sent it should know, a sentence each.
    """

    frame_bgr: Frame
    remarks: tuple[str, ...] = ()


NO_END: Final = "The JPEG has no end marker. All pixels are there, but something may have cut the file."


def read_image(path: Path, limits: ImageLimits) -> Picture:
    """Open an image file; see `decode_image`.

    Raises: FileUnreadableError: there is no such file, it is a folder, or it cannot be opened. ImageError.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no ordinary file"
            raise FileUnreadableError(f"{path} is {kind}; an image file is needed.")
        _check_bytes(status.st_size, limits)
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except OSError as exc:
        raise FileUnreadableError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    except ValueError as exc:  # a null character in the name
        raise FileUnreadableError(f"{str(path)!r} is no file name: {exc}.") from exc
    return decode_image(data, limits)


def decode_image(data: bytes, limits: ImageLimits) -> Picture:
    """Decode one still image as a person sees it.

    It is turned as its EXIF data say; transparent parts are white; 16 bits become 8; of several pictures
    (animated, or beside each other) the first one counts. A JPEG may lack its end marker where no pixel is
    missing.

    Args: data: the file's bytes, of any kind in KINDS.
    Raises:
        EmptyImageError: no bytes.
        NotAnImageError: something else, or a kind that we do not read.
        ImageTooLargeError: more bytes or pixels than allowed; nothing was decoded.
        ImageError: damaged, or cut short.
    """
    _check_bytes(len(data), limits)
    if not data:
        raise EmptyImageError("The file is empty (0 bytes). Save or send the image again.")
    picture = _open(data)
    width, height = picture.size
    if width * height > limits.max_pixels:
        raise ImageTooLargeError(
            f"The image is {width}x{height} = {width * height} pixels, {limits.max_pixels} are allowed. "
            "Scale it down, or raise --max-image-pixels (FER_MAX_IMAGE_PIXELS)."
        )
    is_jpeg = picture.format in ("JPEG", "MPO")
    if is_jpeg:
        _check_scans(data.count(b"\xff\xda"), width * height)
    try:
        return Picture(_upright(picture))
    except ImageError:
        raise
    except Exception as exc:  # the decoders raise nearly everything on damaged files
        completed = complete_jpeg(data) if is_jpeg else None
        if completed is None:
            raise _damaged(data, exc) from exc
        return Picture(_upright(_open(completed)), (NO_END,))


def _check_scans(scans: int, pixels: int) -> None:
    # A large photo with its thumbnail and second view has four, whatever limit of pixels was set.
    allowed = min(MAX_SCANS, max(4, MAX_SCANNED_PIXELS // pixels))
    if scans > allowed:
        raise ImageError(
            f"The JPEG has {scans} scans; with its {pixels} pixels, {allowed} are allowed. Save it as a "
            "baseline JPEG."
        )


def _check_bytes(count: int, limits: ImageLimits) -> None:
    if count > limits.max_bytes:
        raise ImageTooLargeError(
            f"The file has {count} bytes, {limits.max_bytes} are allowed. Save the image smaller, or raise "
            "--max-image-bytes (FER_MAX_IMAGE_BYTES)."
        )


def _upright(picture: Image.Image) -> Frame:
    picture.load()
    return _turned(_to_bgr(picture), _orientation(picture))


def _open(data: bytes) -> Image.Image:
    formats = [*_FORMATS, "HEIF"] if _is_heic(data) and _has_heif_plugin() else _FORMATS
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError as exc:
        if _kind_of(data) and (not _is_heic(data) or "HEIF" in formats):
            raise _damaged(data, exc) from exc
        raise NotAnImageError(_unknown(data)) from exc
    except Exception as exc:  # as for load()
        raise _damaged(data, exc) from exc


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS


def _has_heif_plugin() -> bool:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener(thumbnails=False)
    return True


def _unknown(data: bytes) -> str:
    if _is_heic(data):
        return (
            "The image is HEIC, which needs a package that is not installed here. Send it as JPEG, or have "
            "it installed where this runs: pip install -r requirements-heic.txt"
        )
    start = data.lstrip()[:5].lower()
    what = "an SVG drawing" if start in (b"<?xml", b"<svg ", b"<svg>") else "something else"
    return f"The file is no image that can be read: {KINDS} is needed, {what} of {len(data)} bytes came."


def _kind_of(data: bytes) -> str | None:
    if _is_heic(data):
        return "HEIC"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "AVIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _damaged(data: bytes, exc: Exception) -> ImageError:
    # Pillow names its own object there.
    is_header = isinstance(exc, UnidentifiedImageError)
    reason = "its header cannot be read" if is_header else str(exc) or type(exc).__name__
    return ImageError(
        f"The {_kind_of(data) or 'image'} of {len(data)} bytes is damaged or cut short ({reason}). "
        "Fetch or save it again."
    )


def _to_bgr(picture: Image.Image) -> Frame:
    if picture.mode.startswith("I"):
        return _grey_to_bgr(_from_16_bits(picture))
    if picture.mode == "F":
        raise ImageError("The image has floating-point pixels. Save it with 8 or 16 bits.")
    if picture.has_transparency_data:
        picture = _on_white(picture)
    if picture.mode in ("1", "L"):
        return _grey_to_bgr(np.asarray(picture.convert("L")))
    rgb = np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _from_16_bits(picture: Image.Image) -> NDArray[np.uint8]:
    """Grey of 16 bits, or of 32 that hold 16, as 8 bits: 65535 becomes 255."""
    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 65535:
        raise ImageError("The image has 32-bit pixels. Save it with 8 or 16 bits.")
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _on_white(picture: Image.Image) -> Image.Image:
    rgba = picture.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _grey_to_bgr(grey: NDArray[np.uint8]) -> Frame:
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata do not make a good image bad
        return 1


def _turned(frame_bgr: Frame, orientation: int) -> Frame:
    """As EXIF's tag says (CIPA DC-008: where row 0 and column 0 are seen); unknown values: unturned."""
    if orientation in (5, 6, 7, 8):
        frame_bgr = frame_bgr.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        frame_bgr = frame_bgr[::-1]
    if orientation in (2, 3, 6, 7):
        frame_bgr = frame_bgr[:, ::-1]
    return np.ascontiguousarray(frame_bgr)
