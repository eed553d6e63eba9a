"""Counts loopback as it counts the network: python -m tests.support.fakes.capped_server eventlet."""

import sys

from flask import Flask

from fer_web.serving import listeners
from fer_web.serving.listeners import AddressLimit, Listener, open_listener
from fer_web.serving.modes import serving_mode


class StrictLimit(AddressLimit):
    """Sees every address as another machine."""

    def enter(self, address):
        return super().enter(address.replace("127.", "10."))

    def leave(self, address):
        super().leave(address.replace("127.", "10."))


def main(mode):
    """Serve one page until a signal comes."""
    app = Flask("capped")
    app.get("/")(lambda: "served")
    listener = Listener(open_listener("127.0.0.1", 0))
    serving = serving_mode(mode)
    print(listener.port, listeners.MAX_PER_ADDRESS, flush=True)
    serving.serve(app, [listener], StrictLimit())


if __name__ == "__main__":
    main(sys.argv[1])
