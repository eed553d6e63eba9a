"""Serves connections with eventlet's green threads, or native ones. The only module that knows."""

import contextlib
import functools
import queue
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import Any, Protocol, TypeVar

import simple_websocket
from flask import Flask

from fer_web.errors import OverloadedError
from fer_web.serving.eventlet_pool import set_up_pool
from fer_web.serving.eventlet_server import connection_class, patient_listener, pool_that_ends
from fer_web.serving.eventlet_websocket import harden
from fer_web.serving.listeners import AddressLimit, Listener, max_connections
from fer_web.serving.log_filter import keep_to_one_line
from fer_web.serving.message_bounds import MessageBounds
from fer_web.serving.stop_signals import begin_to_close, signals_as_data
from fer_web.serving.threaded_websocket import BoundedWebSocket

_T = TypeVar("_T")

REQUEST_TIMEOUT_S = 30.0
"""A client that takes longer to send its request's next bytes is disconnected."""

WAITING_CALLS = 8
"""Calls that may wait for the history's database at the same time: of eventlet's 20 native threads the others
stay for frames, and the database has connections for all."""

STOP_TIMEOUT_S = 3.0
"""Connections get this long to end when the server is told to."""


SWITCH_S = 0.0005
"""A thread that computes gives others their turn after this long. Python's own 5 ms are what the hub waited
after each send and receive: with both processors busy its lag was two to three times as long."""


def _say_nothing() -> None:
    return


class ServingMode(Protocol):
    """One way to serve a Flask-SocketIO app."""

    name: str

    def prepare(self, engine: Any, bounds: MessageBounds) -> None:
        """Set limits on an engineio server before it takes connections."""

    def run_native(self, function: Callable[..., _T], *args: Any) -> _T:
        """Call a function that computes for long, without holding up other clients."""
        ...

    def run_waiting(self, function: Callable[..., _T], *args: Any) -> _T:
        """Call a function that may wait for long: neither other clients nor `run_native` wait for it."""
        ...

    def new_lock(self, places: int = 1) -> contextlib.AbstractContextManager[Any]:
        """A lock with so many places, for those who serve connections: waiting holds up no other client."""
        ...

    def new_queue(self, size: int) -> Any:
        """A bounded queue between those who serve connections: waiting for it holds up no other client."""
        ...

    def serve(
        self,
        app: Flask,
        listeners: Sequence[Listener],
        address_limit: AddressLimit,
        say_goodbye: Callable[[], None] = _say_nothing,
    ) -> None:
        """Serve until the process is told to end. The listeners' sockets are closed then.

        Args: say_goodbye: is called when no new connection is taken any more, and the others still are there.
        """


