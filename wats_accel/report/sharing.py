"""Sharing, in words: what other processes are told of a method's answers, and find of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from wats_accel.cache.elsewhere import Announcer
from wats_accel.cache.region import Region
from wats_accel.counters import SharedCounters
from wats_accel.durations import format_duration


def figures_of_others(announcer: Announcer | None) -> SharedCounters | None:
    """What has happened between this process and others; None if nothing tells. Raises nothing."""
    with suppress(Exception):
        figures: object = None if announcer is None else announcer.figures()
        if isinstance(figures, SharedCounters):
            return figures
    return None


def sharing_facts(region: Region, others: SharedCounters | None) -> dict[str, str]:
    """Facts for people, by name; none where nobody else is told anything.

    Args:
        region: of the method.
        others: what has happened between this process and others.
    """
    told = [] if others is None else [f"hear of what is dropped ({', '.join(_state(others))})"]
    if region.tier is not None:
        counts = sorted(region.counters.shared.items())
        counted = ", ".join(f"{count} {name}" for name, count in counts if count)
        told.append(f"share its answers ({counted})" if counted else "share its answers")
    return {"other processes": "; ".join(told)} if told else {}


def _state(others: SharedCounters) -> Iterator[str]:
    yield f"{others.mode}: {others.why_isolated}" if others.why_isolated else others.mode
    if others.echoes:
        yield f"{others.echo_seconds / others.echoes * 1e3:.1f} ms under way"
    if others.silent_seconds is not None:
        yield f"the last message {format_duration(round(others.silent_seconds))} ago"
