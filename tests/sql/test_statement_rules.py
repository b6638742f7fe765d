"""The rules by which reads and writes are told, one by one; the corpus has the statements of life."""

from __future__ import annotations

import pytest

from wats_accel.sql.access import ANY
from wats_accel.sql.facts import Call
from wats_accel.sql.statement import facts_of


def _reads(sql: str, dialect: str = "tsql", **known: str) -> str:
    columns = {table: frozenset(names.split()) for table, names in known.items()}
    return str(facts_of(sql, dialect, columns or None).reads)


def _writes(sql: str, dialect: str = "tsql") -> list[str]:
    return [
        f"{write.event} {write.table}({', '.join(sorted(write.columns))})"
        for write in facts_of(sql, dialect).writes
    ]


def _hides(sql: str, dialect: str = "tsql") -> set[str]:
    return {unknown.hides for unknown in facts_of(sql, dialect).unknowns}


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        pytest.param("SELECT COUNT(*) FROM t", "t()", id="rows"),
        pytest.param("SELECT * FROM t", "t(*)", id="star"),
        pytest.param("SELECT a.*, b.x FROM a, b", "a(*), b(x)", id="star-of-one"),
        pytest.param("SELECT x FROM t a WHERE a.y = 1 ORDER BY z", "t(x, y, z)", id="clauses"),
        pytest.param("SELECT x AS n FROM t ORDER BY n", "t(x)", id="output-in-order"),
        pytest.param("SELECT x n FROM t WHERE y = 1", "t(x, y)", id="alias-without-as"),
        pytest.param("SELECT n = x FROM t", "t(x)", id="alias-before"),
        pytest.param(
            "SELECT 1 FROM t WHERE EXISTS (SELECT * FROM u WHERE u.a = t.b)", "t(b), u(a)", id="exists"
        ),
        pytest.param("SELECT a.x FROM a NATURAL JOIN b", "a(*), b(*)", id="natural"),
        pytest.param("SELECT 1 FROM a JOIN b USING (k)", "a(k), b(k)", id="using"),
        pytest.param("SELECT [a b] FROM [dbo].[My Table]", "my table(a b)", id="quoted"),
        pytest.param("SELECT t.x FROM srv.db.dbo.t", "t(x)", id="four-parts"),
        pytest.param("SELECT x FROM db..t", "t(x)", id="without-schema"),
        pytest.param("SELECT x FROM t WITH (NOLOCK), u (NOLOCK)", "t(x), u(x)", id="hints"),
        pytest.param("SELECT 'FROM u' FROM t -- JOIN v", "t()", id="literals-and-comments"),
    ],
)
def test_columns_are_told_where_they_are_used(sql, reads) -> None:
    assert _reads(sql) == reads


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        pytest.param("WITH u AS (SELECT a FROM t) SELECT a FROM u", "t(a)", id="in-scope"),
        pytest.param("WITH u AS (SELECT a FROM t) SELECT u.b FROM dbo.u", "t(a), u(b)", id="with-a-schema"),
        pytest.param(
            "SELECT b FROM u; WITH u AS (SELECT a FROM t) SELECT a FROM u", "t(a), u(b)", id="before"
        ),
        pytest.param(
            "SELECT u.c FROM (SELECT k FROM v WHERE k IN (SELECT a FROM t)) x, u",
            "t(a), u(c), v(a, k)",
            id="none",
        ),
    ],
)
def test_a_cte_hides_a_table_only_where_it_is_in_scope(sql, reads) -> None:
    assert _reads(sql) == reads


def test_a_name_without_a_table_s_belongs_to_all_that_may_have_it() -> None:
    sql = "SELECT x FROM a JOIN b ON a.k = b.k"
    assert _reads(sql) == "a(k, x), b(k, x)"
    assert _reads(sql, a="k", b="k x") == "a(k), b(k, x)"


