"""Installations: a stand-in, the places where it stands, and how it is put there, replaced and taken back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any

from wats_accel.errors import UnsupportedTargetError
from wats_accel.patching.places import MAX_LAYERS, Place, aliases, places, restore
from wats_accel.patching.plan import Patch
from wats_accel.patching.resolver import Found
from wats_accel.records import record
from wats_accel.targets import Target


@record(slots=True, eq=False)
class Installation:
    """A stand-in, in place or about to be.

    Attributes:
        patch: that it was made from.
        found: what it stands for.
        handle: itself.
        is_whole: whether every rule of the patch is in it; one that was left out has to be looked at again.
        places: where it was put.
        successor: what is about to take its place everywhere.
    """

    patch: Patch
    found: Found
    handle: Any
    is_whole: bool = True
    places: tuple[Place, ...] = ()
    successor: Any = None

    @property
    def target(self) -> Target:
        """What it was asked for."""
        return self.patch.target

    @property
    def stands(self) -> bool:
        """Whether it is what its target leads to: nobody has wrapped it since, or made the class anew."""
        own = self.places[0]
        if vars(own.parent).get(own.attribute) is not self.handle:
            return False
        module = sys.modules.get(self.target.module)
        try:
            return _parent_in(module, self.target) is own.parent
        except Exception:  # noqa: BLE001 - a module may give its names when asked, and fail
            return False

    @property
    def fits(self) -> bool:
        """Whether what was found is still there, so that this can be put in its place."""
        found = self.found
        there = vars(found.parent).get(found.attribute, found)
        return there is (found if found.inherited else found.raw)

    def _places_now(self) -> tuple[Place, ...]:
        """Its places, and the names that a module-level function was given while it was patched."""
        if not self.places:
            return ()
        own = self.places[0]
        later = aliases(self.handle, own.raw) if isinstance(own.parent, ModuleType) else ()
        return (*self.places, *later)

    def put(self) -> None:
        """Put it in all its places.

        Raises:
            UnsupportedTargetError: one of them does not allow it; then it is in none.
        """
        self.places = places(self.found)
        try:
            for place in self.places:
                setattr(place.parent, place.attribute, self.handle)
        except Exception as error:  # a metaclass or module may refuse with anything
            self.take_out(lambda _: None)
            raise UnsupportedTargetError("its class does not allow attributes to be set") from error

    def replace(self, patch: Patch, handle: Any, *, is_whole: bool) -> None:
        """Put another stand-in over this one; at no moment is the method itself in its place."""
        before, self.successor = self.handle, handle  # a Control-C may come when it is half done
        for place in self._places_now():
            if vars(place.parent).get(place.attribute) is before:
                setattr(place.parent, place.attribute, handle)
        self.patch, self.handle, self.is_whole, self.successor = patch, handle, is_whole, None

    def take_out(self, failed: Callable[[Exception], None]) -> None:
        """Give each place back what it had; `failed` is told of those where that cannot be."""
        for place in self._places_now():
            try:
                if self.successor is not None:
                    restore(place, self.successor)
                restore(place, self.handle)
            except Exception as error:  # noqa: BLE001 - the other places must be restored all the same
                if not self._take_out_plainly(place):
                    failed(error)

    def _take_out_plainly(self, place: Place) -> bool:
        """Give a place back what it had if nobody has wrapped it since; gives whether that could be done."""
        try:
            if vars(place.parent).get(place.attribute) not in (self.handle, self.successor):
                return False
            if place.created:
                delattr(place.parent, place.attribute)
            else:
                setattr(place.parent, place.attribute, place.raw)
        except Exception:  # noqa: BLE001 - a metaclass or module may refuse with anything
            return False
        return True


def _parent_in(module: Any, target: Target) -> Any:
    parent = module
    for name in target.path.split(".")[:-1]:
        parent = getattr(parent, name)
    return parent


def codes_of(found: Found) -> Iterator[CodeType]:
    """The code of what was found, and of all that it wraps, as far as that is written in Python."""
    layer: Any = found.raw
    for _ in range(MAX_LAYERS):
        layer = layer.__func__ if isinstance(layer, (staticmethod, classmethod)) else layer
        code = getattr(layer, "__code__", None)
        if isinstance(code, CodeType):
            yield code
        layer = getattr(layer, "__wrapped__", None) or getattr(layer, "func", None)
        if layer is None:
            return
