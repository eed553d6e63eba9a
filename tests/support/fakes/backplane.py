"""A backplane between processes that are objects of one test."""

from collections import defaultdict

from fer_web.backplane.types import Message


class Exchange:
    """Carries messages at once to every other process, unless it is down."""

    def __init__(self):
        self.planes = []
        self.is_down = False

    def process(self):
        plane = MemoryBackplane(self, f"p{len(self.planes)}")
        self.planes.append(plane)
        return plane


class MemoryBackplane:
    """One process's side."""

    is_shared = True
    is_connected = True

    def __init__(self, exchange, process):
        self.process = process
        self._exchange = exchange
        self._subscribers = defaultdict(list)
        self.published = []

    def publish(self, topic, body, blob=b"", *, key=None):
        self.published.append((topic, body, blob))
        if self._exchange.is_down:
            return
        for other in self._exchange.planes:
            if other is not self:
                for take in other._subscribers[topic]:
                    take(Message(topic, self.process, body, blob))

    def subscribe(self, topic, take):
        self._subscribers[topic].append(take)

    def run(self):
        pass

    def stop(self):
        pass
