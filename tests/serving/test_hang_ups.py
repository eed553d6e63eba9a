"""Nothing is computed for who has hung up: a server in both modes, and the question itself."""

import contextlib
import socket

import cv2
import numpy as np
import pytest
import requests

from fer_web.serving.hang_ups import has_hung_up
from tests.support import attacks
from tests.support.faces import camera_frame_bgr
from tests.support.servers import ServerProcess

PATH = "/api/v1/predict"
GONE = 12


def test_a_connection_is_there_until_its_other_end_goes():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not has_hung_up({"werkzeug.socket": ours})
        theirs.sendall(b"the next request")
        assert not has_hung_up({"werkzeug.socket": ours})
        theirs.close()
        assert has_hung_up({"werkzeug.socket": ours})
    assert has_hung_up({"werkzeug.socket": ours})
    assert not has_hung_up({})


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    with ServerProcess("--async-mode", request.param) as running:
        yield running
    log = "".join(running.output)
    assert "Traceback" not in log, log[-3000:]


def costly_image():
    frame = np.tile(camera_frame_bgr(), (3, 3, 1))
    return cv2.imencode(".jpg", frame)[1].tobytes()


def predict(server, image):
    answer = requests.post(f"{server.url}{PATH}", data=image, headers=BYTES, timeout=300)
    assert answer.status_code == 200, answer.text


BYTES = {"Content-Type": "application/octet-stream"}


def test_images_of_those_who_hung_up_are_not_analysed(server):
    image = costly_image()
    predict(server, image)
    began_s = server.cpu_s
    predict(server, image)
    one_s = server.cpu_s - began_s
    head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: image/jpeg\r\n"
    request = f"{head}Content-Length: {len(image)}\r\n\r\n".encode() + image
    began_s = server.cpu_s
    with contextlib.ExitStack() as stack:
        for _ in range(GONE):
            connection = stack.enter_context(contextlib.closing(attacks.http_connection(server)))
            connection.sendall(request)
    predict(server, image)
    # Processor time, which others' work does not change: one or two were begun before their end came.
    assert server.cpu_s - began_s < GONE / 2 * one_s
