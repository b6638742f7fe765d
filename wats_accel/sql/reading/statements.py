"""Statements: a text's tokens cut into statements while they are read, and each given to who reads its kind.

SQL Server needs no semicolons: whoever reads a statement stops where another one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from wats_accel.sql.access import Columns
from wats_accel.sql.facts import StatementKind
from wats_accel.sql.reading import commands, sessions
from wats_accel.sql.reading.beginnings import begins_query
from wats_accel.sql.reading.braces import without_braces
from wats_accel.sql.reading.definitions import read_definition
from wats_accel.sql.reading.findings import Findings
from wats_accel.sql.reading.lexer import NAME, NUMBER, VARIABLE, WORD, Token, readings_of
from wats_accel.sql.reading.procedures import read_call, read_procedure_call
from wats_accel.sql.reading.queries import read_query
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.standalone import read_lone_expression, read_lone_query, read_unknown
from wats_accel.sql.reading.words import CHANGES, SOFT_TSQL_VERBS, TSQL_VERBS, words

_Reads = Callable[[Reader], "StatementKind | None"]

_TRANSACTIONS: Final = words("COMMIT ROLLBACK ABORT SAVE SAVEPOINT RELEASE START")
_OF_BEGIN: Final = words(
    "TRAN TRANSACTION WORK DISTRIBUTED DEFERRED IMMEDIATE EXCLUSIVE CONCURRENT ISOLATION READ NOT"
)
_HARMLESS: Final = words(
    "USE RESET DEALLOCATE DISCARD LISTEN UNLISTEN NOTIFY CHECKPOINT VACUUM ANALYZE ANALYSE REINDEX "
    "OPTIMIZE CLUSTER COMMENT LOCK UNLOCK KILL DBCC WAITFOR BREAK CONTINUE PRINT RAISERROR THROW "
    "REVERT CLOSE OPEN RECONFIGURE BACKUP SHUTDOWN FLUSH SECURITY LABEL PURGE SIGNAL LEAVE ITERATE"
)
_WITHOUT_SEMICOLON: Final = SOFT_TSQL_VERBS | {"ENABLE", "DISABLE", "(", "CALL"}
"""Besides verbs, what may begin a statement of SQL Server behind one without a semicolon."""
_GRANTS: Final = frozenset({"GRANT", "REVOKE", "DENY"})
_UNKNOWN: Final = words(
    "DO LOAD IMPORT ATTACH DETACH RESTORE HANDLER FROM UPDATETEXT WRITETEXT READTEXT RECEIVE"
)


def read_statements(tokens: Sequence[Token], dialect: str, known: Mapping[str, Columns]) -> Findings:
    """Read all statements of a text.

    Raises:
        TooMuchError: it is too deep or too long to be read.
    """
    reader = Reader(without_braces(tokens), dialect, known, query=read_query, text=_read_text)
    _read_all(reader)
    return reader.findings


def _read_text(reader: Reader, text: str) -> None:
    """Read a text that a statement runs, as if it stood there."""
    for tokens in readings_of(text, reader.dialect):
        inner = Reader(
            without_braces(tokens),
            reader.dialect,
            reader.known,
            query=read_query,
            text=_read_text,
            outer=reader,
        )
        _read_all(inner)
        reader.findings.include(inner.findings)


def _read_all(reader: Reader) -> None:
    whole = True  # nothing of a statement is left that is before this one
    while reader.position < reader.size:
        if reader.accept(";"):
            whole = True
            continue
        start = reader.position
        if not (whole or _may_begin(reader)):
            reader.doubt()
        kind = _read_statement(reader)
        whole = kind is None
        if kind is not None:
            reader.findings.kinds.append(kind)
        if reader.position == start:  # nobody knows what it is
            reader.doubt()
            reader.findings.kinds.append("other")
            _skip(reader)


def _may_begin(reader: Reader) -> bool:
    """Whether what is next may begin a statement behind one without a semicolon."""
    known = reader.key in TSQL_VERBS or reader.key in _WITHOUT_SEMICOLON or reader.begins_label()
    return reader.batches and known


def _skip(reader: Reader) -> None:
    reader.position += 1
    while reader.position < reader.size and reader.key != ";":
        if reader.key in CHANGES or reader.key in ("SELECT", "EXEC"):
            return
        reader.position += 1


def _read_statement(reader: Reader) -> StatementKind | None:
    """Read one. Returns its kind; None if it is none by itself."""
    key = reader.key
    if reader.begins_label():
        reader.position += 2
        return None
    if key in ("ENABLE", "DISABLE") and reader.ahead() == "TRIGGER":
        return _read_definition(reader)
    reads = _READERS.get(key)
    if reads is not None:
        return reads(reader)
    if key == "(" or begins_query(reader) or (key in CHANGES and reader.ahead() == "("):
        return read_lone_query(reader)
    is_first = reader.position == 0 or reader.ahead(-1) == "GO"
    if is_first and reader.batches and reader.token.kind in (WORD, NAME):
        return _read_bare_call(reader)
    return None


def _read_bare_call(reader: Reader) -> StatementKind:
    """A procedure without EXEC, as the first of a batch."""
    read_call(reader, reader.size)
    read_lone_expression(reader)
    while reader.accept("OUTPUT", "OUT", ","):
        read_lone_expression(reader)
    return "procedure"


def _read_execution(reader: Reader) -> StatementKind:
    """EXEC p, CALL p()."""
    if reader.key == "EXECUTE" and reader.dialect == "postgres":
        return read_unknown(reader)
    scope = Scope(None)
    read_procedure_call(reader, scope, reader.size)
    reader.finish(scope)
    return "procedure"


def _read_definition(reader: Reader) -> StatementKind:
    read_definition(reader, reader.size)
    return "definition"


def _read_prepared(reader: Reader) -> StatementKind | None:
    """PREPARE p AS SELECT ...: as if it were run now."""
    reader.position += 1
    while reader.position < reader.size and reader.key not in ("AS", ";", "FROM"):
        reader.position += 1
    return None if reader.accept("AS") else read_unknown(reader)


# -- control flow and transactions -----------------------------------------------------------------------


def _read_condition(reader: Reader) -> None:
    """IF, WHILE: what follows is read as statements of their own."""
    reader.position += 1
    read_lone_expression(reader)


def _skip_word(reader: Reader) -> None:
    """ELSE, GO: nothing by themselves."""
    reader.position += 1
    if reader.ahead(-1) == "GO" and reader.token.kind == NUMBER:
        reader.position += 1


def _read_begin(reader: Reader) -> StatementKind | None:
    """BEGIN of a transaction or of a block."""
    reader.position += 1
    if reader.key in _OF_BEGIN or reader.position >= reader.size or reader.key == ";":
        _skip_transaction(reader)
        return "transaction"
    reader.skip("TRY", "CATCH")
    return None


def _read_end(reader: Reader) -> StatementKind | None:
    """END of a block; of a transaction to some."""
    reader.position += 1
    if reader.batches:
        reader.skip("TRY", "CATCH")
        return None
    reader.skip("TRANSACTION", "WORK")
    return "transaction"


def _read_transaction(reader: Reader) -> StatementKind:
    """COMMIT, ROLLBACK, SAVEPOINT ..."""
    verb = reader.key
    reader.position += 1
    if verb == "COMMIT" and reader.key == "PREPARED":
        reader.findings.unknown("what a prepared transaction has changed", "writes")
    _skip_transaction(reader)
    return "transaction"


def _skip_transaction(reader: Reader) -> None:
    """What may follow, up to the next statement, which may come without a semicolon."""
    reader.skip("TRAN", "TRANSACTION", "WORK", "TO", "SAVEPOINT", "PREPARED", "DISTRIBUTED")
    if not reader.batches:
        reader.skip_to_semicolon()
        return
    if reader.token.kind in (NAME, VARIABLE) or (
        reader.token.kind == WORD
        and not (reader.key in _READERS or reader.key in CHANGES or begins_query(reader))
    ):
        reader.position += 1
    reader.skip("AND", "NO", "CHAIN", "RELEASE", "READ", "WRITE", "ONLY", "ISOLATION", "LEVEL", ",")


_READERS: Final[Mapping[str, _Reads]] = {
    **dict.fromkeys(("CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME"), _read_definition),
    **dict.fromkeys(("EXEC", "EXECUTE", "CALL"), _read_execution),
    **dict.fromkeys(("IF", "WHILE"), _read_condition),
    **dict.fromkeys(("ELSE", "GO"), _skip_word),
    **dict.fromkeys(_TRANSACTIONS, _read_transaction),
    **dict.fromkeys(_HARMLESS, sessions.read_harmless),
    **dict.fromkeys(_UNKNOWN, read_unknown),
    **dict.fromkeys(_GRANTS, commands.read_grant),
    **dict.fromkeys(("SHOW", "DESCRIBE", "DESC"), commands.read_show),
    **dict.fromkeys(("FETCH", "MOVE"), sessions.read_fetch),
    "BEGIN": _read_begin,
    "GOTO": sessions.read_jump,
    "END": _read_end,
    "SET": sessions.read_setting,
    "DECLARE": sessions.read_declare,
    "RETURN": sessions.read_return,
    "EXPLAIN": commands.read_explain,
    "PREPARE": _read_prepared,
    "COPY": commands.read_copy,
    "BULK": commands.read_bulk,
    "REFRESH": commands.read_refresh,
    "PRAGMA": commands.read_pragma,
}
