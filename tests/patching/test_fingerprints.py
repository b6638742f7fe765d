"""A fingerprint changes when a method, or a text that it can send, changes; and for nothing else."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wrapt
from fingerprint_cases import ELSEWHERE, KINDS, with_another_decorator

from wats_accel.errors import TargetNotFoundError
from wats_accel.locking import difference
from wats_accel.patching import fingerprint as fingerprint_module
from wats_accel.patching import sent_texts, source_text
from wats_accel.patching.fingerprint import Fingerprint, fingerprint_of, layers, python_tag
from wats_accel.patching.source_text import SourceTexts, meaning
from wats_accel.targets import Target

PLAIN = '''
class Repo:
    """Users."""

    def read(self, name, *, limit=10):
        """One user."""
        if limit:
            return self.db.query("SELECT * FROM users WHERE name = ?", name)
        return None
'''


@pytest.fixture
def taken(applications: Any) -> Callable[..., Fingerprint]:
    """Write a module, import it, and take the fingerprint of one of its methods."""

    def take(source: str, path: str = "Repo.read", *, name: str | None = None, **beside: str) -> Fingerprint:
        for other, text in beside.items():
            applications.write(text, other)
        name = applications.write(source, name)
        importlib.import_module(name)
        return fingerprint_of(Target(name, path), SourceTexts())

    return take


@pytest.fixture
def change(taken: Any) -> Callable[..., str | None]:
    """What is said to have changed from one version of a module to another."""

    def between(before: str, after: str, path: str = "Repo.read") -> str | None:
        return difference(taken(after, path), taken(before, path))

    return between


# -- what does not matter --------------------------------------------------------------------------------

SAME = {
    "comments": PLAIN.replace("        if limit:", "        # why\n        if limit:  # because"),
    "blank lines": PLAIN.replace("        return None", "\n\n        return None"),
    "formatting": PLAIN.replace("self, name, *, limit=10", "\n  self,\n  name, *,\n  limit = 10,\n    "),
    "quotes": PLAIN.replace('"SELECT * FROM users WHERE name = ?"', "'SELECT * FROM users WHERE name = ?'"),
    "texts that are joined": PLAIN.replace('"SELECT * FROM', '"SELECT *" " FROM'),
    "parentheses": PLAIN.replace("return None", "return (None)"),
    "the docstring": PLAIN.replace('"""One user."""', '"""The one, or none."""'),
    "no docstring": PLAIN.replace('        """One user."""\n', ""),
    "the place": "\n\n\nimport os\n" + PLAIN,
    "other methods": PLAIN + "\n    def other(self):\n        return 'INSERT'\n",
    "other constants": "OTHER = 'DELETE FROM users'\n" + PLAIN,
}


@pytest.mark.parametrize("after", SAME.values(), ids=SAME)
def test_what_does_not_change_what_a_method_does_is_no_change(change: Any, after: str) -> None:
    assert after != PLAIN
    assert change(PLAIN, after) is None


@pytest.mark.parametrize("newline", ["\r\n", "\r"], ids=["CRLF", "CR"])
def test_line_ends_do_not_matter(applications: Any, taken: Any, newline: str) -> None:
    sql = PLAIN.replace('"SELECT *', '"""SELECT\n *').replace('?", name', '?""", name')
    expected = taken(sql)
    name = applications.write("")
    (applications.folder / f"{name}.py").write_bytes(sql.replace("\n", newline).encode())
    importlib.import_module(name)
    assert difference(fingerprint_of(Target(name, "Repo.read"), SourceTexts()), expected) is None


