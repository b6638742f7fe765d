"""Tables: what stands in FROM, in USING, and behind the verb of a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wats_accel.sql.access import ANY
from wats_accel.sql.reading import calls, functions
from wats_accel.sql.reading.beginnings import holds_query
from wats_accel.sql.reading.expressions import read_expression, read_parenthesis
from wats_accel.sql.reading.lexer import LITERAL, NAME, NUMBER, PARAMETER, VARIABLE, WORD
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Relation, Scope, Source
from wats_accel.sql.reading.table_modifiers import are_hints, skip_modifiers
from wats_accel.sql.reading.words import (
    CHANGES,
    JOINING,
    NOT_ALIASES,
    SOFT_CLAUSES,
    SOFT_TSQL_VERBS,
    TSQL_VERBS,
)

_BEHIND_ALIASES: Final = JOINING | {",", ")", "ON", "USING", "WHERE", "GROUP", "ORDER"}
_TEMPORARY_SCHEMAS: Final = frozenset({"temp", "pg_temp", "tempdb"})


@dataclass(frozen=True)
class Table:
    """A table as a statement names it.

    Attributes:
        parts: of its name.
        temporary: whether it is a temporary table or a variable: neither read nor written.
    """

    parts: tuple[str, ...]
    temporary: bool = False

    @property
    def name(self) -> str:
        """As names are compared."""
        return self.parts[-1]


def read_table(reader: Reader, end: int) -> Table | None:
    """Read a table's name; None if there is none, which is noted."""
    reader.skip_only()
    token = reader.token
    if token.kind == VARIABLE:
        reader.position += 1
        return Table((token.name,), temporary=True)
    if token.kind == LITERAL and reader.dialect in ("sqlite", ""):
        reader.position += 1
        reader.findings.tables.add(token.name)
        return Table((token.name,))
    if not reader.names_follow(end):
        reader.doubt()
        return None
    parts = reader.chain(end)
    reader.findings.tables.add(parts[-1])
    if reader.key == "*" and reader.dialect != "tsql":
        reader.position += 1  # the tables that inherit from it, too
    return Table(parts, _is_temporary(reader, parts))


def _is_temporary(reader: Reader, parts: tuple[str, ...]) -> bool:
    if parts[-1].startswith("#") or (len(parts) > 1 and parts[0] in _TEMPORARY_SCHEMAS):
        return True
    return len(parts) == 1 and parts[0] in reader.findings.temporary


def read_alias(reader: Reader, end: int) -> str:
    """Read ``AS a`` or ``a``, with a list of columns perhaps; empty if there is none."""
    named = reader.accept("AS")
    token = reader.token
    if reader.position >= end:
        return ""
    if token.kind == NAME or (token.kind == LITERAL and named):
        reader.position += 1
    elif token.kind != WORD or (not named and not _may_be_alias(reader)):
        if named and reader.key == "(":
            reader.skip_group()
        return ""
    else:
        reader.position += 1
    return token.name


def _may_be_alias(reader: Reader) -> bool:
    key, following = reader.key, reader.ahead()
    if key in SOFT_CLAUSES and key != "ON" and following in _BEHIND_ALIASES:
        return True  # FROM t start JOIN u ...
    if key in NOT_ALIASES or key in CHANGES or (reader.begins_label() and reader.token.fresh_line):
        return False
    if reader.dialect == "tsql":
        if key in ("ENABLE", "DISABLE"):
            return following != "TRIGGER"
        return key not in TSQL_VERBS and not (key in SOFT_TSQL_VERBS and reader.token.fresh_line)
    if reader.batches and key in TSQL_VERBS:
        return following in (",", ")", ".", "ON", "WHERE", "JOIN")
    return key not in ("GO",) or not reader.token.fresh_line


# -- FROM ------------------------------------------------------------------------------------------------


