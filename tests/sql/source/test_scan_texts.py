"""The texts of SQL that a method can send, however they are put together."""

from __future__ import annotations

import textwrap

import pytest
from scanned_trees import one_method, scanned, texts, unknown

CONSTANT = 'TABLE = "users"\nCOLUMNS = ("id", "name", "mail")\n'


def run_of(tmp_path, body, before="", dialect="sqlite"):
    """What `Repo.run(self, cursor, x, items)` sends."""
    source = f"{before}\nclass Repo:\n    table = 'things'\n    def run(self, cursor, x, items):\n"
    return one_method(
        tmp_path, source + textwrap.indent(textwrap.dedent(body).strip(), " " * 8), dialect=dialect
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('cursor.execute("SELECT a FROM t")', ["SELECT a FROM t"]),
        ('cursor.execute("SELECT a " "FROM t")', ["SELECT a FROM t"]),
        ('cursor.execute("SELECT a " + "FROM t")', ["SELECT a FROM t"]),
        ('cursor.execute(sql="SELECT a FROM t")', ["SELECT a FROM t"]),
        ('cursor.executemany("DELETE FROM t WHERE a = ?", items)', ["DELETE FROM t WHERE a = ?"]),
        ('cursor.executescript("DELETE FROM t; DELETE FROM u")', ["DELETE FROM t; DELETE FROM u"]),
        ('cursor.callproc("sp_x", (1,))', ["{call sp_x}"]),
        ('sql = "SELECT a"\nsql += " FROM t"\ncursor.execute(sql)', ["SELECT a FROM t"]),
        ('cursor.execute(f"SELECT a FROM {TABLE}")', ["SELECT a FROM users"]),
        ('cursor.execute(f"SELECT a FROM {self.table}")', ["SELECT a FROM things"]),
        ('cursor.execute("SELECT a FROM t WHERE b = %s" % x)', ["SELECT a FROM t WHERE b = ?"]),
        ('cursor.execute("SELECT a FROM %s WHERE b = %d" % (TABLE, x))', ["SELECT a FROM users WHERE b = ?"]),
        ('cursor.execute("SELECT %(c)s FROM t" % {"c": "a"})', ["SELECT a FROM t"]),
        ('cursor.execute("SELECT a FROM t WHERE b LIKE \'%%x\' AND c = %s" % x)',
         ["SELECT a FROM t WHERE b LIKE '%x' AND c = ?"]),
        ('cursor.execute("SELECT a FROM t WHERE b = %s", (x,))', ["SELECT a FROM t WHERE b = %s"]),
        ('cursor.execute("SELECT a FROM {} WHERE b = {}".format(TABLE, x))',
         ["SELECT a FROM users WHERE b = ?"]),
        ('cursor.execute("SELECT a FROM {t} WHERE b = {b}".format(t=TABLE, b=x))',
         ["SELECT a FROM users WHERE b = ?"]),
        ('cursor.execute("SELECT a FROM {0}, {0}2".format(TABLE))', ["SELECT a FROM users, users2"]),
        ('cursor.execute("SELECT a FROM @T".replace("@T", TABLE))', ["SELECT a FROM users"]),
        ('cursor.execute("  select a from t ;".strip().rstrip(";").strip())', ["select a from t"]),
        ('cursor.execute("SELECT " + ", ".join(COLUMNS) + " FROM t")', ["SELECT id, name, mail FROM t"]),
        ('cursor.execute("SELECT a FROM t WHERE b IN (" + ",".join("?" * len(items)) + ")")',
         ["SELECT a FROM t WHERE b IN (?)"]),
        ('cursor.execute("SELECT a FROM t WHERE b IN (%s)" % ",".join("?" for _ in items))',
         ["SELECT a FROM t WHERE b IN (?)"]),
        ('cursor.execute("SELECT a FROM t WHERE b IN ({})".format(", ".join(["?"] * 3)))',
         ["SELECT a FROM t WHERE b IN (?, ?, ?)"]),
        ('sets = ", ".join(f"{c} = ?" for c in COLUMNS)\ncursor.execute(f"UPDATE t SET {sets}")',
         ["UPDATE t SET id = ?, name = ?, mail = ?"]),
        ('sets = [c + " = ?" for c in COLUMNS if c in x]\ncursor.execute("UPDATE t SET " + ", ".join(sets))',
         ["UPDATE t SET id = ?, name = ?, mail = ?"]),
        ('cursor.execute("SELECT a FROM t" if x else "SELECT a FROM u")',
         ["SELECT a FROM t", "SELECT a FROM u"]),
        ('sql = x or "SELECT a FROM t"\ncursor.execute(sql)', ["SELECT a FROM t"]),
        ('sql = "SELECT a FROM t WHERE 1=1"\nfor i in items:\n    sql += " AND b = ?"\ncursor.execute(sql)',
         ["SELECT a FROM t WHERE 1=1", "SELECT a FROM t WHERE 1=1 AND b = ?",
          "SELECT a FROM t WHERE 1=1 AND b = ? AND b = ?"]),
        ('for t in ("a", "b"):\n    cursor.execute(f"DELETE FROM {t}")', ["DELETE FROM a", "DELETE FROM b"]),
        ('[cursor.execute(f"DELETE FROM {t}") for t in ("a", "b")]', ["DELETE FROM a", "DELETE FROM b"]),
        ('for n, t in enumerate(["a", "b"]):\n    cursor.execute(f"DELETE FROM {t}")',
         ["DELETE FROM a", "DELETE FROM b"]),
        ('for t, c in {"a": "x", "b": "y"}.items():\n    cursor.execute(f"DELETE FROM {t} WHERE {c} = 1")',
         ["DELETE FROM a WHERE x = 1", "DELETE FROM b WHERE y = 1"]),
        ('if (sql := "SELECT a FROM t"):\n    cursor.execute(sql)', ["SELECT a FROM t"]),
        ('match x:\n    case 1:\n        sql = "SELECT a FROM t"\n'
         '    case _:\n        sql = "SELECT a FROM u"\n'
         'cursor.execute(sql)', ["SELECT a FROM t", "SELECT a FROM u"]),
        ('try:\n    sql = "SELECT a FROM t"\nexcept KeyError:\n'
         '    sql = "SELECT a FROM u"\ncursor.execute(sql)',
         ["SELECT a FROM t", "SELECT a FROM u"]),
        ('sql, args = "SELECT a FROM t", (1,)\ncursor.execute(sql, args)', ["SELECT a FROM t"]),
        ('cursor.execute(*("SELECT a FROM t", (1,)))', ["SELECT a FROM t"]),
        ('args = {"sql": "SELECT a FROM t"}\ncursor.execute(**args)', ["SELECT a FROM t"]),
        ('parts = ["SELECT a FROM t"]\nif x:\n'
         '    parts.append("WHERE b = ?")\ncursor.execute(" ".join(parts))',
         ["SELECT a FROM t WHERE b = ?"]),
        ('parts = ["b = 1"]\nparts.extend(["c = 2"])\nparts += ["d = 3"]\n'
         'cursor.execute("SELECT a FROM t WHERE " + " AND ".join(parts))',
         ["SELECT a FROM t WHERE b = 1 AND c = 2 AND d = 3"]),
        ('q = {"one": "SELECT a FROM t", "two": "SELECT a FROM u"}\ncursor.execute(q["one"])',
         ["SELECT a FROM t"]),
        ('q = {"one": "SELECT a FROM t", "two": "SELECT a FROM u"}\ncursor.execute(q[x])',
         ["SELECT a FROM t", "SELECT a FROM u"]),
        ('q = {"one": "SELECT a FROM t"}\ncursor.execute(q.get(x, "SELECT a FROM u"))',
         ["SELECT a FROM t", "SELECT a FROM u"]),
        ('q = ["SELECT a FROM t", "SELECT a FROM u"]\ncursor.execute(q[-1])', ["SELECT a FROM u"]),
        ('for q in ["SELECT a FROM t", "SELECT a FROM u"]:\n    cursor.execute(q)',
         ["SELECT a FROM t", "SELECT a FROM u"]),
        ('import textwrap\ncursor.execute(textwrap.dedent("""\n  SELECT a\n  FROM t"""))',
         ["SELECT a FROM t"]),
        ('import string\ncursor.execute(string.Template("SELECT $c FROM ${t}").substitute(c="a", t=TABLE))',
         ["SELECT a FROM users"]),
        ('def inner(sql):\n    cursor.execute(sql)\ninner("SELECT a FROM t")', ["SELECT a FROM t"]),
        ('run = lambda sql: cursor.execute(sql)\nrun("SELECT a FROM t")', ["SELECT a FROM t"]),
        ('run = cursor.execute\nrun("SELECT a FROM t")', ["SELECT a FROM t"]),
        ('getattr(cursor, "execute")("SELECT a FROM t")', ["SELECT a FROM t"]),
        ('list(map(cursor.execute, ["SELECT a FROM t", "SELECT a FROM u"]))',
         ["SELECT a FROM t", "SELECT a FROM u"]),
        ('import functools\nfunctools.partial(cursor.execute, "SELECT a FROM t")((1,))', ["SELECT a FROM t"]),
        ('sql = "SELECT a FROM t WHERE "\nfor c in COLUMNS:\n'
         '    sql += c + " = ? AND "\ncursor.execute(sql[:-5])',
         ["SELECT a FROM t WHERE id = ? AND name = ? AND mail = ?"]),
        ('cursor.execute(" ".join("SELECT  a\\n FROM t".split()))', ["SELECT a FROM t"]),
        ('for q in "DELETE FROM a; DELETE FROM b".split(";"):\n    cursor.execute(q)',
         ["DELETE FROM a", "DELETE FROM b"]),
        ('cursor.execute("SELECT a FROM t -- , u\\nWHERE b = 1 /* x */")', ["SELECT a FROM t WHERE b = 1"]),
        ('with open(x) as f, cursor:\n    cursor.execute("SELECT a FROM t")', ["SELECT a FROM t"]),
        ('while x:\n    cursor.execute("SELECT a FROM t")\n    break\n'
         'else:\n    cursor.execute("SELECT a FROM u")',
         ["SELECT a FROM t", "SELECT a FROM u"]),
        ('return\ncursor.execute("SELECT a FROM t")', []),
        ('cursor.execute("SELECT a FROM t WHERE b = \'" + x + "\'")', ["SELECT a FROM t WHERE b = '?'"]),
        ('cursor.execute("SELECT a FROM t LIMIT " + str(int(x)))', ["SELECT a FROM t LIMIT ?"]),
        ('cursor.execute(f"SELECT TOP ({int(x)}) a FROM t")', ["SELECT TOP (?) a FROM t"]),
        ('cursor.execute(f"SELECT a FROM {x}.users")', ["SELECT a FROM {x}.users"]),
        ('import sqlalchemy as sa\ncursor.execute(sa.text("SELECT a FROM t"))', ["SELECT a FROM t"]),
        ('import pandas as pd\npd.read_sql("SELECT a FROM t", cursor)', ["SELECT a FROM t"]),
    ],
)  # fmt: skip
def test_a_text_is_found_however_it_is_put_together(tmp_path, body, expected):
    method = run_of(tmp_path, body, CONSTANT)
    assert texts(method) == expected
    assert not method.unknowns


