"""Reads or imports one long session in a process of its own: the server's own threads never wait for it."""

import contextlib
import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from fer_web.analysis.videos.child_program import end_with_parent
from fer_web.errors import FerWebError
from fer_web.history.repository import HistoryRepository
from fer_web.history.session_files import read_session
from fer_web.storage.database import open_engine
from fer_web.web.api.session_parts import PartsWanted, parts_of

HEAD: Final = struct.Struct(">cI")
"""Before each message: its kind (DATA, ERROR, END) and its length in bytes."""
DATA: Final = b"D"
ERROR: Final = b"E"
END: Final = b"Z"
_NICE: Final = 5


def main() -> None:
    """Read an order as a line of JSON, and what an import stores after it; write messages."""
    out = sys.stdout.buffer
    order = json.loads(sys.stdin.buffer.readline())
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        for part in _parts(order, sys.stdin.buffer):
            _send(out, DATA, part)
        _send(out, END, b"")
    except FerWebError as exc:
        _send(out, ERROR, json.dumps([type(exc).__name__, str(exc)]).encode())
    except BrokenPipeError:
        pass
    with contextlib.suppress(OSError):
        out.flush()
    os._exit(0)


def _parts(order: dict[str, Any], stdin: IO[bytes]) -> Iterator[bytes]:
    # Its own tables are up to date: the server that asks has seen to it.
    repository = HistoryRepository(open_engine(order["database_url"], Path(order["data_dir"])))
    if "owner" in order:
        session, table = read_session(stdin)
        yield repository.import_session(session, order["owner"], [table]).id.encode()
        return
    end_with_parent(stdin)
    yield from parts_of(repository, PartsWanted(**order["wanted"]))


def _send(out: IO[bytes], kind: bytes, content: bytes) -> None:
    out.write(HEAD.pack(kind, len(content)) + content)
