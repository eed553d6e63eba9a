"""Wakes the workers of other processes, by Celery: a message says that something waits.

So a message that is lost, or comes twice, does no harm: the bell looks again and again whether work waits
that no message tells of.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from fer_web.errors import DatabaseError, SetupError

LOOK_S: Final = 2.0
"""Seconds between two looks at what waits for a worker."""

TASK: Final = "fer_web.next_video"
RUNS: Final = "run-"
"""Places of commands begin so; those of servers are names of folders."""

_TIMEOUT_S: Final = 5.0
"""Redis answers within this time, or it is tried anew."""

_log = logging.getLogger(__name__)


def queue_of(place: str) -> str:
    """The queue in which messages of a place wait: one for each folder of servers, one for all commands."""
    return f"fer_web.{RUNS if place.startswith(RUNS) else place}"


def open_celery(url: str) -> Any:
    """Celery's application, connected to nothing yet. Raises SetupError: the package is missing."""
    try:
        import celery
    except ImportError:
        raise SetupError(
            "Workers need the package celery. Install it: pip install -r requirements-scale.txt"
        ) from None
    app = celery.Celery("fer_web", broker=url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        # A worker that is killed gives its message back; how soon is not waited for, because the bell looks.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={
            "visibility_timeout": 3600,
            "socket_timeout": _TIMEOUT_S,
            "socket_connect_timeout": _TIMEOUT_S,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_publish_retry=False,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
    )
    return app


class Bell:
    """A native thread that tells workers of a place how much waits. Without Redis it tries again."""

    def __init__(self, url: str, place: str, look: Callable[[], int]) -> None:
        """Args: look: how many videos a worker could take now; blocks. Raises SetupError."""
        self._app, self._place, self._look = open_celery(url), place, look
        self._wanted = threading.Event()
        self._ended = threading.Event()
        self._connection: Any = None
        self._is_lost = False
        self._thread = threading.Thread(target=self._run, name="worker-bell", daemon=True)

    def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ring(self) -> None:
        """There is something new."""
        self._wanted.set()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(_TIMEOUT_S)

    def _run(self) -> None:
        while not self._ended.is_set():
            is_new = self._wanted.is_set()
            self._wanted.clear()
            try:
                self._tell(is_new)
            except DatabaseError as exc:
                _log.warning("What waits for workers could not be read: %s", exc)
            except Exception as exc:
                self._lost(exc)
            self._wanted.wait(LOOK_S)

    def _tell(self, is_new: bool) -> None:
        free = self._look()
        if not free:
            return
        if self._connection is None:
            self._connection = self._app.connection_for_write()
        if not self._waiting():
            self._send(free)
        elif is_new:
            self._send(1)
        if self._is_lost:
            _log.warning("Redis is back: workers hear of videos again.")
        self._is_lost = False

    def _send(self, count: int) -> None:
        for _ in range(count):
            self._app.send_task(
                TASK, (self._place,), queue=queue_of(self._place), connection=self._connection
            )

    def _waiting(self) -> int:
        from kombu.exceptions import ChannelError

        try:
            declared = self._connection.default_channel.queue_declare(queue_of(self._place), passive=True)
        except ChannelError:  # an empty queue is none
            return 0
        return int(declared.message_count)

    def _lost(self, exc: Exception) -> None:
        if not self._is_lost:
            _log.warning("Workers cannot be told of videos (%s): they wait.", type(exc).__name__)
        self._is_lost = True
        if self._connection is not None:
            self._connection.release()
        self._connection = None