def test_the_meaning_is_the_same_text_in_every_version_of_python() -> None:
    # Whoever locks and whoever runs need not have the same one: this text must never depend on it.
    import ast

    source = (
        "def f(a, /, b: int = 1, *c, d=None, **e):\n    'doc'\n"
        "    return f'{a!r:>{b}} x' + u'y' if b else [*c]"
    )
    assert meaning(ast.parse(source).body[0]) == (
        "FunctionDef(name=str:'f',args=arguments(posonlyargs=[arg(arg=str:'a',)]args=[arg(arg=str:'b',"
        "annotation=Name(id=str:'int',))]vararg=arg(arg=str:'c',)kwonlyargs=[arg(arg=str:'d',)]"
        "kw_defaults=[Constant()]kwarg=arg(arg=str:'e',)defaults=[Constant(value=int:1,)])"
        "body=[Return(value=IfExp(test=Name(id=str:'b',)body=BinOp(left=JoinedStr(values=[FormattedValue("
        "value=Name(id=str:'a',)conversion=int:114,format_spec=JoinedStr(values=[Constant(value=str:'>',)"
        "FormattedValue(value=Name(id=str:'b',)conversion=int:-1,)]))Constant(value=str:' x',)])op=Add()"
        "right=Constant(value=str:'y',))orelse=List(elts=[Starred(value=Name(id=str:'c',))])))])"
    )


# -- what does -------------------------------------------------------------------------------------------

CHANGED = {
    "a condition": PLAIN.replace("if limit:", "if not limit:"),
    "a default": PLAIN.replace("limit=10", "limit=11"),
    "an argument": PLAIN.replace("name, *", "name, role, *"),
    "a number for a truth": PLAIN.replace("return None", "return 0"),
    "a decorator": PLAIN.replace("    def read", "    @staticmethod\n    def read"),
    "a generator": PLAIN.replace("return None", "yield None"),
}


@pytest.mark.parametrize("after", CHANGED.values(), ids=CHANGED)
def test_what_a_method_does_is_its_source(change: Any, after: str) -> None:
    assert change(PLAIN, after) == "its source"


def test_sql_in_the_method_itself_is_both(change: Any) -> None:
    assert change(PLAIN, PLAIN.replace("FROM users", "FROM people")) == "its source and its SQL"


@pytest.mark.parametrize("before", ELSEWHERE.values(), ids=ELSEWHERE)
def test_sql_that_stands_elsewhere_is_seen(change: Any, before: str) -> None:
    assert change(before, before.replace("SELECT 1", "SELECT 2")) == "its SQL"


IMPORTS = {
    "by name": ("from {q} import SQL", "SQL"),
    "under another name": ("from {q} import SQL as text", "text"),
    "the module": ("import {q}", "{q}.SQL"),
    "the module under another name": ("import {q} as queries", "queries.SQL"),
}


@pytest.mark.parametrize(("statement", "spelled"), IMPORTS.values(), ids=IMPORTS)
def test_sql_in_another_module_is_seen(applications: Any, change: Any, statement: str, spelled: str) -> None:
    source = f"{statement}\nclass Repo:\n    def read(self): return self.db({spelled})\n"
    one, two = (applications.write(f"SQL = 'SELECT {number}'\n") for number in (1, 2))
    expected = "its source and its SQL" if "{q}" in spelled else "its SQL"  # that names the module
    assert change(source.replace("{q}", one), source.replace("{q}", two)) == expected


def test_sql_in_a_module_of_the_same_package_is_seen_by_relative_imports(applications: Any) -> None:
    names = []
    for number in (1, 2):
        package = applications.write("")
        (applications.folder / f"{package}.py").unlink()
        folder = applications.folder / package
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "queries.py").write_text(f"SQL = 'SELECT {number}'\n")
        (folder / "repo.py").write_text(
            "from . import queries\nfrom .queries import SQL\n"
            "class Repo:\n    def read(self): return self.db(SQL)\n"
            "    def other(self): return self.db(queries.SQL)\n"
        )
        importlib.invalidate_caches()
        importlib.import_module(f"{package}.repo")
        names.append(f"{package}.repo")
    for path in ("Repo.read", "Repo.other"):
        first, second = (fingerprint_of(Target(name, path), SourceTexts()) for name in names)
        assert difference(first, second) == "its SQL"


