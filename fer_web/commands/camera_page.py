"""A page of this machine alone that shows a camera's newest frame with its faces, as a stream of JPEG."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from fer_web.analysis.stills.annotation import annotate
from fer_web.errors import CameraError
from fer_web.inference.results import FaceResult
from fer_web.vision.frames import encode_jpeg
from fer_web.vision.types import Frame

_BOUNDARY: Final = b"frame"
_WAIT_S: Final = 1.0
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>fer-web camera</title>
<style>body{{margin:0;background:#111;color:#eee;font-family:system-ui}}img{{max-width:100%;max-height:94vh;display:block;
margin:auto}}p{{margin:.4em 1em}}</style></head>
<body><img src="/stream" alt="The camera's picture with a box around each face"><p>{name}</p></body></html>"""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class CameraPage:
    """Serves the newest annotated frame on loopback; `show` never waits for who looks."""

    def __init__(self, name: str, port: int) -> None:
        """Raises: CameraError: the port is taken."""
        self._changed = threading.Condition()
        self._newest, self._number, self._viewers = b"", 0, 0
        self._is_closing = False
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_of(self, name))
        except (OSError, OverflowError) as exc:
            raise CameraError(f"The page cannot be served on port {port} ({exc}). Give another one.") from exc
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="camera-page", daemon=True)
        self._thread.start()

    def show(self, frame_bgr: Frame, faces: tuple[FaceResult, ...]) -> None:
        """Show a frame to all who look; without them, nothing is drawn."""
        if not self._viewers and self._number:
            return
        jpeg = encode_jpeg(annotate(frame_bgr, faces))
        with self._changed:
            self._newest, self._number = jpeg, self._number + 1
            self._changed.notify_all()

    def close(self) -> None:
        """End the page."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def write_to(self, out: Any) -> None:
        """Write frames to one who looks, until they are gone or the page ends."""
        last = 0
        self._count(1)
        try:
            while not self._is_closing:
                jpeg, number = self._after(last)
                if number > last:
                    last = number
                    out.write(
                        b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
                        % (_BOUNDARY, len(jpeg))
                    )
                    out.write(jpeg + b"\r\n")
        except OSError:
            pass  # who looked is gone
        finally:
            self._count(-1)

    def _after(self, last: int) -> tuple[bytes, int]:
        """The newest frame and its number; waits a while for one after `last`."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > last or self._is_closing, _WAIT_S)
            return self._newest, self._number

    def _count(self, change: int) -> None:
        with self._changed:
            self._viewers += change


def _handler_of(page: CameraPage, name: str) -> type[BaseHTTPRequestHandler]:
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            # A page from elsewhere could have its own name lead to this machine.
            host = (self.headers.get("Host") or "").rpartition(":")[0]
            if host not in ("127.0.0.1", "localhost"):
                self.send_error(403)
            elif self.path == "/":
                self._head("text/html; charset=utf-8")
                self.wfile.write(_PAGE.format(name=escaped).encode())
            elif self.path == "/stream":
                self._head(f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}")
                page.write_to(self.wfile)
            else:
                self.send_error(404)

        def _head(self, media_type: str) -> None:
            self.send_response(200)
            for key, value in {"Content-Type": media_type, **_HEADERS}.items():
                self.send_header(key, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: the terminal shows the camera's line."""

    return Handler
