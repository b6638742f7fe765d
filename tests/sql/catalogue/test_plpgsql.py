"""PL/pgSQL taken apart: the statements and expressions that a body holds, and what it sets in its row."""

from __future__ import annotations

import pytest

from wats_accel.sql.catalogue.plpgsql import body_of

STATEMENTS = [
    ("BEGIN DELETE FROM t WHERE id = OLD.id; RETURN OLD; END", ["DELETE FROM t WHERE id = OLD.id"]),
    ("BEGIN PERFORM f(1); END", ["SELECT f(1)"]),
    ("BEGIN PERFORM a FROM t; END", ["SELECT a FROM t"]),
    ("BEGIN RETURN QUERY SELECT a FROM t; END", ["SELECT a FROM t"]),
    ("BEGIN RETURN (SELECT a FROM t); END", ["SELECT (SELECT a FROM t)"]),
    ("BEGIN x := count(*) FROM t; y = f(2); END", ["SELECT count(*) FROM t", "SELECT f(2)"]),
    ('BEGIN r.x[1] := f(1); "Odd name"[2].y = f(2); END', ["SELECT f(1)", "SELECT f(2)"]),
    ("BEGIN SELECT a, b INTO STRICT x, r.y FROM t; END", ["SELECT a, b  FROM t"]),
    ("BEGIN SELECT INTO x a FROM t; END", ["SELECT a FROM t"]),
    ("BEGIN INSERT INTO t VALUES (1) RETURNING id INTO x; END", ["INSERT INTO t VALUES (1) RETURNING id"]),
    (
        "BEGIN IF EXISTS (SELECT 1 FROM u) THEN DELETE FROM t; ELSE NULL; END IF; END",
        ["SELECT EXISTS (SELECT 1 FROM u)", "DELETE FROM t"],
    ),
    (
        "BEGIN IF CASE WHEN a THEN f() ELSE g() END THEN DELETE FROM t; END IF; END",
        ["SELECT CASE WHEN a THEN f() ELSE g() END", "DELETE FROM t"],
    ),
    (
        "BEGIN UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END WHERE c = 3; END",
        ["UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END WHERE c = 3"],
    ),
    (
        "BEGIN CASE x WHEN 1 THEN DELETE FROM t; ELSE DELETE FROM u; END CASE; END",
        ["DELETE FROM t", "DELETE FROM u"],
    ),
    (
        "BEGIN FOR r IN SELECT a FROM q LOOP DELETE FROM t; END LOOP; END",
        ["SELECT a FROM q", "DELETE FROM t"],
    ),
    (
        "BEGIN FOR i IN REVERSE 1..f(3) BY 2 LOOP DELETE FROM t; END LOOP; END",
        ["SELECT f(3)", "DELETE FROM t"],
    ),
    ("BEGIN FOREACH x IN ARRAY f(1) LOOP NULL; END LOOP; END", ["SELECT f(1)"]),
    ("BEGIN <<outer>> WHILE f() LOOP EXIT outer WHEN g(); END LOOP; END", ["SELECT f()", "SELECT g()"]),
    (
        "DECLARE c CURSOR FOR SELECT a FROM t; x int := f(1); y ALIAS FOR $1; BEGIN OPEN c; END",
        ["SELECT a FROM t", "SELECT f(1)"],
    ),
    ("BEGIN OPEN c FOR SELECT a FROM t; FETCH c INTO x; CLOSE c; END", ["SELECT a FROM t"]),
    (
        "BEGIN DELETE FROM t; EXCEPTION WHEN no_data OR SQLSTATE '22012' THEN INSERT INTO e VALUES (1); END",
        ["DELETE FROM t", "INSERT INTO e VALUES (1)"],
    ),
    (
        "BEGIN -- ; BEGIN\n DELETE FROM t WHERE a = ';' AND b = $$;$$ /* ; */; END",
        ["DELETE FROM t WHERE a = ';' AND b = $$;$$"],
    ),
    ("BEGIN RAISE NOTICE '% %', a, f(1); CALL p(1); END", ["SELECT f(1)", "CALL p(1)"]),
    ("BEGIN BEGIN DELETE FROM t; END; END", ["DELETE FROM t"]),
    ("BEGIN /* a /* nested */ comment = */ DELETE FROM t WHERE a = 1; END", ["DELETE FROM t WHERE a = 1"]),
    ("BEGIN x := a[f(1)]; y := j['a]']; DELETE FROM t; END", ["SELECT a[f(1)]", "DELETE FROM t"]),
    ("BEGIN x[y = 1] := f(2); END", ["SELECT f(2)"]),
]


@pytest.mark.parametrize(("text", "expected"), STATEMENTS)
def test_every_statement_and_every_expression_that_may_read_is_found(text: str, expected: list[str]) -> None:
    body = body_of(text)
    assert [" ".join(found.split()) for found in body.statements] == [
        " ".join(one.split()) for one in expected
    ]
    assert not body.is_dynamic


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN EXECUTE 'DELETE FROM ' || x; END",
        "BEGIN RETURN QUERY EXECUTE s; END",
        "BEGIN FOR r IN EXECUTE s LOOP NULL; END LOOP; END",
        "BEGIN OPEN c FOR EXECUTE s; END",
        "BEGIN DO $x$ BEGIN DELETE FROM t; END $x$; END",
        "BEGIN something unheard of; END",
        "BEGIN EXPLAIN ANALYZE DELETE FROM t WHERE a = 1; END",
        "BEGIN x + 1 = 2; END",
        "BEGIN MOVE RELATIVE f(1) FROM c; END",
    ],
)
def test_statements_that_are_built_at_run_time_are_noticed(text: str) -> None:
    assert body_of(text).is_dynamic


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("BEGIN NEW.changed := now(); RETURN NEW; END", {"changed"}),
        ('BEGIN NEW."Changed" = now(); RETURN NEW; END', {"changed"}),
        ("BEGIN IF NEW.a = OLD.a THEN NEW.b := 1; END IF; RETURN NEW; END", {"b"}),
        ("BEGIN SELECT a, b INTO NEW.a, x FROM t; RETURN NEW; END", {"a"}),
        ("BEGIN NEW := f(NEW); RETURN NEW; END", {"*"}),
        ("BEGIN SELECT * INTO NEW FROM t; RETURN NEW; END", {"*"}),
        ("BEGIN RETURN other; END", {"*"}),
        ("BEGIN RETURN NULL; END", set()),
        ("BEGIN RETURN OLD; END", set()),
        ("BEGIN GET DIAGNOSTICS NEW.n = ROW_COUNT; RETURN NEW; END", {"*"}),
    ],
)
def test_what_a_trigger_sets_in_its_row_is_found(text: str, columns: set[str]) -> None:
    assert body_of(text).sets_new == columns


def test_no_text_makes_it_fail() -> None:
    for text in (
        "",
        ";;",
        "BEGIN",
        "IF",
        "FOR x",
        "WHEN",
        "CASE",
        "NEW.",
        "SELECT INTO",
        "a :=",
        "<<",
        "END IF",
    ):
        body_of(text)
