"""What a text of SQL can leave in its session, by the databases that the text is meant for."""

from __future__ import annotations

import ast
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.pool import statements
from wats_accel.pool.statements import TRANSACTION, Effect, effect_of

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "legacy_wats"

ANY_DATABASE_CLEAN = [
    "",
    "   \n\t ",
    ";",
    " ; ;; ",
    "-- only a comment",
    "/* only a comment */",
    "SELECT 1",
    "select 1;",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "SELECT a, b FROM t WHERE c = ? ORDER BY a",
    "SELECT 'SET x = 1; USE other; EXEC p' FROM t",
    "SELECT 'it''s; SET' FROM t",
    'SELECT "use", "set", "exec" FROM "pragma"',
    'SELECT "a""b; SET x" FROM t',
    "SELECT use, exec, kill FROM t",
    "SELECT t.use, t.set FROM t",
    "SELECT a AS use FROM t",
    "SELECT commit FROM builds WHERE commit = ?",
    "SELECT open, close FROM prices",
    "SELECT a FROM t -- SET x = 1",
    "SELECT /* SET x = 1; */ a FROM t",
    "SELECT a FROM t WHERE b = %s AND c = %(set)s AND d = :d",
    "SELECT COUNT(*) FROM t",
    "SELECT a FROM t FOR UPDATE",
    "SELECT ISNULL(a, '') AS b FROM t",
    "SELECT temp.a FROM (SELECT a FROM t) AS temp",
    "SELECT temperature FROM t",
    "INSERT INTO t (a, b) VALUES (?, ?)",
    "INSERT INTO t SELECT a FROM u",
    "INSERT INTO temp (a) VALUES (1)",
    "INSERT INTO temp SELECT a FROM u",
    "INSERT INTO t DEFAULT VALUES",
    "UPDATE t SET a = 1, b = b + 1 WHERE c = ?",
    "UPDATE t SET a = (SELECT MAX(b) FROM u) WHERE c = ?",
    "UPDATE t SET use = 1, exec = 2",
    "DELETE FROM t WHERE a = ?",
    "DELETE FROM t",
    "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
    "WITH x AS (SELECT 1 AS a) UPDATE t SET b = 1 WHERE a IN (SELECT a FROM x)",
    "VALUES (1), (2)",
    "EXPLAIN SELECT a FROM t",
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR(30))",
    "CREATE TABLE t (a INTEGER REFERENCES u (a) ON DELETE SET NULL ON UPDATE SET DEFAULT)",
    "CREATE UNIQUE INDEX i ON t (a)",
    "CREATE VIEW v AS SELECT a FROM t",
    "ALTER TABLE t ADD COLUMN b INTEGER",
    "DROP TABLE IF EXISTS t",
    "TRUNCATE TABLE t",
    "GRANT SELECT, INSERT, UPDATE ON t TO somebody",
    "GRANT EXECUTE ON p TO somebody",
    "REVOKE ALL ON t FROM somebody",
    "SELECT 1; SELECT 2; UPDATE t SET a = 1;",
    "UPDATE t SET a = 1; UPDATE u SET b = 2",
    "SELECT {fn NOW()}, {d '2026-01-01'}, {ts '2026-01-01 00:00:00'}",
    "SELECT a FROM {oj t LEFT OUTER JOIN u ON t.a = u.a}",
    "SELECT a FROM t WHERE b LIKE ? ESCAPE '\\'",
    "SELECT a FROM t WHERE b LIKE 'x\\_%' ESCAPE '\\' AND c = 'd'",
    "SELECT 'C:\\temp\\' AS folder",
    "SELECT 1.5, .5, 1e5, 1.5e-3, 0xFF, 1.",
]

