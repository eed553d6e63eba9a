"""The addresses of a server without a listener of its own for HTTPS: by --host, or behind a proxy."""

import ipaddress
from collections.abc import Callable, Sequence

from fer_web.sharing.addresses import MachineAddress, outgoing_addresses, reachable_addresses, url_host
from fer_web.sharing.types import ShareAddress


def _reachable() -> Sequence[MachineAddress]:
    return reachable_addresses(preferred=outgoing_addresses)


class PlainNetwork:
    """A ShareNetwork without certificates: links work, but browsers give no camera to its pages."""

    fingerprint = None
    authority_pem = None

    def __init__(
        self,
        host: str,
        port: int,
        public_url: str = "",
        find: Callable[[], Sequence[MachineAddress]] = _reachable,
        *,
        base_path: str = "",
    ) -> None:
        """Args:
        host: that the server listens on; a loopback address is reached by `public_url` alone.
        port: of HTTP.
        public_url: of the proxy in front; empty for none.
        find: this machine's addresses.
        base_path: path below which the pages are; every address ends with it.
        """
        self._host = host
        self._port = port
        self._public_url = public_url
        self._find = find
        self._base_path = base_path

    def addresses(self) -> Sequence[ShareAddress]:
        """The public one, then those of the machine that it listens on."""
        public = [ShareAddress(f"{self._public_url}{self._base_path}", "public")] if self._public_url else []
        return [*public, *self._own_addresses()]

    def hosts(self) -> frozenset[str]:
        """None is checked: whoever has a name for the machine may use it."""
        return frozenset()

    def _own_addresses(self) -> list[ShareAddress]:
        try:
            ip = ipaddress.ip_address(self._host)
        except ValueError:
            return [] if self._host == "localhost" else [self._address(self._host)]
        if ip.is_loopback:
            return []
        if not ip.is_unspecified:
            return [self._address(url_host(ip))]
        found = [each for each in self._find() if each.ip.version == ip.version]
        return [ShareAddress(self._address(url_host(each.ip)).url, each.kind) for each in found]

    def _address(self, host: str) -> ShareAddress:
        return ShareAddress(f"http://{host}:{self._port}{self._base_path}", "lan")
