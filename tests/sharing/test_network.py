import ipaddress
import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import trustme

from fer_web.errors import SettingsError, SetupError
from fer_web.settings import Settings
from fer_web.sharing import network as network_module
from fer_web.sharing.addresses import MachineAddress
from fer_web.sharing.certificates import OwnCertificate, load_or_create
from fer_web.sharing.network import NAME_EVERY_S, LocalNetwork, NameLookup, open_network
from fer_web.sharing.types import ShareAddress
from tests.support.certificates import certificate_of

DAY_S = 86400.0


def machine(*texts):
    return [MachineAddress(ipaddress.ip_address(text), "lan") for text in texts]


class Machine:
    """Addresses, a clock and a terminal of a test's own."""

    def __init__(self, folder, *addresses):
        self.folder = folder
        self.found = machine(*addresses)
        self.name = None
        self.now_s = time.time()
        self.said = []

    def network(self, source=None, **options):
        source = source or load_or_create(self.folder / "tls", self.now_s, ["fer.example.org"])
        names = NameLookup(lambda _own: self.name, clock=lambda: 0.0)
        return LocalNetwork(
            source,
            5443,
            find=lambda: self.found,
            names=names,
            clock=lambda: self.now_s,
            say=self.said.append,
            **options,
        )


@pytest.fixture
def box(tmp_path):
    return Machine(tmp_path, "192.168.1.5", "fd00::7")


def urls(network):
    return [item.url for item in network.addresses()]


def served(network, name):
    return certificate_of(network.ssl_context(), network.authority_pem, name)


def test_network_names_every_address_and_its_certificate_covers_them(box):
    box.name = "laptop.local"
    network = box.network(public_url="https://fer.example.org")
    assert network.addresses() == (
        ShareAddress("https://fer.example.org", "public"),
        ShareAddress("https://laptop.local:5443", "name"),
        ShareAddress("https://192.168.1.5:5443", "lan"),
        ShareAddress("https://[fd00::7]:5443", "lan"),
    )
    assert network.hosts() == {"fer.example.org", "laptop.local", "192.168.1.5", "[fd00::7]"}
    for name in ("fer.example.org", "laptop.local", "192.168.1.5", "fd00::7"):
        assert served(network, name)


def test_address_change_gets_a_certificate_a_line_and_tells_subscribers(box):
    network = box.network()
    heard = []
    network.subscribe(lambda: heard.append((urls(network), bool(served(network, "10.0.0.9")))))
    network.look()
    assert (heard, box.said) == ([], [])
    box.found = machine("10.0.0.9")
    network.look()
    assert heard == [(["https://10.0.0.9:5443"], True)]
    assert box.said == ["This machine's addresses changed: https://10.0.0.9:5443"]
    network.look()
    assert len(heard) == len(box.said) == 1


def test_without_any_network_sharing_waits_for_one(box):
    box.found = []
    network = box.network()
    assert (urls(network), network.hosts()) == ([], frozenset())
    assert served(network, "127.0.0.1")
    box.found = machine("10.0.0.9")
    network.look()
    assert served(network, "10.0.0.9")


def test_losing_the_network_is_told_once(box):
    network = box.network()
    box.found = []
    network.look()
    network.look()
    (line,) = box.said
    assert "it has none on a network now" in line
    assert network.addresses() == ()


def test_certificate_renews_itself_while_running_without_a_word(box):
    # Clients know the real time alone: the first certificate was made long ago and is still valid today.
    box.now_s -= 65 * DAY_S
    network = box.network()
    first = served(network, "192.168.1.5")
    box.now_s += 50 * DAY_S
    network.look()
    assert served(network, "192.168.1.5") == first
    box.now_s += 15 * DAY_S
    network.look()
    assert served(network, "192.168.1.5") != first
    assert box.said == []


def test_certificate_that_cannot_be_renewed_stays_and_is_told_once(box):
    network = box.network()
    first = served(network, "192.168.1.5")
    (box.folder / "tls").rename(box.folder / "away")
    box.found = machine("192.168.1.5", "10.0.0.9")
    network.look()
    network.look()
    assert served(network, "192.168.1.5") == first
    assert sum("The certificate stays as it is" in line for line in box.said) == 1
    (box.folder / "away").rename(box.folder / "tls")
    network.look()
    assert served(network, "10.0.0.9")


