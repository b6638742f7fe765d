"""Switches: every ``enabled:`` that a configuration has or may have, and which of them a pattern names."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wats_accel.config.raw import mapping_at, repository_rules, sequence
from wats_accel.errors import KeyPath, TargetError
from wats_accel.suggestions import nearest
from wats_accel.targets import Target

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Switch:
    """One ``enabled:`` of a configuration.

    Attributes:
        path: the mapping that has the key, or would get it.
        names: what it switches, for people.
        on: whether it is on; so it is without the key.
        is_short: whether a rule stands there in its short form, which is just the namespace.
        calls: what a pattern may call it.
    """

    path: KeyPath
    names: str
    on: bool
    is_short: bool = False
    calls: tuple[str, ...] = ()


def named_switches(raw: Raw, pattern: str) -> list[Switch]:
    """The switches that a pattern names, as `accelerator.disable` would understand it.

    A pattern that names all of something names the switch of the whole: ``users:*`` that of the namespace,
    ``UserRepository.*`` that of the class. ``all`` names the switch of everything.

    Args:
        raw: a valid configuration.
        pattern: ``all``, ``users``, ``users:*``, ``users:get_role``, ``UserRepository.get_role``,
            ``UserRepository``, ``pyodbc:connect``, or globs of these.
    """
    if pattern in ("all", "*"):
        return [_everything(raw)]
    levels = (_namespaces(raw), _repositories(raw), _methods(raw))
    found = ([known for known in level if _is_named(known, pattern)] for level in levels)
    pools = [known for known in _pools(raw) if _is_named(known, pattern)]
    return [*next(filter(None, found), []), *pools]


def suggestion(raw: Raw, pattern: str) -> str:
    """The nearest pattern that names something, as the end of a message."""
    switches = (*_namespaces(raw), *_methods(raw), *_pools(raw))
    calls = {call for switch in (*switches, *_repositories(raw)) for call in switch.calls}
    known = {call for call in calls if not call.endswith(":") and ("*" in pattern or "*" not in call)}
    nearby = known if ":" in pattern else {call for call in known if ":" not in call}
    return nearest(pattern, nearby, listed=[switch.calls[0] for switch in switches])


def switches_above(raw: Raw, switch: Switch) -> list[Switch]:
    """Those that have to be on, too, for this one to have an effect."""
    if not switch.path:
        return []
    if switch.path[0] == "pool":
        return [_everything(raw)]
    above = [_everything(raw), _cache(raw)]
    if switch.path[0] == "repositories" and len(switch.path) > 2:
        above += [known for known in _repositories(raw) if known.path == switch.path[:2]]
        rule = mapping_at(sequence(raw.get("repositories"))[int(switch.path[1])], "cached")[
            str(switch.path[-1])
        ]
        namespace = rule if isinstance(rule, str) else mapping_at(rule).get("namespace")
        above += [known for known in _namespaces(raw) if known.path[-1] == namespace]
    return above


def _is_named(switch: Switch, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(call, pattern) for call in switch.calls)


def _is_on(place: object) -> bool:
    return mapping_at(place).get("enabled", True) is not False


def _everything(raw: Raw) -> Switch:
    return Switch((), "everything", _is_on(raw), calls=("all",))


def _cache(raw: Raw) -> Switch:
    return Switch(("cache",), "the whole cache", _is_on(raw.get("cache")))


def _namespaces(raw: Raw) -> Iterator[Switch]:
    for name, options in mapping_at(raw, "cache", "namespaces").items():
        path = ("cache", "namespaces", name)
        yield Switch(path, f"namespace {name}", _is_on(options), calls=(name, f"{name}:*", f"{name}:"))


def _repositories(raw: Raw) -> Iterator[Switch]:
    for number, repository in enumerate(sequence(raw.get("repositories"))):
        target = _target(mapping_at(repository).get("target"))
        # Its writes go on invalidating; so where nothing is cached there is nothing to switch.
        if target is None or not mapping_at(repository, "cached"):
            continue
        kind = "class" if target.path else "module"
        ways = {str(target), target.path} - {""}
        whole = {f"{way}{'.' if ':' in way or target.path else ':'}*" for way in ways}
        yield Switch(
            ("repositories", number),
            f"{kind} {target}",
            _is_on(repository),
            calls=(*sorted(ways), *sorted(whole)),
        )


def _methods(raw: Raw) -> Iterator[Switch]:
    for path, method, rule in repository_rules(raw, "cached"):
        target = _target(mapping_at(sequence(raw.get("repositories"))[int(path[1])]).get("target"))
        namespace = rule if isinstance(rule, str) else mapping_at(rule).get("namespace")
        if target is None or not isinstance(namespace, str):
            continue
        readable, own = f"{namespace}:{method}", target.child(method)
        yield Switch(
            path,
            f"method {own} ({namespace})",
            isinstance(rule, str) or _is_on(rule),
            is_short=isinstance(rule, str),
            # users:get_role:* names the method, too
            calls=(readable, f"{readable}:", f"{readable}:*", str(own), own.path),
        )


def _pools(raw: Raw) -> Iterator[Switch]:
    for number, entry in enumerate(sequence(raw.get("pool"))):
        target = _target(mapping_at(entry).get("connect"))
        if target is not None:
            calls = (str(target), target.path)
            yield Switch(("pool", number), f"pool {target}", _is_on(entry), calls=calls)


def _target(text: object) -> Target | None:
    try:
        return Target.parse(text) if isinstance(text, str) else None
    except TargetError:
        return None
