"""Posts events to a web address, signed as Standard Webhooks describes (standardwebhooks.com, version 1)."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from fer_web import __version__
from fer_web.errors import SettingsError
from fer_web.events.checked_connection import CheckedConnection, checked_addresses
from fer_web.events.delivery import ReceiverError
from fer_web.events.types import Fired, Item

CONNECT_TIMEOUT_S: Final = 5.0
"""A webhook's address has this long to take a connection."""

ANSWER_TIMEOUT_S: Final = 10.0
"""A receiver that has not answered by then is called again later."""

MAX_ANSWER_BYTES: Final = 64_000
"""That much of a receiver's answer is read."""

LATE: Final = "it takes too long"
_SECRET_PREFIX: Final = "whsec_"
_TRY_AGAIN: Final = (408, 425, 429)


def signature(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return "v1," and the HMAC-SHA256 of "ID.TIMESTAMP.BODY" in base64."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def secret_key(text: str) -> bytes:
    """Return the key of a secret: base64 after "whsec_", else the text itself.

    Raises: SettingsError: it is too short to keep anybody from guessing, or no base64.
    """
    try:
        is_coded = text.startswith(_SECRET_PREFIX)
        key = (
            base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True) if is_coded else text.encode()
        )
    except ValueError as exc:
        raise SettingsError("a secret that begins with whsec_ goes on in base64; this one does not.") from exc
    if len(key) < 16:
        raise SettingsError(f"a secret has at least 16 bytes; this one has {len(key)}.")
    return key


@dataclass(frozen=True)
class WebAddress:
    """Where a webhook goes. `path` may hold a token, so it is shown to nobody."""

    host: str
    port: int
    is_https: bool
    path: str = field(repr=False)


def web_address(url: str) -> WebAddress:
    """Take an http or https address apart.

    Raises: SettingsError: it is none, or has a password. It never repeats the address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise SettingsError("url is no web address.") from exc
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
        raise SettingsError("url must be an address such as https://example.org/hook.")
    if parts.username is not None:
        raise SettingsError("url may have no user and password; receivers tell us by the signature.")
    is_https = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise SettingsError("url has letters that an address must write as %XX.")
    return WebAddress(parts.hostname, port or (443 if is_https else 80), is_https, path)


class WebhookReceiver:
    """Sends each event as one POST, and follows no redirect."""

    kind = "webhook"
    frames_kept = 0

    def __init__(
        self,
        address: WebAddress,
        secret: bytes,
        *,
        allow_private: bool = False,
        tls: ssl.SSLContext | None = None,
        wall_clock: Callable[[], float] = time.time,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        """Args:
        secret: key of the signature.
        allow_private: whether addresses of this machine and of local networks may be called.
        tls: how https is checked; the system's authorities by default.
        """
        self._address = address
        self._secret = secret
        self._allow_private = allow_private
        self._tls = (tls or ssl.create_default_context()) if address.is_https else None
        self._wall_clock = wall_clock
        self._answer_timeout_s = answer_timeout_s

    def open(self) -> str | None:
        """Nothing: each event has a connection of its own."""
        return None

    def send(self, item: Item) -> None:
        """Post an event; others are not for webhooks. Raises ReceiverError."""
        if not isinstance(item, Fired):
            return
        body = json.dumps(item.to_wire(), ensure_ascii=False, separators=(",", ":")).encode()
        status, retry_after_s = self._post(body, self._headers(item.id, body))
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise ReceiverError(
                f"it answered with a redirect ({status}), which is not followed; name its goal", is_final=True
            )
        raise ReceiverError(
            f"it answered with status {status}",
            is_final=status < 500 and status not in _TRY_AGAIN,
            retry_after_s=retry_after_s,
        )

    def close(self) -> None:
        """Nothing is open."""

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        timestamp_s = int(self._wall_clock())
        return {
            "Content-Type": "application/json",
            "User-Agent": f"fer-web/{__version__}",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(self._secret, message_id, timestamp_s, body),
        }

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        """Return the answer's status, and the pause in seconds that it asks for."""
        to = self._address
        addresses = checked_addresses(to.host, to.port, allow_private=self._allow_private)
        is_late = threading.Event()
        connection = CheckedConnection(to.host, to.port, addresses, self._tls, CONNECT_TIMEOUT_S)
        try:
            connection.connect()
            # A timeout of the socket counts from byte to byte; this one counts in all.
            timer = threading.Timer(self._answer_timeout_s, _cut, [connection.sock, is_late])
            timer.daemon = True
            timer.start()
            try:
                connection.sock.settimeout(self._answer_timeout_s)
                connection.request("POST", to.path, body, headers)
                answer = connection.getresponse()
                answer.read(MAX_ANSWER_BYTES)
                return answer.status, _seconds(answer.getheader("Retry-After"))
            finally:
                timer.cancel()
        except ssl.SSLCertVerificationError as exc:
            raise ReceiverError("its certificate is not valid for this name") from exc
        except (OSError, http.client.HTTPException) as exc:
            raise ReceiverError(f"no answer came ({LATE if is_late.is_set() else _kind_of(exc)})") from exc
        finally:
            connection.close()


def _cut(sock: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    with contextlib.suppress(OSError):  # it has ended already
        sock.shutdown(socket.SHUT_RDWR)


def _kind_of(exc: Exception) -> str:
    if isinstance(exc, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(exc, TimeoutError):
        return LATE
    return "the connection was cut" if isinstance(exc, OSError) else "it speaks no HTTP"


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 0.0
