"""Cookies whose values only this server can make."""

import hashlib
from collections.abc import Mapping

from itsdangerous import BadSignature, Signer


class SignedCookie:
    """A cookie that holds one signed text.

    Its name holds a mark of the secret. Browsers do not tell ports apart, so two servers with different
    secrets on one machine would take each other's cookie for a forged one and replace it.
    """

    def __init__(self, secret: bytes, kind: str) -> None:
        """Args:
        secret: 32 bytes that only this server knows.
        kind: what the cookie is for; the value of one kind is worth nothing as another.
        """
        self.name = f"fer_{kind}_{hashlib.sha256(secret).hexdigest()[:8]}"
        self._signer = Signer(secret, salt=kind, digest_method=hashlib.sha256)

    def sign(self, text: str) -> str:
        """Make the cookie's value."""
        return self._signer.sign(text).decode()

    def read(self, cookies: Mapping[str, str]) -> str | None:
        """Return the text of a request's cookie; None without a valid one."""
        try:
            return self._signer.unsign(cookies.get(self.name, "")).decode()
        except (BadSignature, UnicodeError):
            return None
