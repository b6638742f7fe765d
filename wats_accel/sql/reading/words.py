"""Words: which of them are never names, and which ones say something by where they stand.

A bare word that stands where an operand may stand is a name unless it is in `RESERVED`; behind an operand
it is an operator, an alias or the next clause. A name too many does no harm: no table has such a column.
"""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


RESERVED: Final = words(
    "SELECT FROM WHERE GROUP HAVING ORDER UNION INTERSECT EXCEPT AND OR NOT IN NULL CASE WHEN THEN "
    "ELSE AS ON DISTINCT ALL CREATE TABLE"
)
"""Names in no database, where they are not quoted."""

CONSTANTS: Final = frozenset({"TRUE", "FALSE", "UNKNOWN"})
"""No names, but to SQL Server and Oracle."""

CLAUSES: Final = words("FROM WHERE GROUP HAVING ORDER UNION INTERSECT EXCEPT INTO")
"""What ends an expression, always."""

SOFT_CLAUSES: Final = words(
    "MINUS LIMIT OFFSET FETCH WINDOW QUALIFY RETURNING OUTPUT FOR OPTION CONNECT START ON LOCK"
)
"""What ends an expression where it stands behind an operand."""

SET_OPERATORS: Final = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS"})
QUERIES: Final = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
CHANGES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT"})

JOINING: Final = words(
    "JOIN INNER LEFT RIGHT FULL OUTER CROSS NATURAL STRAIGHT_JOIN LOOP HASH MERGE REMOTE APPLY"
)
"""What may stand between two tables."""

NOT_ALIASES: Final = (
    (JOINING - {"REMOTE"})
    | CLAUSES
    | SOFT_CLAUSES
    | words(
        "SELECT INSERT UPDATE DELETE PIVOT UNPIVOT TABLESAMPLE INDEXED USE FORCE IGNORE PARTITION WHEN "
        "AND OR NOT IN IS NULL CASE THEN ELSE END LATERAL MATCH_RECOGNIZE SET USING WITH VALUES DEFAULT"
    )
)
"""What no alias of a table is called, where AS is left out."""

NO_NAMES: Final = NOT_ALIASES | {"AS", "SET", "GO"}
"""What no table is called, where it is not quoted."""

OPERATORS: Final = words(
    "IS LIKE ILIKE RLIKE REGEXP GLOB MATCH SIMILAR BETWEEN ESCAPE DIV MOD XOR OVERLAPS MEMBER AT "
    "SOUNDS OPERATOR NULLS BY SEPARATOR USING PLACING FOR VALUE FORMAT PASSING COLUMNS PATH ON TO ANY "
    "SOME WITH WITHOUT RETURNING ISNULL NOTNULL OVER FILTER WITHIN RESPECT IGNORE ROWS RANGE GROUPS "
    "PRECEDING FOLLOWING EXCLUDE KEEP"
)
"""What stands between two operands, or says something of the one before."""

PHRASES: Final = {
    "AT": ("TIME", "ZONE", "LOCAL"),
    "NULLS": ("FIRST", "LAST"),
    "RESPECT": ("NULLS",),
    "IGNORE": ("NULLS",),
    "WITH": (
        "ROLLUP",
        "CUBE",
        "TIES",
        "TIME",
        "ZONE",
        "ORDINALITY",
        "UNIQUE",
        "KEYS",
        "WITHOUT",
        "ARRAY",
        "WRAPPER",
    ),
    "WITHOUT": ("TIME", "ZONE", "ARRAY", "WRAPPER", "UNIQUE", "KEYS"),
    "SIMILAR": ("TO",),
    "MEMBER": ("OF",),
    "SOUNDS": ("LIKE",),
    "IS": ("JSON", "NORMALIZED", "OF"),
    "EXCLUDE": ("NO", "OTHERS", "CURRENT", "ROW", "GROUP", "TIES"),
    "FORMAT": ("JSON",),
    "ROWS": ("BETWEEN",),
    "RANGE": ("BETWEEN",),
    "GROUPS": ("BETWEEN",),
    "BETWEEN": ("SYMMETRIC", "ASYMMETRIC"),
}
"""What may follow a word that stands behind an operand, and is a part of it."""

PAIRS: Final = {
    "PARTITION": ("BY",),
    "CURRENT": ("ROW",),
    "UNBOUNDED": ("PRECEDING", "FOLLOWING"),
    "GROUPING": ("SETS",),
}
"""Words that are no names if one of these follows."""

