"""app.py, but its links may be open for seconds: nobody waits three minutes for a test."""

import sys

import app
from fer_web.sharing import links
from tests.support.servers import ServerProcess


class ShortLinksServer(ServerProcess):
    """`python app.py` with short links, behind a proxy that the tests pretend to be."""

    PROGRAM = ("-m", "tests.support.short_links_server")


if __name__ == "__main__":
    links.MIN_HOURS = 0.0
    sys.exit(app.main())