def test_a_name_in_a_subquery_may_be_of_the_query_around_it() -> None:
    sql = "SELECT 1 FROM a WHERE k IN (SELECT x FROM b)"
    assert _reads(sql) == "a(k, x), b(x)"
    assert _reads(sql, a="k", b="x") == "a(k), b(x)"


def test_a_column_that_no_known_table_has_is_of_all_of_them() -> None:
    assert _reads("SELECT added_later FROM a, b", a="k", b="k") == "a(added_later), b(added_later)"


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgres", "SELECT t FROM t"),
        ("postgres", "SELECT row_to_json(x) FROM t x"),
        ("postgres", "SELECT ctid FROM t"),
        ("sqlite", "SELECT rowid FROM t"),
        ("sqlite", "SELECT 1 FROM t WHERE t MATCH 'x'"),
        ("tsql", "SELECT 1 FROM t WHERE CONTAINS(*, 'x')"),
        ("tsql", "SELECT $IDENTITY FROM t"),
        ("tsql", "SELECT x FROM t FOR SYSTEM_TIME AS OF '2020-01-01'"),
        ("sqlite", "SELECT 1 FROM u WHERE a IN t"),
    ],
)
def test_what_may_mean_any_column_does(dialect, sql) -> None:
    assert facts_of(sql, dialect).reads.columns("t") == {ANY}


