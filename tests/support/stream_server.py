"""A local camera: MPEG-TS over HTTP, made with PyAV, that ends, hangs or breaks off as a test wants."""

import io
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np


def mpeg_ts(frame_bgr, count=15, rate=15):
    """A picture for `count` frames as MPEG-TS."""
    height, width = (side // 2 * 2 for side in frame_bgr.shape[:2])
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 4_000_000
        picture = np.ascontiguousarray(frame_bgr[:height, :width])
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return out.getvalue()


class StreamServer:
    """Serves /live; each connection gets the next of `turns`.

    A turn is "ends" (a second of film, then the connection closes), "hangs" (the same, then nothing),
    "refuses"
    (503), "silent" (nothing) or "runs" (film after film). The last one stays.
    """

    def __init__(self, content, turns):
        self.content, self.turns, self.connections = content, list(turns), 0
        self.is_closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.serve(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/live"

    def serve(self, handler):
        turn = self.turns[min(self.connections, len(self.turns) - 1)]
        self.connections += 1
        if turn == "silent":
            self.is_closing.wait(60)
            return
        if turn == "refuses":
            handler.send_error(503)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "video/mp2t")
        handler.end_headers()
        try:
            while not self.is_closing.is_set():
                handler.wfile.write(self.content)
                handler.wfile.flush()
                if turn != "runs":
                    break
                time.sleep(0.3)
        except OSError:
            return
        if turn == "hangs":
            self.is_closing.wait(60)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.is_closing.set()
        self.server.shutdown()
        self.server.server_close()
