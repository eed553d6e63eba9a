"""A real server whose only worker takes its time for every frame. As a program it serves as app.py does."""

import time

import app
from fer_web.inference.pipeline import Pipeline
from tests.support.servers import ServerProcess


class SlowServer(ServerProcess):
    """It takes 100 ms for every frame, one after another."""

    PROGRAM = ("-m", "tests.support.slow_server")
    FRAME_S = 0.1

    def __init__(self, *arguments, **options):
        super().__init__("--workers", "1", *arguments, **options)


def main():
    process = Pipeline.process

    def process_slowly(self, *arguments, **options):
        end_s = time.perf_counter() + SlowServer.FRAME_S
        result = process(self, *arguments, **options)
        time.sleep(max(0.0, end_s - time.perf_counter()))
        return result

    Pipeline.process = process_slowly
    app.leave(app.main())


if __name__ == "__main__":
    main()
