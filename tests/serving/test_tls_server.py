"""The real server with --share, in both modes: HTTPS for good clients, and bad ones that hold up nobody."""

import contextlib
import ipaddress
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests
import socketio
import trustme
import websocket
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from fer_web.serving.listeners import HANDSHAKE_TIMEOUT_S
from fer_web.vision.frames import encode_jpeg
from tests.support.clients import RawClient, send
from tests.support.faces import astronaut_bgr
from tests.support.servers import ROOT, ServerProcess

# A name of its own: the machine may have no network.
SHARE = ("--share", "--share-port", "0", "--public-url", "https://fer.example.org")
JPEG = encode_jpeg(astronaut_bgr())
SERVED_WITHIN_S = 0.8 * HANDSHAKE_TIMEOUT_S
"""Who waited for a handshake that does not go on would wait for all of it."""


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def server(mode):
    with ServerProcess(*SHARE, "--async-mode", mode) as running:
        yield running
        log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]
    assert not re.search(r"sid=|GET /|POST /", log), log[-3000:]
    assert len(log) < 10_000


@pytest.fixture(scope="module")
def authority(server, tmp_path_factory):
    """The file that /trust offers, as a path."""
    path = tmp_path_factory.mktemp("authority") / "authority.crt"
    path.write_bytes(requests.get(f"{server.url}/trust/fer-web-authority.crt", timeout=60).content)
    return str(path)


def secure_url(server):
    return f"https://127.0.0.1:{server.share_port}"


def shown_certificate(port):
    """What the server shows to a client that checks nothing."""
    return x509.load_pem_x509_certificate(
        ssl.get_server_certificate(("127.0.0.1", port), timeout=60).encode()
    )


def assert_served_at_once(server, authority):
    started = time.monotonic()
    assert (
        requests.get(f"{secure_url(server)}/healthz", timeout=60, verify=authority).json()["status"] == "ok"
    )
    assert requests.get(f"{server.url}/healthz", timeout=60).json()["status"] == "ok"
    assert time.monotonic() - started < SERVED_WITHIN_S


def test_page_over_https_is_served_to_who_trusts_the_authority(server, authority):
    answer = requests.get(secure_url(server), timeout=60, verify=authority)
    assert answer.status_code == 200
    assert "Strict-Transport-Security" not in answer.headers
    # Set by what the application takes for the scheme.
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Secure" not in requests.get(server.url, timeout=60).headers["Set-Cookie"]


def test_page_over_https_is_refused_by_who_does_not_trust_it(server):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure_url(server), timeout=60)


def test_certificate_covers_every_printed_address(server):
    names = shown_certificate(server.share_port).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    covered = {str(ip) for ip in names.value.get_values_for_type(x509.IPAddress)}
    covered |= set(names.value.get_values_for_type(x509.DNSName))
    printed = {urlsplit(url).hostname for url in server.share_urls}
    assert printed
    assert printed <= covered
    for host in printed:
        with contextlib.suppress(ValueError):
            assert not ipaddress.ip_address(host).is_loopback


def test_printed_fingerprint_is_that_of_the_download(server, authority):
    with open(authority, "rb") as file:
        certificate = x509.load_pem_x509_certificate(file.read())
    assert certificate.fingerprint(SHA256()).hex(":").upper() in "".join(server.output)


@pytest.mark.parametrize("path", ["/trust", "/trust/fer-web-authority.crt"])
def test_trust_page_and_download_are_there_over_both(server, authority, path):
    plain = requests.get(server.url + path, timeout=60)
    secure = requests.get(secure_url(server) + path, timeout=60, verify=authority)
    assert plain.status_code == secure.status_code == 200
    assert plain.content == secure.content
    assert b"PRIVATE" not in plain.content


def test_host_token_opens_the_page_of_the_host(server):
    (address,) = re.findall(r"ready: open (http://\S+)", "".join(server.output))
    session = requests.Session()
    answer = session.get(address, timeout=60)
    assert (answer.status_code, answer.url) == (200, f"{server.url}/")
    assert any(cookie.name.startswith("fer_host_") for cookie in session.cookies)


