"""Files that come with a request: as the body's bytes, or as one field of a form."""

import contextlib
import errno
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from fer_web.analysis.names import clean_file_name
from fer_web.errors import DiskFullError, ProtocolError, UnsupportedTypeError

MAX_FORM_PARTS = 3
"""Further ones are not read: a megabyte of each is kept in memory."""

_FORM_MEMORY_BYTES = 500_000
_READ_BYTES = 65536
_KEPT_IN_MEMORY_BYTES = 1_000_000
_OTHER_KINDS = ("application/json", "application/x-www-form-urlencoded")


@dataclass(frozen=True)
class Upload:
    """A file that came. `file`: at its start; `name`: fit to be shown, None where none came."""

    file: IO[bytes]
    name: str | None


@contextlib.contextmanager
def received_file(field: str, max_bytes: int) -> Iterator[Upload]:
    """The current request's file, in memory while it is small, else in a temporary file that nobody sees.

    Args:
        field: of a form with one file; other media types are the file itself.
        max_bytes: of the request's body.
    Raises: ProtocolError: a form without this one file. UnsupportedTypeError: a body that is no file.
        DiskFullError: the disk is full.
    """
    request.max_content_length = max_bytes
    if request.mimetype in _OTHER_KINDS:
        raise UnsupportedTypeError(
            f"The body is announced as {request.mimetype}. Send the file's bytes as "
            f"application/octet-stream, or a form (multipart/form-data) with the file in the field {field}."
        )
    with contextlib.ExitStack() as stack:
        with _full_disk_told():
            is_form = request.mimetype == "multipart/form-data"
            upload = _from_form(field, stack) if is_form else _from_body(stack)
        yield upload


def _from_form(field: str, stack: contextlib.ExitStack) -> Upload:
    parser = FormDataParser(
        cast(Any, lambda **_about: _new_file(stack)),
        max_form_memory_size=_FORM_MEMORY_BYTES,
        max_form_parts=MAX_FORM_PARTS,
    )
    kind, length = request.mimetype, request.content_length
    try:
        _, form, found = parser.parse(request.stream, kind, length, dict(request.mimetype_params))
    except RequestEntityTooLarge as exc:
        raise ProtocolError(
            f"The form has more than {MAX_FORM_PARTS} parts, or much text. It must have one file alone, in "
            f"the field {field}. With curl: -F {field}=@FILE"
        ) from exc
    files = list(found.items(multi=True))
    names = [*(name for name, _ in files), *form.keys()]
    if names != [field] or not files:
        raise ProtocolError(
            f"The form must have one file, in the field {field}; it has "
            f"{', '.join(names)[:80] or 'nothing'}. With curl: -F {field}=@FILE"
        )
    ((_, file),) = files
    return Upload(file.stream, clean_file_name(file.filename) or None)


def _from_body(stack: contextlib.ExitStack) -> Upload:
    file = _new_file(stack)
    while part := request.stream.read(_READ_BYTES):
        file.write(part)
    file.seek(0)
    return Upload(file, None)


def _new_file(stack: contextlib.ExitStack) -> IO[bytes]:
    file: IO[bytes] = tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY_BYTES)  # noqa: SIM115 - the stack closes it
    stack.callback(file.close)
    return file


@contextlib.contextmanager
def _full_disk_told() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFullError(
            f"No space is left for the file in {tempfile.gettempdir()}. Free some and send it again."
        ) from exc
