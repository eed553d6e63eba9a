"""Prepares the server: opens its ports, and says in the terminal how to reach it."""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from fer_web.errors import SettingsError
from fer_web.serving.listeners import (
    MAX_PER_ADDRESS,
    AddressLimit,
    Listener,
    loopback_url_of,
    max_connections,
    open_everywhere,
    open_host,
    url_of,
)
from fer_web.settings import Settings
from fer_web.sharing.addresses import checked_public_url
from fer_web.sharing.types import ShareNetwork

if TYPE_CHECKING:
    from fer_web.sharing.network import LocalNetwork

GREETING_FILE = "addresses.txt"
"""In the data folder, where what is printed is kept: the addresses with their tokens."""

FIRST_LINK = "Printed at the start"
"""Name of the link that the terminal shows."""


def checked_sharing(settings: Settings, *, debug: bool) -> Settings:
    """The settings, as sharing needs them; nothing is looked at where nothing is shared.

    Args: debug: whether Flask would show its debugger.
    Raises: SettingsError: options that do not go together.
    """
    if not settings.is_shared:
        return settings
    if debug:
        raise SettingsError(
            "FLASK_DEBUG is on: in debug mode, pages show code and memory to whoever asks, so nothing is "
            "shared. Unset FLASK_DEBUG, or start without --share."
        )
    if settings.host != Settings.host:
        raise SettingsError(
            f"--host is {settings.host}, but --share listens on every address of this machine by itself, "
            "so that networks may come and go. Leave --host out."
        )
    public_url = checked_public_url(settings.public_url) if settings.public_url else ""
    return dataclasses.replace(settings, public_url=public_url)


def open_ports(settings: Settings) -> "tuple[list[Listener], LocalNetwork | None]":
    """Listen, so that whoever was told an address finds it open.

    Returns: the listeners, plain ones first, and the network where it is shared.
    Raises: SettingsError, SetupError: a port, option or file does not serve; says what to do.
    """
    if not settings.is_shared:
        return [Listener(open_host(settings.host, settings.port))], None
    # Not at the top: certificates take time to import that servers without sharing need not wait for.
    from fer_web.sharing.network import open_network

    plain = [Listener(item) for item in open_everywhere(settings.port, "port")]
    sockets = open_everywhere(settings.share_port, "share-port")
    network = open_network(settings, Listener(sockets[0]).port)
    return [*plain, *(Listener(item, network.ssl_context) for item in sockets)], network


def address_limit(settings: Settings) -> AddressLimit:
    """Return a limit under which an eighth of all connections stays for this machine itself."""
    per_address = None if settings.proxies else MAX_PER_ADDRESS
    return AddressLimit(per_address, total=max_connections() * 7 // 8)


def greeting(settings: Settings, listener: Listener, host_token: str) -> Iterator[str]:
    """Lines for who started a server that is not shared."""
    if not settings.is_loopback:
        yield (
            "Browsers on other machines give no camera to a page over plain HTTP. "
            "To let them in, by HTTPS and with a link: make share"
        )
    near = loopback_url_of(listener.socket)
    # The host is known at this machine alone.
    base = settings.base_path
    yield _ready(f"{near}{base}/?host={host_token}" if near else f"{url_of(listener.socket)}{base}")


def share_greeting(
    network: ShareNetwork, listener: Listener, host_token: str, base_path: str = ""
) -> Iterator[str]:
    """Lines for who started to share; `listener` is the plain one."""
    local = f"{loopback_url_of(listener.socket)}{base_path}"
    addresses = network.addresses()
    if not addresses:
        yield (
            "This machine has no address on any network: only it can open the page. Others can as soon as a "
            "network comes; nothing has to be started again."
        )
    for address in addresses:
        note = {"vpn": " (VPN)", "container": " (containers of this machine)"}.get(address.kind, "")
        yield f"Shared at {address.url}{note}, for those with a link"
    if network.fingerprint is not None:
        yield "Browsers warn until a device trusts this server's certificates; how to, on each system:"
        yield f"  {addresses[0].url if addresses else local}/trust"
        yield f"  SHA-256 of its authority: {network.fingerprint}"
    yield _ready(f"{local}/?host={host_token}")


def _ready(url: str) -> str:
    """The last line, which is read first: the host's own address, which opens Share and all sessions."""
    return f"fer-web is ready: open {url} (Ctrl+C stops it)"


def link_greeting(network: ShareNetwork, token: str | None, encoding: str | None) -> Iterator[str]:
    """Lines that hand out the first link, with its QR code where the terminal's encoding can show it.

    Nothing where there is no network, or the link is no longer open: then `token` is None.
    """
    from fer_web.sharing.qr import terminal_qr

    addresses = network.addresses()
    if not addresses or token is None:
        return
    url = f"{addresses[0].url}/l/{token}"
    if drawing := terminal_qr(url, encoding):
        yield drawing
    yield f"Link to join, open for 12 hours: {url}"


def is_output_kept(log_format: str, environment: Mapping[str, str], stream: TextIO) -> bool:
    """Tell whether something collects what the server prints: systemd's journal, or a reader of JSON.

    What opens the server must not get there. systemd names the journal's file in JOURNAL_STREAM, as
    systemd.exec(5) says.
    """
    if log_format == "json":
        return True
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def greeting_without_tokens(
    listener: Listener,
    host_token: str,
    link_token: str | None,
    network: ShareNetwork | None,
    settings: Settings,
) -> Iterator[str]:
    """Lines for a log that is kept. Addresses with tokens go to GREETING_FILE, which its user alone can read.

    Raises: OSError: the file cannot be written.
    """
    near = f"{loopback_url_of(listener.socket) or url_of(listener.socket)}{settings.base_path}"
    addresses = network.addresses() if network is not None else []
    lines = [f"The host's page: {near}/?host={host_token}"]
    lines += [
        f"Link to join, open for 12 hours: {each.url}/l/{link_token}" for each in addresses if link_token
    ]
    path = settings.data_dir / GREETING_FILE
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, ""]))
    yield from (f"Shared at {each.url}, for those with a link" for each in addresses)
    yield f"The addresses that open the server are in {path}: this output is kept, so they are not printed."
    yield _ready(near)


def print_lines(*groups: Sequence[str] | Iterator[str]) -> None:
    """Print every line at once, for programs that read them."""
    for group in groups:
        for line in group:
            print(line, flush=True)
