"""Records: dataclasses whose methods are made when they are first needed.

The standard library writes up to ten functions for each dataclass as text, and compiles them while the module
is imported: some tenths of a millisecond for each class, and of most classes here a start makes no object. So
`record` makes the class with its slots. With the first object comes its constructor, and nothing else as long
as objects are neither compared nor shown. As soon as anything else is looked up, it is what
`dataclasses.dataclass` makes of it.
"""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from wats_accel.generated_functions import defined_by, is_name

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


_MISSING: Any = dataclasses.MISSING
_ODD: Any = object()
"""Stands for a default that only `dataclass` knows what to do with."""

_Fields = dict[str, tuple[str, Any]]
_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")
_FROZEN = ("__setattr__", "__delattr__", "__getstate__", "__setstate__")
_ALWAYS = ("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__init__")
_OF_EACH_CLASS = frozenset(
    ("__dict__", "__weakref__", "__slots__", "__module__", "__qualname__", "__doc__", "__firstlineno__")
)


class _Later:
    """Stands for a part of a record, and has all of them made when it is looked up.

    There is no lock: if two threads do that at a time, they make the same twice.
    """

    def __init__(self, name: str, whole: dict[str, Any], finish: Callable[[str], None]) -> None:
        self._name = name
        self.whole = whole
        self._finish = finish

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        self._finish(self._name)
        made = getattr(owner if instance is None else instance, self._name)
        # `inspect.signature` asks, from Python 3.13 on, as if the class were an object of its metaclass.
        return made.__get__(instance) if isinstance(instance, type) and hasattr(made, "__get__") else made


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
        if wanted != "__init__" or not _make_constructor(made, is_frozen=options.get("frozen", False)):
            _finish(made, whole, options)

    for name in _made_later(whole, options):
        setattr(made, name, _Later(name, whole, finish))
    return made


def _made_later(whole: dict[str, Any], options: dict[str, bool]) -> Iterator[str]:
    """The names of what `dataclass` would make, but for those that the class has itself."""
    eq, frozen = options.get("eq", True), options.get("frozen", False)
    names = [*_ALWAYS, *(_ORDER if options.get("order") else ()), *(_FROZEN if frozen else ())]
    names += ["__repr__"] if options.get("repr", True) else []
    names += ["__eq__"] if eq else []
    names += ["__hash__"] if eq or options.get("unsafe_hash") else []
    return (name for name in names if name not in whole)


def _make_constructor(cls: type[Any], *, is_frozen: bool) -> bool:
    """Make the constructor alone, as `dataclass` makes it; gives whether it is one of the plain ones."""
    fields = _plain_fields(cls)
    if fields is None or hasattr(cls, "__post_init__"):
        return False
    _have_modules(cls.__module__)
    defaults = {f"_dflt_{name}": value for name, (_, value) in fields.items() if value is not _MISSING}
    given = (f"{name}=_dflt_{name}" if f"_dflt_{name}" in defaults else name for name in fields)
    put = "_setattr_(self, {0!r}, {0})" if is_frozen else "self.{0} = {0}"
    body = "\n  ".join(map(put.format, fields)) or "pass"
    text = f" def __init__({', '.join(('self', *given))}):\n  {body}\n return __init__"
    text = f"def make({', '.join(('_setattr_', *defaults))}):\n{text}"
    make = defined_by(text, "make", vars(sys.modules[cls.__module__]), {})
    constructor = make(object.__setattr__, *defaults.values())
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    constructor.__annotations__ = {**{name: kind for name, (kind, _) in fields.items()}, "return": None}
    type.__setattr__(cls, "__init__", constructor)
    return True


def _plain_fields(cls: type[Any]) -> _Fields | None:
    """Type and default of each field, in the order of the constructor; None if `dataclass` has to look."""
    fields: _Fields = {}
    for base in reversed(cls.__mro__):
        later = vars(base).get("__dataclass_fields__")
        if isinstance(later, _Later):
            for name, kind in later.whole.get("__annotations__", {}).items():
                if "ClassVar[" not in kind:
                    fields[name] = kind, _plain_default(later.whole.get(name, _MISSING))
        elif later is not None:
            return None
    kinds, values = [kind for kind, _ in fields.values()], [value for _, value in fields.values()]
    is_odd = (
        any(value is _ODD for value in values)
        or "self" in fields
        or any("InitVar" in kind or "KW_ONLY" in kind for kind in kinds)
    )
    is_odd = is_odd or not all(map(is_name, fields))
    has_default = [value is not _MISSING for value in values]
    return None if is_odd or has_default != sorted(has_default) else fields


def _plain_default(value: Any) -> Any:
    if isinstance(value, dataclasses.Field):
        is_odd = not value.init or value.kw_only is True or value.default_factory is not _MISSING
        value = _ODD if is_odd else value.default
    return _ODD if isinstance(value, (list, dict, set)) or hasattr(type(value), "__get__") else value


def _finish(cls: type[Any], whole: dict[str, Any], options: dict[str, bool]) -> None:
    _have_modules(cls.__module__)
    metaclass: Any = type(cls)
    twin = dataclasses.dataclass(**options)(metaclass(cls.__name__, cls.__bases__, dict(whole)))
    slots = vars(twin)["__slots__"]
    for name, value in vars(twin).items():
        if not (name in whole or name in slots or name in _OF_EACH_CLASS):
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
