"""A file that comes as a request's body, or as the one file of a form: handed on as it comes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from fer_web.analysis.names import clean_file_name
from fer_web.errors import ProtocolError, UnsupportedTypeError

_READ_BYTES: Final = 65536
_FORM_MEMORY_BYTES: Final = 500_000
"""The parser counts what it has read of a file, too: at least two of its portions of 64 KiB."""

_MAX_FORM_PARTS: Final = 3
"""Further ones are not read."""

_FORM: Final = "multipart/form-data"
_NO_FILES: Final = ("application/json", "application/x-www-form-urlencoded")


class Target(Protocol):
    """What takes a file's bytes."""

    def write(self, data: bytes) -> int: ...
    def finish(self) -> None: ...
    def seek(self, place: int, /) -> int: ...


@dataclass(frozen=True)
class Source:
    """How files come to an address.

    Attributes:
        field: of a form. example: a command that sends one.
        max_bytes: of the whole body.
    """

    field: str
    max_bytes: int
    example: str


def receive(source: Source, target: Target) -> str:
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


def _receive_body(target: Target) -> str:
    while part := request.stream.read(_READ_BYTES):
        target.write(part)
    return clean_file_name(request.args.get("name"))


def _receive_form(source: Source, target: Target) -> str:
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


def _only(source: Source, target: Target) -> Callable[..., Any]:
    """The form parser's factory: it gives out `target`, once."""
    is_taken = False

    def factory(**_about: Any) -> Any:
        nonlocal is_taken
        if is_taken:
            raise _not_one(source)
        is_taken = True
        return target

    return factory


def _not_one(source: Source) -> ProtocolError:
    return ProtocolError(
        f"The form must hold one file, in the field {source.field!r}, and nothing else. "
        f"Example: {source.example}"
    )