SQL_SERVER_CLEAN = [
    "SELECT @@IDENTITY",
    "SELECT SCOPE_IDENTITY()",
    "SELECT @@ROWCOUNT, @@SPID",
    "SELECT TOP 10 * FROM dbo.[Order Details] WITH (NOLOCK)",
    "SELECT [use], [set], [exec], t.[declare] FROM [dbo].[t]",
    "SELECT [a]]b], [it's; EXEC p] FROM [t]",
    "SELECT[use]FROM[t]",
    "SELECT [Price (EUR)], [a/b] FROM t",
    "SELECT N'SET x', N'it''s' FROM t",
    "INSERT INTO t (a) OUTPUT INSERTED.id VALUES (?)",
    "UPDATE TOP (5) t SET a = 1 OUTPUT deleted.a WHERE b = 2",
    "UPDATE t SET a = 1 FROM t JOIN u ON u.a = t.a",
    "UPDATE a SET x = 1 UPDATE b SET y = 2 SELECT 3",
    "UPDATE STATISTICS t",
    "DELETE t FROM t JOIN u ON u.a = t.a",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = u.b "
    "WHEN NOT MATCHED THEN INSERT (a, b) VALUES (u.a, u.b);",
    "DECLARE @x INT = 1; SELECT a FROM t WHERE b = @x",
    "DECLARE @x INT SELECT @x = 1 SELECT @x",
    "DECLARE @new TABLE (id INT); INSERT INTO t (a) OUTPUT INSERTED.id INTO @new VALUES (?); "
    "SELECT id FROM @new",
    "DECLARE @new TABLE (id INT); INSERT INTO @new VALUES (1)",
    "DECLARE @x INT SELECT 1 DECLARE @y INT SELECT 2",
    "IF EXISTS (SELECT 1 FROM t WHERE a = ?) UPDATE t SET b = 1 ELSE INSERT INTO t (a) VALUES (?)",
    "IF NOT EXISTS (SELECT 1 FROM t) INSERT INTO t (a) VALUES (1); ELSE DELETE FROM t",
    "SELECT a INTO u FROM t",
    "SELECT a INTO temp FROM t",
    "SELECT a FROM t OPTION (USE HINT ('x'), MAXDOP 1)",
    "SELECT a FROM t FOR XML PATH('x'), TYPE",
    "SELECT a FROM OPENJSON(?) WITH (a INT '$.a')",
    "SELECT REPLACE(a, 'b', 'c') FROM t",
    "SELECT $5.00, $action",
    "CREATE PROCEDURE p WITH EXECUTE AS OWNER AS SELECT 1",
    "CREATE OR ALTER TRIGGER r ON t AFTER INSERT, UPDATE AS BEGIN SET NOCOUNT ON; EXEC p; END",
    "DENY EXECUTE ON p TO somebody",
    "ALTER TABLE t ADD b INT NOT NULL DEFAULT 0",
    "ALTER INDEX i ON t REBUILD",
    "select a from t /* outer /* inner */ outer */ where b = 1",
    "SELECT a --comment without a space\nFROM t",
]

