"""What our authority may sign for, as OpenSSL sees it."""

import logging
import subprocess
import time

import pytest
import trustme
from cryptography import x509

from fer_web.sharing.certificates import AUTHORITY_FILE, load_or_create
from fer_web.sharing.name_constraints import constraints_for, is_permitted

OWN = ["fer.example.org", "203.0.113.9", "2001:db8:1:2::9"]
ALLOWED = [
    *("10.1.2.3", "172.31.0.1", "192.168.255.1", "100.64.0.1", "169.254.1.1", "127.0.0.1", "::1", "fd00::7"),
    *("fe80::1", "localhost", "laptop.local", "fer.home.arpa", "FER.example.org", "203.0.113.9"),
    "2001:db8:1:2:3::4",
]
REFUSED = [
    *(
        "example.com",
        "www.example.org",
        "example.org",
        "xfer.example.org",
        "notlocal",
        "mylocal",
        "local.com",
    ),
    *("8.8.8.8", "172.32.0.1", "203.0.113.10", "2001:db8:1:3::9", "2606:4700::1111", "192.169.0.1"),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    load_or_create(folder, time.time(), OWN)
    return folder / AUTHORITY_FILE


def verified(authority, name, tmp_path):
    """Whether OpenSSL accepts a certificate for this name that the authority's key signed."""
    pem = authority.read_bytes()
    leaf = trustme.CA.from_pem(pem, pem).issue_cert(name.lower())
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "leaf.pem")
    command = ["openssl", "verify", "-x509_strict", "-CAfile", str(authority), str(tmp_path / "leaf.pem")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 or "permitted subtree violation" in done.stderr, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize(
    ("name", "is_allowed"), [*((n, True) for n in ALLOWED), *((n, False) for n in REFUSED)]
)
def test_openssl_and_we_agree_on_what_it_may_sign_for(authority, tmp_path, name, is_allowed):
    assert verified(authority, name, tmp_path) is is_allowed
    assert is_permitted(constraints_for(OWN), name) is is_allowed


def test_names_that_it_may_not_sign_for_are_left_out_and_told_once(tmp_path, caplog):
    authority = load_or_create(tmp_path, time.time())
    names = ["192.168.1.5", "example.com"]
    with caplog.at_level(logging.WARNING):
        issued = authority.issue(names, time.time())
        authority.issue(names, time.time())
    assert issued.covers("192.168.1.5")
    assert not issued.covers("example.com")
    assert not authority.is_due(issued, names, time.time())
    assert [record.getMessage().count("example.com") for record in caplog.records] == [1]
    assert authority.advice is None


def test_an_authority_of_an_earlier_version_is_kept_and_serves_every_name_with_a_word_about_it(tmp_path):
    old = trustme.CA(path_length=0, organization_name="fer-web")
    (tmp_path / AUTHORITY_FILE).write_bytes(old.private_key_pem.bytes() + old.cert_pem.bytes())
    authority = load_or_create(tmp_path, time.time(), OWN)
    assert authority.certificate_pem == old.cert_pem.bytes()
    assert authority.issue(["example.com"], time.time()).covers("example.com")
    assert f"{AUTHORITY_FILE} is of an earlier version: it is kept" in authority.advice


def test_the_constraints_are_critical(authority):
    certificate = x509.load_pem_x509_certificates(authority.read_bytes())[0]
    assert certificate.extensions.get_extension_for_class(x509.NameConstraints).critical
