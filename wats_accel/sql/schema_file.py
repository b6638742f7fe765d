"""Files of schema: a description as YAML, for people to read and for `sql.schema` to name."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import yaml

from wats_accel.sql.schema import ForeignKey
from wats_accel.sql.schema_description import (
    EVENTS,
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
)

_HEADER = """\
# The schema of a database, as `wats-accel schema-scan` has found it: named under `sql.schema`.
# {when}
# Foreign keys that do nothing are left out. Names are compared without regard to case. What the scan
# could not find out is listed under `unknown`, at the end: say it under `sql:` in the configuration, which
# beats this file and is not written over.
"""
_WHEN = "Scanned on "
_WIDTH = 100


def file_text(description: SchemaDescription, *, product: str, today: datetime.date) -> str:
    """The text of a file of schema.

    Args:
        description: of the database.
        product: what the database is, such as ``PostgreSQL 15.2``; no name of a server or user.
        today: when it was scanned.
    """
    header = _HEADER.format(when=f"{_WHEN}{today.isoformat()} from {product}.")
    plain = _plain(description)
    unknown = {"unknown": plain.pop("unknown")} if "unknown" in plain else {}
    # The innermost lists stand on one line each, but for sentences.
    return header + _yaml(plain, flow=None) + (_yaml(unknown, flow=False) if unknown else "")


def _yaml(data: dict[str, Any], *, flow: bool | None) -> str:
    text: str = yaml.safe_dump(
        data, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    return text


def says_the_same(one: str, other: str) -> bool:
    """Whether two files of schema differ at most in the day and the version that they were written from."""
    return _timeless(one) == _timeless(other)


def _timeless(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(f"# {_WHEN}")]


def _plain(known: SchemaDescription) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "tables": {name: _table(table) for name, table in sorted(known.tables.items())},
        "foreign_keys": [_foreign_key(key) for key in known.foreign_keys],
        "triggers": [_trigger(trigger) for trigger in known.triggers],
        "views": _touching(known.views, all_of=("reads",)),
        "procedures": _touching(known.procedures, all_of=("reads", "writes")),
        "functions": _touching(known.functions, all_of=("reads", "writes")),
        "pure_functions": list(known.pure_functions),
        "aliases": {name: list(meant) for name, meant in sorted(known.aliases.items())},
        "unknown": list(known.unknown),
    }
    head = {"version": 1, "dialect": known.dialect, "complete": known.complete}
    return head | {name: part for name, part in parts.items() if part}


def _table(table: TableDescription) -> object:
    columns = None if table.columns is None else list(table.columns)
    if not table.computed:
        return columns
    computed = {"computed": list(table.computed)}
    return computed if columns is None else {"columns": columns, **computed}


def _foreign_key(key: ForeignKey) -> dict[str, Any]:
    whole = {
        "table": key.table,
        "columns": _one_or_several(key.columns),
        "parent": key.parent,
        "parent_columns": _one_or_several(key.parent_columns),
    }
    actions = {"on_delete": key.on_delete, "on_update": key.on_update}
    return {name: part for name, part in whole.items() if part} | {
        name: action for name, action in actions.items() if action != "no action"
    }


def _one_or_several(names: tuple[str, ...]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


def _trigger(trigger: TriggerDescription) -> dict[str, Any]:
    events = {} if trigger.events == EVENTS else {"events": list(trigger.events)}
    told = _touches(trigger.touches, all_of=())
    told.pop("reads", None)  # nobody sees what a trigger reads
    told.pop("clock", None)
    return {"table": trigger.table, "name": trigger.name, **events, **told}


def _touching(known: Mapping[str, Touches], all_of: tuple[str, ...]) -> dict[str, Any]:
    return {name: _touches(touches, all_of) for name, touches in sorted(known.items())}


def _touches(touches: Touches, all_of: tuple[str, ...]) -> dict[str, Any]:
    """What is touched; of what is not, only the keys `all_of`."""
    told: dict[str, Any] = {
        "reads": None if touches.reads is None else list(touches.reads),
        "writes": list(touches.writes),
        "calls": list(touches.calls),
        "clock": touches.reads_clock,
        "unknown": touches.hides,
    }
    return {name: part for name, part in told.items() if part or (part == [] and name in all_of)}