SQL_SERVER_TAINTED = [
    ("SET NOCOUNT ON", "SET"),
    ("SET NOCOUNT ON; SELECT 1", "SET"),
    ("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", "SET"),
    ("SET IDENTITY_INSERT t ON; INSERT INTO t (id) VALUES (1)", "SET"),
    ("SET/**/LANGUAGE French", "SET"),
    ("SELECT 1 SET LANGUAGE French", "SET"),
    ("SELECT * SET LANGUAGE French", "SET"),
    ("SELECT 1SET LANGUAGE French", "SET"),
    ("SELECT 'a'SET LANGUAGE French", "SET"),
    ("SELECT a FROM t SET LANGUAGE French", "SET"),
    ("SELECT a FROM [t] SET LANGUAGE French", "SET"),
    ("UPDATE t SET a = 1 SET LANGUAGE French", "SET"),
    ("UPDATE t SET a = 1 WHERE b = 2 SET LANGUAGE French", "SET"),
    ("UPDATE STATISTICS t SET LANGUAGE French", "SET"),
    ("INSERT INTO t DEFAULT VALUES SET LANGUAGE French", "SET"),
    ("INSERT INTO t (a) VALUES (1) SET LANGUAGE French", "SET"),
    ("INSERT t SELECT a FROM u SET LANGUAGE French", "SET"),
    ("GRANT UPDATE ON t TO somebody SET LANGUAGE French", "SET"),
    ("GRANT SELECT, UPDATE ON t TO somebody SET LANGUAGE French", "SET"),
    ("DELETE FROM t SET LANGUAGE French", "SET"),
    ("CREATE STATISTICS s ON t (a) WITH INCREMENTAL = ON SET LANGUAGE French", "SET"),
    ("IF 1 = 1 SET LANGUAGE French ELSE SELECT 1", "SET"),
    ("IF 1 = 1 SELECT 1 ELSE SET LANGUAGE French", "SET"),
    ("SETUSER 'somebody'", "SET"),
    ("SELECT 1 SETUSER 'somebody'", "SET"),
    ("SELECT 1 REVERT", "SET"),
    ("REVERT", "SET"),
    ("OPEN SYMMETRIC KEY k DECRYPTION BY CERTIFICATE c", "cursor"),
    ("SELECT 1 OPEN SYMMETRIC KEY k DECRYPTION BY CERTIFICATE c", "SET"),
    ("ALTER DATABASE d SET READ_COMMITTED_SNAPSHOT ON", "SET"),
    ("USE other", "USE"),
    ("USE [other]", "USE"),
    ("SELECT 1 USE other", "USE"),
    ("SELECT a FROM t WHERE b = 1 USE other", "USE"),
    ("EXEC p", "procedure"),
    ("exec sp_getapplock @Resource = 'x', @LockOwner = 'Session'", "procedure"),
    ("EXECUTE p 1, 2", "procedure"),
    ("EXEC ('SET LANGUAGE French')", "procedure"),
    ("EXECUTE AS USER = 'somebody'", "procedure"),
    ("SELECT 1 EXEC p", "procedure"),
    ("SELECT 1 EXEC('SELECT 2')", "procedure"),
    ("INSERT INTO t EXEC p", "procedure"),
    ("INSERT INTO t (a) EXECUTE p", "procedure"),
    ("SELECT 1 AS a EXECUTE AS USER = 'somebody'", "procedure"),
    ("DECLARE @r INT; EXEC @r = p", "procedure"),
    ("DECLARE @r INT EXEC @r = p", "procedure"),
    ("{call p}", "procedure"),
    ("{CALL sys.sp_reset_connection}", "procedure"),
    ("{ ? = call p (?, ?) }", "procedure"),
    ("{?=call p}", "procedure"),
    ("SELECT 1 {call p}", "procedure"),
    ("BEGIN SELECT 1 END", "procedure"),
    ("BEGIN TRY SELECT 1 END TRY BEGIN CATCH SELECT 2 END CATCH", "procedure"),
    ("sp_who", "unknown statement"),
    ("p 1, 2", "unknown statement"),
    ("[p] 1", "unknown statement"),
    ("DBCC TRACEON (1204)", "unknown statement"),
    ("SELECT 1 DBCC TRACEON (1204)", "unknown statement"),
    ("KILL 53", "unknown statement"),
    ("SELECT 1 KILL 53", "unknown statement"),
    ("WAITFOR DELAY '00:00:01'", "unknown statement"),
    ("PRINT 'x'", "unknown statement"),
    ("CREATE TABLE #t (a INT)", "temporary table"),
    ("CREATE TABLE ##t (a INT)", "temporary table"),
    ("CREATE TABLE [#t] (a INT)", "temporary table"),
    ('CREATE TABLE "#t" (a INT)', "temporary table"),
    ("CREATE TABLE tempdb..#t (a INT)", "temporary table"),
    ("CREATE TABLE tempdb..[#t] (a INT)", "temporary table"),
    ("SELECT a INTO #t FROM u", "temporary table"),
    ("SELECT a INTO [#t] FROM u", "temporary table"),
    ("SELECT a FROM #t", "temporary table"),
    ("CREATE PROCEDURE #p AS SELECT 1", "temporary table"),
    ("SELECT 1 CREATE TABLE #t (a INT)", "temporary table"),
    ("DECLARE c CURSOR FOR SELECT a FROM t", "cursor"),
    ("SELECT 1 DECLARE c CURSOR FOR SELECT a FROM t", "cursor"),
    ("OPEN c", "cursor"),
    ("FETCH NEXT FROM c INTO @a", "cursor"),
    ("BEGIN TRAN", TRANSACTION),
    ("BEGIN TRANSACTION x", TRANSACTION),
    ("BEGIN DISTRIBUTED TRAN", TRANSACTION),
    ("SELECT 1 BEGIN TRAN", TRANSACTION),
    ("BEGIN TRAN UPDATE t SET a = 1 COMMIT", TRANSACTION),
    ("IF @@TRANCOUNT > 0 ROLLBACK", TRANSACTION),
    ("SAVE TRAN x", TRANSACTION),
    ("SAVE THIS", "unknown statement"),
    ("BEGIN TRAN SET LANGUAGE French COMMIT", "SET"),
    ("BEGIN TRAN; EXEC p; COMMIT", "procedure"),
    ("SELECT 1 COMMIT EXEC p", "procedure"),
    ("UPDATE t SET a = 1 WHERE b = 2 COMMIT USE other", "USE"),
    ("SELECT 1 label: SET LANGUAGE French", "SET"),
    ("SELECT 1 label: EXEC p", "procedure"),
    ("SELECT NEXT VALUE FOR s", "sequence value"),
    ("SELECT 1 /* outer /* inner */ */ SET LANGUAGE French", "SET"),
    ("SELECT [a]]; SELECT ] SET LANGUAGE French", "SET"),
]

POSTGRESQL_CLEAN = [
    "SELECT setting FROM pg_settings WHERE name = 'work_mem'",
    "UPDATE my_settings SET pg_settings = 1",
    "SELECT lastval()",
    "SELECT a::int, b::text FROM t WHERE c = $1",
    "SELECT a[1], b[i], c[1:2], d[e[1]], ARRAY['x', 'y'], ARRAY[[1, 2], [3, 4]] FROM t",
    "SELECT data #>> '{a,b}', data #> '{a}', data -> 'x', data @> '{}' FROM t",
    "SELECT a FROM t WHERE b @@ to_tsquery('x')",
    "SELECT E'it\\'s; SET x = 1', 'a'",
    "SELECT $$SET x; it's$$, $tag$ $$ USE $tag$",
    "SELECT f(name := 1, other => 2)",
    "SELECT pg_advisory_xact_lock(1)",
    "SELECT pg_try_advisory_xact_lock(1, 2)",
    "SELECT a FROM t FOR NO KEY UPDATE SKIP LOCKED",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = EXCLUDED.b RETURNING id",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING",
    "WITH x AS (UPDATE t SET a = 1 RETURNING b) INSERT INTO u SELECT b FROM x",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 1 WHEN NOT MATCHED THEN DO NOTHING",
    "TABLE t",
    "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT 1",
    "EXPLAIN ANALYZE VERBOSE UPDATE t SET a = 1",
    "SHOW search_path",
    "VACUUM ANALYZE t",
    "ANALYZE",
    "REINDEX TABLE t",
    "CLUSTER t",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "COMMENT ON TABLE t IS 'SET x'",
    "COPY t TO STDOUT",
    "CREATE TABLE t (a int[], b text DEFAULT 'SET')",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql VOLATILE AS $body$ BEGIN SET x = 1; END $body$",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE SQL AS $$ DELETE FROM t; SET x = 1 $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE SQL BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "CREATE TRIGGER r BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE TRIGGER r AFTER UPDATE OF a ON t FOR EACH ROW EXECUTE PROCEDURE f()",
    "CREATE EXTENSION IF NOT EXISTS citext",
    "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1, ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE t SET (fillfactor = 70)",
    "ALTER TABLE t SET SCHEMA s",
    "CREATE UNLOGGED TABLE t (a int)",
]

