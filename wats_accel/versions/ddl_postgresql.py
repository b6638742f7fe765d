"""The version table of PostgreSQL: what commits adds rows to it, and a table's number is their sum.

Counters would be rows that writers wait for each other at, and deadlock over. Numbers out of a sequence are
given out before their transactions commit: when 5 commits after 6, the greatest number says nothing of it.
A sum does: each transaction adds a row for each table that it writes to, other transactions see it as soon
as they see what it has written, and whoever commits, in whatever order, makes the sum greater. What is
added is drawn at random, so that after a restored backup no sum comes again that anybody has seen with
other data.

A trigger runs with the rights of its owner and a search path of its own. It neither reads nor updates rows,
and uses no sequence: no transaction can wait for it, fail to be serialized for it, or see another
``lastval()``, and no count of rows is different. A setting of the transaction, which a ROLLBACK TO takes
back as it takes back the row, says that a table has its row already.

Tables that are partitions, have some, or inherit get triggers for each row, as only these fire however a
row is reached; all others get them for each statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from wats_accel.versions.dialects import Place
from wats_accel.versions.names import Part, in_quotes, literal

_SUM: Final = 2**62
"""Sums are kept below this. What is added is at most 2 to the power of 32: it cannot come to nothing."""
_DRAWN: Final = "1 + ('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint"
"""Not random(): whoever has called setseed() would get other numbers from it."""


def create(place: Place, tables: Sequence[Sequence[Part]]) -> Iterator[str]:
    """The statements that make the table, or bring it up to date."""
    yield (
        f"CREATE TABLE IF NOT EXISTS {place.part()} (\n"
        "    table_name text NOT NULL,\n"
        "    number bigint NOT NULL,\n"
        "    trigger_name text\n"
        ") WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)"
    )
    # Where changes are published, rows without a key could not be put together.
    yield f"ALTER TABLE {place.part()} REPLICA IDENTITY FULL"
    yield _note(place)
    yield _tidy(place)
    yield _now(place)
    for suffix in ("_now", "_tidy"):
        yield f"GRANT EXECUTE ON FUNCTION {place.part(suffix)}() TO PUBLIC"
    yield _watch(place, tables)


def drop(place: Place) -> Iterator[str]:
    """The statements that take it all away again; the function takes its triggers along."""
    yield f"DROP FUNCTION IF EXISTS {place.part('_now')}()"
    yield f"DROP FUNCTION IF EXISTS {place.part('_tidy')}()"
    yield f"DROP FUNCTION IF EXISTS {place.part('_note')}() CASCADE"
    yield f"DROP TABLE IF EXISTS {place.part()}"


def _function(place: Place, suffix: str, returns: str, body: str, *, settings: str = "") -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {place.part(suffix)}() RETURNS {returns}\n"
        f"LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp{settings}\n"
        f"AS {quoted_body(body)}"
    )


def quoted_body(body: str) -> str:
    """A body between dollars, with a tag that is not in it."""
    tag = "wats_accel"
    while f"${tag}$" in body:
        tag += "_"
    return f"${tag}$\n{body}${tag}$"


def _note(place: Place) -> str:
    return _function(
        place,
        "_note",
        "trigger",
        "DECLARE\n"
        "    transaction_id text := pg_current_xact_id()::text;\n"
        "BEGIN\n"
        "    IF current_setting(TG_ARGV[1], true) IS DISTINCT FROM transaction_id THEN\n"
        f"        INSERT INTO {place.part()} (table_name, number) VALUES (TG_ARGV[0], {_DRAWN});\n"
        "        PERFORM set_config(TG_ARGV[1], transaction_id, true);\n"
        "    END IF;\n"
        "    RETURN NULL;\n"
        "END;\n",
    )


def _tidy(place: Place) -> str:
    """Rows that somebody else puts together at the same time are his: nobody waits, none is counted twice."""
    return _function(
        place,
        "_tidy",
        "void",
        "BEGIN\n"
        "    WITH mine AS (\n"
        f"        SELECT ctid FROM {place.part()}\n"
        "        WHERE trigger_name IS NULL LIMIT 100000 FOR UPDATE SKIP LOCKED\n"
        "    ), gone AS (\n"
        f"        DELETE FROM {place.part()} WHERE ctid IN (SELECT ctid FROM mine)\n"
        "        RETURNING table_name, number\n"
        "    )\n"
        f"    INSERT INTO {place.part()} (table_name, number)\n"
        f"    SELECT table_name, mod(sum(number), {_SUM})::bigint FROM gone GROUP BY table_name;\n"
        "END;\n",
    )


def _now(place: Place) -> str:
    """What there is now. A table that is not whole in its triggers has no number.

    To the sum is added what is not seen by triggers: which files hold the rows, of the table and of what
    inherits from it, and which transactions have defined these, and their triggers, as they are: one that was
    switched off and on again may have missed anything. Who tells it: a server that has been started anew,
    another database or another version table is somebody else.

    A function keeps its plan, which takes longer to make than to use; and to compile it, as the JIT would,
    takes a thousand times as long.
    """
    return _function(
        place,
        "_now",
        "TABLE (table_name text, number bigint, pending bigint, teller text)",
        _NOW.format(table=place.part(), text=literal(place.part()), sum=_SUM, mask=_SUM - 1),
        settings=" SET jit = off STABLE",
    )


def _watch(place: Place, tables: Sequence[Sequence[Part]]) -> str:
    """One step: triggers that are missing are made, others taken away, and a new epoch begins.

    It waits a while for locks, and gives up rather than have writers wait behind it for long.
    """
    # Names that nobody has put in quotes may be meant as SQL has them: in lower case.
    exact = [literal(in_quotes(*(part.text for part in table))) for table in tables]
    folded = [
        literal(in_quotes(*(part.text if part.exact else part.text.lower() for part in table)))
        for table in tables
    ]
    pairs = (
        "ARRAY[\n        " + ",\n        ".join(map(", ".join, zip(exact, folded, strict=True))) + "\n    ]"
    )
    body = _WATCH.format(
        pairs=pairs,
        table=place.part(),
        note=place.part("_note"),
        note_text=literal(place.part("_note")),
        name=literal(place.name),
        drawn=_DRAWN,
    )
    return f"DO {quoted_body(body)}"


_NOW: Final = """\
#variable_conflict use_column
BEGIN
RETURN QUERY WITH RECURSIVE noted AS (
    SELECT v.table_name, sum(v.number) AS number, count(*) AS pending
    FROM {table} AS v WHERE v.trigger_name IS NULL GROUP BY v.table_name
), watched AS (
    SELECT w.table_name, w.trigger_name, pg_catalog.to_regclass(nullif(w.table_name, ''))::oid AS id
    FROM {table} AS w WHERE w.trigger_name IS NOT NULL
), family AS (
    SELECT w.table_name, w.id FROM watched AS w WHERE w.id IS NOT NULL
    UNION SELECT f.table_name, i.inhrelid
    FROM pg_catalog.pg_inherits AS i JOIN family AS f ON i.inhparent = f.id
), defined AS (
    SELECT f.table_name,
        count(*) > 1 OR bool_or(c.relkind = 'p' OR EXISTS (
            SELECT 1 FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = f.id)) AS needs_rows,
        sum(hashtextextended(c.relfilenode || ' ' || c.xmin, c.oid::bigint) & {mask}) AS number
    FROM family AS f JOIN pg_catalog.pg_class AS c ON c.oid = f.id GROUP BY f.table_name
), switched AS (
    SELECT f.table_name, sum(hashtextextended(t.xmin::text, t.oid::bigint) & {mask}) AS number
    FROM watched AS w JOIN family AS f ON f.table_name = w.table_name
    JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = f.id AND t.tgname = w.trigger_name
    GROUP BY f.table_name
)
SELECT w.table_name,
    CASE WHEN w.table_name = '' THEN mod(coalesce(n.number, 0), {sum})::bigint
    WHEN NOT EXISTS (
        SELECT 1 FROM family AS f LEFT JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = f.id
            AND t.tgname = w.trigger_name AND t.tgenabled IN ('O', 'A')
            AND (t.tgtype & 1 = 1 OR NOT d.needs_rows)
        WHERE f.table_name = w.table_name AND t.oid IS NULL
    ) THEN mod(coalesce(n.number, 0) + d.number + s.number, {sum})::bigint END AS number,
    coalesce(n.pending, 0) AS pending,
    concat_ws(' ', extract(epoch FROM pg_catalog.pg_postmaster_start_time()),
        (SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = current_database()),
        {text}::regclass::oid) AS teller