@pytest.mark.parametrize(
    "body",
    [
        "cursor.execute(self.find(x))",
        "cursor.execute(open('nowhere.sql').read())",
        "cursor.execute(open(self.path).read())",
        "cursor.execute(json.loads(x)['sql'])",
        "import json\ncursor.execute(json.loads(x)['sql'])",
        "import subprocess\nsubprocess.run(x, cursor.execute)",
        "exec(self.code)",
        "getattr(self, self.which)()",
    ],
)
def test_what_cannot_be_told_is_said_to_be_unknown(tmp_path, body):
    method = run_of(tmp_path, body, "import json")
    assert method.unknowns


@pytest.mark.parametrize(
    ("body", "text", "hidden"),
    [
        (
            'cursor.execute(f"SELECT a FROM t WHERE {self.where}")',
            "SELECT a FROM t WHERE {self.where}",
            "reads",
        ),
        ('cursor.execute(f"SELECT {self.what} FROM t")', "SELECT {self.what} FROM t", "reads"),
        ('cursor.execute(f"SELECT a FROM {self.x}")', "SELECT a FROM {self.x}", "reads"),
        (
            'cursor.execute(f"SELECT a FROM t JOIN {self.x} ON 1=1")',
            "SELECT a FROM t JOIN {self.x} ON 1=1",
            "reads",
        ),
        ('cursor.execute(f"SELECT a FROM log_{self.x}")', "SELECT a FROM log_{self.x}", "reads"),
        ('cursor.execute(f"DELETE FROM {self.x} WHERE a = 1")', "DELETE FROM {self.x} WHERE a = 1", "both"),
        (
            'cursor.execute(f"INSERT INTO {self.x} (a) VALUES (?)")',
            "INSERT INTO {self.x} (a) VALUES (?)",
            "both",
        ),
        ('cursor.execute(f"UPDATE {self.x} SET a = 1")', "UPDATE {self.x} SET a = 1", "both"),
        ('cursor.execute(f"EXEC {self.x} ?")', "EXEC {self.x} ?", "both"),
        ('cursor.execute(f"{self.x} FROM t")', "{self.x} FROM t", "both"),
        ('cursor.execute(b"SELECT " + self.x)', "SELECT {self.x}", "reads"),
        ('cursor.execute(f"WITH c AS (SELECT 1) {self.x}")', "WITH c AS (SELECT 1) {self.x}", "both"),
        ('cursor.execute(f"UPDATE t {self.x}")', "UPDATE t {self.x}", "both"),
        ('cursor.execute(f"IF 1 = 1 {self.x}")', "IF 1 = 1 {self.x}", "both"),
        ('cursor.execute(f"SELECT a FROM t; {self.x}")', "SELECT a FROM t; {self.x}", "both"),
        ('cursor.execute(f"SELECT {self.f}(a) FROM t")', "SELECT {self.f}(a) FROM t", "reads"),
        ('cursor.execute(f"SELECT a FROM t {self.more}")', "SELECT a FROM t {self.more}", "reads"),
    ],
)
def test_a_part_that_is_not_known_is_named_with_what_it_may_hide(tmp_path, body, text, hidden):
    method = run_of(tmp_path, body)
    (statement,) = method.statements
    assert statement.text == text
    assert hidden in {each.hides for each in statement.facts.unknowns}
    assert all("unknown_part" not in table for table in statement.facts.reads)


