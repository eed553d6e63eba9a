import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from fer_web.analysis.stills import images
from fer_web.analysis.stills.images import NO_END, ImageLimits, decode_image, read_image
from fer_web.errors import FerWebError, FileUnreadableError, ImageError
from fer_web.settings import Settings
from tests.support.faces import astronaut_bgr
from tests.support.servers import ROOT

LIMITS = ImageLimits.from_settings(Settings())
# Nowhere symmetric: its four quarters are red, green, blue and grey.
QUARTERS_RGB = np.zeros((40, 60, 3), np.uint8)
QUARTERS_RGB[:20, :30] = (250, 10, 10)
QUARTERS_RGB[:20, 30:] = (10, 250, 10)
QUARTERS_RGB[20:, :30] = (10, 10, 250)
QUARTERS_RGB[20:, 30:] = (120, 120, 120)
QUARTERS_BGR = QUARTERS_RGB[:, :, ::-1]


def encoded(picture, kind, **options):
    out = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(out, kind, **options)
    return out.getvalue()


def png_of(width, height, bit_depth, colour_type, rows):
    """A PNG that Pillow cannot write: `rows` are its raw scan lines."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pixels(data, limits):
    return decode_image(data, limits).frame_bgr


def error_of(data, limits=LIMITS):
    with pytest.raises(FerWebError) as caught:
        decode_image(data, limits)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0), ("BMP", {}, 0), ("TIFF", {}, 0), ("PPM", {}, 0), ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 6), ("JPEG", {"progressive": True, "subsampling": 0}, 12),
        ("AVIF", {"quality": 95, "subsampling": "4:4:4"}, 8), ("HEIF", {"quality": 95, "chroma": 444}, 8),
    ],
)  # fmt: skip
def test_decode_image_each_kind_is_the_same_bgr_frame(kind, options, tolerance):
    if kind == "HEIF":
        __import__("pillow_heif").register_heif_opener()
    frame = pixels(encoded(QUARTERS_RGB, kind, **options), LIMITS)
    assert (frame.dtype, frame.shape, frame.flags.c_contiguous) == (np.uint8, (40, 60, 3), True)
    inner = (slice(4, 16), slice(4, 26))  # away from edges, where compression rings
    difference = np.abs(frame[inner].astype(int) - QUARTERS_BGR[inner])
    assert difference.max() <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_decode_image_is_turned_as_exif_says(kind, orientation):
    seen = Image.fromarray(QUARTERS_RGB)
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4][orientation]  # Image.Transpose values, the inverse of each turn
    stored = seen if undo is None else seen.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    frame = pixels(encoded(stored, kind, exif=exif, **options), LIMITS)
    assert frame.shape == (40, 60, 3)
    for row, column in ((10, 15), (10, 45), (30, 15), (30, 45)):
        np.testing.assert_allclose(frame[row, column].astype(int), QUARTERS_BGR[row, column], atol=8)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_decode_image_orientation_that_does_not_exist_is_ignored(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert pixels(encoded(QUARTERS_RGB, "PNG", exif=exif), LIMITS)[10, 15, 2] == 250


@pytest.mark.filterwarnings("ignore")
def test_decode_image_with_damaged_exif_is_seen_anyway():
    data = encoded(QUARTERS_RGB, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 40)
    assert decode_image(data, LIMITS).frame_bgr.shape == (40, 60, 3)


def test_decode_image_cmyk_has_its_colours():
    frame = pixels(encoded(Image.fromarray(QUARTERS_RGB).convert("CMYK"), "JPEG", quality=95), LIMITS)
    np.testing.assert_allclose(frame[10, 15].astype(int), QUARTERS_BGR[10, 15], atol=20)
    np.testing.assert_allclose(frame[30, 15].astype(int), QUARTERS_BGR[30, 15], atol=20)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_decode_image_16_bit_grey_is_scaled_and_not_clipped(kind):
    values = np.array([[0, 128, 257 * 100, 257 * 200, 65535]], np.uint16)
    frame = pixels(encoded(values, kind), LIMITS)
    assert frame[0, :, 0].tolist() == [0, 0, 100, 200, 255]
    assert (frame[..., 0] == frame[..., 2]).all()


def test_decode_image_16_bit_rgb_is_scaled():
    row = np.array([[257 * 200, 257 * 100, 257 * 50], [65535, 0, 30000]], ">u2")
    frame = pixels(png_of(2, 1, 16, 2, [row.tobytes()]), LIMITS)
    np.testing.assert_allclose(frame[0].astype(int), [[50, 100, 200], [30000 / 257, 0, 255]], atol=1)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_decode_image_grey_of_few_bits_fills_the_range(bits):
    frame = pixels(png_of(8 // bits, 1, bits, 0, [b"\xff"]), LIMITS)
    assert (frame == 255).all()


def test_decode_image_32_bit_grey_is_refused_with_what_to_do():
    assert "16 bits" in str(error_of(encoded(np.array([[-5, 2**30]], np.int32), "TIFF")))
    assert "16 bits" in str(error_of(encoded(np.array([[0.5]], np.float32), "TIFF")))


def with_alpha():
    alpha = np.full((40, 60, 1), 255, np.uint8)
    alpha[:, 30:] = 0
    return Image.fromarray(np.concatenate([QUARTERS_RGB, alpha], axis=2))


def palette_with_transparency():
    picture = Image.fromarray(QUARTERS_RGB).quantize(4)
    picture.info["transparency"] = picture.getpixel((45, 10))
    return picture


def grey_with_transparent_value():
    picture = Image.fromarray(QUARTERS_RGB[:, :, 1])
    picture.info["transparency"] = 250
    return picture


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (with_alpha(), "PNG"), (with_alpha(), "WEBP"), (with_alpha().convert("LA"), "PNG"),
        (palette_with_transparency(), "PNG"), (palette_with_transparency(), "GIF"),
        (grey_with_transparent_value(), "PNG"),
    ],
)  # fmt: skip
def test_decode_image_transparent_is_white(picture, kind):
    options = {"transparency": picture.info["transparency"]} if "transparency" in picture.info else {}
    options |= {"lossless": True} if kind == "WEBP" else {}
    frame = pixels(encoded(picture, kind, **options), LIMITS)
    assert frame[10, 45].tolist() == [255, 255, 255]
    assert (frame[30, 15] < 255).any()


def test_decode_image_palette_transparency_in_bytes_warns_nobody():
    picture = Image.fromarray(QUARTERS_RGB).quantize(4)
    frame = pixels(encoded(picture, "PNG", transparency=b"\0\xff\x80"), LIMITS)
    assert frame.shape == (40, 60, 3)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_decode_image_animated_gives_the_first_picture(kind):
    first, second = Image.fromarray(QUARTERS_RGB), Image.new("RGB", (60, 40), "black")
    options = {"lossless": True} if kind == "WEBP" else {}
    frame = pixels(encoded(first, kind, save_all=True, append_images=[second] * 3, **options), LIMITS)
    np.testing.assert_allclose(frame[10, 15].astype(int), QUARTERS_BGR[10, 15], atol=8)


def test_decode_image_a_grey_crop_keeps_every_pixel():
    grey = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    for kind in ("PNG", "BMP", "PPM", "TIFF"):
        np.testing.assert_array_equal(pixels(encoded(grey, kind), LIMITS), grey[..., None].repeat(3, 2))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_image"),
        (b"hello", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (b"%PDF-1.7\n" + b"x" * 100, "not_an_image"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp41isom", "not_an_image"),
        (b"\x89PNG\r\n\x1a\n", "bad_image"),
        (b"\xff\xd8\xff", "bad_image"),
        (b"GIF89a", "bad_image"),
        (b"P6\n4 4\n", "bad_image"),
    ],
)
def test_decode_image_what_is_none_is_told_apart(data, code):
    error = error_of(data)
    assert error.code == code
    assert f"{len(data)} bytes" in str(error)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_decode_image_cut_short_is_bad_image(kind, share):
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    data = encoded(noise, kind)
    error = error_of(data[: int(len(data) * share)])
    assert error.code == "bad_image"
    assert "cut short" in str(error)


@pytest.mark.parametrize(
    "options", [{"quality": 90}, {"quality": 90, "progressive": True}, {"optimize": True}]
)
@pytest.mark.parametrize("missing", [1, 2])
def test_decode_image_a_jpeg_without_end_marker_has_all_its_pixels_and_a_remark(options, missing):
    data = encoded(astronaut_bgr(), "JPEG", **options)
    whole, cut = decode_image(data, LIMITS), decode_image(data[:-missing], LIMITS)
    np.testing.assert_array_equal(cut.frame_bgr, whole.frame_bgr)
    assert (whole.remarks, cut.remarks) == ((), (NO_END,))
    assert "cut short" in str(error_of(data[: -missing - 20]))


def test_decode_image_a_jpeg_with_its_end_and_more_has_no_remark():
    data = encoded(astronaut_bgr(), "JPEG")
    assert decode_image(data + bytes(5000), LIMITS).remarks == ()


def test_decode_image_too_many_bytes():
    error = error_of(encoded(astronaut_bgr(), "PNG"), ImageLimits(1000, 10**9))
    assert (error.code, error.http_status) == ("image_too_large", 413)
    assert "1000 are allowed" in str(error)
    assert "--max-image-bytes" in str(error)


def test_decode_image_pixels_at_and_over_the_limit():
    data = encoded(QUARTERS_RGB, "PNG")
    assert pixels(data, ImageLimits(10**6, 2400)).shape == (40, 60, 3)
    error = error_of(data, ImageLimits(10**6, 2399))
    assert (error.code, "60x40 = 2400" in str(error)) == ("image_too_large", True)


@pytest.mark.parametrize("side", [10_000, 30_000, 60_000])
def test_decode_image_a_decompression_bomb_is_refused_before_it_is_decoded(side, monkeypatch):
    row = bytes(side)
    bomb = png_of(side, 500, 8, 0, [row] * 500)
    bomb = bomb[:16] + struct.pack(">II", side, side) + bomb[24:29] + struct.pack(
        ">I", zlib.crc32(bomb[12:16] + struct.pack(">II", side, side) + bomb[24:29])
    ) + bomb[33:]  # fmt: skip
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _self: pytest.fail("was decoded"))
    assert error_of(bomb).code == "image_too_large"


def test_decode_image_a_jpeg_of_endless_scans_is_refused():
    data = encoded(QUARTERS_RGB, "JPEG", progressive=True)
    scan = data.index(b"\xff\xda")
    assert "scans" in str(error_of(data[:scan] + data[scan:-2] * 200 + b"\xff\xd9"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF"])
def test_decode_image_damaged_anywhere_is_an_image_error_or_a_frame(kind):
    rng = np.random.default_rng(2)
    good = encoded(rng.integers(0, 256, (24, 32, 3), np.uint8), kind)
    for _ in range(150):
        data = bytearray(good)
        for position in rng.integers(0, min(len(data), 400), 3):
            data[position] = rng.integers(256)
        with contextlib.suppress(ImageError):
            frame = pixels(bytes(data), ImageLimits(10**6, 10**6))
            assert (frame.dtype, frame.ndim, frame.shape[2]) == (np.uint8, 3, 3)


def test_read_image_of_a_file(tmp_path):
    path = tmp_path / "Bild äöü.png"
    path.write_bytes(encoded(QUARTERS_RGB, "PNG"))
    np.testing.assert_array_equal(read_image(path, LIMITS).frame_bgr, QUARTERS_BGR)


def test_read_image_wrong_ending_does_not_matter(tmp_path):
    path = tmp_path / "x.jpg"
    path.write_bytes(encoded(QUARTERS_RGB, "PNG"))
    assert read_image(path, LIMITS).frame_bgr.shape == (40, 60, 3)


def test_read_image_what_is_no_file(tmp_path):
    with pytest.raises(FileUnreadableError, match="is a folder"):
        read_image(tmp_path, LIMITS)
    with pytest.raises(FileUnreadableError, match="No such file"):
        read_image(tmp_path / "missing.png", LIMITS)
    with pytest.raises(FileUnreadableError):
        read_image(tmp_path / "a\0b.png", LIMITS)


@pytest.mark.skipif(sys.platform == "win32", reason="has no pipes with names, nor /dev")
def test_read_image_pipes_and_devices_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(FileUnreadableError, match="no ordinary file"):
            read_image(type(tmp_path)(path), LIMITS)


def test_read_image_without_permission(tmp_path, monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "x.png"
    path.write_bytes(b"x")
    monkeypatch.setattr(type(path), "open", refuse)  # root, as in a container, may read everything
    with pytest.raises(FileUnreadableError, match="Permission denied"):
        read_image(path, LIMITS)


def test_read_image_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    with pytest.raises(FerWebError) as caught:
        read_image(path, LIMITS)
    assert caught.value.code == "image_too_large"


@pytest.mark.parametrize("length", [16, 40, 200, 0.5, 0.9])
def test_a_heic_that_was_cut_anywhere_is_cut_short_where_the_plugin_is_there(length):
    pytest.importorskip("pillow_heif")
    data = encoded(QUARTERS_RGB, "HEIF")
    error = error_of(data[: length if length > 1 else int(length * len(data))])
    assert error.code == "bad_image"
    assert "HEIC" in str(error)
    assert "cut short" in str(error)
    assert "install" not in str(error)
    assert "object at" not in str(error)


def test_without_the_heif_plugin_heic_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    error = error_of(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    assert (error.code, "requirements-heic.txt" in str(error)) == ("not_an_image", True)


def test_nothing_of_pillows_reaches_standard_error(tmp_path):
    exif = tmp_path / "exif.jpg"
    exif.write_bytes(encoded(QUARTERS_RGB, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05" + b"\x01" * 30))
    large = tmp_path / "large.png"
    large.write_bytes(png_of(100_000, 1000, 1, 0, [bytes(12_500)] * 1000))
    script = """
import sys
from pathlib import Path
from fer_web.analysis.stills.images import ImageLimits, read_image
for path in sys.argv[1:]:
    print(read_image(Path(path), ImageLimits(10**8, 2 * 10**8)).frame_bgr.shape)
"""
    command = [sys.executable, "-c", script, str(exif), str(large)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[:2] == ["(40, 60, 3)", "(1000, 100000, 3)"]


def test_decode_image_scans_are_bounded_by_the_pixels_that_each_walks_over(monkeypatch):
    data = encoded(QUARTERS_RGB, "JPEG", progressive=True)
    scans, pixels = data.count(b"\xff\xda"), 60 * 40
    monkeypatch.setattr(images, "MAX_SCANNED_PIXELS", scans * pixels)
    assert decode_image(data, LIMITS).frame_bgr.shape == (40, 60, 3)
    monkeypatch.setattr(images, "MAX_SCANNED_PIXELS", scans * pixels - 1)
    with pytest.raises(ImageError, match=f"{scans} scans; with its {pixels} pixels, {scans - 1} are allowed"):
        decode_image(data, LIMITS)
