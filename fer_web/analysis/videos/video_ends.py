"""Tells by the structure of a video file whether its last part is missing, where no length says so.

Each format says how large its parts are; a part that goes past the file's end was cut off. What ends by
chance between two parts cannot be told from what is whole.
"""

import os
import struct
from collections.abc import Callable
from typing import IO, Final

_TAIL_BYTES: Final = 140_000
"""The largest packet of MPEG program streams and the largest page of Ogg have 65,536 bytes."""

_SLACK_BYTES: Final = 16
_MAX_PARTS: Final = 2_000_000
"""Parts of a video file that are walked through to find its end"""

_TS_PACKETS: Final = (188, 192, 204)
_EBML_SEGMENT: Final = 0x18538067
_EBML_CLUSTER: Final = 0x1F43B675
_DV_FRAME_BYTES: Final = (120_000, 144_000)


def is_cut(file: IO[bytes], kind: str) -> bool:
    """Tell whether a file of this kind (video_kinds.py) surely was cut off."""
    size = file.seek(0, os.SEEK_END)
    check = _CHECKS.get(kind)
    try:
        return bool(check and check(file, size))
    except (struct.error, IndexError):
        return True  # a header that is not there in full


def _mp4(file: IO[bytes], size: int) -> bool:
    place = 0
    for _ in range(_MAX_PARTS):
        if place >= size:
            return False
        length, name = struct.unpack(">I4s", _at(file, place, 8))
        if length == 1:
            (length,) = struct.unpack(">Q", _at(file, place + 8, 8))
        if length == 0 or length < 8 or not name.isalnum():
            return False
        place += length
        if place > size:
            return True
    return False


def _avi(file: IO[bytes], size: int) -> bool:
    place = 0
    while place + 8 <= size and (head := _at(file, place, 8))[:4] == b"RIFF":
        length = struct.unpack("<I", head[4:])[0]
        if length in (0, 0xFFFFFFFF):
            return False  # never written down
        place += 8 + length + length % 2
    return place > size + _SLACK_BYTES


def _matroska(file: IO[bytes], size: int) -> bool:
    place = 0
    for _ in range(_MAX_PARTS):
        if place >= size:
            return False
        name, length, place = _ebml(file, place)
        if length is None:
            if name not in (_EBML_SEGMENT, _EBML_CLUSTER):
                return False
            continue  # its parts follow, up to the next one of its kind
        if place + length > size:
            return True
        if name not in (_EBML_SEGMENT, _EBML_CLUSTER):
            place += length
    return False


def _ebml(file: IO[bytes], place: int) -> tuple[int, int | None, int]:
    """An element's name, its length (None: unknown) and where its contents begin (RFC 8794)."""
    head = _at(file, place, 12, short=True)
    name_bytes = 9 - head[0].bit_length()
    name = int.from_bytes(head[:name_bytes])
    first = head[name_bytes]
    length_bytes = 9 - first.bit_length()
    if name_bytes > 4 or length_bytes > 8:
        raise IndexError("no element begins here")
    value = int.from_bytes(head[name_bytes : name_bytes + length_bytes])
    if len(head) < name_bytes + length_bytes:
        raise IndexError("an element's head is cut off")
    value -= 1 << (7 * length_bytes)
    is_unknown = value == (1 << (7 * length_bytes)) - 1
    return name, None if is_unknown else value, place + name_bytes + length_bytes


def _flv(file: IO[bytes], size: int) -> bool:
    place = int.from_bytes(_at(file, 5, 4)) + 4
    for _ in range(_MAX_PARTS):
        if place >= size:
            break
        place += 15 + int.from_bytes(_at(file, place + 1, 3))
    return place > size


def _ogg(file: IO[bytes], size: int) -> bool:
    tail = _at(file, max(0, size - _TAIL_BYTES), _TAIL_BYTES, short=True)
    page = tail.rfind(b"OggS")
    if page < 0:
        return True
    lacing = tail[page + 27 : page + 27 + tail[page + 26]]
    is_whole = page + 27 + len(lacing) + sum(lacing) <= len(tail) and len(lacing) == tail[page + 26]
    return not (is_whole and bool(tail[page + 5] & 4))


def _asf(file: IO[bytes], size: int) -> bool:
    place = 0
    while place + 24 <= size:
        length = int.from_bytes(_at(file, place + 16, 8), "little")
        if length < 24:
            return False  # sent as it was recorded: nobody knew
        place += length
    return place > size


def _mpeg(file: IO[bytes], size: int) -> bool:
    head = _at(file, 0, 1000, short=True)
    if head.startswith(b"\x00\x00\x01"):
        return _program_stream(file, size)
    for packet in _TS_PACKETS:
        sync = packet - 188 if packet == 192 else 0
        if all(head[at : at + 1] == b"G" for at in range(sync, len(head), packet)):
            return size % packet != 0
    return False


def _program_stream(file: IO[bytes], size: int) -> bool:
    """Walk the packets of the last part, from a pack header on (ISO 13818-1, 2.5.3)."""
    tail = _at(file, max(0, size - _TAIL_BYTES), _TAIL_BYTES, short=True)
    place = tail.find(b"\x00\x00\x01\xba")
    while place >= 0 and place + 4 <= len(tail) and tail[place : place + 3] == b"\x00\x00\x01":
        code = tail[place + 3]
        if code == 0xB9:
            return False
        if code == 0xBA:
            is_mpeg2 = tail[place + 4] >> 6 == 1
            place += 14 + (tail[place + 13] & 7) if is_mpeg2 else 12
        elif code >= 0xBB:
            place += 6 + int.from_bytes(tail[place + 4 : place + 6])
        else:
            return False  # an elementary stream
    return place > len(tail)


def _dv(file: IO[bytes], size: int) -> bool:
    is_pal = bool(_at(file, 3, 1)[0] & 0x80)
    return size % _DV_FRAME_BYTES[is_pal] != 0


def _mxf(file: IO[bytes], size: int) -> bool:
    """Keys of 16 bytes, lengths as BER writes them (SMPTE 336M)."""
    place = 0
    for _ in range(_MAX_PARTS):
        if place >= size:
            return False
        head = _at(file, place, 25, short=True)
        long = head[16] & 0x7F if head[16] & 0x80 else 0
        length = int.from_bytes(head[17 : 17 + long]) if long else head[16]
        place += 17 + long + length
        if place > size:
            return True
    return False


def _at(file: IO[bytes], place: int, size: int, *, short: bool = False) -> bytes:
    """Bytes of the file. Raises struct.error: there are fewer, unless `short`."""
    file.seek(place)
    data = file.read(size)
    if len(data) < size and not short:
        raise struct.error("the file ends within a header")
    return data


_CHECKS: Final[dict[str, Callable[[IO[bytes], int], bool]]] = {
    "MP4": _mp4,
    "MOV": _mp4,
    "AVI": _avi,
    "WebM or MKV": _matroska,
    "FLV": _flv,
    "OGG": _ogg,
    "WMV": _asf,
    "MPEG": _mpeg,
    "DV": _dv,
    "MXF": _mxf,
}
