"""A real server with visitors, without a network: they come from this machine with their cookies.

As a program it serves as app.py does, and says at each line of its standard input how late a task of its own
was since the last: what every client waits for while something holds the hub.
"""

import json
import os
import signal
import sys
import threading
import time

from fer_web.factory import create_application
from fer_web.serving.listeners import AddressLimit, Listener, open_listener, url_of
from fer_web.settings import settings_from
from tests.support.servers import ServerProcess

VISITORS = 40
_FACTS = "facts: "
_LAGS = "lags: "
_LAG_STEP_S = 0.01


class CrowdedServer(ServerProcess):
    """`visitors` are cookies of those who may stream, `owner` that of a browser at this machine."""

    PROGRAM = ("-m", "tests.support.crowded_server")

    def __enter__(self):
        super().__enter__()
        line = next(line for line in self.output if line.startswith(_FACTS))
        self.__dict__.update(json.loads(line.removeprefix(_FACTS)))
        return self

    def take_lags_ms(self):
        """How late a task was, each ten milliseconds since the last call."""
        count = sum(line.startswith(_LAGS) for line in self.output)
        self.tell("lags")
        end_s = time.monotonic() + 60
        while time.monotonic() < end_s:
            found = [line for line in list(self.output) if line.startswith(_LAGS)]
            if len(found) > count:
                return json.loads(found[-1].removeprefix(_LAGS))
            time.sleep(0.02)
        raise TimeoutError("The server told no lags.")


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = settings_from(sys.argv[1:], os.environ)
    listener = open_listener(settings.host, settings.port)
    application = create_application(settings)
    link, _token = application.links.create("join", "For the class")
    try:
        print(_FACTS + json.dumps(_facts(application, link)))
        print(f"fer-web is ready: open {url_of(listener)}", flush=True)
        lags_ms = []
        application.socketio.start_background_task(_measure, application.socketio, lags_ms)
        threading.Thread(target=_tell, args=(lags_ms,), daemon=True).start()
        application.mode.serve(application.flask, [Listener(listener)], AddressLimit())
    except KeyboardInterrupt:
        pass
    finally:
        application.close()


def _measure(socketio, lags_ms):
    while True:
        began_s = time.monotonic()
        socketio.sleep(_LAG_STEP_S)
        lags_ms.append((time.monotonic() - began_s - _LAG_STEP_S) * 1000)


def _tell(lags_ms):
    for _ in sys.stdin:
        told = lags_ms[:]
        del lags_ms[: len(told)]
        print(_LAGS + json.dumps([round(each, 1) for each in told]), flush=True)


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