FROM watched AS w
LEFT JOIN noted AS n ON n.table_name = w.table_name
LEFT JOIN defined AS d ON d.table_name = w.table_name
LEFT JOIN switched AS s ON s.table_name = w.table_name;
END;
"""

_WATCH: Final = """\
DECLARE
    wanted text[] := {pairs};
    place integer;
    found regclass;
    full_name text;
    hash text;
    base_name text;
    events text;
    member regclass;
    other record;
    kept text[] := ARRAY[]::text[];
BEGIN
    PERFORM set_config('lock_timeout', '5s', true);
    LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM {table} WHERE trigger_name IS NOT NULL;
    INSERT INTO {table} (table_name, number, trigger_name) VALUES ('', 0, '');
    FOR place IN 1 .. array_length(wanted, 1) BY 2 LOOP
        found := coalesce(to_regclass(wanted[place]), to_regclass(wanted[place + 1]));
        IF found IS NULL OR (SELECT relkind NOT IN ('r', 'p') FROM pg_class WHERE oid = found) THEN
            RAISE EXCEPTION 'there is no table %', wanted[place];
        END IF;
        SELECT format('%I.%I', n.nspname, c.relname) INTO full_name
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = found;
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM {table} WHERE table_name = full_name AND trigger_name IS NOT NULL);
        hash := left(md5(full_name), 12);
        base_name := {name} || '_' || hash;
        events := 'INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT';
        IF (SELECT relkind = 'p' FROM pg_class WHERE oid = found)
            OR EXISTS (SELECT 1 FROM pg_inherits WHERE found IN (inhrelid, inhparent)) THEN
            events := 'INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW';
        END IF;
        FOR member IN
            WITH RECURSIVE family AS (
                SELECT found::oid AS id
                UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN family AS f ON i.inhparent = f.id
            )
            SELECT id::regclass FROM family ORDER BY id = found DESC
        LOOP
            -- The table may have been a plain one when its trigger was made.
            FOR other IN
                SELECT tgname FROM pg_trigger WHERE tgrelid = member AND tgname = base_name
                    AND (tgtype & 1 = 0) <> (events LIKE '%STATEMENT')
            LOOP
                EXECUTE format('DROP TRIGGER %I ON %s', other.tgname, member);
            END LOOP;
            -- Partitions have copies of the trigger of their table; new ones get theirs by themselves.
            IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = member AND tgname = base_name) THEN
                EXECUTE format('CREATE TRIGGER %I AFTER ' || events || ' EXECUTE FUNCTION {note}(%L, %L)',
                    base_name, member, full_name, 'wats_accel.t' || hash);
            END IF;
            -- Also for what is replicated, and for who has set session_replication_role.
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', member, base_name);
            kept := kept || (member::oid || ' ' || base_name);
        END LOOP;
        INSERT INTO {table} (table_name, number, trigger_name) VALUES (full_name, 0, base_name);
    END LOOP;
    FOR other IN
        SELECT tgrelid::regclass AS on_table, tgname FROM pg_trigger
        WHERE tgfoid = ({note_text})::regproc AND tgparentid = 0
            AND NOT (tgrelid || ' ' || tgname) = ANY (kept)
    LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', other.tgname, other.on_table);
    END LOOP;
    INSERT INTO {table} (table_name, number) VALUES ('', {drawn});
END;
"""
