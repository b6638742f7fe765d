"""Events: one frozen type for each thing that can happen. Those of connections are in `pool_events`."""

from __future__ import annotations

from typing import ClassVar

from wats_accel.records import record


@record(frozen=True, slots=True)
class Event:
    """Base of all events; `name` is ``accel.<noun>_<what happened>``."""

    name: ClassVar[str] = "accel.event"


@record(frozen=True, slots=True)
class Hit(Event):
    """A call was answered from the cache. `key` is the readable key."""

    name: ClassVar[str] = "accel.hit"
    key: str
    target: str


@record(frozen=True, slots=True)
class Miss(Event):
    """A call was not in the cache; the method itself runs now."""

    name: ClassVar[str] = "accel.miss"
    key: str
    target: str


@record(frozen=True, slots=True)
class Joined(Event):
    """A call waited for a load of the same key that another call had begun, and got its answer."""

    name: ClassVar[str] = "accel.joined"
    key: str
    target: str
    wait_seconds: float


@record(frozen=True, slots=True)
class Stored(Event):
    """The answer of a load was stored."""

    name: ClassVar[str] = "accel.stored"
    key: str
    target: str
    load_seconds: float


@record(frozen=True, slots=True)
class NotStored(Event):
    """The answer of a load was given to its caller and not stored."""

    name: ClassVar[str] = "accel.not_stored"
    key: str
    target: str
    why: str


@record(frozen=True, slots=True)
class LoadFailed(Event):
    """The method itself raised; its caller got that exception. `error` is the exception's type."""

    name: ClassVar[str] = "accel.load_failed"
    key: str
    target: str
    error: str


@record(frozen=True, slots=True)
class ServedStale(Event):
    """The method failed, and its caller got the last good answer. `why` is the exception's type, or
    ``unless_result``; `age_seconds` how old the answer was."""

    name: ClassVar[str] = "accel.served_stale"
    key: str
    target: str
    why: str
    age_seconds: float


@record(frozen=True, slots=True)
class RefreshFailed(Event):
    """An answer could not be renewed in the background; nobody waited for it. `why` as elsewhere."""

    name: ClassVar[str] = "accel.refresh_failed"
    key: str
    target: str
    why: str


@record(frozen=True, slots=True)
class ValidUntilFailed(Event):
    """It could not be found out until when an answer is valid, and it was not stored. `error` is a type."""

    name: ClassVar[str] = "accel.valid_until_failed"
    target: str
    error: str


@record(frozen=True, slots=True)
class Bypassed(Event):
    """A call went straight to the method, because the cache could not or may not answer it."""

    name: ClassVar[str] = "accel.bypassed"
    target: str
    why: str


@record(frozen=True, slots=True)
class Invalidated(Event):
    """Entries were dropped. `write` is the target whose call did it, or what else asked for it."""

    name: ClassVar[str] = "accel.invalidated"
    pattern: str
    count: int
    write: str


@record(frozen=True, slots=True)
class Expired(Event):
    """An entry was found older than its TTL and dropped."""

    name: ClassVar[str] = "accel.expired"
    target: str


@record(frozen=True, slots=True)
class Evicted(Event):
    """An entry had to make room for another."""

    name: ClassVar[str] = "accel.evicted"
    target: str


@record(frozen=True, slots=True)
class Orphaned(Event):
    """An entry was found to be made from another one that is gone, and dropped."""

    name: ClassVar[str] = "accel.orphaned"
    target: str


@record(frozen=True, slots=True)
class Patched(Event):
    """A method has been wrapped."""

    name: ClassVar[str] = "accel.patched"
    target: str


@record(frozen=True, slots=True)
class Unpatched(Event):
    """A method has been put back as it was."""

    name: ClassVar[str] = "accel.unpatched"
    target: str


@record(frozen=True, slots=True)
class RuleSkipped(Event):
    """A rule could not be applied and was left out."""

    name: ClassVar[str] = "accel.rule_skipped"
    problem: str


@record(frozen=True, slots=True)
class ConfigUnused(Event):
    """The configuration as a whole cannot be used, and nothing is patched."""

    name: ClassVar[str] = "accel.config_unused"
    problem: str


