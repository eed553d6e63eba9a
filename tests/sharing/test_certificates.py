import datetime
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from fer_web.errors import SettingsError, SetupError
from fer_web.sharing.certificates import (
    AUTHORITY_FILE,
    LIFE_S,
    OwnCertificate,
    certificate_source,
    load_or_create,
)
from tests.support.certificates import certificate_of

NOW_S = time.time()
DAY_S = 86400.0
OWN = ["fer.example.org"]
"""Names that are no local ones."""
NAMES = ["192.168.1.5", "fd00::7", "laptop.local", "fer.example.org"]


def test_authority_is_made_once_and_kept(tmp_path):
    first = load_or_create(tmp_path / "tls", NOW_S, OWN)
    again = load_or_create(tmp_path / "tls", NOW_S, OWN)
    assert again.certificate_pem == first.certificate_pem
    assert load_or_create(tmp_path / "other", NOW_S, OWN).certificate_pem != first.certificate_pem
    assert [path.name for path in (tmp_path / "tls").iterdir()] == [AUTHORITY_FILE]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_authority_is_for_its_owner_alone_even_where_it_was_not(tmp_path):
    folder = tmp_path / "tls"
    load_or_create(folder, NOW_S, OWN)
    for expected, path in ((0o700, folder), (0o600, folder / AUTHORITY_FILE)):
        assert stat.S_IMODE(path.stat().st_mode) == expected
        path.chmod(0o755)
    load_or_create(folder, NOW_S, OWN)
    for expected, path in ((0o700, folder), (0o600, folder / AUTHORITY_FILE)):
        assert stat.S_IMODE(path.stat().st_mode) == expected


def test_authority_certificate_holds_no_key_and_its_fingerprint_is_openssls(tmp_path):
    authority = load_or_create(tmp_path, NOW_S, OWN)
    assert b"PRIVATE" not in authority.certificate_pem
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=authority.certificate_pem,
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert said.strip().split("=")[1] == authority.fingerprint


def test_authority_may_sign_servers_but_no_further_authority(tmp_path):
    certificate = x509.load_pem_x509_certificate(load_or_create(tmp_path, NOW_S, OWN).certificate_pem)
    limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert "fer-web" in certificate.subject.rfc4514_string()


@pytest.mark.parametrize("name", [*NAMES, "127.0.0.1", "::1", "localhost"])
def test_certificate_serves_every_name_and_address(tmp_path, name):
    authority = load_or_create(tmp_path, NOW_S, OWN)
    issued = authority.issue(NAMES, NOW_S)
    assert certificate_of(issued.context, authority.certificate_pem, name)
    assert issued.covers(name)


def test_certificate_is_refused_for_another_name_and_by_who_does_not_trust_the_authority(tmp_path):
    authority = load_or_create(tmp_path / "a", NOW_S, OWN)
    outsider = load_or_create(tmp_path / "b", NOW_S, OWN)
    issued = authority.issue(NAMES, NOW_S)
    assert not issued.covers("192.168.1.6")
    with pytest.raises(ssl.SSLCertVerificationError):
        certificate_of(issued.context, authority.certificate_pem, "192.168.1.6")
    with pytest.raises(ssl.SSLCertVerificationError):
        certificate_of(issued.context, outsider.certificate_pem, "192.168.1.5")


def test_certificate_fits_what_every_system_accepts(tmp_path):
    authority = load_or_create(tmp_path, NOW_S, OWN)
    issued = authority.issue(NAMES, NOW_S)
    shown = x509.load_der_x509_certificate(
        certificate_of(issued.context, authority.certificate_pem, "fd00::7")
    )
    life = shown.not_valid_after_utc - shown.not_valid_before_utc
    assert datetime.timedelta(days=60) < life <= datetime.timedelta(days=825)
    assert shown.not_valid_before_utc < datetime.datetime.now(datetime.UTC)
    usage = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in usage
    alternatives = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(ip) for ip in alternatives.get_values_for_type(x509.IPAddress)} >= {"192.168.1.5", "fd00::7"}
    assert set(alternatives.get_values_for_type(x509.DNSName)) >= {"laptop.local", "fer.example.org"}


def test_no_key_of_the_server_stays_on_the_disk(tmp_path):
    load_or_create(tmp_path, NOW_S, OWN).issue(NAMES, NOW_S)
    assert [path.name for path in tmp_path.iterdir()] == [AUTHORITY_FILE]


def test_old_tls_is_refused(tmp_path):
    authority = load_or_create(tmp_path, NOW_S, OWN)
    assert authority.issue([], NOW_S).context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("days", "names", "is_due"),
    [
        (0, NAMES, False),
        (0, NAMES[:2], False),
        (58, NAMES, False),
        (60, NAMES, True),
        (100, NAMES, True),
        (-2, NAMES, True),
        (0, [*NAMES, "10.0.0.9"], True),
        (0, [], False),
    ],
)
def test_local_certificate_is_due_for_a_new_name_and_a_month_before_its_end(tmp_path, days, names, is_due):
    authority = load_or_create(tmp_path, NOW_S, OWN)
    issued = authority.issue(NAMES, NOW_S)
    assert authority.is_due(issued, names, NOW_S + days * DAY_S) == is_due
    assert issued.ends_s - issued.begins_s == LIFE_S


def broken_authority(path, *, certificate=None, key=None):
    load_or_create(path.parent, NOW_S, OWN)
    other = trustme.CA()
    path.write_bytes(
        (other.private_key_pem.bytes() if key is None else key)
        + (trustme.CA().cert_pem.bytes() if certificate is None else certificate)
    )


