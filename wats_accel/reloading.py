"""Reloading: another configuration beside the one in effect, and the step from the one to the other.

Everything is read, validated, planned and wrapped before anything changes; whatever fails until then leaves
all as it was. The engines live as long as the accelerator: writes and reads that somebody holds from before
meet the same caches and rules as those that are patched now.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

from wats_accel.admission import Admission, lock_path
from wats_accel.assembly import (
    Assembly,
    config_sections,
    expect,
    load_plugins,
    planned,
    store_factory_of,
)
from wats_accel.cache.region import Region
from wats_accel.complaints import Complaints
from wats_accel.config.documents import Document
from wats_accel.config.loader import LoadedConfig, load, peek_plugins
from wats_accel.config.sameness import digest_of
from wats_accel.context import EventSubscription, PluginContext
from wats_accel.errors import ConfigError
from wats_accel.event_bus import EventBus
from wats_accel.patching.patcher import Changes, Patcher
from wats_accel.patching.plan import Patch, PatchPlan
from wats_accel.records import record
from wats_accel.schema_source import SchemaSource
from wats_accel.settling import Settling

if TYPE_CHECKING:
    from wats_accel.pool.pooled_connect import PooledConnect

Switches = Mapping[str, bool]
"""What was switched off or on while the program ran, by pattern; the last one beats the others."""


# -- files ------------------------------------------------------------------------------------------------


def files_besides(config: LoadedConfig) -> tuple[Path, ...]:
    """The files that a configuration names, and that count as parts of it: of schema, and the lock."""
    folder = Path(config.document.name).parent
    says_sql = "sql" in config.root.model_fields_set  # the models that it takes are not made to find nothing
    schema = [folder / name for name in config.root.sql.schema_files] if says_sql else []
    return tuple(schema if config.root.lock is None else [*schema, Path(lock_path(config))])


def contents(config: LoadedConfig) -> tuple[bytes | None, ...]:
    """What these files hold; None for one that cannot be read."""
    return tuple(map(content_of, files_besides(config)))


def content_of(path: Path) -> bytes | None:
    """What a file holds; None if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


# -- settling ---------------------------------------------------------------------------------------------


def begin_settling(settling: Settling, patcher: Patcher, context: PluginContext) -> None:
    """Have new caches keep nothing until all is over that began before it was patched."""
    codes = patcher.codes_of_writes()
    if context.pools.observer is None:
        settling.begin(lambda code: id(code) in codes, None)
        return
    is_pools = _pools_code()

    def is_meant(code: CodeType) -> bool:
        # A statement that runs now may have been seen otherwise, or not at all.
        return id(code) in codes or is_pools(code)

    settling.begin(is_meant, context.pools.has_unseen)


def _pools_code() -> Callable[[CodeType], bool]:
    """What tells the code that runs statements; the watch for leaks, which runs for ever, is not meant."""
    from wats_accel.pool.leaks import watch  # noqa: PLC0415 - there may be no pool

    leak_watch = watch.__code__.co_filename  # as code tells it, which in a frozen program is no file
    folder = leak_watch[: -len("leaks.py")]
    return lambda code: code.co_filename.startswith(folder) and code.co_filename != leak_watch


def begin_again_for(patches: list[Patch], patcher: Patcher, context: PluginContext) -> None:
    """Have caches begin from empty that writes concern which were patched only now, at their import."""
    settling = Settling()
    for patch in patches:
        rule = context.invalidator.of_target(str(patch.target)) if patch.writes else None
        if rule is not None:
            context.invalidator.begin_again(rule.patterns, settling)
    # They may have been waiting for the end of something else: it is awaited once more.
    begin_settling(settling, patcher, context)


# -- a reload ---------------------------------------------------------------------------------------------


@record(frozen=True, slots=True)
class Counts:
    """How many targets a reload has added, changed, removed, and left as they were."""

    added: int
    changed: int
    removed: int
    kept: int


