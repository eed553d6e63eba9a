"""An iterator that runs one item ahead in a thread of its own."""

import contextlib
import queue
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

_Item = TypeVar("_Item")
_LOOK_S: Final = 0.1


@dataclass(frozen=True)
class _Got(Generic[_Item]):
    item: _Item


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


def read_ahead(items: Iterable[_Item]) -> Generator[_Item, None, None]:
    """The items; while one is used the next is made. At most three exist: used, waiting, being made.

    The thread has ended when the iterator is closed, exhausted, or has raised what `items` raised.
    """
    waiting: queue.Queue[_Got[_Item] | _End] = queue.Queue(maxsize=1)
    is_over = threading.Event()
    thread = threading.Thread(target=_fill, args=(waiting, items, is_over), name="read-ahead", daemon=True)
    try:
        thread.start()
        while isinstance(got := waiting.get(), _Got):
            yield got.item
        if got.error:
            raise got.error
    finally:
        is_over.set()
        # An interrupt may come while it starts: then it ends by itself.
        with contextlib.suppress(RuntimeError):
            thread.join()


def _fill(
    waiting: "queue.Queue[_Got[_Item] | _End]", items: Iterable[_Item], is_over: threading.Event
) -> None:
    end = _End()
    try:
        for item in items:
            if not _put(waiting, _Got(item), is_over):
                return
    except BaseException as exc:  # raised again where the items are used
        end = _End(exc)
    _put(waiting, end, is_over)


def _put(
    waiting: "queue.Queue[_Got[_Item] | _End]", what: _Got[_Item] | _End, is_over: threading.Event
) -> bool:
    while not is_over.is_set():
        try:
            waiting.put(what, timeout=_LOOK_S)
            return True
        except queue.Full:
            continue
    return False
