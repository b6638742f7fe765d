"""The time of day: where it flows into what a method asks or answers."""

from __future__ import annotations

import textwrap

import pytest
from scanned_trees import one_method, scanned

IMPORTS = """
import time, datetime as dates, logging
from datetime import datetime, date, timezone
from time import time as seconds
"""


def clock_of(tmp_path, body, signature="self, c, x"):
    source = f"{IMPORTS}\nclass Repo:\n    def run({signature}):\n" + textwrap.indent(
        textwrap.dedent(body), " " * 8
    )
    return one_method(tmp_path, source).clock


@pytest.mark.parametrize(
    "body",
    [
        'c.execute("SELECT a FROM t WHERE b < ?", (datetime.now(),))',
        'c.execute("SELECT a FROM t WHERE b < ?", [datetime.now(timezone.utc).isoformat()])',
        'c.execute("SELECT a FROM t WHERE b < ?", date.today())',
        'c.execute("SELECT a FROM t WHERE b < ?", dates.datetime.utcnow())',
        'c.execute("SELECT a FROM t WHERE b < ?", int(seconds()))',
        'c.execute("SELECT a FROM t WHERE b < ?", time.strftime("%H"))',
        'now = datetime.now()\nlater = now.replace(hour=0)\nc.execute("SELECT ?", (x, later))',
        "c.execute(f\"SELECT a FROM t WHERE b < '{date.today()}'\")",
        'params = [x]\nparams.append(datetime.now())\nc.execute("SELECT ?", params)',
        'params = {}\nparams["now"] = datetime.now()\nc.execute("SELECT :now", params)',
        'row = c.execute("SELECT a FROM t").fetchone()\nreturn row[0] < datetime.now()',
        'row = c.execute("SELECT a FROM t").fetchone()\nif row[0] < time.time():\n    return 1',
        "return datetime.now()",
        'return {"now": datetime.now()}',
        "return [x, str(datetime.now())]",
        "if date.today().weekday():\n    return 1\nreturn 2",
        "now = datetime.now\nreturn now()",
        "when = x or datetime.now()\nreturn when",
        "yield datetime.now()",
        "hour = datetime.now().hour\nreturn 1 if hour else 2",
        "from datetime import datetime as dt\nreturn dt.today()",
        'return [row for row in c.execute("SELECT a FROM t") if row[0] > time.time()]',
    ],
)
def test_the_time_flows_in(tmp_path, body):
    assert clock_of(tmp_path, body)


@pytest.mark.parametrize(
    "body",
    [
        'return c.execute("SELECT a FROM t")',
        'logging.info("%s", datetime.now())\nreturn c.execute("SELECT a FROM t")',
        'start = time.time()\nc.execute("SELECT a FROM t")\nlogging.info(time.time() - start)',
        'start = time.time()\nc.execute("SELECT a FROM t")\nif time.time() - start > 5:\n    print()',
        "start = time.perf_counter()\nreturn time.perf_counter() - start",
        "time.sleep(1)",
        "return datetime(2020, 1, 1), datetime.fromisoformat(x), time.strptime(x)",
        'self.seen = datetime.now()\nreturn c.execute("SELECT a FROM t")',
        "return time.localtime(0)",
    ],
)
def test_the_time_does_not_flow_in(tmp_path, body):
    assert not clock_of(tmp_path, body)


def test_defaults_read_the_clock_once_and_are_told(tmp_path):
    assert clock_of(tmp_path, 'c.execute("SELECT ?", when)', "self, c, when=datetime.now()")


def test_the_time_comes_through_other_methods(tmp_path):
    source = IMPORTS + textwrap.dedent("""
        class Base:
            def _now(self):
                return datetime.now()
            def _filter(self, user):
                return "b < ?", (user, self._now())
            def _send(self, c, sql, params):
                return c.execute(sql, params).fetchall()

        class Repo(Base):
            def run(self, c, user):
                where, params = self._filter(user)
                return self._send(c, f"SELECT a FROM t WHERE {where}", params)
            def plain(self, c, user):
                return self._send(c, "SELECT a FROM t WHERE b = ?", (user,))
            def handed_over(self, c):
                return self._send(c, "SELECT a FROM t WHERE b = ?", (self._now(),))
    """)
    methods = scanned(tmp_path, {"app.py": source}).methods
    assert [str(place) for place in methods["app:Repo.run"].clock] == ["app.py:8"]
    assert methods["app:Repo.handed_over"].clock
    assert not methods["app:Repo.plain"].clock
    assert not methods["app:Repo._send"].clock
