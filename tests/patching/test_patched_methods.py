"""Every kind of method answers as before, through its wrapper, exactly once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from wats_accel.events import Patched, Unpatched
from wats_accel.patching.plan import Layer

Use = Callable[[Any], Any]

USES: dict[str, tuple[str, Use]] = {
    "instance": ("Repo.plain", lambda m: m.Repo(1).plain(2)),
    "by_name": ("Repo.plain", lambda m: m.Repo(1).plain(value=2, other=None)),
    "through_the_class": ("Repo.plain", lambda m: m.Repo.plain(m.Repo(1), 2)),
    "self_by_name": ("Repo.plain", lambda m: m.Repo.plain(self=m.Repo(1), value=2)),
    "all_parameters": ("Repo.everything", lambda m: m.Repo().everything(1, 2, 3, named=4, more=5)),
    "defaults": ("Repo.everything", lambda m: m.Repo().everything(1, named=4)),
    "class": ("Repo.of_class", lambda m: m.Repo.of_class(2)),
    "class_of_an_instance": ("Repo.of_class", lambda m: m.Repo().of_class()),
    "class_of_a_subclass": ("Repo.of_class", lambda m: m.Leaf.of_class(2)),
    "static": ("Repo.of_nobody", lambda m: m.Repo.of_nobody(3)),
    "static_of_an_instance": ("Repo.of_nobody", lambda m: m.Repo().of_nobody(3, by=4)),
    "nested": ("Repo.Nested.inner", lambda m: m.Repo.Nested().inner(1)),
    "function": ("function", lambda m: m.function(3)),
    "inherited": ("Repo.inherited", lambda m: m.Repo(1).inherited(2)),
    "inherited_through_the_class": ("Repo.inherited", lambda m: m.Repo.inherited(m.Repo(1), 2)),
    "inherited_of_another_class": ("Repo.inherited", lambda m: m.Repo.inherited(m.Base(1), 2)),
    "inherited_self_by_name": ("Repo.inherited", lambda m: m.Repo.inherited(self=m.Repo(1), value=2)),
    "inherited_class": ("Repo.inherited_class", lambda m: m.Repo.inherited_class(2)),
    "inherited_class_of_an_instance": ("Repo.inherited_class", lambda m: m.Repo().inherited_class(2)),
    "inherited_static": ("Repo.inherited_static", lambda m: m.Repo.inherited_static(2)),
    "overriding": ("Repo.overridden", lambda m: m.Repo().overridden(2)),
    "overridden": ("Base.overridden", lambda m: m.Repo().overridden(2)),
    "overriding_class": ("Repo.overridden_class", lambda m: m.Repo.overridden_class(2)),
    "overridden_class": ("Base.overridden_class", lambda m: m.Repo.overridden_class(2)),
    "super": ("Repo.plain", lambda m: m.Leaf(1).plain(2)),
    "slots": ("Slotted.plain", lambda m: m.Slotted().plain(2)),
    "abstract": ("Abstract.plain", lambda m: m.Concrete().plain(2)),
    "concrete": ("Concrete.plain", lambda m: m.Concrete().plain(2)),
    "enum": ("Colour.plain", lambda m: m.Colour.RED.plain(2)),
    "dataclass": ("Data.plain", lambda m: m.Data().plain(2)),
    "named_tuple": ("Named.plain", lambda m: m.Named().plain(2)),
    "generic": ("Box.plain", lambda m: m.Box[int]().plain(2)),
    "metaclass": ("WithMeta.plain", lambda m: m.WithMeta().plain(2)),
    "method_of_a_metaclass": ("Meta.on_class", lambda m: m.WithMeta.on_class(2)),
    "closure": ("Repo.decorated", lambda m: m.Repo(1).decorated(2)),
    "closure_through_the_class": ("Repo.decorated", lambda m: m.Repo.decorated(m.Repo(1), 2)),
    "lru_cache": ("Repo.remembered", lambda m: m.Repo(1).remembered(2)),
    "lru_cache_through_the_class": ("Repo.remembered", lambda m: m.Repo.remembered(m.Repo(1), 2)),
    "lru_cache_of_a_class": ("Repo.remembered_class", lambda m: m.Repo.remembered_class(2)),
    "lru_cache_of_nobody": ("Repo.remembered_static", lambda m: m.Repo().remembered_static(2)),
    "partialmethod": ("Repo.partial", lambda m: m.Repo(1).partial(2)),
    "partialmethod_through_the_class": ("Repo.partial", lambda m: m.Repo.partial(m.Repo(1), 2)),
    "singledispatchmethod": ("Repo.dispatched", lambda m: m.Repo(1).dispatched("a")),
    "wrapt": ("Repo.traced", lambda m: m.Repo(1).traced(2)),
    "wrapt_through_the_class": ("Repo.traced", lambda m: m.Repo.traced(m.Repo(1), 2)),
    "wrapt_around_class": ("Repo.traced_class", lambda m: m.Repo.traced_class(2)),
    "wrapt_around_class_of_an_instance": ("Repo.traced_class", lambda m: m.Repo().traced_class(2)),
    "wrapt_around_class_of_a_subclass": ("Repo.traced_class", lambda m: m.Leaf.traced_class(2)),
    "wrapt_around_static": ("Repo.traced_static", lambda m: m.Repo.traced_static(2)),
    "wrapt_around_static_of_an_instance": ("Repo.traced_static", lambda m: m.Repo().traced_static(2)),
    "wrapt_inside_class": ("Repo.class_traced", lambda m: m.Repo.class_traced(2)),
    "wrapt_inside_static": ("Repo.static_traced", lambda m: m.Repo.static_traced(2)),
    "descriptor": ("Repo.described", lambda m: m.Repo(1).described(2)),
    "descriptor_through_the_class": ("Repo.described", lambda m: m.Repo.described(m.Repo(1), 2)),
    "attributes": ("Repo.attributed", lambda m: m.Repo(1).attributed(2)),
    "attributes_of_class": ("Repo.attributed_class", lambda m: m.Repo.attributed_class(2)),
    "lru_cache_of_the_module": ("remembered_function", lambda m: m.remembered_function(2)),
    "closure_of_the_module": ("decorated_function", lambda m: m.decorated_function(2)),
    "callable_object_of_the_module": ("callable_object", lambda m: m.callable_object(2)),
    "partial_of_the_module": ("partial_function", lambda m: m.partial_function(2)),
    "call_operator": ("Repo.__call__", lambda m: m.Repo(1)(2)),
    "length": ("Repo.__len__", lambda m: len(m.Repo(1))),
    "initializer": ("Base.__init__", lambda m: m.Base(1).number),
}


@pytest.mark.parametrize(("path", "use"), USES.values(), ids=USES)
def test_a_patched_method_answers_as_before_through_its_wrapper(
    bench: Any, sample: Any, path: str, use: Use
) -> None:
    before = use(sample)
    bench.install(f"{sample.__name__}:{path}")
    assert use(sample) == before
    assert (bench.calls, bench.messages) == ([path], [])


@pytest.mark.parametrize(("path", "use"), USES.values(), ids=USES)
def test_an_unpatched_method_is_the_original_again(bench: Any, sample: Any, path: str, use: Use) -> None:
    parent = functools.reduce(getattr, path.split(".")[:-1], sample)
    before = list(vars(parent).items())
    bench.install(f"{sample.__name__}:{path}")
    use(sample)
    bench.uninstall()
    assert [(key, id(value)) for key, value in vars(parent).items()] == [(k, id(v)) for k, v in before]
    bench.calls.clear()
    use(sample)
    assert bench.calls == []


def test_bus_is_told_of_what_is_patched_and_unpatched(bench: Any, sample: Any) -> None:
    events: list[Any] = []
    bench.bus.subscribe(Patched, events.append)
    bench.bus.subscribe(Unpatched, events.append)
    target = f"{sample.__name__}:Repo.plain"
    bench.install(target)
    assert [str(known) for known in bench.patcher.patched] == [target]
    bench.uninstall()
    assert bench.patcher.patched == ()
    assert events == [Patched(target), Unpatched(target)]


# -- what wrappers are told ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "parameters"),
    [
        ("Repo.plain", "instance", ["self", "value", "other"]),
        ("Repo.of_class", "class", ["cls", "value"]),
        ("Repo.of_nobody", "static", ["value", "by"]),
        ("function", "function", ["value", "by"]),
        ("Repo.inherited", "instance", ["self", "value"]),
        ("Repo.inherited_class", "class", ["cls", "value"]),
        ("Repo.decorated", "instance", ["self", "value"]),
        ("Repo.remembered", "instance", ["self", "value"]),
        ("Repo.remembered_class", "class", ["cls", "value"]),
        ("Repo.partial", "instance", ["self", "value"]),
        ("Repo.dispatched", "instance", ["self", "value"]),
        ("Repo.traced", "instance", ["self", "value"]),
        ("Repo.traced_class", "class", ["cls", "value"]),
        ("Repo.traced_static", "static", ["value"]),
        ("Repo.described", "instance", ["self", "value"]),
        ("partial_function", "function", ["value", "by"]),
    ],
)
def test_wrappers_are_told_how_the_method_is_called(
    bench: Any, sample: Any, path: str, kind: str, parameters: list[str]
) -> None:
    bench.install(f"{sample.__name__}:{path}")
    info = bench.infos[0]
    assert (info.kind, list(info.signature.parameters)) == (kind, parameters)
    assert info.has_instance == (kind in {"instance", "class"})
    assert not info.is_generator


def test_a_descriptor_that_tells_no_signature_has_that_of_any_call(bench: Any, applications: Any) -> None:
    module = applications.load(
        "class Binding:\n"
        "    __signature__ = 'none'\n"
        "    def __get__(self, instance, owner=None): return self\n"
        "    def __call__(self, *args): return len(args)\n"
        "class Repo:\n    m = Binding()\n"
    )
    bench.install(f"{module.__name__}:Repo.m")
    assert [str(info.signature) for info in bench.infos] == ["(*args: 'Any', **kwargs: 'Any') -> 'Any'"]
    assert (module.Repo().m(1), bench.calls) == (1, ["Repo.m"])


# -- several wrappers ------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True], ids=["inner_first", "outer_first"])
def test_layers_stand_in_their_order_whatever_the_order_of_the_rules(
    bench: Any, sample: Any, reverse: bool
) -> None:
    target = f"{sample.__name__}:Repo.plain"
    specs = [
        bench.spec(target, bench.counting("inner"), layer=Layer.INVALIDATE),
        bench.spec(target, bench.counting("outer"), layer=Layer.CACHE),
    ]
    bench.install(*(reversed(specs) if reverse else specs))
    assert sample.Repo(1).plain(2) == ("plain", 1, 2)
    assert bench.calls == ["outer", "inner"]
    assert len(bench.patcher.patched) == 1


def test_two_rules_on_one_layer_stand_in_the_order_of_the_rules(bench: Any, sample: Any) -> None:
    target = f"{sample.__name__}:Repo.plain"
    bench.install(bench.spec(target, bench.counting("first")), bench.spec(target, bench.counting("second")))
    sample.Repo().plain(2)
    assert bench.calls == ["second", "first"]


def test_a_wrapper_that_is_no_plain_function_will_do(bench: Any, sample: Any) -> None:
    class Counted:
        def __init__(self, call: Callable[..., Any]) -> None:
            self.call = call

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            bench.calls.append("object")
            return self.call(*args, **kwargs)

    paths = ["Repo.plain", "Repo.of_class", "Repo.of_nobody", "function"]
    bench.install(*(bench.spec(f"{sample.__name__}:{path}", lambda call, _: Counted(call)) for path in paths))
    assert sample.Repo(1).plain(2) == ("plain", 1, 2)
    assert sample.Repo.of_class(2) == ("of_class", "Repo", 2)
    assert (sample.Repo.of_nobody(2), sample.function(2)) == (4, 4)
    assert bench.calls == ["object"] * 4


def test_a_wrapper_that_leaves_the_call_as_it_is_patches_nothing(bench: Any, sample: Any) -> None:
    before = dict(vars(sample.Repo))
    bench.install(bench.spec(f"{sample.__name__}:Repo.plain", lambda call, _: call))
    assert dict(vars(sample.Repo)) == before
    assert (bench.patcher.patched, bench.messages) == ((), [])


# -- base classes and subclasses -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inherited", "inherited_class", "inherited_static"])
def test_an_inherited_method_is_patched_for_the_named_class_only(bench: Any, sample: Any, name: str) -> None:
    bench.install(f"{sample.__name__}:Repo.{name}")
    for other in (sample.Base(), sample.Sibling()):
        getattr(other, name)(2)
    assert bench.calls == []
    getattr(sample.Leaf(), name)(2)
    assert bench.calls == [f"Repo.{name}"]
    bench.uninstall()
    assert name not in vars(sample.Repo)


@pytest.mark.parametrize("name", ["inherited", "inherited_class", "inherited_static", "overridden"])
@pytest.mark.parametrize("order", [("Base", "Repo"), ("Repo", "Base")], ids=["base_first", "subclass_first"])
def test_base_and_subclass_can_both_be_targets_in_any_order(
    bench: Any, sample: Any, name: str, order: tuple[str, str]
) -> None:
    before = [dict(vars(sample.Base)), dict(vars(sample.Repo))]
    answer = getattr(sample.Repo(1), name)(2)
    bench.install(*(f"{sample.__name__}:{holder}.{name}" for holder in order))
    assert getattr(sample.Repo(1), name)(2) == answer
    assert bench.calls == [f"Repo.{name}", f"Base.{name}"]
    bench.calls.clear()
    getattr(sample.Base(), name)(2)
    assert bench.calls == [f"Base.{name}"]
    bench.uninstall()
    assert [dict(vars(sample.Base)), dict(vars(sample.Repo))] == before


def test_an_inherited_method_still_gives_way_to_another_base_class(bench: Any, applications: Any) -> None:
    module = applications.load(
        "class Base:\n    def m(self): return 'base'\n"
        "class Repo(Base): pass\n"
        "class Mixin(Base):\n    def m(self): return 'mixin'\n"
        "class Leaf(Repo, Mixin): pass\n"
    )
    bench.install(f"{module.__name__}:Repo.m")
    assert (module.Leaf().m(), module.Repo().m()) == ("mixin", "base")


def test_an_inherited_method_still_follows_a_change_of_its_base_class(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.inherited")
    sample.Base.inherited = lambda self, value: "changed"
    assert sample.Repo().inherited(2) == "changed"


# -- decorators that came first --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("Repo.remembered", lambda m: m.Repo.remembered),
        ("Repo.remembered", lambda m: m.Repo(1).remembered),
        ("Repo.remembered_class", lambda m: m.Repo.remembered_class),
        ("Repo.remembered_class", lambda m: m.Repo().remembered_class),
        ("Repo.remembered_static", lambda m: m.Repo.remembered_static),
        ("remembered_function", lambda m: m.remembered_function),
    ],
    ids=["instance", "bound", "class", "bound_class", "static", "function"],
)
def test_lru_cache_can_still_be_looked_into_and_cleared(
    bench: Any, sample: Any, path: str, view: Use
) -> None:
    bench.install(f"{sample.__name__}:{path}")
    repo = sample.Repo()
    arguments = (repo, 2) if path == "Repo.remembered" else (2,)
    function = sample.Repo.remembered if path == "Repo.remembered" else view(sample)
    assert [function(*arguments), function(*arguments)] == [function(*arguments)] * 2
    assert view(sample).cache_info().hits == 2
    view(sample).cache_clear()
    assert view(sample).cache_info().currsize == 0


def test_attributes_of_a_method_can_be_read_and_set_as_ever(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.attributed", f"{sample.__name__}:Repo.attributed_class")
    sample.Repo.attributed.flag += 1
    assert (sample.Repo.attributed.flag, sample.Repo().attributed.flag) == (2, 2)
    assert sample.Repo.attributed_class.flag == 1
    bench.uninstall()
    assert sample.Repo.attributed.flag == 2


def test_dispatch_by_type_can_still_be_extended(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.dispatched")
    sample.Repo.dispatched.register(float, lambda self, value: ("float", value))
    assert sample.Repo().dispatched(1.5) == ("float", 1.5)
    assert sample.Repo(1).dispatched(2) == ("object", 1, 2)


def test_what_a_descriptor_gives_keeps_its_own_methods(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.described")
    assert (sample.Repo(3).described.number(), sample.Repo.described.number()) == (3, None)


def test_a_generator_is_patched_where_the_rule_accepts_it(bench: Any, sample: Any) -> None:
    bench.install(bench.spec(f"{sample.__name__}:Repo.items", accepts_generators=True))
    assert list(sample.Repo().items(3)) == [0, 1, 2]
    assert (bench.calls, bench.infos[0].is_generator) == (["Repo.items"], True)


def test_a_patched_function_can_become_a_method(bench: Any, sample: Any) -> None:
    paths = ["decorated_function", "remembered_function", "callable_object"]
    bench.install(*(f"{sample.__name__}:{path}" for path in paths))
    host = type("Host", (), {path: getattr(sample, path) for path in paths})
    assert host().callable_object(3) == ("called", 3)
    assert type(host().remembered_function.__self__) is host
    assert type(host().decorated_function.__self__) is host