_JSON_MAKERS: Final = frozenset({"json_object", "json_objectagg", "json_object_agg"})
UNARY: Final = {
    "BINARY": frozenset({"mysql", ""}),
    "PRIOR": frozenset({"oracle", ""}),
    "CONNECT_BY_ROOT": frozenset({"oracle", ""}),
    "VARIADIC": frozenset({"postgres", ""}),
    "INTERVAL": frozenset({"mysql", ""}),
    "KEY": _JSON_MAKERS,
    "BOTH": frozenset({"trim"}),
    "LEADING": frozenset({"trim"}),
    "TRAILING": frozenset({"trim"}),
}
"""Behind these an operand may stand; where it is a bare word, in these dialects and functions only."""
QUANTIFIERS: Final = words("EXISTS ANY SOME ALL ROW ARRAY VALUES")
"""These are no functions, though parentheses follow."""

SELECT_MODIFIERS: Final = words(
    "ALL DISTINCT DISTINCTROW UNIQUE HIGH_PRIORITY STRAIGHT_JOIN SQL_SMALL_RESULT SQL_BIG_RESULT "
    "SQL_BUFFER_RESULT SQL_CACHE SQL_NO_CACHE SQL_CALC_FOUND_ROWS"
)

TABLE_HINTS: Final = words(
    "NOLOCK HOLDLOCK UPDLOCK ROWLOCK READPAST INDEX TABLOCK TABLOCKX READUNCOMMITTED READCOMMITTED "
    "READCOMMITTEDLOCK REPEATABLEREAD SERIALIZABLE XLOCK PAGLOCK NOWAIT FORCESEEK FORCESCAN SNAPSHOT "
    "NOEXPAND KEEPIDENTITY KEEPDEFAULTS IGNORE_CONSTRAINTS IGNORE_TRIGGERS FASTFIRSTROW NOWAIT"
)

DATE_PARTS: Final = words(
    "YEAR YY YYYY YYY Y QUARTER QQ Q MONTH MM M DAYOFYEAR DY DAY DD D WEEK WK WW W WEEKDAY DW HOUR HH "
    "H MINUTE MI N SECOND SS S MILLISECOND MS MICROSECOND MCS NANOSECOND NS TZOFFSET TZ ISO_WEEK "
    "ISOWK ISOWW DECADE CENTURY MILLENNIUM EPOCH DOW DOY ISODOW ISOYEAR TIMEZONE SQL_TSI_DAY "
    "SQL_TSI_HOUR SQL_TSI_MINUTE SQL_TSI_MONTH SQL_TSI_SECOND SQL_TSI_WEEK SQL_TSI_YEAR "
    "SQL_TSI_QUARTER SQL_TSI_FRAC_SECOND DAY_HOUR DAY_MINUTE DAY_SECOND HOUR_MINUTE HOUR_SECOND "
    "MINUTE_SECOND YEAR_MONTH"
)
PART_FIRST: Final = words(
    "DATEADD DATEDIFF DATEDIFF_BIG DATEPART DATENAME DATETRUNC DATE_BUCKET TIMESTAMPADD TIMESTAMPDIFF EXTRACT"
)
"""Functions whose first argument is a part of a date."""

TYPED_LITERALS: Final = words("DATE TIME TIMESTAMP TIMESTAMPTZ DATETIME INTERVAL")

# What begins a statement of T-SQL, where semicolons may be left out. All are reserved there.
TSQL_VERBS: Final = words(
    "SELECT INSERT UPDATE DELETE MERGE DECLARE SET EXEC EXECUTE IF ELSE WHILE BEGIN END PRINT "
    "RAISERROR RETURN TRUNCATE CREATE ALTER DROP GRANT REVOKE DENY USE COMMIT ROLLBACK SAVE OPEN "
    "CLOSE DEALLOCATE WAITFOR GOTO BREAK CONTINUE BULK DBCC KILL BACKUP RESTORE CHECKPOINT REVERT "
    "RECONFIGURE SHUTDOWN WITH FETCH UPDATETEXT WRITETEXT READTEXT"
)
SOFT_TSQL_VERBS: Final = frozenset({"THROW", "GO", "RECEIVE"})
"""These begin one, too, but may be names: they are believed only at the beginning of a line or statement."""

_SQLITE_COLUMNS: Final = frozenset({"rowid", "_rowid_", "oid"})
_POSTGRES_COLUMNS: Final = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"})
_TSQL_COLUMNS: Final = frozenset({"$identity", "$rowguid", "identitycol", "rowguidcol"})
_ORACLE_COLUMNS: Final = frozenset({"rowid", "ora_rowscn"})
_MYSQL_COLUMNS: Final = frozenset({"_rowid"})
SYSTEM_COLUMNS: Final = {
    "sqlite": _SQLITE_COLUMNS,
    "postgres": _POSTGRES_COLUMNS,
    "tsql": _TSQL_COLUMNS,
    "oracle": _ORACLE_COLUMNS,
    "mysql": _MYSQL_COLUMNS,
    "": _SQLITE_COLUMNS | _POSTGRES_COLUMNS | _TSQL_COLUMNS | _ORACLE_COLUMNS | _MYSQL_COLUMNS,
}
"""By these any column may be meant, or the row as such."""
