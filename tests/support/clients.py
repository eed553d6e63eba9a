"""Clients of a real server: one that behaves, and one that says what no library would."""

import contextlib
import json
import struct
import time

import socketio
import websocket

from fer_web.vision.frames import encode_jpeg
from tests.support.faces import camera_frame_bgr

BEGUN_MESSAGE = b"\x82\xff" + struct.pack("!Q", 100_000) + b"mask" + b"\0" * 100
"""The header of a binary frame of 100,000 bytes, and only a few of them."""


def send(client, jpeg, seq=1, timeout=60):
    return client.call("frame", ({"seq": seq, "captured_ms": time.monotonic() * 1000}, jpeg), timeout=timeout)


def socket_client(application, address="127.0.0.1", cookies=None, **options):
    """A Socket.IO test client that comes from this address with these cookies."""
    browser = application.flask.test_client()
    browser.environ_base["REMOTE_ADDR"] = address
    for name, value in (cookies or {}).items():
        browser.set_cookie(name, value)
    return application.socketio.test_client(application.flask, flask_test_client=browser, **options)


class SteadyClient:
    """Sends a real face as fast as it is answered, and measures how many answers a second come."""

    def __init__(self, url):
        self._jpeg = encode_jpeg(camera_frame_bgr(), 80)
        self._client = socketio.SimpleClient(request_timeout=60)
        self._client.connect(url, transports=["websocket"], wait_timeout=60)

    def rate_for(self, seconds):
        end, answers, seq = time.monotonic() + seconds, 0, 0
        start = time.monotonic()
        while time.monotonic() < end:
            # A camera's pace: the server must not be busy with this client alone.
            seq += 1
            reply = send(self._client, self._jpeg, seq)
            # A frame that was dropped has no faces: the server had not got to it in time.
            answers += len(reply.get("faces") or ())
            time.sleep(max(0.0, start + seq / 10 - time.monotonic()))
        return answers / (time.monotonic() - start)

    def close(self):
        self._client.disconnect()


class RawClient:
    """Speaks Socket.IO by hand, to say what no library would.

    It reads and writes in one thread. python-socketio's client does so in two, and before Python 3.13 a TLS
    connection of the standard library may lose data then: one in twenty never had its answer.
    """

    def __init__(self, server, cookie=None, authority=None):
        """Args:
        cookie: of a browser, as name=value.
        authority: path of a certificate; connects to the server's shared address by TLS with it.
        """
        address = f"wss://127.0.0.1:{server.share_port}" if authority else f"ws://127.0.0.1:{server.port}"
        self.socket = websocket.create_connection(
            f"{address}/socket.io/?EIO=4&transport=websocket",
            timeout=60,
            cookie=cookie,
            sslopt={"ca_certs": authority} if authority else None,
        )
        assert self.socket.recv().startswith("0{")
        self.socket.send("40")
        # With native threads, news for the page may overtake the answer to its connection.
        while not (text := self.socket.recv()).startswith("40{"):
            assert text.startswith("42"), text

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.socket.shutdown()

    def call(self, event, *arguments):
        """What an event is answered."""
        self.socket.send(f"42999{json.dumps([event, *arguments])}")
        return json.loads(self.next_answer("43999").removeprefix("43999"))[0]

    def send_frame(self, jpeg, seq=1):
        header = json.dumps(["frame", {"seq": seq, "captured_ms": 1}, {"_placeholder": True, "num": 0}])
        self.socket.send(f"451-{seq}{header}")
        self.socket.send_binary(jpeg)

    def next_answer(self, start="43"):
        """The next acknowledgement, as text."""
        text = self.socket.recv()
        while not text.startswith(start):
            if text == "2":
                self.socket.send("3")
            text = self.socket.recv()
        return text

    def until_closed(self):
        """All texts that come before the connection is closed, and the close frame's code if there is one."""
        texts = []
        while True:
            try:
                opcode, data = self.socket.recv_data()
            except (websocket.WebSocketConnectionClosedException, ConnectionError, OSError):
                return texts, None
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return texts, struct.unpack("!H", data[:2])[0] if len(data) >= 2 else None
            texts.append(data.decode(errors="replace"))
            if texts[-1] == "2":
                # Of a connection that was closed meanwhile, all that came is still to be read.
                with contextlib.suppress(OSError):
                    self.socket.send("3")
