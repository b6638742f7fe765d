"""What cannot be patched is left alone, said clearly, and keeps nothing else from being patched."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from wats_accel.errors import Problem, TargetError
from wats_accel.patching.plan import PatchPlan, PatchSpec
from wats_accel.patching.rehearsal import rehearse

SOURCE = '''
import asyncio, contextlib, datetime, functools, types
from datetime import datetime as when

async def coroutine_function(): pass

def noted(function):
    @functools.wraps(function)
    def noting(*args): return function(*args)
    return noting

class Meta(type):
    def of_meta(cls): return cls

class Always:
    """A property as other libraries write them."""
    def __get__(self, instance, owner=None): return 7

class Once:
    def __get__(self, instance, owner=None): return self if instance is None else 7

class Callable:
    def __call__(self): return 7

class Repo(metaclass=Meta):
    __slots__ = ("slot",)
    attribute = 3
    nothing = None
    def plain(self): return "plain"
    @property
    def a_property(self): return 1
    async def coroutine(self): pass
    @noted
    async def decorated_coroutine(self): pass
    @classmethod
    async def coroutine_of_class(cls): pass
    partial_coroutine = functools.partialmethod(coroutine)
    async def asynchronous_items(self): yield
    def items(self): yield
    @noted
    def decorated_items(self): yield
    partial_items = functools.partialmethod(items)
    @contextlib.contextmanager
    def transaction(self): yield
    @classmethod
    @contextlib.contextmanager
    def transaction_of_class(cls): yield
    @noted
    @contextlib.contextmanager
    def noted_transaction(self): yield
    @contextlib.asynccontextmanager
    async def asynchronous_transaction(self): yield
    class Nested: pass
    always = Always()
    once = Once()
    calling = Callable()
    builtin = len

class Cached:
    @functools.cached_property
    def value(self): return 1

class Frozen(type):
    def __setattr__(cls, name, value): raise RuntimeError("frozen")

class Unchangeable(metaclass=Frozen):
    def plain(self): return "plain"

instance = Cached()
number = 5
unknown_signature = print.__class__.__call__
'''

LEFT = "is not supported, left alone"
REFUSED = {
    "property": ("Repo.a_property", f"a property {LEFT}"),
    "cached_property": ("Cached.value", f"a property {LEFT}"),
    "coroutine": ("Repo.coroutine", f"a coroutine function {LEFT}"),
    "decorated_coroutine": ("Repo.decorated_coroutine", f"a coroutine function {LEFT}"),
    "coroutine_of_class": ("Repo.coroutine_of_class", f"a coroutine function {LEFT}"),
    "partial_coroutine": ("Repo.partial_coroutine", f"a coroutine function {LEFT}"),
    "coroutine_of_module": ("coroutine_function", f"a coroutine function {LEFT}"),
    "asynchronous_generator": ("Repo.asynchronous_items", f"an asynchronous generator function {LEFT}"),
    "asynchronous_context": (
        "Repo.asynchronous_transaction",
        f"an asynchronous generator function {LEFT}",
    ),
    "context_manager": ("Repo.transaction", f"a context manager function {LEFT}"),
    "context_manager_of_class": ("Repo.transaction_of_class", f"a context manager function {LEFT}"),
    "decorated_context_manager": ("Repo.noted_transaction", f"a context manager function {LEFT}"),
    "generator": (
        "Repo.items",
        "a generator function is left alone unless its rule says 'materialize: true'",
    ),
    "decorated_generator": (
        "Repo.decorated_items",
        "a generator function is left alone unless its rule says 'materialize: true'",
    ),
    "partial_generator": (
        "Repo.partial_items",
        "a generator function is left alone unless its rule says 'materialize: true'",
    ),
    "class": ("Repo.Nested", f"a class (name one of its methods) {LEFT}"),
    "class_of_module": ("Repo", f"a class (name one of its methods) {LEFT}"),
    "attribute": ("Repo.attribute", f"a int, which cannot be called, {LEFT}"),
    "none": ("Repo.nothing", f"a NoneType, which cannot be called, {LEFT}"),
    "number_of_module": ("number", f"a int, which cannot be called, {LEFT}"),
    "slot": ("Repo.slot", f"a data descriptor {LEFT}"),
    "descriptor_that_gives_a_value": ("Repo.always", f"a Always, which cannot be called, {LEFT}"),
    "descriptor_that_gives_itself": ("Repo.once", f"a Once, which cannot be called, {LEFT}"),
    "callable_object": ("Repo.calling", f"a callable that does not bind itself {LEFT}"),
    "builtin": ("Repo.builtin", f"a callable that does not bind itself {LEFT}"),
    "metaclass": ("Repo.of_meta", f"an attribute of a metaclass {LEFT}"),
    "c_type": ("datetime.datetime.isoformat", f"a class that does not allow attributes to be set {LEFT}"),
    "c_type_by_name": ("when.isoformat", f"a class that does not allow attributes to be set {LEFT}"),
    "instance": ("instance.value", f"a method of an instance (name that of its class) {LEFT}"),
    "frozen_class": ("Unchangeable.plain", "its class does not allow attributes to be set"),
    "missing_class": ("Rep.plain", "{module} has no 'Rep'; did you mean 'Repo'?"),
    "missing_method": ("Repo.plian", "{module}.Repo has no 'plian'; did you mean 'plain'?"),
    "missing_function": (
        "coroutine_funktion",
        "{module} has no 'coroutine_funktion'; did you mean 'coroutine_function'?",
    ),
    "missing_nested": ("Repo.Nested.plain", "{module}.Repo.Nested has no 'plain'"),
}


def _attributes(module: Any) -> dict[str, dict[str, Any]]:
    hosts = [module, module.Repo, module.Cached, module.Unchangeable]
    return {repr(host): dict(vars(host)) for host in hosts}


@pytest.mark.parametrize(("path", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_patched_is_left_alone_and_the_rest_is_patched(
    bench: Any, applications: Any, path: str, why: str
) -> None:
    module = applications.load(SOURCE)
    before = _attributes(module)
    target = f"{module.__name__}:{path}"
    message = f"{target}: {why.format(module=module.__name__)}"
    bench.install(target, f"{module.__name__}:Repo.plain")
    assert bench.messages == [message]
    assert bench.left_out == [message]
    assert (module.Repo().plain(), bench.calls) == ("plain", ["Repo.plain"])
    bench.uninstall()
    assert _attributes(module) == before


@pytest.mark.parametrize(
    ("path", "why"),
    [case for name, case in REFUSED.items() if name != "frozen_class"],
    ids=[name for name in REFUSED if name != "frozen_class"],
)
def test_a_rehearsal_reports_the_same_and_puts_nothing_in_place(
    bench: Any, applications: Any, path: str, why: str
) -> None:
    module = applications.load(SOURCE)
    before = _attributes(module)
    specs = [
        bench.spec(f"{module.__name__}:{name}", key_path=("repositories", index))
        for index, name in enumerate((path, "Repo.plain"))
    ]
    target = f"{module.__name__}:{path}"
    expected = Problem(why.format(module=module.__name__), ("repositories", 0), target=target)
    assert rehearse(PatchPlan.of(specs)) == [expected]
    assert (_attributes(module), bench.left_out) == (before, [])
    bench.install(*specs)
    assert bench.problems == [expected]


def test_a_problem_says_where_the_rule_stands(bench: Any, applications: Any) -> None:
    module = applications.load(SOURCE)
    target = f"{module.__name__}:Repo.items"
    bench.install(bench.spec(target, key_path=("repositories", 0, "cached", "items")))
    assert bench.messages[0].startswith(f"repositories[0].cached.items: {target}: a generator function")


def test_each_rule_of_a_method_is_told_that_it_is_left_out(bench: Any, applications: Any) -> None:
    module = applications.load(SOURCE)
    bench.install(*[f"{module.__name__}:Repo.a_property"] * 2)
    assert len(bench.problems) == len(bench.left_out) == 2


def test_one_rule_of_a_method_may_fit_and_another_not(bench: Any, applications: Any) -> None:
    module = applications.load(SOURCE)
    target = f"{module.__name__}:Repo.items"
    bench.install(target, bench.spec(target, bench.counting("accepting"), accepts_generators=True))
    assert list(module.Repo().items()) == [None]
    assert (bench.calls, len(bench.problems)) == (["accepting"], 1)


def test_a_rule_may_refuse_a_method_in_its_own_words(bench: Any, applications: Any) -> None:
    def wrap(call: Any, info: Any) -> Any:
        raise TargetError(f"a {info.kind} method has no scope")

    target = f"{applications.load(SOURCE).__name__}:Repo.plain"
    bench.install(bench.spec(target, wrap))
    assert bench.messages == bench.left_out == [f"{target}: a instance method has no scope"]
    assert bench.patcher.patched == ()


def test_a_module_is_no_target(bench: Any, applications: Any) -> None:
    module = applications.load(SOURCE)
    bench.install(module.__name__)
    assert bench.messages == [f"{module.__name__}: a module (name one of its methods) {LEFT}"]


def test_a_callable_of_a_module_without_a_signature_is_left_alone(bench: Any, applications: Any) -> None:
    module = applications.load(
        "class Odd:\n    __signature__ = 'none'\n    def __call__(self): pass\nodd = Odd()\n"
    )
    bench.install(f"{module.__name__}:odd")
    assert bench.messages == [f"{module.__name__}:odd: a callable without a signature {LEFT}"]


def test_a_class_that_answers_only_when_asked_once_cannot_be_reached(bench: Any, applications: Any) -> None:
    module = applications.load(
        "asked = []\n"
        "def __getattr__(name):\n"
        "    if name != 'fickle': raise AttributeError(name)\n"
        "    asked.append(name)\n"
        "    if len(asked) == 1: raise AttributeError(name)\n"
        "    return asked\n"
    )
    bench.install(f"{module.__name__}:fickle")
    assert bench.messages == [f"{module.__name__}:fickle: {module.__name__}.fickle cannot be reached"]


def test_a_name_of_a_function_that_cannot_be_set_leaves_all_its_names_alone(
    bench: Any, applications: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sealed(types.ModuleType):
        def __setattr__(self, name: str, value: Any) -> None:
            raise RuntimeError("sealed")

    module = applications.load("def function(): return 1\n")
    original = module.function
    sealed = Sealed("application_sealed")
    vars(sealed)["function"] = original
    monkeypatch.setitem(sys.modules, "application_sealed", sealed)
    bench.install(f"{module.__name__}:function")
    assert bench.messages == [f"{module.__name__}:function: its class does not allow attributes to be set"]
    assert (module.function, vars(sealed)["function"]) == (original, original)
    assert bench.patcher.patched == ()


# -- rehearsals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise RuntimeError('secret')", "RuntimeError"),
        ("raise SystemExit('secret')", "SystemExit"),
        ("import application_nowhere", "ModuleNotFoundError: No module named 'application_nowhere'"),
        ("raise SyntaxError('bad')", "SyntaxError: bad"),
    ],
    ids=["error", "exit", "import", "syntax"],
)
def test_a_rehearsal_says_why_a_module_cannot_be_imported(
    bench: Any, applications: Any, source: str, why: str
) -> None:
    name = applications.write(source)
    assert [str(problem) for problem in rehearse(PatchPlan.of([bench.spec(f"{name}:Repo.m")]))] == [
        f"{name}:Repo.m: the module {name} cannot be imported: {why}"
    ]


def test_a_rehearsal_survives_whatever_a_rule_or_a_module_raises(bench: Any, applications: Any) -> None:
    def wrap(call: Any, info: Any) -> Any:
        raise KeyError("secret")

    name = applications.write(SOURCE + "\ndef looping(): pass\nlooping.__wrapped__ = looping\n")
    specs: list[PatchSpec] = [bench.spec(f"{name}:Repo.plain", wrap), bench.spec(f"{name}:looping")]
    assert [str(problem) for problem in rehearse(PatchPlan.of(specs))] == [
        f"{name}:Repo.plain: KeyError while patching",
        f"{name}:looping: ValueError while patching",
    ]