POSTGRESQL_TAINTED = [
    ("SET search_path TO x", "SET"),
    ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET"),
    ("SET LOCAL x = 1", "SET"),
    ("RESET ALL", "SET"),
    ("SELECT set_config('a', 'b', false)", "SET"),
    ("UPDATE pg_settings SET setting = '1MB' WHERE name = 'work_mem'", "SET"),
    ('update only pg_catalog."pg_settings" set setting = 1', "SET"),
    ("SELECT query_to_xml('select set_config(''a'', ''b'', false)', true, true, '')", "procedure"),
    ("SELECT U&\"set\\005fconfig\"('a', 'b', false)", "unknown statement"),
    ('CREATE TABLE U&"pg\\005ftemp".t (a INTEGER)', "unknown statement"),
    ("SELECT pg_catalog.set_config('a', 'b', false)", "SET"),
    ("SELECT \"set_config\"('a', 'b', false)", "SET"),
    ("SELECT pg_catalog . set_config /* x */ ('a', 'b', false)", "SET"),
    ("SELECT setseed(0.5)", "SET"),
    ("SELECT set_limit(0.8)", "SET"),
    ("ALTER ROLE r SET search_path = x", "SET"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE SQL SET search_path = x AS 'SELECT 1'", "SET"),
    ("SELECT pg_advisory_lock(1)", "application lock"),
    ("SELECT pg_try_advisory_lock_shared(1, 2)", "application lock"),
    ("SELECT pg_advisory_unlock_all()", "application lock"),
    ("SELECT a FROM t WHERE pg_try_advisory_lock(a)", "application lock"),
    ("SELECT a[pg_try_advisory_lock(1)::int] FROM t", "application lock"),
    ("SELECT nextval('s')", "sequence value"),
    ("SELECT setval('s', 1)", "sequence value"),
    ("SELECT currval('s')", "sequence value"),
    ("INSERT INTO t (a) VALUES (nextval('s'))", "sequence value"),
    ("SELECT \"nextval\"('s')", "sequence value"),
    ("CREATE TEMP TABLE t (a int)", "temporary table"),
    ("CREATE TEMPORARY TABLE t (a int) ON COMMIT DROP", "temporary table"),
    ("CREATE LOCAL TEMP TABLE t (a int)", "temporary table"),
    ("CREATE GLOBAL TEMPORARY TABLE t (a int)", "temporary table"),
    ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "temporary table"),
    ("CREATE TEMP SEQUENCE s", "temporary table"),
    ("CREATE TABLE pg_temp.t (a int)", "temporary table"),
    ('CREATE TABLE "pg_temp".t (a int)', "temporary table"),
    ("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE SQL AS 'SELECT 1'", "temporary table"),
    ("SELECT a INTO TEMP t FROM u", "temporary table"),
    ('SELECT a INTO TEMPORARY "t" FROM u', "temporary table"),
    ("SELECT a INTO TEMP TABLE t FROM u", "temporary table"),
    ("PREPARE q AS SELECT 1", "prepared statement"),
    ("DEALLOCATE ALL", "prepared statement"),
    ("EXECUTE q (1)", "procedure"),
    ("EXPLAIN ANALYZE EXECUTE q (1)", "procedure"),
    ("CALL p()", "procedure"),
    ("DO $$ BEGIN PERFORM 1; END $$", "procedure"),
    ("LISTEN c", "LISTEN"),
    ("UNLISTEN *", "LISTEN"),
    ("NOTIFY c", "unknown statement"),
    ("LOAD 'x'", "unknown statement"),
    ("DISCARD ALL", "unknown statement"),
    ("EXPLAIN", "unknown statement"),
    ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "cursor"),
    ("DECLARE c CURSOR FOR SELECT 1", "cursor"),
    ("CLOSE ALL", "cursor"),
    ("SELECT dblink_connect('x')", "database link"),
    ("SELECT pg_create_physical_replication_slot('x', true, true)", "replication slot"),
    ("SELECT pg_backup_start('x')", "backup"),
    ("BEGIN", TRANSACTION),
    ("BEGIN;", TRANSACTION),
    ("BEGIN ISOLATION LEVEL SERIALIZABLE", TRANSACTION),
    ("START TRANSACTION READ ONLY", TRANSACTION),
    ("COMMIT", TRANSACTION),
    ("END", TRANSACTION),
    ("ABORT", TRANSACTION),
    ("ROLLBACK TO SAVEPOINT x", TRANSACTION),
    ("SAVEPOINT x", TRANSACTION),
    ("RELEASE SAVEPOINT x", TRANSACTION),
    ("LOCK TABLE t IN EXCLUSIVE MODE", TRANSACTION),
    ("BEGIN; SET LOCAL x = 1; COMMIT", "SET"),
    ("COMMIT; SET x = 1", "SET"),
    ("PREPARE TRANSACTION 'x'", "prepared statement"),
    ("SELECT 'a\\'; SET x = 1 --'", "SET"),
    ("SELECT E'\\'' ; SET x = 1 --'", "SET"),
    ("SELECT 1 -- it's\r; SET x = 1", "SET"),
    ("SELECT $a$ $A$ $a$; SET x = 1; SELECT $a$ $a$", "SET"),
    ("SELECT a[b['x]']]; SET x = 1", "SET"),
]

