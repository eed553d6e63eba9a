"""Streams pictures: python examples/stream_pictures.py http://127.0.0.1:5000 first.jpg second.jpg"""

import sys
import time

import socketio

client = socketio.SimpleClient()
client.connect(sys.argv[1], transports=["websocket"])  # http://127.0.0.1:5000
for seq, path in enumerate(sys.argv[2:]):
    with open(path, "rb") as file:
        header = {"seq": seq, "captured_ms": time.monotonic() * 1000}
        result = client.call("frame", (header, file.read()))
    print(path, [(face["label"], face["confidence"]) for face in result["faces"]])
client.disconnect()
