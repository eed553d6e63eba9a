import ipaddress

import pytest

from fer_web.sharing.addresses import MachineAddress
from fer_web.sharing.plain_network import PlainNetwork

PUBLIC = "https://fer.example.org"
FOUND = [
    MachineAddress(ipaddress.ip_address("192.168.1.5"), "lan"),
    MachineAddress(ipaddress.ip_address("fd00::5"), "lan"),
    MachineAddress(ipaddress.ip_address("10.8.0.2"), "vpn"),
]


@pytest.mark.parametrize(
    ("host", "public_url", "expected"),
    [
        ("0.0.0.0", "", [("http://192.168.1.5:8000", "lan"), ("http://10.8.0.2:8000", "vpn")]),
        ("::", "", [("http://[fd00::5]:8000", "lan")]),
        ("192.168.1.5", "", [("http://192.168.1.5:8000", "lan")]),
        ("fd00::5", "", [("http://[fd00::5]:8000", "lan")]),
        ("fer-host", "", [("http://fer-host:8000", "lan")]),
        ("127.0.0.1", "", []),
        ("::1", "", []),
        ("localhost", PUBLIC, [(PUBLIC, "public")]),
        ("192.168.1.5", PUBLIC, [(PUBLIC, "public"), ("http://192.168.1.5:8000", "lan")]),
    ],
)
def test_addresses_are_those_that_the_server_listens_on_after_the_public_one(host, public_url, expected):
    network = PlainNetwork(host, 8000, public_url, find=lambda: FOUND)
    assert [(each.url, each.kind) for each in network.addresses()] == expected
