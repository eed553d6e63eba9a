"""This machine's addresses as other devices see them, the likeliest to work first."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlsplit

import ifaddr

from fer_web.errors import SettingsError
from fer_web.sharing.types import AddressKind

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_KINDS: tuple[AddressKind, ...] = get_args(AddressKind)

# Linux, BSD and macOS name interfaces by their driver; Windows by words of its own, in the "nice name".
_CONTAINER = re.compile(
    r"(docker|podman|veth|cni|flannel|cali|kube|virbr|lxc|lxd|vboxnet|vmnet|vnet|ifb)[\w-]*$"
    r"|br-[0-9a-f]{6,}$|bridge1\d\d$|.*(vEthernet|Hyper-V|VirtualBox|VMware)",
    re.IGNORECASE,
)
_VPN = re.compile(
    r"(tun|tap|utun|wg|wt|ppp|ipsec|gif|stf|tailscale|nordlynx|proton|zt)\w*$"
    r"|.*(Tailscale|WireGuard|OpenVPN|TAP-Windows|ZeroTier|VPN)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class MachineAddress:
    """One address of one interface: never loopback, never link-local."""

    ip: IPAddress
    kind: AddressKind


def reachable_addresses(
    adapters: Callable[[], Iterable[Any]] = ifaddr.get_adapters,
    preferred: Callable[[], Sequence[IPAddress]] = lambda: [],
) -> list[MachineAddress]:
    """Addresses that other devices may reach, best first: LAN, then VPN, then containers; IPv4 before IPv6.

    Args:
        adapters: what ifaddr finds; one that has gone away meanwhile is left out.
        preferred: addresses that this machine itself would use to reach others; first among their kind.
    """
    found = {
        ip: MachineAddress(ip, _kind_of(adapter))
        for adapter in _adapters(adapters)
        for ip in map(_parsed, adapter.ips)
        if ip is not None
    }
    chosen = list(preferred())
    return sorted(
        found.values(),
        key=lambda item: (_KINDS.index(item.kind), item.ip not in chosen, item.ip.version, int(item.ip)),
    )


def outgoing_addresses() -> list[IPAddress]:
    """The addresses from which this machine would send to the internet. Nothing is sent to find out."""
    found = []
    # Documentation addresses (RFC 5737, RFC 3849): connecting a UDP socket only asks the routing table.
    for family, host in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((host, 9))
                found.append(ipaddress.ip_address(probe.getsockname()[0].split("%")[0]))
        except OSError:
            continue
    return found


def local_name(own: Iterable[IPAddress], hostname: str | None = None) -> str | None:
    """This machine's name in .local, where it leads to one of its own addresses. May take seconds.

    Args: hostname: the machine's own by default.
    """
    label = (hostname or socket.gethostname()).split(".")[0].lower()
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) or label == "localhost":
        return None
    try:
        answers = socket.getaddrinfo(f"{label}.local", None, type=socket.SOCK_STREAM)
    except OSError:
        return None
    resolved = {ipaddress.ip_address(str(answer[4][0]).split("%")[0]) for answer in answers}
    return f"{label}.local" if resolved & set(own) else None


def checked_public_url(text: str) -> str:
    """The address that links shall name, as scheme, host and port.

    Raises: SettingsError: it is no https address, or holds more than host and port.
    """
    try:
        parts = urlsplit(text.strip())
        port = f":{parts.port}" if parts.port is not None else ""
        host = _host_for_url(parts.hostname or "")
    except ValueError as exc:
        raise _bad_public_url(text) from exc
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme != "https" or rest:
        raise _bad_public_url(text)
    return f"https://{host}{port}"


def url_host(ip: IPAddress) -> str:
    """As an address stands in a URL and in a Host header."""
    return f"[{ip}]" if ip.version == 6 else str(ip)


def _host_for_url(host: str) -> str:
    """Raises ValueError where it is neither an address nor a name."""
    try:
        return url_host(ipaddress.ip_address(host))
    except ValueError:
        name = host.encode("idna").decode("ascii").lower()
        if not re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})*", name):
            raise
        return name


def _bad_public_url(text: str) -> SettingsError:
    return SettingsError(
        f"--public-url is {text!r}; it must be https, a host and perhaps a port, and nothing more: "
        "https://fer.example.org or https://192.168.1.5:5443."
    )


def _adapters(adapters: Callable[[], Iterable[Any]]) -> Iterable[Any]:
    try:
        return list(adapters())
    except OSError:
        return []


def _kind_of(adapter: Any) -> AddressKind:
    names = (str(adapter.name), str(adapter.nice_name))
    if any(_CONTAINER.match(name) for name in names):
        return "container"
    return "vpn" if any(_VPN.match(name) for name in names) else "lan"


def _parsed(item: Any) -> IPAddress | None:
    """The address of an ifaddr.IP; None where other devices cannot use it."""
    text = item.ip if isinstance(item.ip, str) else item.ip[0]
    ip = ipaddress.ip_address(text.split("%")[0])
    if ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast:
        return None
    return None if isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local else ip
