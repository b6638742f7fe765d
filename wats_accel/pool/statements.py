"""Statements: whether a text of SQL can leave something in its session that outlives a rollback.

Known to leave nothing are a few kinds of statements, as long as nothing in them is known to; all others are
taken to leave something. What the database's own functions, triggers and views do out of sight is not seen.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from wats_accel.sql_tokens import Statement, readings

TRANSACTION: Final = "transaction statement"
_UNKNOWN: Final = "unknown statement"
_PROCEDURE: Final = "procedure"
_PREPARED: Final = "prepared statement"
_TEMPORARY: Final = "temporary table"
LONGEST_CACHED: Final = 4_000
"""Characters: what is found out of a longer text is not remembered."""
_ESCAPED_NAME: Final = re.compile(r'\bU&"', re.IGNORECASE)
"""A name of PostgreSQL that may be spelled in escapes."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a text of SQL can do to its session.

    Attributes:
        taint: what it can leave that outlives a rollback, in the field's words and none of the text's own;
            `TRANSACTION` if nothing but a transaction begun or ended; None if nothing.
        inserts: whether it may insert rows or draw numbers for them, so that the session remembers an
            identity. What a trigger inserts is not seen.
    """

    taint: str | None
    inserts: bool


def effect_of(sql: object) -> Effect:
    """What executing `sql` can do to its session; to be on the safe side, more rather than less.

    Never raises. Anything but a `str` is tainted as "not text".
    """
    if not isinstance(sql, str):
        return _NOT_TEXT
    text = str.__str__(sql)  # a subclass may compare in a way of its own
    return _remembered(text) if len(text) <= LONGEST_CACHED else _effect(text)


_NOT_TEXT: Final = Effect("not text", True)


def _effect(sql: str) -> Effect:
    every = readings(sql)
    statements = dict.fromkeys(statement for reading in every for statement in reading.statements)
    reasons = [reason for statement in statements for reason in _reasons(statement)]
    if not any(reading.whole for reading in every) or _ESCAPED_NAME.search(sql):
        reasons.append(_UNKNOWN)
    # A caller may excuse a transaction statement, so it must not stand in for something worse.
    worst = sorted(reasons, key=TRANSACTION.__eq__)
    inserts = not _MAY_INSERT.isdisjoint(reasons) or any(map(_inserts, statements))
    return Effect(worst[0] if worst else None, inserts)


_remembered = functools.lru_cache(maxsize=1024)(_effect)


_compiled = functools.lru_cache(maxsize=256)(re.compile)


def get_ready() -> None:
    """Compile all patterns: the first statement may come where the stack has no room left for that."""
    for _, pattern in _SUSPECTS.values():
        _compiled(pattern)


def _reasons(statement: Statement) -> Iterator[str]:
    leading = _leading(statement)
    if leading is not None:
        yield leading
    text = f" {' '.join(statement)} "
    if _TEMPORARY_NAME.search(text):
        yield _TEMPORARY
    for token in sorted(_SUSPECTS.keys() & statement):
        reason, pattern = _SUSPECTS[token]
        if _compiled(pattern).search(text):
            yield reason
    if "SET" in statement[1:] and _has_unexplained_set(statement):
        yield "SET"


# -- how a statement begins ------------------------------------------------------------------------------

# IF and ELSE are SQL Server's, where the statements inside are found by their own words.
_CLEAN: Final = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "WITH", "VALUES", "TABLE", "IF", "ELSE"}
    | {"CREATE", "ALTER", "DROP", "TRUNCATE", "COMMENT", "GRANT", "REVOKE", "DENY", "COPY", "REFRESH"}
    | {"ANALYZE", "ANALYSE", "VACUUM", "REINDEX", "CLUSTER", "SHOW", "DESCRIBE", "DESC"}
)
_BY_FIRST_WORD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("SET", "RESET", "SETUSER", "REVERT"), "SET"),
    **dict.fromkeys(("ATTACH", "DETACH"), "ATTACH"),
    **dict.fromkeys(("EXEC", "EXECUTE", "CALL", "DO", "BEGIN"), _PROCEDURE),
    **dict.fromkeys(("PREPARE", "DEALLOCATE"), _PREPARED),
    **dict.fromkeys(("LISTEN", "UNLISTEN"), "LISTEN"),
    **dict.fromkeys(("DECLARE", "OPEN", "FETCH", "MOVE", "CLOSE"), "cursor"),
    **dict.fromkeys(("LOCK", "UNLOCK"), "table lock"),
    **dict.fromkeys(("COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT"), TRANSACTION),
    "USE": "USE",
    "PRAGMA": "PRAGMA",
}
_BY_FIRST_WORDS: Final[Mapping[str, tuple[str | None, frozenset[str]]]] = {
    "ALTER": ("SET", frozenset({"SESSION"})),
    "DROP": ("USE", frozenset({"DATABASE", "SCHEMA"})),  # it may be MySQL's current one
    # Anything else after BEGIN is a block of Oracle's or SQL Server's.
    "BEGIN": (
        TRANSACTION,
        frozenset({"", "TRAN", "TRANSACTION", "DISTRIBUTED", "WORK", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"})
        | {"CONCURRENT", "ISOLATION", "READ"},
    ),
    "START": (TRANSACTION, frozenset({"TRANSACTION"})),
    "SAVE": (TRANSACTION, frozenset({"TRAN", "TRANSACTION"})),
    "END": (TRANSACTION, frozenset({"", "TRAN", "TRANSACTION", "WORK", "AND"})),
}
_BEFORE_FIRST_WORD: Final = frozenset("({?=")
_EXPLAIN_OPTIONS: Final = frozenset(
    {"EXPLAIN", "ANALYZE", "ANALYSE", "VERBOSE", "COSTS", "SETTINGS", "BUFFERS", "WAL", "TIMING", "SUMMARY"}
    | {"FORMAT", "TEXT", "XML", "JSON", "YAML", "TREE", "TRADITIONAL", "EXTENDED", "PARTITIONS", "QUERY"}
    | {"PLAN", "TRUE", "FALSE", "ON", "OFF", "(", ")", ",", "="}
)


def beginning(statement: Statement) -> tuple[str, str]:
    """The first word that says what a statement does, and the one behind it."""
    tokens = iter([*statement, "", ""])
    first = next(token for token in tokens if token not in _BEFORE_FIRST_WORD)
    if first == "EXPLAIN":
        first = next(token for token in tokens if token not in _EXPLAIN_OPTIONS)
    return first, next(tokens, "")


def begins_transaction(statement: Statement) -> bool:
    """Whether it begins a transaction by its first words, and is no block of statements."""
    first, second = beginning(statement)
    return first in ("BEGIN", "START") and second in _BY_FIRST_WORDS[first][1]


def _leading(statement: Statement) -> str | None:
    first, second = beginning(statement)
    reason, seconds = _BY_FIRST_WORDS.get(first, (None, frozenset()))
    if second in seconds:
        return reason
    if first in _CLEAN or (first == "DECLARE" and second.startswith("@")):  # gone when the batch is
        return None
    if first == "LOCK" and "MODE" in statement:  # not MySQL's LOCK TABLES, which no rollback ends
        return TRANSACTION
    return _BY_FIRST_WORD.get(first, _UNKNOWN)


# -- what else is in it ----------------------------------------------------------------------------------

# SQL Server needs no semicolons: these words may begin a statement wherever one can end, which is not
# behind one of its own reserved words that want more to follow.
_WANTS_MORE: Final = (
    r"[(,.=<>+\-/%|&^~!{@#[]|SELECT|DISTINCT|FROM|JOIN|WHERE|AND|OR|NOT|IN|LIKE|BETWEEN|EXISTS|HAVING|BY|AS"
    r"|CASE|WHEN|THEN|INTO|UNION|UPDATE|SET|FOR|WITH|GRANT|REVOKE|DENY"
)


def _begun(words: str) -> str:
    """Words that begin a statement without a semicolon before it."""
    return rf" (?!(?:{_WANTS_MORE}) )\S+ {words} (?![,)] )"


def _created(word: str) -> str:
    """A word for a table, if that is temporary; or what SQLite and PostgreSQL call the schema of those."""
    kinds = "CREATE|REPLACE|GLOBAL|LOCAL|PRIVATE|MULTISET"
    no_names = "FROM|WHERE|SELECT|VALUES|DEFAULT|WITH|SET"
    into = rf' INTO {word} (?:\.|(?!(?:{no_names}) )[\w"])'
    return rf" (?:{kinds}) {word} |{into}|\A CREATE (?:.* )?{word} \. "


_FUNCTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "SET": ("SET_CONFIG", "SETSEED", "SET_LIMIT", "PG_REPLICATION_ORIGIN_SESSION_SETUP", "RDB$SET_CONTEXT"),
    "application lock": (
        *("PG_ADVISORY_LOCK", "PG_ADVISORY_LOCK_SHARED", "PG_ADVISORY_UNLOCK", "PG_ADVISORY_UNLOCK_SHARED"),
        *("PG_ADVISORY_UNLOCK_ALL", "PG_TRY_ADVISORY_LOCK", "PG_TRY_ADVISORY_LOCK_SHARED"),
        *("GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS"),
        *("SERVICE_GET_READ_LOCKS", "SERVICE_GET_WRITE_LOCKS", "SERVICE_RELEASE_LOCKS"),
    ),
    "sequence value": ("NEXTVAL", "CURRVAL", "SETVAL"),
    "database link": ("DBLINK_CONNECT", "DBLINK_CONNECT_U", "DBLINK_DISCONNECT"),
    "loaded extension": ("LOAD_EXTENSION", "FTS3_TOKENIZER", "ICU_LOAD_COLLATION"),
    "replication slot": ("PG_CREATE_LOGICAL_REPLICATION_SLOT", "PG_CREATE_PHYSICAL_REPLICATION_SLOT"),
    "backup": ("PG_START_BACKUP", "PG_BACKUP_START"),
    # PostgreSQL's that run a text of SQL which they are given
    _PROCEDURE: (
        *("QUERY_TO_XML", "QUERY_TO_XMLSCHEMA", "QUERY_TO_XML_AND_XMLSCHEMA", "TS_STAT", "TS_REWRITE"),
        *("CROSSTAB", "CONNECTBY", "XPATH_TABLE"),
    ),
}
_PACKAGES: Final = ("ALERT", "APPLICATION_INFO", "LOCK", "OUTPUT", "PIPE", "RANDOM", "SESSION")
_OUTPUT: Final = r"OUTPUT (?:INSERTED|DELETED) \. "
_INSERT_INTO: Final = "(?:INSERT|IGNORE|MERGE|REPLACE)"
_TRANSACTION: Final = "(?:TRAN|TRANSACTION|DISTRIBUTED)"

# Tokens, why they taint, and the surroundings in which they do: patterns of statements with one space
# before, between and after their tokens. To compile these hundred and more takes longer than all else that a
# start does for a pool: that is left to the first connection, or to the first statement that has the token.
_SUSPECTS: Final[Mapping[str, tuple[str, str]]] = {
    **{
        quote + name: (reason, rf" {quote}{re.escape(name)} \( ")
        for reason, names in _FUNCTIONS.items()
        for name in names
        for quote in ("", '"')
    },
    **{f"DBMS_{name}": (_PROCEDURE, rf" DBMS_{name} \. ") for name in _PACKAGES},
    **{
        word: (_TEMPORARY, _created(word))
        for word in ("TEMP", "TEMPORARY", "VOLATILE", '"TEMP', "PG_TEMP", '"PG_TEMP')
    },
    # PostgreSQL's settings are rows of a view, and to update one is to SET it.
    **{
        name: ("SET", rf' UPDATE (?:ONLY )?(?:"?PG_CATALOG \. )?{name} ')
        for name in ("PG_SETTINGS", '"PG_SETTINGS')
    },
    "'": (_UNKNOWN, r" ' \. "),  # CREATE TABLE 'temp'.name: SQLite takes literals for names
    "USE": ("USE", _begun("USE(?! (?:INDEX|KEY) )")),
    "SETUSER": ("SET", _begun("SETUSER")),
    "REVERT": ("SET", _begun("REVERT")),
    "OPEN": ("SET", _begun("OPEN (?:SYMMETRIC|MASTER)")),
    "DECLARE": ("cursor", _begun("DECLARE(?! @)")),
    "DBCC": (_UNKNOWN, _begun("DBCC")),
    "KILL": (_UNKNOWN, _begun("KILL")),
    "EXEC": (_PROCEDURE, _begun("EXEC")),
    "EXECUTE": (_PROCEDURE, _begun("EXECUTE(?! (?:FUNCTION|PROCEDURE) )")),  # those are of triggers
    "CALL": (_PROCEDURE, r" \{ (?:\? = )?CALL "),
    "COMMIT": (TRANSACTION, _begun("COMMIT")),
    "ROLLBACK": (TRANSACTION, _begun("ROLLBACK")),
    "BEGIN": (TRANSACTION, _begun(f"BEGIN {_TRANSACTION}")),
    "SAVE": (TRANSACTION, _begun(f"SAVE {_TRANSACTION}")),
    "NEXTVAL": ("sequence value", " NEXTVAL "),  # Oracle's have no parentheses
    "CURRVAL": ("sequence value", " CURRVAL "),
    "NEXT": ("sequence value", " NEXT VALUE FOR "),
    "LAST_INSERT_ID": ("sequence value", r" LAST_INSERT_ID \( (?!\) )"),  # MySQL's, with a value
    ":": ("user variable", r" (?![(,] [^\W\d][\w$]* )\S+ \S+ : = "),  # but f(name := 1)
    # MySQL's SELECT ... INTO @name, and not SQL Server's tables in variables.
    "INTO": ("user variable", rf"\A(?!.* {_OUTPUT}).* (?!{_INSERT_INTO} )\S+ INTO @"),
}
_TEMPORARY_NAME: Final = re.compile(r' #[^ ]| (?:TABLE|INTO|EXISTS|PROC|PROCEDURE|\.) "#')

_NO_VERB_AFTER: Final = frozenset(
    {"FOR", "KEY", "ON", "AFTER", "BEFORE", "OF", "OR", "GRANT", "REVOKE", "DENY", "START", ",", "."}
)
_NO_VERB_BEFORE: Final = frozenset({"STATISTICS", "(", ",", ")", "."})
_SET_IN_DEFINITIONS: Final = frozenset(
    {"(", "NULL", "DEFAULT", "NOT", "DATA", "SCHEMA", "TABLESPACE", "STORAGE", "LOGGED", "UNLOGGED"}
)
_SET_IS_NAME_AFTER: Final = frozenset("(,.=<>+-/%|&^~!{@#[") | {"SELECT", "WHERE", "AND", "OR", "BY", "AS"}


def _has_unexplained_set(statement: Statement) -> bool:
    """Whether a SET is neither an UPDATE's, nor MySQL's INSERT ... SET, nor part of a definition."""
    verb = ""
    for before, token, after in zip(["", *statement], statement, [*statement[1:], ""], strict=False):
        if token == "SET" and before:
            if not verb and after not in _SET_IN_DEFINITIONS and before not in _SET_IS_NAME_AFTER:
                return True
            verb = ""
        elif token in ("UPDATE", "INSERT", "REPLACE"):
            if before not in _NO_VERB_AFTER and after not in _NO_VERB_BEFORE:
                verb = token
        elif token in ("SELECT", "VALUES", "VALUE", "DEFAULT", "FROM", "(") and verb != "UPDATE":
            verb = ""
    return False


# -- rows inserted ---------------------------------------------------------------------------------------

_MAY_INSERT: Final = frozenset({_UNKNOWN, _PROCEDURE, _PREPARED})
_INSERTING: Final = frozenset({"INSERT", "MERGE", "INTO", "BULK", "UPSERT"})
_INSERTING_TOGETHER: Final = (
    frozenset({"COPY", "FROM"}),
    frozenset({"UPDATE", "DEFAULT"}),  # the default may be a sequence's next number
    frozenset({"ALTER", "ADD"}),  # numbers for the rows that are there
    frozenset({"CREATE", "TABLE", "AS"}),
    frozenset({"CREATE", "TABLE", "SELECT"}),
)


def _inserts(statement: Statement) -> bool:
    words = frozenset(statement)
    if not words.isdisjoint(_INSERTING) or beginning(statement)[0] == "REPLACE":
        return True
    return any(words.issuperset(together) for together in _INSERTING_TOGETHER)
