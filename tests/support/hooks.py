"""A web server that takes webhooks."""

import http.server
import threading
import time


class Hook(http.server.ThreadingHTTPServer):
    """Answers each POST with the next of some statuses, the last one for ever."""

    daemon_threads = True

    def __init__(self, *statuses, headers=(), tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses, self.headers, self.got = list(statuses), headers, []
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def __enter__(self):
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self.shutdown()
        self._thread.join()
        self.server_close()

    def url(self, path="/hook?token=t0ken"):
        return f"http://127.0.0.1:{self.server_port}{path}"

    def wait_for(self, count):
        end_s = time.monotonic() + 60
        while len(self.got) < count:
            assert time.monotonic() < end_s, f"{len(self.got)} of {count} came"
            time.sleep(0.01)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        for name, value in self.server.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.server.got.append(("GET " + self.path, {}, b""))

    def log_message(self, *_arguments):
        pass
