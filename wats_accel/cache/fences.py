"""Fences: around all that one write drops from several regions, one after another.

A load that begins meanwhile may find in one region, as a hit of a method that it calls, what is about to be
dropped there. So no load of what is selected is stored that begins before all of it is dropped.
"""

from __future__ import annotations

from types import TracebackType

from wats_accel.cache.region import Region
from wats_accel.cache.selection import Selection


class Fences:
    """The fences of one write: raised one by one, and lifted together at the end of a ``with`` block."""

    __slots__ = ("_raised",)

    def __init__(self) -> None:
        self._raised: list[tuple[Region, Selection]] = []

    def raise_around(self, region: Region, selection: Selection) -> None:
        """Have no load of what is selected stored that begins from now on."""
        with region.lock:
            region.flights.raise_fence(selection)
            self._raised.append((region, selection))

    def __enter__(self) -> Fences:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failure: BaseException | None = None
        while self._raised:
            region, selection = self._raised.pop()
            try:
                with region.lock:
                    region.flights.lift_fence(selection)
            except BaseException as cut:  # noqa: BLE001 - the others are lifted all the same
                failure = failure or cut
        if failure is not None:
            raise failure
