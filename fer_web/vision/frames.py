"""JPEG bytes to frames, with every limit checked on the header before a pixel is decoded."""

import hashlib
import io
import struct

import cv2
import numpy as np
from PIL import Image

from fer_web.errors import FrameError, FrameTooLargeError
from fer_web.vision.types import Frame

# Start-of-frame markers that carry the size (ITU-T T.81, table B.1); C4, C8 and CC are other things.
_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# What may stand before the frame header: tables, restart interval, application data, comments. The rest is
# refused: where a decoder and we skip differently, it could find another size than we checked.
_SKIPPED_MARKERS = frozenset({0xC4, 0xCC, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
# A progressive JPEG has about ten scans. Each one walks over the whole frame again, however few bytes it has.
MAX_SCANS = 10
# Some cameras pad a JPEG after its end marker.
_END_SEARCH_BYTES = 64
_END = b"\xff\xd9"
# Where blocks are missing, decoders make other pixels of the two.
_FILLINGS = (b"", b"\x5a\xc3\x17\x96\x2d" * 400)


def decode_frame(jpeg: bytes, max_bytes: int, max_pixels: int) -> Frame:
    """Decode one JPEG.

    Args:
        jpeg: the file's bytes, as they came from a client.
        max_bytes: largest length accepted.
        max_pixels: largest width times height accepted, read from the header before decoding.
    Returns: uint8 (height, width, 3), blue, green, red.
    Raises:
        FrameTooLargeError: more bytes or pixels than allowed.
        FrameError: not a JPEG, cut short, or damaged.
    """
    check_jpeg_bytes(jpeg, max_bytes)
    height, width = jpeg_size_hw(jpeg)
    if height * width > max_pixels:
        raise FrameTooLargeError(
            f"The frame is {width}x{height} = {width * height} pixels, {max_pixels} are allowed. "
            "Scale it down."
        )
    if jpeg.count(b"\xff\xda") > MAX_SCANS:
        raise FrameError(f"The JPEG has more than {MAX_SCANS} scans. Send a baseline JPEG.")
    if _END in jpeg[-_END_SEARCH_BYTES:]:
        frame = _decoded(jpeg)
    else:
        completed = complete_jpeg(jpeg)
        if completed is None:
            raise FrameError(f"The JPEG of {len(jpeg)} bytes was cut short. Send the whole file.")
        frame = _decoded(completed)
    if frame is None or frame.shape[:2] != (height, width):
        raise FrameError(
            f"The JPEG of {len(jpeg)} bytes is damaged and cannot be decoded. Send another frame."
        )
    return np.asarray(frame, np.uint8)


def complete_jpeg(jpeg: bytes) -> bytes | None:
    """Add the end marker that some cameras and cut files lack; None where pixels are missing too.

    Decoders fill missing pixels without a word. So the JPEG is decoded twice, with nothing and with some
    bits before the marker: only where every pixel was there, both give the same.

    Args: jpeg: without the marker at its end; its size is checked.
    """
    jpeg = jpeg.rstrip(_END[:1])
    try:
        # By Pillow: OpenCV would print a line about each of these on standard error.
        with_nothing, with_bits = (_pixels_hash(jpeg + filling + _END) for filling in _FILLINGS)
    except Exception:  # Pillow's decoders raise nearly everything on damaged files
        return None
    return jpeg + _END if with_nothing == with_bits else None


def check_jpeg_bytes(jpeg: bytes, max_bytes: int) -> None:
    """Raises FrameTooLargeError: more bytes than allowed."""
    if len(jpeg) > max_bytes:
        raise FrameTooLargeError(
            f"The frame has {len(jpeg)} bytes, {max_bytes} are allowed. "
            "Send a smaller or more compressed JPEG."
        )


def jpeg_size_hw(jpeg: bytes) -> tuple[int, int]:
    """Height and width in pixels from a JPEG's header, nothing decoded.

    Raises: FrameError: empty, not a JPEG, or no frame header before the image data.
    """
    if not jpeg.startswith(b"\xff\xd8\xff"):
        raise FrameError(f"A frame must be a JPEG image; {_described(jpeg)} came.")
    position = 2
    while position + 4 <= len(jpeg):
        if jpeg[position] != 0xFF:
            break
        marker = jpeg[position + 1]
        if marker in _SOF_MARKERS:
            return _size_of_segment(jpeg, position)
        if marker == 0xFF:
            position += 1  # a fill byte
        elif marker in _SKIPPED_MARKERS:
            position += 2 + int(struct.unpack_from(">H", jpeg, position + 2)[0])
        else:
            break
    raise FrameError(f"The JPEG of {len(jpeg)} bytes has no readable header. Send the whole file.")


def encode_jpeg(frame_bgr: Frame, quality: int = 90) -> bytes:
    """Encode a frame as JPEG; quality 1-100."""
    _, data = cv2.imencode(".jpg", frame_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def _decoded(jpeg: bytes) -> Frame | None:
    try:
        return cv2.imdecode(  # type: ignore[return-value]  # declared as any kind of array
            np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:
        return None


def _pixels_hash(jpeg: bytes) -> bytes:
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
        return hashlib.blake2b(picture.tobytes()).digest()


def _size_of_segment(jpeg: bytes, position: int) -> tuple[int, int]:
    if position + 9 > len(jpeg):
        raise FrameError(f"The JPEG of {len(jpeg)} bytes ends inside its header. Send the whole file.")
    height, width = struct.unpack_from(">HH", jpeg, position + 5)
    if not (height and width):
        raise FrameError(f"The JPEG says it is {width}x{height} pixels. Send a frame with a size.")
    return height, width


def _described(data: bytes) -> str:
    for magic, name in ((b"\x89PNG", "PNG"), (b"GIF8", "GIF"), (b"RIFF", "WebP"), (b"BM", "BMP")):
        if data.startswith(magic):
            return f"a {name} file of {len(data)} bytes"
    if data.lstrip()[:5].lower() in (b"<?xml", b"<svg ", b"<svg>"):
        return f"an SVG file of {len(data)} bytes"
    return f"{len(data)} bytes of something else" if data else "nothing (0 bytes)"
