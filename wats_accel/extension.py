"""Everything that a plugin may import. The built-in features use nothing else of wats_accel.

A module is loaded when one of its names is asked for: a start needs few of them.
"""

from __future__ import annotations

import importlib as _importlib
import typing as _typing

if _typing.TYPE_CHECKING:
    from wats_accel.breakers import Breaker, BreakerRules, Breakers
    from wats_accel.cache.ages import AgeRules
    from wats_accel.cache.background import Background
    from wats_accel.cache.copying import CopyMode
    from wats_accel.cache.entries import Entry, Key, Store
    from wats_accel.cache.keys import ArgumentReader, KeyMaker, KeyRules
    from wats_accel.cache.memory_store import MemoryStore
    from wats_accel.cache.region import Region
    from wats_accel.cache.region_rules import RegionRules
    from wats_accel.cache.registry import CacheRegistry
    from wats_accel.config.fields import (
        AttributePaths,
        Duration,
        MethodName,
        OneOrSeveral,
        Section,
        ShortSection,
        TargetText,
    )
    from wats_accel.config.models import ConfigSection, Finding, Later
    from wats_accel.config.raw import mapping_at, quoted, repository_rules, rules_given_twice, sequence
    from wats_accel.config.sameness import digest_of
    from wats_accel.context import EventSubscription, PluginContext
    from wats_accel.durations import format_duration, parse_duration
    from wats_accel.errors import (
        AccelError,
        ConfigError,
        KeyPath,
        PatternError,
        PluginError,
        Problem,
        TargetError,
        TargetNotFoundError,
        UnsupportedTargetError,
    )
    from wats_accel.event_bus import EventBus
    from wats_accel.events import (
        AnswerDiffers,
        BackplaneConnected,
        BackplaneIsolated,
        BreakerClosed,
        BreakerOpened,
        Bypassed,
        CacheSuspended,
        ConfigRejected,
        ConfigReloaded,
        ConfigUnused,
        Event,
        Evicted,
        Expired,
        FeatureInitialized,
        FollowingBegun,
        FollowingLost,
        Hit,
        Initialized,
        Invalidated,
        Joined,
        LoadFailed,
        MethodChanged,
        Miss,
        NotStored,
        Orphaned,
        Patched,
        PluginFailed,
        RefreshFailed,
        RuleSkipped,
        ServedStale,
        StatsSummary,
        Stored,
        TrustSummary,
        Unpatched,
        ValidUntilFailed,
    )
    from wats_accel.hookspecs import hookimpl
    from wats_accel.invalidation import Invalidator, When, WriteRule
    from wats_accel.patching.plan import Kind, Layer, MethodInfo, PatchSpec
    from wats_accel.patterns import KeyPattern
    from wats_accel.pool.pooled_connect import PooledConnect
    from wats_accel.pool.registry import PoolRegistry
    from wats_accel.pool.rules import NEVER, PoolRules
    from wats_accel.pool_events import (
        PoolCheckedIn,
        PoolCheckedOut,
        PoolConnected,
        PoolDiscarded,
        PoolExhausted,
        PoolLeakSuspected,
    )
    from wats_accel.shared.backplane_rules import BackplaneRules
    from wats_accel.shared.following import Following, FollowingRules
    from wats_accel.shared.joining import Membership, SharedRules
    from wats_accel.shared.tier import TierRules
    from wats_accel.suggestions import nearest
    from wats_accel.targets import Target
    from wats_accel.tracking.tracker import Tracker
    from wats_accel.versions.choosing import source_of
    from wats_accel.wire import keys_from_environment, keys_from_file
    from wats_accel.wrappers.answering import answering
    from wats_accel.wrappers.bypassing import NextChange
    from wats_accel.wrappers.cached import cached
    from wats_accel.wrappers.invalidating import invalidating
    from wats_accel.wrappers.materialized import materialized
    from wats_accel.wrappers.valid_until import FunctionNextChange, SqlNextChange

