"""The version table of SQL Server: as that of PostgreSQL, a sum of rows that are only added.

Whoever reads the sum skips rows that are locked, which are those of transactions that have not ended: so he
never waits for them, and reads what is committed. For that, nothing but single rows may ever be locked: the
index has no locks of pages, locks are not escalated, and readers ask for locks of rows. The number is in the
index, so that hardly two of its keys are equal: SQL Server counts equal ones, and does not count on for ever.
Where two put rows together at the same time, or one does while another adds up, a sum can be a wrong one for
once; it then differs, which is an error on the safe side.

The trigger must not change what the application reads. ``SET NOCOUNT ON`` keeps its statements out of the
counts of rows; it runs in a scope of its own, which leaves SCOPE_IDENTITY() alone; the table has no
IDENTITY column; and if the INSERT has changed @@IDENTITY nevertheless, the trigger puts it back. There is
one thing that no trigger can help: where a table has one, ``OUTPUT`` without ``INTO`` is an error.

TRUNCATE TABLE fires no trigger. So whether the table is empty, and when it was last altered, is part of its
number. A trigger that was switched off and on again between two questions has another date.

The names of triggers are compared in the collation of the database: in Azure, and in a contained database,
those in the catalogue have another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from wats_accel.versions.dialects import Place
from wats_accel.versions.names import Part, in_brackets, literal

_SUM: Final = 2**62
_EMPTY: Final = 2**40
_DRAWN: Final = "1 + CONVERT(bigint, CONVERT(binary(4), NEWID()))"
_SCHEMA: Final = "dbo"
_MOST_VALUES: Final = 1000
"""Rows of one INSERT ... VALUES."""


def create(place: Place, tables: Sequence[Sequence[Part]]) -> Iterator[str]:
    """The batches that make the table, or bring it up to date."""
    yield _table(place)
    yield _now(place)
    yield _tidy(place)
    yield f"GRANT EXECUTE ON {place.part('_now')} TO public"
    yield f"GRANT EXECUTE ON {place.part('_tidy')} TO public"
    # Triggers run with the rights of who writes; where tables have another owner, he needs this one.
    yield f"GRANT INSERT ON {place.part()} TO public"
    names = [_named(table) for table in tables]
    for schema, name in names:
        yield _trigger(place, schema, name)
    yield _watch(place, names)


def drop(place: Place, tables: Sequence[Sequence[Part]]) -> Iterator[str]:
    """The batches that take it all away again."""
    for schema, name in map(_named, tables):
        yield f"DROP TRIGGER IF EXISTS {in_brackets(schema, trigger_name(place, schema, name))}"
    yield f"DROP PROCEDURE IF EXISTS {place.part('_now')}"
    yield f"DROP PROCEDURE IF EXISTS {place.part('_tidy')}"
    yield f"DROP TABLE IF EXISTS {place.part()}"


def track(tables: Sequence[Sequence[Part]]) -> Iterator[str]:
    """The batches that switch Change Tracking on, for the database and for these tables."""
    yield (
        "IF NOT EXISTS (SELECT 1 FROM sys.change_tracking_databases WHERE database_id = DB_ID())\n"
        "    ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)"
    )
    for full in (in_brackets(*_named(table)) for table in tables):
        yield (
            "IF NOT EXISTS (SELECT 1 FROM sys.change_tracking_tables\n"
            f"        WHERE object_id = OBJECT_ID({_text(full)}))\n"
            f"    ALTER TABLE {full} ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = OFF)"
        )


def untrack(tables: Sequence[Sequence[Part]]) -> Iterator[str]:
    """The batches that switch it off for these tables. For the database it stays: others may use it."""
    for full in (in_brackets(*_named(table)) for table in tables):
        yield (
            "IF EXISTS (SELECT 1 FROM sys.change_tracking_tables\n"
            f"        WHERE object_id = OBJECT_ID({_text(full)}))\n"
            f"    ALTER TABLE {full} DISABLE CHANGE_TRACKING"
        )


def trigger_name(place: Place, schema: str, name: str) -> str:
    """What the trigger of a table is called: the same each time, and short enough."""
    full = in_brackets(schema, name).casefold()
    return f"{place.name}_{hashlib.sha256(full.encode()).hexdigest()[:12]}"


def _named(table: Sequence[Part]) -> tuple[str, str]:
    *schema, name = (part.text for part in table)
    return (schema[0] if schema else _SCHEMA), name


def _text(text: str) -> str:
    return f"N{literal(text)}"


def _table(place: Place) -> str:
    return (
        f"IF OBJECT_ID({_text(place.part())}) IS NULL\n"
        "BEGIN\n"
        f"    CREATE TABLE {place.part()} (\n"
        "        table_name nvarchar(300) NOT NULL,\n"
        "        number bigint NOT NULL,\n"
        "        trigger_name nvarchar(128) NULL\n"
        "    );\n"
        f"    CREATE CLUSTERED INDEX {in_brackets(place.name)} ON {place.part()} (table_name, number)\n"
        "        WITH (ALLOW_PAGE_LOCKS = OFF);\n"
        f"    ALTER TABLE {place.part()} SET (LOCK_ESCALATION = DISABLE);\n"
        "END"
    )


def _now(place: Place) -> str:
    """A table whose trigger is gone or switched off has no number. The procedure may see what there is."""
    return _NOW.format(
        now=place.part("_now"),
        table=place.part(),
        table_text=_text(place.part()),
        sum=_SUM,
        empty=_EMPTY,
    )


def _tidy(place: Place) -> str:
    return _TIDY.format(tidy=place.part("_tidy"), table=place.part(), sum=_SUM)


def _trigger(place: Place, schema: str, name: str) -> str:
    return _TRIGGER.format(
        trigger=in_brackets(schema, trigger_name(place, schema, name)),
        on=in_brackets(schema, name),
        table=place.part(),
        name=_text(in_brackets(schema, name)),
        drawn=_DRAWN,
        least=-(2**63),
        most=2**63 - 1,
    )


def _watch(place: Place, names: Sequence[tuple[str, str]]) -> str:
    """Which tables are watched, and a new epoch."""
    rows = [("", ""), *((in_brackets(*name), trigger_name(place, *name)) for name in names)]
    values = [f"    ({_text(table)}, 0, {_text(trigger)})" for table, trigger in rows]
    starts = range(0, len(values), _MOST_VALUES)
    inserts = "".join(
        f"INSERT INTO {place.part()} (table_name, number, trigger_name) VALUES\n"
        + ",\n".join(values[start : start + _MOST_VALUES])
        + ";\n"
        for start in starts
    )
    return (
        "SET XACT_ABORT ON;\n"
        "BEGIN TRANSACTION;\n"
        f"DELETE FROM {place.part()} WITH (ROWLOCK) WHERE trigger_name IS NOT NULL;\n"
        f"{inserts}"
        f"INSERT INTO {place.part()} (table_name, number) VALUES (N'', {_DRAWN});\n"
        "COMMIT TRANSACTION"
    )


_NOW: Final = """\
CREATE OR ALTER PROCEDURE {now} WITH EXECUTE AS OWNER AS
BEGIN
    SET NOCOUNT ON;
    WITH noted AS (
        SELECT table_name, SUM(CONVERT(decimal(38, 0), number)) AS number, COUNT_BIG(*) AS pending
        FROM {table} WITH (ROWLOCK, READCOMMITTEDLOCK, READPAST)
        WHERE trigger_name IS NULL GROUP BY table_name
    )
    SELECT w.table_name,
        CASE WHEN w.table_name = N'' OR t.object_id IS NOT NULL THEN
            CONVERT(bigint, (COALESCE(n.number, 0)
                + CASE WHEN COALESCE(r.row_count, 1) = 0 THEN {empty} ELSE 0 END
                + COALESCE(DATEDIFF(second, '20000101', o.modify_date), 0)
                + COALESCE(DATEDIFF(second, '20000101', t.modify_date), 0)) % {sum})
        END AS number,
        COALESCE(n.pending, 0) AS pending,
        CONCAT(DB_ID(), N' ', OBJECT_ID({table_text}), N' ',
            (SELECT CONVERT(nvarchar(30), s.create_date, 126) FROM sys.databases AS s
                WHERE s.name = N'tempdb')) AS teller
    FROM {table} AS w WITH (ROWLOCK, READCOMMITTEDLOCK, READPAST)
    LEFT JOIN noted AS n ON n.table_name = w.table_name
    LEFT JOIN sys.objects AS o ON o.object_id = OBJECT_ID(w.table_name)
    LEFT JOIN sys.triggers AS t
        ON t.parent_id = o.object_id AND t.is_disabled = 0
        AND t.name COLLATE DATABASE_DEFAULT = w.trigger_name COLLATE DATABASE_DEFAULT
    OUTER APPLY (
        SELECT SUM(p.rows) AS row_count FROM sys.partitions AS p
        WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)
    ) AS r
    WHERE w.trigger_name IS NOT NULL;