class EventletMode:
    """One hub runs all connections; what computes runs in eventlet's pool of native threads."""

    name = "eventlet"

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # Upstream discourages eventlet for new projects: ARCHITECTURE.md says why it is the default and
            # how to switch. A user who starts the server can do nothing about the warning.
            warnings.simplefilter("ignore")
            import eventlet
            import eventlet.green.ssl
            import eventlet.queue
            import eventlet.tpool
            import eventlet.websocket
            import eventlet.wsgi
        self._eventlet = eventlet
        self._may_wait = eventlet.Semaphore(WAITING_CALLS)

    def prepare(self, engine: Any, bounds: MessageBounds) -> None:
        """Repair and limit eventlet's WebSocket; `engine` takes its limit from its own options."""
        sys.setswitchinterval(SWITCH_S)
        harden(self._eventlet.websocket, bounds, lambda: self._eventlet.sleep(0))

    def run_native(self, function: Callable[..., _T], *args: Any) -> _T:
        """Run in a native thread; other greenlets go on."""
        set_up_pool(self._eventlet)
        result: _T = self._eventlet.tpool.execute(function, *args)
        return result

    def run_waiting(self, function: Callable[..., _T], *args: Any) -> _T:
        """Run in a native thread; callers past WAITING_CALLS wait as greenlets, which cost nothing."""
        with self._may_wait:
            return self.run_native(function, *args)

    def new_lock(self, places: int = 1) -> contextlib.AbstractContextManager[Any]:
        """Greenlets wait for it; not to be used in native threads."""
        lock: contextlib.AbstractContextManager[Any] = self._eventlet.Semaphore(places)
        return lock

    def new_queue(self, size: int) -> Any:
        """Greenlets wait for it; not to be used in native threads."""
        return self._eventlet.queue.Queue(size)

    def serve(
        self,
        app: Flask,
        listeners: Sequence[Listener],
        address_limit: AddressLimit,
        say_goodbye: Callable[[], None] = _say_nothing,
    ) -> None:
        """Serve on the hub. `socketio.run` is not used: it keeps debug=True, which sends tracebacks out."""
        pool = pool_that_ends(self._eventlet, max_connections(), STOP_TIMEOUT_S)
        with signals_as_data() as signals:
            servers = [
                self._eventlet.spawn(self._run_server, app, listener, address_limit, pool)
                for listener in listeners
            ]
            self._eventlet.greenio.GreenSocket(signals).recv(1)
            begin_to_close()
            for listener in listeners:
                # The server closes it after its connections: newcomers would wait for an answer until then.
                with contextlib.suppress(OSError):
                    listener.socket.shutdown(socket.SHUT_RDWR)
            say_goodbye()
            for server in servers:
                server.kill(KeyboardInterrupt)
            for server in servers:
                server.wait()

    def _run_server(self, app: Flask, listener: Listener, address_limit: AddressLimit, pool: Any) -> None:
        self._eventlet.wsgi.server(
            patient_listener(self._eventlet, address_limit)(listener.socket),
            app,
            debug=False,
            # The log would hold query strings, and with them session ids.
            log_output=False,
            socket_timeout=REQUEST_TIMEOUT_S,
            # What a route yields goes out at once, as with Werkzeug: an event waits for no other one.
            minimum_chunk_size=1,
            custom_pool=pool,
            environ={"wsgi.url_scheme": "https", "HTTPS": "on"} if listener.tls else None,
            protocol=connection_class(self._eventlet, address_limit, listener.tls),
        )


class ThreadingMode:
    """A native thread for each connection, by Werkzeug and simple-websocket."""

    name = "threading"

    def prepare(self, engine: Any, bounds: MessageBounds) -> None:
        """Limit messages, receive in blocks that hold a frame, and let go of whom Engine.IO gives up."""
        keep_to_one_line("werkzeug")
        ending = _ending(engine._async["websocket"], bounds)

        def limited(handler: Any, server: Any) -> Any:
            return ending(
                handler,
                server,
                receive_bytes=65536,
                # With pings of its own, simple-websocket reads only what is there already: by TLS, one thread
                # must not wait inside OpenSSL while another writes. Engine.IO's end a dead connection first.
                ping_interval=2 * (engine.ping_interval + engine.ping_timeout),
            )

        engine._async = {**engine._async, "websocket": limited}

    def run_native(self, function: Callable[..., _T], *args: Any) -> _T:
        """The caller is a native thread already."""
        return function(*args)

    def run_waiting(self, function: Callable[..., _T], *args: Any) -> _T:
        """The caller is a native thread already."""
        return function(*args)

    def new_lock(self, places: int = 1) -> contextlib.AbstractContextManager[Any]:
        """An ordinary semaphore."""
        return threading.Semaphore(places)

    def new_queue(self, size: int) -> Any:
        """An ordinary queue."""
        return queue.Queue(size)

    def serve(
        self,
        app: Flask,
        listeners: Sequence[Listener],
        address_limit: AddressLimit,
        say_goodbye: Callable[[], None] = _say_nothing,
    ) -> None:
        """Serve with Werkzeug's threaded server, whose request log is off."""
        from fer_web.serving.threaded_server import serve_threaded

        serve_threaded(app, listeners, address_limit, say_goodbye)


def _ending(base: type, bounds: MessageBounds) -> type:
    """Engine.IO's WebSocket, bounded. `close` ends its two threads: simple-websocket tells neither."""

    class EndingWebSocket(base):  # type: ignore[misc]
        def __call__(self, environ: dict[str, Any], _start_response: Any) -> Any:
            self.ws = BoundedWebSocket(environ, bounds, **self.server_args)
            self.app(self)
            # The way out of Werkzeug: the connection is no longer one of HTTP.
            raise ConnectionError()

        def close(self) -> None:
            # A client that has gone cannot be told so: by TLS its end is an error of its own.
            with contextlib.suppress(OSError, simple_websocket.ConnectionClosed):
                super().close()
            self.ws.connected = False
            # One waits for a message, perhaps for the rest of one that never comes.
            self.ws.event.set()
            # The other reads.
            with contextlib.suppress(OSError):
                self.ws.sock.shutdown(socket.SHUT_RD)

    return EndingWebSocket


