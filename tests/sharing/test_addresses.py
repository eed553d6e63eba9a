import ipaddress
import socket

import pytest
from ifaddr import IP, Adapter

from fer_web.errors import SettingsError
from fer_web.sharing.addresses import (
    checked_public_url,
    local_name,
    outgoing_addresses,
    reachable_addresses,
    url_host,
)


def adapter(name, *addresses, nice_name=None):
    ips = [
        IP((address, 0, 0) if ":" in address else address, 64 if ":" in address else 24, name)
        for address in addresses
    ]
    return Adapter(name, nice_name or name, ips)


def found(*adapters, **options):
    return [(str(item.ip), item.kind) for item in reachable_addresses(lambda: adapters, **options)]


def test_reachable_addresses_of_a_machine_without_network_is_empty():
    assert found(adapter("lo", "127.0.0.1", "::1"), adapter("eth0", "fe80::1", "169.254.3.4")) == []


def test_reachable_addresses_several_networks_ipv4_first():
    assert found(
        adapter("wlan0", "fd00::7", "2001:db8::7", "192.168.7.7", "fe80::7"),
        adapter("eth0", "192.168.1.5"),
    ) == [
        ("192.168.1.5", "lan"),
        ("192.168.7.7", "lan"),
        ("2001:db8::7", "lan"),
        ("fd00::7", "lan"),
    ]


@pytest.mark.parametrize(
    ("name", "nice_name", "kind"),
    [
        ("eth0", None, "lan"),
        ("enp3s0", None, "lan"),
        ("en0", None, "lan"),
        ("wlp2s0", None, "lan"),
        ("br0", None, "lan"),
        ("br-lan", None, "lan"),
        ("bridge0", None, "lan"),
        ("{846EE342}", "Intel(R) Wi-Fi 6 AX201", "lan"),
        ("tun0", None, "vpn"),
        ("tap1", None, "vpn"),
        ("wg0", None, "vpn"),
        ("utun3", None, "vpn"),
        ("tailscale0", None, "vpn"),
        ("ztabcdef12", None, "vpn"),
        ("ppp0", None, "vpn"),
        ("{846EE342}", "WireGuard Tunnel", "vpn"),
        ("{846EE342}", "TAP-Windows Adapter V9", "vpn"),
        ("docker0", None, "container"),
        ("br-1a2b3c4d5e6f", None, "container"),
        ("veth12ab", None, "container"),
        ("cni0", None, "container"),
        ("cni-podman0", None, "container"),
        ("podman1", None, "container"),
        ("virbr0", None, "container"),
        ("vboxnet0", None, "container"),
        ("vmnet8", None, "container"),
        ("bridge100", None, "container"),
        ("{846EE342}", "Hyper-V Virtual Ethernet Adapter", "container"),
    ],
)
def test_interfaces_are_told_apart_by_name(name, nice_name, kind):
    assert found(adapter(name, "10.0.0.1", nice_name=nice_name)) == [("10.0.0.1", kind)]


def test_reachable_addresses_vpn_and_containers_come_last():
    assert found(
        adapter("docker0", "172.17.0.1"), adapter("tun0", "10.8.0.2"), adapter("eth0", "fd00::2", "192.0.2.2")
    ) == [("192.0.2.2", "lan"), ("fd00::2", "lan"), ("10.8.0.2", "vpn"), ("172.17.0.1", "container")]


def test_reachable_addresses_preferred_is_first_among_its_kind():
    def preferred():
        return [ipaddress.ip_address("192.168.7.7"), ipaddress.ip_address("10.8.0.2")]

    addresses = found(
        adapter("eth0", "192.168.1.5"),
        adapter("wlan0", "192.168.7.7"),
        adapter("tun0", "10.8.0.2"),
        preferred=preferred,
    )
    assert [ip for ip, _ in addresses] == ["192.168.7.7", "192.168.1.5", "10.8.0.2"]


def test_reachable_addresses_where_the_system_does_not_say_is_empty():
    def broken():
        raise OSError("no netlink")

    assert reachable_addresses(broken) == []


def test_reachable_addresses_of_this_machine_are_real_ones():
    for item in reachable_addresses():
        family = socket.AF_INET6 if item.ip.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((str(item.ip), 0))
    assert {str(ip) for ip in outgoing_addresses()}.isdisjoint({"127.0.0.1", "0.0.0.0"})


def answers(*addresses):
    return lambda *_args, **_options: [(0, 0, 0, "", (address, 0)) for address in addresses]


def no_answer(*_args, **_options):
    raise socket.gaierror(-2, "Name or service not known")


OWN = [ipaddress.ip_address("192.168.1.5"), ipaddress.ip_address("fd00::7")]


@pytest.mark.parametrize(
    ("resolver", "name"),
    [
        (answers("192.168.1.5"), "laptop.local"),
        (answers("127.0.0.1", "fd00::7"), "laptop.local"),
        (answers("fe80::7%eth0", "192.168.1.9"), None),
        (answers("127.0.1.1"), None),
        (no_answer, None),
    ],
    ids=["ours", "one-of-them", "another-machine", "loopback", "unknown"],
)
def test_local_name_only_where_it_leads_to_this_machine(monkeypatch, resolver, name):
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert local_name(OWN, "Laptop.fritz.box") == name


@pytest.mark.parametrize("hostname", ["localhost", "my laptop", "-x", "a_b", "x" * 64])
def test_local_name_that_cannot_be_one_is_not_asked_for(monkeypatch, hostname):
    monkeypatch.setattr(socket, "getaddrinfo", answers("192.168.1.5"))
    assert local_name(OWN, hostname) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://fer.example.org", "https://fer.example.org"),
        ("https://fer.example.org/", "https://fer.example.org"),
        (" https://FER.example.org:8443 ", "https://fer.example.org:8443"),
        ("https://192.168.1.5:5443", "https://192.168.1.5:5443"),
        ("https://[FD00::0007]:5443", "https://[fd00::7]:5443"),
        ("https://büro.example", "https://xn--bro-hoa.example"),
        ("https://laptop", "https://laptop"),
    ],
)
def test_public_url_is_scheme_host_and_port(text, url):
    assert checked_public_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://fer.example.org",
        "fer.example.org",
        "https://",
        "https:///path",
        "https://fer.example.org/path",
        "https://fer.example.org?x=1",
        "https://fer.example.org#x",
        "https://user@fer.example.org",
        "https://user:word@fer.example.org",
        "https://fer.example.org:port",
        "https://fer.example.org:99999",
        "https://[fd00::7",
        "https://a..b",
        "https://-a.example",
        "https://a b",
        "https://a,b",
        "",
    ],
)
def test_public_url_of_another_form_is_refused_with_an_example(text):
    with pytest.raises(SettingsError, match=r"--public-url is .*https://fer\.example\.org"):
        checked_public_url(text)


def test_url_host_brackets_ipv6():
    assert [url_host(ip) for ip in OWN] == ["192.168.1.5", "[fd00::7]"]
