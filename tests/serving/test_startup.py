import re

import cv2
import numpy as np
import pytest

from fer_web.errors import SettingsError
from fer_web.serving.listeners import Listener, open_listener
from fer_web.serving.startup import address_limit, checked_sharing, greeting, link_greeting, share_greeting
from fer_web.settings import Settings
from fer_web.sharing.types import ShareAddress

TOKEN = "x" * 24


class FakeNetwork:
    def __init__(self, *addresses, fingerprint="AB:CD"):
        self._addresses = addresses
        self.fingerprint = fingerprint
        self.authority_pem = None

    def addresses(self):
        return self._addresses

    def hosts(self):
        return frozenset()


LAN = ShareAddress("https://192.168.1.5:5443", "lan")
VPN = ShareAddress("https://10.8.0.2:5443", "vpn")


@pytest.fixture
def listener():
    with open_listener("127.0.0.1", 0) as item:
        yield Listener(item)


def test_sharing_in_debug_mode_is_refused():
    with pytest.raises(SettingsError, match=r"FLASK_DEBUG is on.*start without --share"):
        checked_sharing(Settings(share="on"), debug=True)
    assert checked_sharing(Settings(), debug=True) == Settings()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::1"])
def test_sharing_with_a_host_is_refused_with_what_to_do(host):
    with pytest.raises(SettingsError, match=f"--host is {host}.*Leave --host out"):
        checked_sharing(Settings(share="on", host=host), debug=False)


def test_sharing_keeps_the_public_url_in_its_one_form():
    settings = checked_sharing(Settings(share="on", public_url="https://FER.example.org/"), debug=False)
    assert settings.public_url == "https://fer.example.org"


def test_share_greeting_says_where_with_which_fingerprint_and_ends_with_the_local_address(listener):
    *lines, last = share_greeting(FakeNetwork(LAN, VPN), listener, TOKEN)
    text = "\n".join(lines)
    assert "Shared at https://192.168.1.5:5443, for those with a link" in lines
    assert "Shared at https://10.8.0.2:5443 (VPN), for those with a link" in lines
    assert "https://192.168.1.5:5443/trust" in text
    assert "AB:CD" in text
    assert f"open http://127.0.0.1:{listener.port}/?host={TOKEN} " in last


def test_share_greeting_with_a_certificate_of_ones_own_says_nothing_of_trust(listener):
    text = "\n".join(share_greeting(FakeNetwork(LAN, fingerprint=None), listener, TOKEN))
    assert "trust" not in text
    assert "SHA-256" not in text


def test_share_greeting_without_a_network_says_so(listener):
    text = "\n".join(share_greeting(FakeNetwork(), listener, TOKEN))
    assert "no address on any network" in text
    assert "Shared at" not in text


def test_greeting_of_a_server_that_is_not_shared_is_the_address_of_the_host(listener):
    (line,) = greeting(Settings(), listener, TOKEN)
    assert f"open http://127.0.0.1:{listener.port}/?host={TOKEN} " in line


def test_greeting_for_every_address_ends_with_the_one_of_this_machine():
    with open_listener("0.0.0.0", 0) as item:
        warning, last = greeting(Settings(host="0.0.0.0"), Listener(item), TOKEN)
    assert "make share" in warning
    assert f"open http://127.0.0.1:{item_port(last)}/?host={TOKEN} " in last


def item_port(line):
    return re.search(r":(\d+)/", line)[1]


def test_link_greeting_has_the_link_and_a_code_that_decodes_to_it():
    drawing, line = link_greeting(FakeNetwork(LAN, VPN), TOKEN, "utf-8")
    url = f"https://192.168.1.5:5443/l/{TOKEN}"
    assert line.endswith(url)
    assert cv2.QRCodeDetector().detectAndDecode(picture_of(drawing))[0] == url


def picture_of(drawing):
    """What a terminal shows, dark with light letters, as grey pixels."""
    halves = {" ": (0, 0), "\u2580": (255, 0), "\u2584": (0, 255), "\u2588": (255, 255)}
    rows = []
    for line in drawing.splitlines():
        rows.append([halves[mark][0] for mark in line])
        rows.append([halves[mark][1] for mark in line])
    return np.kron(np.array(rows, np.uint8), np.ones((8, 8), np.uint8))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", None, "no-such"])
def test_link_greeting_where_the_terminal_has_no_blocks_is_text_alone(encoding):
    (line,) = link_greeting(FakeNetwork(LAN), TOKEN, encoding)
    line.encode("ascii")
    assert TOKEN in line


def test_link_greeting_without_a_network_is_silent():
    assert list(link_greeting(FakeNetwork(), TOKEN, "utf-8")) == []


def test_link_greeting_of_a_link_that_ended_is_silent():
    assert list(link_greeting(FakeNetwork(LAN), None, "utf-8")) == []


def test_peer_limit_behind_proxies_counts_no_address():
    def held(settings):
        limit = address_limit(settings)
        return sum(limit.enter("192.168.1.7") for _ in range(100))

    assert held(Settings()) == 64
    assert held(Settings(proxies=1)) == min(100, address_limit(Settings())._total)
