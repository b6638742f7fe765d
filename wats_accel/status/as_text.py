"""States as a table for people."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wats_accel.durations import format_duration
from wats_accel.telemetry.trust import many

State = Mapping[str, Any]


def table_of(states: Sequence[State], *, everything: bool, now: float) -> str:
    """One part for each process, parted by an empty line.

    Args:
        states: as `running_states` gives them.
        everything: whether also to show what the configuration leaves off, whole targets, and all problems.
        now: seconds since the epoch.
    """
    return "\n\n".join("\n".join(map(_printable, _of_process(state, everything, now))) for state in states)


def _of_process(state: State, everything: bool, now: float) -> Iterator[str]:
    age = max(0.0, now - _number(state, "written"))
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(_number(state, "started")))
    yield f"{state.get('program')}  pid {state.get('pid')}, Python {state.get('python')}, since {since}"
    watched = ", watched" if state.get("watch") else ""
    off = "" if state.get("enabled", True) else ": it says 'enabled: false', and nothing is patched"
    yield f"  configuration: {_config(state)}{watched}{off}"
    yield f"  as of {_ago(age)}"
    yield from _methods(state, everything)
    yield from _pools(state)
    yield from _others(state.get("others") or {})
    for breaker in _mappings(state, "breakers"):
        if everything or breaker.get("state") != "closed":
            yield "  " + _breaker(breaker)
    yield from _problems(state, everything)
    reloads = state.get("reloads") or {}
    if reloads.get("done") or reloads.get("refused"):
        yield f"  reloads: {reloads.get('done')} done, {reloads.get('refused')} refused"


def _config(state: State) -> str:
    name = str(state.get("config"))
    return name if name.startswith("<") else os.path.join(str(state.get("folder", "")), name)


def _methods(state: State, everything: bool) -> Iterator[str]:
    known = _mappings(state, "methods")
    shown = [method for method in known if everything or method.get("why") != "by the configuration"]
    if shown:
        names = _names([str(method.get("target")) for method in shown], whole=everything)
        header = ("method", "namespace", "TTL", "entries", "hits", "misses", "state")
        rows = [(name, *_of_method(method)) for name, method in zip(names, shown, strict=True)]
        yield from _aligned([header, *rows], right=(3, 4, 5))
    hidden = len(known) - len(shown)
    if hidden:
        yield f"  {hidden} more switched off by the configuration (--all shows them)"


def _of_method(method: State) -> tuple[str, ...]:
    ttl = method.get("ttl_seconds")
    figures = (str(method.get(name)) for name in ("size", "hits", "misses"))
    return str(method.get("namespace")), _duration(ttl) if ttl else "-", *figures, _state(method)


def _pools(state: State) -> Iterator[str]:
    pools = _mappings(state, "pools")
    if pools:
        header = ("pool", "in use", "idle", "opened", "reused", "state")
        names = ("checked_out", "idle", "opened", "reused")
        rows = [
            (str(pool.get("connect")), *(str(pool.get(name)) for name in names), _state(pool))
            for pool in pools
        ]
        yield from _aligned([header, *rows], right=(1, 2, 3, 4))


def _others(told: State) -> Iterator[str]:
    """What is heard of other processes, and of the database."""
    if "mode" in told:
        why = f": {told['why']}" if told.get("why") else ""
        members = many(int(_number(told, "members")), "member")
        waiting = f", {told['waiting']} messages wait" if told.get("waiting") else ""
        silent = told.get("silent_seconds")
        last = "" if silent is None else f", the last message {_ago(_number(told, 'silent_seconds'))}"
        yield f"  other processes: {told['mode']}{why}, {members}{waiting}{last}"
    if "why_not_followed" in told:
        why = told["why_not_followed"]
        yield f"  the database: not followed: {why}" if why else "  the database: followed"


def _state(part: State) -> str:
    why = part.get("why")
    return f"{part.get('state')}: {why}" if why else str(part.get("state"))


def _breaker(breaker: State) -> str:
    again = breaker.get("retry_in_seconds")
    when = f", tried again in {_duration(again)}" if again else ""
    failures = many(int(_number(breaker, "failures")), "failure")
    return f"breaker: {breaker.get('part')}: {breaker.get('state')}, {failures}{when}"


def _problems(state: State, everything: bool) -> Iterator[str]:
    problems = state.get("problems") or {}
    count, texts = problems.get("count", 0), problems.get("texts", ())
    if count:
        yield f"  problems: {count}{'' if everything else ' (--all shows them)'}"
    if everything:
        yield from (f"    {text}" for text in texts)


def _names(targets: Sequence[str], *, whole: bool) -> list[str]:
    """Without their modules, where that is clear enough."""
    short = [target.partition(":")[2] or target for target in targets]
    times = Counter(short)
    return [target if whole or times[name] > 1 else name for target, name in zip(targets, short, strict=True)]


def _aligned(rows: Sequence[Sequence[str]], *, right: Iterable[int]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    to_the_right = set(right)
    for row in rows:
        cells = (
            text.rjust(width) if column in to_the_right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield ("  " + "  ".join(cells)).rstrip()


def _mappings(state: State, name: str) -> list[State]:
    return [item for item in state.get(name) or () if isinstance(item, Mapping)]


def _number(state: State, name: str) -> float:
    value = state.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _duration(seconds: Any) -> str:
    rounded = round(float(seconds)) if isinstance(seconds, int | float) and seconds >= 1 else seconds
    return format_duration(rounded) if isinstance(rounded, int | float) else "-"


def _ago(seconds: float) -> str:
    return "just now" if seconds < 1 else f"{_duration(seconds)} ago"


def _printable(line: str) -> str:
    return "".join(known if known.isprintable() else "?" for known in line)
