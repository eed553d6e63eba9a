"""The one way in which a request's file comes: as the body, or as the one file of a form."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol, cast

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from fer_web.analysis.disk_space import full_disk_told
from fer_web.analysis.names import clean_file_name
from fer_web.errors import DiskFullError, FerWebError, ProtocolError, UnsupportedTypeError

FORM_BYTES: Final = 10_000
"""A form may put this much around its file: one of exactly the allowed size passes either way."""

_READ_BYTES: Final = 65_536
_KEPT_IN_MEMORY_BYTES: Final = 1_000_000
_FORM_MEMORY_BYTES: Final = 500_000
"""The parser counts what it has read of a file, too: at least two of its portions of 64 KiB."""

_MAX_FORM_PARTS: Final = 3
"""Further ones are not read."""

_FORM: Final = "multipart/form-data"
_NO_FILES: Final = ("application/json", "application/x-www-form-urlencoded")


class Target(Protocol):
    """A target takes a file's bytes."""

    def write(self, data: bytes) -> int: ...
    def finish(self) -> None: ...
    def seek(self, position: int, /) -> int: ...


@dataclass(frozen=True)
class FileSource:
    """A source says how files come to an address.

    Attributes:
        field: of a form. example: a command that sends one.
        max_bytes: of the whole body.
    """

    field: str
    max_bytes: int
    example: str


@dataclass(frozen=True)
class ReceivedFile:
    """A small file that came. `file`: at its start; `name`: fit to be shown, None where none came."""

    file: IO[bytes]
    name: str | None


@contextlib.contextmanager
def received_file(source: FileSource) -> Iterator[ReceivedFile]:
    """Receive the current request's file, in memory or in a temporary file, for a with block.

    Raises: what `receive` raises. DiskFullError: the disk is full.
    """
    with _kept(DiskFullError) as file:
        name = receive(source, file)
        yield ReceivedFile(cast(IO[bytes], file), name or None)


@contextlib.contextmanager
def received_body(max_bytes: int, full: type[FerWebError]) -> Iterator[IO[bytes]]:
    """Receive the current request's body, whatever its type, as `received_file` does.

    Args: full: the error where the disk is full.
    """
    request.max_content_length = max_bytes
    with _kept(full) as file:
        _receive_body(file)
        file.finish()
        yield cast(IO[bytes], file)


def receive(source: FileSource, target: Target) -> str:
    """Write the request's file into `target`; returns its name, cleaned, "" where it has none.

    The name is the argument `name` of the address, or else that of the form's file.

    Raises: UnsupportedTypeError: the body is announced as something else. ProtocolError: a form without one
        file, or with several. What `target` raises. ClientDisconnected.
    """
    request.max_content_length = source.max_bytes
    if request.mimetype in _NO_FILES:
        raise UnsupportedTypeError(
            f"A file is needed, as the body or as {source.field!r} of a form; {request.mimetype} came. "
            f"Example: {source.example}"
        )
    name = _receive_form(source, target) if request.mimetype == _FORM else _receive_body(target)
    target.finish()
    return name


def end_connection(response: Response) -> Response:
    """Tell who is still sending a file that it will not be read."""
    if request.method == "POST" and response.status_code >= 400:
        response.headers["Connection"] = "close"
    return response


class _SpooledFile(tempfile.SpooledTemporaryFile[bytes]):
    """Goes back to its start when it has all bytes, and tells of a full disk."""

    full: type[FerWebError] = DiskFullError

    def finish(self) -> None:
        self.seek(0)

    def write(self, data: Any) -> int:
        text = f"No space is left for the file in {tempfile.gettempdir()}. Free some and send it again."
        with full_disk_told(text, self.full):
            return super().write(data)


def _kept(full: type[FerWebError]) -> _SpooledFile:
    file = _SpooledFile(_KEPT_IN_MEMORY_BYTES)
    file.full = full
    return file


def _receive_body(target: Target) -> str:
    while part := request.stream.read(_READ_BYTES):
        target.write(part)
    return clean_file_name(request.args.get("name"))


def _receive_form(source: FileSource, target: Target) -> str:
    parser = FormDataParser(
        _only(source, target),
        max_form_memory_size=_FORM_MEMORY_BYTES,
        max_form_parts=_MAX_FORM_PARTS,
        silent=False,
    )
    try:
        _, texts, files = parser.parse(
            request.stream, _FORM, request.content_length, dict(request.mimetype_params)
        )
    except ClientDisconnected:
        raise
    except RequestEntityTooLarge as exc:
        if request.content_length is None:
            raise
        raise _not_one(source) from exc
    except ValueError as exc:
        raise ProtocolError(f"The form is damaged ({exc}). Example: {source.example}") from exc
    if texts or [name for name, _ in files.items(multi=True)] != [source.field]:
        raise _not_one(source)
    return clean_file_name(request.args.get("name") or files[source.field].filename)


def _only(source: FileSource, target: Target) -> Callable[..., Any]:
    """The form parser's factory: it gives out `target`, once."""
    is_taken = False

    def factory(**_about: Any) -> Any:
        nonlocal is_taken
        if is_taken:
            raise _not_one(source)
        is_taken = True
        return target

    return factory


def _not_one(source: FileSource) -> ProtocolError:
    return ProtocolError(
        f"The form must hold one file, in the field {source.field!r}, and nothing else. "
        f"Example: {source.example}"
    )
