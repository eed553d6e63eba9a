"""Redis and PostgreSQL go away for a while behind two processes that serve and record.

OUTAGE_S in the environment says for how long: OUTAGE_S=30 python -m pytest -s tests/scale/test_outages.py
"""

import contextlib
import os
import time

import pytest
import requests

from tests.scale.cameras import Camera, until
from tests.scale.test_behind_nginx import stored
from tests.support.callers import WAIT_S
from tests.support.nginx import NginxServer
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.servers import ServerProcess
from tests.support.several_processes import OPTIONS, environment_of

OUTAGE_S = float(os.environ.get("OUTAGE_S", "8"))
LEAST_RATE = 0.9 if OUTAGE_S >= 30 else 0.7
"""Of the rate before. What else runs on the same cores changes it more in a short time than in a long one."""
CAMERAS = 2


class Service:
    """Two processes behind nginx, with what they share."""

    def __init__(self, stack, mode):
        self.postgres = stack.enter_context(PostgresServer())
        self.redis = stack.enter_context(RedisServer())
        self.database = self.postgres.new_database()
        environment = environment_of(self.database, self.redis.url, mode)
        self.servers = [
            stack.enter_context(ServerProcess(*OPTIONS, environment=environment)) for _ in range(2)
        ]
        self.url = stack.enter_context(NginxServer([server.port for server in self.servers])).url

    def readiness(self):
        """What each process says of itself."""
        return [requests.get(f"{server.url}/readyz", timeout=WAIT_S).json() for server in self.servers]


@contextlib.contextmanager
def redis_stopped(service):
    service.redis.stop()
    try:
        yield
    finally:
        service.redis.start()


OUTAGES = {
    "redis stopped": (redis_stopped, "degraded", "redis"),
    "postgres frozen": (lambda service: service.postgres.frozen(), "failed", "database"),
    "postgres stopped": (lambda service: service.postgres.stopped(), "failed", "database"),
}


def answers_for(seconds, cameras):
    """Answers a second that the cameras have meanwhile."""
    before, start_s = sum(camera.answers for camera in cameras), time.monotonic()
    time.sleep(seconds)
    return (sum(camera.answers for camera in cameras) - before) / (time.monotonic() - start_s)


@pytest.mark.alone
@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_live_views_go_on_it_is_told_nothing_is_lost_and_all_comes_back_by_itself(mode, outage):
    away, where, name = OUTAGES[outage]
    with contextlib.ExitStack() as stack:
        service = Service(stack, mode)
        cameras = [stack.enter_context(Camera(service.url)) for _ in range(CAMERAS)]
        until(lambda: all(camera.saved > 3 for camera in cameras), cameras)
        rate = answers_for(OUTAGE_S, cameras)
        with away(service):
            while_away = answers_for(OUTAGE_S, cameras)
            # A check without an answer has failed after 15 s.
            until(lambda: all(name in each[where] for each in service.readiness()), cameras)
        saved = [camera.saved for camera in cameras]
        until(lambda: all(each.saved > before for each, before in zip(cameras, saved, strict=True)), cameras)
        until(lambda: not any(name in each[where] for each in service.readiness()), cameras)
        for camera in cameras:
            camera.end()
        print(
            f"{mode}, {outage} for {OUTAGE_S:.0f} s: {while_away / rate:.0%} of {rate:.1f} answers a second"
        )
        assert while_away >= LEAST_RATE * rate
        for camera in cameras:
            assert len(camera.sessions) == 1
            count = stored(service.database, camera.session)
            # What came while it was away is there too: of ten answers a second, five make a sample.
            assert count >= max(camera.saved, 0.4 * camera.answers)
        for server in service.servers:
            assert "Traceback" not in "".join(server.output)
