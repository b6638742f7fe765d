"""Any source can be scanned: whatever people have written, the scan ends and raises nothing."""

from __future__ import annotations

import random
import shutil
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanned_trees import scanned

from wats_accel.sql.source.scan import scan

SHARE = 25
LIBRARY = Path(sysconfig.get_paths()["stdlib"])


def share_of_the_library(seed):
    """Some files of the standard library, always the same ones."""
    files = sorted(path for path in LIBRARY.glob("*.py") if path.stat().st_size < 60_000)
    files += sorted((LIBRARY / "sqlite3").glob("*.py"))
    random.Random(seed).shuffle(files)
    return files[:SHARE]


@pytest.mark.parametrize("seed", range(2))
def test_the_standard_library_can_be_scanned(tmp_path, seed):
    for path in share_of_the_library(seed):
        shutil.copy(path, tmp_path / path.name)
    facts = scan(tmp_path)
    assert len(facts.methods) > SHARE
    failed = [each.what for method in facts.methods.values() for each in method.unknowns]
    assert not [what for what in failed if "could not be followed" in what]
    assert facts.unreadable == ()


def test_the_dump_of_sqlite3_is_understood():
    facts = scan(LIBRARY / "sqlite3")
    statements = facts.methods["sqlite3.dump:_iterdump"].statements
    assert any("sqlite_master" in statement.facts.reads for statement in statements)


STATEMENTS = [
    "x = {0}",
    "x += {0}",
    "x, *y = {0}",
    "self.a = {0}",
    "self.a[{0}] = x",
    "c.execute({0})",
    "x.append({0})",
    "return {0}",
    "yield {0}",
    "del x",
    "global x",
    "for x in {0}: y = x",
    "while {0}: break",
    "if {0}: x = 1\n    else: y = 2",
    "with {0} as x: pass",
    "try: x = {0}\n    except: raise",
    "x: 'int | None' = {0}",
    "def f(a={0}, *b, **d): return a",
    "import a.b as x",
    "match {0}:\n        case [x, *_]: pass\n        case {{'a': y, **z}}: pass",
    "assert {0}, x",
    "lambda: {0}",
]
EXPRESSIONS = [
    "x",
    "y",
    "self",
    "self.a",
    "c",
    "'SELECT a FROM t'",
    "f'{x} {y!r:>{self.a}}'",
    "'%s %%' % x",
    "'{} {a}'.format(x, a=y)",
    "[x, *y]",
    "(x, y)",
    "{'a': x, **y}",
    "{x, y}",
    "x[0]",
    "x[1:]",
    "x['a']",
    "x or y",
    "not x",
    "x if y else c",
    "x + y",
    "x % y",
    "x * 3",
    "-x",
    "x < y",
    "[a for a in x if y]",
    "{a: 1 for a in x}",
    "(a for a in x for b in a)",
    "x.join(y)",
    "x.replace('a', y)",
    "super().run(c)",
    "getattr(self, x)",
    "(x := y)",
    "lambda a: x",
    "Repo(x)",
    "self.run(c)",
    "type(self)(x)",
    "x(*y, **x)",
    "None",
    "b'x'",
    "...",
    "1e9",
    "open(x).read()",
    "dict(x, a=1)",
    "'a b'.split()",
    "'x'[:-1]",
    "sorted(x, key=lambda a: a)",
    "map(c.execute, x)",
    "x.pop()",
    "str(x)",
    "globals()",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STATEMENTS), st.sampled_from(EXPRESSIONS)), min_size=1, max_size=8))
def test_any_code_can_be_scanned(tmp_path_factory, parts):
    lines = "\n".join("    " + statement.format(expression) for statement, expression in parts)
    body = "\n".join(f"    {line}" for line in lines.split("\n"))
    source = f"x = y = None\nclass Repo:\n    def run(self, c, z=1):\n{body}\n"
    facts = scanned(tmp_path_factory.mktemp("code"), {"app.py": source})
    failed = [each.what for method in facts.methods.values() for each in method.unknowns]
    assert not [what for what in failed if "could not be followed" in what]


def test_very_deep_code_ends(tmp_path):
    deep = " + ".join(["'a'"] * 700)
    chain = "if x == 0:\n    pass\n" + "".join(f"elif x == {n}:\n    y = {n}\n" for n in range(1_500))
    files = {
        "app.py": f"class Repo:\n    def run(self, c):\n        c.execute({deep})\n",
        "lists.py": "x = " + "[" * 300 + "]" * 300,
        "chain.py": f"x = 1\n{chain}",
        "good.py": "class Repo:\n    def run(self, c):\n        c.execute('SELECT a FROM t')\n",
    }
    facts = scanned(tmp_path, files)
    told = {each.place.file for each in facts.unreadable}
    assert "app.py" in told or facts.methods["app:Repo.run"].unknowns
    assert "good.py" not in told
    assert facts.methods["good:Repo.run"].statements


def test_modules_that_import_each_other_end(tmp_path):
    files = {
        "a.py": "from b import *\nfrom b import X\nY = X\n",
        "b.py": "from a import *\nfrom a import Y\nX = Y\n",
        "c.py": "from a import X\nclass R:\n    def run(self, c):\n        c.execute(X)\n",
    }
    assert scanned(tmp_path, files).methods["c:R.run"].unknowns