SQLITE_CLEAN = [
    "SELECT last_insert_rowid()",
    "SELECT changes(), total_changes()",
    "SELECT a FROM t WHERE b = :b AND c = @use AND d = $d AND e = ?1",
    "SELECT * FROM pragma_table_info('t')",
    "SELECT [use], `set` FROM [my table] WHERE [a'b] = 1",
    "SELECT datetime('now', 'localtime')",
    "INSERT OR REPLACE INTO t (a) VALUES (1)",
    "INSERT OR IGNORE INTO t (a) VALUES (1)",
    "REPLACE INTO t (a) VALUES (1)",
    "UPDATE OR REPLACE t SET a = 1",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
    "EXPLAIN QUERY PLAN SELECT a FROM t",
    "VACUUM",
    "VACUUM INTO 'x.db'",
    "CREATE VIRTUAL TABLE t USING fts5 (a, b)",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE u SET a = NEW.a; DELETE FROM v; END",
    "CREATE TRIGGER IF NOT EXISTS r AFTER UPDATE OF a ON t FOR EACH ROW WHEN NEW.a > 1 BEGIN "
    "SELECT CASE WHEN NEW.a > 2 THEN RAISE (ABORT, 'SET') END; END;",
]

SQLITE_TAINTED = [
    ("PRAGMA foreign_keys = ON", "PRAGMA"),
    ("pragma table_info(t)", "PRAGMA"),
    ("EXPLAIN PRAGMA foreign_keys = ON", "PRAGMA"),
    ("SELECT 1; PRAGMA foreign_keys = ON", "PRAGMA"),
    ("ATTACH DATABASE ? AS x", "ATTACH"),
    ("attach 'x.db' as x", "ATTACH"),
    ("DETACH x", "ATTACH"),
    ("CREATE TEMP TABLE t (a)", "temporary table"),
    ("CREATE TEMPORARY TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END", "temporary table"),
    ("CREATE TABLE temp.t (a)", "temporary table"),
    ("CREATE TABLE IF NOT EXISTS temp . t (a)", "temporary table"),
    ('CREATE TABLE "temp".t (a)', "temporary table"),
    ("CREATE TABLE [temp].t (a)", "temporary table"),
    ("CREATE TABLE `temp`.t (a)", "temporary table"),
    ("CREATE TABLE 'temp'.t (a)", "unknown statement"),
    ("CREATE VIEW temp.v AS SELECT 1", "temporary table"),
    ("SELECT load_extension('x')", "loaded extension"),
    ("SELECT icu_load_collation('tr_TR', 'turkish')", "loaded extension"),
    ("BEGIN IMMEDIATE", TRANSACTION),
    ("BEGIN EXCLUSIVE TRANSACTION", TRANSACTION),
    ("END TRANSACTION", TRANSACTION),
    ("CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END; PRAGMA x = 1", "PRAGMA"),
    ("CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u;", "unknown statement"),
    ("CREATE TABLE t (a); BEGIN; PRAGMA x = 1; END", "PRAGMA"),
    ("SELECT /* /* */ 1; PRAGMA x = 1", "PRAGMA"),
    ("SELECT [a]]; PRAGMA x = 1 --]", "PRAGMA"),
    ("SELECT a /* never closed", "unknown statement"),
    ("SELECT 'never closed", "unknown statement"),
    ('SELECT "never closed', "unknown statement"),
    ("SELECT `never closed", "unknown statement"),
    ("\ufeffSELECT 1", "unknown statement"),
]

