"""Footprints: what an answer was made from, as somebody tells who has watched its load.

To the cache they are opaque: it collects them during a load, keeps them with the entry, and finds entries by
them. Who makes them (from tables and columns, say) knows which of them a change concerns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from wats_accel.cache.loads import Load
    from wats_accel.cache.region import Region


class Footprint(Protocol):
    """What an answer was made from. Two that are made from the same are the same object."""

    def __hash__(self) -> int: ...

    def __or__(self, other: Any, /) -> Any:
        """What an answer is made from that is made from both."""
        ...


Concerned = Callable[[Footprint | None], bool]
"""Whether a change concerns what was made from a footprint; None: nobody has seen what it was made from."""


class Watch(Protocol):
    """Who watches what loads read, and what is changed meanwhile."""

    def why_not_keep(self, region: Region, load: Load, /) -> str | None:
        """Why the answer of a load that has ended must not be kept. Called under the caches' lock."""
        ...

    def told_of(self, region: Region, /) -> dict[str, str]:
        """Facts for people about what a method's answers are made from, by name."""
        ...