class OneThread:
    """A native thread that calls one function after the other; it starts with the first.

    What needs much memory for a moment should always be done by the same thread: C's allocator keeps tens of
    megabytes of what is freed, for each thread that ever used it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open: set[Future[Any]] = set()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def call(self, function: Callable[..., _T], *args: Any) -> _T:
        """The function's result; blocks until it is there. Raises OverloadedError: the server stops first."""
        result: Future[_T] = Future()
        with self._lock:
            if self._is_stopped:
                raise _stopping()
            self._open.add(result)
            if self._thread is None:
                # A daemon: who stops the server does not wait for the last image.
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        self._calls.put((result, functools.partial(function, *args)))
        try:
            return result.result()
        finally:
            self._open.discard(result)

    def stop(self) -> None:
        """End the thread after what it does now, for whose result nobody waits any more."""
        with self._lock:
            self._is_stopped = True
            still_open = list(self._open)
        for result in still_open:
            with contextlib.suppress(InvalidStateError):  # it came this moment
                result.set_exception(_stopping())
        self._calls.put(None)

    def _run(self) -> None:
        while (item := self._calls.get()) is not None:
            result, call = item
            with contextlib.suppress(InvalidStateError):  # nobody waits for it any more
                try:
                    result.set_result(call())
                except Exception as exc:  # it belongs to who called
                    result.set_exception(exc)
            del item, result, call  # an image's worth of memory, until the next one


def _stopping() -> OverloadedError:
    return OverloadedError("The server stops. Send it again when it runs.")


class InTurn:
    """Calls functions that compute for long, one at a time: the others wait, and hold no thread meanwhile."""

    def __init__(self, mode: ServingMode, max_waiting: int) -> None:
        """Args: max_waiting: a further caller is refused, so that nobody waits for minutes."""
        self._mode = mode
        self._turn = mode.new_lock()
        self._thread = OneThread("images")
        self._max_waiting = max_waiting
        self._slots = threading.BoundedSemaphore(max_waiting + 1)  # and the one whose turn it is

    def __call__(self, function: Callable[..., _T], *args: Any) -> _T:
        """The function's result. Raises OverloadedError: too many wait already."""
        if not self._slots.acquire(blocking=False):
            raise OverloadedError(f"{self._max_waiting} others wait for this already. Send it again later.")
        try:
            with self._turn:
                result: _T = self._mode.run_native(self._thread.call, function, *args)
                return result
        finally:
            self._slots.release()

    def stop(self) -> None:
        """Let the thread go."""
        self._thread.stop()


class EngineConcurrency:
    """Events, queues and tasks of an engineio server, whatever mode it runs in."""

    def __init__(self, engine: Any, mode: ServingMode) -> None:
        self._engine = engine
        self._mode = mode

    def new_event(self) -> Any:
        """An unset event."""
        return self._engine.create_event()

    def new_queue(self) -> Any:
        """An empty queue."""
        return self._engine.create_queue()

    def spawn(self, target: Callable[[], None]) -> Any:
        """Run `target` beside the caller; the returned object has join()."""
        return self._engine.start_background_task(target)

    def run_native(self, function: Callable[..., _T], *args: Any) -> _T:
        """Call a function that computes for long, without holding up other clients."""
        return self._mode.run_native(function, *args)

    def run_waiting(self, function: Callable[..., _T], *args: Any) -> _T:
        """Call a function that may wait for long: neither other clients nor `run_native` wait for it."""
        return self._mode.run_waiting(function, *args)


def serving_mode(name: str) -> ServingMode:
    """The mode of this name: eventlet or threading."""
    modes: dict[str, Callable[[], ServingMode]] = {"eventlet": EventletMode, "threading": ThreadingMode}
    return modes[name]()
