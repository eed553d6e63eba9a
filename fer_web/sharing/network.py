"""Watches where the running server can be reached: this machine's addresses and its certificate."""

import ipaddress
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fer_web.errors import FerWebError
from fer_web.settings import Settings
from fer_web.sharing.addresses import (
    IPAddress,
    MachineAddress,
    checked_public_url,
    local_name,
    outgoing_addresses,
    reachable_addresses,
    url_host,
)
from fer_web.sharing.certificates import CertificateSource, ServerCertificate, certificate_source
from fer_web.sharing.types import ShareAddress

LOOK_EVERY_S = 3.0
NAME_EVERY_S = 300.0
"""The .local name is asked for again after this time, and when the addresses change."""
_FIRST_NAME_S = 1.0
"""The start waits this long for the name; a later answer changes the addresses."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Seen:
    """One look found this."""

    addresses: tuple[ShareAddress, ...]
    certificate: ServerCertificate


class NameLookup:
    """This machine's .local name. Asked for in a thread of its own: an answer may take seconds."""

    def __init__(
        self,
        ask: Callable[[Iterable[IPAddress]], str | None] = local_name,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._answer: tuple[frozenset[IPAddress], str | None] = (frozenset(), None)
        self._asked: tuple[frozenset[IPAddress], float] = (frozenset(), 0.0)
        self._thread: threading.Thread | None = None

    def name(self, own: Iterable[IPAddress]) -> str | None:
        """Return what is known by now about these addresses of the machine."""
        addresses = frozenset(own)
        asked, at = self._asked
        is_due = asked != addresses or self._clock() - at > NAME_EVERY_S
        is_busy = self._thread is not None and self._thread.is_alive()
        if addresses and is_due and not is_busy:
            self._asked = (addresses, self._clock())
            self._thread = threading.Thread(target=self._find, args=(addresses,), daemon=True)
            self._thread.start()
        known, name = self._answer
        return name if known == addresses else None

    def wait(self, timeout_s: float) -> None:
        """Until the answer is there, or this long."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _find(self, addresses: frozenset[IPAddress]) -> None:
        self._answer = (addresses, self._ask(addresses))


class LocalNetwork:
    """A ShareNetwork: addresses that come and go, and a certificate that covers them.

    `open` starts the thread that looks; everything else may be called from any thread.
    """

    def __init__(
        self,
        source: CertificateSource,
        port: int,
        *,
        public_url: str = "",
        base_path: str = "",
        find: Callable[[], Sequence[MachineAddress]] | None = None,
        names: NameLookup | None = None,
        clock: Callable[[], float] = time.time,
        say: Callable[[str], None] = print,
    ) -> None:
        """Args:
        port: of HTTPS.
        public_url: as from `checked_public_url`; empty for none.
        base_path: path below which the pages are; every address ends with it.
        find: what `reachable_addresses` gives.
        say: told of changes, one line each.
        Raises: FerWebError: there is no certificate; says why.
        """
        self._source = source
        self._port = port
        self._public_url = public_url
        self._base_path = base_path
        self._find = find or (lambda: reachable_addresses(preferred=outgoing_addresses))
        self._names = names or NameLookup()
        self._clock = clock
        self._say = say
        self._subscribers: list[Callable[[], None]] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._trouble = ""
        self._look_for_names()
        addresses = self._found()
        certificate = source.issue(_hosts(addresses), clock())
        self._seen = _Seen(_covered_first(addresses, certificate), certificate)
        self._warn_uncovered()

    def addresses(self) -> Sequence[ShareAddress]:
        """The best first; empty while there is no network."""
        return self._seen.addresses

    def hosts(self) -> frozenset[str]:
        """As they stand in a Host header, without the port; IPv6 in brackets."""
        return frozenset(_bracketed(host) for host in _hosts(self._seen.addresses))

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of our authority's certificate as AB:CD:...; None with the user's own certificate."""
        return self._source.authority.fingerprint if self._source.authority else None

    @property
    def authority_pem(self) -> bytes | None:
        """Our authority's certificate; None with the user's own."""
        return self._source.authority.certificate_pem if self._source.authority else None

    def ssl_context(self) -> ssl.SSLContext:
        """Return a context for the next connection, with the newest certificate."""
        return self._seen.certificate.context

    def subscribe(self, on_change: Callable[[], None]) -> None:
        """Have this called, in the thread that looks, after the addresses changed."""
        self._subscribers.append(on_change)

    def open(self) -> None:
        """Begin to look every LOOK_EVERY_S."""
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LOOK_EVERY_S)

    def look(self) -> None:
        """Once: what changed gets a certificate first, is shown then, and is told last."""
        before = self._seen.addresses
        addresses = self._found()
        certificate = self._renewed(_hosts(addresses))
        self._seen = _Seen(_covered_first(addresses, certificate), certificate)
        if self._seen.addresses != before:
            self._tell()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception:
                _log.exception("The network could not be looked at")

    def _found(self) -> tuple[ShareAddress, ...]:
        own = self._find()
        base = self._base_path
        public = [ShareAddress(f"{self._public_url}{base}", "public")] if self._public_url else []
        name = self._names.name(item.ip for item in own)
        named = [ShareAddress(f"https://{name}:{self._port}{base}", "name")] if name else []
        numbers = [ShareAddress(f"https://{url_host(item.ip)}:{self._port}{base}", item.kind) for item in own]
        return (*public, *named, *numbers)

    def _look_for_names(self) -> None:
        self._names.name(item.ip for item in self._find())
        self._names.wait(_FIRST_NAME_S)

    def _renewed(self, hosts: Sequence[str]) -> ServerCertificate:
        """The certificate to serve from now on; the present one where a new one cannot be had yet."""
        current = self._seen.certificate
        now_s = self._clock()
        if not self._source.is_due(current, hosts, now_s):
            self._trouble = ""
            return current
        try:
            renewed = self._source.issue(hosts, now_s)
        except FerWebError as exc:
            self._say_once(f"The certificate stays as it is: {exc}")
            return current
        self._trouble = ""
        return renewed

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._say(trouble)
        self._trouble = trouble

    def _tell(self) -> None:
        urls = ", ".join(item.url for item in self._seen.addresses)
        self._say(
            f"This machine's addresses changed: {urls}"
            if urls
            else "This machine's addresses changed: it has none on a network now. Other devices can connect "
            "again when one comes."
        )
        self._warn_uncovered()
        for on_change in self._subscribers:
            on_change()

    def _warn_uncovered(self) -> None:
        hosts, certificate = _hosts(self._seen.addresses), self._seen.certificate
        if hosts and not any(certificate.covers(host) for host in hosts):
            _log.warning(
                "The certificate is for %s, and for none of this machine's addresses (%s): browsers will "
                "warn. Name an address that it covers with --public-url, or take another certificate.",
                ", ".join(sorted(certificate.names)) or "no name at all",
                ", ".join(hosts),
            )


