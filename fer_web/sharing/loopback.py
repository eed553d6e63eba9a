"""Tells who is there by the address at the other end of a connection."""

import ipaddress


def is_loopback(address: str | None) -> bool:
    """Tell whether an address is this machine itself. What is no address is not."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
