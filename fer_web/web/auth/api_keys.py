"""The key that came with a request: Authorization: Bearer fer_..."""

from collections.abc import Callable
from typing import Any, Final

from flask import g, request

from fer_web.errors import KeyUnknownError
from fer_web.sharing.guessing import AddressGuessLimiter, GuessLimiter
from fer_web.sharing.keys import ApiKey, KeyBook

API_PATHS: Final = "/api/"
"""Keys are for these alone: a page that was opened with one would give its browser a cookie, which stays."""

_SCHEME: Final = "bearer"


class RequestKeys:
    """Looks keys up, once for each request, and slows down who tries some that do not exist."""

    def __init__(
        self, keys: KeyBook, run_waiting: Callable[..., Any], limiter: GuessLimiter | None = None
    ) -> None:
        """Args: run_waiting: calls what waits for the database, without holding up other clients."""
        self._keys = keys
        self._run_waiting = run_waiting
        self._limiter = limiter or AddressGuessLimiter(guessed="keys", advice="send the right one")

    def key(self) -> ApiKey | None:
        """Return the key of the current request; None where it has none.

        Raises: KeyRefusedError: it opens nothing. TooManyGuessesError. DatabaseError.
        """
        if "api_key" not in g:
            g.api_key = self._look_up()
        found: ApiKey | None = g.api_key
        return found

    def owner(self) -> str | None:
        """Under which owner the current request's results are stored, if it has a key. Raises as `key`."""
        key = self.key()
        return None if key is None else key.owner

    def _look_up(self) -> ApiKey | None:
        # Other schemes are a proxy's, which asks for a password of its own.
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != _SCHEME or not given.strip() or not request.path.startswith(API_PATHS):
            return None
        self._limiter.check(request.remote_addr)
        try:
            found: ApiKey = self._run_waiting(self._keys.identify, given.strip())
        except KeyUnknownError:
            self._limiter.failed(request.remote_addr)
            raise
        return found
