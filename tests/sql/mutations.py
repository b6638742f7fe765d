"""Mutations: statements that are spoilt at random, word by word; those that a database still takes are read.

Seeds are written with a blank between all words, so that any of them can be moved, lost or replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

_MOST_WORDS: Final = 60
_MOST_KEPT: Final = 2_000

SQLITE: Final = r"""
SELECT a , b FROM t WHERE c = 1 ORDER BY d
SELECT t . a , u . e FROM t JOIN u ON t . a = u . a WHERE t . b > u . d
SELECT * FROM t LEFT JOIN u USING ( a ) WHERE x IS NULL
SELECT count ( * ) FROM v NATURAL JOIN u GROUP BY z HAVING max ( y ) > 1
SELECT ( SELECT max ( e ) FROM u WHERE u . a = t . a ) AS m FROM t ORDER BY m
WITH q AS ( SELECT a , b FROM t ) SELECT q . a FROM q , v WHERE q . b = v . x
WITH RECURSIVE q ( n ) AS ( SELECT a FROM t UNION ALL SELECT n + x FROM q , v WHERE n < 3 ) SELECT n FROM q
SELECT a FROM t UNION SELECT x FROM v ORDER BY 1 LIMIT 3 OFFSET 1
INSERT INTO t ( a , b ) SELECT x , y FROM v WHERE z IN ( SELECT a FROM u )
INSERT INTO w ( a ) VALUES ( 1 ) ON CONFLICT ( a ) DO UPDATE SET b = excluded . b , name = w . type \
WHERE w . k > 2
INSERT OR REPLACE INTO w VALUES ( 1 , 2 , ( SELECT a FROM t ) , 4 , 5 )
UPDATE t SET a = b , c = ( SELECT x FROM v WHERE v . a = t . d ) WHERE key = 1
UPDATE t SET ( a , b ) = ( SELECT x , y FROM v ) WHERE value IS NOT NULL RETURNING c
UPDATE t AS q SET a = v . x FROM v JOIN u ON v . a = u . a WHERE q . b = u . e
UPDATE OR IGNORE w SET name = 'x' WHERE k = 1
DELETE FROM t WHERE a IN ( SELECT x FROM v WHERE y = t . b ) RETURNING a , b
SELECT sum ( a ) OVER ( PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND CURRENT ROW ) FROM t \
WINDOW win AS ( ORDER BY d )
SELECT CASE a WHEN b THEN c ELSE d END , CASE WHEN key THEN value END FROM t
SELECT a FROM t WHERE EXISTS ( SELECT 1 FROM u WHERE u . d = b AND e BETWEEN 1 AND c )
SELECT q . m FROM ( SELECT a AS m , count ( * ) FROM t GROUP BY b ) AS q WHERE m LIKE 'x' ESCAPE '!'
SELECT a FROM t WHERE ( a , b ) IN ( SELECT x , y FROM v ) OR c IN u
SELECT value , e . key FROM t , json_each ( t . d ) AS e WHERE e . type = 'x'
SELECT a COLLATE NOCASE , CAST ( b AS TEXT ) , NOT c , - d FROM t AS "q r" WHERE [q r] . a = `b`
VALUES ( 1 , ( SELECT a FROM t ) ) , ( 2 , 3 )
SELECT rowid , a FROM w WHERE oid = 1 AND name GLOB type
SELECT DISTINCT a , b AS c FROM t INDEXED BY ix WHERE a = 1 ORDER BY c DESC NULLS LAST
SELECT 1 FROM t AS u , u AS t WHERE t . e = u . b AND x = value
REPLACE INTO w ( k , a ) SELECT a , x FROM u WHERE f NOT NULL
SELECT ( WITH q AS ( SELECT x FROM v ) SELECT x FROM q WHERE x = t . a ) FROM t
SELECT a -> '$.x' , b ->> c FROM t WHERE a IS DISTINCT FROM b
SELECT rank FROM "left" WHERE a ISNULL AND b NOTNULL
DELETE FROM w WHERE k = ( SELECT max ( k ) FROM w )
SELECT t . u . x FROM v AS t
SELECT main . t . a , u . * FROM main . t , u
SELECT a FROM t EXCEPT SELECT a FROM u INTERSECT SELECT x FROM v
INSERT INTO v SELECT * FROM u WHERE true ON CONFLICT DO NOTHING
INSERT INTO t DEFAULT VALUES RETURNING *
SELECT iif ( a , b , c ) , coalesce ( d , key ) FROM t GROUP BY value , a + b
"""
"""Over t(a, b, c, d, key, value), u(a, d, e, f, x, y), v(x, y, z, a, t, u), w(k, a, b, name, type)."""

POSTGRES: Final = r"""
SELECT a , b FROM t WHERE c = 1 ORDER BY d
SELECT t . a , u . e FROM t JOIN u ON t . a = u . a WHERE t . b > u . d
SELECT * FROM t LEFT JOIN u USING ( a ) WHERE x IS NULL
SELECT count ( * ) FROM v NATURAL JOIN u GROUP BY z HAVING max ( y ) > 1
SELECT ( SELECT max ( e ) FROM u WHERE u . a = t . a ) AS m FROM t ORDER BY m
WITH q AS ( SELECT a , b FROM t ) SELECT q . a FROM q , v WHERE q . b = v . x
WITH RECURSIVE q ( n ) AS ( SELECT a FROM t UNION ALL SELECT n + x FROM q , v WHERE n < 3 ) SELECT n FROM q
WITH q AS ( DELETE FROM t WHERE a = 1 RETURNING b , c ) SELECT b FROM q JOIN v ON q . c = v . x
WITH q AS ( UPDATE t SET a = 1 RETURNING * ) , r AS ( INSERT INTO u ( a ) SELECT b FROM q RETURNING e ) \
SELECT * FROM r
SELECT a FROM t UNION SELECT x FROM v ORDER BY 1 LIMIT 3 OFFSET 1
INSERT INTO t ( a , b ) SELECT x , y FROM v WHERE z IN ( SELECT a FROM u ) RETURNING t . c
INSERT INTO w AS i ( k , a ) VALUES ( 1 , 2 ) ON CONFLICT ( a ) DO UPDATE SET b = excluded . b , name = \
i . type WHERE i . k > 2
UPDATE t SET a = b , c = ( SELECT x FROM v WHERE v . a = t . d ) WHERE key = 1
UPDATE t SET ( a , b ) = ( SELECT x , y FROM v ) WHERE value IS NOT NULL RETURNING c
UPDATE t AS q SET a = v . x FROM v JOIN u ON v . a = u . a WHERE q . b = u . e
DELETE FROM t USING u , v WHERE t . a = u . a AND v . x = t . b RETURNING t . c , u . *
SELECT sum ( a ) FILTER ( WHERE d > 1 ) OVER ( PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND \
CURRENT ROW EXCLUDE TIES ) FROM t WINDOW win AS ( ORDER BY d )
SELECT CASE a WHEN b THEN c ELSE d END , CASE WHEN key = 1 THEN value END FROM t
SELECT a FROM t WHERE EXISTS ( SELECT 1 FROM u WHERE u . d = b AND e BETWEEN 1 AND c )
SELECT q . m FROM ( SELECT a AS m , count ( * ) FROM t GROUP BY a ) AS q WHERE m > 1
SELECT a FROM t WHERE ( a , b ) IN ( SELECT x , y FROM v ) OR c = ANY ( SELECT a FROM u )
SELECT t , u FROM t , u WHERE t IS NOT NULL
SELECT row_to_json ( t ) , ( u ) . a , ( u . * ) :: text FROM t , u
SELECT DISTINCT ON ( a , b ) c FROM t ORDER BY a , b , d
SELECT l . m FROM t , LATERAL ( SELECT e AS m FROM u WHERE u . a = t . a ORDER BY f LIMIT 1 ) l
SELECT a :: text , b :: numeric ( 10 , 2 ) , CAST ( c AS text ) FROM t
SELECT ARRAY [ a , b ] , ( ARRAY ( SELECT x FROM v ) ) [ 1 ] , j -> 'x' ->> 'y' FROM t , p
SELECT j ? name , arr [ 1 ] , arr [ k : k ] , j @> j2 FROM p
SELECT e . v , e . n FROM p , unnest ( arr ) WITH ORDINALITY AS e ( v , n ) WHERE k = 1
SELECT x . key FROM p , jsonb_each ( j ) AS x WHERE x . value = j2
SELECT string_agg ( name , ',' ORDER BY k ) , percentile_cont ( 0.5 ) WITHIN GROUP ( ORDER BY k ) FROM p \
GROUP BY GROUPING SETS ( ( nota ) , ( ) )
SELECT extract ( epoch FROM ts ) , substring ( name FROM 1 FOR k ) , position ( name IN nota ) , trim ( \
BOTH name FROM nota ) FROM p
SELECT ts AT TIME ZONE name , name COLLATE "C" , k OPERATOR ( pg_catalog.+ ) k , name ~* nota FROM p
SELECT ( c ) . r1 , ( c ) . * FROM p
UPDATE p SET c . r1 = k , arr [ 1 ] = 2 WHERE name LIKE nota ESCAPE '!'
TABLE t
VALUES ( 1 , ( SELECT a FROM t ) ) , ( 2 , 3 )
SELECT a FROM ( t LEFT JOIN u USING ( a , d ) ) WHERE e = f
SELECT j1 . a FROM ( t JOIN u USING ( a ) ) AS j1 WHERE j1 . e = 1
SELECT a FROM t EXCEPT ( SELECT a FROM u INTERSECT SELECT x FROM v )
SELECT 1 FROM t AS u , u AS t WHERE t . e = u . b AND x = value
SELECT z . g FROM generate_series ( 1 , 3 ) AS z ( g ) , t WHERE z . g = t . a
SELECT q . two FROM ( VALUES ( 1 , 2 ) ) AS q ( one , two ) JOIN t ON q . one = t . a
SELECT a , rank ( ) OVER w FROM t WINDOW w AS ( PARTITION BY b )
MERGE INTO t USING u ON t . a = u . a WHEN MATCHED AND u . d > 1 THEN UPDATE SET b = u . e WHEN NOT \
MATCHED THEN INSERT ( a , b ) VALUES ( u . a , u . f )
SELECT coalesce ( a , b ) , greatest ( c , d ) , nullif ( a , b ) FROM t GROUP BY a , b , c , d
SELECT interval '1 day' * k , date '2020-01-01' - ts , now ( ) FROM p
SELECT k FROM p TABLESAMPLE BERNOULLI ( 10 ) REPEATABLE ( 1 ) WHERE name IS DISTINCT FROM nota FOR UPDATE
SELECT ctid , xmin , a FROM t
SELECT s . t . a , s . t . * FROM s . t
"""
"""Over the same tables, s.t(a, b) and p(k, name, nota, arr, j, j2, ts, c)."""

SQLITE_WORDS: Final = r"""
a b c d e f x y z k t u v w q key value name type rank rowid t.a u.a v.x w.k q.a t.* u.* * ( ) , . = < >
+ - || AND OR NOT IS NULL IN LIKE GLOB BETWEEN AS ON USING JOIN LEFT RIGHT FULL INNER CROSS NATURAL
OUTER FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET UNION ALL EXCEPT INTERSECT SELECT DISTINCT VALUES
CASE WHEN THEN ELSE END EXISTS WITH RECURSIVE MATERIALIZED INSERT UPDATE DELETE SET INTO REPLACE DO
CONFLICT RETURNING excluded EXISTS ISNULL NOTNULL COLLATE NOCASE CAST TEXT OVER PARTITION ROWS RANGE
FILTER WINDOW DESC ASC NULLS FIRST LAST INDEXED ix 'x' 'a' "a" "t" [b] `c` "left" left 1 ? :p @q
count(*) max( (SELECT /*x*/ -> ->> == <> ~ ESCAPE MATCH REGEXP IF ABORT FAIL ROLLBACK IGNORE GENERATED
ALWAYS CURRENT ROW FOLLOWING PRECEDING UNBOUNDED EXCLUDE TIES OTHERS GROUPS NO ACTION KEY PLAN QUERY
TEMP VIEW TRIGGER BEFORE AFTER EACH OF FOR x'00' 1e3 current_timestamp true false
"""

POSTGRES_WORDS: Final = r"""
a b c d e f x y z k t u v w p q s key value name nota arr j j2 ts type rank ctid t.a u.a v.x w.k q.a
s.t.a t.* u.* * ( ) , . = < > + - || AND OR NOT IS NULL IN LIKE ILIKE ~ ~* BETWEEN SYMMETRIC AS ON USING
JOIN LEFT RIGHT FULL INNER CROSS NATURAL OUTER LATERAL FROM ONLY WHERE GROUP BY ORDER HAVING LIMIT
OFFSET FETCH FIRST ROWS UNION ALL EXCEPT INTERSECT SELECT DISTINCT VALUES TABLE CASE WHEN THEN ELSE END
EXISTS WITH RECURSIVE MATERIALIZED INSERT UPDATE DELETE SET INTO DO CONFLICT RETURNING excluded ANY SOME
ARRAY ROW [ ] : :: text COLLATE "C" CAST OVER PARTITION RANGE FILTER WINDOW DESC ASC NULLS LAST 'x' 'a'
"a" "t" "key" $$a$$ U&'x' 1 $1 count(*) max( (SELECT /*x*/ -> ->> @> ? == <> ESCAPE row_to_json( unnest(
coalesce( FOR SHARE OF SKIP LOCKED WITHIN GROUPING SETS ROLLUP CUBE CURRENT_DATE INTERVAL date timestamp
UNKNOWN TRUE interval start option output window lock variadic by first no action
"""


class Mutations:
    """Spoils statements; those that are told to be whole all the same are spoilt further.

    Args:
        seeds: statements, one a line, with blanks between their words.
        words: what is put into them besides.
        random: says what comes next.
    """

    def __init__(self, seeds: str, words: str, random: Random) -> None:
        self._seeds = [line.split(" ") for line in seeds.replace(" \\\n", " ").strip().splitlines()]
        self._words = words.split()
        self._random = random
        self._whole = list(self._seeds)

    def seeds(self) -> Iterator[str]:
        """All of them, as they are."""
        yield from map(" ".join, self._seeds)

    def take(self, number: int) -> Iterator[str]:
        """So many spoilt statements."""
        for _ in range(number):
            words = list(self._random.choice(self._whole))
            for _ in range(self._random.choice((1, 1, 1, 2, 2, 3))):
                self._spoil(words)
            if len(words) <= _MOST_WORDS:
                yield " ".join(words)

    def keep(self, statement: str) -> None:
        """Of what was taken: it is whole."""
        if len(self._whole) >= _MOST_KEPT:
            self._whole.pop(self._random.randrange(len(self._seeds), len(self._whole)))
        self._whole.append(statement.split(" "))

    def _spoil(self, words: list[str]) -> None:
        random = self._random
        place = random.randrange(len(words) + 1)
        how = random.random()
        if how < 0.25:
            del words[place : place + 1]
        elif how < 0.55:
            words.insert(place, random.choice(self._words))
        elif how < 0.75:
            words[place : place + 1] = [random.choice(self._words)]
        elif how < 0.9:
            words[place:place] = self._part_of(random.choice(self._seeds))
        else:
            words[place:place] = self._part_of(words)

    def _part_of(self, words: Sequence[str]) -> list[str]:
        if not words:
            return []
        start = self._random.randrange(len(words))
        return list(words[start : start + self._random.randrange(1, 9)])