@record(frozen=True, slots=True)
class CacheSuspended(Event):
    """A cached method goes uncached from now on, because it could not be kept fresh."""

    name: ClassVar[str] = "accel.cache_suspended"
    target: str
    why: str


@record(frozen=True, slots=True)
class BreakerOpened(Event):
    """A part has failed too often, and is left alone for a while. `error` is the last failure's type."""

    name: ClassVar[str] = "accel.breaker_opened"
    part: str
    failures: int
    error: str
    pause_seconds: float


@record(frozen=True, slots=True)
class BreakerClosed(Event):
    """A part that was left alone works again."""

    name: ClassVar[str] = "accel.breaker_closed"
    part: str


@record(frozen=True, slots=True)
class ConfigReloaded(Event):
    """A changed configuration is in effect. The counts are of targets."""

    name: ClassVar[str] = "accel.config_reloaded"
    added: int
    changed: int
    removed: int
    kept: int


@record(frozen=True, slots=True)
class ConfigRejected(Event):
    """A changed configuration cannot be used; the one before stays in effect."""

    name: ClassVar[str] = "accel.config_rejected"
    problem: str


@record(frozen=True, slots=True)
class AnswerDiffers(Event):
    """A cached answer was not what the method itself gave. `how` tells the shapes, and no value.

    `during` is ``verify``, or ``shadow``, where no caller has got the cached one.
    """

    name: ClassVar[str] = "accel.answer_differs"
    key: str
    target: str
    how: str
    during: str


@record(frozen=True, slots=True)
class MethodChanged(Event):
    """A method is not what it was when the lock file was written. `action` is ``warn`` or ``bypass``."""

    name: ClassVar[str] = "accel.method_changed"
    target: str
    what: str
    action: str


@record(frozen=True, slots=True)
class FeatureInitialized(Event):
    """A feature is ready; `summary` is the line that a maintainer reads."""

    name: ClassVar[str] = "accel.feature_initialized"
    feature: str
    summary: str


@record(frozen=True, slots=True)
class Initialized(Event):
    """The whole of wats_accel is in effect."""

    name: ClassVar[str] = "accel.initialized"
    patched: int
    waiting: int
    problems: int


@record(frozen=True, slots=True)
class StatsSummary(Event):
    """The cache's figures: at intervals and at shutdown. `hit_rate` is in percent."""

    name: ClassVar[str] = "accel.stats_summary"
    size: int
    hits: int
    misses: int
    hit_rate: float


@record(frozen=True, slots=True)
class TrustSummary(Event):
    """What is known of a method that is verified, or in the `shadow`, up to now.

    `method` is its name in readable keys. The figures are those of `CacheStats`.
    """

    name: ClassVar[str] = "accel.trust_summary"
    method: str
    target: str
    shadow: bool
    misses: int
    verified: int
    differences: int
    inconclusive: int
    shadow_hits: int
    shadow_stale: int
    shadow_saved_seconds: float


@record(frozen=True, slots=True)
class BackplaneConnected(Event):
    """This process hears of all that others drop, and they of what it drops; `members` are there with it."""

    name: ClassVar[str] = "accel.backplane_connected"
    members: int


@record(frozen=True, slots=True)
class BackplaneIsolated(Event):
    """It may not hear of everything. Until it does no answer is given that is older than `bound_seconds`."""

    name: ClassVar[str] = "accel.backplane_isolated"
    why: str
    bound_seconds: float


@record(frozen=True, slots=True)
class FollowingBegun(Event):
    """The database tells what changes, whoever changes it: `tables` are watched, `unwatched` should be."""

    name: ClassVar[str] = "accel.following_begun"
    tables: int
    unwatched: int


@record(frozen=True, slots=True)
class FollowingLost(Event):
    """It does not tell. Until it does no answer is given that is older than `bound_seconds`."""

    name: ClassVar[str] = "accel.following_lost"
    why: str
    bound_seconds: float


@record(frozen=True, slots=True)
class PluginFailed(Event):
    """A plugin raised; the rest goes on. `error` is the exception's type and, if harmless, text."""

    name: ClassVar[str] = "accel.plugin_failed"
    plugin: str
    during: str
    error: str
