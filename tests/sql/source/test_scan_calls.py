"""Who calls whom: methods of the tree are found behind attributes, annotations, imports and callbacks."""

from __future__ import annotations

import textwrap

import pytest
from scanned_trees import one_method, reads, scanned, texts, unknown, writes

REPOSITORY = """
class Users:
    def __init__(self, connection):
        self.connection = connection
    def names(self):
        return self.connection.execute("SELECT name FROM users").fetchall()
    def rename(self, name):
        self.connection.execute("UPDATE users SET name = ?", (name,))
"""


def calls_of(tmp_path, body, dialect="sqlite"):
    facts = scanned(tmp_path, {"app.py": REPOSITORY + textwrap.dedent(body)}, dialect)
    method = facts.methods["app:Service.run"]
    return facts, {call.target for call in method.calls}


SERVICES = {
    "annotated parameter": """
        class Service:
            def __init__(self, users: Users):
                self.users = users
            def run(self):
                return self.users.names()
    """,
    "annotation as text": """
        class Service:
            def __init__(self, users: "Users | None" = None):
                self.users = users
            def run(self):
                return self.users.names()
    """,
    "optional": """
        from typing import Optional
        class Service:
            def __init__(self, users: Optional[Users]):
                self.users = users
            def run(self):
                return self.users.names()
    """,
    "made in init": """
        class Service:
            def __init__(self, c):
                self.users = Users(c)
            def run(self):
                return self.users.names()
    """,
    "made where it is used": """
        class Service:
            def run(self, c):
                return Users(c).names()
    """,
    "local": """
        class Service:
            def run(self, c):
                users = Users(c)
                found = users.names
                return found()
    """,
    "dataclass": """
        from dataclasses import dataclass
        @dataclass
        class Service:
            users: Users
            def run(self):
                return self.users.names()
    """,
    "declared in the class": """
        class Service:
            users: Users
            def run(self):
                return self.users.names()
    """,
    "class attribute": """
        class Service:
            users = Users(None)
            def run(self):
                return self.users.names()
    """,
    "inherited": """
        class Base:
            def __init__(self, users: Users):
                self.users = users
        class Service(Base):
            def run(self):
                return self.users.names()
    """,
    "through super": """
        class Base:
            def __init__(self, users):
                self.users = users
        class Service(Base):
            def __init__(self, c):
                super().__init__(Users(c))
            def run(self):
                return self.users.names()
    """,
    "where it is constructed": """
        class Service:
            def __init__(self, users):
                self.users = users
            def run(self):
                return self.users.names()
        def main(c):
            return Service(Users(c)).run()
    """,
    "where it is constructed by name": """
        from typing import Any
        class Service:
            def __init__(self, *, users: Any):
                self.users: Any = users
            def run(self):
                return self.users.names()
        SERVICE = Service(users=Users(None))
    """,
    "property": """
        class Service:
            @property
            def users(self):
                return Users(None)
            def run(self):
                return self.users.names()
    """,
    "module object": """
        USERS = Users(None)
        class Service:
            def run(self):
                return USERS.names()
    """,
    "object of a global": """
        _users = None
        def users():
            global _users
            if _users is None:
                _users = Users(None)
            return _users
        class Service:
            def run(self):
                return users().names()
    """,
    "dictionary": """
        class Service:
            def __init__(self, c):
                self.all = {"users": Users(c)}
            def run(self):
                return self.all["users"].names()
    """,
    "list": """
        class Service:
            def __init__(self, many: list[Users]):
                self.many = many
            def run(self):
                return [each.names() for each in self.many]
    """,
    "loop": """
        class Service:
            def run(self, c):
                for each in (Users(c), Users(c)):
                    each.names()
    """,
    "parameter of the method": """
        class Service:
            def run(self, users: Users):
                return users.names()
    """,
    "factory": """
        def make(c):
            return Users(c)
        class Service:
            def __init__(self, c):
                self.users = make(c)
            def run(self):
                return self.users.names()
    """,
    "class method": """
        class Service:
            @classmethod
            def run(cls, c):
                return Users(c).names()
    """,
    "context manager": """
        import contextlib
        @contextlib.contextmanager
        def opened(c):
            yield Users(c)
        class Service:
            def run(self, c):
                with opened(c) as users:
                    return users.names()
    """,
    "with an object": """
        class Session:
            def __enter__(self):
                return Users(None)
            def __exit__(self, *args):
                pass
        class Service:
            def run(self):
                with Session() as users:
                    return users.names()
    """,
    "partial": """
        from functools import partial
        class Service:
            def run(self, c):
                return partial(Users.names, Users(c))()
    """,
    "getattr": """
        class Service:
            users = Users(None)
            def run(self):
                return getattr(self.users, "names")()
    """,
    "getattr with a prefix": """
        class Service:
            users = Users(None)
            def run(self, x):
                return getattr(self.users, f"name{x}")()
    """,
    "callback": """
        class Service:
            users = Users(None)
            def run(self, button):
                button.configure(command=self.users.names)
    """,
    "lambda": """
        class Service:
            users = Users(None)
            def run(self, button):
                button.configure(command=lambda: self.users.names())
    """,
    "nested function": """
        class Service:
            users = Users(None)
            def run(self, button):
                def clicked(event=None):
                    return self.users.names()
                button.bind(clicked)
    """,
    "through a local import": """
        class Service:
            def run(self, c):
                import app
                return app.Users(c).names()
    """,
    "alias": """
        People = Users
        class Service:
            def run(self, c):
                return People(c).names()
    """,
    "walrus": """
        class Service:
            users = Users(None)
            def run(self):
                if found := self.users:
                    return found.names()
    """,
    "conditional": """
        class Service:
            def __init__(self, c):
                self.users = Users(c) if c else None
            def run(self):
                return self.users and self.users.names()
    """,
    "stored later": """
        class Service:
            def __init__(self):
                self.users = None
            def connect(self, c):
                self.users = Users(c)
            def run(self):
                return self.users.names()
    """,
    "stored by somebody else": """
        class Service:
            users = None
            def run(self):
                return self.users.names()
        def build(c):
            service = Service()
            service.users = Users(c)
            return service
    """,
    "awaited": """
        class Service:
            users = Users(None)
            async def run(self):
                return await self.users.names()
    """,
    "decorated": """
        import functools
        def logged(method):
            @functools.wraps(method)
            def wrapper(*args, **kwargs):
                return method(*args, **kwargs)
            return wrapper
        class Service:
            users = Users(None)
            @logged
            def run(self):
                return self.users.names()
    """,
}


