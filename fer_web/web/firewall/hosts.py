"""Checks by which name a request calls the server: a name that is not ours may be an attacker's."""

import re
from collections.abc import Callable, Collection

from fer_web.sharing.loopback import is_loopback
from fer_web.web.firewall.refusals import Environ, Refusal

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def refused_host(environ: Environ, hosts: Callable[[], Collection[str]] | None) -> Refusal | None:
    """Refuse a Host header that names somebody else.

    A name that an attacker's DNS points at our address would make their page one of our own origin ("DNS
    rebinding"). This machine itself may use loopback's names alone: it needs no link, so not even a `.local`
    name may lead here, which anyone on the network can answer for.

    Args: hosts: names for other machines, lower case; None: any, as SecurityRules says.
    """
    if is_loopback(environ.get("REMOTE_ADDR")):
        # Any of loopback's addresses will do: what is no name needs no DNS.
        is_address = is_loopback((host_name(environ) or "").strip("[]"))
        return None if is_address else _unless_among(environ, _LOOPBACK_HOSTS)
    return None if hosts is None else _unless_among(environ, hosts())


def host_name(environ: Environ) -> str | None:
    """The Host header in lower case without its port; None where there is none that can be understood."""
    # Werkzeug's own check takes no IPv6 address into its list.
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:[0-9]+)?", environ.get("HTTP_HOST", ""))
    return match[1].lower() if match else None


def _unless_among(environ: Environ, names: Collection[str]) -> Refusal | None:
    if host_name(environ) in names:
        return None
    shown = ", ".join(sorted(names)) or "no name: it has no network"
    text = f"This server answers to {shown} only. Open it by one of these names."
    return Refusal("400 Bad Request", "bad_host", text)
