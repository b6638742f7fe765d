"""The feature ``cached:``: answers of repository methods come from memory."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from wats_accel.extension import (
    AgeRules,
    ConfigSection,
    EventSubscription,
    Finding,
    KeyMaker,
    KeyRules,
    Layer,
    MethodInfo,
    MethodName,
    PatchSpec,
    PluginContext,
    RegionRules,
    StatsSummary,
    Target,
    TrustSummary,
    answering,
    digest_of,
    hookimpl,
    mapping_at,
    nearest,
    parse_duration,
    quoted,
    repository_rules,
    rules_given_twice,
    sequence,
)
from wats_accel_plugins.cache_options import (
    CachedRule,
    CacheSection,
    CursorPath,
    NamespaceOptions,
    StaleIfError,
    Verification,
    is_sql,
)

if TYPE_CHECKING:
    from wats_accel.extension import NextChange, Region

# -- configuration -------------------------------------------------------------------------------------

_TWICE = "this method has a rule already, in an earlier entry of the same target"


def _across_sections(raw: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _undeclared_namespaces(raw)
    # Two caches for one method: writes would drop the outer one, and the inner one would answer.
    yield from (Finding(path, _TWICE) for path in rules_given_twice(raw, "cached"))
    yield from _sql_without_a_cursor(raw)
    yield from _grace_for_nothing(raw)


def _undeclared_namespaces(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A misspelt namespace would be a namespace that no pattern drops."""
    declared = mapping_at(raw, "cache", "namespaces")
    for path, _, rule in repository_rules(raw, "cached"):
        name = rule if isinstance(rule, str) else mapping_at(rule).get("namespace")
        if isinstance(name, str) and name not in declared:
            where = path if isinstance(rule, str) else (*path, "namespace")
            what = f"the namespace{quoted(name)} is not declared in cache.namespaces"
            yield Finding(where, what + nearest(name, declared))


_NO_CURSOR = (
    "SQL needs a cursor: say 'cursor: self.db.get_cursor' in this repository, or "
    "'valid_until: {sql: ..., cursor: self.db.get_cursor}'"
)


def _sql_without_a_cursor(raw: Mapping[str, Any]) -> Iterator[Finding]:
    for path, _, rule in repository_rules(raw, "cached"):
        until = mapping_at(rule).get("valid_until")
        asks_sql = is_sql(until) if isinstance(until, str) else bool(mapping_at(until).get("sql"))
        repository = mapping_at(sequence(raw.get("repositories"))[int(path[1])])
        if asks_sql and not (mapping_at(until).get("cursor") or repository.get("cursor")):
            yield Finding((*path, "valid_until"), _NO_CURSOR)


_NO_FAILURE = (
    "nothing would count as a failure: list exception types under 'errors', or failure answers under "
    "'unless_result'"
)


def _grace_for_nothing(raw: Mapping[str, Any]) -> Iterator[Finding]:
    for path, _, rule in repository_rules(raw, "cached"):
        given = mapping_at(rule).get("stale_if_error")
        grace = given.get("grace") if isinstance(given, dict) else given
        named = mapping_at(given).get("errors") or mapping_at(rule).get("unless_result")
        if not named and _lasts(grace):
            yield Finding((*path, "stale_if_error"), _NO_FAILURE)


def _lasts(duration: object) -> bool:
    try:
        return parse_duration(duration) > 0
    except ValueError:  # not a duration: the model says so
        return False


@hookimpl
def accel_config_sections() -> list[ConfigSection]:
    """``cache:``, and ``cached:`` and ``cursor:`` in each repository."""
    return [
        ConfigSection(
            "cache",
            CacheSection,
            CacheSection.model_construct(),
            check=_across_sections,
            description="The cache.",
        ),
        ConfigSection(
            "cached",
            dict[MethodName, CachedRule],
            {},
            within="repositories",
            description="The reads that are cached: method and rule.",
        ),
        ConfigSection(
            "cursor",
            CursorPath | None,
            None,
            within="repositories",
            description="Where the cursor for the SQL of 'valid_until' comes from: 'self.db.get_cursor'.",
        ),
    ]


# -- start and patches ---------------------------------------------------------------------------------


@hookimpl
def accel_startup(context: PluginContext) -> None:
    """Say that the cache is ready."""
    section: CacheSection = context.section("cache")
    if section.enabled:
        seconds = f"{section.default_ttl:g}s"
        context.announce("cache", f"Cache system initialized (default TTL={seconds})")


@hookimpl
def accel_reload(context: PluginContext, previous: PluginContext) -> None:
    """Say so again if that is another cache now."""
    now, before = context.section("cache"), previous.section("cache")
    if (now.enabled, now.default_ttl) != (before.enabled, before.default_ttl):
        accel_startup(context)


@hookimpl
def accel_event_subscriptions(context: PluginContext) -> list[EventSubscription]:
    """With the summary comes one of each method that is on trial."""
    return [EventSubscription(StatsSummary, functools.partial(_tell_what_is_trusted, context))]


def _tell_what_is_trusted(context: PluginContext, _: StatsSummary) -> None:
    for region in context.caches:
        rules, counters = region.rules, region.counters
        asked = counters.misses + counters.shadow_hits if rules.shadow else counters.hits
        if asked and (rules.shadow or rules.verify_share):
            figures = {name: getattr(counters, name) for name in _OF_TRUST}
            method = f"{rules.namespace}:{rules.method}"
            context.bus.emit(TrustSummary(method, rules.target, rules.shadow, **figures))


_OF_TRUST = (
    *("misses", "verified", "differences", "inconclusive"),
    *("shadow_hits", "shadow_stale", "shadow_saved_seconds"),
)


