"""What an accelerator has on, as plain data: no keys, no values, no connection strings."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from wats_accel.config.raw import mapping_at, repository_rules, sequence
from wats_accel.errors import Problem, TargetError
from wats_accel.records import record
from wats_accel.targets import Target
from wats_accel.telemetry.trust import many, shadow_text

if TYPE_CHECKING:
    from wats_accel.assembly import Assembly
    from wats_accel.breakers import Breaker
    from wats_accel.cache.region import Region
    from wats_accel.cache.registry import CacheRegistry
    from wats_accel.pool.pooled_connect import PooledConnect

_MOST_PROBLEMS: Final = 50
_MOST_TEXT: Final = 500


@record(frozen=True, slots=True)
class View:
    """One accelerator at one moment.

    Attributes:
        assembly: what its configuration asks for.
        patched: the targets that carry a stand-in.
        waiting: those whose module has not been imported yet.
        switches: what was switched at run time, the newest last: pattern, and whether on.
        by_environment: those of these patterns that the environment has switched off.
        problems: what was left out.
    """

    assembly: Assembly
    patched: Collection[Target] = ()
    waiting: Collection[Target] = ()
    switches: Mapping[str, bool] | None = None
    by_environment: Collection[str] = ()
    problems: Sequence[Problem] = ()


def about_process() -> dict[str, Any]:
    """What tells this process from others. Its command line is private, but for the program's name."""
    program = sys.executable if getattr(sys, "frozen", False) else (sys.argv[0] if sys.argv else "")
    return {
        "pid": os.getpid(),
        "host": os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", ""),
        "program": os.path.basename(program) or "python",
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def state_of(view: View) -> dict[str, Any]:
    """Everything that `wats-accel status` shows of an accelerator."""
    config = view.assembly.config
    return {
        "written": time.time(),
        "config": config.document.name,
        "enabled": config.root.enabled,
        "watch": config.root.watch,
        "methods": [*map(_Reasons(view).of_method, view.assembly.context.caches), *_left_off(view)],
        "pools": [_Reasons(view).of_pool(pooled) for pooled in view.assembly.context.pools],
        "others": _of_others(view.assembly.context.caches),
        "breakers": [_of_breaker(breaker) for breaker in view.assembly.context.breakers if breaker.failures],
        "problems": {
            "count": len(view.problems),
            "texts": [str(problem)[:_MOST_TEXT] for problem in view.problems[:_MOST_PROBLEMS]],
        },
    }


def _of_others(caches: CacheRegistry) -> dict[str, Any]:
    """What is heard of other processes, and of the database; nothing where nobody listens."""
    told: dict[str, Any] = {}
    if caches.announcer is not None:
        shared = caches.announcer.figures()
        told["mode"], told["why"] = shared.mode, "" if shared.mode == "connected" else shared.why_isolated
        told |= {
            "members": shared.members,
            "waiting": shared.waiting,
            "silent_seconds": shared.silent_seconds,
        }
    if caches.follower is not None:
        told["why_not_followed"] = caches.follower.figures().why_lost
    return told


class _Reasons:
    """Says of each method and pool whether it is on, and why not."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._patched = {str(target) for target in view.patched}
        self._waiting = {str(target) for target in view.waiting}
        self._left_out = {problem.target: problem.message for problem in view.problems if problem.target}
        self._breakers = {breaker.part: breaker for breaker in view.assembly.context.breakers}

    def of_method(self, region: Region) -> dict[str, Any]:
        rules, counters = region.rules, region.counters
        state, why = self._state_of_method(region)
        return {
            "target": rules.target,
            "namespace": rules.namespace,
            "ttl_seconds": rules.ttl_seconds if math.isfinite(rules.ttl_seconds) else None,
            "state": state,
            "why": why[:_MOST_TEXT],
            "size": len(region),
            "hits": counters.hits,
            "misses": counters.misses,
        }

    def of_pool(self, pooled: PooledConnect) -> dict[str, Any]:
        state, why = self._state_of_pool(pooled)
        return {
            "connect": pooled.rules.target,
            "state": state,
            "why": why[:_MOST_TEXT],
            "pools": len(pooled.pools),
            "checked_out": pooled.checked_out,
            "idle": pooled.idle,
            "opened": pooled.counters.opened,
            "reused": pooled.counters.reused,
        }

    def _state_of_method(self, region: Region) -> tuple[str, str]:
        target = region.rules.target
        if not self._view.assembly.config.root.enabled:
            return "off", "by the configuration"
        if region.suspended is not None:
            return "suspended", region.suspended
        if not region.active:
            names = self._view.assembly.context.caches.named
            return "off", self._by_whom(lambda pattern: region in names(pattern))
        state, why = self._state_of_patch(target, f"cache {region.rules.namespace}:{region.rules.method}")
        is_on_trial = state == "on" and region.rules.shadow
        return ("shadow", shadow_text(region.counters)) if is_on_trial else (state, why)

    def _state_of_pool(self, pooled: PooledConnect) -> tuple[str, str]:
        target = pooled.rules.target
        if not (pooled.rules.enabled and self._view.assembly.config.root.enabled):
            return "off", "by the configuration"
        if not pooled.active:
            names = self._view.assembly.context.pools.named
            by = self._by_whom(lambda pattern: pooled in names(pattern), "")
            return "off", by or self._left_out.get(target, "")
        return self._state_of_patch(target, f"pool {target}")

    def _state_of_patch(self, target: str, part: str) -> tuple[str, str]:
        if target in self._waiting and target not in self._left_out:  # else its module is nowhere
            return "waiting", "its module is not imported yet"
        if target not in self._patched:
            return "left out", self._left_out.get(target, "")
        breaker = self._breakers.get(part)
        if breaker is not None and not breaker.closed:
            return "broken", f"left alone after {many(breaker.failures, 'failure')}, {breaker.state}"
        return "on", ""

    def _by_whom(self, is_named: Any, default: str = "switched off") -> str:
        for pattern, enabled in reversed(list((self._view.switches or {}).items())):
            if is_named(pattern) and not enabled:
                is_from_outside = pattern in self._view.by_environment
                return f"by {'WATS_ACCEL_DISABLE' if is_from_outside else 'accelerator.disable'}: {pattern}"
            if is_named(pattern):
                break
        return default


def _left_off(view: View) -> Iterator[dict[str, Any]]:
    """The methods that the configuration names and does not have cached."""
    data = view.assembly.config.document.data
    cached = {region.rules.target for region in view.assembly.context.caches}
    for path, method, rule in repository_rules(data, "cached"):
        repository = mapping_at(sequence(data.get("repositories"))[int(path[1])])
        try:
            target = str(Target.parse(str(repository.get("target"))).child(method))
        except TargetError:
            continue
        if target not in cached:
            namespace = rule if isinstance(rule, str) else mapping_at(rule).get("namespace")
            yield {
                "target": target,
                "namespace": namespace,
                "ttl_seconds": None,
                "state": "off",
                "why": "by the configuration",
                "size": 0,
                "hits": 0,
                "misses": 0,
            }


def _of_breaker(breaker: Breaker) -> dict[str, Any]:
    return {
        "part": breaker.part,
        "state": breaker.state,
        "failures": breaker.failures,
        "opened": breaker.opened,
        "retry_in_seconds": breaker.retry_in_seconds,
    }
