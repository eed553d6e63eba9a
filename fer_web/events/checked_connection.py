"""HTTP connections to checked addresses: a name is looked up once, and what that gave is called."""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final

from fer_web.events.delivery import ReceiverError

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_Look = Callable[..., Sequence[Any]]


def is_public(text: str) -> bool:
    """Tell whether an IP address is one of the internet's, and so is an IPv4 address that stands in it.

    Args: text: IPv4 or IPv6, perhaps with a zone.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(each is not None and not is_public(str(each)) for each in inner):
            return False
        if address.ipv4_mapped is not None or address in _NAT64:
            return True
    return address.is_global and not address.is_multicast


def checked_addresses(
    host: str, port: int, *, allow_private: bool, look_up: _Look = socket.getaddrinfo
) -> list[tuple[Any, ...]]:
    """Look a name up, and keep the addresses that may be called.

    Returns: family, type, protocol, name and socket address of each, as socket.getaddrinfo.
    Raises: ReceiverError: there is none; the text says why.
    """
    try:
        found = list(look_up(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as exc:
        raise ReceiverError(f"the name {host} cannot be looked up") from exc
    allowed = [each for each in found if allow_private or is_public(each[4][0])]
    if not allowed:
        raise ReceiverError(
            f"{host} has no public address; where it should be called all the same, set allow_private = true"
        )
    return allowed


class CheckedConnection(http.client.HTTPConnection):
    """A connection to the first of some addresses that answers. It asks no proxy and no name server."""

    def __init__(
        self,
        host: str,
        port: int,
        addresses: Sequence[tuple[Any, ...]],
        tls: ssl.SSLContext | None,
        timeout_s: float,
    ) -> None:
        """Args:
        host: for the Host header and the certificate.
        addresses: of `checked_addresses`.
        tls: None: plain HTTP.
        """
        super().__init__(host, port, timeout=timeout_s)
        if tls is not None:
            self.default_port = 443  # such that the Host header leaves it out
        self._addresses = addresses
        self._tls = tls
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Connect. Raises OSError where no address answers."""
        sock = _connected(self._addresses, self._timeout_s)
        try:
            self.sock = sock if self._tls is None else self._tls.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise


def _connected(addresses: Sequence[tuple[Any, ...]], timeout_s: float) -> socket.socket:
    problem: OSError = OSError("no address")
    for family, kind, protocol, _, address in addresses[:4]:
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(timeout_s)
        try:
            sock.connect(address)
            return sock
        except OSError as exc:
            sock.close()
            problem = exc
    raise problem
