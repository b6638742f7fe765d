"""A seam: one place inside wats_accel where something may fail."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

Concerns = Callable[..., bool]


def _all(*args: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Seam:
    """One place where something may fail.

    Attributes:
        name: ``part.step``.
        place: the function, ``module:path.of.attributes``.
        says: what it does, in one sentence.
        concerns: whether a call, by its arguments, is one of ours: of the standard library's functions.
    """

    name: str
    place: str
    says: str
    concerns: Concerns = _all

    def function(self) -> FunctionType:
        """The function itself, below whatever a class has made of it.

        Raises:
            LookupError: it is not there any more.
        """
        module, _, path = self.place.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for name in path.split("."):
                found = vars(found)[name]
        except (ImportError, KeyError, TypeError) as error:
            raise LookupError(f"{self.name}: there is no {self.place}") from error
        for holder in ("fget", "__func__"):  # of a property, of static methods and class methods
            found = getattr(found, holder, found)
        if not isinstance(found, FunctionType):
            raise LookupError(f"{self.name}: {self.place} is no function")  # noqa: TRY004 - as above
        return found