def test_an_unknown_condition_may_ask_for_any_column(tmp_path):
    (statement,) = run_of(tmp_path, 'cursor.execute(f"SELECT a FROM t WHERE {self.where}")').statements
    assert statement.facts.reads.columns("t") == {"*"}


@pytest.mark.parametrize(
    "body",
    [
        'cursor.execute(f"UPDATE t SET {self.sets} WHERE b = 1")',
        'cursor.execute("UPDATE t SET " + ", ".join(f"{c} = ?" for c in self.columns) + " WHERE b = 1")',
        'cursor.execute(f"UPDATE t SET {self.column} = ? WHERE b = 1")',
        'cursor.execute(f"UPDATE t SET a = 1, {self.sets} WHERE b = 1")',
    ],
)
def test_an_unknown_assignment_may_set_any_column(tmp_path, body):
    (statement,) = run_of(tmp_path, body).statements
    (write,) = statement.facts.writes
    assert (write.table, write.event, write.columns) == ("t", "update", {"*"})


def test_an_unknown_order_asks_for_any_column_and_hides_nothing_else(tmp_path):
    (statement,) = run_of(tmp_path, 'cursor.execute(f"SELECT a FROM t ORDER BY {self.column}")').statements
    assert statement.facts.reads.columns("t") == {"*"}
    assert not statement.facts.unknowns


