"""Certificates for HTTPS on the local network: from an authority of our own, or the user's own files."""

import datetime
import ipaddress
import logging
import os
import socket
import ssl
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import trustme
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from fer_web.errors import FerWebError, SettingsError, SetupError
from fer_web.secret_file import create_private
from fer_web.sharing.name_constraints import constrained, constraints_for, constraints_of, is_permitted

AUTHORITY_FILE = "authority.pem"
LIFE_S = 90 * 86400.0
"""Apple's systems accept 825 days at most (support.apple.com/102028); short, because it renews itself."""
RENEW_BEFORE_S = 30 * 86400.0
_EARLIER_S = 86400.0
"""Certificates begin a day ago: the clocks of phones go wrong."""
_log = logging.getLogger(__name__)

_ALWAYS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class ServerCertificate:
    """The server shows this to prove that it is itself.

    Attributes:
        context: for new connections.
        names: host names and addresses that it is valid for, lower case; may begin with `*.`.
        begins_s: seconds since 1970, as `ends_s`.
        version: differs for each that was made or read.
    """

    context: ssl.SSLContext
    names: frozenset[str]
    begins_s: float
    ends_s: float
    version: object

    def covers(self, name: str) -> bool:
        """Tell whether browsers accept it for this host name or address."""
        return name.lower() in self.names or f"*.{name.partition('.')[2].lower()}" in self.names


class CertificateSource(Protocol):
    """The server's certificate comes from such a source."""

    @property
    def authority(self) -> "Authority | None":
        """Ours; None with the user's own certificate."""
        ...

    def issue(self, names: Sequence[str], now_s: float) -> ServerCertificate:
        """A certificate for these names and addresses. Raises FerWebError with what to do."""
        ...

    def is_due(self, current: ServerCertificate, names: Sequence[str], now_s: float) -> bool:
        """Tell whether another one should be served from now on."""
        ...


class Authority:
    """An authority of this server alone, which devices can be told to trust."""

    def __init__(self, certificate_pem: bytes, key_pem: bytes, folder: Path) -> None:
        """Args: folder: where nobody else can read; a server's key lies there while it is being loaded."""
        self._ca = trustme.CA.from_pem(certificate_pem, key_pem)
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        self._constraints = constraints_of(certificate)
        self._left_out: set[str] = set()
        self.certificate_pem = certificate.public_bytes(Encoding.PEM)
        self.certificate_der = certificate.public_bytes(Encoding.DER)
        self.fingerprint = ":".join(f"{byte:02X}" for byte in certificate.fingerprint(SHA256()))
        self._folder = folder

    @property
    def authority(self) -> "Authority":
        """Itself."""
        return self

    @property
    def advice(self) -> str | None:
        """What its owner should know: one of an earlier version may sign for every website."""
        if self._constraints is not None:
            return None
        return (
            f"The authority {self._folder / AUTHORITY_FILE} is of an earlier version: it is kept, because "
            "devices trust it, but who stole it could pretend to be any website to them. Delete it for one "
            "that can sign for this network alone; every device has to trust that one anew."
        )

    def issue(self, names: Sequence[str], now_s: float) -> ServerCertificate:
        """A new key and its certificate, valid for 90 days; without names for which it may not sign.

        Raises: SetupError: the folder cannot be written.
        """
        wanted = self._permitted(names) | frozenset(_ALWAYS)
        self._tell_left_out(frozenset(names) - wanted)
        begins_s, ends_s = now_s - _EARLIER_S, now_s - _EARLIER_S + LIFE_S
        leaf = self._ca.issue_cert(
            *sorted(wanted), organization_name="fer-web", not_before=_utc(begins_s), not_after=_utc(ends_s)
        )
        context = new_context()
        try:
            _load(context, leaf.private_key_and_cert_chain_pem.bytes(), self._folder)
        except OSError as exc:
            raise _unusable(self._folder / AUTHORITY_FILE, exc) from exc
        return ServerCertificate(context, wanted, begins_s, ends_s, version=leaf)

    def is_due(self, current: ServerCertificate, names: Sequence[str], now_s: float) -> bool:
        """Tell whether a name is new, the end is near, or the clock was set back."""
        is_covered = self._permitted(names) <= current.names
        return not is_covered or not current.begins_s <= now_s <= current.ends_s - RENEW_BEFORE_S

    def _permitted(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in names if is_permitted(self._constraints, name))

    def _tell_left_out(self, names: frozenset[str]) -> None:
        if new := sorted(names - self._left_out):
            _log.warning(
                "The authority %s may not sign for %s, which it did not know when it was made: browsers warn "
                "there. Use another address of this machine, or delete the file for a new authority, which "
                "every device has to trust anew.",
                self._folder / AUTHORITY_FILE,
                ", ".join(new),
            )
        self._left_out |= names


