"""The accelerator: what an application holds, and what a maintainer asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wats_accel.changing import Changing
from wats_accel.config_source import ConfigSource, effective
from wats_accel.errors import AlreadyInstalledError, Problem
from wats_accel.patterns import KeyPattern

if TYPE_CHECKING:
    from wats_accel.report.explanation import Explanation


class Accelerator(Changing):
    """One configuration in effect. All state belongs to it; nothing is global but what it patches.

    Args:
        source: a YAML or TOML file, a mapping of the same shape, or None for the usual places.
        clock: seconds, never going backwards; for tests and simulations.
        wall_clock: seconds since the epoch; for the same.
        strict: raise what would otherwise be left out; None leaves it to the configuration.
        environ: where `WATS_ACCEL_CONFIG` and `WATS_ACCEL_DISABLE` are looked up.
    """

    def kept_for(self, source: ConfigSource, *, strict: bool) -> Accelerator:
        """This accelerator, asked to be installed once more: it stays, nothing is patched twice.

        Raises:
            AlreadyInstalledError: strict, and another configuration is asked for.
        """
        if effective(source, self._environ) not in (None, effective(self.source, self._environ)):
            message = "an accelerator with another configuration is installed; uninstall it first"
            if strict:
                raise AlreadyInstalledError(message)
            self._left_out(Problem(message))
        return self

    # -- what a maintainer asks ----------------------------------------------------------------------

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was left out, and why."""
        return (*self._complaints, *self._rejected)

    def disable(self, pattern: str) -> int:
        """Stop answering from the cache what a pattern names: ``users:*``, a target, or ``all``.

        Invalidation goes on, so that `enable` is safe at any time. A pool that is named opens no more
        connections: the driver's own are given.

        Returns:
            how many cached methods and pools the pattern names.
        """
        return self._switch(pattern, enabled=False)

    def enable(self, pattern: str) -> int:
        """Switch on again what a pattern names; gives how many cached methods and pools that is."""
        return self._switch(pattern, enabled=True)

    def invalidate(self, pattern: str) -> int:
        """Drop the entries that a key pattern matches; gives how many there were.

        Raises:
            PatternError: the pattern cannot be read.
        """
        parsed = KeyPattern.parse(pattern)
        if self._assembly is None:
            return 0
        return self._assembly.context.invalidator.drop(parsed, {}, by="accelerator.invalidate")

    def explain(self, target: str) -> Explanation:
        """What is done with a method or a `connect`: what drops its entries and why, how it is pooled.

        Raises:
            TargetError: no rule names the target, or nothing is installed.
        """
        from wats_accel.report.explanation import explain  # noqa: PLC0415 - for people, who can wait
        from wats_accel.report.sharing import figures_of_others  # noqa: PLC0415 - as above

        if self._assembly is None:
            return explain(target, (), None)
        context = self._assembly.context
        others = figures_of_others(context.caches.announcer)
        return explain(target, context.caches, context.invalidator, context.pools, others=others)