class Reload:
    """One attempt to put another configuration into effect: `prepare`, then `take_effect` or `abandon`.

    Args:
        document: the configuration.
        before: what is in effect.
        patcher: that has patched it.
        complaints: what the configuration has to leave out.
    """

    def __init__(
        self, document: Document, before: Assembly, *, patcher: Patcher, complaints: Complaints
    ) -> None:
        self._document = document
        self._before = before
        self._patcher = patcher
        self._complaints = complaints
        self._adopts = False
        self._admission: Admission | None = None
        self._changes = Changes(PatchPlan())
        self.heard: list[EventSubscription] = []
        self.assembly = before

    # -- beside the configuration in effect -------------------------------------------------------------

    def prepare(self, contents_before: tuple[bytes | None, ...]) -> None:
        """Read, validate, plan and wrap. Nothing is changed.

        Args:
            contents_before: of the files that count as parts of the configuration in effect.

        Raises:
            ConfigError: it is not valid, or a plugin has failed.
        """
        self.assembly = self._validated()
        config = self.assembly.config
        self._adopts = self._may_adopt(config, contents_before)
        if config.root.sql.schema_files and not self._adopts:
            _ = self.assembly.context.schema  # raises what is wrong with the files
        self._plan()
        self._refuse_failures_of_plugins()
        self._changes = self._patcher.prepare(self.assembly.plan)
        if self._admission is not None:
            self._admission.note_kept(patch for _, patch in self._changes.kept)

    def _validated(self) -> Assembly:
        before, report = self._before, self._complaints.left_out
        if digest_of(peek_plugins(self._document)) == digest_of(peek_plugins(before.config.document)):
            plugins, failures = before.plugins, before.failures
            failures.turn_to(self._document, report)
        else:
            plugins, failures = load_plugins(self._document, bus=before.context.bus, report=report)
        config = load(self._document, config_sections(plugins))
        context = dataclasses.replace(
            before.context, config=config, report=report, _schema_source=SchemaSource(config, report)
        )
        return Assembly(plugins, failures, config, context, PatchPlan())

    def _may_adopt(self, config: LoadedConfig, contents_before: tuple[bytes | None, ...]) -> bool:
        """Whether caches may stay: not if other plugins give their stores, or SQL is read otherwise."""
        before, after = self._before.config.root, config.root
        same_sections = all(
            digest_of(getattr(before, name, None)) == digest_of(getattr(after, name, None))
            for name in ("plugins", "sql", "invalidation")
        )
        count = len(after.sql.schema_files)
        return same_sections and contents(config)[:count] == contents_before[:count] and before.enabled

    def _plan(self) -> None:
        plugins = self.assembly.plugins
        context = dataclasses.replace(self.assembly.context, continues=self._adopts)
        self.assembly = assembly = dataclasses.replace(self.assembly, context=context)
        context.caches.plan(adopts=self._adopts, store_factory=store_factory_of(plugins))
        context.invalidator.plan()
        context.pools.plan(adopts=self._adopts)
        if not assembly.config.root.enabled:
            return
        self._admission = Admission(
            assembly.config,
            bus=context.bus,
            report=self._complaints.left_out,
            note=self._complaints.noted,
        )
        plan = self._admission.admitted(planned(plugins, assembly.failures, context))
        self.assembly = dataclasses.replace(assembly, plan=plan)
        self.heard = plugins.collect("accel_event_subscriptions", expect(EventSubscription), context=context)

    def _refuse_failures_of_plugins(self) -> None:
        if self.assembly.failures.count:
            raise ConfigError(list(self._complaints))

    @property
    def kept(self) -> set[str]:
        """The targets that stay as they are, methods and pools: what is wrong with them is wrong still."""
        known, planned_ones = set(self._before.context.pools), self.assembly.context.pools.planned
        return {
            *(str(patch.target) for _, patch in self._changes.kept),
            *(pooled.rules.target for pooled in planned_ones if pooled in known),
        }

    def abandon(self) -> None:
        """Forget all of it; what is in effect stays so."""
        context = self._before.context
        self._before.failures.turn_to(self._before.config.document, context.report)
        context.caches.abandon()
        context.invalidator.abandon()
        context.pools.abandon()

    # -- in its place -----------------------------------------------------------------------------------

    def switch_engines(self, settling: Settling, switches: Switches) -> None:
        """Have the engines go by the new rules: the one step after which the old ones are history.

        Args:
            settling: until it is over nothing is kept of what is new.
            switches: what stays switched off or on.
        """
        context = self.assembly.context
        caches, pools = context.caches, context.pools
        known: set[Region | PooledConnect] = {*caches, *pools}
        with context.bus.held(), caches.lock:
            redone = self._redone()
            caches.take_effect(settling, redone)
            context.invalidator.take_effect()
        pools.take_effect()
        for pattern, enabled in switches.items():
            for region in caches.named(pattern):
                if region not in known:
                    region.switch(enabled=enabled)
            for pooled in pools.named(pattern):
                pooled.active = enabled if pooled not in known else pooled.active

    def _redone(self) -> set[str]:
        """The targets of regions that have to begin from empty, even if their own rules are the same."""
        context, anew = self.assembly.context, self._changes.anew
        if context.pools.observer is not None and any(spec.of_driver for it in anew for spec in it.specs):
            return {region.rules.target for region in context.caches.planned}  # connections were not seen
        return context.invalidator.redone({str(patch.target) for patch in anew if patch.writes})

    def tell_plugins(self) -> None:
        """Have the plugins start, stop, or adapt."""
        before, after = self._before, self.assembly
        was_on, is_on = before.config.root.enabled, after.config.root.enabled
        if was_on and is_on:
            before.plugins.hand_over(after.plugins, before.context, after.context)
        elif is_on:
            list(after.plugins.each("accel_startup", context=after.context))
        elif was_on:
            list(before.plugins.each("accel_shutdown", reverse=True, context=before.context))

    def patch(self, settling: Settling) -> Counts:
        """Put the stand-ins in place that are new or changed, and take back those that are gone."""
        self._patcher.apply(self._changes)
        begin_settling(settling, self._patcher, self.assembly.context)
        return self._counts()

    def _counts(self) -> Counts:
        was_on = self._before.config.root.enabled
        before = {patch.target: patch for patch in self._before.plan} if was_on else {}
        after = {patch.target: patch for patch in self.assembly.plan}
        both = before.keys() & after.keys()
        kept = sum(after[target].is_as(before[target]) for target in both)
        return Counts(len(after) - len(both), len(both) - kept, len(before) - len(both), kept)


def listen_to(bus: EventBus, before: list[EventSubscription], after: list[EventSubscription]) -> None:
    """Have the new listeners told of events, and those that are gone no longer."""
    for wanted in after:
        bus.subscribe(wanted.event_type, wanted.listener)
    still = [(wanted.event_type, wanted.listener) for wanted in after]
    for known in before:
        if (known.event_type, known.listener) not in still:
            bus.unsubscribe(known.event_type, known.listener)