def load_or_create(folder: Path, now_s: float, own: Iterable[str] = ()) -> Authority:
    """The authority in this folder; made, with the folder, where there is none.

    Args: own: names and addresses of this machine, for which a new one may sign beside local ones.
    Raises: SetupError: it cannot be read or written, is none of ours, or its time is over.
    """
    path = folder / AUTHORITY_FILE
    try:
        if not path.exists():
            create_private(path, _new_authority_pem(own))
        folder.chmod(0o700)
        path.chmod(0o600)
        content = path.read_bytes()
    except OSError as exc:
        raise _unusable(path, exc) from exc
    try:
        certificate = x509.load_pem_x509_certificate(_pem_block(content, b"CERTIFICATE"))
        key_pem = _pem_block(content, b"PRIVATE KEY")
        key_matches = _public(load_pem_private_key(key_pem, None)) == _public(certificate)
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as exc:
        raise _broken(path, "holds no authority of fer-web") from exc
    if not (key_matches and is_authority):
        raise _broken(path, "holds a key and a certificate that do not belong together")
    if not _begin(certificate) <= now_s <= _end(certificate):
        raise _broken(path, f"is valid from {_day(_begin(certificate))} to {_day(_end(certificate))} only")
    return Authority(certificate.public_bytes(Encoding.PEM), key_pem, folder)


class OwnCertificate:
    """The user's own files, such as a company's or mkcert's; read again when they change."""

    authority: Authority | None = None

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key

    def issue(self, names: Sequence[str], now_s: float) -> ServerCertificate:
        """Read the files. Raises SettingsError: they cannot serve; says why."""
        version = self._stamps()
        certificate = self._checked(now_s)
        context = new_context()
        try:
            context.load_cert_chain(self._cert, self._key, password=lambda: "")
        except (ssl.SSLError, OSError) as exc:
            raise SettingsError(
                f"--cert {self._cert} with --key {self._key} cannot serve HTTPS ({exc}). Ask who made them "
                "for a certificate that browsers of today accept."
            ) from exc
        return ServerCertificate(
            context, _names(certificate), _begin(certificate), _end(certificate), version
        )

    def is_due(self, current: ServerCertificate, names: Sequence[str], now_s: float) -> bool:
        """Tell whether the files changed, or the certificate ended: reading it again says so."""
        return self._stamps() != current.version or now_s > current.ends_s

    def _stamps(self) -> object:
        return tuple((path, _stamp(path)) for path in (self._cert, self._key))

    def _checked(self, now_s: float) -> x509.Certificate:
        try:
            certificate = x509.load_pem_x509_certificates(_content("--cert", self._cert))[0]
        except ValueError as exc:
            raise SettingsError(
                f"--cert {self._cert} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)."
            ) from exc
        try:
            key = load_pem_private_key(_content("--key", self._key), None)
        except TypeError as exc:
            raise SettingsError(
                f"--key {self._key} is protected by a passphrase, for which a server cannot ask. Give it "
                f"without: openssl pkey -in {self._key.name} -out key.pem"
            ) from exc
        except (ValueError, UnsupportedAlgorithm) as exc:
            raise SettingsError(
                f"--key {self._key} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)."
            ) from exc
        if _public(key) != _public(certificate):
            raise SettingsError(f"--key {self._key} is not the key of --cert {self._cert}. Give both of one.")
        if not _begin(certificate) <= now_s <= _end(certificate):
            raise SettingsError(
                f"--cert {self._cert} is valid from {_day(_begin(certificate))} to "
                f"{_day(_end(certificate))}, and today is {_day(now_s)}. Renew it, or start without "
                "--cert and --key."
            )
        return certificate