def read_tables(reader: Reader, scope: Scope, end: int, *, stops: frozenset[str] = frozenset()) -> None:
    """Read a list of tables with joins, and stay behind it.

    Args:
        reader: behind FROM, USING or the like.
        scope: gets the tables.
        end: where to stop at last.
        stops: further words that end it.
    """
    expected = True
    while reader.position < end:
        key = reader.key
        if key in (";", ")") or key in stops:
            return
        if reader.accept(","):
            expected = True
        elif expected:
            _read_item(reader, scope, end)
            expected = False
        elif not _read_between(reader, scope, end, stops):
            return
        else:
            expected = reader.ahead(-1) in ("JOIN", "APPLY", "STRAIGHT_JOIN")


def _read_between(reader: Reader, scope: Scope, end: int, stops: frozenset[str]) -> bool:
    """Read what stands between two tables. Whether there was such a thing."""
    key = reader.key
    if key in JOINING and not (key == "MERGE" and reader.ahead() != "JOIN"):
        if key == "NATURAL":
            scope.everything = True
        reader.position += 1
    elif key == "ON" and reader.ahead() not in ("CONFLICT", "DUPLICATE"):
        reader.position += 1
        read_expression(reader, scope.early(), end, stops=stops | {","})
    elif key == "USING" and reader.ahead() == "(":
        _read_using(reader, scope)
    elif key in ("PIVOT", "UNPIVOT", "MATCH_RECOGNIZE", "MODEL"):
        scope.everything = True
        reader.position += 1
        reader.skip("XML", "INCLUDE", "EXCLUDE", "NULLS")
        _read_arguments(reader, scope)
        _add(scope, read_alias(reader, end))
    else:
        return False
    return True


def _read_using(reader: Reader, scope: Scope) -> None:
    reader.position += 1
    close = reader.closing()
    while reader.position < close:
        if reader.names_follow(close):
            scope.shared.add(reader.token.name)
        reader.position += 1
    reader.position = min(close + 1, reader.size)
    if reader.key == "AS":
        _add(scope, read_alias(reader, reader.size))


def _read_item(reader: Reader, scope: Scope, end: int) -> None:
    """Read one table, subquery or function with its alias."""
    lateral = reader.key == "LATERAL" or reader.ahead(-1) == "APPLY"
    if reader.ahead() == "(" or reader.dialect not in ("sqlite", "tsql"):
        reader.skip_before_name("LATERAL")
    reader.skip_only()
    key, token = reader.key, reader.token
    if key == "(":
        _read_parenthesis(reader, scope, end, lateral=lateral)
    elif key in ("TABLE", "UNNEST", "ROWS", "XMLTABLE", "THE") and reader.ahead() in ("(", "FROM"):
        reader.position += 1
        reader.skip("FROM")
        _read_arguments(reader, scope)
        _end_item(reader, scope, Source(""), end)
    elif token.kind in (VARIABLE, LITERAL) or reader.names_follow(end):
        _read_named(reader, scope, end)
    elif token.kind in (PARAMETER, NUMBER):
        reader.position += 1
        reader.findings.unknown("a table that is a parameter", "reads")
        _end_item(reader, scope, Source(""), end)
    else:
        reader.doubt()
        reader.position += 1


def _read_parenthesis(reader: Reader, scope: Scope, end: int, *, lateral: bool) -> None:
    close = min(reader.closing(), end)
    if holds_query(reader, close):
        reader.position += 1
        # It does not see the tables beside it.
        inner = scope.early() if lateral else Scope(scope.parent, scope.relations, within=scope)
        relation = reader.query(reader, inner, close)
        _leave(reader, close)
        _end_item(reader, scope, Source("", relation=relation), end)
        return
    first = len(scope.sources)
    reader.position += 1
    read_tables(reader, scope, close)
    _leave(reader, close)
    alias = read_alias(reader, end)
    if alias:
        renamed = reader.key == "(" and not are_hints(reader) and bool(reader.skip_names())
        for source in scope.sources[first:]:
            scope.add(_called_otherwise(reader, source, alias, renamed=renamed))


def _called_otherwise(reader: Reader, source: Source, alias: str, *, renamed: bool) -> Source:
    """A table of a join that has a name of its own, and perhaps other names for its columns."""
    if not renamed:
        return Source(alias, source.table, source.relation)
    if source.table is not None:
        reader.findings.read(source.table, (ANY,))
    return Source(alias, source.table)


