"""Records are what dataclasses are, only later."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import inspect
import pickle
import pkgutil
import re
import subprocess
import sys
import threading
from typing import Any, ClassVar

import pytest

import wats_accel
from wats_accel import events, records
from wats_accel.records import record


@record(frozen=True)
class Plain:
    """A record."""

    kind: ClassVar[str] = "plain"
    number: int
    text: str = "text"
    items: list[int] = dataclasses.field(default_factory=list, compare=False)


@record(frozen=True, order=True)
class Further(Plain):
    """A record that is derived from one."""

    last: int = 3

    def doubled(self) -> int:
        """Twice the last."""
        return 2 * self.last


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """What `Plain` is to be."""

    kind: ClassVar[str] = "plain"
    number: int
    text: str = "text"
    items: list[int] = dataclasses.field(default_factory=list, compare=False)


def _is_unfinished(cls: type[Any]) -> bool:
    return any(isinstance(value, records._Later) for value in vars(cls).values())


def _anew(**options: bool) -> Any:
    class Made:
        """A record of its own."""

        __annotations__ = {"number": "int"}

    return record(slots=True, **options)(Made)


def test_a_record_has_what_a_dataclass_has() -> None:
    assert inspect.signature(Plain) == inspect.signature(Reference)
    for name in ("__slots__", "__match_args__", "__doc__"):
        assert name == "__doc__" or getattr(Plain, name) == getattr(Reference, name)
    ours, theirs = (repr(getattr(kind, "__dataclass_params__", None)) for kind in (Plain, Reference))
    assert ours == theirs
    of_both = ((known.name, known.type, known.default) for known in dataclasses.fields(Plain))
    assert list(of_both) == [
        (known.name, known.type, known.default) for known in dataclasses.fields(Reference)
    ]


def test_a_record_works_as_a_dataclass_does() -> None:
    made = Further(1, "r", [2], 5)
    assert repr(made) == "Further(number=1, text='r', items=[2], last=5)"
    assert made == Further(1, "r", [7], 5) != Further(2, "r", [7], 5)
    assert hash(made) == hash(Further(1, "r", [7], 5))
    assert made < Further(2)
    assert dataclasses.asdict(made) == {"number": 1, "text": "r", "items": [2], "last": 5}
    assert dataclasses.replace(made, last=6).doubled() == 12
    assert made.kind == "plain"
    assert not hasattr(made, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.number = 2  # type: ignore[misc]
    match made:
        case Further(number, last=5):
            assert number == 1


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_record_can_be_copied_and_pickled(again: Any) -> None:
    made = Further(1, "r", [2], 5)
    assert again(made) == made


FIRST_USES: dict[str, Any] = {
    "an object": lambda cls: cls(1),
    "an object without its constructor": lambda cls: repr(cls.__new__(cls).__class__),
    "its fields": dataclasses.fields,
    "whether it is a dataclass": dataclasses.is_dataclass,
    "its signature": inspect.signature,
    "a derived dataclass": lambda cls: dataclasses.dataclass(frozen=True)(type("Derived", (cls,), {})),
    "a derived object": lambda cls: type("Derived", (cls,), {})(1),
}


@pytest.mark.parametrize("use", FIRST_USES.values(), ids=FIRST_USES)
def test_whatever_is_wanted_first_makes_it_whole(use: Any) -> None:
    made = _anew(frozen=True)
    assert _is_unfinished(made)
    use(made)
    value = made(number=1)
    assert (value, hash(value)) == (made(1), hash(made(1)))
    assert not _is_unfinished(made)


def test_options_say_what_is_made() -> None:
    by_identity = _anew(eq=False)
    assert by_identity(1) != by_identity(1)
    assert hash(by_identity(1))
    changeable = _anew()
    value = changeable(1)
    value.number = 2
    assert value == changeable(2)
    assert changeable.__hash__ is None


def test_an_own_method_stays() -> None:
    assert str(wats_accel.errors.Problem("m")) == "m"
    assert repr(wats_accel.errors.Problem("m")) == "Problem('m')"


def test_threads_that_need_it_first_at_the_same_time_get_the_same() -> None:
    made = _anew(frozen=True, order=True)
    begin = threading.Barrier(4)
    found: list[bool] = []

    def use() -> None:
        begin.wait()
        found.append(made(1) == made(1) and made(1) < made(2) and hash(made(1)) == hash(made(1)))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_no_start_makes_events_whole_that_nobody_has_sent() -> None:
    assert events.__spec__ is not None
    module = importlib.util.module_from_spec(events.__spec__)
    assert events.__spec__.loader is not None
    events.__spec__.loader.exec_module(module)
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type)]
    assert len(kinds) > 30
    assert all(map(_is_unfinished, kinds))


def _all_records() -> list[type[Any]]:
    found: dict[type[Any], None] = {}
    for module in pkgutil.walk_packages(wats_accel.__path__, "wats_accel."):
        if "pyinstaller" not in module.name and not module.name.endswith("__main__"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and "__slots__" in vars(value) and dataclasses.is_dataclass(value):
                    found[value] = None
    return list(found)


def test_every_record_has_a_slot_for_each_of_its_fields_and_for_nothing_else() -> None:
    for kind in _all_records():
        slots = {name for base in kind.__mro__ for name in vars(base).get("__slots__", ())}
        assert {known.name for known in dataclasses.fields(kind)} | {"__weakref__"} == slots | {"__weakref__"}


COMPARE = """
import dataclasses, importlib, inspect, pkgutil, wats_accel
from wats_accel import records
firsts = {}
for module in pkgutil.walk_packages(wats_accel.__path__, "wats_accel."):
    if "pyinstaller" in module.name or module.name.endswith("__main__"):
        continue
    for kind in list(vars(importlib.import_module(module.name)).values()):
        later = vars(kind).get("__init__") if isinstance(kind, type) else None
        if isinstance(later, records._Later):
            later.__get__(None, kind)
            firsts[kind] = vars(kind)["__init__"]
