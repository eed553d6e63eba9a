"""Tells a video's kind by the file's first bytes, and why one cannot be opened.

Only these kinds are ever shown to the decoders: FFmpeg would also follow playlists and lists of files, which
name other files and addresses.
"""

import os
from collections.abc import Iterator
from typing import IO, Final

from fer_web.errors import NotAVideoError, VideoError

KINDS: Final = "MP4, MOV, WebM, MKV, AVI, OGG, FLV, WMV, MPEG, DV or MXF"
FFMPEG_FORMATS: Final = "matroska,webm,mov,mp4,avi,ogg,flv,asf,mpeg,mpegts,mpegvideo,dv,mxf"
"""FFmpeg calls these so. It guesses anew, and looks for some formats' words anywhere in a file."""

VIDEO_SUFFIXES: Final = (
    ".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".divx", ".ogv", ".flv", ".f4v", ".wmv", ".asf",
    ".mpg", ".mpeg", ".mpe", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".m2t", ".mod", ".tod", ".dv", ".dif",
    ".mxf", ".3gp", ".3g2",
)  # fmt: skip
"""Videos in folders are known by these, small letters or not; file_kinds.js has the same."""

HEAD_BYTES: Final = 400
_TS_PACKETS: Final = (188, 192)
_MAGIC: Final = (
    (0, b"\x1a\x45\xdf\xa3", "WebM or MKV"), (0, b"OggS", "OGG"), (0, b"FLV\x01", "FLV"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMV"), (0, b"\x00\x00\x01\xba", "MPEG"),
    (0, b"\x00\x00\x01\xb3", "MPEG"), (4, b"ftyp", "MP4"), (4, b"moov", "MOV"), (4, b"mdat", "MOV"),
    (4, b"wide", "MOV"), (4, b"free", "MOV"), (4, b"skip", "MOV"),
    (0, b"\x1f\x07\x00", "DV"), (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01", "MXF"),
)  # fmt: skip


def kind_of(head: bytes) -> str:
    """The kind of a video file that begins so. Raises NotAVideoError: it is none that we read."""
    for offset, magic, kind in _MAGIC:
        if head[offset:].startswith(magic):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "AVI"
    starts = [head[size - 188 :: size][:2] for size in _TS_PACKETS]
    if b"\x47\x47" in starts:
        return "MPEG"
    raise NotAVideoError(f"The file is no video that can be read: {KINDS} is needed.")


def refusal(file: IO[bytes], kind: str, reason: str = "refused", codec: str = "") -> VideoError:
    """Say why the decoders do not open a file of this kind.

    Args: reason: "no pictures", "codec", or anything else. codec: its name in the file.
    """
    if kind in ("MP4", "MOV"):
        boxes = dict(top_boxes(file))
        if b"moov" not in boxes and b"moof" not in boxes:
            return VideoError(
                f"The {kind} has no index (moov): it was cut short, or its recording never ended. Save or "
                "fetch it again, or repair it."
            )
    if reason == "no pictures":
        return VideoError(f"The {kind} has no pictures: there is no video track in it.")
    if reason == "codec":
        return VideoError(
            f"The {kind} has a codec that is not known here ({codec}). Save it again, as H.264 in MP4 for "
            "example."
        )
    return VideoError(
        f"The {kind} has no pictures that can be decoded: it is damaged or cut short, has sound only, or a "
        "codec that is not known here. Save it again, as H.264 in MP4 for example."
    )


def top_boxes(file: IO[bytes]) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Names, places and sizes of the top boxes of an MP4 (ISO 14496-12), as far as they are whole."""
    end, place = file.seek(0, os.SEEK_END), 0
    for _ in range(1000):
        file.seek(place)
        head = file.read(16)
        size = int.from_bytes(head[:4])
        if size == 1:
            size = int.from_bytes(head[8:16])
        size = size or end - place
        if len(head) < 8 or size < 8 or place + size > end:
            return
        yield head[4:8], (place, size)
        place += size
