"""Loose calls: calls of methods of which only the name is known, since nobody knows the object."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wats_accel.sql.source.facts import SourceFacts, SourceMethod, SourceUnknown

_CALL = re.compile(r"the call of (\w+)\(\) of an object that is not known")
_THREAD = "what it does in another thread"


class LooseCalls:
    """What is known of the methods that such calls may mean.

    Args:
        source: the tree's facts.
    """

    def __init__(self, source: SourceFacts) -> None:
        methods = list(source.methods.values())
        self.names = {name for method in methods for name in _called(method)}
        self._told_by_caller = {
            name_of(method)
            for method in methods
            if method.given_statements
            or any(_CALL.fullmatch(each.what) is None for each in method.given_unknowns)
        }

    def hides_nothing(self, unknown: SourceUnknown) -> bool:
        """Whether it is only not known which method of the tree is called, or in which thread it runs.

        What each of these changes is told of itself, and its rules are applied whoever calls it. Not so of a
        method that is given its SQL: nobody knows what this call gives it.
        """
        if unknown.what == _THREAD:
            return True
        call = _CALL.fullmatch(unknown.what)
        return call is not None and call[1] not in self._told_by_caller


def _called(method: SourceMethod) -> Iterable[str]:
    for unknown in (*method.unknowns, *method.given_unknowns):
        call = _CALL.fullmatch(unknown.what)
        if call is not None:
            yield call[1]


def name_of(method: SourceMethod) -> str:
    """The method's own name."""
    return method.target.rpartition(":")[2].rpartition(".")[2]
