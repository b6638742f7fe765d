"""What a call of the driver can do to data and to its transaction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.pool.changes import (
    BY_METHOD,
    COMMIT,
    MAY_COMMIT,
    READS,
    ROLLBACK,
    UNKNOWN,
    Change,
    change_by_text,
    change_of,
)

READING = [
    "",
    ";;",
    "-- only a comment",
    "SELECT 1",
    "select a, b from t where c = ?;",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "SELECT 1; SELECT 2",
    "SELECT 'INSERT INTO t VALUES (1)', \"update\" FROM [delete]",
    "SELECT REPLACE(a, 'b', 'c'), INSERT(a, 1, 2, 'd') FROM t",
    "SELECT a FROM t FOR UPDATE",
    "SELECT a FROM t FOR NO KEY UPDATE OF t",
    "SELECT a FROM t WITH (UPDLOCK)",
    "SELECT commit_date FROM builds",
    "VALUES (1), (2)",
    "TABLE t",
    "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
    "EXPLAIN SELECT a FROM t",
    "EXPLAIN QUERY PLAN SELECT a FROM t",
    "SHOW search_path",
    "DESCRIBE t",
    "PRAGMA table_info(t)",
    "SET NOCOUNT ON; SELECT a FROM t",
    "SET search_path TO x",
    "USE other",
    "DECLARE @x INT = 1; SELECT a FROM t WHERE b = @x",
    "IF EXISTS (SELECT 1 FROM t) SELECT 1 ELSE SELECT 2",
    "ROLLBACK TO SAVEPOINT s",
    "ROLLBACK TRAN s",
    "SAVE TRAN s",
]
WRITING = [
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "REPLACE INTO t VALUES (1)",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
    "SELECT a INTO u FROM t",
    "SELECT 1; DELETE FROM t",
    "SELECT 1 UPDATE t SET a = 1",
    "WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x",
    "WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM x",
    "EXPLAIN ANALYZE DELETE FROM t",
    "IF NOT EXISTS (SELECT 1 FROM t) INSERT INTO t VALUES (1)",
    "SET NOCOUNT ON INSERT INTO t VALUES (1)",
    "DECLARE @x INT DELETE FROM t",
    "BEGIN TRAN DELETE FROM t",
    "COPY t FROM STDIN",
]
WRITING_AND_PERHAPS_COMMITTING = [
    "CREATE TABLE t (a)",
    "ALTER TABLE t ADD b INT",
    "DROP TABLE t",
    "TRUNCATE TABLE t",
    "EXEC p",
    "{call p(?)}",
    "{? = call p(?)}",
    "CALL p()",
    "DO $$ BEGIN DELETE FROM t; END $$",
    "INSERT INTO t EXEC p",
    "BEGIN DELETE FROM t END",
    "BEGIN TRAN; DELETE FROM t; COMMIT; SELECT 1",
    "PREPARE TRANSACTION 'x'",
    "something new",
    "SELECT 'it never ends",
]


@pytest.mark.parametrize("sql", READING)
def test_a_plain_read_does_nothing(sql):
    assert change_of(sql) is READS


@pytest.mark.parametrize("sql", WRITING)
def test_what_may_change_data_is_seen(sql):
    assert change_of(sql).may_change


@pytest.mark.parametrize("sql", WRITING_AND_PERHAPS_COMMITTING)
def test_what_may_also_commit_is_seen(sql):
    change = change_of(sql)
    assert (change.may_change, change.may_commit, change.end) == (True, True, None)


@pytest.mark.parametrize("sql", WRITING[:6])
def test_a_change_of_rows_does_not_commit(sql):
    assert not change_of(sql).may_commit


@pytest.mark.parametrize("sql", ["COMMIT", "commit;", "COMMIT WORK", "COMMIT TRAN", "END", "END TRANSACTION"])
def test_a_plain_commit_is_an_end(sql):
    change = change_of(sql)
    assert (change.may_change, change.may_commit, change.end, change.commits) == (False, True, "commit", 1)
    assert change.alone


@pytest.mark.parametrize("sql", ["ROLLBACK", "ROLLBACK WORK", "rollback tran -- all of it", "ABORT"])
def test_a_plain_rollback_is_an_end_that_commits_nothing(sql):
    change = change_of(sql)
    assert (change.may_change, change.may_commit, change.end) == (False, False, "rollback")


@pytest.mark.parametrize(
    "sql",
    [
        "COMMIT AND CHAIN",
        "COMMIT PREPARED 'x'",
        "COMMIT TRAN inner_one",
        "COMMIT; BEGIN",
        "COMMIT; DELETE FROM t",
        "COMMIT DELETE FROM t",
        "IF @@TRANCOUNT > 0 COMMIT",
    ],
)
def test_a_commit_that_may_not_be_the_end_is_none(sql):
    change = change_of(sql)
    assert (change.may_commit, change.end) == (True, None)


@pytest.mark.parametrize("sql", ["ROLLBACK AND CHAIN", "ROLLBACK; DELETE FROM t", "IF @@ERROR <> 0 ROLLBACK"])
def test_a_rollback_that_may_not_be_the_end_is_none(sql):
    assert change_of(sql).end is None


def test_of_several_statements_the_last_one_ends():
    change = change_of("BEGIN; DELETE FROM t; COMMIT")
    assert (change.may_change, change.begins, change.commits, change.end) == (True, 1, 1, "commit")
    assert not change.alone


@pytest.mark.parametrize(
    ("sql", "begins"),
    [
        ("BEGIN", 1),
        ("BEGIN IMMEDIATE", 1),
        ("BEGIN TRAN", 1),
        ("BEGIN DISTRIBUTED TRANSACTION", 1),
        ("START TRANSACTION", 1),
        ("BEGIN TRAN BEGIN TRAN DELETE FROM t", 2),
        ("BEGIN TRAN; BEGIN TRAN", 2),
        ("SELECT 1 BEGIN TRAN", 1),
        ("BEGIN SELECT 1 END", 0),
        ("CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END", 0),
    ],
)
def test_transactions_begun_by_text_are_counted(sql, begins):
    assert change_of(sql).begins == begins


@pytest.mark.parametrize(
    "sql",
    ["SET IMPLICIT_TRANSACTIONS ON", "SET ANSI_DEFAULTS ON", "SET autocommit = 0", "SET @@autocommit=0"],
)
def test_a_mode_in_which_each_statement_begins_one_is_seen(sql):
    assert change_of(sql).for_good


def test_what_a_literal_is_depends_on_the_database_and_the_worse_one_counts():
    assert change_of("SELECT 'a\\'; DELETE FROM t; --'").may_change
    assert change_of("SELECT 1 # \n; DELETE FROM t").may_change
    assert change_of("COMMIT # \n ; DELETE FROM t").end is None


@pytest.mark.parametrize("sql", [None, b"SELECT 1", 7, object()])
def test_what_is_no_text_may_do_anything(sql):
    assert change_of(sql) is UNKNOWN


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("fetchone", READS),
        ("__next__", READS),
        ("close", None),
        ("cursor", READS),
        ("commit", COMMIT),
        ("rollback", ROLLBACK),
        ("__exit__", None),
        ("execute", None),
        ("nextset", MAY_COMMIT),
        ("callproc", UNKNOWN),
        ("copy_expert", UNKNOWN),
        ("backup", UNKNOWN),
    ],
)
def test_methods_that_are_given_no_text(name, change):
    assert BY_METHOD.get(name, UNKNOWN) is change


def test_methods_that_are_given_a_text():
    assert change_by_text("execute", ("SELECT ?", 1), {}) is READS
    assert change_by_text("execute", (), {"sql": "DELETE FROM t"}).may_change
    assert change_by_text("executemany", ("DELETE FROM t WHERE a = ?", []), {}).may_change
    assert change_by_text("execute", (), {}) is UNKNOWN
    assert change_by_text("executescript", ("SELECT 1",), {}) == MAY_COMMIT, "sqlite3 commits first"


@given(st.text(max_size=60))
def test_any_text_gets_the_same_answer_twice(sql):
    assert change_of(sql) == change_of(sql)


@given(st.text("'\"`[]/*-#\\; \n", max_size=12), st.text("'\"`[]/*-#\\; \n", max_size=12))
def test_no_quotes_hide_a_change_that_some_database_would_run(before, after):
    """Whatever stands around it: as a statement of its own it is one, or nothing can be read at all."""
    assert change_of(f"{before}\n;DELETE FROM t;{after}") is not READS or _hidden(before)


def _hidden(before):
    """Whether it can be inside a literal, name or comment for every database."""
    return any(sign in before for sign in ("'", '"', "`", "[", "/*"))


def test_long_texts_are_looked_at_too():
    long = "SELECT " + ", ".join(["a"] * 5_000) + " FROM t"
    assert change_of(long) is READS
    assert change_of(f"{long}; DELETE FROM t").may_change


def test_a_savepoint_changes_nothing_but_may_begin_a_transaction_and_its_release_end_one():
    assert change_of("SAVEPOINT s") == Change(alone=True, saves=True)
    assert change_of("RELEASE SAVEPOINT s") == Change(alone=True, releases=True)
    assert change_of("ROLLBACK TO s") is READS
