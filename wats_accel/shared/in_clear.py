"""In clear: answers that leave this process without a seal, and must hold nothing like a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from wats_accel.cache.elsewhere import Tables
from wats_accel.cache.region_rules import RegionRules
from wats_accel.errors import Problem
from wats_accel.secret_names import SecretNames

_NAMELESS: Final = frozenset(
    (type(None), bool, int, float, str, bytes, bytearray, Decimal, datetime, date, time, timedelta, UUID)
)
_HOLDERS: Final = frozenset((list, tuple, set, frozenset))


class InClear:
    """Judges the answers of one method. One with a secret in it is enough: then none leaves any more.

    Args:
        rules: of the method.
        is_secret: what a column is called that is taken for a secret.
        report: told of a method whose answers are held back.
    """

    def __init__(self, rules: RegionRules, is_secret: SecretNames, report: Callable[[Problem], None]) -> None:
        self.is_over = False
        self._rules = rules
        self._is_secret = is_secret
        self._report = report

    def holds_back(self, answer: Any, tables: Tables | None) -> bool:
        """Whether an answer has to stay here.

        Args:
            answer: as `names_in`.
            tables: with the columns that it was made from, if anybody has seen that.
        """
        names = {self._rules.method, *names_in(answer)}.union(*(tables or {}).values())
        found = sorted(name for name in names if name in self._is_secret)
        if found and not self.is_over:
            self.is_over = True
            self._report(self._problem(found))
        return bool(found)

    def _problem(self, found: list[str]) -> Problem:
        message = (
            f"answers are not shared: {', '.join(found)} looks like a secret, and would leave this process "
            f"in clear. Give 'keys', or name {self._rules.namespace!r} under 'waive_seal'"
        )
        return Problem(message, key_path=("shared", "namespaces"), target=self._rules.target)


def names_in(answer: Any) -> set[str]:
    """The keys of all dicts in an answer, and the columns of all rows of drivers.

    Args:
        answer: which a codec has written: it is neither too deep nor inside itself.
    """
    found: set[str] = set()
    _gather([answer], found)
    return found


def _gather(values: Iterable[Any], found: set[str]) -> None:
    described: object = None  # all rows of one query have one description
    for value in values:
        cls = type(value)
        if cls in _NAMELESS:
            continue
        if cls is dict:
            found.update(key for key in value if type(key) is str)
            _gather(value, found)  # a key may be a tuple
            _gather(value.values(), found)
        elif cls in _HOLDERS:
            if not _NAMELESS.issuperset(map(type, value)):
                _gather(value, found)
        else:
            description = getattr(value, "cursor_description", None)
            if description is None or description is not described:
                described = description
                found.update(_columns_of(value, description))


def _columns_of(row: Any, description: Any) -> Iterator[str]:
    names = [column[0] for column in description] if description is not None else row.keys()
    return map(str, names)
