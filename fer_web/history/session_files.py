"""Reads an exported session, whichever way it was saved: JSON or CSV, in UTF-8, UTF-16 or with a mark."""

import codecs
import io
from typing import IO, Final, cast

from fer_web.errors import ImportRefusedError
from fer_web.history.csv_reader import read_csv
from fer_web.history.json_reader import (
    MAX_IMPORT_BYTES,
    MAX_IMPORT_SAMPLES,
    ImportLimits,
    LimitedFile,
    read_export,
)
from fer_web.history.types import SampleTable, Session

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PART: Final = 65_536


def read_session(file: IO[bytes], limits: ImportLimits | None = None) -> tuple[Session, SampleTable]:
    """A session and its samples from an export; id and owner are those of the file, and not to be used.

    Windows' editors put a byte-order mark before UTF-8, and PowerShell's `>` writes UTF-16.

    Raises: ImportRefusedError: neither our JSON nor our CSV, cut short, too large, or of impossible values.
    """
    limits = limits or ImportLimits(MAX_IMPORT_BYTES, MAX_IMPORT_SAMPLES)
    text = io.BufferedReader(cast(io.RawIOBase, _Utf8(LimitedFile(file, limits.bytes))), _PART)
    start = text.peek(_PART).lstrip()
    # Where it is neither, the JSON parser says what is wrong, but for letters: those begin a table.
    is_table = start[:1].isalpha() or start[:1] == b'"'
    if is_table and start[:4] != b"null":
        return read_csv(text, limits)
    return read_export(text, limits)


class _Utf8(io.RawIOBase):
    """A text file as UTF-8 without a mark, converted as it is read."""

    def __init__(self, file: LimitedFile) -> None:
        self._file = file
        head = file.read(4)
        mark, name = next(((m, n) for m, n in _MARKS if head.startswith(m)), (b"", _name_without_mark(head)))
        self._decoder = codecs.getincrementaldecoder(name)() if name != "utf-8" else None
        self._waiting = self._converted(head[len(mark) :])
        self._is_done = False

    def readable(self) -> bool:
        """As io asks."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # as BufferedReader calls it
        """Fill a buffer; 0 at the end."""
        while not self._waiting and not self._is_done:
            data = self._file.read(_PART)
            self._is_done = not data
            self._waiting = self._converted(data, is_last=self._is_done)
        part, self._waiting = self._waiting[: len(buffer)], self._waiting[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def _converted(self, data: bytes, *, is_last: bool = False) -> bytes:
        if self._decoder is None:
            return data
        try:
            return self._decoder.decode(data, is_last).encode()
        except UnicodeError as exc:
            raise ImportRefusedError(
                f"The file is no whole text ({exc.reason}). Export the session again."  # type: ignore[attr-defined]
            ) from exc


def _name_without_mark(head: bytes) -> str:
    """An encoding by where the zeros of the first two letters stand."""
    if len(head) == 4 and head[1] == head[3] == 0 and head[0] and head[2]:
        return "utf-16-le"
    if len(head) == 4 and head[0] == head[2] == 0 and head[1] and head[3]:
        return "utf-16-be"
    return "utf-8"
