"""The feature ``pool:``: connections come from a pool, and the application cannot tell."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wats_accel.extension import (
    ConfigSection,
    Finding,
    Later,
    Layer,
    MethodInfo,
    PatchSpec,
    PluginContext,
    PoolRules,
    Target,
    hookimpl,
    sequence,
)
from wats_accel_plugins.sql_invalidation import mode_of

if TYPE_CHECKING:
    from wats_accel.extension import PooledConnect
    from wats_accel_plugins.pool_section import PoolSection

# -- configuration -------------------------------------------------------------------------------------


def _model() -> Any:
    from wats_accel_plugins.pool_section import PoolSection  # noqa: PLC0415 - there may be no pool

    return list[PoolSection]


def _given_twice(raw: Mapping[str, Any]) -> Iterator[Finding]:
    known: set[object] = set()
    for number, entry in enumerate(sequence(raw.get("pool"))):
        connect = entry.get("connect") if isinstance(entry, dict) else None
        if isinstance(connect, str) and connect in known:
            yield Finding(("pool", number, "connect"), "this connect has a pool already, in an earlier entry")
        known.add(connect if isinstance(connect, str) else None)


@hookimpl
def accel_config_sections() -> list[ConfigSection]:
    """``pool:``, a list."""
    return [
        ConfigSection(
            "pool",
            Later(_model),
            [],
            check=_given_twice,
            description="The connections that come from a pool.",
        )
    ]


# -- start and patches ---------------------------------------------------------------------------------


@hookimpl
def accel_startup(context: PluginContext) -> None:
    """Say that the pools are ready, unless the environment has switched them off."""
    for pooled in context.pools:
        _announce(context, pooled)


def _announce(context: PluginContext, pooled: PooledConnect) -> None:
    rules = pooled.rules
    if pooled.active and rules.enabled:
        summary = f"Connection Pool initialized (size={rules.size}, overflow={rules.max_overflow})"
        context.announce("pool", summary)


@hookimpl
def accel_reload(context: PluginContext, previous: PluginContext) -> None:
    """Say which pools are new."""
    known = [_rules(section) for section in previous.section("pool")]
    for pooled in context.pools:
        if pooled.rules not in known:
            _announce(context, pooled)


@hookimpl
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:
    """One wrapper for each ``connect``, and one for each method under ``per_thread:``."""
    return [spec for number, section in _numbered(context) for spec in _specs(context, number, section)]


def _numbered(context: PluginContext) -> list[tuple[int, PoolSection]]:
    sections: list[PoolSection] = context.section("pool")
    # Where the SQL decides what is dropped, connections are to be seen, pooled or not.
    is_seen = mode_of(context) != "rules"
    return [(number, section) for number, section in enumerate(sections) if section.enabled or is_seen]


def _specs(context: PluginContext, number: int, section: PoolSection) -> Iterator[PatchSpec]:
    path = ("pool", number, "connect")
    tell = functools.partial(_tell, context, path, section.connect)
    pooled = context.pools.add(_rules(section), tell)
    target = Target.parse(section.connect)
    imported_before = target.module in sys.modules
    yield PatchSpec(
        target,
        Layer.CONNECT,
        functools.partial(_wrap, pooled, functools.partial(context.announce, "pool"), imported_before),
        key_path=path,
        on_left_out=functools.partial(_left_out, context, section.connect),
        rule=pooled,  # the same one after a reload if its rules are the same
        needs_signature=False,
        of_driver=True,
    )
    for place, text in enumerate(section.per_thread if section.enabled else ()):
        yield PatchSpec(
            Target.parse(text),
            Layer.CONNECT,
            functools.partial(_wrap_shared, pooled),
            rule=pooled,
            key_path=("pool", number, "per_thread", place),
            needs_signature=False,
        )


def _tell(context: PluginContext, path: tuple[str | int, ...], target: str, message: str) -> None:
    context.problem(message, path, target=target)


def _left_out(context: PluginContext, connect: str, why: str) -> None:
    if context.pools.observer is not None:
        context.pools.observer.lost_sight(f"{connect}: {why}")


def _rules(section: PoolSection) -> PoolRules:
    return PoolRules(
        target=section.connect,
        enabled=section.enabled,
        size=section.size,
        max_overflow=section.max_overflow,
        linger_seconds=section.linger,
        timeout_seconds=section.timeout,
        recycle_seconds=section.recycle,
        ping_after_seconds=section.pre_ping,
        lifo=section.lifo,
        min_idle=section.min_idle,
        reset=section.reset,
        on_exhausted=section.on_exhausted,
        leak_after_seconds=section.leak_after,
        long_lived=tuple(section.long_lived),
        per_thread=tuple(section.per_thread),
    )


def _wrap(
    pooled: PooledConnect,
    tell: Callable[[str], None],
    imported_before: bool,
    call: Callable[..., Any],
    info: MethodInfo,
) -> Callable[..., Any]:
    # No problem that `strict` should make fatal: all works, only more connections than meant may stay open.
    return pooled.wrap(pooled.driver.prepared(call, tell if imported_before else None))


def _wrap_shared(pooled: PooledConnect, call: Callable[..., Any], info: MethodInfo) -> Callable[..., Any]:
    return pooled.per_thread.wrap(call)
