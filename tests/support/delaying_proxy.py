"""A TCP proxy that is as slow, uneven or narrow as a test wants: the path between a browser and a server.

Bytes stay in order, as TCP's do: what is late holds up what comes behind it.
"""

import asyncio
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

CHUNK_BYTES = 4096
MESSAGE_BYTES = 65_536

Delays = Callable[[], float]
"""Tells how many seconds the next chunk takes."""


@dataclass(frozen=True)
class Path:
    """One path for all connections.

    Attributes:
        up, down: delays towards the server and back; asked for each chunk that is read at once.
        up_bytes_per_s: of each connection; None for as many as there are.
    """

    up: Delays
    down: Delays
    up_bytes_per_s: float | None = None


def constant_path(round_trip_ms: float, up_bits_per_s: float | None = None) -> Path:
    """A path of one delay, half of it each way."""
    half_s = round_trip_ms / 2000
    bytes_per_s = up_bits_per_s / 8 if up_bits_per_s else None
    return Path(lambda: half_s, lambda: half_s, bytes_per_s)


def every_tenth_late_path(round_trip_ms: float, late_ms: float) -> Path:
    """A path on which every tenth answer takes longer."""
    half_s, late_s, count = round_trip_ms / 2000, late_ms / 1000 - round_trip_ms / 2000, iter(range(10**9))
    return Path(lambda: half_s, lambda: late_s if next(count) % 10 == 9 else half_s)


def jittering_path(least_ms: float, most_ms: float, seed: int = 1) -> Path:
    """A path whose round trip is anywhere between two times, half of it each way."""
    draw = random.Random(seed)
    return Path(*[lambda: draw.uniform(least_ms, most_ms) / 2000] * 2)


class DelayingProxy:
    """A context manager; `url` leads over the path to the server's `url`."""

    def __init__(self, url: str, path: Path) -> None:
        self._target = urlsplit(url)
        self._path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> "DelayingProxy":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(60)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{self._target.scheme}://{self._target.hostname}:{port}{self._target.path}"
        return self

    def __exit__(self, *_exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._join, "127.0.0.1", 0)

    async def _close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._connections)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(asyncio.current_task())
        try:
            far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        path = self._path
        await asyncio.gather(
            self._carry(reader, far_writer, path.up, path.up_bytes_per_s),
            self._carry(far_reader, writer, path.down, None),
        )
        self._writers -= {writer, far_writer}

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        delay: Delays,
        bytes_per_s: float | None,
    ) -> None:
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivering = asyncio.create_task(self._deliver(on_the_way, writer))
        free_s = arrived_s = 0.0
        chunk_bytes = CHUNK_BYTES if bytes_per_s else MESSAGE_BYTES
        with suppress(OSError):
            while data := await reader.read(chunk_bytes):
                now_s = self._loop.time()
                free_s = max(free_s, now_s) + (len(data) / bytes_per_s if bytes_per_s else 0.0)
                arrived_s = max(arrived_s, free_s + delay())
                on_the_way.put_nowait((arrived_s, data))
        on_the_way.put_nowait((arrived_s, b""))
        await delivering

    async def _deliver(
        self, on_the_way: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while True:
                at_s, data = await on_the_way.get()
                await asyncio.sleep(max(0.0, at_s - self._loop.time()))
                if not data:
                    break
                writer.write(data)
                await writer.drain()
        writer.close()
