"""A real server with links to watch, without a network: visitors come from this machine with their cookie.

As a program it serves as app.py does, and takes `video on` and `video off` as lines of its standard input.
"""

import json
import os
import sys
import threading

from fer_web.factory import create_application
from fer_web.serving.listeners import AddressLimit, Listener, open_listener, url_of
from fer_web.serving.stop_signals import stop_on_signals
from fer_web.settings import settings_from
from tests.support.servers import ServerProcess

OWNER = "the-host-of-the-tests"
LINK_NAME = "For the class"
MAX_WATCHERS = 40
_FACTS = "facts: "


class WatchedServer(ServerProcess):
    """`owner_cookie` is of the browser that is watched, `guest_cookies` of visitors: each as name=value.

    `link_id` names the link, `host_token` makes a browser the host's.
    """

    PROGRAM = ("-m", "tests.support.watched_server")

    def __enter__(self):
        super().__enter__()
        line = next(line for line in self.output if line.startswith(_FACTS))
        self.__dict__.update(json.loads(line.removeprefix(_FACTS)))
        return self

    def show_video(self, is_shown):
        """What the host decides about the picture."""
        self.tell(f"video {'on' if is_shown else 'off'}")


def main():
    stop_on_signals()
    settings = settings_from(sys.argv[1:], os.environ)
    listener = open_listener(settings.host, settings.port)
    application = create_application(settings)
    link, _token = application.links.create("watch", LINK_NAME, owner=OWNER)
    try:
        print(_FACTS + json.dumps(_facts(application, link)))
        print(f"fer-web is ready: open {url_of(listener)}", flush=True)
        threading.Thread(target=_obey, args=(application.links, link.id), daemon=True).start()
        application.mode.serve(application.flask, [Listener(listener)], AddressLimit())
    except KeyboardInterrupt:
        pass
    finally:
        application.close()


def _facts(application, link):
    owners = application.owners
    return {
        "owner_cookie": f"{owners.owner_cookie}={owners.signed(OWNER)}",
        "guest_cookies": list(_guest_cookies(application, link)),
        "link_id": link.id,
        "host_token": owners.host_token,
    }


def _guest_cookies(application, link):
    for _ in range(MAX_WATCHERS):
        visitor = application.visitors.arrive(link, address="127.0.0.1", user_agent="test", visitor=None)
        yield f"{application.authenticator.visitor_cookie}={application.authenticator.signed(visitor)}"


def _obey(links, link_id):
    for line in sys.stdin:
        links.set_video(link_id, line.strip() == "video on")


if __name__ == "__main__":
    main()