def test_own_certificate_that_ends_while_running_is_told_once_and_its_renewal_taken(box):
    cert, key = box.folder / "cert.pem", box.folder / "key.pem"
    authority = trustme.CA()

    def write(ends_s):
        leaf = authority.issue_cert("192.168.1.5", not_after=datetime.fromtimestamp(ends_s, UTC))
        leaf.cert_chain_pems[0].write_to_path(cert)
        leaf.private_key_pem.write_to_path(key)

    write(box.now_s + DAY_S)
    network = box.network(OwnCertificate(cert, key))
    box.now_s += 2 * DAY_S
    network.look()
    network.look()
    (line,) = box.said
    assert "The certificate stays as it is" in line
    assert "Renew it" in line
    write(box.now_s + 90 * DAY_S)
    network.look()
    assert certificate_of(network.ssl_context(), authority.cert_pem.bytes(), "192.168.1.5")
    assert len(box.said) == 1


class FakeSource:
    """A certificate of the user's own, for one name."""

    authority = None

    def __init__(self, folder, name):
        self._authority = load_or_create(folder / "own", time.time(), [name])
        self._name = name

    def issue(self, _names, now_s):
        return self._authority.issue([self._name], now_s)

    def is_due(self, _current, _names, _now_s):
        return False


def test_own_certificate_has_no_fingerprint_and_puts_what_it_covers_first(box):
    network = box.network(FakeSource(box.folder, "fd00::7"))
    assert (network.fingerprint, network.authority_pem) == (None, None)
    assert urls(network) == ["https://[fd00::7]:5443", "https://192.168.1.5:5443"]


def test_own_certificate_that_covers_no_address_is_a_warning(box, caplog):
    network = box.network(FakeSource(box.folder, "other.example"))
    assert len(urls(network)) == 2
    (record,) = caplog.records
    assert "other.example" in record.getMessage()
    assert "192.168.1.5" in record.getMessage()


def test_own_certificate_public_url_stays_first(box):
    network = box.network(FakeSource(box.folder, "fd00::7"), public_url="https://fer.example.org")
    assert urls(network)[:2] == ["https://fer.example.org", "https://[fd00::7]:5443"]


def test_open_network_looks_by_itself_and_stops(box, monkeypatch):
    monkeypatch.setattr(network_module, "LOOK_EVERY_S", 0.01)
    network = box.network()
    changed = threading.Event()
    network.subscribe(changed.set)
    network.open()
    box.found = machine("10.0.0.9")
    assert changed.wait(60)
    network.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "network"]


def test_a_look_that_fails_is_logged_and_the_next_one_is_taken(box, monkeypatch, caplog):
    monkeypatch.setattr(network_module, "LOOK_EVERY_S", 0.01)
    network = box.network()
    looks = []
    done = threading.Event()

    def look():
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("broken")
        done.set()

    monkeypatch.setattr(network, "look", look)
    network.open()
    assert done.wait(60)
    network.stop()
    assert "could not be looked at" in caplog.text


OWN = [ipaddress.ip_address("192.168.1.5")]
OTHER = [ipaddress.ip_address("10.0.0.9")]


def test_name_is_asked_for_again_when_addresses_change_or_time_has_passed():
    clock = SimpleNamespace(now=0.0)
    asked = []

    def ask(own):
        asked.append(set(own))
        return f"laptop{len(asked)}.local"

    names = NameLookup(ask, clock=lambda: clock.now)

    def name(own):
        names.name(own)
        names.wait(60)
        return names.name(own)

    assert name([]) is None
    assert (name(OWN), name(OWN)) == ("laptop1.local",) * 2
    assert name(OTHER) == "laptop2.local"
    clock.now = NAME_EVERY_S + 1
    assert name(OTHER) == "laptop3.local"
    assert asked == [set(OWN), set(OTHER), set(OTHER)]


def test_slow_name_holds_nothing_up():
    answer = threading.Event()
    names = NameLookup(lambda _own: "laptop.local" if answer.wait(60) else None)
    assert [names.name(OWN) for _ in range(100)] == [None] * 100
    answer.set()
    names.wait(60)
    assert names.name(OWN) == "laptop.local"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"public_url": "http://x"}, SettingsError, "--public-url"),
        ({"cert": "a.pem"}, SettingsError, "--cert is given without --key"),
        ({"cert": "missing.pem", "key": "missing.pem"}, SettingsError, "--cert missing.pem cannot be read"),
    ],
)
def test_open_network_names_the_option_that_is_wrong(tmp_path, options, kind, message):
    with pytest.raises(kind, match=message):
        open_network(Settings(share="on", data_dir=tmp_path, **options), 5443)


def test_open_network_broken_authority_is_named(tmp_path):
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "authority.pem").write_text("x")
    with pytest.raises(SetupError, match=r"authority\.pem"):
        open_network(Settings(share="on", data_dir=tmp_path), 5443)