@pytest.mark.parametrize("body", SERVICES.values(), ids=SERVICES.keys())
def test_a_method_is_found_behind_whatever_holds_its_object(tmp_path, body):
    facts, calls = calls_of(tmp_path, body)
    assert "app:Users.names" in calls
    assert reads(facts, "app:Service.run") == {"users": {"name"}}
    assert unknown(facts, "app:Service.run") == []


def test_a_subclass_may_stand_where_its_base_is_declared(tmp_path):
    facts, calls = calls_of(
        tmp_path,
        """
        class Admins(Users):
            def names(self):
                return self.connection.execute("SELECT name FROM admins").fetchall()
        class Service:
            def __init__(self, users: Users):
                self.users = users
            def run(self):
                return self.users.names()
        """,
    )
    assert {"app:Users.names", "app:Admins.names"} <= calls
    assert set(reads(facts, "app:Service.run")) == {"users", "admins"}


def test_what_fulfils_a_protocol_may_stand_for_it(tmp_path):
    facts, calls = calls_of(
        tmp_path,
        """
        from typing import Protocol
        class Named(Protocol):
            def names(self) -> list: ...
        class Service:
            def __init__(self, users: Named):
                self.users = users
            def run(self):
                return self.users.names()
        """,
    )
    assert "app:Users.names" in calls
    assert facts.methods["app:Named.names"].is_abstract


@pytest.mark.parametrize(
    "body",
    [
        "return x.names()",
        "return self.nobody_knows.names()",
        "return self.make()().names()",
        "getattr(self, x)()",
        "getattr(self.users, x)()",
        "return globals()[x]().names()",
    ],
)
def test_a_method_of_an_object_that_nobody_knows_is_unknown(tmp_path, body):
    facts, _ = calls_of(
        tmp_path, f"class Service:\n    users = Users(None)\n    def run(self, x, y):\n        {body}\n"
    )
    assert unknown(facts, "app:Service.run")


@pytest.mark.parametrize(
    "body",
    [
        "return x.get('name')",
        "import logging\nlogging.getLogger('x').info('names')",
        "return [row['name'] for row in x]",
        "x.append(1)\nx.sort()\nreturn sorted(x)",
        "return {}.get(x), [].pop(), 'names'.upper()",
        "return x.strip().title().unknown_to_all()",
        "return self.users.connection.cursor()",
        "raise ValueError(x)",
    ],
)
def test_calls_that_send_nothing_are_harmless(tmp_path, body):
    indented = textwrap.indent(body, " " * 8)
    facts, _ = calls_of(
        tmp_path, f"class Service:\n    users = Users(None)\n    def run(self, x):\n{indented}\n"
    )
    assert unknown(facts, "app:Service.run") == []