def open_network(settings: Settings, port: int) -> LocalNetwork:
    """The network as the settings want it; `port` is that of HTTPS.

    Raises: SettingsError, SetupError: an option or a file does not serve; says what to do.
    """
    public_url = checked_public_url(settings.public_url) if settings.public_url else ""
    own = [str(item.ip) for item in reachable_addresses()]
    if public_url:
        own.append(urlsplit(public_url).hostname or "")
    source = certificate_source(settings.cert, settings.key, settings.data_dir, time.time(), own)
    if source.authority is not None and source.authority.advice:
        _log.warning("%s", source.authority.advice)
    return LocalNetwork(
        source,
        port,
        public_url=public_url,
        base_path=settings.base_path,
        say=lambda text: print(text, flush=True),
    )


def _hosts(addresses: Iterable[ShareAddress]) -> list[str]:
    """Names and addresses without brackets, as they stand in a certificate."""
    return [host for item in addresses if (host := urlsplit(item.url).hostname)]


def _bracketed(host: str) -> str:
    try:
        return url_host(ipaddress.ip_address(host))
    except ValueError:
        return host


def _covered_first(
    addresses: Sequence[ShareAddress], certificate: ServerCertificate
) -> tuple[ShareAddress, ...]:
    """Keep what the user named first; a certificate of the user's own may not cover all of them."""
    return tuple(
        sorted(
            addresses,
            key=lambda item: item.kind != "public" and not certificate.covers(*_hosts([item])),
        )
    )
