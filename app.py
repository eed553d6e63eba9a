"""Serve the live page: python app.py --help."""

import contextlib
import logging
import os
import signal
import sys

from fer_web.errors import FerWebError
from fer_web.factory import create_application
from fer_web.server import open_listener, url_of
from fer_web.settings import settings_from


def main() -> int:
    """Parse, build, serve. Returns the exit status: 0 stopped, 2 could not start."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        settings = settings_from(sys.argv[1:], os.environ)
        listener = open_listener(settings.host, settings.port)
        application = create_application(settings)
    except FerWebError as exc:
        print(f"fer-web cannot start: {exc}", file=sys.stderr)
        return 2
    print(f"fer-web is ready: open {url_of(listener)} (Ctrl+C stops it)", flush=True)
    if not settings.is_loopback:
        print("Browsers on other machines give no camera to a page over plain HTTP.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        application.mode.serve(application.flask, listener)
    print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
