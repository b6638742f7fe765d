"""Redefined: what is not sure of a schema any more once the application has defined something itself.

A schema is asked of the database, or written into a file, before the application runs. A trigger, view or
routine that is made while it runs is not in it, and one that is replaced does what nobody knows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from wats_accel.sql.access import ANY, Changes, Reads, access
from wats_accel.sql.reading.lexer import NAME, WORD, Token, readings_of
from wats_accel.sql.schema import ForeignKey, Schema, Trigger

_KINDS: Final = frozenset(
    {"TABLE", "VIEW", "TRIGGER", "RULE", "POLICY", "SYNONYM", "FUNCTION", "PROCEDURE", "PROC", "AGGREGATE"}
    | {"PACKAGE", "TYPE", "EVENT"}
)
_ROUTINES: Final = frozenset({"FUNCTION", "PROCEDURE", "PROC", "AGGREGATE", "PACKAGE", "TYPE"})
_MOST_WORDS: Final = 16
"""From CREATE to what is created, as in CREATE OR REPLACE ALGORITHM = MERGE DEFINER = a@b VIEW."""
_BEFORE_NAMES: Final = frozenset({"IF", "NOT", "EXISTS", "ONLY"})
_COMPUTING: Final = frozenset({"GENERATED", "AS", "ROWVERSION", "TIMESTAMP"})
_MOVING: Final = frozenset({"RENAME", "ATTACH", "INHERIT", "ENABLE", "SWITCH"})


def redefined(schema: Schema, sql: str, dialect: str) -> Schema:
    """What is still sure of a schema when a text of SQL is executed; the same object if all of it is.

    Args:
        schema: as it was known.
        sql: that defines something.
        dialect: that it is written in.

    Raises:
        UnreadableError: the text cannot be read.
    """
    for tokens in readings_of(sql, dialect):
        for place, token in enumerate(tokens):
            if token.kind == WORD and token.key in ("CREATE", "ALTER"):
                schema = _without(schema, tokens[place:])
    return schema


def _without(schema: Schema, tokens: Sequence[Token]) -> Schema:
    place = next((at for at, token in enumerate(tokens[:_MOST_WORDS]) if token.key in _KINDS), None)
    if place is None:
        return schema
    kind, name, keys = tokens[place].key, _name(tokens[place + 1 :]), {token.key for token in tokens}
    if kind == "VIEW":
        return _with_views(schema, [name])
    if kind == "TRIGGER":
        at = next((at for at, token in enumerate(tokens) if token.key == "ON"), place)
        return _with_triggers(schema, [_name(tokens[at + 1 :])])
    if kind in _ROUTINES:
        return _with_routine(schema, name, replaced=not keys.isdisjoint({"REPLACE", "ALTER"}))
    if kind == "TABLE" and _MOVING.isdisjoint(keys):
        return _with_table(schema, name, tokens, keys)
    every = [token.name for token in tokens if token.kind in (WORD, NAME)]
    return _with_triggers(_with_views(schema, every), every)


def _name(tokens: Sequence[Token]) -> str:
    """The last part of the dotted name that is next, as names are compared."""
    name, wanted = "", True
    for token in tokens:
        if wanted and token.kind in (WORD, NAME):
            if name or token.key not in _BEFORE_NAMES:
                name, wanted = token.name, False
        elif token.key == ".":
            wanted = True
        else:
            break
    return name


def _with_table(schema: Schema, name: str, tokens: Sequence[Token], keys: set[str]) -> Schema:
    if "EXISTS" in keys and "CREATE" in keys and name in schema.tables:
        return schema  # it is there already
    if not keys.isdisjoint({"TEMP", "TEMPORARY"}):
        return _with_views(schema, [name])  # on this connection it is another table
    if keys >= {"CONFLICT", "REPLACE"}:
        schema = _with_triggers(schema, [name])  # any write may delete rows, with all that follows
    if not keys.isdisjoint(_COMPUTING):
        schema = _with_computed(schema, name)
    if not keys.isdisjoint({"CASCADE", "SET"}):
        parents = [_name(tokens[at + 1 :]) for at, token in enumerate(tokens) if token.key == "REFERENCES"]
        keys_of_table = [ForeignKey(name, (), parent, (), "cascade", "cascade") for parent in parents]
        new = tuple(key for key in dict.fromkeys(keys_of_table) if key not in schema.foreign_keys)
        if new:
            schema = dataclasses.replace(schema, foreign_keys=(*schema.foreign_keys, *new))
    return schema


def _with_computed(schema: Schema, name: str) -> Schema:
    """Any update of a table may change other columns as well."""
    changes = Changes(access({name: [ANY]}))
    return _with_trigger(schema, Trigger(name, "computed columns", frozenset({"update"}), changes))


def _with_triggers(schema: Schema, tables: Iterable[str]) -> Schema:
    for table in tables:
        events = frozenset({"insert", "update", "delete"})
        made = Trigger(table, "one made while the application ran", events, Changes(unknown=True))
        schema = _with_trigger(schema, made)
    return schema


def _with_trigger(schema: Schema, made: Trigger) -> Schema:
    if made in schema.triggers:
        return schema
    return dataclasses.replace(schema, triggers=(*schema.triggers, made))


def _with_views(schema: Schema, names: Iterable[str]) -> Schema:
    unknown = Reads(unknown=True)
    new = {name: unknown for name in names if schema.views.get(name) != unknown}
    return dataclasses.replace(schema, views={**schema.views, **new}) if new else schema


def _with_routine(schema: Schema, name: str, *, replaced: bool) -> Schema:
    """Nobody knows what it does; triggers and views that call it may do something else by now."""
    if name not in schema.routines and not replaced:
        return schema
    routines = {known: routine for known, routine in schema.routines.items() if known != name}
    schema = dataclasses.replace(schema, routines=routines)
    return _with_triggers(_with_views(schema, schema.views), {known.table for known in schema.triggers})
