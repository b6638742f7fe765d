"""Whoever looks at a patched method sees what was there before."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import pydoc
import traceback
import types
import typing
import weakref
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from wats_accel.patching.places import aliases

Look = Callable[[Any], Any]

PLAIN = ["Repo.plain", "Repo.everything", "Repo.of_class", "Repo.of_nobody", "Repo.inherited", "function"]
DECORATED = [
    "Repo.decorated",
    "Repo.remembered",
    "Repo.remembered_class",
    "Repo.remembered_static",
    "Repo.traced",
    "Repo.traced_class",
    "Repo.traced_static",
    "Repo.class_traced",
    "Repo.described",
    "Repo.attributed",
    "Repo.attributed_class",
    "Repo.partial",
    "Repo.dispatched",
    "remembered_function",
    "decorated_function",
    "partial_function",
]
VIEWS: dict[str, Look] = {
    "signature": inspect.signature,
    "doc": inspect.getdoc,
    "source": inspect.getsource,
    "type_hints": typing.get_type_hints,
    "names": lambda seen: (seen.__name__, seen.__qualname__, seen.__module__, seen.__doc__),
    "annotations": lambda seen: seen.__annotations__,
    "isfunction": inspect.isfunction,
    "ismethod": inspect.ismethod,
    "isroutine": inspect.isroutine,
    "isabstract": lambda seen: getattr(seen, "__isabstractmethod__", False),
    "callable": callable,
    # The first line names the type.
    "help": lambda seen: pydoc.plain(pydoc.render_doc(seen)).partition("\n")[2],
}
# These ask for the type itself, which a proxy cannot hide.
_TOLD_BY_THE_TYPE = {
    ("Repo.described", "isroutine"),
    ("Repo.described", "help"),
    ("Repo.partial", "help"),
    ("partial_function", "help"),
}


def _at(module: Any, path: str) -> Any:
    return functools.reduce(getattr, path.split("."), module)


def _of_instance(module: Any, path: str) -> Any:
    holder, _, name = path.rpartition(".")
    return getattr(_at(module, holder)(), name) if holder else getattr(module, name)


def _seen(look: Look, thing: Any) -> Any:
    try:
        return look(thing)
    except (TypeError, ValueError, AttributeError, OSError) as error:
        return type(error)


@pytest.mark.parametrize("reach", [_at, _of_instance], ids=["class", "instance"])
@pytest.mark.parametrize("path", [*PLAIN, *DECORATED])
def test_a_patched_method_looks_as_before(
    bench: Any, sample: Any, path: str, reach: Callable[[Any, str], Any]
) -> None:
    views = {name: view for name, view in VIEWS.items() if (path, name) not in _TOLD_BY_THE_TYPE}
    before = {name: _seen(view, reach(sample, path)) for name, view in views.items()}
    bench.install(f"{sample.__name__}:{path}")
    assert {name: _seen(view, reach(sample, path)) for name, view in views.items()} == before
    assert bench.messages == []


@pytest.mark.parametrize("reach", [_at, _of_instance], ids=["class", "instance"])
@pytest.mark.parametrize(
    "path", [*PLAIN, "Repo.decorated", "Repo.attributed", "Abstract.plain", "Concrete.plain"]
)
def test_getfullargspec_is_as_before(
    bench: Any, sample: Any, path: str, reach: Callable[[Any, str], Any]
) -> None:
    if path == "Abstract.plain" and reach is _of_instance:
        path = "Concrete.plain"
    before = inspect.getfullargspec(reach(sample, path))
    bench.install(f"{sample.__name__}:{path}")
    assert inspect.getfullargspec(reach(sample, path)) == before


@pytest.mark.parametrize(
    "name", ["Repo", "Slotted", "Abstract", "Colour", "Data", "Named", "Box", "WithMeta", "Base"]
)
def test_help_and_members_of_a_class_are_as_before(bench: Any, sample: Any, name: str) -> None:
    host = getattr(sample, name)
    plain = "inherited" if name == "Base" else "plain"
    before = (pydoc.plain(pydoc.render_doc(host)), [key for key, _ in inspect.getmembers(host)], dir(host))
    bench.install(f"{sample.__name__}:{name}.{plain}")
    assert bench.messages == []
    after = (pydoc.plain(pydoc.render_doc(host)), [key for key, _ in inspect.getmembers(host)], dir(host))
    assert after == before


def test_help_of_a_decorated_class_is_as_before(bench: Any, sample: Any) -> None:
    before = pydoc.plain(pydoc.render_doc(sample.Repo)), inspect.getsource(sample.Repo)
    bench.install(*(f"{sample.__name__}:{path}" for path in [*PLAIN, *DECORATED] if path != "Repo.inherited"))
    assert (pydoc.plain(pydoc.render_doc(sample.Repo)), inspect.getsource(sample.Repo)) == before


# -- identity and equality -------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PLAIN, *DECORATED])
def test_bound_methods_of_one_object_are_equal(bench: Any, sample: Any, path: str) -> None:
    bench.install(f"{sample.__name__}:{path}")
    repo = sample.Repo()
    holder = repo if "." in path else sample
    first, second = (getattr(holder, path.rpartition(".")[2]) for _ in range(2))
    if path in {"Repo.described", "Repo.partial", "Repo.dispatched"}:
        return  # they were never equal
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    "path", ["Repo.plain", "Repo.decorated", "Repo.remembered", "Repo.attributed", "function"]
)
def test_a_method_is_one_object_that_can_be_held_weakly(bench: Any, sample: Any, path: str) -> None:
    bench.install(f"{sample.__name__}:{path}")
    reference = weakref.ref(_at(sample, path))
    assert reference() is _at(sample, path)


@pytest.mark.parametrize("path", ["plain", "decorated", "remembered", "attributed", "inherited"])
def test_a_bound_method_can_be_held_weakly(bench: Any, sample: Any, path: str) -> None:
    bench.install(f"{sample.__name__}:Repo.{path}")
    repo = sample.Repo(1)
    method = weakref.WeakMethod(getattr(repo, path))()
    assert method is not None
    assert method(2) == (path, 1, 2)
    assert bench.calls == [f"Repo.{path}"]


@pytest.mark.parametrize("path", ["plain", "decorated", "remembered", "attributed", "inherited"])
def test_a_bound_method_is_a_real_one(bench: Any, sample: Any, path: str) -> None:
    bench.install(f"{sample.__name__}:Repo.{path}")
    repo = sample.Repo(1)
    method = getattr(repo, path)
    assert type(method) is types.MethodType
    assert (method.__self__, method.__func__) == (repo, vars(sample.Repo)[path])


@pytest.mark.parametrize("path", [*PLAIN, *DECORATED])
def test_functools_partial_goes_through_the_wrapper(bench: Any, sample: Any, path: str) -> None:
    named = {"named": 4} if path == "Repo.everything" else {}
    before = functools.partial(_of_instance(sample, path), 2)(**named)
    bench.install(f"{sample.__name__}:{path}")
    assert functools.partial(_of_instance(sample, path), 2)(**named) == before
    assert bench.calls == [path]


# -- pickling and copying --------------------------------------------------------------------------


def _outcome(use: Callable[[], Any]) -> Any:
    try:
        return use()
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("protocol", [0, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("reach", [_at, _of_instance], ids=["class", "instance"])
@pytest.mark.parametrize("path", [*PLAIN, *DECORATED])
def test_what_pickled_before_pickles_and_gives_the_patched_method(
    bench: Any, sample: Any, path: str, reach: Callable[[Any, str], Any], protocol: int
) -> None:
    arguments = (sample.Repo(7), 2) if _takes_self(sample, path, reach) else (2,)
    if path == "Repo.everything":
        arguments = (*arguments[:-1], sample.Repo(7))
    before = _outcome(lambda: pickle.dumps(reach(sample, path), protocol))
    bench.install(f"{sample.__name__}:{path}")
    if isinstance(before, type):
        return
    if (path, reach) == ("Repo.inherited", _at):
        # Known and documented: it pickles by the name of the base class's function, which it is not any more.
        with pytest.raises(pickle.PicklingError):
            pickle.dumps(reach(sample, path), protocol)
        return
    loaded = pickle.loads(pickle.dumps(reach(sample, path), protocol))
    named = {"named": 4} if path == "Repo.everything" else {}
    assert loaded(*arguments, **named) == reach(sample, path)(*arguments, **named)
    expected = 1 if path == "partial_function" else 2  # a partial pickles as what it is made of
    assert bench.calls == [path] * expected


def _takes_self(module: Any, path: str, reach: Any) -> bool:
    return reach is _at and "self" in inspect.signature(_at(module, path)).parameters


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
@pytest.mark.parametrize("reach", [_at, _of_instance], ids=["class", "instance"])
@pytest.mark.parametrize("path", [*PLAIN, *DECORATED])
def test_what_could_be_copied_before_copies_and_calls_the_patched_method(
    bench: Any, sample: Any, path: str, reach: Callable[[Any, str], Any], duplicate: Callable[[Any], Any]
) -> None:
    bench.install(f"{sample.__name__}:{path}")
    copied = duplicate(reach(sample, path))
    named = {"named": 4} if path == "Repo.everything" else {}
    arguments = (sample.Repo(7), 2) if _takes_self(sample, path, reach) else (2,)
    assert copied(*arguments, **named) == reach(sample, path)(*arguments, **named)
    assert bench.calls == [path] * 2


@pytest.mark.parametrize("path", ["plain", "traced", "described", "remembered"])
def test_a_deep_copy_of_a_bound_method_belongs_to_the_copied_object(
    bench: Any, sample: Any, path: str
) -> None:
    bench.install(f"{sample.__name__}:Repo.{path}")
    repo = sample.Repo(1)
    repo.callback = getattr(repo, path)
    copied = copy.deepcopy(repo)
    copied.number = 2
    assert copied.callback(3) == (path, 2, 3)
    assert repo.callback(3) == (path, 1, 3)


@pytest.mark.parametrize("name", ["Repo", "Slotted", "Data", "Named", "Concrete", "Colour"])
def test_classes_and_instances_pickle_and_copy_as_before(bench: Any, sample: Any, name: str) -> None:
    bench.install(f"{sample.__name__}:{name}.plain")
    host = getattr(sample, name)
    instance = host.RED if name == "Colour" else host()
    answer = instance.plain(2)
    assert pickle.loads(pickle.dumps(host)) is host
    for twin in (pickle.loads(pickle.dumps(instance)), copy.copy(instance), copy.deepcopy(instance)):
        assert twin.plain(2) == answer


# -- errors ----------------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, Look]] = {
    "too_many": ("Repo.plain", lambda m: m.Repo().plain(1, 2, 3, 4)),
    "missing": ("Repo.plain", lambda m: m.Repo().plain()),
    "unknown": ("Repo.plain", lambda m: m.Repo().plain(1, unknown=2)),
    "no_self": ("Repo.plain", lambda m: m.Repo.plain()),
    "positional_by_name": ("Repo.everything", lambda m: m.Repo().everything(first=1, named=2)),
    "no_keyword_only": ("Repo.everything", lambda m: m.Repo().everything(1)),
    "class": ("Repo.of_class", lambda m: m.Repo.of_class(1, 2)),
    "static": ("Repo.of_nobody", lambda m: m.Repo.of_nobody()),
    "function": ("function", lambda m: m.function()),
    "inherited": ("Repo.inherited", lambda m: m.Repo().inherited()),
    "inherited_no_self": ("Repo.inherited", lambda m: m.Repo.inherited()),
    "inherited_class": ("Repo.inherited_class", lambda m: m.Repo.inherited_class()),
    "inherited_static": ("Repo.inherited_static", lambda m: m.Repo.inherited_static(1, 2)),
    "decorated": ("Repo.decorated", lambda m: m.Repo().decorated()),
    "lru_cache": ("Repo.remembered", lambda m: m.Repo().remembered()),
    "lru_cache_no_self": ("Repo.remembered", lambda m: m.Repo.remembered()),
    "partialmethod": ("Repo.partial", lambda m: m.Repo().partial()),
    "dispatched": ("Repo.dispatched", lambda m: m.Repo().dispatched()),
    "wrapt": ("Repo.traced", lambda m: m.Repo().traced()),
    "wrapt_no_self": ("Repo.traced", lambda m: m.Repo.traced()),
    "descriptor": ("Repo.described", lambda m: m.Repo().described()),
    "abstract": ("Abstract.plain", lambda m: m.Abstract()),
}


@pytest.mark.parametrize(("path", "use"), WRONG.values(), ids=WRONG)
def test_wrong_arguments_raise_as_before(bench: Any, sample: Any, path: str, use: Look) -> None:
    with pytest.raises((TypeError, IndexError)) as before:
        use(sample)
    bench.install(f"{sample.__name__}:{path}")
    with pytest.raises(before.type) as after:
        use(sample)
    assert str(after.value) == str(before.value)


def test_a_traceback_ends_in_the_original_function(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.refuse")
    with pytest.raises(LookupError) as caught:
        sample.Repo().refuse(5)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.name, last.filename) == ("refuse", sample.__file__)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


# -- other people's patches ------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PLAIN, *DECORATED])
def test_a_mock_can_be_put_on_top_and_taken_off_again(bench: Any, sample: Any, path: str) -> None:
    bench.install(f"{sample.__name__}:{path}")
    holder, name = _at(sample, path.rpartition(".")[0]) if "." in path else sample, path.rpartition(".")[2]
    ours = vars(holder)[name]
    with mock.patch.object(holder, name, return_value="mocked"):
        assert _of_instance(sample, path)(2) == "mocked"
        assert bench.calls == []
    assert vars(holder)[name] is ours
    bench.uninstall()
    assert bench.messages == []


def test_a_mock_with_the_method_s_signature_refuses_the_same_calls(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.plain")
    with mock.patch.object(sample.Repo, "plain", autospec=True, return_value=1), pytest.raises(TypeError):
        sample.Repo().plain()


def test_abstract_classes_stay_abstract_and_concrete_ones_concrete(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Abstract.plain", f"{sample.__name__}:Concrete.plain")
    still_abstract = type("StillAbstract", (sample.Abstract,), {})
    with pytest.raises(TypeError, match="abstract"):
        still_abstract()
    assert sample.Concrete().plain(2) == ("concrete", "abstract", 2)


def test_looking_for_names_does_not_load_a_lazy_module(
    bench: Any, sample: Any, applications: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util
    import sys

    name = applications.write("raise RuntimeError('must not be loaded')")
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    lazy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, lazy)
    importlib.util.LazyLoader(spec.loader).exec_module(lazy)
    bench.install(f"{sample.__name__}:function")
    assert [place.attribute for place in aliases(sample.function, None)] == ["function"]
    assert bench.messages == []
