"""The feature ``shared:``: processes tell each other what they drop, and share answers, over Redis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wats_accel.extension import (
    ConfigSection,
    Finding,
    Later,
    PluginContext,
    hookimpl,
    mapping_at,
    nearest,
    parse_duration,
    quoted,
    repository_rules,
    sequence,
)

if TYPE_CHECKING:
    from wats_accel.extension import Membership, PatchSpec, SharedRules
    from wats_accel_plugins.outside import Outside
    from wats_accel_plugins.shared_section import SharedSection

# -- configuration -------------------------------------------------------------------------------------


def _model() -> Any:
    from wats_accel_plugins.shared_section import SharedSection  # noqa: PLC0415 - few share anything

    return SharedSection | None


def _across_sections(raw: Mapping[str, Any]) -> Iterator[Finding]:
    if "shared" not in raw:
        return
    section = mapping_at(raw, "shared")
    declared = mapping_at(raw, "cache", "namespaces")
    for key in ("namespaces", "waive_seal"):
        for number, name in enumerate(sequence(section.get(key))):
            if isinstance(name, str) and name not in declared:
                what = f"the namespace{quoted(name)} is not declared in cache.namespaces"
                yield Finding(("shared", key, number), what + nearest(name, declared))
    if section.get("tier") == "shared" and not sequence(section.get("namespaces")):
        yield Finding(("shared", "tier"), "nothing is shared: name the namespaces under 'namespaces'")
    yield from _url(section)
    yield from _times(section)
    if not section.get("keys"):
        yield from _secrets_in_clear(raw, set(map(str, sequence(section.get("waive_seal")))))


_ROOM_SECONDS = 1.0


def _times(section: Mapping[str, Any]) -> Iterator[Finding]:
    """Times that leave no room for what they are there for."""
    from wats_accel_plugins.shared_section import SharedSection  # noqa: PLC0415 - there is one

    def seconds(name: str) -> float:
        return _seconds(section.get(name, SharedSection.model_fields[name].default))

    if seconds("lost_after") <= 2 * seconds("beat"):
        yield Finding(("shared", "lost_after"), "'lost_after' has to be longer than two beats")
    # What is left is how long a good beat is trusted: one has to come in that time, late now and then.
    least = seconds("lost_after") + seconds("timeout") + 3 * seconds("beat") + _ROOM_SECONDS
    if seconds("isolated_ttl") and seconds("isolated_ttl") < least:
        what = "'lost_after', 'timeout', three beats and a second"
        yield Finding(("shared", "isolated_ttl"), f"'isolated_ttl' has to be longer than {what} together")


def _seconds(told: object) -> float:
    try:
        return parse_duration(told)
    except ValueError:
        return math.nan  # which is neither more nor less: the model says what is wrong


_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")


def _url(section: Mapping[str, Any]) -> Iterator[Finding]:
    given = section.get("url")
    text = mapping_at(section, "url").get("text") if isinstance(given, dict) else given
    if isinstance(text, str) and text and text.partition("://")[0] not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        yield Finding(("shared", "url"), f"expected one of {known}")  # without it: it may have a password


_IN_CLEAR = (
    "it has secret arguments, so its answers are shared only if they are sealed: give 'keys', or name it "
    "under 'waive_seal'"
)


def _secrets_in_clear(raw: Mapping[str, Any], waived: set[str]) -> Iterator[Finding]:
    secret = {
        rule["namespace"]
        for _, _, rule in repository_rules(raw, "cached")
        if isinstance(rule, dict) and rule.get("secret") and isinstance(rule.get("namespace"), str)
    }
    for number, name in enumerate(sequence(mapping_at(raw, "shared").get("namespaces"))):
        if name in secret - waived:
            yield Finding(("shared", "namespaces", number), _IN_CLEAR)


@hookimpl
def accel_config_sections() -> list[ConfigSection]:
    """``shared:``."""
    return [
        ConfigSection(
            "shared",
            Later(_model),
            None,
            check=_across_sections,
            description="What processes on many computers tell each other, and share.",
        )
    ]


# -- start and end -------------------------------------------------------------------------------------


@hookimpl
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:
    """Nothing is patched; who judges the rules shall know which answers leave this process in clear."""
    section = _section(context)
    context.caches.unsealed = frozenset() if section is None else _unsealed(section)
    return []


def _unsealed(section: SharedSection) -> frozenset[str]:
    goes_in_clear = section.tier == "shared" and section.keys is None
    return frozenset(section.namespaces if goes_in_clear else ()).difference(section.waive_seal)


@hookimpl(trylast=True)
def accel_startup(context: PluginContext) -> None:
    """Become a member, after the caches and what sees statements are there."""
    section = _section(context)
    if section is None:
        return
    with context.invalidator.nothing_kept_without("no part in 'shared'"):
        _join(context, section)
    what = "Backplane" if section.tier == "backplane-only" else "Backplane and shared tier"
    context.announce("redis_tier", f"{what} initialized (prefix={section.prefix})")


def _section(context: PluginContext) -> SharedSection | None:
    section: SharedSection | None = getattr(context.root, "shared", None)
    return section if section is not None and section.enabled else None


def _join(context: PluginContext, section: SharedSection) -> None:
    from wats_accel.extension import Membership  # noqa: PLC0415 - loads the library redis

    membership = Membership(
        _rules(context, section),
        caches=context.caches,
        invalidator=context.invalidator,
        bus=context.bus,
        report=context.report,
    )
    membership.begin(context.pools.observer)


def _membership(context: PluginContext) -> Membership | None:
    announcer = context.caches.announcer
    if announcer is None:
        return None
    from wats_accel.extension import Membership  # noqa: PLC0415 - it is loaded, then

    return announcer if isinstance(announcer, Membership) else None


def _rules(context: PluginContext, section: SharedSection) -> SharedRules:
    from wats_accel.extension import (  # noqa: PLC0415 - as above
        BackplaneRules,
        SharedRules,
        TierRules,
        digest_of,
    )
    from wats_accel_plugins.outside import told  # noqa: PLC0415 - as above

    folder = Path(context.config.document.name).parent
    is_shared = section.tier == "shared"
    return SharedRules(
        url=told(section.url, folder, ("shared", "url")),
        prefix=section.prefix,
        schema=digest_of((section.version, context.section("cache"))),
        namespaces=frozenset(section.namespaces if is_shared else ()),
        keys=_keys(section.keys, folder),
        secret=next(iter(_keys(section.names_secret, folder)), b""),
        arguments_in_clear=section.arguments_in_clear,
        unsealed=_unsealed(section),
        secret_columns=tuple(context.root.sql.secret_columns),
        backplane=BackplaneRules(
            timeout_seconds=section.timeout,
            isolated_seconds=section.isolated_ttl,
            beat_seconds=section.beat,
            lost_seconds=section.lost_after,
            forgotten_seconds=section.forget_after,
        ),
        tier=TierRules(local_seconds=section.local_ttl, lease_seconds=section.lease),
    )


def _keys(outside: Outside | None, folder: Path) -> tuple[bytes, ...]:
    if outside is None:
        return ()
    from wats_accel.extension import keys_from_environment, keys_from_file  # noqa: PLC0415 - few have keys

    return keys_from_environment(outside.env) if outside.env else keys_from_file(folder / outside.file)


@hookimpl(trylast=True)
def accel_reload(context: PluginContext, previous: PluginContext) -> None:
    """Go on as a member, become one, or part."""
    section, membership = _section(context), _membership(context)
    if membership is not None and section is not None and membership.rules == _rules(context, section):
        membership.serve(context.pools.observer)
        return
    accel_shutdown(context)
    accel_startup(context)


@hookimpl
def accel_shutdown(context: PluginContext) -> None:
    """Part."""
    membership = _membership(context)
    if membership is not None:
        membership.end()
