"""Time from `python app.py` to the first answered frame: python -m benchmarks.start [--runs N]."""

import argparse
import json
import time

import numpy as np
import socketio

from fer_web.vision.frames import encode_jpeg
from tests.support.faces import camera_frame_bgr
from tests.support.servers import ServerProcess


def time_one_start(arguments: list[str]) -> tuple[float, list[str]]:
    """Start a server, send one frame with a face, stop it.

    Returns: seconds from the start of the process to the answer; names of TensorFlow's libraries in
        the process, which must be none.
    """
    jpeg = encode_jpeg(camera_frame_bgr(), 80)
    started = time.perf_counter()
    with ServerProcess(*arguments) as server, socketio.SimpleClient(request_timeout=60) as client:
        client.connect(server.url, transports=["websocket"], wait_timeout=60)
        reply = client.call("frame", ({"seq": 1, "captured_ms": 0.0}, jpeg), timeout=60)
        seconds = time.perf_counter() - started
        if len(reply["faces"]) != 1:
            raise RuntimeError(f"The first frame was answered with {reply}")
        return seconds, sorted(name for name in server.loaded_modules() if "tensorflow" in name.lower())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options, server_arguments = parser.parse_known_args()
    results = [time_one_start(server_arguments) for _ in range(options.runs)]
    seconds = [result[0] for result in results]
    tensorflow = sorted({name for result in results for name in result[1]})
    if options.json:
        print(
            json.dumps({"seconds": seconds, "median_s": float(np.median(seconds)), "tensorflow": tensorflow})
        )
        return
    print(f"python app.py to the first answered frame, {len(seconds)} runs")
    print(f"median {np.median(seconds):.2f} s, slowest {max(seconds):.2f} s")
    print(f"TensorFlow libraries in the process: {', '.join(tensorflow) or 'none'}")


if __name__ == "__main__":
    main()
