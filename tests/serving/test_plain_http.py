"""Plain HTTP on the port of HTTPS: what it is answered with. test_tls_server.py asks real servers."""

import pytest

from fer_web.serving.plain_http import answer_to

OWN = ("192.168.1.5", 5443)


def told(head, own=OWN):
    """Status, Location and the body of an answer."""
    lines, _, body = answer_to(head, own).decode().partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in lines.split("\r\n")[1:])
    assert int(headers["Content-Length"]) >= len(body.encode())
    assert headers["Connection"] == "close"
    return int(lines.split()[1]), headers.get("Location"), body


def test_a_read_is_sent_to_the_same_address_by_https():
    status, location, body = told(b"GET /history?a=b HTTP/1.1\r\nAccept: */*\r\nhost: fer.local:5443\r\n\r\n")
    assert (status, location) == (308, "https://fer.local:5443/history?a=b")
    assert location in body


def test_what_would_change_something_is_refused_with_the_address():
    status, location, body = told(b"POST /api/v1/predict HTTP/1.1\r\nHost: [fd00::5]:5443\r\n\r\nbody")
    assert (status, location) == (400, None)
    assert "https://[fd00::5]:5443/" in body


def test_the_answer_to_head_has_no_body():
    assert told(b"HEAD / HTTP/1.1\r\nHost: a:1\r\n\r\n") == (308, "https://a:1/", "")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b'GET / HTTP/1.1\r\nHost: x"><script>\r\n\r\n',
        b"GET / HTTP/1.1\r\nHost: user@elsewhere.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Host: elsewhere.example\r\n\r\n",
    ],
)
def test_without_a_sound_host_the_connection_s_own_address_is_named(head):
    assert told(head)[1] == "https://192.168.1.5:5443/"


@pytest.mark.parametrize("target", [b"//elsewhere.example/", b"https://elsewhere.example/", b"/a\xff", b"*"])
def test_no_target_leads_to_another_host(target):
    location = told(b"GET " + target + b" HTTP/1.1\r\nHost: a:1\r\n\r\n")[1]
    assert location in ("https://a:1/", "https://a:1/elsewhere.example/")


@pytest.mark.parametrize("head", [b"", b"HELLO", b"A" * 8192, b"SSH-2.0-x\r\n"])
def test_what_is_no_request_gets_the_address_too(head):
    assert told(head, ("::ffff:192.168.1.5", 5443, 0, 0))[::2] == (
        400,
        "This port speaks HTTPS alone; plain HTTP came. Open https://192.168.1.5:5443/\n",
    )