def test_printed_link_lets_a_browser_in(server, authority):
    (token,) = re.findall(r"Link to join.*: https://fer\.example\.org/l/(\S+)", "".join(server.output))
    answer = requests.get(
        f"{secure_url(server)}/l/{token}", timeout=60, verify=authority, allow_redirects=False
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_frames_are_answered_over_a_secure_websocket(server, authority):
    with RawClient(server, authority=authority) as client:
        for seq in range(3):
            client.send_frame(JPEG, seq)
            (reply,) = json.loads(client.next_answer().removeprefix(f"43{seq}"))
        (face,) = reply["faces"]
        assert face["label"] == "happy"


def test_frames_are_answered_by_secure_polling(server, authority):
    session = requests.Session()
    session.verify = authority
    # REQUESTS_CA_BUNDLE would come before it.
    session.trust_env = False
    with socketio.SimpleClient(http_session=session, request_timeout=60) as client:
        client.connect(secure_url(server), transports=["polling"], wait_timeout=60)
        assert client.transport == "polling"
        for seq in range(3):
            reply = send(client, JPEG, seq)
        (face,) = reply["faces"]
        assert face["label"] == "happy"


def test_large_messages_both_ways_over_a_secure_websocket(server, authority):
    """Many TLS records a message: none may wait in a buffer that nobody looks at."""
    url = f"wss://127.0.0.1:{server.share_port}/socket.io/?EIO=4&transport=websocket"
    connection = websocket.create_connection(url, timeout=60, sslopt={"ca_certs": authority})
    try:
        assert json.loads(connection.recv()[1:])["sid"]
        connection.send("40")
        assert connection.recv().startswith("40")
        for seq in range(5):
            connection.send(
                f'451-{seq}["frame",{{"seq":{seq},"captured_ms":1}},{{"_placeholder":true,"num":0}}]'
            )
            connection.send_binary(JPEG + b"\0" * 200_000)
            while (answer := connection.recv()) == "2":
                connection.send("3")
            assert answer.startswith(f"43{seq}"), answer
            assert f'"seq":{seq}' in answer
    finally:
        connection.close()


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"\x16\x03\x01\x02\x00" + b"\xff" * 600],
    ids=["plain-http", "garbage"],
)
def test_what_is_no_handshake_holds_up_nobody_and_ends(server, authority, sent):
    with contextlib.ExitStack() as stack:
        bad = [stack.enter_context(connected_to(server)) for _ in range(40)]
        for connection in bad:
            connection.sendall(sent)
        assert_served_at_once(server, authority)
        assert_all_end(bad)


def test_handshakes_that_do_not_go_on_hold_up_nobody_and_end(server, authority):
    """Nothing sent, a handshake begun, and a byte at a time, which must not begin the time anew."""
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connected_to(server)) for _ in range(20)]
        begun = [stack.enter_context(connected_to(server)) for _ in range(20)]
        slow = stack.enter_context(connected_to(server))
        for connection in begun:
            connection.sendall(b"\x16\x03\x01")
        slow.sendall(b"\x16\x03\x01\x02\x00")
        trickle = stack.enter_context(Trickle(slow))
        assert_served_at_once(server, authority)
        assert_all_end([*silent, *begun, slow])
    assert trickle.sent > 3


def connected_to(server):
    return socket.create_connection(("127.0.0.1", server.share_port), timeout=60)


def assert_all_end(connections):
    """Each within its time-out, of which the server's own is a small part."""
    for connection in connections:
        with contextlib.suppress(ConnectionError):
            while connection.recv(4096):
                pass


class Trickle(threading.Thread):
    """Sends a byte a second, as a context manager, until the other side has ended the connection."""

    def __init__(self, connection):
        super().__init__()
        self._connection = connection
        self._leave = threading.Event()
        self.sent = 0

    def run(self):
        with contextlib.suppress(OSError):
            while not self._leave.wait(1):
                self._connection.sendall(b"\x01")
                self.sent += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exception):
        self._leave.set()
        self.join()


def test_old_tls_is_refused(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Debian's OpenSSL would not even offer it.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", server.share_port), timeout=60) as connection,
        pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"),
    ):
        context.wrap_socket(connection)


def test_connections_that_end_rudely_are_no_errors_of_ours(server, authority):
    context = ssl.create_default_context(cafile=authority)
    for cut in (b"", b"GET / HTTP/1.1\r\n", b"POST /socket.io/ HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc"):
        for _ in range(5):
            with (
                socket.create_connection(("127.0.0.1", server.share_port), timeout=60) as connection,
                context.wrap_socket(connection, server_hostname="127.0.0.1") as client,
            ):
                client.sendall(cut)
                raw = socket.socket(fileno=os.dup(client.fileno()))
                with raw:
                    # Not TLS: the record is broken.
                    raw.sendall(b"\xff" * 20)
    assert_served_at_once(server, authority)


def test_stop_ends_everything_cleanly_and_in_time(mode):
    with ServerProcess(*SHARE, "--async-mode", mode) as server:
        silent = socket.create_connection(("127.0.0.1", server.share_port), timeout=60)
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        waiting = context.wrap_socket(socket.create_connection(("127.0.0.1", server.share_port), timeout=60))
        streaming = websocket.create_connection(
            f"wss://127.0.0.1:{server.share_port}/socket.io/?EIO=4&transport=websocket",
            timeout=60,
            sslopt={"cert_reqs": ssl.CERT_NONE, "check_hostname": False},
        )
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < HANDSHAKE_TIMEOUT_S, "it waited for who is silent"
        for connection in (silent, idle, waiting, streaming):
            connection.close()
    assert server.output[-1] == "Stopped.\n"
    assert "Traceback" not in "".join(server.output)
    assert "Error" not in "".join(server.output)


