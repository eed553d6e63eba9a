"""Streams a camera or a video file: python examples/stream_client.py http://127.0.0.1:5000 clip.avi"""

import itertools
import sys
import time
from urllib.parse import urlsplit

import cv2
import socketio

if len(sys.argv) < 2:
    sys.exit(__doc__)
source = sys.argv[2] if len(sys.argv) > 2 else "0"  # the first camera
video = cv2.VideoCapture(int(source) if source.isdecimal() else source)
with socketio.SimpleClient() as client:
    try:
        path = f"{urlsplit(sys.argv[1]).path.strip('/')}/socket.io"
        client.connect(sys.argv[1], transports=["websocket"], socketio_path=path)
    except socketio.exceptions.ConnectionError:
        sys.exit(
            f"No fer-web answers at {sys.argv[1]}. Start it, or give its address, such as http://127.0.0.1:5000"
        )
    for seq in itertools.count():
        is_frame, frame_bgr = video.read()
        if not is_frame:
            sys.exit(0 if seq else f"No frame comes from {source}.")
        small_bgr = cv2.resize(frame_bgr, None, fx=640 / frame_bgr.shape[1], fy=640 / frame_bgr.shape[1])
        header = {"seq": seq, "captured_ms": time.monotonic() * 1000}
        result = client.call("frame", (header, cv2.imencode(".jpg", small_bgr)[1].tobytes()))
        print([(face["label"], round(face["confidence"], 2)) for face in result.get("faces", [])])