@pytest.mark.parametrize("content", [b"", b"text", b"-----BEGIN CERTIFICATE-----\nabc", b"\xff\x00" * 500])
def test_broken_authority_is_named_with_what_to_do(tmp_path, content):
    (tmp_path / AUTHORITY_FILE).write_bytes(content)
    with pytest.raises(SetupError, match=r"authority\.pem holds no authority.*Restore it, or delete it"):
        load_or_create(tmp_path, NOW_S, OWN)


def test_cut_authority_is_named(tmp_path):
    load_or_create(tmp_path, NOW_S, OWN)
    path = tmp_path / AUTHORITY_FILE
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SetupError, match="holds no authority"):
        load_or_create(tmp_path, NOW_S, OWN)


def test_authority_whose_key_is_anothers_is_named(tmp_path):
    broken_authority(tmp_path / AUTHORITY_FILE)
    with pytest.raises(SetupError, match=r"do not belong together.*delete it"):
        load_or_create(tmp_path, NOW_S, OWN)


def test_authority_that_is_none_is_named(tmp_path):
    leaf = trustme.CA().issue_cert("example.org")
    (tmp_path / AUTHORITY_FILE).write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    with pytest.raises(SetupError, match="Restore it, or delete it"):
        load_or_create(tmp_path, NOW_S, OWN)


def test_authority_out_of_its_time_is_named_with_its_days(tmp_path):
    load_or_create(tmp_path, NOW_S, OWN)
    with pytest.raises(SetupError, match=r"is valid from 2000-01-01 to 3000-01-01 only\. Restore it, or"):
        load_or_create(tmp_path, NOW_S - 40 * 365 * DAY_S)


def test_authority_in_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "tls").write_text("")
    with pytest.raises(SetupError, match=r"cannot be used .*--data-dir"):
        load_or_create(tmp_path / "tls", NOW_S, OWN)


def test_authority_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    load_or_create(tmp_path, NOW_S, OWN)
    monkeypatch.setattr(Path, "read_bytes", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(SetupError, match=r"cannot be used \(Permission denied\).*--data-dir"):
        load_or_create(tmp_path, NOW_S, OWN)


# One's own certificate


@pytest.fixture
def own(tmp_path):
    """Paths of a certificate and its key, and the authority that signed it."""
    authority = trustme.CA()
    write_own(tmp_path, authority, "fer.example.org", "*.home.example", "192.168.1.5")
    return tmp_path / "cert.pem", tmp_path / "key.pem", authority


def write_own(folder, authority, *names, **options):
    leaf = authority.issue_cert(*names, **options)
    (folder / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    (folder / "key.pem").write_bytes(leaf.private_key_pem.bytes())


def test_own_certificate_serves_and_knows_what_it_covers(own):
    cert, key, authority = own
    issued = OwnCertificate(cert, key).issue(["192.168.1.5"], NOW_S)
    assert certificate_of(issued.context, authority.cert_pem.bytes(), "fer.example.org")
    covered = ("fer.example.org", "FER.example.org", "a.home.example", "192.168.1.5")
    assert all(issued.covers(name) for name in covered)
    assert not any(issued.covers(name) for name in ("a.b.home.example", "home.example", "192.168.1.6"))


def test_own_certificate_is_read_again_when_its_files_change(own):
    cert, key, authority = own
    source = OwnCertificate(cert, key)
    first = source.issue([], NOW_S)
    assert not source.is_due(first, ["10.0.0.9"], NOW_S + 1000 * DAY_S)
    assert source.is_due(first, [], first.ends_s + 1)
    write_own(cert.parent, authority, "new.example.org")
    assert source.is_due(first, [], NOW_S)
    second = source.issue([], NOW_S)
    assert second.covers("new.example.org")
    assert not source.is_due(second, [], NOW_S)


def refused(own, message):
    with pytest.raises(SettingsError, match=message):
        OwnCertificate(own[0], own[1]).issue([], NOW_S)


@pytest.mark.parametrize(("index", "option"), [(0, "--cert"), (1, "--key")])
def test_own_certificate_missing_file_is_named(own, index, option):
    own[index].unlink()
    refused(own, rf"{option} .*cannot be read \(No such file")


def test_own_certificate_not_pem_is_named(own):
    own[0].write_bytes(b"\x30\x82")
    refused(own, r"--cert .*cert\.pem holds no certificate in PEM form")


def test_own_key_not_pem_is_named(own):
    own[1].write_bytes(own[0].read_bytes())
    refused(own, r"--key .*key\.pem holds no private key in PEM form")


def test_own_key_of_another_certificate_is_named(own):
    own[1].write_bytes(trustme.CA().private_key_pem.bytes())
    refused(own, r"--key .* is not the key of --cert")


def test_own_key_with_a_passphrase_is_named_with_the_command(own):
    key = load_pem_private_key(own[1].read_bytes(), None)
    own[1].write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    refused(own, r"protected by a passphrase.*openssl pkey")


def test_own_certificate_that_ended_is_named_with_its_days(own):
    write_own(own[0].parent, own[2], "a.example", not_after=datetime.datetime(2020, 5, 4))
    refused(own, r"valid from 2000-01-01 to 2020-05-04, and today is 20.*Renew it")


@pytest.mark.parametrize(
    ("cert", "key", "message"), [("a", "", "--cert is given without --key"), ("", "b", "--key is given with")]
)
def test_own_certificate_needs_both_options(tmp_path, cert, key, message):
    with pytest.raises(SettingsError, match=message):
        certificate_source(cert, key, tmp_path, NOW_S)


def test_certificate_source_takes_own_files_before_the_authority(own, tmp_path):
    assert certificate_source(str(own[0]), str(own[1]), tmp_path, NOW_S).authority is None
    assert not (tmp_path / "tls").exists()
    assert certificate_source("", "", tmp_path, NOW_S).authority is not None
    assert (tmp_path / "tls" / AUTHORITY_FILE).exists()
