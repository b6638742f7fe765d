"""Source text: the syntax trees of imported modules, where a function stands in them, and what it says.

What does not change what a function does is left out: comments, blank lines, formatting, docstrings.
"""

from __future__ import annotations

import ast
import importlib.machinery
import linecache
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from wats_accel.patching.ownership import spec_of

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_MOST_MODULES = 100
"""So many syntax trees are kept from one method to the next."""
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")
_SAYS_NOTHING = frozenset({"ctx", "kind", "type_comment", "lineno", "col_offset"})


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in a function or an expression, but for docstrings and annotations."""

    texts: frozenset[str]
    names: tuple[str, ...]
    attributes: tuple[str, ...]


class ModuleText:
    """One module's syntax tree.

    Attributes:
        name: of the module.
        is_package: whether relative imports begin at itself.
    """

    def __init__(self, name: str, tree: ast.Module, *, is_package: bool) -> None:
        self.name = name
        self.is_package = is_package
        self.tree = tree
        self._functions: dict[tuple[str, int], list[Definition]] = {}
        for node in ast.walk(tree):
            if isinstance(node, Definition):
                self._functions.setdefault(_place(node), []).append(node)
        self.names = bindings(tree.body)
        self._members: dict[ast.ClassDef, dict[str, list[ast.AST]]] = {}
        self._words: dict[ast.AST, Words] = {}

    def definitions(self, code: CodeType) -> list[Definition]:
        """The function that some code was made from; of several lambdas in one line, all."""
        return self._functions.get((code.co_name, code.co_firstlineno), [])

    def words(self, node: ast.AST) -> Words:
        """What stands in a function or an expression, and in the functions in it."""
        if node not in self._words:
            self._words[node] = _words(node)
        return self._words[node]

    def members(self, definition: ast.ClassDef) -> dict[str, list[ast.AST]]:
        """What each attribute of a class is bound to, in its body and as ``self.name`` in its methods."""
        if definition not in self._members:
            found = bindings(definition.body)
            for name, value in _set_by_methods(definition):
                found.setdefault(name, []).append(value)
            self._members[definition] = found
        return self._members[definition]

    def class_named(self, qualified: str) -> ast.ClassDef | None:
        """A class by its qualified name."""
        names, found = self.names, None
        for part in qualified.split("."):
            if part == "<locals>":
                return None
            found = next((known for known in names.get(part, ()) if isinstance(known, ast.ClassDef)), None)
            if found is None:
                return None
            names = bindings(found.body)
        return found


class SourceTexts:
    """The modules of an application, parsed when they are first asked for."""

    def __init__(self) -> None:
        self._known: dict[str, ModuleText | None] = {}

    def of(self, module: str) -> ModuleText | None:
        """A module's text; None without source."""
        if module not in self._known:
            self._known[module] = _parsed(module)
        return self._known[module]

    def trim(self) -> None:
        """Give the memory back if it is much; between methods only, since nodes are known by identity."""
        if len(self._known) > _MOST_MODULES:
            self.forget()

    def forget(self) -> None:
        """Give the memory back."""
        self._known.clear()


def _parsed(module: str) -> ModuleText | None:
    try:
        text, is_package = _text_of(module)
        return ModuleText(module, ast.parse(text), is_package=is_package) if text else None
    except Exception:  # noqa: BLE001 - finders, loaders and files may raise anything: there is no source then
        return None


def _text_of(module: str) -> tuple[str, bool]:
    spec = spec_of(module)
    known: Any = sys.modules.get(module)
    file = getattr(known, "__file__", None) or getattr(spec, "origin", None)
    if not file or not file.endswith(tuple(importlib.machinery.SOURCE_SUFFIXES)):
        return "", False
    linecache.checkcache(file)
    lines = linecache.getlines(file, {"__name__": module, "__loader__": getattr(spec, "loader", None)})
    return "".join(lines), getattr(spec, "submodule_search_locations", None) is not None


def _place(node: Definition) -> tuple[str, int]:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    first = min(node.lineno, *(decorator.lineno for decorator in node.decorator_list), node.lineno)
    return node.name, first


# -- names --------------------------------------------------------------------------------------------------


def bindings(body: Sequence[ast.AST]) -> dict[str, list[ast.AST]]:
    """What each name of a module or class is bound to: definitions, imports, assigned expressions."""
    found: dict[str, list[ast.AST]] = {}
    for statement in body:
        for name, value in _bound(statement):
            found.setdefault(name, []).append(value)
        for part in _BODIES if not isinstance(statement, Definition | ast.ClassDef) else ():
            for name, values in bindings(getattr(statement, part, ())).items():
                found.setdefault(name, []).extend(values)
    return found


def _set_by_methods(definition: ast.ClassDef) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(definition):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    yield target.attr, node.value


def _bound(statement: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name, statement
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0], statement
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from ((name, statement.value) for name in _names_in(target))
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign) and statement.value is not None:
        yield from ((name, statement.value) for name in _names_in(statement.target))


def _names_in(target: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _words(node: ast.AST) -> Words:
    texts, names, attributes = set[str](), set[str](), set[str]()
    for part in _parts(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            texts.add(part.value)
        elif isinstance(part, ast.Name):
            names.add(part.id)
        elif isinstance(part, ast.Attribute):
            attributes.add(part.attr)
    return Words(frozenset(texts), tuple(sorted(names)), tuple(sorted(attributes)))


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, field in ast.iter_fields(node):
        if name in ("annotation", "returns"):  # no database gets to see them
            continue
        for item in without_docstrings(field) if isinstance(field, list) else [field]:
            if isinstance(item, ast.AST):
                yield from _parts(item)


# -- what it says -------------------------------------------------------------------------------------------


def meaning(node: ast.AST) -> str:
    """A syntax tree as text that is the same for every layout, and in every version of Python."""
    return "".join(_said(node))


def without_docstrings(body: Sequence[Any]) -> list[Any]:
    """The statements of a body, without those that are nothing but a text."""
    return [statement for statement in body if not _is_bare_text(statement)]


def _is_bare_text(statement: Any) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, ast.AST):
        yield f"{type(value).__name__}("
        for name, field in ast.iter_fields(value):
            if (
                name not in _SAYS_NOTHING and field is not None and field != []
            ):  # newer Pythons have more fields
                yield f"{name}="
                yield from _said(field)
        yield ")"
    elif isinstance(value, list):
        yield "["
        for item in without_docstrings(value):
            yield from _said(item)
        yield "]"
    else:
        yield f"{type(value).__name__}:{value!r},"
