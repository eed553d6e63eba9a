"""How fast this machine is just now, so that what is measured on it has a fair bound."""

import time

import psutil

STEPS = 1_000_000
STEPS_S = 0.11
"""What they took where the bounds were measured, with nothing beside."""


def slowness(clock=time.perf_counter, spans=5):
    """How many times longer work takes here and now than where the bounds were measured; 1 at least.

    Args:
        clock: time.process_time leaves out what other programs take from this one.
        spans: of a tenth of a second each; others' work comes and goes.
    """
    own_s, clock_s = time.process_time(), clock()
    for _ in range(spans):
        _work()
    own_s, clock_s = time.process_time() - own_s, clock() - clock_s
    # Several processes, such as a server and a browser, share the cores with others' work as the load tells.
    waiting = 1.0 if clock is time.process_time else psutil.getloadavg()[0] / psutil.cpu_count()
    return max(1.0, clock_s / (spans * STEPS_S), own_s / (spans * STEPS_S) * waiting)


def _work():
    total = 0
    for number in range(STEPS):
        total += number * number % 7
    return total
