"""Descriptions: a database as people write it down, with names in their own spelling; merged, one is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from wats_accel.sql.facts import Hidden
from wats_accel.sql.schema import ForeignKey, last_part

_Described = TypeVar("_Described")

EVENTS = ("insert", "update", "delete")


@dataclass(frozen=True, slots=True)
class Touches:
    """What a view, a trigger or a routine touches.

    Attributes:
        reads: ``Table``, ``Table.column`` or ``Table(column, column)`` each; None if nobody has said.
        writes: the same. A column is one that an UPDATE sets; a table alone is any change of it, and
            ``insert Table``, ``delete Table`` are what they say.
        calls: procedures and functions that it calls.
        reads_clock: whether what it gives depends on when it runs.
        hides: what there may be more of.
        sql: its text, to be analysed with the rest; empty if the rest says it all.
    """

    reads: tuple[str, ...] | None = ()
    writes: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    reads_clock: bool = False
    hides: Hidden | None = None
    sql: str = ""


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table. `columns` is None if nobody has said; `computed` are those that any UPDATE may change."""

    columns: tuple[str, ...] | None = None
    computed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TriggerDescription:
    """A trigger of a table or a view."""

    table: str
    name: str
    touches: Touches
    events: tuple[str, ...] = EVENTS


@dataclass(frozen=True, slots=True)
class SchemaDescription:
    """A database, or what somebody knows of it.

    Attributes:
        dialect: one of `statement.DIALECTS`; empty if nobody has said.
        complete: whether there are no tables, views and triggers but these.
        pure_functions: functions that read and change no table.
        aliases: names that stand for others: synonyms, or a table for those that hold its rows.
        unknown: what could not be found out, a sentence each.
    """

    dialect: str = ""
    complete: bool = False
    tables: Mapping[str, TableDescription] = field(default_factory=dict)
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: tuple[TriggerDescription, ...] = ()
    views: Mapping[str, Touches] = field(default_factory=dict)
    procedures: Mapping[str, Touches] = field(default_factory=dict)
    functions: Mapping[str, Touches] = field(default_factory=dict)
    pure_functions: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def merged(descriptions: Iterable[SchemaDescription]) -> SchemaDescription:
    """One description of several: what a later one says of a name beats what earlier ones say of it."""
    result = SchemaDescription()
    for known in descriptions:
        result = SchemaDescription(
            dialect=known.dialect or result.dialect,
            complete=known.complete or result.complete,
            tables=_merged_tables(result.tables, known.tables),
            foreign_keys=_by_identity(_key_identity, result.foreign_keys, known.foreign_keys),
            triggers=_by_identity(_trigger_identity, result.triggers, known.triggers),
            views=_by_name(result.views, known.views),
            procedures=_by_name(result.procedures, known.procedures),
            functions=_by_name(result.functions, known.functions),
            pure_functions=tuple(dict.fromkeys((*result.pure_functions, *known.pure_functions))),
            aliases=_by_name(result.aliases, known.aliases),
            unknown=tuple(dict.fromkeys((*result.unknown, *known.unknown))),
        )
    return result


def _by_name(one: Mapping[str, _Described], other: Mapping[str, _Described]) -> dict[str, _Described]:
    beaten = {last_part(name) for name in other}
    return {name: known for name, known in one.items() if last_part(name) not in beaten} | dict(other)


def _merged_tables(
    one: Mapping[str, TableDescription], other: Mapping[str, TableDescription]
) -> dict[str, TableDescription]:
    """A later description that does not say columns leaves those that an earlier one says."""
    earlier = {last_part(name): known for name, known in one.items()}
    result = _by_name(one, other)
    for name in other:
        known = earlier.get(last_part(name))
        if known is not None and result[name].columns is None:
            computed = tuple(dict.fromkeys((*known.computed, *result[name].computed)))
            result[name] = replace(known, computed=computed)
    return result


def _by_identity(
    identity: Callable[[_Described], object], one: tuple[_Described, ...], other: tuple[_Described, ...]
) -> tuple[_Described, ...]:
    beaten = set(map(identity, other))  # but within one description, all count: two schemas may have them
    return (*(known for known in one if identity(known) not in beaten), *other)


def _key_identity(key: ForeignKey) -> object:
    return (last_part(key.table), tuple(map(last_part, key.columns)), last_part(key.parent))


def _trigger_identity(trigger: TriggerDescription) -> object:
    return (last_part(trigger.table), last_part(trigger.name))
