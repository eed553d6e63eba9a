"""Files that outsiders may send: bombs, broken ones, and odd ones that are good."""

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.support.faces import camera_frame_bgr
from tests.support.made_videos import numbered_frames, write_video

PHOTO = Image.fromarray(camera_frame_bgr()[:, :, ::-1])


def encoded(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@functools.cache
def png_bomb(side=60_000):
    """450 MB of black bits in half a megabyte."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer, row = zlib.compressobj(9), b"\0" * (side // 8 + 1)
    data = b"".join(packer.compress(row * 1000) for _ in range(side // 1000)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@functools.cache
def png_text_bomb():
    """A good picture with 200 MB of text behind it."""
    good = encoded(PHOTO, "PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
    return good[:33] + text + good[33:]


def gif_bomb():
    return b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + bytes(6) + b"," + bytes(2000)


def webp_bomb():
    """A lossless WebP whose header says 16,384 by 16,384."""
    good = bytearray(encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    place = good.index(b"VP8L") + 9
    good[place : place + 4] = struct.pack("<I", 16_383 | 16_383 << 14)
    return bytes(good)


def animated(kind):
    others = [Image.new("RGB", PHOTO.size, colour) for colour in ("red", "blue")]
    return encoded(PHOTO, kind, save_all=True, append_images=others * 20, duration=20)


def grey_of_16_bits():
    values = np.asarray(PHOTO.convert("L"), np.uint16) * 257
    return encoded(Image.fromarray(values), "PNG")


def turned_by_exif():
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn to the right
    return encoded(PHOTO.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


REFUSED_IMAGES = {
    "nothing": (lambda: b"", 400, "empty_image"),
    "text": (lambda: b"Dear diary, " * 1000, 415, "not_an_image"),
    "a drawing that names a file": (
        lambda: b'<svg xmlns="x"><image href="file:///etc/passwd"/></svg>', 415, "not_an_image",
    ),
    "a film": (lambda: b"RIFF\0\0\0\0AVI LIST" + bytes(5000), 415, "not_an_image"),
    "PNG bomb": (png_bomb, 413, "image_too_large"),
    "PNG with a bomb of text": (png_text_bomb, 400, "bad_image"),
    "GIF bomb": (gif_bomb, 413, "image_too_large"),
    "WebP bomb": (webp_bomb, 413, "image_too_large"),
    "PNG cut short": (lambda: encoded(PHOTO, "PNG")[:5000], 400, "bad_image"),
    "JPEG cut short": (lambda: encoded(PHOTO, "JPEG")[:5000], 400, "bad_image"),
    "WebP cut short": (lambda: encoded(PHOTO, "WEBP")[:1000], 400, "bad_image"),
}  # fmt: skip
"""How each is made, and the status and code of the answer."""

GOOD_IMAGES = {
    "animated GIF": lambda: animated("GIF"),
    "animated WebP": lambda: animated("WEBP"),
    "CMYK": lambda: encoded(PHOTO.convert("CMYK"), "JPEG", quality=95),
    "16 bits": grey_of_16_bits,
    "turned by EXIF": turned_by_exif,
}
"""All show the same happy face."""


def avi(folder, frames=20):
    return write_video(folder / "clip.avi", [*numbered_frames(20)] * (frames // 20)).read_bytes()


def avi_of_ten_hours(folder):
    """Twenty frames whose header says 360,000."""
    data = bytearray(avi(folder))
    frames = struct.pack("<I", 360_000)
    for name, place in ((b"avih", 16), (b"strh", 32)):
        at = data.index(name) + 8 + place
        data[at : at + 4] = frames
    return bytes(data)


BROKEN_VIDEOS = {
    "no frame": (lambda folder: avi(folder)[:2500], "bad_video"),
    "a broken index": (lambda folder: b"\0\0\0\x18ftypisom" + bytes(50_000), "bad_video"),
    "an index of nothing": (
        lambda folder: b"\0\0\0\x18ftypisom" + bytes(12) + b"\0\0\x40\0moov" + b"vide" * 4094, "bad_video",
    ),
    "noise": (
        lambda folder: b"\x1a\x45\xdf\xa3" + np.random.default_rng(0).bytes(200_000), "bad_video",
    ),
    "ten hours": (avi_of_ten_hours, "video_too_large"),
}  # fmt: skip
"""Taken as videos by their first bytes; how each is made, and the code with which its job fails."""