def _leave(reader: Reader, close: int) -> None:
    if reader.position < close:
        reader.doubt()
    reader.position = min(close + 1, reader.size)


def _read_named(reader: Reader, scope: Scope, end: int) -> None:
    table = read_table(reader, end)
    if table is None:
        return
    if table.temporary and reader.key == "." and reader.tokens[reader.position + 1].kind in (WORD, NAME):
        reader.position += 2  # @xml.nodes(...)
        _read_arguments(reader, scope)
        _end_item(reader, scope, Source(""), end)
        return
    if reader.position < end and reader.key == "(" and not are_hints(reader):
        if len(table.parts) > 1 and calls.is_method(reader, table.name):
            scope.use(table.parts[:-1])
            _read_arguments(reader, scope)
        else:
            _read_function(reader, scope, table)
        _end_item(reader, scope, Source(table.name), end)
        return
    _end_item(reader, scope, source_of(reader, scope, table), end)


def _read_function(reader: Reader, scope: Scope, table: Table) -> None:
    if table.name in functions.WHOLE_TABLES:
        start = reader.position
        reader.position += 1
        reader.skip("CHANGES", "VERSION")
        named = read_table(reader, reader.size)
        if named is not None:
            reader.findings.read(named.name, (ANY,))
        reader.position = start
    if reader.dialect == "sqlite" and not functions.is_builtin(table.name, "sqlite", in_from=True):
        reader.findings.read(table.name, (ANY,))  # a full-text index
    else:
        calls.note_function(reader, table.parts, in_from=True)
    if table.name in functions.HOSTILE:  # its arguments are no columns
        scope = Scope(None, within=scope)
    _read_arguments(reader, scope)


def _read_arguments(reader: Reader, scope: Scope) -> None:
    """Read the arguments of a function in FROM, which may see the tables before it."""
    if reader.key == "(":
        read_parenthesis(reader, scope.early(), reader.size)


def source_of(reader: Reader, scope: Scope, table: Table) -> Source:
    """What a name in FROM stands for; noted as read if it is a table."""
    name = table.name
    if len(table.parts) == 1 and name in scope.relations:
        relation = scope.relations[name]
        relation.used_in.append(scope)
        if relation.may_be_table:
            reader.findings.read(name)
        return Source(name, name if relation.may_be_table else None, relation)
    if table.temporary:
        if not name.startswith("@") and name not in reader.findings.temporary:
            reader.findings.unknown("a temporary table that was filled elsewhere", "reads")
        return Source(name)
    if name == "dual" and reader.dialect in ("mysql", "oracle"):
        return Source(name)
    if calls.tells_of_server(table.parts):
        reader.findings.unknown("what the server is doing", "reads")
    reader.findings.read(name)
    return Source(name, table=name)


def _end_item(reader: Reader, scope: Scope, source: Source, end: int) -> None:
    """Read what follows a table: hints, versions, samples and its alias."""
    start = reader.position
    skip_modifiers(reader, end)
    alias = read_alias(reader, end)
    if alias:
        source.alias = alias
        _read_columns(reader, source)
        skip_modifiers(reader, end)
    passed = {token.key for token in reader.tokens[start : reader.position]}
    if source.table is not None and not passed.isdisjoint(("SYSTEM_TIME", "VERSION", "OF")):
        reader.findings.read(source.table, (ANY,))  # rows of the past come with every change
    scope.add(source)


def _read_columns(reader: Reader, source: Source) -> None:
    """Names of columns behind an alias."""
    if reader.key == "(" and not are_hints(reader):
        names = reader.skip_names()
        if source.relation is not None:
            source.relation = Relation(names, source.relation.tables, renames=True)
        elif source.table is not None:
            reader.findings.read(source.table, (ANY,))  # under other names than its own


def _add(scope: Scope, alias: str) -> None:
    if alias:
        scope.add(Source(alias))
