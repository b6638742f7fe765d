"""Statements: a text's tokens cut into statements while they are read, and each given to who reads its kind.

SQL Server needs no semicolons: whoever reads a statement stops where another one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from wats_accel.sql.access import ANY, Columns
from wats_accel.sql.facts import StatementKind
from wats_accel.sql.reading.braces import without_braces
from wats_accel.sql.reading.definitions import read_definition
from wats_accel.sql.reading.expressions import begins_query, read_expression, read_parenthesis
from wats_accel.sql.reading.findings import SESSION_STATE, Findings
from wats_accel.sql.reading.lexer import LITERAL, NAME, NUMBER, PARAMETER, VARIABLE, WORD, Token
from wats_accel.sql.reading.procedures import read_call, read_procedure_call
from wats_accel.sql.reading.queries import read_query
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.tables import read_table
from wats_accel.sql.reading.words import CHANGES, TSQL_VERBS, words

_Reads = Callable[["Statements"], "StatementKind | None"]

_TRANSACTIONS: Final = words("COMMIT ROLLBACK ABORT SAVE SAVEPOINT RELEASE START")
_OF_BEGIN: Final = words(
    "TRAN TRANSACTION WORK DISTRIBUTED DEFERRED IMMEDIATE EXCLUSIVE CONCURRENT ISOLATION READ NOT"
)
_HARMLESS: Final = words(
    "USE RESET DEALLOCATE DISCARD LISTEN UNLISTEN NOTIFY CHECKPOINT VACUUM ANALYZE ANALYSE REINDEX "
    "OPTIMIZE CLUSTER COMMENT LOCK UNLOCK KILL DBCC WAITFOR BREAK CONTINUE PRINT RAISERROR THROW "
    "REVERT CLOSE OPEN RECONFIGURE BACKUP SHUTDOWN FLUSH SECURITY LABEL PURGE SIGNAL LEAVE ITERATE"
)
_GRANTS: Final = frozenset({"GRANT", "REVOKE", "DENY"})
_UNKNOWN: Final = words(
    "DO EXECUTE LOAD IMPORT ATTACH DETACH RESTORE HANDLER FROM UPDATETEXT WRITETEXT READTEXT"
)


def read_statements(tokens: Sequence[Token], dialect: str, known: Mapping[str, Columns]) -> Findings:
    """Read all statements of a text.

    Raises:
        TooMuchError: it is too deep or too long to be read.
    """
    reader = Reader(without_braces(tokens), dialect, known, read_query)
    Statements(reader).read()
    return reader.findings


class Statements:
    """Reads one statement after the other."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.first = True  # of its batch
        self.cursors = False  # whether one is declared in the text

    def read(self) -> None:
        """Read them all."""
        reader = self.reader
        while reader.position < reader.size:
            if reader.accept(";"):
                continue
            start = reader.position
            kind = self._statement()
            if kind is not None:
                reader.findings.kinds.append(kind)
            self.first = reader.ahead(-1) == "GO"
            if reader.position == start:  # nobody knows what it is
                reader.doubt()
                reader.findings.kinds.append("other")
                self._skip()

    def _skip(self) -> None:
        reader = self.reader
        reader.position += 1
        while reader.position < reader.size and reader.key != ";":
            if reader.key in CHANGES or reader.key in ("SELECT", "EXEC"):
                return
            reader.position += 1

    def _statement(self) -> StatementKind | None:
        """Read one. Returns its kind; None if it is none by itself."""
        reader = self.reader
        key = reader.key
        if reader.batches and reader.token.kind == WORD and reader.ahead() == ":":
            reader.position += 2  # a label
            return None
        if key in ("ENABLE", "DISABLE") and reader.ahead() == "TRIGGER":
            return self.definition()
        reads = _READERS.get(key)
        if reads is not None:
            return reads(self)
        if key == "(" or begins_query(reader) or (key in CHANGES and reader.ahead() == "("):
            return self._query()
        if self.first and reader.batches and reader.token.kind in (WORD, NAME):
            return self._bare_call()
        return None

    # -- queries and changes -----------------------------------------------------------------------------

    def _query(self) -> StatementKind:
        reader = self.reader
        start = reader.position
        scope = Scope(None)
        read_query(reader, scope, reader.size)
        reader.finish(scope)
        reader.findings.queries.append(reader.tokens[start : min(reader.position, reader.size)])
        return _KINDS.get(scope.verb, "select")

    def expression(self, *stops: str) -> None:
        """Read an expression that stands by itself."""
        reader = self.reader
        scope = Scope(None)
        reader.controlling = True
        read_expression(reader, scope, reader.size, stops=reader.verbs.union(stops))
        reader.controlling = False
        reader.finish(scope)

    def _bare_call(self) -> StatementKind:
        """A procedure without EXEC, as the first of a batch."""
        read_call(self.reader, self.reader.size)
        self.expression()
        while self.reader.accept("OUTPUT", "OUT", ","):
            self.expression()
        return "procedure"

    def call(self) -> StatementKind:
        """EXEC p, CALL p()."""
        reader = self.reader
        if reader.key == "EXECUTE" and reader.dialect == "postgres":
            return self.unknown()
        scope = Scope(None)
        read_procedure_call(reader, scope, reader.size)
        reader.finish(scope)
        return "procedure"

    def unknown(self) -> StatementKind:
        """What may do anything."""
        self.reader.findings.unknown("what a statement runs that is not in the text", "both")
        self.to_end()
        return "other"

    def definition(self) -> StatementKind:
        """CREATE and the like."""
        read_definition(self.reader, self.reader.size)
        return "definition"

    # -- control flow ------------------------------------------------------------------------------------

    def condition(self) -> None:
        """IF, WHILE: what follows is read as statements of their own."""
        self.reader.position += 1
        self.expression()

    def skip_word(self) -> None:
        """ELSE, GO: nothing by themselves."""
        self.reader.position += 1
        if self.reader.ahead(-1) == "GO" and self.reader.token.kind == NUMBER:
            self.reader.position += 1

    def begin(self) -> StatementKind | None:
        """BEGIN of a transaction or of a block."""
        reader = self.reader
        reader.position += 1
        if reader.key in _OF_BEGIN or reader.position >= reader.size or reader.key == ";":
            self._skip_transaction()
            return "transaction"
        reader.skip("TRY", "CATCH")
        return None

    def end(self) -> StatementKind | None:
        """END of a block; of a transaction to some."""
        reader = self.reader
        reader.position += 1
        if reader.batches:
            reader.skip("TRY", "CATCH")
            return None
        reader.skip("TRANSACTION", "WORK")
        return "transaction"

    def transaction(self) -> StatementKind:
        """COMMIT, ROLLBACK, SAVEPOINT ..."""
        self.reader.position += 1
        self._skip_transaction()
        return "transaction"

    def _skip_transaction(self) -> None:
        """What may follow, up to the next statement, which may come without a semicolon."""
        reader = self.reader
        reader.skip("TRAN", "TRANSACTION", "WORK", "TO", "SAVEPOINT", "PREPARED", "DISTRIBUTED")
        if not reader.batches:
            self.to_end()
            return
        if reader.token.kind in (NAME, VARIABLE) or (
            reader.token.kind == WORD and reader.key not in _READERS and not begins_query(reader)
            and reader.key not in CHANGES
        ):  # fmt: skip
            reader.position += 1
        reader.skip("AND", "NO", "CHAIN", "RELEASE", "READ", "WRITE", "ONLY", "ISOLATION", "LEVEL", ",")

    def setting(self) -> StatementKind:
        """SET, DECLARE, PRINT and the like: expressions, perhaps with subqueries."""
        reader = self.reader
        reader.position += 1
        if reader.token.kind in (VARIABLE, PARAMETER):
            self.expression()
            while reader.accept(","):
                self.expression()
        else:
            self._skip_option()
        return "session"

    def _skip_option(self) -> None:
        """NOCOUNT ON, TRANSACTION ISOLATION LEVEL READ UNCOMMITTED, search_path = ..."""
        reader = self.reader
        while reader.position < reader.size and reader.key != ";":
            if reader.batches and (reader.key in TSQL_VERBS or reader.key in ("GO", "THROW")):
                return
            if reader.key in ("ENABLE", "DISABLE") and reader.ahead() == "TRIGGER":
                return
            if reader.key == "(":
                scope = Scope(None)
                read_parenthesis(reader, scope, reader.size)
                reader.finish(scope)
            else:
                reader.position += 1

    def declare(self) -> StatementKind:
        """DECLARE @x INT = ..., @t TABLE (...), c CURSOR FOR SELECT ..."""
        reader = self.reader
        reader.position += 1
        while reader.position < reader.size and reader.key != ";":
            if reader.token.kind == VARIABLE and "TABLE" in (reader.ahead(), reader.ahead(2)):
                reader.findings.temporary.add(reader.token.name)
                reader.position += 2 if reader.ahead() == "TABLE" else 3
                reader.skip_group()
            elif self._is_cursor():
                self.cursors = True
                while reader.position < reader.size and reader.key not in ("FOR", "IS", ";"):
                    reader.position += 1
                reader.position += 1
                if begins_query(reader):
                    self._query()
                return "session"
            else:
                self.expression(",")
            if not reader.accept(","):
                break
        return "session"

    def _is_cursor(self) -> bool:
        reader = self.reader
        return any(reader.ahead(count) == "CURSOR" for count in range(1, 6)) and reader.token.kind in (
            WORD,
            NAME,
        )

    def fetch(self) -> StatementKind:
        """FETCH, MOVE: rows of a cursor."""
        if not self.cursors:
            self.reader.findings.unknown("what a cursor reads that was opened elsewhere", "reads")
        self.harmless()
        return "session"

    def jump(self) -> StatementKind:
        """GOTO: behind its label another one may stand."""
        self.reader.position += 1
        self.reader.position += int(self.reader.token.kind in (WORD, NAME))
        return "session"

    # -- the rest ----------------------------------------------------------------------------------------

    def harmless(self) -> StatementKind:
        """What neither reads nor changes data."""
        reader = self.reader
        if reader.key == "WAITFOR" and reader.ahead() == "(":
            return self.unknown()  # RECEIVE takes messages out of a queue
        reader.position += 1
        if reader.batches:
            self.expression()
            while reader.accept(",", "INTO", "FROM", "WITH", "FOR"):
                self.expression()
        else:
            self.to_end()
        return "session"

    def grant(self) -> StatementKind:
        """GRANT, REVOKE, DENY: who may do what."""
        reader = self.reader
        reader.position += 1
        named = False
        while reader.position < reader.size and reader.key != ";":
            named = named or reader.key in ("TO", "FROM")
            if named and reader.batches and reader.key in TSQL_VERBS | {"GO"} and reader.key != "WITH":
                break
            if reader.key in ("ENABLE", "DISABLE") and reader.ahead() == "TRIGGER":
                break
            reader.position += 1
        return "other"

    def to_end(self) -> None:
        """Go to the end of the statement."""
        reader = self.reader
        while reader.position < reader.size and reader.key != ";":
            reader.position += 1

    def returning(self) -> StatementKind | None:
        """RETURN of a procedure."""
        reader = self.reader
        reader.position += 1
        self.expression()
        return "session"

    def explain(self) -> StatementKind | None:
        """EXPLAIN: only ANALYZE runs what it explains."""
        reader = self.reader
        reader.position += 1
        runs = False
        while reader.position < reader.size and not (begins_query(reader) or reader.key == ";"):
            inside = reader.tokens[reader.position : reader.closing() + 1] if reader.key == "(" else ()
            runs = (
                runs or reader.key in ("ANALYZE", "ANALYSE") or any(each.key == "ANALYZE" for each in inside)
            )
            if not reader.skip_group():
                reader.position += 1
        if reader.position >= reader.size or reader.key == ";":
            return "session"
        writes = {key: set(columns) for key, columns in reader.findings.writes.items()}
        self._query()
        if not runs:
            reader.findings.writes = writes
        return "select"

    def prepare(self) -> StatementKind | None:
        """PREPARE p AS SELECT ...: as if it were run now."""
        reader = self.reader
        reader.position += 1
        while reader.position < reader.size and reader.key not in ("AS", ";", "FROM"):
            reader.position += 1
        if reader.accept("AS"):
            return None
        return self.unknown()

    def copy(self) -> StatementKind:
        """COPY t FROM ..., COPY (SELECT ...) TO ..., COPY t TO ..."""
        reader = self.reader
        reader.position += 1
        if reader.key == "INTO":
            return self.unknown()
        reader.skip("BINARY")
        if reader.key == "(":
            close = reader.closing()
            reader.position += 1
            scope = Scope(None)
            read_query(reader, scope, close)
            reader.finish(scope)
        else:
            table = read_table(reader, reader.size)
            reader.skip_group()
            if table is not None and reader.key == "TO":
                reader.findings.read(table.name, (ANY,))
            elif table is not None:
                reader.findings.write(table.name, "insert")
            if reader.ahead() == "PROGRAM":
                reader.findings.unknown("what a program does", "both")
        self.to_end()
        return "other"

    def bulk(self) -> StatementKind:
        """BULK INSERT t FROM ..."""
        reader = self.reader
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

    def refresh(self) -> StatementKind:
        """REFRESH MATERIALIZED VIEW v."""
        reader = self.reader
        reader.position += 1
        reader.skip("MATERIALIZED", "VIEW", "CONCURRENTLY")
        table = read_table(reader, reader.size)
        if table is not None:
            reader.findings.write(table.name, "any")
        reader.findings.unknown("what is kept of a view", "writes")
        self.to_end()
        return "definition"

    def show(self) -> StatementKind:
        """SHOW, DESCRIBE: of the session or of the schema."""
        self.reader.findings.unknown(SESSION_STATE, "reads")
        self.to_end()
        return "session"

    def pragma(self) -> StatementKind:
        """PRAGMA of SQLite."""
        reader = self.reader
        reader.position += 1
        name = reader.chain(reader.size)[-1] if reader.names_follow(reader.size) else ""
        setting = reader.key == "="
        argument = reader.tokens[reader.position + 1]
        if name in _OF_TABLES:
            if reader.key == "(" and argument.kind in (WORD, NAME, LITERAL):
                reader.findings.read(argument.name)
        elif name in _OF_SESSION:
            pass
        elif setting or reader.key == "(":
            reader.findings.unknown("what a PRAGMA changes", "writes")
        else:
            reader.findings.unknown(SESSION_STATE, "reads")
        self.to_end()
        return "session"


