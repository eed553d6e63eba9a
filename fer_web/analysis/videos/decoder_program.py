"""The decoder's process, started by decoder_process.py. Frames go into shared memory.

Its messages on standard output are `MESSAGE`: a letter, five numbers and a time. `F` is a frame: height,
width, bytes of a row, place in the shared memory, orientation bits, time in seconds (NaN: none). Where there
is no shared memory, the frame's bytes follow. `J` is JSON: the number of bytes, which follow. Each byte on
standard input says that one more frame was taken out of the shared memory.
"""

import json
import mmap
import os
import struct
import sys
import threading
from dataclasses import asdict
from typing import IO, Any, Final

from fer_web.analysis.videos.child_program import end_with_parent, keep_within
from fer_web.analysis.videos.video_part import VideoPart

MESSAGE: Final = struct.Struct("<cIIIQId")
SLOTS: Final = 2
"""Frames in the shared memory: one is written while another is read."""

_PAGE: Final = 65_536


def main() -> None:
    """Decode what the order says."""
    order = json.loads(sys.argv[3])
    keep_within(order["memory_bytes"])
    out = _Output(order["shared_fd"])
    end_with_parent(os.fdopen(0, "rb", buffering=0), out.on_taken)
    try:
        _decode(order, out)
    except BrokenPipeError:
        return
    except MemoryError:
        out.tell({"error": "memory"})
    except ImportError as exc:
        out.tell({"error": "setup", "missing": str(exc)})


def _decode(order: dict[str, Any], out: "_Output") -> None:
    # Imported here: this takes memory and time, and may fail.
    from fer_web.analysis.videos.video_decoder import DecoderError, VideoDecoder

    try:
        part = VideoPart(**order["part"])
        decoder = VideoDecoder(order["path"], order["max_pixels"], order["threads"], part)
        out.tell({"header": asdict(decoder.header)})
        for picture in decoder.frames():
            out.show(picture)
        out.tell({"end": asdict(decoder.end)})
    except DecoderError as exc:
        out.tell({"error": exc.reason, **exc.facts})


class _Output:
    def __init__(self, shared_fd: int | None) -> None:
        self._out: IO[bytes] = os.fdopen(1, "wb", buffering=0)
        self._fd = shared_fd
        self._slot_bytes, self._next = 0, 0
        self._memory: mmap.mmap | None = None
        self._free = threading.Semaphore(SLOTS)

    def on_taken(self, _byte: bytes) -> None:
        self._free.release()

    def tell(self, what: dict[str, Any]) -> None:
        data = json.dumps(what).encode()
        self._write(MESSAGE.pack(b"J", len(data), 0, 0, 0, 0, 0.0) + data)

    def show(self, picture: Any) -> None:
        data = memoryview(picture.plane)
        place = self._put(data) if self._fd is not None else 0
        at_s = float("nan") if picture.at_s is None else picture.at_s
        row_bytes = picture.plane.line_size
        self._write(
            MESSAGE.pack(b"F", picture.height, picture.width, row_bytes, place, picture.orientation, at_s)
        )
        if self._fd is None:
            self._write(data)

    def _put(self, data: memoryview) -> int:
        if self._memory is None or len(data) > self._slot_bytes:
            self._grow(len(data))
        self._free.acquire()
        place, self._next = self._next * self._slot_bytes, (self._next + 1) % SLOTS
        self._memory[place : place + len(data)] = data  # type: ignore[index]
        return place

    def _grow(self, size: int) -> None:
        for _ in range(SLOTS):
            self._free.acquire()
        self._slot_bytes = -(-size // _PAGE) * _PAGE
        os.ftruncate(self._fd or 0, SLOTS * self._slot_bytes)
        self._memory = mmap.mmap(self._fd or 0, SLOTS * self._slot_bytes)
        self._free.release(SLOTS)

    def _write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            left = left[self._out.write(left) :]
