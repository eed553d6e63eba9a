"""Frames a second that one worker and two analyse: python -m benchmarks.workers. Needs redis-server."""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.made_videos import still, write_video
from tests.support.redis import RedisServer
from tests.support.servers import ROOT

_FPS = 30


def main() -> None:
    """Measure in pairs, one worker and then two, and print each pair and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=4, help="videos of each run (4)")
    parser.add_argument("--frames", type=int, default=300, help="frames of each video (300)")
    parser.add_argument("--pairs", type=int, default=2, help="pairs of runs (2)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, RedisServer() as redis:
        folder = Path(name)
        (folder / "in").mkdir()
        for number in range(given.videos):
            path = folder / "in" / f"{number}.mp4"
            write_video(path, [still("happy")] * given.frames, _FPS, "libx264")
        for _ in range(given.pairs):
            took = [_took_s(folder, redis.url, count) for count in (1, 2)]
            one, two = (given.videos * given.frames / each for each in took)
            print(f"one worker {one:.1f} frames/s, two {two:.1f} frames/s: {two / one:.2f} times", flush=True)


def _took_s(folder: Path, redis_url: str, count: int) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FER_")}
    environment |= {"FER_DATA_DIR": str(folder / "data"), "FER_JOB_WORKERS": redis_url}
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_worker(environment))
        started_s = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "fer_web", "video", str(folder / "in")],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - started_s


@contextlib.contextmanager
def _worker(environment: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "fer_web", "worker"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert worker.stderr is not None
        if not any("Worker is ready" in line for line in worker.stderr):
            raise RuntimeError("The worker did not start.")
        yield
    finally:
        worker.terminate()
        worker.communicate(timeout=60)


if __name__ == "__main__":
    main()
