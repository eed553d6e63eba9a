import socket
import threading

import pytest

from fer_web.errors import PortTakenError
from fer_web.serving import listeners
from fer_web.serving.listeners import (
    MAX_PER_ADDRESS,
    MAX_PER_NETWORK,
    AddressLimit,
    open_everywhere,
    open_listener,
)
from fer_web.serving.threaded_server import ThreadedServer


def entered(address_limit, address, tries):
    return sum(address_limit.enter(address) for _ in range(tries))


def test_peer_limit_loopback_is_not_counted():
    address_limit = AddressLimit()
    assert entered(address_limit, "127.0.0.1", 5000) == 5000
    assert entered(address_limit, "::1", 5000) == 5000


@pytest.mark.parametrize("address", ["192.168.1.7", "fd00::7", "fe80::7%eth0"])
def test_peer_limit_one_address_has_its_share_and_others_theirs(address):
    address_limit = AddressLimit()
    assert entered(address_limit, address, 100) == MAX_PER_ADDRESS
    assert address_limit.enter("192.168.1.8")
    address_limit.leave(address)
    assert entered(address_limit, address, 2) == 1


def test_peer_limit_addresses_of_one_ipv6_network_share_a_bound():
    address_limit = AddressLimit()
    assert sum(address_limit.enter(f"2001:db8::{n:x}") for n in range(1000)) == MAX_PER_NETWORK
    assert address_limit.enter("2001:db8:0:1::1")


def test_connection_that_gets_no_thread_counts_no_longer(monkeypatch):
    def fail(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    server = ThreadedServer.__new__(ThreadedServer)
    server._address_limit = AddressLimit(total=1)
    for _ in range(2):
        assert server.verify_request(None, ("10.0.0.1", 1))
        with pytest.raises(RuntimeError):
            server.process_request(None, ("10.0.0.1", 1))


def test_peer_limit_total_leaves_room_for_loopback():
    address_limit = AddressLimit(total=10)
    assert sum(address_limit.enter(f"10.0.0.{n}") for n in range(20)) == 10
    assert address_limit.enter("127.0.0.1")


def test_peer_limit_behind_a_proxy_knows_the_total_alone():
    assert entered(AddressLimit(per_address=None, total=500), "10.0.0.1", 1000) == 500


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_connections_send_each_answer_at_once(host):
    with (
        open_listener(host, 0) as listening,
        socket.create_connection(("127.0.0.1", listening.getsockname()[1])),
    ):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_open_everywhere_takes_one_port_for_both_families():
    sockets = open_everywhere(0, "share-port")
    try:
        assert len({item.getsockname()[1] for item in sockets}) == 1
        assert sockets[0].getsockname()[0] == "0.0.0.0"
        for item in sockets[1:]:
            assert item.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
    finally:
        for item in sockets:
            item.close()


def test_open_everywhere_without_ipv6_takes_ipv4_alone(monkeypatch):
    monkeypatch.setattr(listeners, "_has_ipv6", lambda: False)
    (only,) = open_everywhere(0, "port")
    with only:
        assert only.family == socket.AF_INET


def test_open_everywhere_port_taken_names_the_option():
    with (
        socket.create_server(("0.0.0.0", 0)) as taken,
        pytest.raises(
            PortTakenError, match=r"Cannot listen on 0\.0\.0\.0 port \d+ .*Port \d+ is free"
        ) as caught,
    ):
        open_everywhere(taken.getsockname()[1], "share-port")
    assert caught.value.option == "share-port"


def test_a_free_port_is_the_next_one_that_nobody_has():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = listeners.free_port_near("127.0.0.1", port)
        assert port < free
        with socket.create_server(("127.0.0.1", free)) as second:
            assert listeners.free_port_near("127.0.0.1", port) not in (port, free)
            assert second.getsockname()[1] == free


def test_a_free_port_past_the_last_one_is_any():
    assert 0 < listeners.free_port_near("127.0.0.1", 65535) < 65536


def test_an_address_of_another_machine_has_no_free_port():
    with pytest.raises(
        PortTakenError, match=r"Cannot listen on 192\.0\.2\.1 .*name another --host"
    ) as caught:
        listeners.open_listener("192.0.2.1", 5000)
    assert caught.value.free_port is None
