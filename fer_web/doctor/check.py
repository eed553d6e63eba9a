"""Defines what a check found."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from fer_web.errors import FerWebError

Status = Literal["ok", "warning", "problem"]
MEND_SETUP: Final = "make setup (without make: .venv/bin/python -m pip install -r requirements-serve.txt)"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what, in a word or two.
        status: with a problem, something will not work; with a warning, less well than it could.
        message: what was found.
        mend: the command or deed that mends it; empty where nothing needs to be.
    """

    name: str
    status: Status
    message: str
    mend: str = ""


def without_traceback(name: str, check: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Yield what a check finds; where it cannot even run, that is a problem of its own."""
    try:
        yield from check()
    except ImportError as exc:
        yield Check(name, "problem", f"cannot be checked without the package {exc.name}", MEND_SETUP)
    except FerWebError as exc:  # its text says what to do
        yield Check(name, "problem", str(exc))
    except Exception as exc:  # whatever is broken, the other checks must be made
        yield Check(name, "problem", f"the check failed: {type(exc).__name__}: {exc}", MEND_SETUP)
