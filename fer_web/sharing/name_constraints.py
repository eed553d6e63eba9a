"""For which names our authority may sign: local ones and its machine's own (RFC 5280, 4.2.1.10)."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOCAL_NETWORKS: Final[tuple[_Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # carriers' and VPNs' (RFC 6598)
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
LOCAL_DOMAINS: Final = ("local", "localhost", "home.arpa")
"""Names that lead nowhere on the internet (RFC 6762, RFC 6761, RFC 8375), with all below them."""

_DNS_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*")


def constraints_for(own: Iterable[str]) -> x509.NameConstraints:
    """What a new authority may sign for.

    Args: own: names and addresses of this machine, without brackets; of a public IPv6 address its whole /64
        counts, because devices change the rest every day (RFC 8981).
    """
    networks, domains = list(LOCAL_NETWORKS), list(LOCAL_DOMAINS)
    for name in own:
        network = _network_of(name)
        if network is None and _DNS_NAME.fullmatch(name.lower()):
            domains.append(name.lower())
        elif network is not None and not _is_within(network, LOCAL_NETWORKS):
            networks.append(network)
    return x509.NameConstraints(
        [
            *(x509.IPAddress(network) for network in dict.fromkeys(networks)),
            *(x509.DNSName(domain) for domain in dict.fromkeys(domains)),
        ],
        None,
    )


def constraints_of(certificate: x509.Certificate) -> x509.NameConstraints | None:
    """Those of an authority's certificate; None where it may sign for every name."""
    try:
        return certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None


def is_permitted(constraints: x509.NameConstraints | None, name: str) -> bool:
    """Tell whether an authority may sign for a name or an address; else devices refuse the certificate."""
    if constraints is None:
        return True
    permitted = list(constraints.permitted_subtrees or [])
    network = _network_of(name, exact=True)
    if network is not None:
        return _is_within(network, [each.value for each in permitted if isinstance(each, x509.IPAddress)])
    domains = [each.value for each in permitted if isinstance(each, x509.DNSName)]
    return any(name.lower() == domain or name.lower().endswith(f".{domain}") for domain in domains)


def constrained(
    certificate_pem: bytes, key_pem: bytes, constraints: x509.NameConstraints
) -> x509.Certificate:
    """An authority's certificate with constraints: all else stays, and its own key signs it anew."""
    plain = x509.load_pem_x509_certificate(certificate_pem)
    builder = x509.CertificateBuilder(
        issuer_name=plain.issuer,
        subject_name=plain.subject,
        public_key=plain.public_key(),
        serial_number=plain.serial_number,
        not_valid_before=plain.not_valid_before_utc,
        not_valid_after=plain.not_valid_after_utc,
    )
    for extension in plain.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    key = load_pem_private_key(key_pem, None)
    return builder.add_extension(constraints, critical=True).sign(key, SHA256())  # type: ignore[arg-type]  # EC


def _network_of(name: str, *, exact: bool = False) -> _Network | None:
    """The network that stands for an address; None where it is a name."""
    try:
        ip = ipaddress.ip_address(name)
    except ValueError:
        return None
    return ipaddress.ip_network((ip, 32 if ip.version == 4 else 128 if exact else 64), strict=False)


def _is_within(network: _Network, others: Iterable[object]) -> bool:
    return any(
        isinstance(other, type(network)) and network.subnet_of(other)  # type: ignore[arg-type]  # same kind
        for other in others
    )
