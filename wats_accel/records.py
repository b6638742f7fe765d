"""Records: dataclasses whose methods are made when they are first needed.

The standard library writes up to ten functions for each dataclass as text, and compiles them while the module
is imported: some tenths of a millisecond for each class, and of most classes here a start makes no object. So
`record` makes the class with its slots, and the rest when the first object is made, the fields are looked
at, or whatever else comes first. From then on it is what `dataclasses.dataclass` makes of it.
"""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(**options: bool) -> Callable[[type[Any]], type[Any]]:
        """What `dataclasses.dataclass` makes with these options and ``slots=True``, but later.

        The module must begin with ``from __future__ import annotations``: by the text of its type, a field is
        told from a ``ClassVar``.
        """
        return lambda cls: _record(cls, {**options, "slots": True})


_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")
_FROZEN = ("__setattr__", "__delattr__", "__getstate__", "__setstate__")
_ALWAYS = ("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__init__")
_ONLY_OBJECTS = {"repr": False, "eq": False, "order": False, "unsafe_hash": False}
_OF_EACH_CLASS = frozenset(
    ("__dict__", "__weakref__", "__slots__", "__module__", "__qualname__", "__doc__", "__firstlineno__")
)


class _Later:
    """Stands for a part of a record, and has all of them made when it is looked up.

    There is no lock: if two threads do that at a time, they make the same twice.
    """

    def __init__(self, name: str, finish: Callable[[str], None]) -> None:
        self._name = name
        self._finish = finish

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        self._finish(self._name)
        return getattr(owner if instance is None else instance, self._name)


def _record(cls: type[Any], options: dict[str, bool]) -> type[Any]:
    whole = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    whole["__qualname__"] = cls.__qualname__
    if "__eq__" in whole and whole.get("__hash__") is None:
        whole.pop("__hash__", None)  # Python has put the None there, and does so again
    fields = [name for name, kind in whole.get("__annotations__", {}).items() if "ClassVar[" not in kind]
    inherited = {name for base in cls.__mro__ for name in vars(base).get("__slots__", ())}
    # A default cannot be there together with its slot.
    namespace = {name: value for name, value in whole.items() if name not in fields}
    namespace["__slots__"] = tuple(name for name in fields if name not in inherited)
    metaclass: Any = type(cls)
    made: type[Any] = metaclass(cls.__name__, cls.__bases__, namespace)

    def finish(wanted: str) -> None:
        _finish(made, whole, options, for_objects=wanted == "__init__")

    for name in _made_later(whole, options):
        setattr(made, name, _Later(name, finish))
    return made


def _made_later(whole: dict[str, Any], options: dict[str, bool]) -> Iterator[str]:
    """The names of what `dataclass` would make, but for those that the class has itself."""
    eq, frozen = options.get("eq", True), options.get("frozen", False)
    names = [*_ALWAYS, *(_ORDER if options.get("order") else ()), *(_FROZEN if frozen else ())]
    names += ["__repr__"] if options.get("repr", True) else []
    names += ["__eq__"] if eq else []
    names += ["__hash__"] if eq or options.get("unsafe_hash") else []
    return (name for name in names if name not in whole)


def _finish(cls: type[Any], whole: dict[str, Any], options: dict[str, bool], *, for_objects: bool) -> None:
    if for_objects:  # most are never compared nor shown, and the functions for that are half of the work
        options = {**options, **_ONLY_OBJECTS}
    _have_modules(cls.__module__)
    metaclass: Any = type(cls)
    twin = dataclasses.dataclass(**options)(metaclass(cls.__name__, cls.__bases__, dict(whole)))
    slots = vars(twin)["__slots__"]
    for name, value in vars(twin).items():
        is_of_options = for_objects and name in ("__hash__", "__dataclass_params__")
        if not (name in whole or name in slots or name in _OF_EACH_CLASS or is_of_options):
            setattr(cls, name, value)


def _have_modules(own: str) -> None:
    """Have the modules be known in which `dataclasses` looks things up.

    The last finalizers of a program may be the first to need a record. By then no module is known any more.
    """
    for module in (dataclasses, typing):
        if sys.modules.get(module.__name__) is None:
            sys.modules[module.__name__] = module
    if sys.modules.get(own) is None:
        stand_in = sys.modules[own] = ModuleType(own)
        vars(stand_in)["ClassVar"] = typing.ClassVar
