"""Files that appear when they are whole, and never else."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fer_web.interrupts import interrupt_waits


@contextlib.contextmanager
def draft_of(path: Path, mode: int | None = None) -> Iterator[Path]:
    """An empty file beside `path`, with its suffix; it takes its place at the end, or is removed on an error.

    Args: mode: its permissions; None: as this process makes files, which no other thread may do meanwhile.
    Raises: OSError: the folder is missing, or cannot be written.
    """
    draft = None
    try:
        # A file that nobody knows of yet could not be removed.
        with interrupt_waits():
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".draft-", suffix=path.suffix)
            draft = Path(name)
            os.close(handle)
        yield draft
        draft.chmod(0o666 & ~_umask() if mode is None else mode)
        draft.replace(path)
    except BaseException:
        if draft:
            draft.unlink(missing_ok=True)
        raise


def _umask() -> int:
    # There is no way to read it but to set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