@pytest.mark.parametrize(
    "body",
    [
        'self.nobody_wrote_this("SELECT a FROM t")',
        'elsewhere.query("SELECT a FROM t", 1)',
        'x.run_it(sql="SELECT a FROM t")',
        'import elsewhere\nelsewhere.Client().go("SELECT a FROM t")',
    ],
)
def test_sql_that_is_given_to_somebody_unknown_is_sent(tmp_path, body):
    source = "import elsewhere\nclass Repo:\n    def run(self, x):\n" + textwrap.indent(body, " " * 8)
    assert texts(one_method(tmp_path, source)) == ["SELECT a FROM t"]


@pytest.mark.parametrize(
    "body",
    [
        'logging.info("SELECT a FROM t")',
        'self.log.debug("SELECT a FROM t")',
        'raise ValueError("SELECT a FROM t")',
        'x.append("SELECT a FROM t")',
        'print("SELECT a FROM t")',
        'return len("SELECT a FROM t"), "SELECT a FROM t".upper(), re.match("a", "SELECT a FROM t")',
        'elsewhere.query("Select one of the buttons")',
    ],
)
def test_sql_that_is_only_shown_is_not_sent(tmp_path, body):
    source = f"import elsewhere, logging, re\nclass Repo:\n    def run(self, x):\n        {body}\n"
    assert texts(one_method(tmp_path, source)) == []


def test_a_row_is_no_repository(tmp_path):
    source = """
        class Repo:
            def get(self, c, key):
                return c.execute("SELECT a FROM t").fetchone()

            def run(self, c):
                row = c.execute("SELECT b FROM u").fetchone()
                return row.get("b"), dict(row).get("b")
    """
    method = one_method(tmp_path, source)
    assert not method.unknowns


def test_a_text_that_is_passed_on_belongs_to_who_gives_it(tmp_path):
    source = """
        class Base:
            def _all(self, sql, *args):
                with self.cursor() as c:
                    return self._send(c, sql, args)

            def _send(self, cursor, statement, args):
                cursor.execute(statement, args)
                return cursor.fetchall()

        class Repo(Base):
            def run(self):
                return self._all("SELECT a FROM t")

            def other(self):
                return self._all("SELECT b FROM u")

            def passes_on(self, sql):
                return self._all(sql)

            def uses(self):
                return self.passes_on("SELECT c FROM v")
    """
    facts = scanned(tmp_path, {"app.py": source})
    assert reads(facts, "app:Repo.run") == {"t": {"a"}}
    assert reads(facts, "app:Repo.other") == {"u": {"b"}}
    assert reads(facts, "app:Repo.uses") == {"v": {"c"}}
    assert unknown(facts, "app:Repo.run") == unknown(facts, "app:Repo.uses") == []
    assert "app:Repo._all" in {call.target for call in facts.methods["app:Repo.run"].calls}
    assert unknown(facts, "app:Repo.passes_on"), "whoever calls it from elsewhere"
    assert texts(facts.methods["app:Repo._send"]) == []


def test_a_cursor_is_passed_on(tmp_path):
    source = """
        def insert_all(cursor, table, rows):
            for row in rows:
                cursor.execute(f"INSERT INTO {table} (a) VALUES (?)", row)

        class Repo:
            def run(self, c):
                with c.cursor() as cursor:
                    insert_all(cursor, "t", [1])
                    self.more(cursor=cursor)

            def more(self, *, cursor):
                insert_all(cursor, rows=[2], table="u")
    """
    facts = scanned(tmp_path, {"app.py": source})
    assert writes(facts, "app:Repo.run") == {"t": {"insert"}, "u": {"insert"}}
    assert unknown(facts, "app:Repo.run") == []


def test_super_and_named_bases_are_run_with_the_object_itself(tmp_path):
    source = """
        class Base:
            table = "nothing"
            def run(self, c):
                c.execute(f"SELECT a FROM {self.table}")

        class Middle(Base):
            def run(self, c):
                super().run(c)

        class Repo(Middle):
            table = "t"
            def run(self, c):
                Base.run(self, c)
                super().run(c)
    """
    facts = scanned(tmp_path, {"app.py": source})
    assert reads(facts, "app:Repo.run") == {"t": {"a"}}
    assert reads(facts, "app:Base.run") == {"nothing": {"a"}}


