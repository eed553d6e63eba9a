"""Cookies whose values only this server can make."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from itsdangerous import BadSignature, Signer

_HOST: Final = "__Host-"
_SECURE: Final = "__Secure-"
"""Browsers take such names from HTTPS alone (RFC 6265bis, 4.1.3)."""


class SignedCookie:
    """A cookie that holds one signed text.

    Its name holds a mark of the secret. Browsers do not tell ports apart, so two servers with different
    secrets on one machine would take each other's cookie for a forged one and replace it.
    """

    def __init__(self, secret: bytes, kind: str, base_path: str = "") -> None:
        """Args:
        secret: 32 bytes that only this server knows.
        kind: what the cookie is for; the value of one kind is worth nothing as another.
        base_path: path below which the server's pages are, such as /fer; empty for none.
        """
        self.name = f"fer_{kind}_{hashlib.sha256(secret).hexdigest()[:8]}"
        self.path = base_path or "/"
        # Browsers take no __Host- cookie for a part of a host.
        self._secure_name = f"{_SECURE if base_path else _HOST}{self.name}"
        # The plain name is of plain HTTP, and of earlier versions. No page of a neighbouring host, which may
        # set any other cookie for all of its domain, can set a __Host- one.
        self._names = (self._secure_name, *([f"{_HOST}{self.name}"] if base_path else []), self.name)
        self._signer = Signer(secret, salt=kind, digest_method=hashlib.sha256)

    def sign(self, text: str) -> str:
        """Make the cookie's value."""
        return self._signer.sign(text).decode()

    def options(self, *, is_secure: bool) -> dict[str, Any]:
        """Return how a response sets it: all but its value and its age.

        Args: is_secure: whether the request came by HTTPS, where a prefix binds the name to this host.
        """
        return {
            "key": self._secure_name if is_secure else self.name,
            "path": self.path,
            "secure": is_secure,
            "httponly": True,
            "samesite": "Lax",
        }

    def read(self, cookies: Mapping[str, str]) -> str | None:
        """Return the text of a request's cookie, by its strictest name; None without a valid one."""
        name = next((name for name in self._names if name in cookies), self.name)
        try:
            return self._signer.unsign(cookies.get(name, "")).decode()
        except (BadSignature, UnicodeError):
            return None