_OF_TABLES: Final = words(
    "table_info table_xinfo index_list index_info index_xinfo foreign_key_list table_list"
)
_OF_SESSION: Final = words(
    "foreign_keys journal_mode synchronous busy_timeout cache_size temp_store mmap_size locking_mode "
    "wal_checkpoint wal_autocheckpoint optimize encoding recursive_triggers read_uncommitted "
    "automatic_index case_sensitive_like query_only secure_delete shrink_memory threads "
    "trusted_schema page_size auto_vacuum defer_foreign_keys analysis_limit journal_size_limit "
    "foreign_key_check integrity_check quick_check compile_options database_list collation_list "
    "function_list"
)


_KINDS: Final[Mapping[str, StatementKind]] = {
    "INSERT": "insert",
    "REPLACE": "insert",
    "UPDATE": "update",
    "DELETE": "delete",
    "MERGE": "merge",
}
_READERS: Final[Mapping[str, _Reads]] = {
    **dict.fromkeys(("CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME"), Statements.definition),
    **dict.fromkeys(("EXEC", "EXECUTE", "CALL"), Statements.call),
    **dict.fromkeys(("IF", "WHILE"), Statements.condition),
    **dict.fromkeys(("ELSE", "GO"), Statements.skip_word),
    **dict.fromkeys(_TRANSACTIONS, Statements.transaction),
    **dict.fromkeys(_HARMLESS, Statements.harmless),
    **dict.fromkeys(_UNKNOWN - {"EXECUTE"}, Statements.unknown),
    **dict.fromkeys(_GRANTS, Statements.grant),
    **dict.fromkeys(("SHOW", "DESCRIBE", "DESC"), Statements.show),
    **dict.fromkeys(("FETCH", "MOVE"), Statements.fetch),
    "BEGIN": Statements.begin,
    "GOTO": Statements.jump,
    "END": Statements.end,
    "SET": Statements.setting,
    "DECLARE": Statements.declare,
    "RETURN": Statements.returning,
    "EXPLAIN": Statements.explain,
    "PREPARE": Statements.prepare,
    "COPY": Statements.copy,
    "BULK": Statements.bulk,
    "REFRESH": Statements.refresh,
    "PRAGMA": Statements.pragma,
}
