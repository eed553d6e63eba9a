"""What the tests of several processes have in common."""

import contextlib

from tests.support.callers import PUBLIC_URL
from tests.support.servers import ServerProcess

SECRET, TOKEN = "5a" * 32, "host-token-of-the-tests-1234"
OPTIONS = ("--detector", "haar", "--proxies", "1", "--public-url", PUBLIC_URL, "--workers", "1")


def environment_of(database_url, redis_url, mode="eventlet"):
    """Variables that make processes one service."""
    return {
        "FER_DATABASE_URL": database_url,
        "FER_REDIS": redis_url,
        "FER_SECRET": SECRET,
        "FER_HOST_TOKEN": TOKEN,
        "FER_ASYNC_MODE": mode,
    }


@contextlib.contextmanager
def two_servers(environment):
    """Two servers with these variables; at the end neither has logged a traceback."""
    with (
        ServerProcess(*OPTIONS, environment=environment) as one,
        ServerProcess(*OPTIONS, environment=environment) as other,
    ):
        yield one, other
        log = "".join([*one.output, *other.output])
    assert "Traceback" not in log, log[-3000:]
