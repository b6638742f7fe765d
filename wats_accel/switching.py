"""Switching: what people have turned off or on while the program runs, and what the environment turns off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from wats_accel.assembly import Assembly
from wats_accel.config.location import disabled_patterns
from wats_accel.errors import Problem, shown

_MOST_SWITCHES: Final = 1_000


class RuntimeSwitches:
    """The switches of one accelerator, remembered for what a reload makes anew.

    Args:
        environ: where `WATS_ACCEL_DISABLE` is looked up.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: dict[str, bool] = {}

    @property
    def known(self) -> dict[str, bool]:
        """What was switched off or on, by pattern; the last one beats the others."""
        return dict(self._known)

    @property
    def by_environment(self) -> list[str]:
        """The patterns that the environment switches off."""
        return disabled_patterns(self._environ)

    def clear(self) -> None:
        """Forget them, for an accelerator that begins anew."""
        self._known.clear()

    def switch(self, assembly: Assembly, pattern: str, *, enabled: bool) -> int:
        """Switch what a pattern names, and remember it; gives how many methods and pools that is."""
        self._known.pop(pattern, None)
        if len(self._known) < _MOST_SWITCHES:
            self._known[pattern] = enabled
        regions = assembly.context.caches.named(pattern)
        for region in regions:
            region.switch(enabled=enabled)
        pools = assembly.context.pools.named(pattern)
        for pooled in pools:
            pooled.active = enabled
        return len(regions) + len(pools)

    def switch_off_by_environment(self, assembly: Assembly) -> Iterator[Problem]:
        """Switch off what the environment says; gives a problem for each pattern that names nothing."""
        for pattern in self.by_environment:
            if not self.switch(assembly, pattern, enabled=False):
                yield _unnamed(assembly, pattern)

    def missed_by_environment(self, assembly: Assembly) -> Iterator[Problem]:
        """The same problems, where everything is switched already."""
        caches, pools = assembly.context.caches, assembly.context.pools
        for pattern in self.by_environment:
            if not caches.named(pattern) and not pools.named(pattern):
                yield _unnamed(assembly, pattern)


def _unnamed(assembly: Assembly, pattern: str) -> Problem:
    from wats_accel.editing.switches import suggestion  # noqa: PLC0415 - needed after a mistake only

    known = suggestion(assembly.config.document.data, pattern)
    return Problem(f"WATS_ACCEL_DISABLE: nothing is named by {shown(pattern)!r}{known}")
