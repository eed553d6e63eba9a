"""Which addresses a webhook may call, whatever a name server says."""

import socket

import pytest

from fer_web.events.checked_connection import CheckedConnection, checked_addresses, is_public
from fer_web.events.delivery import ReceiverError


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.9", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.2", "240.0.0.1"),
        *("::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "2001:db8::1"),
        *(
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::1",
            "2002:a00:1::",
        ),
    ],
)
def test_addresses_that_are_not(address):
    assert not is_public(address)


def answers(*addresses):
    def look_up(host, port, **_options):
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    return look_up


def test_private_addresses_are_left_out_unless_they_are_allowed():
    mixed = answers("10.0.0.1", "8.8.8.8")
    assert [each[4] for each in checked_addresses("x.example", 443, allow_private=False, look_up=mixed)] == [
        ("8.8.8.8", 443)
    ]
    assert len(checked_addresses("x.example", 443, allow_private=True, look_up=mixed)) == 2
    with pytest.raises(ReceiverError, match=r"no public address.*allow_private = true"):
        checked_addresses("x.example", 443, allow_private=False, look_up=answers("10.0.0.1", "::1"))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "::1", "0", "017700000001"])
def test_other_ways_to_write_this_machine(host):
    with pytest.raises(ReceiverError):
        checked_addresses(host, 80, allow_private=False)


def test_a_name_that_changes_after_it_was_checked_leads_nowhere_else(monkeypatch):
    """DNS rebinding: the second answer of a name server is never asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        addresses = checked_addresses(
            "rebind.example", port, allow_private=True, look_up=answers("127.0.0.1")
        )

        def forbidden(*_arguments, **_options):
            raise AssertionError("the name was looked up again")

        monkeypatch.setattr(socket, "getaddrinfo", forbidden)
        connection = CheckedConnection("rebind.example", port, addresses, None, 5)
        connection.connect()
        assert connection.sock.getpeername() == ("127.0.0.1", port)
        connection.close()