@pytest.mark.parametrize(
    ("sql", "dialect", "writes"),
    [
        ("INSERT INTO t (a) VALUES (1)", "tsql", ["insert t(*)"]),
        ("UPDATE t SET a = 1, t.b = 2, @v = c = 3", "tsql", ["update t(a, b, c)"]),
        ("UPDATE x SET x.a = y.b FROM dbo.t x JOIN u y ON y.k = x.k", "tsql", ["update t(a)"]),
        ("UPDATE t SET (a, b) = (SELECT 1, 2)", "postgres", ["update t(a, b)"]),
        ("UPDATE t SET a[1] = 2, b['k'] = 3", "postgres", ["update t(a, b)"]),
        ("UPDATE t x JOIN u y ON x.k = y.k SET x.a = 1, y.b = 2", "mysql", ["update t(a)", "update u(b)"]),
        ("DELETE x FROM t x JOIN u ON u.k = x.k", "tsql", ["delete t(*)"]),
        ("DELETE FROM x FROM t AS x", "tsql", ["delete t(*)"]),
        ("DELETE a, b FROM t a JOIN u b ON a.k = b.k", "mysql", ["delete t(*)", "delete u(*)"]),
        ("DELETE FROM t OUTPUT deleted.a INTO u (a) WHERE b = 1", "tsql", ["insert u(*)", "delete t(*)"]),
        ("REPLACE INTO t VALUES (1)", "mysql", ["insert t(*)", "delete t(*)"]),
        ("INSERT OR REPLACE INTO t VALUES (1)", "sqlite", ["insert t(*)", "delete t(*)"]),
        (
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
            "postgres",
            ["insert t(*)", "update t(b)"],
        ),
        ("TRUNCATE TABLE t, u", "postgres", ["delete t(*)", "delete u(*)"]),
        ("DROP TABLE IF EXISTS t, u CASCADE", "postgres", ["any t(*)", "any u(*)"]),
        ("ALTER TABLE t RENAME TO u", "sqlite", ["any t(*)", "any u(*)"]),
        ("SELECT a INTO u FROM t", "tsql", ["any u(*)"]),
        ("CREATE TABLE u AS SELECT a FROM t", "postgres", ["any u(*)"]),
        ("COPY t (a) FROM STDIN", "postgres", ["insert t(*)"]),
        ("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "postgres", ["delete t(*)"]),
        ("EXPLAIN ANALYZE DELETE FROM t", "postgres", ["delete t(*)"]),
        ("EXPLAIN DELETE FROM t", "postgres", []),
        ("EXEC ('UPDATE t SET a = 1')", "tsql", ["update t(a)"]),
        ("EXEC sp_executesql N'DELETE FROM t WHERE a = @a', N'@a int', 1", "tsql", ["delete t(*)"]),
    ],
)
def test_writes_name_the_table_the_event_and_the_columns(sql, dialect, writes) -> None:
    assert _writes(sql, dialect) == writes


def test_each_branch_of_a_merge_is_a_write() -> None:
    sql = """
        MERGE INTO t USING u ON t.k = u.k
        WHEN MATCHED AND u.gone = 1 THEN DELETE
        WHEN MATCHED THEN UPDATE SET a = u.a
        WHEN NOT MATCHED THEN INSERT (k, a) VALUES (u.k, u.a);
    """
    assert _writes(sql) == ["delete t(*)", "update t(a)", "insert t(*)"]
    assert _reads(sql) == "t(k), u(a, gone, k)"


def test_a_write_through_a_cte_is_one_to_its_tables() -> None:
    assert _writes("WITH c AS (SELECT a, b FROM t) UPDATE c SET a = 1") == ["update t(a)"]
    assert _writes("WITH c AS (SELECT a AS n FROM t) UPDATE c SET n = 1") == ["update t(*)"]
    assert _writes("WITH c AS (SELECT a FROM t) DELETE FROM c") == ["delete t(*)"]


def test_only_some_databases_write_through_aliases_and_ctes() -> None:
    sql = "WITH t AS (SELECT a FROM u) INSERT INTO t VALUES (1)"
    assert _writes(sql, "sqlite") == ["insert t(*)"]
    assert set(_writes(sql, "")) == {"insert u(*)", "insert t(*)"}


def test_t_sql_needs_no_semicolons() -> None:
    facts = facts_of(
        """SET NOCOUNT ON
        DECLARE @n int = (SELECT MAX(a) FROM m)
        IF EXISTS (SELECT * FROM t WHERE b = @n)
        BEGIN
            UPDATE t SET c = 1 WHERE b = @n
            PRINT 'DELETE FROM nothing'
        END
        ELSE INSERT INTO u (d) SELECT e FROM v
        again:
        BEGIN TRY DELETE FROM w END TRY BEGIN CATCH ROLLBACK END CATCH
        EXEC dbo.p @n = 1 OUTPUT
        SELECT x FROM y
        GO
        sp_q 1""",
        "tsql",
    )
    assert str(facts.reads) == "m(a), t(b), v(e), w(), y(x)"
    assert [(write.table, write.event) for write in facts.writes] == [
        ("t", "update"),
        ("u", "insert"),
        ("w", "delete"),
    ]
    assert facts.calls == {Call("p", "procedure"), Call("sp_q", "procedure")}
    assert facts.unknowns == ()
    assert facts.kinds == (
        "session", "session", "update", "session", "insert", "delete", "transaction", "procedure", "select",
        "procedure",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "calls"),
    [
        ("EXEC dbo.sp_x 1", {("sp_x", "procedure")}),
        ("EXEC @r = sp_x", {("sp_x", "procedure")}),
        ("{call sp_x(?)}", {("sp_x", "procedure")}),
        ("{? = call dbo.sp_x(?, ?)}", {("sp_x", "procedure")}),
        ("INSERT INTO t EXEC sp_x", {("sp_x", "procedure")}),
        ("sp_x 1, 'a'", {("sp_x", "procedure")}),
        ("SELECT dbo.fn(a) FROM t", {("fn", "function")}),
        ("SELECT a FROM fn(1)", {("fn", "function")}),
        ("SELECT x.a FROM t CROSS APPLY dbo.fn(t.b) x", {("fn", "function")}),
        ("SELECT LEFT(a, 1), ISNULL(b, 0), CAST(c AS varchar(10)), COUNT(*) OVER () FROM t", set()),
        ("SELECT d.value('(/a)[1]', 'int') FROM t CROSS APPLY t.doc.nodes('/a') AS n(d)", set()),
    ],
)
def test_calls_of_what_users_have_made_are_named(sql, calls) -> None:
    assert {(call.name, call.kind) for call in facts_of(sql, "tsql").calls} == calls


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("SELECT GETDATE()", "tsql"),
        ("SELECT a FROM t WHERE b < CURRENT_TIMESTAMP", "tsql"),
        ("UPDATE t SET a = SYSUTCDATETIME()", "tsql"),
        ("SELECT now()", "postgres"),
        ("SELECT age(a) FROM t", "postgres"),
        ("SELECT 'now'::timestamp", "postgres"),
        ("SELECT date('now', '-1 day')", "sqlite"),
        ("SELECT datetime()", "sqlite"),
        ("SELECT strftime('%s')", "sqlite"),
        ("SELECT CURDATE()", "mysql"),
        ("SELECT {fn NOW()}", "tsql"),
    ],
)
def test_the_clock_is_seen(sql, dialect) -> None:
    assert facts_of(sql, dialect).reads_clock


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("SELECT age(a, b) FROM t", "postgres"),
        ("SELECT date(a), strftime('%Y', b) FROM t", "sqlite"),
        ("SELECT 'GETDATE()' FROM t -- now()", "tsql"),
        ("SELECT t.now FROM t", "postgres"),
    ],
)
def test_what_only_looks_like_the_clock_is_not(sql, dialect) -> None:
    assert not facts_of(sql, dialect).reads_clock