def certificate_source(
    cert: str, key: str, data_dir: Path, now_s: float, own: Iterable[str] = ()
) -> CertificateSource:
    """The user's own certificate where both options are given, else the authority in the data folder.

    Args: own: as `load_or_create`.
    Raises: SettingsError: one of the options without the other. SetupError: as `load_or_create`.
    """
    if bool(cert) != bool(key):
        given, missing = ("--cert", "--key") if cert else ("--key", "--cert")
        raise SettingsError(
            f"{given} is given without {missing}. Give both, or none for an authority of ours."
        )
    if cert:
        return OwnCertificate(Path(cert), Path(key))
    return load_or_create(data_dir / "tls", now_s, own)


def new_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, HTTP/1.1, without a certificate yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def _new_authority_pem(own: Iterable[str]) -> bytes:
    name = f"fer-web on {socket.gethostname()}"
    authority = trustme.CA(path_length=0, organization_name="fer-web", organization_unit_name=name[:64])
    key_pem = authority.private_key_pem.bytes()
    constraints = constraints_for([socket.gethostname(), *own])
    return key_pem + constrained(authority.cert_pem.bytes(), key_pem, constraints).public_bytes(Encoding.PEM)


def _load(context: ssl.SSLContext, pem: bytes, folder: Path) -> None:
    """Python loads keys from files alone: one that its owner alone can read, for that moment."""
    handle, path = tempfile.mkstemp(dir=folder, prefix=".server-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)


def _pem_block(content: bytes, kind: bytes) -> bytes:
    """The first block of this kind, such as EC PRIVATE KEY. Raises ValueError."""
    lines = content.splitlines()
    begin = next((n for n, line in enumerate(lines) if _is_mark(line, b"BEGIN", kind)), None)
    end = next((n for n, line in enumerate(lines) if _is_mark(line, b"END", kind)), None)
    if begin is None or end is None:
        raise ValueError(f"There is no {kind.decode()}.")
    return b"\n".join([*lines[begin : end + 1], b""])


def _is_mark(line: bytes, side: bytes, kind: bytes) -> bool:
    return line.startswith(b"-----" + side) and line.rstrip().endswith(kind + b"-----")


def _content(option: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise SettingsError(
            f"{option} {path} cannot be read ({exc.strerror}). Name a PEM file that this user may read."
        ) from exc


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses: Iterable[object] = names.get_values_for_type(x509.IPAddress)
    dns = (name.lower() for name in names.get_values_for_type(x509.DNSName))
    return frozenset(dns) | {str(ipaddress.ip_address(str(address))) for address in addresses}


def _public(owner: object) -> bytes:
    key = owner.public_key()  # type: ignore[attr-defined]  # keys of every kind and certificates have it
    content: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return content


def _begin(certificate: x509.Certificate) -> float:
    return certificate.not_valid_before_utc.timestamp()


def _end(certificate: x509.Certificate) -> float:
    return certificate.not_valid_after_utc.timestamp()


def _utc(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _day(seconds: float) -> str:
    return _utc(seconds).date().isoformat()


def _unusable(path: Path, cause: OSError) -> FerWebError:
    return SetupError(
        f"The authority {path} cannot be used ({cause.strerror}). Mend that, or name another folder with "
        "--data-dir."
    )


def _broken(path: Path, what: str) -> FerWebError:
    return SetupError(
        f"{path} {what}. Restore it, or delete it: the next start makes a new authority, which every device "
        "has to trust anew."
    )
