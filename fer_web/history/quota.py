"""How much of a visitor the history keeps: the disk is the host's."""

from dataclasses import dataclass
from typing import Final

from fer_web.errors import HistoryFullError

MAX_SESSIONS_OF_VISITOR: Final = 200
"""Sessions of one visitor's browser."""

MAX_SAMPLES_OF_VISITOR: Final = 2_000_000
"""Samples of them together, about 150 MB: one face for 110 hours."""


@dataclass(frozen=True)
class Use:
    """What an owner has in the history, but for what was deleted."""

    sessions: int
    samples: int


def check_quota(use: Use, new_sessions: int = 0) -> None:
    """Tell whether a visitor who has so much may store more. Raises HistoryFullError."""
    if use.sessions + new_sessions > MAX_SESSIONS_OF_VISITOR:
        raise HistoryFullError(
            f"You have {use.sessions} sessions here; {MAX_SESSIONS_OF_VISITOR} are allowed. Delete some, or "
            "export them first, then record again."
        )
    if use.samples >= MAX_SAMPLES_OF_VISITOR:
        raise HistoryFullError(
            f"Your sessions here hold {use.samples} samples; {MAX_SAMPLES_OF_VISITOR} are allowed. Delete "
            "some, or export them first, then record again."
        )