def test_values_hide_nothing(tmp_path):
    body = """
        cursor.execute(f"SELECT a FROM t WHERE b = {self.b} AND c IN ({self.c}, {self.d}) AND e LIKE {self.e}"
                       f" AND f BETWEEN {self.f} AND {self.g} LIMIT {self.h}")
        cursor.execute(f"INSERT INTO t (a, b) VALUES ({self.a}, {self.b})")
        cursor.execute(f"EXEC sp_x @a = {self.a}, @b = {self.b}")
    """
    method = run_of(tmp_path, body, dialect="tsql")
    assert not any(each.facts.unknowns for each in method.statements)
    assert not method.unknowns
    assert method.statements[0].facts.reads.columns("t") == {"a", "b", "c", "e", "f"}


def test_optional_filters_are_taken_together_when_they_are_too_many(tmp_path):
    filters = "\n".join(f'if items[{n}]:\n    sql += " AND c{n} = ?"' for n in range(12))
    method = run_of(tmp_path, f'sql = "SELECT a FROM t WHERE 1 = 1"\n{filters}\ncursor.execute(sql)')
    found = {column for each in method.statements for column in each.facts.reads.columns("t")}
    assert found >= {f"c{n}" for n in range(12)}
    assert not method.unknowns
    assert len(method.statements) <= 64


