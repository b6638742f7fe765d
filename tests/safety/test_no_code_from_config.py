"""No text of a configuration, and no name in an application, is run as code; files change in one step."""

from __future__ import annotations

import ast
import functools
import inspect
import os
import stat
from pathlib import Path
from typing import Any, TypeVar

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.keys import ArgumentReader, KeyMaker, KeyRules
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.cli import output
from wats_accel.errors import ConfigError, TargetError
from wats_accel.runtime import Accelerator

NodeT = TypeVar("NodeT", bound=ast.AST)
ROOT = Path(__file__).resolve().parents[2]
_RUNS_CODE = {"exec", "eval", "compile", "__import__"}
_UNPICKLES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
_UNSAFE_YAML = {"load", "load_all", "unsafe_load", "full_load", "Loader", "UnsafeLoader", "FullLoader"}


_RUNS_A_PROGRAM = "wats_accel/cli/script.py"
"""For ``wats-accel run``: source files, and compiled ones."""


def _nodes(kind: type[NodeT]) -> list[tuple[str, NodeT]]:
    """The nodes of this kind in those of our sources that have one of the words, each with its file."""
    return [(name, node) for name, tree in _suspects() for node in ast.walk(tree) if isinstance(node, kind)]


@functools.cache
def _suspects() -> list[tuple[str, ast.Module]]:
    paths = [path for folder in ("wats_accel", "plugins") for path in sorted((ROOT / folder).rglob("*.py"))]
    texts = [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    words = (*(f"{name}(" for name in _RUNS_CODE), *_UNPICKLES, "yaml.")
    return [(name, ast.parse(text)) for name, text in texts if any(word in text for word in words)]


def test_code_is_run_in_few_places_only() -> None:
    """Functions whose text is made here, a program that was asked for, and faults for tests."""
    calls = _nodes(ast.Call)
    found = {name for name, call in calls if isinstance(call.func, ast.Name) and call.func.id in _RUNS_CODE}
    assert found == {"wats_accel/generated_functions.py", "wats_accel/testing/faults.py", _RUNS_A_PROGRAM}


def test_nothing_is_unpickled_and_yaml_is_loaded_safely() -> None:
    imported = {(name, alias.name) for name, node in _nodes(ast.Import) for alias in node.names}
    imported |= {(name, node.module or "") for name, node in _nodes(ast.ImportFrom)}
    assert {known for known in imported if known[1] in _UNPICKLES} == {(_RUNS_A_PROGRAM, "marshal")}
    attributes = [(node.value, node.attr) for _, node in _nodes(ast.Attribute)]
    of_yaml = {attr for value, attr in attributes if isinstance(value, ast.Name) and value.id == "yaml"}
    assert of_yaml
    assert of_yaml.isdisjoint(_UNSAFE_YAML)


# -- generated functions ---------------------------------------------------------------------------------

_ran: list[str] = []


def method(self: Any, token: str = "default", *more: Any, **named: Any) -> None:
    pass


def _maker(**rules: Any) -> KeyMaker:
    return KeyMaker(
        inspect.signature(method), has_instance=True, rules=KeyRules(**rules), scopes=ScopeNumbers()
    )


_CODE = [
    "self.x, __import__('os')", "self.x);_ran.append(1);(1", "self.x\n_ran.append('x')", "self.a b", "self.1",
    "self.", "self..x", "self.x:=1", "self.lambda", "self.x[0]", "self.x()", "token.x # y",
    "token if 1 else 2", "self.x\\", "self.\u2028x",
]  # fmt: skip


@pytest.mark.parametrize("path", _CODE)
@pytest.mark.parametrize("rule", ["scope", "include"])
def test_a_path_that_is_code_is_refused(path: str, rule: str) -> None:
    with pytest.raises(TargetError):
        _maker(**{rule: (path,)})


@given(
    path=st.text(
        st.sampled_from([*"abself.token_1 ()[]{}:;,=+*'\"\\\n#\t", "\u00e9", "\u2028", "\u212a"]), max_size=12
    )
)
def test_whatever_becomes_code_consists_of_names(path: str) -> None:
    for rules in ({"scope": (path,)}, {"include": (path,)}, {"secret": frozenset({path})}):
        try:
            _maker(**rules)
        except TargetError:
            continue
        is_path = all(part.isidentifier() for part in path.split("."))
        assert is_path or "secret" in rules  # of secrets only the names of parameters get into the text


class Nasty:
    """What spells itself as code."""

    def __repr__(self) -> str:
        _ran.append("repr")
        return "_ran.append('default')"

    __str__ = __format__ = __repr__  # type: ignore[assignment]


def test_defaults_and_annotations_are_not_spelt_into_the_code() -> None:
    def function(a=None, *, b=None):
        pass

    nasty = Nasty()
    parameters = [
        known.replace(default=nasty, annotation="_ran.append('annotation')")
        for known in inspect.signature(function).parameters.values()
    ]
    signature = inspect.Signature(parameters, return_annotation=nasty)
    KeyMaker(signature, has_instance=False, rules=KeyRules(exclude=frozenset({"a"})), scopes=ScopeNumbers())
    ArgumentReader(signature, has_instance=False, paths=("b",)).read((), {})
    assert _ran == []


@pytest.mark.parametrize(
    "name", ["a=print", "a, b", "a: x", "print()", "a\n", "", "1", "class", "_accel_tuple"]
)
def test_a_parameter_whose_name_is_code_is_refused(name: str) -> None:
    """As no ``def`` can have one, but a decorated signature may say so."""

    class Odd(inspect.Parameter):
        @property
        def name(self) -> str:
            return name

    odd = Odd("odd", inspect.Parameter.KEYWORD_ONLY)
    signature = inspect.Signature()
    signature._parameters = {name: odd}  # type: ignore[attr-defined]
    with pytest.raises(TargetError, match="no usable name"):
        KeyMaker(signature, has_instance=False, rules=KeyRules(), scopes=ScopeNumbers())


def test_a_python_literal_in_a_file_is_no_code(tmp_path: Path) -> None:
    rule = {"namespace": "ns", "unless_result": [{"python": "__import__('os').getcwd()"}]}
    config = {
        "version": 1,
        "cache": {"namespaces": {"ns": {}}},
        "repositories": [{"target": "os.path:PathLike", "cached": {"x": rule}}],
    }
    with pytest.raises(ConfigError, match="Python literal"):
        Accelerator(config, strict=True, environ={}).install()


# -- files -----------------------------------------------------------------------------------------------


def test_a_command_writes_its_file_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "page.md"
    assert output.deliver("one", str(file), check=False) == 0
    assert file.read_text(encoding="utf-8") == "one"
    monkeypatch.setattr(os, "replace", _refuse)
    with pytest.raises(click.ClickException):
        output.deliver("two", str(file), check=False)
    [left] = tmp_path.iterdir()
    assert (left.name, left.read_text(encoding="utf-8")) == ("page.md", "one")


def _refuse(*_: object) -> None:
    raise OSError(28, "no room")


@pytest.mark.skipif(os.name == "nt", reason="there are no such permissions on Windows")
def test_a_file_that_is_written_again_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("one", encoding="utf-8")
    file.chmod(0o600)
    output.deliver("two", str(file), check=False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    output.deliver("pipe", os.devnull, check=False)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
