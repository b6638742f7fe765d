"""Places: the names under which a stand-in is put, and how each of them gets back what it had."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import wrapt

from wats_accel.patching.resolver import Found
from wats_accel.records import record

MAX_LAYERS = 100
"""How far a chain of wrappers is followed: one that loops is somebody else's trouble."""


@record(frozen=True, slots=True)
class Place:
    """One name under which a stand-in is put: a class's or module's attribute.

    Attributes:
        parent: the class or module.
        attribute: the name.
        raw: what is given back.
        created: whether the name is not the parent's own, and goes away again.
    """

    parent: Any
    attribute: str
    raw: Any
    created: bool


def places(found: Found) -> tuple[Place, ...]:
    """Every place where a stand-in for what was found has to be put."""
    own = Place(found.parent, found.attribute, found.raw, found.inherited)
    if found.info.kind != "function":
        return (own, *_other_names(found, own))
    others = [place for place in aliases(found.raw, found.raw) if not _is_same(place, own)]
    return (own, *others)


def _other_names(found: Found, own: Place) -> list[Place]:
    """Other names of the same method in its class: ``save = update`` makes them."""
    if found.inherited:
        return []
    named = [name for name, known in vars(found.parent).items() if known is found.raw]
    return [Place(own.parent, name, own.raw, created=False) for name in named if name != own.attribute]


def _is_same(place: Place, other: Place) -> bool:
    return place.parent is other.parent and place.attribute == other.attribute


def aliases(value: Any, raw: Any) -> list[Place]:
    """The names of a module-level function in all modules: ``from module import function`` makes them."""
    modules: list[Any] = list(sys.modules.values())  # where anything may have been put, not only modules
    return [
        Place(module, name, raw, created=False)
        for module in modules
        if issubclass(type(module), ModuleType)
        # vars() would have a lazy module load itself.
        for name, known in object.__getattribute__(module, "__dict__").copy().items()
        if known is value
    ]


def own_layers(handle: Any) -> tuple[Any, ...]:
    """A stand-in, and the function in it: whoever wraps a static method anew may keep only that."""
    return (handle, handle.__func__) if type(handle) in (staticmethod, classmethod) else (handle,)


def restore(place: Place, handle: Any) -> None:
    """Give a place back what it had, if `handle` is there; else take `handle` out from below."""
    if vars(place.parent).get(place.attribute) is not handle:
        _take_out_from_below(place, handle)
    elif place.created:
        delattr(place.parent, place.attribute)
    else:
        setattr(place.parent, place.attribute, place.raw)


def _take_out_from_below(place: Place, handle: Any) -> None:
    """Somebody has wrapped our stand-in since. Leave his wrapper, take ours out from under it.

    Where that cannot be (a plain closure holds our function), the stand-in stays and passes every
    call on: its region and its rule are switched off.
    """
    above = vars(place.parent).get(place.attribute)
    for _ in range(MAX_LAYERS):
        below = getattr(above, "__wrapped__", None)
        if below is None:
            return
        if below is handle and issubclass(type(above), wrapt.BaseObjectProxy):
            above.__wrapped__ = place.raw  # not wrapt.unwrap_object: of a static method it leaves a function
            return
        above = below
