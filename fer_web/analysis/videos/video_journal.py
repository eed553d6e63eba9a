"""Which of many videos are done: a file beside their results, so that a stopped run goes on."""

import json
import os
from pathlib import Path
from typing import Any

from fer_web.errors import InvalidValueError


class VideoJournal:
    """A line for each video that is done. The first line says with which options.

    Where there is a table of all, its length after each video is kept: what a crash left half is cut off.
    """

    def __init__(self, path: Path, options: dict[str, Any], table: Path | None, *, begin_anew: bool) -> None:
        """Read the file, or begin it.

        Args: table: that all videos share. begin_anew: forget what was done.
        Raises: InvalidValueError: it was made with other options, or the table is not its own. OSError.
        """
        self._path, self._table = path, table
        self._done: dict[str, dict[str, Any]] = {}
        lines = [] if begin_anew or not path.exists() else _lines(path)
        if lines and lines[0] != options:
            raise InvalidValueError(
                f"{path} says that these results were made with other options. Name another file or folder, "
                "or begin anew with --force."
            )
        if table and table.exists() and not lines and not begin_anew:
            raise InvalidValueError(
                f"{table} exists. Name another file with --csv, or replace it with --force."
            )
        self._done = {entry["file"]: entry for entry in lines[1:]}
        self._cut_table(lines)
        if not lines:
            path.write_text(json.dumps(options) + "\n", encoding="utf-8")

    def entry(self, source: Path) -> dict[str, Any] | None:
        """What was noted of a video that is done and has not changed since; its files are there."""
        entry = self._done.get(str(source))
        if entry is None or entry["state"] != _state_of(source):
            return None
        return entry if all(Path(name).exists() for name in entry["files"]) else None

    def names(self) -> set[str]:
        """The files that were written for videos."""
        return {name for entry in self._done.values() for name in entry["files"]}

    def append_rows(self, rows: Path) -> None:
        """Append a video's table to the one that all share, without its head where that has one."""
        if self._table is None:
            return
        with rows.open("rb") as new, self._table.open("ab") as file:
            head = new.readline()
            if not file.tell():
                file.write(head)
            while block := new.read(1_000_000):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())

    def add(self, source: Path, found: dict[str, Any], files: list[str]) -> None:
        """Note that a video is done."""
        size = self._table.stat().st_size if self._table and self._table.exists() else 0
        entry = {
            "file": str(source),
            "state": _state_of(source),
            "files": files,
            "table_bytes": size,
            "found": found,
        }
        self._done[str(source)] = entry
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _cut_table(self, lines: list[dict[str, Any]]) -> None:
        if self._table is None:
            return
        size = lines[-1]["table_bytes"] if len(lines) > 1 else 0
        if self._table.exists() and self._table.stat().st_size >= size:
            os.truncate(self._table, size)
        elif size:
            self._done = {}  # the table is gone, and with it what was done
            self._path.write_text(json.dumps(lines[0]) + "\n", encoding="utf-8")
            self._table.write_bytes(b"")


def _lines(path: Path) -> list[dict[str, Any]]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break  # a crash left half of it
    return found


def _state_of(source: Path) -> list[int]:
    try:
        status = source.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