compared = 0
for kind, first in firsts.items():
    dataclasses.fields(kind)
    whole = vars(kind)["__init__"]
    assert inspect.signature(first) == inspect.signature(whole), kind
    for name in ("__qualname__", "__module__", "__annotations__", "__globals__", "__kwdefaults__"):
        assert getattr(first, name) == getattr(whole, name), (kind, name)
    compared += first is not whole
print(compared)
"""


def test_the_constructor_that_is_made_first_is_that_of_a_dataclass() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPARE], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 80


def test_objects_alone_make_nothing_but_the_constructor() -> None:
    made = _anew(frozen=True)
    value = made(number=1)
    assert _is_unfinished(made)
    with pytest.raises(TypeError, match=re.escape("Made.__init__() missing 1 required positional argument")):
        made()
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.number = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.number
    assert value.number == 1


class _Odd:
    """What `dataclass` alone knows how to read."""

    class Later:
        """A field that is made for each object, and one that is no parameter."""

        __annotations__ = {"number": "int", "items": "list[int]", "own": "int"}
        items = dataclasses.field(default_factory=list)
        own = dataclasses.field(default=3, init=False)

    class After:
        """One that does something after its fields are there."""

        __annotations__ = {"number": "int"}

        def __post_init__(self) -> None:
            object.__setattr__(self, "number", 2 * self.number)  # type: ignore[attr-defined]

    class Named:
        """One whose field is given by name only."""

        __annotations__ = {"number": "int", "text": "str"}
        text = dataclasses.field(default="", kw_only=True)


@pytest.mark.parametrize("body", [_Odd.Later, _Odd.After, _Odd.Named])
def test_what_is_not_plain_is_left_to_the_standard_library(body: Any) -> None:
    theirs = _dataclass_of(body)
    ours: Any = record(frozen=True)(body)
    assert dataclasses.asdict(ours(3)) == dataclasses.asdict(theirs(3))
    assert inspect.signature(ours) == inspect.signature(theirs)


def _dataclass_of(body: type[Any]) -> Any:
    namespace = {name: value for name, value in vars(body).items() if name not in ("__dict__", "__weakref__")}
    return dataclasses.dataclass(frozen=True)(type(body.__name__, (), namespace))