MYSQL_CLEAN = [
    "SELECT LAST_INSERT_ID()",
    "SELECT a FROM t USE INDEX (i) WHERE b = 1",
    "SELECT a FROM t USE KEY (i)",
    "SELECT a FROM t FORCE INDEX FOR JOIN (i)",
    "SELECT `use`, `set` FROM `exec`",
    "SELECT 'it\\'s', \"a\\\"b\" FROM t",
    "INSERT INTO t SET a = 1, b = 2",
    "INSERT IGNORE t SET a = 1",
    "REPLACE t SET a = 1",
    "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE b = VALUES(b)",
    "UPDATE t JOIN (SELECT a FROM u) x ON x.a = t.a SET b = 1",
    "SELECT /*!40001 SQL_NO_CACHE */ * FROM t",
    "SELECT a FROM t # it's a comment\nWHERE b = 1",
    "SELECT a FROM t LOCK IN SHARE MODE",
    "SELECT @x = 1",
    "SELECT a INTO OUTFILE 'x' FROM t",
    "SELECT 5--1",
    "SELECT REPLACE(a, 'b', 'c') FROM t",
    'INSERT INTO t (color) VALUES ("#fff")',
    "SHOW TABLES",
    "DESCRIBE t",
    "DROP TEMPORARY TABLE t",
    "CREATE TABLE t (a SET('x', 'y'))",
    "EXPLAIN FORMAT=JSON SELECT a FROM t",
]

MYSQL_TAINTED = [
    ("SET NAMES utf8mb4", "SET"),
    ("SET @x = 1", "SET"),
    ("SET@x=1", "SET"),
    ("/*!40101 SET NAMES utf8 */", "SET"),
    ("/*M! SET NAMES utf8 */", "SET"),
    ("SELECT 1 /*! ; SET x = 1 */", "SET"),
    ("SELECT 5--1; SET x = 1", "SET"),
    ("SELECT 1 # it's\n; SET x = 1 -- '", "SET"),
    ("SELECT 'a\\''; SET x = 1; -- '", "SET"),
    ('SELECT "a\\""; SET x = 1; -- "', "SET"),
    ("USE other", "USE"),
    ("SELECT @x := 1", "user variable"),
    ("SELECT a, @row := @row + 1 FROM t", "user variable"),
    ("SELECT a FROM t WHERE b=1 AND@x:=5", "user variable"),
    ("SELECT @`x` := 1", "user variable"),
    ("SELECT @'x':=1", "user variable"),
    ("SELECT @a.b := 1", "user variable"),
    ("SELECT output INTO @x FROM t", "user variable"),
    ("DROP DATABASE d", "USE"),
    ("SELECT a INTO @x FROM t", "user variable"),
    ("SELECT a FROM t INTO @x, @y", "user variable"),
    ("SELECT a FROM t INTO @'x'", "user variable"),
    ("SELECT GET_LOCK('x', 10)", "application lock"),
    ("SELECT get_lock ('x', 10)", "application lock"),
    ("SELECT RELEASE_ALL_LOCKS()", "application lock"),
    ("UPDATE t SET id = LAST_INSERT_ID(id + 1)", "sequence value"),
    ("CREATE TEMPORARY TABLE t (a int)", "temporary table"),
    ("LOCK TABLES t WRITE", "table lock"),
    ("LOCK TABLE t READ", "table lock"),
    ("UNLOCK TABLES", "table lock"),
    ("PREPARE q FROM 'SELECT 1'", "prepared statement"),
    ("CALL p(1)", "procedure"),
    ("HANDLER t OPEN", "unknown statement"),
    ("FLUSH TABLES WITH READ LOCK", "unknown statement"),
    ("START TRANSACTION WITH CONSISTENT SNAPSHOT", TRANSACTION),
    ("START REPLICA", "unknown statement"),
    ("BEGIN NOT ATOMIC SELECT 1; END", "procedure"),
]

ORACLE_CLEAN = [
    "SELECT 1 FROM dual",
    "SELECT a FROM t@remote WHERE b = :b AND ROWNUM <= 10",
    "SELECT /*+ INDEX(t i) USE_NL(t u) */ a FROM t",
    "SELECT q'[it's; SET]', nq'{a'b}', q'!x'y!' FROM dual",
    "SELECT dbms_lob.getlength(a) FROM t",
    "MERGE INTO t USING dual ON (a = :a) WHEN MATCHED THEN UPDATE SET b = :b DELETE WHERE b = 1 "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (:a)",
    "ALTER USER u IDENTIFIED BY x",
    "SELECT name#, sys$x FROM v$session",
]

ORACLE_TAINTED = [
    ("ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY'", "SET"),
    ("SELECT s.NEXTVAL FROM dual", "sequence value"),
    ("INSERT INTO t (id) VALUES (s.nextval)", "sequence value"),
    ("SELECT q'[']', s.nextval, ''']' FROM dual", "sequence value"),
    ("BEGIN dbms_lock.sleep(1); END;", "procedure"),
    ("DECLARE x NUMBER; BEGIN NULL; END;", "cursor"),
    ("SELECT dbms_session.unique_session_id FROM dual", "procedure"),
    ("CREATE PRIVATE TEMPORARY TABLE ora$ptt_t (a int)", "temporary table"),
    ("SET ROLE r", "SET"),
    ("LOCK TABLE t IN SHARE MODE", TRANSACTION),
    ("CREATE PROCEDURE p IS BEGIN IF 1 = 1 THEN NULL; END IF; END;", TRANSACTION),
    ("EXPLAIN PLAN FOR SELECT a FROM t", "unknown statement"),
]