@pytest.mark.parametrize(
    ("sql", "dialect", "hides"),
    [
        ("EXEC (@sql)", "tsql", {"both"}),
        ("EXEC sp_executesql @sql", "tsql", {"both"}),
        ("EXEC ('DELETE FROM ' + @t)", "tsql", {"both"}),
        ("SELECT * FROM OPENQUERY(s, 'SELECT 1')", "tsql", {"both"}),
        ("DO $$ BEGIN DELETE FROM t; END $$", "postgres", {"both"}),
        ("EXECUTE prepared(1)", "postgres", {"both"}),
        ("SELECT query_to_xml('SELECT 1', true, true, '')", "postgres", {"both"}),
        ("SELECT load_extension('x')", "sqlite", {"both"}),
        ("SELECT * FROM #filled_elsewhere", "tsql", {"reads"}),
        ("SELECT @@IDENTITY", "tsql", {"reads"}),
        ("SELECT last_insert_rowid()", "sqlite", {"reads"}),
        ("SELECT NEWID()", "tsql", {"reads"}),
        ("SELECT random()", "postgres", {"reads"}),
        ("CREATE TRIGGER g ON t AFTER INSERT AS DELETE FROM u", "tsql", {"writes"}),
        ("CREATE VIEW v AS SELECT a FROM t", "postgres", {"writes"}),
        ("DISABLE TRIGGER g ON t", "tsql", {"writes"}),
        ("PRAGMA user_version = 3", "sqlite", {"writes"}),
        ("ATTACH DATABASE 'x' AS y", "sqlite", {"both"}),
    ],
)
def test_what_cannot_be_told_is_said(sql, dialect, hides) -> None:
    assert _hides(sql, dialect) == hides


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("SET search_path TO x", "postgres"),
        ("PRAGMA foreign_keys = ON", "sqlite"),
        ("BEGIN", "sqlite"),
        ("BEGIN TRAN", "tsql"),
        ("COMMIT", "postgres"),
        ("SAVEPOINT s", "sqlite"),
        ("VACUUM", "sqlite"),
        ("LOCK TABLE t", "postgres"),
        ("USE other", "tsql"),
        ("GRANT SELECT ON t TO u", "tsql"),
        ("CREATE INDEX i ON t (a)", "tsql"),
        ("NOTIFY c", "postgres"),
        ("WAITFOR DELAY '00:00:01'", "tsql"),
        ("", "tsql"),
        (" ; -- nothing", "sqlite"),
    ],
)
def test_what_touches_no_data_tells_nothing(sql, dialect) -> None:
    facts = facts_of(sql, dialect)
    assert (str(facts.reads), facts.writes, facts.calls, facts.unknowns) == ("", (), frozenset(), ())


