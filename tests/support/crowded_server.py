"""A real server with visitors, without a network: they come from this machine with their cookies.

As a program it serves as app.py does.
"""

import json
import os
import signal
import sys

from fer_web.factory import create_application
from fer_web.serving.listeners import AddressLimit, Listener, open_listener, url_of
from fer_web.settings import settings_from
from tests.support.servers import ServerProcess

VISITORS = 40
_FACTS = "facts: "


class CrowdedServer(ServerProcess):
    """`visitors` are cookies of those who may stream, `owner` that of a browser at this machine."""

    PROGRAM = ("-m", "tests.support.crowded_server")

    def __enter__(self):
        super().__enter__()
        line = next(line for line in self.output if line.startswith(_FACTS))
        self.__dict__.update(json.loads(line.removeprefix(_FACTS)))
        return self


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = settings_from(sys.argv[1:], os.environ)
    listener = open_listener(settings.host, settings.port)
    application = create_application(settings)
    link, _token = application.links.create("join", "For the class")
    try:
        print(_FACTS + json.dumps(_facts(application, link)))
        print(f"fer-web is ready: open {url_of(listener)}", flush=True)
        application.mode.serve(application.flask, [Listener(listener)], AddressLimit())
    except KeyboardInterrupt:
        pass
    finally:
        application.close()


def _facts(application, link):
    owners, authenticator = application.owners, application.authenticator
    visitors = []
    for number in range(VISITORS):
        visitor = application.visitors.arrive(link, address="127.0.0.1", user_agent="test", visitor=None)
        guest = f"{authenticator.visitor_cookie}={authenticator.signed(visitor)}"
        visitors.append(f"{guest}; {owners.owner_cookie}={owners.signed(f'visitor-{number}')}")
    return {"visitors": visitors, "owner": f"{owners.owner_cookie}={owners.signed('the-host')}"}


if __name__ == "__main__":
    main()
