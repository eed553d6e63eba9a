"""Serve the live page: python app.py --help."""

import atexit
import contextlib
import dataclasses
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from flask.helpers import get_debug_flag

from fer_web.errors import FerWebError, PortTakenError
from fer_web.factory import Application, create_application
from fer_web.serving.listeners import Listener
from fer_web.serving.logs import begin_log
from fer_web.serving.native_output import native_output_logged
from fer_web.serving.start_command import start_command
from fer_web.serving.startup import (
    FIRST_LINK,
    address_limit,
    checked_sharing,
    greeting,
    greeting_without_tokens,
    is_output_kept,
    link_greeting,
    open_ports,
    print_lines,
    share_greeting,
)
from fer_web.serving.stop_signals import begin_to_close, stop_on_signals
from fer_web.settings import Settings, settings_from

if TYPE_CHECKING:
    from fer_web.sharing.network import LocalNetwork


def main() -> int:
    """Parse, build, serve. Returns the exit status: 0 stopped, 2 could not start."""
    begin_log("text")
    stop_on_signals()
    try:
        settings = settings_from(sys.argv[1:], os.environ)
        with native_output_logged() as log:
            begin_log(settings.log_format, log)
            serve(settings)
    except PortTakenError as exc:
        again = start_command(sys.argv[1:], os.environ).with_option(exc.option, exc.free_port)
        print(f"fer-web cannot start: {exc}{f' Take it: {again}' if exc.free_port else ''}", file=sys.stderr)
        return 2
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
    settings = checked_sharing(settings, debug=get_debug_flag())
    listeners, network = open_ports(settings)
    settings = dataclasses.replace(settings, port=listeners[0].port)  # 0 took a free one
    application = create_application(settings, network=network)
    # Threads work for the server from here on; they end with it, whatever ends it.
    try:
        greet(settings, listeners[0], application, network)
        if network is not None:
            network.open()
        application.mode.serve(application.flask, listeners, address_limit(settings), application.say_goodbye)
    finally:
        begin_to_close()
        with contextlib.closing(application):
            if network is not None:
                network.stop()


def greet(
    settings: Settings, listener: Listener, application: Application, network: "LocalNetwork | None"
) -> None:
    """Tell the terminal how to reach the server, and again when other devices have to reach it elsewhere."""
    token = application.owners.host_token
    if is_output_kept(settings.log_format, os.environ, sys.stdout):
        link_token = _first_link(application) if network is not None else None
        print_lines(greeting_without_tokens(listener, token, link_token, network, settings))
        return
    if network is None:
        print_lines(greeting(settings, listener, token))
        return
    link, _ = application.links.create("join", FIRST_LINK)

    def show_link() -> None:
        print_lines(link_greeting(network, application.links.token_of(link.id), sys.stdout.encoding))

    show_link()
    print_lines(share_greeting(network, listener, token, settings.base_path))
    network.subscribe(show_link)


def _first_link(application: Application) -> str | None:
    link, _ = application.links.create("join", FIRST_LINK)
    return application.links.token_of(link.id)


def leave(status: int) -> NoReturn:
    """End the process at once: everything is stored and closed by now.

    Python would take the native libraries down first, whose threads take up to eight seconds to end on a busy
    machine.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    leave(main())