def test_a_property_that_sends_sql_is_called_by_reading_it(tmp_path):
    source = """
        class Repo:
            @property
            def count(self):
                return self.c.execute("SELECT COUNT(*) FROM t")
            @count.setter
            def count(self, value):
                self.c.execute("UPDATE t SET n = ?", value)
            def run(self):
                return self.count + 1
            def store(self):
                self.count = 3
    """
    facts = scanned(tmp_path, {"app.py": source})
    assert set(reads(facts, "app:Repo.run")) == {"t"}
    assert "t" in writes(facts, "app:Repo.store")
    assert facts.methods["app:Repo.count"].decorators == ("property", "count.setter")


@pytest.mark.parametrize(
    "body",
    [
        "import threading\nthreading.Thread(target=self.work).start()",
        "from threading import Timer\nTimer(5, self.work).start()",
        "self.executor.submit(self.work)",
        "import concurrent.futures as f\nwith f.ThreadPoolExecutor() as pool:\n    pool.submit(self.work)",
        "import asyncio\nasyncio.to_thread(self.work)",
        "import threading\nthreading.Thread(target=lambda: self.work()).start()",
    ],
)
def test_work_for_another_thread_is_a_call_and_told(tmp_path, body):
    source = """
        class Repo:
            def work(self):
                self.c.execute("DELETE FROM t")
            def run(self):
    """
    facts = scanned(tmp_path, {"app.py": textwrap.dedent(source) + textwrap.indent(body, " " * 8)})
    assert writes(facts, "app:Repo.run") == {"t": {"delete"}}
    assert "what it does in another thread" in unknown(facts, "app:Repo.run")


def test_a_decorator_that_sends_sql_is_told(tmp_path):
    source = """
        def audited(method):
            def wrapper(self, *args):
                self.c.execute("INSERT INTO audit (a) VALUES (1)")
                return method(self, *args)
            return wrapper

        class Repo:
            @audited
            def run(self):
                self.c.execute("SELECT a FROM t")
    """
    facts = scanned(tmp_path, {"app.py": source})
    assert unknown(facts, "app:Repo.run")


def test_recursion_ends(tmp_path):
    source = """
        class Repo:
            def run(self, c, depth, sql="SELECT a FROM t"):
                c.execute(sql)
                if depth:
                    return self.run(c, depth - 1)
                return self.other(c, depth)
            def other(self, c, depth):
                return self.run(c, depth)
    """
    method = one_method(tmp_path, source)
    assert "SELECT a FROM t" in texts(method) + [each.text for each in method.given_statements]


def test_classes_that_inherit_from_each_other_in_a_circle_do_no_harm(tmp_path):
    source = (
        "class A(B):\n    pass\nclass B(A):\n    def run(self, c):\n        c.execute('SELECT a FROM t')\n"
    )
    facts = scanned(tmp_path, {"app.py": source})
    assert texts(facts.methods["app:B.run"]) == ["SELECT a FROM t"]


def test_definitions_under_conditions_count_all(tmp_path):
    source = """
        import sys
        class Repo:
            if sys.platform == "win32":
                def run(self, c):
                    c.execute("SELECT a FROM t")
            else:
                def run(self, c):
                    c.execute("SELECT a FROM u")
    """
    assert texts(one_method(tmp_path, source)) == ["SELECT a FROM t", "SELECT a FROM u"]


def test_what_kind_of_method_it_is(tmp_path):
    source = """
        from abc import ABC, abstractmethod
        class Repo(ABC):
            @abstractmethod
            def run(self): ...
            async def later(self, a, *args, b=1, **kwargs):
                return 1
            def each(self):
                yield 1
            @staticmethod
            def free(a):
                raise NotImplementedError
            def get_or_create(self): pass
            def rename(self): return 1
    """
    methods = scanned(tmp_path, {"app.py": source}).methods
    assert methods["app:Repo.run"].is_abstract
    assert methods["app:Repo.later"].is_async
    assert methods["app:Repo.later"].parameters == ("a", "b", "args", "kwargs")
    assert methods["app:Repo.each"].is_generator
    assert methods["app:Repo.free"].is_abstract
    assert methods["app:Repo.free"].parameters == ("a",)
    assert methods["app:Repo.free"].decorators == ("staticmethod",)
    assert methods["app:Repo.get_or_create"].reads_by_name
    assert not methods["app:Repo.rename"].reads_by_name
