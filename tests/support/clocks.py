"""A clock that stands still until it is told to go on."""


class Clock:
    """Called, it says what time it is, in seconds."""

    def __init__(self, now_s=1_700_000_000.0):
        self.now_s = now_s

    def __call__(self):
        return self.now_s

    def advance(self, seconds):
        self.now_s += seconds