def test_alternatives_without_end_become_unknown(tmp_path):
    chosen = "\n".join(f'sql += " AND c{n} = ?" if items[{n}] else " AND d{n} = ?"' for n in range(12))
    method = run_of(tmp_path, f'sql = "SELECT a FROM t WHERE 1 = 1"\n{chosen}\ncursor.execute(sql)')
    hidden = [each for statement in method.statements for each in statement.facts.unknowns]
    assert method.unknowns or hidden


def test_constants_of_other_modules_are_found(tmp_path):
    facts = scanned(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/sql/__init__.py": "from .names import *",
            "pkg/sql/names.py": "USERS = 'users'\nQUERIES = {'all': f'SELECT a FROM {USERS}'}\n"
            "QUERIES['one'] = QUERIES['all'] + ' WHERE id = ?'",
            "pkg/repo.py": """
                import pkg.sql.names
                import pkg.sql.names as n
                from pkg import sql
                from pkg.sql import USERS as U, QUERIES
                from . import sql as relative
                from .sql.names import QUERIES as Q

                class Repo:
                    def run(self, c):
                        c.execute(pkg.sql.names.QUERIES["all"])
                        c.execute(n.QUERIES["all"] + " WHERE b = 1")
                        c.execute("DELETE FROM " + U)
                        c.execute(sql.QUERIES["all"] + " WHERE c = 1")
                        c.execute(relative.QUERIES["all"] + " WHERE d = 1")
                        c.execute(Q["one"])
            """,
        },
    )
    found = set(texts(facts.methods["pkg.repo:Repo.run"]))
    assert {
        "SELECT a FROM users",
        "SELECT a FROM users WHERE b = 1",
        "DELETE FROM users",
        "SELECT a FROM users WHERE c = 1",
        "SELECT a FROM users WHERE d = 1",
        "SELECT a FROM users WHERE id = ?",
    } <= found
    assert not unknown(facts, "pkg.repo:Repo.run")


def test_files_of_sql_are_read(tmp_path):
    for name in ("one", "two", "three", "four"):
        folder = tmp_path / ("pkg/sql" if name != "four" else "etc")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.sql").write_text(f"SELECT a FROM {name}", encoding="utf-8")
    facts = scanned(
        tmp_path,
        {
            "pkg/__init__.py": "",
            "pkg/sql/__init__.py": "",
            "pkg/repo.py": """
                import os
                from importlib import resources
                from pathlib import Path

                HERE = Path(__file__).resolve().parent
                TEXT = (HERE / "sql" / "one.sql").read_text(encoding="utf-8")

                def load(name):
                    with open(os.path.join(os.path.dirname(__file__), "sql", name + ".sql")) as file:
                        return file.read()

                class Repo:
                    def run(self, c):
                        c.execute(TEXT)
                        c.execute(load("two"))
                        c.execute(resources.files("pkg.sql").joinpath("three.sql").read_text())
                        c.execute(open("etc/four.sql").read())
            """,
        },
    )
    assert texts(facts.methods["pkg.repo:Repo.run"]) == [
        f"SELECT a FROM {n}" for n in ("one", "two", "three", "four")
    ]
    assert not unknown(facts, "pkg.repo:Repo.run")