END"""

_TIDY: Final = """\
CREATE OR ALTER PROCEDURE {tidy} WITH EXECUTE AS OWNER AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT ON;
    DECLARE @gone TABLE (table_name nvarchar(300) NOT NULL, number bigint NOT NULL);
    BEGIN TRANSACTION;
    DELETE TOP (10000) FROM {table} WITH (ROWLOCK, READCOMMITTEDLOCK, READPAST)
        OUTPUT DELETED.table_name, DELETED.number INTO @gone
        WHERE trigger_name IS NULL;
    INSERT INTO {table} (table_name, number)
        SELECT table_name, CONVERT(bigint, SUM(CONVERT(decimal(38, 0), number)) % {sum})
        FROM @gone GROUP BY table_name;
    COMMIT TRANSACTION;
END"""

_TRIGGER: Final = """\
CREATE OR ALTER TRIGGER {trigger} ON {on} AFTER INSERT, UPDATE, DELETE AS
BEGIN
    SET NOCOUNT ON;
    -- wats-accel freshness-ddl: by this comment `wats-accel schema-scan` knows that nothing else is changed.
    IF NOT EXISTS (SELECT 1 FROM inserted) AND NOT EXISTS (SELECT 1 FROM deleted) RETURN;
    DECLARE @identity decimal(38, 0) = @@IDENTITY;
    INSERT INTO {table} (table_name, number) VALUES ({name}, {drawn});
    IF @identity BETWEEN {least} AND {most} AND (@@IDENTITY IS NULL OR @@IDENTITY <> @identity)
    BEGIN
        DECLARE @again nvarchar(200) = N'SELECT IDENTITY(bigint, ' + CONVERT(nvarchar(40), @identity)
            + N', 1) AS id INTO #wats_accel_identity';
        EXEC sys.sp_executesql @again;
    END;
END"""
