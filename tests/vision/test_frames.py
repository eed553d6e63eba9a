import os
import struct

import cv2
import numpy as np
import pytest

from fer_web.errors import FrameError, FrameTooLargeError
from fer_web.vision.frames import decode_frame, encode_jpeg, jpeg_size_hw

GENEROUS = {"max_bytes": 10_000_000, "max_pixels": 10_000_000}


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def encoded(frame, extension, *options):
    return cv2.imencode(extension, frame, list(options))[1].tobytes()


def claims_size(jpeg, width, height):
    start = next(i for i in range(len(jpeg)) if jpeg[i : i + 2] in (b"\xff\xc0", b"\xff\xc2"))
    return jpeg[: start + 5] + struct.pack(">HH", height, width) + jpeg[start + 9 :]


@pytest.mark.parametrize("progressive", [0, 1])
def test_decode_frame_round_trip(frame, progressive):
    jpeg = encoded(frame, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    decoded = decode_frame(jpeg, **GENEROUS)
    assert decoded.shape == (48, 64, 3)
    assert decoded.dtype == np.uint8
    assert jpeg_size_hw(jpeg) == (48, 64)


def test_decode_frame_grey_jpeg_becomes_three_channels(frame):
    assert decode_frame(encoded(frame[:, :, 0], ".jpg"), **GENEROUS).shape == (48, 64, 3)


def test_decode_frame_padding_after_the_end_is_allowed(frame):
    assert decode_frame(encode_jpeg(frame) + b"\0" * 20, **GENEROUS).shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "0 bytes"),
        (b"hello", "5 bytes"),
        (b"\xff\xd8\xff", "header"),
        (b"\xff\xd8\xff\xe0\x00", "header"),
        (b"\xff\xd8\xff\xc0\x00\x11\x08", "header"),
        (b"GIF89a" + b"\0" * 20, "GIF"),
        (b"<svg xmlns='x'/>", "SVG"),
        (b"RIFF0000WEBP", "WebP"),
    ],
)
def test_decode_frame_not_a_jpeg_says_what_came(data, word):
    with pytest.raises(FrameError, match=word):
        decode_frame(data, **GENEROUS)


def test_decode_frame_png_is_named(frame):
    with pytest.raises(FrameError, match="PNG"):
        decode_frame(encoded(frame, ".png"), **GENEROUS)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_decode_frame_truncated_jpeg_raises(frame, share):
    jpeg = encode_jpeg(frame)
    with pytest.raises(FrameError):
        decode_frame(jpeg[: int(len(jpeg) * share)], **GENEROUS)


def test_decode_frame_too_many_bytes_raises_before_decoding(frame):
    jpeg = encode_jpeg(frame)
    with pytest.raises(FrameTooLargeError, match=str(len(jpeg))):
        decode_frame(jpeg, max_bytes=len(jpeg) - 1, max_pixels=10_000_000)


def test_decode_frame_huge_size_in_header_raises_before_decoding(frame, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(FrameTooLargeError, match="30000x30000"):
        decode_frame(claims_size(encode_jpeg(frame), 30000, 30000), **GENEROUS)


def test_decode_frame_no_size_in_header_raises(frame):
    with pytest.raises(FrameError, match="0x0"):
        decode_frame(claims_size(encode_jpeg(frame), 0, 0), **GENEROUS)


def test_decode_frame_rotation_tag_is_ignored(frame):
    # A camera's frames have none; honouring one would let a box and its frame disagree.
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    jpeg = encode_jpeg(frame)
    tagged = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    assert decode_frame(tagged, **GENEROUS).shape == (48, 64, 3)


def test_decode_frame_random_damage_never_escapes_as_another_error(frame):
    random = np.random.default_rng(1)
    jpeg = bytearray(encode_jpeg(frame))
    for _ in range(300):
        damaged = bytearray(jpeg)
        for position in random.integers(2, len(jpeg) - 2, 8):
            damaged[position] = int(random.integers(0, 256))
        try:
            decode_frame(bytes(damaged), max_bytes=10_000_000, max_pixels=1_000_000)
        except FrameError:
            continue


@pytest.mark.parametrize("progressive", [0, 1])
def test_decode_frame_without_end_marker_has_all_its_pixels(frame, progressive, capfd):
    jpeg = encoded(frame, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    for cut in (jpeg[:-2], jpeg[:-1]):
        np.testing.assert_array_equal(decode_frame(cut, **GENEROUS), decode_frame(jpeg, **GENEROUS))
    for missing in (20, 100, len(jpeg) // 2):
        with pytest.raises(FrameError, match="cut short"):
            decode_frame(jpeg[:-missing], **GENEROUS)
    assert capfd.readouterr().err == ""


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def test_decode_frame_size_hidden_from_the_check_is_refused(frame):
    # libjpeg passes over "FF 00" between segments; who reads it as a segment with a length would skip to a
    # small frame header inside the comment and miss the real one.
    jpeg = claims_size(encode_jpeg(frame), 14000, 14000)
    small_header = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 48, 64) + b"\x03" * 10
    disguised = jpeg[:2] + b"\xff\x00" + segment(0xFE, b"\0" * 4 + small_header) + jpeg[2:]
    with pytest.raises(FrameError):
        decode_frame(disguised, **GENEROUS)


@pytest.mark.parametrize("marker", [0x00, 0x01, 0x02, 0xBF, 0xC8, 0xD0, 0xD8, 0xDC, 0xDE, 0xDF, 0xF0, 0xFD])
def test_jpeg_size_hw_unusual_segment_before_the_header_is_refused(frame, marker):
    jpeg = encode_jpeg(frame)
    with pytest.raises(FrameError):
        jpeg_size_hw(jpeg[:2] + segment(marker, b"\0" * 6) + jpeg[2:])


def test_jpeg_size_hw_comments_and_fill_bytes_are_passed_over(frame):
    jpeg = encode_jpeg(frame)
    assert jpeg_size_hw(jpeg[:2] + segment(0xFE, b"hello") + b"\xff\xff" + jpeg[2:]) == (48, 64)


def test_decode_frame_very_many_scans_are_refused_before_decoding(frame, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    jpeg = encoded(frame, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    bomb = jpeg[:-2] + segment(0xDA, b"\1\1\0\0\x3f\0") * 30 + jpeg[-2:]
    with pytest.raises(FrameError, match="scans"):
        decode_frame(bomb, **GENEROUS)


def test_second_wall_stands_when_opencv_is_imported():
    assert int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"]) <= 100_000_000