def test_one_address_gets_no_more_than_its_share_of_connections(mode):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fakes.capped_server", mode],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port, bound = map(int, process.stdout.readline().split())
        with contextlib.ExitStack() as stack:
            held = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
                for _ in range(bound + 20)
            ]
            assert sum(map(is_closed, held[-20:])) == 20
            assert not any(map(is_open_but_closed, held[:5]))
        # Given back when they end.
        deadline = time.monotonic() + 60
        while not is_served(port):
            assert time.monotonic() < deadline
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def is_closed(connection):
    with contextlib.suppress(ConnectionError):
        return connection.recv(1) == b""
    return True


def is_open_but_closed(connection):
    connection.settimeout(0.05)
    with contextlib.suppress(TimeoutError):
        return is_closed(connection)
    return False


def is_served(port):
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"http://127.0.0.1:{port}", timeout=60).text == "served"
    return False


# One's own certificate


def write_certificate(folder, authority, *names):
    leaf = authority.issue_cert(*names)
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(folder / "cert.pem")


def test_own_certificate_is_served_and_its_renewal_is_taken_up(tmp_path):
    authority = trustme.CA()
    write_certificate(tmp_path, authority, "127.0.0.1", "one.example")
    files = ("--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"))
    with ServerProcess(*SHARE, *files) as server:
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        page = requests.get(f"{secure_url(server)}/trust", timeout=60, verify=str(tmp_path / "authority.pem"))
        assert "Nothing to do" in page.text
        assert requests.get(f"{server.url}/trust/fer-web-authority.crt", timeout=60).status_code == 404
        first = shown_certificate(server.share_port)
        write_certificate(tmp_path, authority, "127.0.0.1", "two.example")
        deadline = time.monotonic() + 60
        while shown_certificate(server.share_port) == first:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert not (server.data_dir / "tls").exists()
        output = "".join(server.output)
    assert "is for 127.0.0.1, one.example, and for none of this machine's addresses" in output


# What is said when it cannot start


def start_and_fail(tmp_path, *arguments, **environment):
    run = subprocess.run(
        [sys.executable, "app.py", "--port", "0", *SHARE, "--data-dir", str(tmp_path), *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    (line,) = run.stderr.strip().splitlines()
    return line


def test_share_port_that_is_taken_gives_one_line_with_the_option(tmp_path):
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        line = start_and_fail(tmp_path, "--share-port", str(port))
    # The command that was used is repeated, and then named with a port that is free.
    assert {int(named) for named in re.findall(r"--share-port (\d+)", line)} - {port}, line


@pytest.mark.parametrize("value", ["1", "true", "on"])
def test_debug_mode_refuses_to_share(tmp_path, value):
    assert "FLASK_DEBUG is on" in start_and_fail(tmp_path, FLASK_DEBUG=value)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--host", "0.0.0.0"), "Leave --host out"),
        (("--public-url", "http://x"), "--public-url is 'http://x'"),
        (("--cert", "a.pem"), "--cert is given without --key"),
        (("--cert", "a.pem", "--key", "b.pem"), "--cert a.pem cannot be read"),
    ],
)
def test_option_that_does_not_serve_gives_one_line(tmp_path, arguments, text):
    assert text in start_and_fail(tmp_path, *arguments)


def test_broken_authority_gives_one_line_with_the_file(tmp_path):
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "authority.pem").write_text("broken")
    assert "authority.pem holds no authority of fer-web. Restore it, or delete it" in start_and_fail(tmp_path)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_on_this_port_is_answered_with_the_https_address(server, method):
    plain = secure_url(server).replace("https:", "http:")
    answer = requests.request(method, f"{plain}/history", timeout=60, allow_redirects=False, data=b"x" * 9000)
    assert answer.status_code == (308 if method == "GET" else 400)
    assert secure_url(server) in answer.text
    if method == "GET":
        assert answer.headers["Location"] == f"{secure_url(server)}/history"


def test_who_begins_in_plain_http_and_never_ends_holds_up_nobody(server, authority):
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            waiting = stack.enter_context(socket.create_connection(("127.0.0.1", server.share_port), 60))
            waiting.sendall(b"GET / HTTP/1.1\r\nHost")
        assert_served_at_once(server, authority)
        # Its time is over, and so is the connection.
        waiting.settimeout(60)
        with contextlib.suppress(ConnectionError):
            assert waiting.recv(1000) == b""


@pytest.mark.parametrize(
    "request_bytes",
    [b"GET /trust HTTP/1.0\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A B C D\r\n\r\n"],
)
def test_no_answer_names_a_library_and_no_log_holds_the_request(server, request_bytes):
    logged = len(server.output)
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        connection.sendall(request_bytes)
        connection.settimeout(60)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head = answer.partition(b"\r\n\r\n")[0].decode().lower()
    assert not re.search(r"werkzeug|python|basehttp|eventlet|wsgi", head), head
    # The answer is written after the log.
    assert server.output[logged:] == []
