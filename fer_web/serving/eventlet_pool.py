"""Sets up eventlet's pool of native threads without 127.0.0.1, by which its own wakes the hub."""

from typing import Any


def set_up_pool(eventlet: Any) -> None:
    """As `eventlet.tpool.setup` of eventlet 0.41, with a socket pair of the system; once for the process."""
    pool = eventlet.tpool
    if pool._setup_already:
        return
    pool._setup_already = True
    pool._reqq, pool._rspq = pool.Queue(maxsize=-1), pool.Queue(maxsize=-1)
    reader, pool._wsock = pool.socket.socketpair()
    pool._rsock = eventlet.greenio.GreenSocket(reader)
    pool._rsock.settimeout(None)
    for number in range(pool._nthreads):
        thread = pool.threading.Thread(target=pool.tworker, name=f"tpool_thread_{number}", daemon=True)
        thread.start()
        pool._threads.append(thread)
    pool._coro = eventlet.greenthread.spawn_n(pool.tpool_trampoline)
    eventlet.sleep(0)  # the trampoline waits for the socket from here on
