"""Serve the live page: python app.py --help."""

import logging
import os
import signal
import sys

from fer_web.errors import FerWebError
from fer_web.factory import create_application
from fer_web.listeners import (
    MAX_PER_ADDRESS,
    Listener,
    PeerLimit,
    loopback_url_of,
    max_connections,
    open_listener,
    url_of,
)
from fer_web.settings import Settings, settings_from


def main() -> int:
    """Parse, build, serve. Returns the exit status: 0 stopped, 2 could not start."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve(settings_from(sys.argv[1:], os.environ))
    except FerWebError as exc:
        print(f"fer-web cannot start: {exc}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        # Before or after the server's own handling of it.
        pass
    print("Stopped.")
    return 0


def serve(settings: Settings) -> None:
    """Build the server and serve until a signal ends it."""
    listener = open_listener(settings.host, settings.port)
    application = create_application(settings)
    # Threads work for the server from here on; they end with it, whatever ends it.
    try:
        print(f"fer-web is ready: open {url_of(listener)} (Ctrl+C stops it)", flush=True)
        if near := loopback_url_of(listener):
            token = application.owners.host_token
            print(f"For you at this machine, the sessions of all: {near}/history?host={token}", flush=True)
        if not settings.is_loopback:
            print("Browsers on other machines give no camera to a page over plain HTTP.", flush=True)
        application.mode.serve(application.flask, [Listener(listener)], peer_limit(settings))
    finally:
        application.close()


def peer_limit(settings: Settings) -> PeerLimit:
    """Of all connections, an eighth stays for this machine itself."""
    per_address = None if settings.proxies else MAX_PER_ADDRESS
    return PeerLimit(per_address, total=max_connections() * 7 // 8)


if __name__ == "__main__":
    sys.exit(main())
