"""Figures of many latencies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

PERCENTS: Final = (50, 95, 99)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many per cent of the values do not exceed; 0 if there are none."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def summary(seconds: Iterable[float]) -> dict[str, float]:
    """How many, and in milliseconds: mean, p50, p95, p99, and the longest."""
    ordered = sorted(value * 1000 for value in seconds)
    figures = {f"p{percent}": percentile(ordered, percent) for percent in PERCENTS}
    mean = sum(ordered) / len(ordered) if ordered else 0.0
    return {"count": len(ordered), "mean": mean, **figures, "max": percentile(ordered, 100)}
