"""Counts what the server does, in the text format that Prometheus reads. No label names a person."""

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Media type of `ServerMetrics.text`."""

_STAGES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_AGES_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
_LAGS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_BATCHES_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0)


class ServerMetrics:
    """The numbers of one server, in a registry of its own. Thread-safe; each call takes microseconds."""

    def __init__(self, version: str) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge("fer_build_info", "The program's version", ["version"], registry=registry).labels(version).set(
            1
        )
        self._frames = Counter(
            "fer_frames", "Frames that came, by what became of them", ["outcome", "reason"], registry=registry
        )
        self._in_flight = Gauge("fer_frames_in_flight", "Frames that wait or are analysed", registry=registry)
        self._ages = Histogram(
            "fer_frame_age_seconds",
            "Time from a frame's arrival to its answer",
            registry=registry,
            buckets=_AGES_S,
        )
        self._stages = Histogram(
            "fer_stage_seconds",
            "Time that analysed frames took, by stage",
            ["stage"],
            registry=registry,
            buckets=_STAGES_S,
        )
        self._lags = Histogram(
            "fer_hub_lag_seconds",
            "How much later than asked for a task of the server runs",
            registry=registry,
            buckets=_LAGS_S,
        )
        self._batches = Histogram(
            "fer_history_batch_seconds",
            "Time that batches of samples took to be stored, by outcome",
            ["outcome"],
            registry=registry,
            buckets=_BATCHES_S,
        )
        self._samples = Counter("fer_history_samples", "Samples that were stored", registry=registry)
        self._requests = Counter(
            "fer_http_requests", "HTTP requests that were answered, by status", ["status"], registry=registry
        )

    def frame_came(self) -> None:
        """A frame waits for its turn."""
        self._in_flight.inc()

    def frame_answered(
        self, outcome: str, reason: str, age_s: float, timings_ms: Mapping[str, float]
    ) -> None:
        """It was answered.

        Args:
            outcome: analysed, dropped or failed. reason: of a frame that was not analysed, a code of ours.
            age_s: since it came. timings_ms: by stage.
        """
        self._in_flight.dec()
        self._frames.labels(outcome, reason).inc()
        self._ages.observe(age_s)
        for stage, took_ms in timings_ms.items():
            self._stages.labels(stage).observe(took_ms / 1000)

    def frame_refused(self, reason: str) -> None:
        """A frame had no turn: it is damaged, or there is no place for its stream."""
        self._frames.labels("refused", reason).inc()

    def batch_stored(self, outcome: str, samples: int, took_s: float) -> None:
        """The history took samples (`saved`), or did not: then the code of an error."""
        self._batches.labels(outcome).observe(took_s)
        self._samples.inc(samples)

    def hub_was_late(self, lag_s: float) -> None:
        """A task ran so much later than it asked for."""
        self._lags.observe(max(0.0, lag_s))

    def request_answered(self, status: int) -> None:
        """An HTTP request had this status."""
        self._requests.labels(str(status)).inc()

    def show(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Ask for a number whenever somebody reads. Args: name: without the prefix `fer_`."""
        Gauge(f"fer_{name}", help_text, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """All numbers, as TEXT_FORMAT says."""
        return generate_latest(self._registry)
