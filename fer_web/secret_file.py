"""The secret that signs cookies: made once, kept in the data folder, readable by its owner alone."""

import os
import secrets
import tempfile
from pathlib import Path

from fer_web.errors import SetupError

SECRET_FILE = "secret"
_BYTES = 32


def load_secret(data_dir: Path, configured: str = "") -> bytes:
    """The secret of this data folder; made, with the folder, where there is none.

    Args: configured: 64 hexadecimal digits that stand in its place.
    Raises: SetupError: it cannot be read or written, or is none of ours.
    """
    if configured:
        return bytes.fromhex(configured)
    path = data_dir / SECRET_FILE
    try:
        if not path.exists():
            create_private(path, secrets.token_hex(_BYTES).encode("ascii"))
        path.chmod(0o600)
    except OSError as exc:
        raise _unusable(path, exc) from exc
    return read_secret(path)


def read_secret(path: Path) -> bytes:
    """The secret in a file. Raises: SetupError: it cannot be read, or is none of ours."""
    try:
        secret = bytes.fromhex(path.read_text("ascii"))
    except OSError as exc:
        raise _unusable(path, exc) from exc
    except ValueError as exc:
        raise _broken(path) from exc
    if len(secret) != _BYTES:
        raise _broken(path)
    return secret


def create_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, in a folder like it: complete or not at all.

    Where two programs start at once, the first one's is kept. Raises: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _link(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _link(draft: str, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links, such as a memory stick's
        os.replace(draft, path)


def _unusable(path: Path, exc: OSError) -> SetupError:
    return SetupError(
        f"The secret {path} cannot be used ({exc.strerror}). Mend that, or name another folder with "
        "--data-dir."
    )


def _broken(path: Path) -> SetupError:
    return SetupError(
        f"{path} holds no secret of fer-web. Restore it, or delete it: the next start makes a new one, and "
        "browsers lose what they recorded until then (python -m fer_web history list still shows it)."
    )