__all__ = [
    "NEVER",
    "AccelError",
    "AgeRules",
    "AnswerDiffers",
    "ArgumentReader",
    "AttributePaths",
    "Background",
    "BackplaneConnected",
    "BackplaneIsolated",
    "BackplaneRules",
    "Breaker",
    "BreakerClosed",
    "BreakerOpened",
    "BreakerRules",
    "Breakers",
    "Bypassed",
    "CacheRegistry",
    "CacheSuspended",
    "ConfigError",
    "ConfigRejected",
    "ConfigReloaded",
    "ConfigSection",
    "ConfigUnused",
    "CopyMode",
    "Duration",
    "Entry",
    "Event",
    "EventBus",
    "EventSubscription",
    "Evicted",
    "Expired",
    "FeatureInitialized",
    "Finding",
    "Following",
    "FollowingBegun",
    "FollowingLost",
    "FollowingRules",
    "FunctionNextChange",
    "Hit",
    "Initialized",
    "Invalidated",
    "Invalidator",
    "Joined",
    "Key",
    "KeyMaker",
    "KeyPath",
    "KeyPattern",
    "KeyRules",
    "Kind",
    "Later",
    "Layer",
    "LoadFailed",
    "Membership",
    "MemoryStore",
    "MethodChanged",
    "MethodInfo",
    "MethodName",
    "Miss",
    "NextChange",
    "NotStored",
    "OneOrSeveral",
    "Orphaned",
    "PatchSpec",
    "Patched",
    "PatternError",
    "PluginContext",
    "PluginError",
    "PluginFailed",
    "PoolCheckedIn",
    "PoolCheckedOut",
    "PoolConnected",
    "PoolDiscarded",
    "PoolExhausted",
    "PoolLeakSuspected",
    "PoolRegistry",
    "PoolRules",
    "PooledConnect",
    "Problem",
    "RefreshFailed",
    "Region",
    "RegionRules",
    "RuleSkipped",
    "Section",
    "ServedStale",
    "SharedRules",
    "ShortSection",
    "SqlNextChange",
    "StatsSummary",
    "Store",
    "Stored",
    "Target",
    "TargetError",
    "TargetNotFoundError",
    "TargetText",
    "TierRules",
    "Tracker",
    "TrustSummary",
    "Unpatched",
    "UnsupportedTargetError",
    "ValidUntilFailed",
    "When",
    "WriteRule",
    "answering",
    "cached",
    "digest_of",
    "format_duration",
    "hookimpl",
    "invalidating",
    "keys_from_environment",
    "keys_from_file",
    "mapping_at",
    "materialized",
    "nearest",
    "parse_duration",
    "quoted",
    "repository_rules",
    "rules_given_twice",
    "sequence",
    "source_of",
]

_NAMES_IN = {
    "breakers": "Breaker BreakerRules Breakers",
    "cache.ages": "AgeRules",
    "cache.background": "Background",
    "cache.copying": "CopyMode",
    "cache.entries": "Entry Key Store",
    "cache.keys": "ArgumentReader KeyMaker KeyRules",
    "cache.memory_store": "MemoryStore",
    "cache.region": "Region",
    "cache.region_rules": "RegionRules",
    "cache.registry": "CacheRegistry",
    "config.fields": "AttributePaths Duration MethodName OneOrSeveral Section ShortSection TargetText",
    "config.models": "ConfigSection Finding Later",
    "config.raw": "mapping_at quoted repository_rules rules_given_twice sequence",
    "config.sameness": "digest_of",
    "context": "EventSubscription PluginContext",
    "durations": "format_duration parse_duration",
    "errors": "AccelError ConfigError KeyPath PatternError PluginError Problem TargetError "
    "TargetNotFoundError UnsupportedTargetError",
    "event_bus": "EventBus",
    "hookspecs": "hookimpl",
    "invalidation": "Invalidator When WriteRule",
    "patching.plan": "Kind Layer MethodInfo PatchSpec",
    "patterns": "KeyPattern",
    "pool.pooled_connect": "PooledConnect",
    "pool.registry": "PoolRegistry",
    "pool.rules": "NEVER PoolRules",
    "pool_events": "PoolCheckedIn PoolCheckedOut PoolConnected PoolDiscarded PoolExhausted PoolLeakSuspected",
    "shared.backplane_rules": "BackplaneRules",
    "shared.following": "Following FollowingRules",
    "shared.joining": "Membership SharedRules",
    "shared.tier": "TierRules",
    "suggestions": "nearest",
    "targets": "Target",
    "tracking.tracker": "Tracker",
    "versions.choosing": "source_of",
    "wire": "keys_from_environment keys_from_file",
    "wrappers.answering": "answering",
    "wrappers.bypassing": "NextChange",
    "wrappers.cached": "cached",
    "wrappers.invalidating": "invalidating",
    "wrappers.materialized": "materialized",
    "wrappers.valid_until": "FunctionNextChange SqlNextChange",
}
"""Where each name is, for `__getattr__`; all others are events."""

_MODULE_OF = {name: module for module, names in _NAMES_IN.items() for name in names.split()}


def __getattr__(name: str) -> _typing.Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULE_OF.get(name, "events")
    found = getattr(_importlib.import_module(f"wats_accel.{module}"), name)
    globals()[name] = found  # the next time it is simply there
    return found


def __dir__() -> list[str]:
    return __all__