def test_temporary_tables_are_neither_read_nor_written() -> None:
    sql = "CREATE TABLE #t (a int) INSERT INTO #t SELECT a FROM u UPDATE #t SET a = 1 SELECT * FROM #t"
    assert (_reads(sql), _writes(sql), _hides(sql)) == ("u(a)", [], set())
    declared = "DECLARE @t TABLE (a int) INSERT INTO @t SELECT a FROM u SELECT a FROM @t"
    assert (_reads(declared), _writes(declared), _hides(declared)) == ("u(a)", [], set())
    made = "CREATE TEMP TABLE t AS SELECT a FROM u; INSERT INTO t VALUES (1); SELECT * FROM t"
    assert (_reads(made, "sqlite"), _writes(made, "sqlite")) == ("u(a)", [])
    assert _writes("INSERT INTO t VALUES (1)", "sqlite") == ["insert t(*)"], "in another text it may be plain"


def test_what_the_text_has_done_before_is_no_state_of_the_session() -> None:
    assert _hides("UPDATE t SET a = 1 IF @@ROWCOUNT = 0 INSERT INTO t VALUES (1)") == set()
    assert _hides("IF @@ROWCOUNT = 0 INSERT INTO t VALUES (1)") == {"reads"}


def test_whether_there_is_a_table_is_no_state_of_the_session() -> None:
    made = "IF OBJECT_ID('tempdb..#t') IS NOT NULL DROP TABLE #t SELECT a INTO #t FROM u SELECT a FROM #t"
    assert (_reads(made), _writes(made), _hides(made)) == ("u(a)", [], set())
    asked = "SELECT OBJECT_ID('dbo.[T]')"
    assert (_reads(asked), _hides(asked)) == ("t()", set())
    assert _hides("SELECT OBJECT_ID(@name)") == {"reads"}


def test_without_a_dialect_every_reading_counts() -> None:
    facts = facts_of("SELECT 1 # \n; DELETE FROM t", "")
    assert [write.table for write in facts.writes] == ["t"]
    assert _reads("SELECT a[b] FROM t", "") == "t(a, b)"


@pytest.mark.parametrize(
    ("sql", "dialect", "table"),
    [
        ("UPDATE statistics s SET a = 1", "sqlite", "statistics"),
        ("UPDATE quick q SET a = 1", "tsql", "quick"),
        ("INSERT replace (a) VALUES (1)", "tsql", "replace"),
        ("SELECT a INTO temp FROM t", "tsql", "temp"),
        ("DELETE FROM only o WHERE a = 1", "sqlite", "only"),
        ("UPDATE top SET a = 1", "sqlite", "top"),
    ],
)
def test_tables_may_be_called_like_words_that_others_skip(sql, dialect, table) -> None:
    assert [write.table for write in facts_of(sql, dialect).writes] == [table]


@pytest.mark.parametrize(
    ("sql", "dialect", "columns"),
    [
        ("SELECT DATEDIFF(day, b) FROM t", "mysql", {"day", "b"}),
        ("SELECT DATEDIFF(day, a, b) FROM t", "tsql", {"a", "b"}),
        ("SELECT dbo.convert(a, b) FROM t", "tsql", {"a", "b"}),
        ("SELECT CONVERT(int, a) FROM t", "tsql", {"a"}),
        ("SELECT key, rows, first FROM t", "sqlite", {"key", "rows", "first"}),
        ("SELECT update, delete FROM t", "postgres", {"update", "delete"}),
        ("SELECT limit, offset FROM t", "tsql", {"limit", "offset"}),
        ("SELECT sysdate FROM t", "sqlite", {"sysdate"}),
        ("SELECT unknown FROM t", "postgres", {"unknown"}),
        ("SELECT b.y FROM a, t b WHERE a.x = b.z(+)", "oracle", {"y", "z"}),
    ],
)
def test_columns_may_be_called_like_words_that_others_skip(sql, dialect, columns) -> None:
    assert facts_of(sql, dialect).reads.columns("t") == columns