CLEAN = [
    *ANY_DATABASE_CLEAN,
    *SQL_SERVER_CLEAN,
    *POSTGRESQL_CLEAN,
    *SQLITE_CLEAN,
    *MYSQL_CLEAN,
    *ORACLE_CLEAN,
]
TAINTED = [*SQL_SERVER_TAINTED, *POSTGRESQL_TAINTED, *SQLITE_TAINTED, *MYSQL_TAINTED, *ORACLE_TAINTED]


@pytest.mark.parametrize("sql", CLEAN, ids=repr)
def test_a_clean_statement_leaves_nothing(sql: str) -> None:
    assert effect_of(sql).taint is None


@pytest.mark.parametrize(("sql", "taint"), TAINTED, ids=repr)
def test_a_statement_that_leaves_something_says_what(sql: str, taint: str) -> None:
    assert effect_of(sql).taint == taint


# -- rows inserted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (a) VALUES (1)",
        "SELECT 1; insert into t values (1)",
        "REPLACE t SET a = 1",
        "REPLACE INTO t (a) VALUES (1)",
        "MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
        "WITH x AS (INSERT INTO t (a) VALUES (1) RETURNING a) SELECT a FROM x",
        "SELECT a INTO u FROM t",
        "COPY t FROM STDIN",
        "CREATE TABLE u AS SELECT a FROM t",
        "CREATE TABLE u SELECT a FROM t",
        "ALTER TABLE t ADD COLUMN id SERIAL",
        "UPDATE t SET id = DEFAULT",
        "BULK INSERT t FROM 'x'",
        "EXEC p",
        "{call p}",
        "EXECUTE q",
        "PREPARE q AS INSERT INTO t (a) VALUES (1)",
        "whatever",
        "SELECT 'never closed",
    ],
    ids=repr,
)
def test_what_may_insert_is_said_to(sql: str) -> None:
    assert effect_of(sql).inserts


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT a FROM t WHERE b = 'INSERT INTO t'",
        'SELECT "insert" FROM t -- INSERT',
        "SELECT REPLACE(a, 'b', 'c') FROM t",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "CREATE TABLE t (a INT)",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "ALTER TABLE t DROP COLUMN a",
        "COPY t TO STDOUT",
        "SET x = 1",
        "PRAGMA foreign_keys = ON",
        "COMMIT",
        "SELECT lastval()",
    ],
    ids=repr,
)
def test_what_cannot_insert_is_said_so(sql: str) -> None:
    assert not effect_of(sql).inserts


# -- whatever is given -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", [None, b"SELECT 1", bytearray(), 7, ["SELECT 1"], object], ids=repr)
def test_what_is_no_text_may_do_anything(sql: object) -> None:
    assert effect_of(sql) == Effect(taint="not text", inserts=True)


def test_a_text_of_a_type_of_its_own_is_read_as_the_text_that_it_is() -> None:
    class Quoted(str):
        __hash__ = None  # type: ignore[assignment]  # cannot be looked up in any cache

        def __str__(self) -> str:
            return "SELECT 1"

    assert effect_of(Quoted("SET x = 1")).taint == "SET"
    assert effect_of(Quoted("SELECT 2")).taint is None


