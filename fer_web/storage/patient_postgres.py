"""A connection to PostgreSQL that does not wait for ever: imported only where PostgreSQL is used."""

from typing import Any

from psycopg import Connection, OperationalError
from psycopg.errors import _WaitTimeout

from fer_web.storage import database


class PatientConnection(Connection[Any]):
    """Closes itself when the server does not answer in time.

    The server's own timeouts end statements that take long, and those of the network show machines that are
    gone. Neither helps where the server process stands still: its system goes on to acknowledge what comes.
    """

    _allowed_s: float | None = None

    def allow(self, seconds: float) -> None:
        """Wait for so long in the current transaction, in the place of ANSWER_TIMEOUT_S."""
        self._allowed_s = seconds

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's. Raises OperationalError: no answer came in time; the connection is closed then."""
        allowed_s = timeout or self._allowed_s or database.ANSWER_TIMEOUT_S
        try:
            return super().wait(gen, interval, allowed_s)
        except _WaitTimeout:
            if timeout is not None:  # the caller's own
                raise
            self.pgconn.finish()
            raise OperationalError(f"no answer within {allowed_s:.0f} s") from None

    def commit(self) -> None:
        """As psycopg's."""
        try:
            super().commit()
        finally:
            self._allowed_s = None

    def rollback(self) -> None:
        """As psycopg's."""
        try:
            super().rollback()
        finally:
            self._allowed_s = None
