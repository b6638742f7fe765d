"""Named parameters: SQL with ``:name`` in it, in the words that a driver understands."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

Parameters = tuple[Any, ...] | dict[str, Any]

# What is no name although a colon stands there: literals, quoted names, comments, casts (`::`), and a
# colon inside a word.
_NAME: Final = re.compile(
    r"""
      '(?:[^']|'')*' | "[^"]*" | `[^`]*` | \[[^\]]*\] | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | --[^\n]* | /\*.*?\*/
    | (?<![\w:]):(?P<name>[^\W\d]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_STYLES: Final = {
    "qmark": "?",
    "numeric": ":{number}",
    "named": ":{name}",
    "format": "%s",
    "pyformat": "%({name})s",
}
_BY_NAME: Final = ("named", "pyformat")


class NamedSql:
    """A text of SQL whose parameters are named as in ``:username``.

    Args:
        sql: the text, as the configuration has it.
    """

    def __init__(self, sql: str) -> None:
        self.names: list[str] = []
        self._texts: list[str] = []
        end = 0
        for found in _NAME.finditer(sql):
            if found["name"] is not None:
                self._texts.append(sql[end : found.start()])
                self.names.append(found["name"])
                end = found.end()
        self._last = sql[end:]

    def written_for(self, paramstyle: str, values: Mapping[str, Any]) -> tuple[str, Parameters]:
        """The text and the parameters for a driver's `execute`.

        Args:
            paramstyle: of the driver, one of the five of PEP 249.
            values: of every name.
        """
        mark = _STYLES[paramstyle]
        # These drivers look for % everywhere, but only if there are parameters.
        escaped = "%%" if self.names and "%" in mark else "%"
        parts = []
        for number, (text, name) in enumerate(zip(self._texts, self.names, strict=True), 1):
            parts += [text.replace("%", escaped), mark.format(number=number, name=name)]
        sql = "".join([*parts, self._last.replace("%", escaped)])
        if paramstyle in _BY_NAME:
            return sql, {name: values[name] for name in self.names}
        return sql, tuple(values[name] for name in self.names)


def paramstyle_of(cursor: Any) -> str:
    """The parameter style of the driver that a cursor belongs to; ``qmark`` if it cannot be told.

    It stands in the driver's main module, and the cursor's class or a base of it in one of its parts.
    """
    styles = (getattr(sys.modules.get(name), "paramstyle", None) for name in _modules_of(cursor.__class__))
    return next((style for style in styles if isinstance(style, str) and style in _STYLES), "qmark")


def _modules_of(kind: type) -> Iterator[str]:
    for known in kind.__mro__:
        name = known.__module__
        while name:
            yield name
            name = name.rpartition(".")[0]
