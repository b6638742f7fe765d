"""Sending: which functions of a tree may send SQL, by the names that their code mentions.

A rough answer, and never too narrow: it decides where it is worth to be told what is not known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from wats_accel.sql.source.bindings import Bindings
from wats_accel.sql.source.index import Index
from wats_accel.sql.source.modules import ModuleInfo
from wats_accel.sql.source.names import dotted
from wats_accel.sql.source.sinks import SINKS, SOFT_SINKS, SQL

COMPUTED: Final = "a name that is computed"
SPEAKS_SQL: Final = "a text that looks like SQL"
_BY_CLASS = (
    "__init__",
    "__new__",
    "__post_init__",
    "__enter__",
    "__exit__",
    "__call__",
    "__iter__",
    "__getitem__",
)


def mentioned(node: ast.AST) -> set[str]:
    """The names that a piece of code reads, as names, as attributes and as texts."""
    found: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            found.add(inner.attr)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            if inner.value.isidentifier():
                found.add(inner.value)
            elif SQL.match(inner.value):
                found.add(SPEAKS_SQL)
        elif isinstance(inner, ast.alias):
            found.add(inner.asname or inner.name)
        elif isinstance(inner, ast.Call) and _chooses_by_name(inner):
            found.add(COMPUTED)
    return found


def _chooses_by_name(call: ast.Call) -> bool:
    """Whether what is called, or got, is chosen by a name that the code computes."""
    name = dotted(call.func).rpartition(".")[2]
    if name == "getattr":
        return len(call.args) > 1 and not isinstance(call.args[1], ast.Constant)
    return name in ("globals", "eval", "exec", "methodcaller", "attrgetter", "import_module", "__import__")


def _speaks_sql(module: ModuleInfo) -> bool:
    """Whether there is any text in a module that looks like SQL."""
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
        for node in ast.walk(module.source.tree)
    )


class Sending:
    """The names of functions that may send SQL, directly or through others of the tree."""

    def __init__(self, index: Index) -> None:
        speaks_sql = any(map(_speaks_sql, index.modules.values()))
        self._names = {COMPUTED, SPEAKS_SQL, *SINKS, *(SOFT_SINKS if speaks_sql else ())}
        self._mentioned = {function.number: mentioned(function.node) for function in index.functions}
        names_by_mention: dict[str, set[str]] = {}
        for number, names in self._mentioned.items():
            for name in names:
                names_by_mention.setdefault(name, set()).update(_names_of(index, number))
        for stored, node in _stored(index):
            for name in mentioned(node):
                names_by_mention.setdefault(name, set()).add(stored)
        self._spread(names_by_mention)

    def _spread(self, names_by_mention: dict[str, set[str]]) -> None:
        waiting = list(self._names)
        while waiting:
            fresh = names_by_mention.get(waiting.pop(), set()) - self._names
            self._names |= fresh
            waiting += fresh

    def has(self, name: str) -> bool:
        """Whether a function of this name may send SQL."""
        return name in self._names

    def function(self, number: int) -> bool:
        """Whether a function mentions anything that may send SQL."""
        return not self._names.isdisjoint(self._mentioned[number])

    def any_of(self, names: Iterable[str]) -> bool:
        """Whether one of the names is that of a function that may send SQL."""
        return not self._names.isdisjoint(names)


def _stored(index: Index) -> Iterator[tuple[str, ast.AST]]:
    """What is stored under a name that code elsewhere may read: tables of handlers, objects, texts."""
    for name, stores in index.stores.items():
        yield from ((name, store.binding.node) for store in stores)
    scopes: list[Bindings] = [module.bindings for module in index.modules.values()]
    scopes += [cls.bindings for cls in index.classes.values()]
    for bindings in scopes:
        for name, found in bindings.items():
            kinds = ("definition", "import")
            yield from ((name, each.node) for each in found if each.kind not in kinds)


def _names_of(index: Index, number: int) -> list[str]:
    """The names by which a function may be called: its own, and its class's for special methods."""
    function = index.functions[number]
    names = [function.name]
    if function.owner is not None and function.name in _BY_CLASS:
        names += [function.owner.name, *(each.name for each in index.subclasses(function.owner))]
    return names