@hookimpl
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:
    """One wrapper for each method under ``cached:``."""
    section: CacheSection = context.section("cache")
    for name, options in section.namespaces.items():
        context.caches.namespace(
            name,
            max_entries=_first(options.max_entries, section.max_entries),
            max_bytes=_first(options.max_bytes, section.max_bytes),
        )
    return list(_specs(context, section)) if section.enabled else []


def _specs(context: PluginContext, section: CacheSection) -> Iterator[PatchSpec]:
    for number, repository in enumerate(context.repositories):
        for method, rule in repository.cached.items():
            if not (repository.enabled and rule.enabled and section.namespaces[rule.namespace].enabled):
                context.invalidator.unwatched(rule.namespace, method)
                continue
            target = Target.parse(repository.target).child(method)
            region = context.caches.add(_region_rules(section, repository, target, rule))
            yield PatchSpec(
                target,
                Layer.CACHE,
                functools.partial(_wrap, context, region, rule, repository.cursor),
                key_path=("repositories", number, "cached", method),
                on_left_out=functools.partial(_left_out, context, target, rule.namespace),
                accepts_generators=rule.materialize,
                rule=region,  # the same one after a reload if its rules are the same
                calls=_called(rule),
            )


def _left_out(context: PluginContext, target: Target, namespace: str, why: str) -> None:
    """Others may be made from the answers of a method that is not patched; not of one that is not there."""
    found: Any = sys.modules.get(target.module, context)
    for name in target.path.split(".") if found is not context else ():
        if not hasattr(found, name):
            return
        found = getattr(found, name)
    context.invalidator.unwatched(namespace, target.name)


# -- rules of one method: its own, or else its namespace's, or else those for all ----------------------

ValueT = TypeVar("ValueT")


def _first(*given: ValueT | None) -> ValueT:
    return next(value for value in given if value is not None)


_NO_VERIFICATION = Verification.model_construct(sample=0.0)
_NO_GRACE = StaleIfError.model_construct(grace=0.0)


def _region_rules(section: CacheSection, repository: Any, target: Target, rule: CachedRule) -> RegionRules:
    options = section.namespaces[rule.namespace]
    verify = _first(rule.verify, options.verify, _NO_VERIFICATION)
    return RegionRules(
        namespace=rule.namespace,
        method=target.name,
        target=str(target),
        ttl_seconds=_first(rule.ttl, options.ttl, section.default_ttl),
        key=KeyRules(
            scope=tuple(repository.scope),
            fold=frozenset(rule.fold),
            exclude=frozenset(rule.key.exclude),
            include=tuple(rule.key.include),
            secret=frozenset(rule.secret),
        ),
        copy_mode=rule.copy_,
        unless_results=tuple(rule.unless_result),
        ages=_age_rules(options, rule),
        reads=tuple(rule.reads),
        wait_seconds=_first(rule.wait_timeout, options.wait_timeout, section.wait_timeout),
        verify_share=verify.sample,
        disable_on_difference=verify.on_difference == "disable",
        shadow=_first(rule.shadow, options.shadow, False),
        whole=digest_of((rule, repository.cursor)),
    )


def _age_rules(options: NamespaceOptions, rule: CachedRule) -> AgeRules:
    stale = _first(rule.stale_if_error, options.stale_if_error, _NO_GRACE)
    until = rule.valid_until
    return AgeRules(
        jitter=_first(rule.jitter, options.jitter, 0.0),
        grace_seconds=stale.grace,
        grace_errors=tuple(stale.errors),
        refresh_after=_first(rule.refresh_ahead, options.refresh_ahead, 0.0),
        max_age_seconds=_first(rule.max_age_from_clock, options.max_age_from_clock, 0.0),
        valid_until="" if until is None else until.function or "SQL",
    )


def _called(rule: CachedRule) -> tuple[Target, ...]:
    until = rule.valid_until
    return () if until is None or until.function is None else (Target.parse(until.function),)


# -- wrappers ------------------------------------------------------------------------------------------


def _wrap(
    context: PluginContext,
    region: Region,
    rule: CachedRule,
    cursor: str | None,
    call: Callable[..., Any],
    info: MethodInfo,
) -> Callable[..., Any]:
    keys = KeyMaker(
        info.signature,
        has_instance=info.has_instance,
        rules=region.rules.key,
        scopes=region.scopes,
        is_exact=info.is_exact,
    )
    region.is_secret = keys.is_secret
    return (_materialized() if info.is_generator else answering)(
        call,
        region,
        keys,
        next_change=_next_change(context, rule, cursor, info),
        background=context.caches.background if _needs_background(region.rules) else None,
    )


def _materialized() -> Callable[..., Any]:
    from wats_accel.extension import materialized  # noqa: PLC0415 - few methods are generator functions

    return materialized


def _needs_background(rules: RegionRules) -> bool:
    return bool(rules.ages.refresh_after or rules.verify_share)


def _next_change(
    context: PluginContext, rule: CachedRule, cursor: str | None, info: MethodInfo
) -> NextChange | None:
    until = rule.valid_until
    if until is None:
        return None
    from wats_accel.extension import FunctionNextChange, SqlNextChange  # noqa: PLC0415 - few have one

    if until.function is not None:
        return FunctionNextChange(Target.parse(until.function))
    return SqlNextChange(
        _first(until.sql),
        cursor=_first(until.cursor, cursor),
        signature=info.signature,
        has_instance=info.has_instance,
        is_exact=info.is_exact,
        wall_clock=context.caches.wall_clock,
    )
