"""The hit path: a function with the method's own signature, written for the rules of one method.

What takes several calls in general is one function here, and what does not change from call to call is
spelt out in its text. It answers what is plain: an entry that is there, fresh, and may be given. All else,
a failure of its own among that, goes the general way, which begins anew. Line by line, with what each step
costs: docs/explanation/hit-path.md.

That the receiver, or the value of the scope, is mostly that of the call before is known of method calls in
general, and what is kept for it here is an inline cache, after L. P. Deutsch and A. M. Schiffman: "Efficient
implementation of the Smalltalk-80 system", POPL 1984.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from typing import Any, Final

from wats_accel.cache.freezing import TAGGED, THEMSELVES, freeze
from wats_accel.cache.generated import Spelling, class_of, generate
from wats_accel.cache.keys import KeyMaker
from wats_accel.cache.loads import stacks
from wats_accel.cache.memory_store import MemoryStore, Owned, Table
from wats_accel.cache.region import Region
from wats_accel.errors import TargetError
from wats_accel.wrappers.bypassing import Args, Call, Kwargs

NoteHit = Callable[[Any, Args, Kwargs], None]

BODY: Final = """\
if _accel_region.active and not _accel_writes{caught}:
    try:
        {owner}
        _accel_entry = _accel_table[{place}]
        if _accel_entry.due_at > _accel_clock() and (not _accel_entry.premises or not _accel_entry.breach()):
            _accel_thaw = _accel_entry.thaw  # point: quick-entry-found
            _accel_answer = _accel_entry.value if _accel_thaw is None else _accel_thaw(_accel_entry.value)
            if _accel_thaw is None or _accel_type(_accel_answer) is _accel_entry.kind:
                _accel_entry.visited = True
                _accel_counters.hits += 1  # point: quick-answer-given
                if _accel_loads or _accel_on_hit.listeners:
                    _accel_note_hit(_accel_entry, {args}, {kwargs})
                return _accel_answer
    except _accel_Exception:
        pass
elif _accel_region.is_off and not _accel_loads:
    return _accel_call({call})
{forget} = None
return _accel_general({call})
"""


def quick(call: Call, general: Call, region: Region, keys: KeyMaker, note_hit: NoteHit) -> Call:
    """A function that answers hits of `call` by itself; `general` where it cannot be made.

    Args:
        call: the method itself.
        general: what stands in for it, however it is called.
        region: its cache.
        keys: makes its keys.
        note_hit: tells the load around a call, and whoever listens, that it has been answered.
    """
    store = region.memory
    has_our_names = any(name.startswith("_accel_") for name in keys.signature.parameters)
    if store is None or not keys.is_exact or keys.has_secrets or has_our_names:
        return general
    store.begin_with(_unknown(keys.spelling))
    try:
        return generate(
            keys.signature,
            _body(keys.signature, keys.spelling),
            {
                "_accel_Exception": Exception,
                "_accel_call": call,
                "_accel_clock": region.clock,
                "_accel_counters": region.counters,
                "_accel_find": _finder(store, keys),
                "_accel_freeze": freeze,
                "_accel_general": general,
                "_accel_loads": stacks,
                "_accel_note_hit": note_hit,
                "_accel_on_hit": region.on_hit,
                "_accel_region": region,
                "_accel_store": store,
                "_accel_tagged": TAGGED,
                "_accel_themselves": THEMSELVES,
                "_accel_writes": region.writers.under_way,
            },
            name=_name_of(region.rules.method),
            title=region.rules.target,
        )
    except TargetError:  # a parameter that has one of our names
        return general


def _name_of(method: str) -> str:
    return method if method.isidentifier() else "cached_call"


# -- its text --------------------------------------------------------------------------------------------


def _body(signature: inspect.Signature, spelling: Spelling) -> str:
    by_position, by_name, both = _arguments(signature)
    places = [_frozen(number, value) for number, value in enumerate(spelling.values)]
    caught = "".join(f" and not {name}" for name in (spelling.extra, spelling.named) if name)
    return BODY.format(
        caught=caught,
        owner="\n        ".join(_finding_the_table(spelling)),
        place=places[0] if len(places) == 1 else f"({', '.join(places)})",
        call=both,
        args=f"({by_position})",
        kwargs=f"{{{by_name}}}",
        forget=" = ".join(_locals_of(spelling)),
    )


def _arguments(signature: inspect.Signature) -> tuple[str, str, str]:
    """How a call is passed on: the items of a tuple, those of a dictionary, and both as arguments."""
    by_position, by_name, both = "", "", []
    for name, known in signature.parameters.items():
        if known.kind is known.KEYWORD_ONLY:
            by_name += f"{name!r}: {name}, "
            both.append(f"{name}={name}")
        elif known.kind is known.VAR_KEYWORD:
            by_name += f"**{name}"
            both.append(f"**{name}")
        else:
            spelt = f"*{name}" if known.kind is known.VAR_POSITIONAL else name
            by_position += f"{spelt}, "
            both.append(spelt)
    return by_position, by_name, ", ".join(both)


def _frozen(number: int, value: str) -> str:
    """What an argument freezes to, as an expression: mostly it is itself."""
    taken = value
    if not value.isidentifier():  # a path, say: to be followed once
        value, taken = f"_accel_value_{number}", f"(_accel_value_{number} := {value})"
    is_itself = f"_accel_type({taken}) is _accel_str or _accel_type({value}) in _accel_themselves"
    tagged = f"(_accel_type({value}), {value}) if _accel_type({value}) in _accel_tagged"
    return f"{value} if {is_itself} else {tagged} else _accel_freeze({value})"


def _finding_the_table(spelling: Spelling) -> list[str]:
    """The statements that find the table of a call's scope, most often the one of the call before."""
    last = "_accel_store.tables.last"
    if not spelling.scope:
        if not spelling.receiver:
            return [
                f"(_accel_table,) = {last}",
                "if _accel_table is None:",
                "    _accel_table = _accel_find()",
            ]
        return [
            f"_accel_owner, _accel_table = {last}",
            # Of an instance that is gone the reference gives None; and so may a caller: `Class.method(None)`.
            f"if _accel_owner() is not {spelling.receiver} or {spelling.receiver} is None:",
            f"    _accel_table = _accel_find({spelling.receiver})",
        ]
    now = [f"_accel_scope_{number}" for number in range(len(spelling.scope))]
    known = [f"_accel_known_{number}" for number in range(len(spelling.scope))]
    others = [f"{one} is not {other}" for one, other in zip(now, known, strict=True)]
    if spelling.receiver:
        others.append(f"_accel_type({spelling.receiver}) is not _accel_owner")
    return [
        *(f"{name} = {path}" for name, path in zip(now, spelling.scope, strict=True)),
        f"{', '.join(known)}, _accel_owner, _accel_table = {last}",
        f"if {' or '.join(others)}:",
        f"    _accel_table = _accel_find({spelling.receiver or 'None'}, {', '.join(now)})",
    ]


