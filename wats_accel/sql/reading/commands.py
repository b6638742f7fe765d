"""Commands: statements that some databases have besides queries and changes: COPY, EXPLAIN, PRAGMA ..."""

from __future__ import annotations

from typing import Final

from wats_accel.sql.access import ANY
from wats_accel.sql.facts import StatementKind
from wats_accel.sql.reading.beginnings import begins_query
from wats_accel.sql.reading.findings import SESSION_STATE
from wats_accel.sql.reading.lexer import LITERAL, NAME, WORD
from wats_accel.sql.reading.queries import read_query
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.standalone import read_lone_query, read_unknown
from wats_accel.sql.reading.tables import read_table
from wats_accel.sql.reading.words import TSQL_VERBS, words

_OF_TABLES: Final = words(
    "table_info table_xinfo index_list index_info index_xinfo foreign_key_list table_list"
)
_OF_SESSION: Final = words(
    "foreign_keys journal_mode synchronous busy_timeout cache_size temp_store mmap_size locking_mode "
    "wal_checkpoint wal_autocheckpoint optimize encoding recursive_triggers read_uncommitted "
    "automatic_index case_sensitive_like query_only secure_delete shrink_memory threads "
    "trusted_schema page_size auto_vacuum defer_foreign_keys analysis_limit journal_size_limit "
    "compile_options database_list collation_list "
    "function_list"
)
_OF_DATA: Final = frozenset({"foreign_key_check", "integrity_check", "quick_check", "data_version"})


def read_grant(reader: Reader) -> StatementKind:
    """GRANT, REVOKE, DENY: who may do what."""
    reader.position += 1
    named = False
    while reader.position < reader.size and reader.key != ";":
        named = named or reader.key in ("TO", "FROM")
        if reader.key == "WITH" and reader.ahead() == "GRANT":
            reader.position += 3  # WITH GRANT OPTION
            continue
        if named and reader.batches and reader.key in TSQL_VERBS | {"GO"} and reader.key != "WITH":
            break
        if reader.key in ("ENABLE", "DISABLE") and reader.ahead() == "TRIGGER":
            break
        reader.position += 1
    return "other"


def read_explain(reader: Reader) -> StatementKind | None:
    """EXPLAIN: only ANALYZE runs what it explains."""
    reader.position += 1
    runs, other = False, False
    while reader.position < reader.size and not (begins_query(reader) or reader.key == ";"):
        other = other or reader.key in ("CREATE", "EXECUTE", "REFRESH", "DECLARE")
        inside = reader.tokens[reader.position : reader.closing() + 1] if reader.key == "(" else ()
        runs = runs or reader.key in ("ANALYZE", "ANALYSE") or any(each.key == "ANALYZE" for each in inside)
        if not reader.skip_group():
            reader.position += 1
    if runs and other:
        return read_unknown(reader)
    if reader.position >= reader.size or reader.key == ";":
        return "session"
    writes = {key: set(columns) for key, columns in reader.findings.writes.items()}
    read_lone_query(reader)
    if not runs:
        reader.findings.writes = writes
    return "select"


def read_copy(reader: Reader) -> StatementKind:
    """COPY t FROM ..., COPY (SELECT ...) TO ..., COPY t TO ..."""
    reader.position += 1
    if reader.key == "INTO":
        return read_unknown(reader)
    reader.skip("BINARY")
    if reader.key == "(":
        close = reader.closing()
        reader.position += 1
        scope = Scope(None)
        read_query(reader, scope, close)
        if reader.position < close:
            reader.doubt()
        reader.finish(scope)
    else:
        table = read_table(reader, reader.size)
        reader.skip_group()
        if table is not None and reader.key == "TO":
            reader.findings.read(table.name, (ANY,))
        elif table is not None and not table.temporary:
            reader.findings.write(table.name, "insert")
        if reader.ahead() == "PROGRAM":
            reader.findings.unknown("what a program does", "both")
    reader.skip_to_semicolon()
    return "other"


def read_bulk(reader: Reader) -> StatementKind:
    """BULK INSERT t FROM ..."""
    reader.position += 1
    reader.skip("INSERT")
    table = read_table(reader, reader.size)
    if table is not None and not table.temporary:
        reader.findings.write(table.name, "insert")
    reader.accept("FROM")
    reader.position += 1
    if reader.accept("WITH"):
        reader.skip_group()
    return "insert"


def read_refresh(reader: Reader) -> StatementKind:
    """REFRESH MATERIALIZED VIEW v."""
    reader.position += 1
    reader.skip("MATERIALIZED", "VIEW", "CONCURRENTLY")
    table = read_table(reader, reader.size)
    if table is not None:
        reader.findings.write(table.name, "any")
    reader.findings.unknown("what is kept of a view", "writes")
    reader.skip_to_semicolon()
    return "definition"


def read_show(reader: Reader) -> StatementKind:
    """SHOW, DESCRIBE: of the session or of the schema."""
    reader.findings.unknown(SESSION_STATE, "reads")
    reader.skip_to_semicolon()
    return "session"


def read_pragma(reader: Reader) -> StatementKind:
    """PRAGMA of SQLite."""
    reader.position += 1
    name = reader.chain(reader.size)[-1] if reader.names_follow(reader.size) else ""
    setting = reader.key == "="
    argument = reader.tokens[reader.position + 1]
    if name in _OF_TABLES:
        if reader.key == "(" and argument.kind in (WORD, NAME, LITERAL):
            reader.findings.read(argument.name)
    elif name in _OF_DATA:
        reader.findings.unknown("what a PRAGMA reads", "reads")
    elif name in _OF_SESSION:
        pass
    elif setting or reader.key == "(":
        reader.findings.unknown("what a PRAGMA changes", "writes")
    else:
        reader.findings.unknown(SESSION_STATE, "reads")
    reader.skip_to_semicolon()
    return "session"
