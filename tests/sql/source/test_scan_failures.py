"""Failure answers: what a method gives back that looks like an answer, where something has gone wrong."""

from __future__ import annotations

import ast
import textwrap

import pytest
from scanned_trees import scanned

from wats_accel.sql.source.failures import failures_of


def answers(body, constants=None):
    function = ast.parse("def run(self, x):\n" + textwrap.indent(textwrap.dedent(body), "    ")).body[0]
    return [failure.text for failure in failures_of(function, constants or {})]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("try:\n    return go()\nexcept Error:\n    return []", ["[]"]),
        ("try:\n    return go()\nexcept Error as e:\n    log(e)\n    return None, False", ["(None, False)"]),
        ("try:\n    return go()\nexcept Error:\n    return", ["None"]),
        ("try:\n    return go()\nexcept Error:\n    log()", ["None"]),
        ("try:\n    return go()\nexcept Error:\n    pass\nreturn -1", ["-1"]),
        ("try:\n    return go()\nexcept A:\n    return 0\nexcept (B, C):\n    return {}", ["0", "{}"]),
        ("try:\n    return go()\nexcept:\n    return ''", ["''"]),
        ("try:\n    return go()\nexcept Error:\n    return {'a': [1, (2,)]}", ["{'a': [1, (2,)]}"]),
        ("try:\n    return go()\nexcept Error:\n    return list()", ["[]"]),
        ("try:\n    return go()\nexcept Error:\n    return set()", ["set()"]),
        ("try:\n    return go()\nexcept Error:\n    return DEFAULT", ["(0, 0)"]),
        ("result = []\ntry:\n    result = go()\nexcept Error:\n    log()\nreturn result", ["[]"]),
        ("try:\n    result = go()\nexcept Error:\n    result = None\nreturn result", ["None"]),
        ("a, b = None, 0\ntry:\n    a = go()\nexcept Error:\n    pass\nreturn a, b", ["(None, 0)"]),
        ("rows = []\ntry:\n    rows.append(go())\nexcept Error:\n    return rows\nreturn rows", ["[]"]),
        ("try:\n    go()\nexcept Error:\n    if x:\n        return 1\n    return 2", ["1", "2"]),
        ("try:\n    try:\n        a()\n    except A:\n        return 1\nexcept B:\n    return 2", ["1", "2"]),
        ("try:\n    a()\nexcept A:\n    try:\n        u\n    except B:\n        raise\n    return 3", ["3"]),
        ("try:\n    return go()\nfinally:\n    return 5", ["5"]),
        ("with suppress(Error):\n    return go()\nreturn []", ["[]"]),
        ("with contextlib.suppress(Error):\n    return go()", ["None"]),
        ("for n in x:\n    try:\n        return a()\n    except E:\n        continue\nreturn None", ["None"]),
        ("while True:\n    try:\n        return go()\n    except Error:\n        break\nreturn 7", ["7"]),
        ("for n in x:\n    try:\n        go()\n    except Error:\n        log()\nreturn 8", ["8"]),
        ("with self.lock:\n    try:\n        return go()\n    except Error:\n        return 9", ["9"]),
        ("cursor = self.db.get_cursor()\nif not cursor:\n    return None, False\nreturn cursor.fetchall()",
         ["(None, False)"]),
        ("c = connect()\nif c is None:\n    return []\nreturn go(c)", ["[]"]),
        ("c = connect()\nif c:\n    return go(c)\nreturn []", ["[]"]),
        ("c = connect()\nif c is not None and x:\n    return go(c)\nelse:\n    return 1", ["1"]),
        ("if (c := self.get_connection()) is None:\n    return 0\nreturn go(c)", ["0"]),
        ("if not self.conn:\n    return False\nreturn go()", ["False"]),
        ("async with x:\n    try:\n        return await go()\n    except Error:\n        return 10", ["10"]),
    ],
)  # fmt: skip
def test_a_constant_that_is_returned_after_a_failure_is_told(body, expected):
    if "async" in body:
        function = ast.parse("async def run(self, x):\n" + textwrap.indent(body, "    ")).body[0]
        assert [failure.text for failure in failures_of(function, {})] == expected
    else:
        assert answers(body, {"DEFAULT": "(0, 0)"}) == expected


@pytest.mark.parametrize(
    "body",
    [
        "return []",
        "try:\n    return go()\nexcept Error:\n    raise",
        "try:\n    return go()\nexcept Error as e:\n    raise Other() from e",
        "try:\n    return go()\nexcept Error as e:\n    return False, f'{e}'",
        "try:\n    return go()\nexcept Error:\n    return self.other()",
        "try:\n    return go()\nexcept Error:\n    return x",
        "try:\n    return []\nfinally:\n    close()",
        "row = go()\nif not row:\n    return None\nreturn row[0]",
        "rows = []\nrows.append(go())\nreturn rows",
        "try:\n    a = go()\nexcept Error:\n    a = go(2)\nreturn a",
        "def inner():\n    try:\n        go()\n    except Error:\n        return 1\nreturn inner",
        "for n in x:\n    try:\n        return go()\n    except Error:\n        pass\nraise ValueError",
    ],
)
def test_other_answers_are_none(body):
    assert answers(body) == []


def test_who_gives_back_the_answer_of_another_gives_back_its_failures(tmp_path):
    source = """
        class Repo:
            def count(self, c):
                try:
                    return c.execute("SELECT COUNT(*) FROM t").fetchone()[0]
                except ValueError:
                    return -1

        class Service:
            def __init__(self, repo: Repo):
                self.repo = repo
            def direct(self):
                return self.repo.count(None)
            def named(self):
                found = self.repo.count(None)
                return found
            def twice(self):
                return self.direct()
            def changed(self):
                return self.repo.count(None) + 1
            def chosen(self, x):
                return self.repo.count(None) if x else 0
    """
    methods = scanned(tmp_path, {"app.py": source}).methods

    def told(name):
        return [f"{answer.text} {answer.place}" for answer in methods[f"app:Service.{name}"].failure_answers]

    assert told("direct") == told("named") == told("twice") == told("chosen") == ["-1 app.py:7"]
    assert told("changed") == []


def test_what_is_answered_to_a_failed_answer_follows_from_it(tmp_path):
    source = """
        class Repo:
            def role(self, c):
                try:
                    return c.execute("SELECT a, b FROM t").fetchone()
                except ValueError:
                    return None, False

            def items(self, c):
                user, admin = self.role(c)
                if user is None:
                    return []
                return c.execute("SELECT a FROM u").fetchall()

            def other(self, c):
                user = self.unrelated(c)
                if user is None:
                    return []
                return [user]

            def unrelated(self, c):
                return c.execute("SELECT a FROM u").fetchone()
    """
    methods = scanned(tmp_path, {"app.py": source}).methods
    assert [answer.text for answer in methods["app:Repo.items"].failure_answers] == ["[]"]
    assert methods["app:Repo.other"].failure_answers == ()