def _locals_of(spelling: Spelling) -> list[str]:
    """The variables of the function: a traceback that shows them must not show what is cached."""
    own = ["_accel_owner", "_accel_table", "_accel_entry", "_accel_thaw", "_accel_answer"]
    own += [f"_accel_{what}_{number}" for number in range(len(spelling.scope)) for what in ("scope", "known")]
    return own + [f"_accel_value_{n}" for n, value in enumerate(spelling.values) if not value.isidentifier()]


# -- the table of a scope --------------------------------------------------------------------------------


def _unknown(spelling: Spelling) -> Owned:
    """What stands for a table that is not known: it is that of no call."""
    if spelling.scope:
        return (*[_NOBODY] * len(spelling.scope), _NOBODY, None)
    return (_nobody, None) if spelling.receiver else (None,)


_NOBODY: Final = object()


def _nobody() -> object:
    return _NOBODY


def _finder(store: MemoryStore, keys: KeyMaker) -> Callable[..., Table]:
    """What finds the table of a scope, and has it be known to the next call; raises if there is none."""

    def of_all() -> Table:
        tables = store.tables
        table = tables.by_scope[keys.scope_number(None)]
        tables.last = (table,)
        return table

    def of_instance(instance: Any) -> Table:
        tables = store.tables
        table = tables.by_scope[keys.scope_number(instance)]
        tables.last = (weakref.ref(instance), table)
        return table

    def of_scope(receiver: Any, *values: Any) -> Table:
        tables = store.tables
        value = values[0] if len(values) == 1 else values
        table = tables.by_scope[keys.scope_number((class_of(receiver), value) if receiver_counts else value)]
        # What could be changed in place may be the same object, and another value.
        if THEMSELVES.issuperset(map(type, values)) and not isinstance(receiver, type):
            tables.last = (*values, type(receiver), table)
        return table

    spelling = keys.spelling
    receiver_counts = bool(spelling.receiver)
    if spelling.scope:
        return of_scope
    return of_instance if receiver_counts else of_all
