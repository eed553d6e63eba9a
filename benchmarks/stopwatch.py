"""Format medians and percentiles of many timings."""

from collections.abc import Sequence

import numpy as np


def median_and_p95(samples_ms: Sequence[float]) -> tuple[float, float]:
    """Return the median and 95th percentile, in the unit of the samples."""
    return float(np.median(samples_ms)), float(np.percentile(samples_ms, 95))


def row(name: str, samples_ms: Sequence[float]) -> str:
    """Return one line of a table: name, median, 95th percentile, count."""
    median, p95 = median_and_p95(samples_ms)
    return f"{name:<34}{median:9.2f}{p95:9.2f}{len(samples_ms):8d}"