def test_files_outside_the_tree_are_not_read(tmp_path):
    (tmp_path / "secret.sql").write_text("SELECT a FROM secret", encoding="utf-8")
    secret = f"{tmp_path.as_posix()}/secret.sql"
    body = f'cursor.execute(open("{secret}").read())\ncursor.execute(open("../secret.sql").read())'
    method = run_of(tmp_path / "tree", body)
    assert not texts(method)
    assert method.unknowns


def test_attributes_are_taken_from_where_they_are_stored(tmp_path):
    source = """
        class Dialect:
            TOP = ""
            def __init__(self, kind):
                if kind == "mssql":
                    self.NOW = "GETDATE()"
                    self.TRUE = "1"
                else:
                    self.NOW = "CURRENT_TIMESTAMP"
                    self.TRUE = "TRUE"

        class Repo:
            def __init__(self, dialect: "Dialect"):
                self.d = dialect

            def run(self, c):
                c.execute(f"SELECT a FROM t WHERE b < {self.d.NOW} AND c = {self.d.TRUE}{self.d.TOP}")
    """
    assert texts(one_method(tmp_path, source)) == [
        "SELECT a FROM t WHERE b < GETDATE() AND c = 1",
        "SELECT a FROM t WHERE b < CURRENT_TIMESTAMP AND c = TRUE",
    ]


def test_the_words_of_two_objects_are_combined(tmp_path):
    source = """
        class Dialect:
            def mssql(self):
                self.T = "t1"
                self.U = "u1"
            def other(self):
                self.T = "t2"
                self.U = "u2"

        class Repo:
            def __init__(self, one: Dialect, two: Dialect):
                self.one, self.two = one, two
            def run(self, c):
                c.execute(f"SELECT 1 FROM {self.one.T}, {self.two.U}")
    """
    assert len(texts(one_method(tmp_path, source))) == 4


def test_each_subclass_has_its_own_table(tmp_path):
    source = """
        class Base:
            table = None
            columns = ()

            def run(self, c):
                c.execute(f"SELECT {', '.join(self.columns)} FROM {self.table}")

        class Users(Base):
            table = "users"
            columns = ("id", "name")

        class Groups(Base):
            def __init__(self):
                self.table = "groups"
                self.columns = ["id"]
    """
    facts = scanned(tmp_path, {"app.py": source})
    assert texts(facts.methods["app:Users.run"]) == ["SELECT id, name FROM users"]
    assert "SELECT id FROM groups" in texts(facts.methods["app:Groups.run"])


def test_tables_that_objects_are_made_with_are_known(tmp_path):
    source = """
        class Table:
            def __init__(self, name, key="id"):
                self.name = name
                self.key = key

            def find(self, c, key):
                c.execute(f"SELECT * FROM {self.name} WHERE {self.key} = ?", (key,))

        USERS = Table("users")
        GROUPS = Table("groups", key="code")
    """
    facts = scanned(tmp_path, {"app.py": source})
    found = set(texts(facts.methods["app:Table.find"]))
    assert {"SELECT * FROM users WHERE id = ?", "SELECT * FROM groups WHERE code = ?"} <= found
    assert not facts.methods["app:Table.find"].unknowns


def test_variants_for_several_databases_are_read_each_in_its_dialect(tmp_path):
    source = """
        class Db:
            def mssql(self):
                self.NVL = "ISNULL"
            def lite(self):
                self.NVL = "IFNULL"

        class Repo:
            def __init__(self, db: Db):
                self.db = db
            def run(self, c):
                c.execute(f"SELECT {self.db.NVL}(a, 1) FROM t")
    """
    method = one_method(tmp_path, source, dialect="tsql")
    assert len(method.statements) == 2
    assert not any(statement.facts.calls for statement in method.statements)


def test_names_of_columns_that_the_caller_gives_are_known_at_the_caller(tmp_path):
    source = """
        class Repo:
            def _where(self, c, **wanted):
                where = " AND ".join(f"{name} = ?" for name in wanted)
                c.execute(f"SELECT a FROM t WHERE {where}", list(wanted.values()))
            def _set(self, c, values):
                sets = ", ".join(name + " = ?" for name, value in values.items())
                c.execute(f"UPDATE t SET {sets}")
            def run(self, c):
                self._where(c, b=1, d=2)
                self._set(c, {"e": 1})
    """
    found = texts(one_method(tmp_path, source))
    assert found == ["SELECT a FROM t WHERE b = ? AND d = ?", "UPDATE t SET e = ?"]


