"""Descriptions of a database: what the section ``sql:`` and the files that it names say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wats_accel.config.documents import SourceError
from wats_accel.config.loader import LoadedConfig, located, validated
from wats_accel.config.sources import read_document
from wats_accel.config.sql_section import (
    ForeignKeyRule,
    RoutineRule,
    SchemaFile,
    SchemaPart,
    SqlSection,
    TriggerRule,
    ViewRule,
)
from wats_accel.errors import ConfigError, Problem
from wats_accel.sql.schema import ForeignKey
from wats_accel.sql.schema_description import (
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
)

_HINT = "`wats-accel schema-scan` writes such a file"


def descriptions(config: LoadedConfig) -> list[SchemaDescription]:
    """What each file says, and at last what the section itself says.

    Raises:
        ConfigError: a file is missing, or not valid.
    """
    section: SqlSection = config.root.sql
    problems: list[Problem] = []
    found: list[SchemaDescription] = []
    folder = Path(config.document.name).parent
    for number, name in enumerate(section.schema_files):
        try:
            found.append(read_schema_file(folder / name))
        except ConfigError as error:
            problems += error.problems
        except SourceError as error:
            path = ("sql", "schema", number) if len(section.schema_files) > 1 else ("sql", "schema")
            problems += _unreadable(config, error, path)
    if problems:
        raise ConfigError(problems)
    return [*found, description_of(section)]


def read_schema_file(path: Path) -> SchemaDescription:
    """What a file of schema says.

    Raises:
        SourceError: it cannot be read.
        ConfigError: it is not valid; carries every problem found.
    """
    return description_of(validated(read_document(path), SchemaFile))


def _unreadable(config: LoadedConfig, error: SourceError, path: tuple[str | int, ...]) -> Iterable[Problem]:
    for issue in error.issues:
        if issue.position is None:  # the file as a whole: it is the name that may be wrong
            place = located(config.document, f"{error.name}: {issue.message}", path)
            yield Problem(place.message, path, place.file, place.line, place.column, hint=_HINT)
        else:
            position = issue.position
            yield Problem(issue.message, (), error.name, position.line, position.column, hint=_HINT)


def description_of(part: SchemaPart) -> SchemaDescription:
    """A section, or a file, as a description."""
    return SchemaDescription(
        dialect=part.dialect,
        complete=isinstance(part, SchemaFile) and part.complete,
        tables={
            name: TableDescription(_tuple(rule.columns), tuple(rule.computed))
            for name, rule in part.tables.items()
        },
        foreign_keys=tuple(map(_foreign_key, part.foreign_keys)),
        triggers=tuple(map(_trigger, part.triggers)),
        views={name: _view(rule) for name, rule in part.views.items()},
        procedures={name: _routine(rule) for name, rule in part.procedures.items()},
        functions={name: _routine(rule) for name, rule in part.functions.items()},
        pure_functions=tuple(part.pure_functions),
        aliases={name: tuple(meant) for name, meant in part.aliases.items()},
        unknown=tuple(part.unknown) if isinstance(part, SchemaFile) else (),
    )


def _tuple(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _foreign_key(rule: ForeignKeyRule) -> ForeignKey:
    return ForeignKey(
        rule.table,
        tuple(rule.columns),
        rule.parent,
        tuple(rule.parent_columns),
        rule.on_delete,
        rule.on_update,
    )


def _trigger(rule: TriggerRule) -> TriggerDescription:
    touches = Touches(writes=tuple(rule.writes), calls=tuple(rule.calls), hides=rule.unknown, sql=rule.sql)
    return TriggerDescription(rule.table, rule.name, touches, tuple(rule.events))


def _view(rule: ViewRule) -> Touches:
    return Touches(
        reads=tuple(rule.reads),
        calls=tuple(rule.calls),
        reads_clock=rule.clock,
        hides=rule.unknown,
        sql=rule.sql,
    )


def _routine(rule: RoutineRule) -> Touches:
    return Touches(
        reads=_tuple(rule.reads),
        writes=tuple(rule.writes or ()),
        calls=tuple(rule.calls),
        reads_clock=rule.clock,
        hides=rule.unknown,
        sql=rule.sql,
    )
