"""Worker processes that analyse videos handed on by servers and commands."""

import contextlib
import os
import subprocess
import sys

from tests.support.servers import ROOT


def environment_of_worker(**own):
    """The variables of this process without our settings, but for these."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FER_")} | own


def start_worker(environment):
    """A worker that is ready; its standard error is to be closed."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "fer_web", "worker"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in worker.stderr:
        if "Worker is ready" in line:
            return worker
    raise RuntimeError("The worker did not start.")


@contextlib.contextmanager
def running_worker(environment):
    """A worker while this lasts."""
    worker = start_worker(environment)
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait(60)
        worker.stderr.close()