@pytest.mark.parametrize("length", [3_900, 4_100, 40_000])
def test_long_texts_are_read_to_their_end(length: int) -> None:
    long_select = "SELECT a FROM t WHERE b IN (" + "?, " * (length // 3) + "?)"
    assert effect_of(long_select) == Effect(taint=None, inserts=False)
    assert effect_of(f"{long_select}; SET x = 1").taint == "SET"


def test_the_reason_says_nothing_of_the_text() -> None:
    for sql, _ in TAINTED:
        assert effect_of(sql + " secret").taint in REASONS


REASONS = {reason for _, reason in TAINTED}
_SQL_PIECES = st.sampled_from([
    "'", '"', "`", "[", "]", "\\", "/*", "*/", "/*!", "--", "#", ";", "$", "$a$", "q'[", "E'", "@",
    ":=", ".", "=", "?", "(", ")", "{", "}", " ", " ", "\n", "\r", "\0", "1", "x", "é", "\ud800", "\ufeff",
    "SET", "UPDATE", "SELECT", "CREATE", "TRIGGER", "BEGIN", "END", "CASE", "EXPLAIN", "DECLARE",
    "INTO", "TEMP", "USE", "EXEC",
])  # fmt: skip
any_text = st.text() | st.lists(_SQL_PIECES, max_size=30).map("".join)


@given(any_text)
def test_any_text_has_an_answer(text: str) -> None:
    effect = effect_of(text)
    assert effect.taint is None or effect.taint in REASONS
    assert effect == effect_of(text)


@given(any_text)
def test_nothing_behind_it_takes_a_taint_away(text: str) -> None:
    assert effect_of(f"SET x = 1;{text}").taint == "SET"


# Where a literal with a backslash ends is another question in each database.
@given(st.sampled_from([sql for sql in ANY_DATABASE_CLEAN if "\\" not in sql]), st.sampled_from(TAINTED))
def test_one_tainting_statement_taints_the_whole_text(sql: str, tainting: tuple[str, str]) -> None:
    for text in (f"{sql}\n;{tainting[0]}", f"{tainting[0]}\n;{sql}"):
        taint = effect_of(text).taint
        assert taint is not None
        assert taint != TRANSACTION or tainting[1] == TRANSACTION


def _without_quotes(sql: str) -> bool:
    return not any(mark in sql for mark in ("'", '"', "`", "[", "$", "--", "/*", "#"))


SPACED = [sql for sql in CLEAN + [sql for sql, _ in TAINTED] if " " in sql and _without_quotes(sql)]
_remarks = st.text(st.characters(exclude_characters="*/\r\n!M", exclude_categories=["Cs"]), max_size=12)
gaps = (
    st.text(" \t\n\r\f", min_size=1, max_size=4)
    | _remarks.map(lambda remark: f" /*{remark}*/ ")
    | _remarks.map(lambda remark: f"/* it's; SET {remark}*/")
    | _remarks.map(lambda remark: f"-- don't; USE {remark}\n")
)


@given(st.data())
def test_comments_and_white_space_change_nothing(data: st.DataObject) -> None:
    sql = data.draw(st.sampled_from(SPACED))
    words = sql.split(" ")
    spaced = words[0] + "".join(data.draw(gaps) + word for word in words[1:])
    assert effect_of(spaced) == effect_of(sql)


@pytest.mark.parametrize("template", ["'{}'", "N'{}'", "E'{}'", "$q${}$q$", "x'{}'"])
@given(content=st.text(st.characters(exclude_characters="\\$"), max_size=20) | any_text)
def test_what_a_literal_says_changes_nothing(template: str, content: str) -> None:
    literal = template.format(content.replace("\\", "").replace("$", "").replace("'", "''"))
    assert effect_of(f"SELECT {literal}, a FROM t") == Effect(taint=None, inserts=False)
    assert effect_of(f"SELECT {literal} SET LANGUAGE French") == Effect(taint="SET", inserts=False)


@given(st.sampled_from(CLEAN + [sql for sql, _ in TAINTED]))
def test_small_and_capital_letters_are_one(sql: str) -> None:
    if "$" not in sql and "M!" not in sql:  # the tags of dollar quotes have a case, and so has MariaDB's M!
        assert effect_of(sql.lower()) == effect_of(sql.upper()) == effect_of(sql)


# -- what it costs ---------------------------------------------------------------------------------------

HOSTILE = [
    "'",
    "'\\",
    '"',
    "`",
    "[",
    "/*",
    "/**/",
    "--",
    "--\n",
    ";",
    "$a",
    "$$",
    "BEGIN ",
    "SET ",
    " INTO @",
]


def _calls(function: Callable[[], object]) -> int:
    """How many functions, of Python's or of C's, a call calls."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_twice_the_text_is_twice_the_work(piece: str) -> None:
    once, twice = "SELECT " + piece * 5_000, "SELECT " + piece * 10_000
    assert _calls(lambda: effect_of(twice)) < 2.1 * _calls(lambda: effect_of(once)) + 100


# What the patterns do inside cannot be counted; but whatever is quadratic would not be done today.
@pytest.mark.parametrize("piece", ["'", '"', "[", "/*", "--' \n", ";", "$a$b", ": = "], ids=repr)
def test_a_megabyte_of_anything_comes_to_an_end(piece: str) -> None:
    effect = effect_of("SELECT " + piece * (1_000_000 // len(piece)))
    assert effect.taint in (None, *REASONS)


# -- the example -----------------------------------------------------------------------------------------


def _statements_of_the_example() -> list[str]:
    """All texts in its repositories that look like SQL, with a parameter for whatever is filled in."""
    texts = []
    for path in sorted((EXAMPLE / "src" / "wats" / "db" / "repositories").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            values = [part.value if isinstance(part, ast.Constant) else "?" for part in parts]
            texts.append("".join(value for value in values if isinstance(value, str)).strip())
    return [text for text in texts if text.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]


def test_the_example_leaves_nothing_behind() -> None:
    statements = _statements_of_the_example()
    assert len(statements) > 20
    for sql in statements:
        assert effect_of(sql) == Effect(taint=None, inserts=sql.startswith("INSERT")), sql


def test_no_pattern_is_compiled_by_a_statement_when_all_are_ready() -> None:
    statements.get_ready()
    before = statements._compiled.cache_info()
    assert before.currsize == len({pattern for _, pattern in statements._SUSPECTS.values()})
    for token in statements._SUSPECTS:
        effect_of(f"SELECT 1 FROM a WHERE {token} ( b ) -- {uuid.uuid4()}")
    assert statements._compiled.cache_info().misses == before.misses


def test_importing_it_compiles_hardly_any_pattern() -> None:
    program = (
        "import re; compiled = []; real = re.compile;"
        "re.compile = lambda *args: compiled.append(args) or real(*args);"
        "import wats_accel.pool.statements; print(len(compiled))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 60
