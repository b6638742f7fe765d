"""Definitions: CREATE, ALTER, DROP, TRUNCATE and RENAME."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from wats_accel.sql.facts import Event
from wats_accel.sql.reading.beginnings import begins_query
from wats_accel.sql.reading.lexer import NAME, WORD
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.tables import read_table
from wats_accel.sql.reading.words import QUERIES, SOFT_TSQL_VERBS, TSQL_VERBS, words

_DEFINITION: Final = "what the definition of a view, trigger or routine changes"
_KINDS: Final = words(
    "TABLE VIEW TRIGGER PROCEDURE PROC FUNCTION INDEX SCHEMA DATABASE TYPE SEQUENCE ROLE USER LOGIN "
    "STATISTICS SYNONYM RULE POLICY EVENT PACKAGE EXTENSION DOMAIN AGGREGATE OPERATOR CAST COLLATION "
    "SERVER FOREIGN PUBLICATION SUBSCRIPTION LANGUAGE TABLESPACE CERTIFICATE ASSEMBLY PARTITION "
    "FULLTEXT ASYMMETRIC SYMMETRIC DEFAULT SECURITY MASTER APPLICATION ENDPOINT QUEUE SERVICE MESSAGE "
    "CONTRACT XML COLUMN CONSTRAINT"
)
_HARMLESS: Final = words(
    "INDEX SEQUENCE ROLE USER LOGIN STATISTICS EXTENSION PUBLICATION TABLESPACE CERTIFICATE "
    "ASYMMETRIC SYMMETRIC FULLTEXT PARTITION MASTER SERVER ENDPOINT"
)
"""What neither changes data nor what texts mean."""
_WITH_BODIES: Final = frozenset(
    {"TRIGGER", "PROCEDURE", "PROC", "FUNCTION", "EVENT", "PACKAGE", "RULE", "TYPE"}
)
_MOST_TRIGGERS: Final = 60  # in the tokens of their names: so far is looked ahead
_BODY_DEPTH: Final = {"BEGIN": 1, "CASE": 1, "END": -1}


def read_definition(reader: Reader, end: int) -> None:
    """Read a definition; the reader is at its verb."""
    verb = reader.key
    reader.position += 1
    if verb in ("TRUNCATE", "RENAME"):
        _OF_TABLES[verb](reader, end)
        return
    temporary, kind = _read_kind(reader, end)
    if kind == "TABLE":
        _read_table_definition(reader, end, verb, temporary=temporary)
    elif kind in _HARMLESS:
        _skip_statement(reader, end)
    else:
        reader.findings.unknown(_DEFINITION, "writes")
        if verb in ("CREATE", "ALTER") and kind in _WITH_BODIES | {"VIEW"}:
            _skip_body(reader, end)
        else:
            _skip_statement(reader, end)


def _read_kind(reader: Reader, end: int) -> tuple[bool, str]:
    """Whether what is defined is temporary, and what it is. The reader is behind that word then."""
    temporary = False
    while reader.position < end and reader.key not in (";", "("):
        key = reader.key
        if reader.token.kind != "word" or reader.ahead() == ".":
            return temporary, ""
        reader.position += 1
        temporary = temporary or key in ("TEMP", "TEMPORARY")
        if key in _KINDS and not (key == "FOREIGN" and reader.key == "TABLE"):
            return temporary, key
    return temporary, ""


# -- tables ----------------------------------------------------------------------------------------------


def _read_table_definition(reader: Reader, end: int, verb: str, *, temporary: bool) -> None:
    if reader.key == "IF" and reader.ahead() in ("NOT", "EXISTS"):
        reader.skip("IF", "NOT", "EXISTS")
    reader.skip_only(changing=True)
    if verb == "DROP":
        _read_dropped(reader, end)
    elif verb == "ALTER":
        _read_altered(reader, end)
    else:
        _read_created(reader, end, temporary=temporary)


def _change(reader: Reader, end: int, event: Event, *, temporary: bool = False, filling: bool = True) -> None:
    """Note that the table whose name is next is changed.

    Args:
        reader: at the name.
        end: where to stop at last.
        event: what happens to it.
        temporary: whether the statement says that it is a temporary one.
        filling: whether the text knows afterwards what is in it, if it is a temporary one.
    """
    table = read_table(reader, end)
    if table is None:
        reader.findings.unknown("the table that is changed", "writes")
    elif table.temporary or temporary:
        if filling:
            reader.findings.temporary.add(table.name)
    else:
        reader.findings.write(table.name, event)


def _read_created(reader: Reader, end: int, *, temporary: bool) -> None:
    _change(reader, end, "any", temporary=temporary)
    while reader.position < end and reader.key != ";":
        if reader.key == "EXECUTE" and reader.ahead(-1) == "AS":
            reader.findings.unknown("what a prepared statement does", "both")
        if reader.key in QUERIES and begins_query(reader) and _query_may_follow(reader):
            scope = Scope(None)
            reader.query(reader, scope, end)
            reader.finish(scope)
            reader.skip(")")
            return
        if reader.key == "(" and reader.ahead() in QUERIES and reader.ahead(-1) == "AS":
            reader.position += 1
            continue
        if reader.key in ("LIKE", "OF", "INHERITS", "CLONE", "COPY"):
            reader.position += 1
        elif not reader.skip_group():
            if _next_definition(reader):
                return
            reader.position += 1


def _query_may_follow(reader: Reader) -> bool:
    return reader.ahead(-1) in ("AS", ")", "(") or reader.dialect == "mysql"


def _read_dropped(reader: Reader, end: int) -> None:
    while True:
        table = read_table(reader, end)
        if table is None:
            reader.findings.unknown("the table that is changed", "writes")
            return
        if table.temporary:
            reader.findings.temporary.discard(table.name)
        else:
            reader.findings.write(table.name, "any")
        if not reader.accept(","):
            break
    reader.skip("CASCADE", "RESTRICT", "CONSTRAINTS", "PURGE")


def _read_altered(reader: Reader, end: int) -> None:
    """Every table that is named may become another: by RENAME TO, SWITCH PARTITION TO, REFERENCES ..."""
    _change(reader, end, "any", filling=False)
    switching = False
    while reader.position < end and reader.key != ";" and not _next_definition(reader):
        before = reader.key
        reader.position += 1
        switching = switching or before == "SWITCH"
        if _names_table(reader, before, switching=switching) and reader.names_follow(end):
            reader.findings.write(reader.chain(end)[-1], "any")


def _names_table(reader: Reader, before: str, *, switching: bool) -> bool:
    """Whether what is next in ALTER TABLE is another table, by the word before it."""
    if before == "TO":
        return switching or reader.ahead(-2) == "RENAME"
    return before in ("REFERENCES", "INHERIT", "TABLE") or (
        before == "PARTITION" and reader.dialect in ("postgres", "")
    )


def _next_definition(reader: Reader) -> bool:
    """Whether another statement follows without a semicolon."""
    key, before, following = reader.key, reader.ahead(-1), reader.ahead()
    if not reader.batches or before in ("ON", "AS", "FOR", "AFTER", "OF", ",", "THEN"):
        return False
    if key in ("DROP", "ALTER"):
        return following in _KINDS and following not in (
            "COLUMN",
            "CONSTRAINT",
            "INDEX",
            "PARTITION",
            "DEFAULT",
        )
    if key == "SET":  # ON DELETE SET NULL, and ALTER COLUMN a SET ... of others
        certain = reader.dialect == "tsql" and before not in ("DELETE", "UPDATE")
        return (certain or reader.token.fresh_line) and following != "("
    if key in ("ENABLE", "DISABLE"):
        return reader.token.fresh_line or _switches_trigger(reader)
    return key in TSQL_VERBS - {"WITH"} or (key in SOFT_TSQL_VERBS and reader.token.fresh_line)


def _switches_trigger(reader: Reader) -> bool:
    """Whether ``DISABLE TRIGGER a ON t`` is next: as a part of ALTER TABLE it does not say on what."""
    if reader.ahead() != "TRIGGER":
        return False
    for token in reader.tokens[reader.position + 2 : reader.position + _MOST_TRIGGERS]:
        if token.key == "ON" or not (token.kind in (WORD, NAME) or token.key in (".", ",")):
            return token.key == "ON"
    return False


def _read_truncated(reader: Reader, end: int) -> None:
    reader.accept("TABLE")
    reader.skip_only(changing=True)
    while True:
        _change(reader, end, "delete")
        if reader.key == "WITH":
            reader.position += 1
            reader.skip_group()
        if not reader.accept(","):
            break
    if "CASCADE" in {token.key for token in reader.tokens[reader.position : reader.position + 4]}:
        reader.findings.unknown("the tables that TRUNCATE ... CASCADE empties as well", "writes")
    if reader.key in ("DROP", "REUSE") and reader.ahead() == "STORAGE":  # else another statement's DROP
        reader.position += 2
    reader.skip("RESTART", "CONTINUE", "IDENTITY", "CASCADE", "RESTRICT", "IMMEDIATE")


def _read_renamed(reader: Reader, end: int) -> None:
    reader.skip("TABLE", "IF", "EXISTS")
    while reader.names_follow(end):
        _change(reader, end, "any")
        reader.skip("TO", ",")


_OF_TABLES: Final[Mapping[str, Callable[[Reader, int], None]]] = {
    "TRUNCATE": _read_truncated,
    "RENAME": _read_renamed,
}


# -- what is not run now ---------------------------------------------------------------------------------


def _skip_statement(reader: Reader, end: int) -> None:
    while reader.position < end and reader.key != ";":
        if _next_definition(reader):
            return
        if not reader.skip_group():
            reader.position += 1


def _skip_body(reader: Reader, end: int) -> None:
    """The body of a trigger or routine: up to its END, or up to where the batch ends."""
    depth = 0
    while reader.position < end:
        key = reader.key
        if key in _BODY_DEPTH and reader.token.kind == "word":
            depth += _BODY_DEPTH[key]
            if depth == 0 and reader.dialect == "sqlite":
                reader.position += 1
                return
        elif depth <= 0 and key == ";" and reader.dialect != "oracle":
            return
        if reader.ends_batch():
            return
        reader.position += 1
