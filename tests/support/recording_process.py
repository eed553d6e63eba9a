"""Records two clients with three faces each as fast as a camera, and logs what was acknowledged."""

import json
import os
import threading
import time

from fer_web.history.recorder import Recorder, RecordingModel
from fer_web.history.repository import open_history
from fer_web.inference.results import FrameResult
from tests.support.face_results import face

FPS = 30
CLIENTS = ("a", "b")


def record_until_killed(folder, log_path):
    """Lines of the log, as JSON: the sessions when they run, each `saved`, and how long frames were taken."""
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(**line):
        # One write for each line, so that a kill cannot cut one.
        os.write(log, (json.dumps(line) + "\n").encode())

    history = open_history("", folder)
    history.mark_interrupted()
    recorder = Recorder(history, RecordingModel("m", "h", 5.0, {}), 4)
    recorder.open()
    threading.Thread(target=log_notices, args=(recorder, say), daemon=True).start()
    sessions = {client: recorder.start(client, "ann", "") for client in CLIENTS}
    say(ready=[session.id for session in sessions.values()])
    start_s = time.monotonic()
    result = FrameResult((face(1), face(2), face(3)), {})
    for frame in range(10**9):
        now_s = time.monotonic()
        for client in CLIENTS:
            recorder.sample(client, now_s, result)
        say(taken_s=now_s - start_s)
        time.sleep(max(0.0, start_s + (frame + 1) / FPS - time.monotonic()))


def log_notices(recorder, say):
    for notice in iter(recorder.next_notice, None):
        say(event=notice.event, **notice.data)
