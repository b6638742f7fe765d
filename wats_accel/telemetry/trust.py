"""Trust in words: what the method's own answers have told of the cache's."""

from __future__ import annotations

from wats_accel.counters import Counters
from wats_accel.events import TrustSummary

Figures = Counters | TrustSummary


def shadow_text(figures: Figures) -> str:
    """What the cache of a method in the shadow would have done so far."""
    hits, calls = figures.shadow_hits, figures.shadow_hits + figures.misses
    share = f" ({100 * hits / calls:.0f} %)" if calls else ""
    saved = f"saved {figures.shadow_saved_seconds:.1f} s"
    return f"would have answered {hits} of {calls} calls{share}, {saved}, {figures.shadow_stale} stale"


def verified_text(figures: Figures) -> str:
    """What comparisons have found so far."""
    silent = f", {figures.inconclusive} more said nothing" if figures.inconclusive else ""
    return f"{many(figures.verified, 'hit')}: {many(figures.differences, 'difference')}{silent}"


def many(count: int, word: str) -> str:
    """So many of them, in the singular if it is one."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