def test_a_value_that_the_program_reads_is_no_part_of_it(taken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Else a lock would hold on one machine only, and a hash of a password would stand in a file.
    source = (
        "import os\nURL = os.environ.get('ACCEL_TEST_URL', '')\nSQL = URL\n"
        "class Repo:\n    def read(self): return self.db(URL, SQL)\n"
    )
    expected = taken(source)
    monkeypatch.setenv("ACCEL_TEST_URL", "Server=x;PWD=hunter2")
    assert taken(source) == expected


def test_a_text_of_a_library_is_no_part_of_it(
    applications: Any, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It changes with every upgrade.
    one, two = (applications.write(f"SQL = 'SELECT {number}'\n") for number in (1, 2))
    source = "from {} import SQL\nclass Repo:\n    def read(self): return SQL\n"
    assert change(source.format(one), source.format(two)) == "its SQL"
    monkeypatch.setattr(sent_texts, "origin_of", lambda module: "installed")
    assert change(source.format(one), source.format(two)) is None


@pytest.mark.parametrize("first", ["the repository", "its queries"])
def test_modules_that_import_each_other_are_the_same_whoever_comes_first(
    applications: Any, first: str
) -> None:
    queries, repository = applications.write(""), applications.write("")
    applications.write(f"import {repository}\nSQL = 'SELECT 1'\n", queries)
    text = f"import {queries}\nclass Repo:\n    def read(self): return {queries}.SQL\n"
    applications.write(text, repository)
    found: list[Fingerprint] = []

    def take(module: Any) -> None:  # as the patcher does, in the middle of it all
        found.append(fingerprint_of(Target(repository, "Repo.read"), SourceTexts()))

    wrapt.register_post_import_hook(take, repository)
    importlib.import_module(repository if first == "the repository" else queries)
    assert hasattr(sys.modules[queries], "SQL")
    assert found == [fingerprint_of(Target(repository, "Repo.read"), SourceTexts())]


def test_it_is_the_same_however_few_modules_are_kept(
    applications: Any, taken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [applications.write(f"SQL = 'SELECT {number}'\n") for number in range(5)]
    source = "".join(f"import {name}\n" for name in names)
    source += "class Repo:\n    def read(self): return " + " + ".join(f"{name}.SQL" for name in names)
    expected = taken(source + "\n")
    monkeypatch.setattr(source_text, "_MOST_MODULES", 1)
    name, sources = applications.write(source + "\n"), SourceTexts()
    importlib.import_module(name)
    for _ in range(3):
        assert difference(fingerprint_of(Target(name, "Repo.read"), sources), expected) is None


# -- kinds of methods ------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", KINDS.values(), ids=KINDS)
def test_every_kind_of_method_has_a_fingerprint_that_sees_a_change(change: Any, before: str) -> None:
    assert change(before, before) is None
    assert change(before, before.replace("SELECT 1", "SELECT 2")) == "its source and its SQL"


@pytest.mark.parametrize("kind", ["that tells what it wraps", "that does not", "that is a class", "of wrapt"])
def test_a_change_to_a_decorator_is_one_to_the_method(change: Any, kind: str) -> None:
    before = KINDS[f"with a decorator {kind}"]
    after = with_another_decorator(before)
    assert after != before
    assert change(before, after) == "its source"


def test_a_function_of_a_module_has_one(change: Any) -> None:
    assert change("def read(): return 1\n", "def read(): return 2\n", "read") == "its source"


def test_a_function_written_in_c_has_none_and_never_changes() -> None:
    import zlib

    target = Target(zlib.__name__, "crc32")
    assert fingerprint_of(target, SourceTexts()) == Fingerprint()
    assert difference(Fingerprint(), Fingerprint()) is None


def test_a_method_that_becomes_one_written_in_c_has_changed(taken: Any) -> None:
    assert difference(Fingerprint(), taken(PLAIN)) == "whether it is written in C"
    assert difference(taken(PLAIN), Fingerprint()) == "whether it is written in C"


def test_what_is_not_there_is_an_error(taken: Any) -> None:
    with pytest.raises(TargetNotFoundError):
        taken(PLAIN, "Repo.write")
    with pytest.raises(TargetNotFoundError):
        fingerprint_of(Target("application_that_is_nowhere", "Repo.read"), SourceTexts())


def test_a_stand_in_of_ours_is_looked_through(bench: Any, applications: Any) -> None:
    for source in (PLAIN, KINDS["a static method"], KINDS["a class method"], KINDS["with lru_cache"]):
        module = applications.load(source)
        target = Target(module.__name__, "Repo.read")
        before = fingerprint_of(target, SourceTexts())
        bench.install(str(target))
        assert fingerprint_of(target, SourceTexts()) == before


def test_the_layers_of_a_wrapper_that_leads_to_itself_come_to_an_end() -> None:
    def odd() -> None:
        """Wrap itself."""

    odd.__wrapped__ = odd  # type: ignore[attr-defined]  # as a careless decorator may do
    assert layers(odd) == [odd]


# -- without source --------------------------------------------------------------------------------------


@pytest.fixture
def frozen(applications: Any, tmp_path: Path) -> Callable[..., Fingerprint]:
    """The fingerprint of a method in a module of which only the compiled code is there."""
    import py_compile

    def take(source: str, path: str = "Repo.read") -> Fingerprint:
        name = applications.write(source)
        file = applications.folder / f"{name}.py"
        py_compile.compile(str(file), cfile=str(file.with_suffix(".pyc")), doraise=True)
        file.unlink()
        importlib.invalidate_caches()
        importlib.import_module(name)
        return fingerprint_of(Target(name, path), SourceTexts())

    return take


def test_without_source_the_code_is_compared(frozen: Any, taken: Any) -> None:
    found = frozen(PLAIN)
    assert (found.source, found.sql, list(found.code)) == (None, None, [python_tag()])
    assert difference(found, taken(PLAIN)) is None
    assert difference(found, taken(PLAIN.replace("users", "people"))) == "its code"


@pytest.mark.parametrize(
    "name", ["comments", "blank lines", "quotes", "the docstring", "the place", "other methods"]
)
def test_without_source_it_is_the_same_for_what_does_not_matter(frozen: Any, taken: Any, name: str) -> None:
    assert difference(frozen(SAME[name]), taken(PLAIN)) is None


@pytest.mark.parametrize("before", list(ELSEWHERE.values())[:4], ids=list(ELSEWHERE)[:4])
def test_without_source_constants_that_are_sql_are_seen(frozen: Any, taken: Any, before: str) -> None:
    assert difference(frozen(before), taken(before)) is None
    assert difference(frozen(before.replace("SELECT 1", "SELECT 2")), taken(before)) == "its code"


@pytest.mark.parametrize("source", KINDS.values(), ids=KINDS)
def test_a_frozen_application_is_compared_with_what_was_locked_where_it_was_not_frozen(
    frozen: Any, taken: Any, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    locked = taken(source)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert difference(frozen(source), locked) is None
    assert difference(frozen(source.replace("SELECT 1", "SELECT 2")), locked) == "its code"


def test_without_source_texts_that_are_no_sql_are_no_part_of_it(
    frozen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        "import os\nURL = os.environ.get('ACCEL_TEST_URL', '')\n"
        "class Repo:\n    def read(self): return self.db(URL)\n"
    )
    expected = frozen(source)
    monkeypatch.setenv("ACCEL_TEST_URL", "Server=x;PWD=hunter2")
    assert frozen(source) == expected


def test_code_of_another_python_cannot_be_compared(frozen: Any, taken: Any) -> None:
    locked = taken(PLAIN)
    other = Fingerprint(locked.source, locked.sql, {"cpython-27": "0"})
    assert "no code of" in str(difference(frozen(PLAIN), other))


def test_an_optimised_python_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Flags:
        optimize = 2

    plain = python_tag()
    monkeypatch.setattr(fingerprint_module.sys, "flags", Flags)
    assert python_tag() == f"{plain.partition('.')[0]}.opt-2"