@pytest.mark.parametrize(
    "body",
    [
        'if x not in ("a", "b"):\n    raise ValueError(x)\ncursor.execute(f"SELECT 1 FROM t ORDER BY {x}")',
        'if x in COLUMNS:\n    cursor.execute(f"SELECT 1 FROM t ORDER BY {x}")',
        'x = x if x in COLUMNS else "id"\ncursor.execute(f"SELECT 1 FROM t ORDER BY {x}")',
        'if items and x in COLUMNS:\n    cursor.execute(f"SELECT 1 FROM t ORDER BY {x}")',
        'if not x or x not in {"a": 1}:\n    return\ncursor.execute(f"SELECT 1 FROM t ORDER BY {x}")',
    ],
)
def test_a_name_that_has_been_looked_up_in_a_list_is_one_of_it(tmp_path, body):
    method = run_of(tmp_path, body, CONSTANT)
    assert method.statements
    assert not method.given_statements
    assert not any("{" in text for text in texts(method))


@pytest.mark.parametrize(
    "body",
    [
        "found = []\nself.fill(found)\nfor each in found:\n    cursor.execute('DELETE FROM t')",
        "found = []\nx.fill(found)\nif found:\n    cursor.execute('DELETE FROM t')",
        "found = []\nother = found\nother.append(1)\nif found:\n    cursor.execute('DELETE FROM t')",
        "found = []\nboth = (found, x)\nboth[0].append(1)"
        "\nfor each in found:\n    cursor.execute('DELETE FROM t')",
        "self.found = []\nx.call(self.found.append)"
        "\nfor each in self.found:\n    cursor.execute('DELETE FROM t')",
        "found = {}\nx.call(lambda: found.update(a=1))\nif found:\n    cursor.execute('DELETE FROM t')",
        "n = 0\nwhile n < 9:\n    n += 1\n    if n == 7:\n        cursor.execute('DELETE FROM t')",
        "first = True"
        "\nfor each in x:\n    if not first:\n        cursor.execute('DELETE FROM t')\n    first = False",
        "done = False\ndef note():\n    nonlocal done\n    done = True\nx.call(note)\n"
        "if done:\n    cursor.execute('DELETE FROM t')",
        "done = None\ntry:\n    done = x()\nexcept E:\n    pass"
        "\nif done is None:\n    cursor.execute('DELETE FROM t')",
    ],
)
def test_what_may_be_run_is_not_left_out(tmp_path, body):
    assert texts(run_of(tmp_path, body)) == ["DELETE FROM t"]


def test_a_list_that_somebody_unknown_may_have_filled_is_not_known(tmp_path):
    method = run_of(tmp_path, 'parts = ["SELECT a FROM t"]\nx.fill(parts)\ncursor.execute(" ".join(parts))')
    (statement,) = method.statements
    assert statement.facts.unknowns


def test_values_of_enumerations_are_texts(tmp_path):
    source = """
        import enum
        class Sql(enum.Enum):
            ONE = "SELECT a FROM t"
            TWO = "SELECT a FROM u"
        class Repo:
            def run(self, c, which: Sql):
                c.execute(Sql.ONE.value)
                c.execute(which.value)
    """
    method = one_method(tmp_path, source)
    assert set(texts(method)) == {"SELECT a FROM t", "SELECT a FROM u"}
    assert not method.unknowns


def test_places_are_those_of_the_calls(tmp_path):
    source = """
        class Repo:
            def run(self, c):
                sql = "SELECT a FROM t"
                c.execute(
                    sql,
                )
                self.send(c, "SELECT a FROM u")

            def send(self, c, sql):
                c.execute(sql)
    """
    method = one_method(tmp_path, source)
    assert [(each.text, str(each.place)) for each in method.statements] == [
        ("SELECT a FROM t", "app.py:5"),
        ("SELECT a FROM u", "app.py:8"),
    ]
