"""Receivers of events that hang: they take a connection, and then nothing."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

_READER = """
import sys
import pylsl

of_source = f"starts-with(name, 'fer-web') and starts-with(source_id, '{sys.argv[1]}')"
found = pylsl.resolve_bypred(of_source, 2, 60)
inlets = [pylsl.StreamInlet(each) for each in found]
for inlet in inlets:
    inlet.open_stream(60)
print("open", flush=True)
while True:
    for inlet in inlets:
        inlet.pull_sample(0.01)
"""


class DeafLslReader:
    """A process that opens the streams of this machine, or those of one source, and is stopped then."""

    def __init__(self, source=""):
        self._source = source

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _READER, self._source],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        if self._process.stdout.readline() != "open\n":
            self.__exit__()
            raise RuntimeError("No stream of Lab Streaming Layer could be opened.")
        self._process.send_signal(signal.SIGSTOP)
        return self

    def __exit__(self, *_exception):
        self._process.kill()
        self._process.wait(60)
        self._process.stdout.close()


class DeafWebhook:
    """An address that takes connections, as the system does by itself, and never reads or answers."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        return self

    def __exit__(self, *_exception):
        self._listener.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/hook"
