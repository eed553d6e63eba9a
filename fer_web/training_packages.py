"""The packages that serving does without: what needs one says so, and how to install it."""

import importlib.util
from typing import Final

from fer_web.errors import SetupError

MEND_TRAINING: Final = "make setup-train (without make: .venv/bin/python -m pip install -r requirements.txt)"
"""The command that installs what serving does without."""


def require_packages(purpose: str, *modules: str) -> None:
    """Raises SetupError: one of these modules is not installed. Imports none of them."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise SetupError(
            f"{purpose} needs {', '.join(missing)}, which the server does without and `make setup` leaves "
            f"out. Install what training needs: {MEND_TRAINING}"
        )
