"""Takes the server's connections: sockets, plain or with TLS, and how many one address may hold."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fer_web.errors import PortTakenError

MAX_CONNECTIONS = 1024
"""Held at the same time, by everybody together."""

MAX_PER_ADDRESS = 64
"""One network address may hold this many: a browser holds seven at most for each of its pages."""

MAX_PER_NETWORK = 256
"""One IPv6 /64 may hold this many: one machine may take every address, and a house shares it."""

HANDSHAKE_TIMEOUT_S = 10.0
"""A client that takes longer to agree on TLS is disconnected."""

SERVER_NAME = "fer-web"
"""In the header Server of both modes, without versions of libraries."""

_FREE_PORT_TRIES = 20


@dataclass(frozen=True)
class Listener:
    """A listening socket.

    Attributes: tls: gives the context for the next connection, so that a new certificate is served at once;
        None for plain HTTP.
    """

    socket: socket.socket
    tls: Callable[[], ssl.SSLContext] | None = None

    @property
    def port(self) -> int:
        """The TCP port, resolved where 0 was asked for."""
        return int(self.socket.getsockname()[1])


class AddressLimit:
    """Counts the connections of each address of the network. Loopback is not counted. Thread-safe."""

    def __init__(self, per_address: int | None = MAX_PER_ADDRESS, total: int = MAX_CONNECTIONS) -> None:
        """Args:
        per_address: None where a reverse proxy's address stands for all clients.
        total: of all addresses together.
        """
        self._per_address = per_address
        self._total = total
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, address: str) -> bool:
        """Count a new connection, unless it is one too many: then False."""
        bounds = self._bounds(address)
        with self._lock:
            if any(self._counts[key] >= bound for key, bound in bounds.items()):
                return False
            self._counts.update(bounds.keys())
            return True

    def leave(self, address: str) -> None:
        """A connection that `enter` counted ended."""
        with self._lock:
            for key in self._bounds(address):
                self._counts[key] -= 1
                if self._counts[key] <= 0:
                    del self._counts[key]

    def _bounds(self, address: str) -> dict[str, int]:
        parsed = ipaddress.ip_address(address.split("%")[0])
        if parsed.is_loopback:
            return {}
        bounds = {"all": self._total}
        if self._per_address is not None:
            bounds[str(parsed)] = self._per_address
            if parsed.version == 6:
                bounds[str(ipaddress.ip_network((parsed, 64), strict=False))] = MAX_PER_NETWORK
        return bounds


class TlsConnection(ssl.SSLSocket):
    """Stays encrypted until it is closed, and fails as a plain socket does.

    Python's own drops its TLS state when it is shut down, after which a thread that still reads gets
    ciphertext, or a ValueError that no caller expects.
    """

    def shutdown(self, how: int) -> None:
        """As a plain socket's."""
        socket.socket.shutdown(self, how)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """As SSLSocket.read. Raises OSError, not ValueError, when another thread closed it."""
        try:
            return super().read(len, buffer)
        except ValueError as exc:
            raise OSError("The connection was closed.") from exc

    def write(self, data: Any) -> int:
        """As SSLSocket.write. Raises OSError, not ValueError, when another thread closed it."""
        try:
            return super().write(data)
        except ValueError as exc:
            raise OSError("The connection was closed.") from exc


def _without_delay(listening: socket.socket) -> socket.socket:
    """Let its connections send each answer at once.

    By Nagle's algorithm one waits until the last one is acknowledged: answers to frames would come in heaps,
    a round trip late. Connections inherit it from the listening socket.
    """
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def open_listener(host: str, port: int, option: str = "port") -> socket.socket:
    """A listening TCP socket of one address family.

    Args: option: the command-line option that names the port.
    Raises: PortTakenError: the address cannot be had; names a port that is free.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return _without_delay(socket.create_server((host, port), family=family, backlog=128))
    except OSError as exc:
        free = free_port_near(host, port)
        # Where no port can be had, it is the address that is wrong.
        hint = f"Port {free} is free." if free else "No other port is free there either: name another --host."
        reason = (exc.strerror or str(exc)).partition(" (while")[0]  # Python says the address once more
        raise PortTakenError(f"Cannot listen on {host} port {port} ({reason}). {hint}", option, free) from exc


def open_host(host: str, port: int) -> socket.socket:
    """A listening socket of an address, or of IPv6's loopback where this machine has no 127.0.0.1.

    Raises: PortTakenError: as `open_listener`.
    """
    if host in ("127.0.0.1", "localhost") and not _has_address("127.0.0.1") and _has_ipv6():
        host = "::1"
    return open_listener(host, port)


def free_port_near(host: str, port: int) -> int | None:
    """Return a port that nobody listens on: one of the next, else any; None where there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for each in (*range(port + 1, min(port + 1 + _FREE_PORT_TRIES, 65536)), 0):
        with contextlib.suppress(OSError), socket.create_server((host, each), family=family) as found:
            return int(found.getsockname()[1])
    return None


def open_everywhere(port: int, option: str) -> list[socket.socket]:
    """Sockets for every address of this machine, later ones too: IPv4, and IPv6 where there is any.

    Args: port: 0 takes one that is free for both.
    Raises: PortTakenError: as `open_listener`.
    """
    tries = _FREE_PORT_TRIES if port == 0 else 1
    for left in reversed(range(tries)):
        ipv4 = open_listener("0.0.0.0", port, option)  # noqa: S104  # sharing with the network is what it is for
        if not _has_ipv6():
            return [ipv4]
        try:
            return [ipv4, open_listener("::", ipv4.getsockname()[1], option)]
        except PortTakenError:
            ipv4.close()
            if left == 0:
                raise
    raise AssertionError("unreachable")


def _has_address(ipv4: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((ipv4, 0))
        return True
    return False


def _has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def max_connections() -> int:
    """Connections held at the same time: fewer than the process may have files open."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MAX_CONNECTIONS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MAX_CONNECTIONS, soft - 64))


def url_of(listener: socket.socket) -> str:
    """The http:// address of a listening socket, for people."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def loopback_url_of(listener: socket.socket) -> str | None:
    """The address by which this machine reaches the server without leaving it; None where there is none."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host.split("%")[0])
    if not (address.is_loopback or address.is_unspecified):
        return None
    if address.is_unspecified:
        host = "::1" if ":" in host or not _has_address("127.0.0.1") else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
