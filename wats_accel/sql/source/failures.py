"""Failures: the constants that a function answers with where something has gone wrong."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wats_accel.sql.source.bindings import FunctionNode, unpacked
from wats_accel.sql.source.constants import Known, constant_text, is_try, note_assigned
from wats_accel.sql.source.names import dotted

_MOST_WAYS: Final = 400
_CONNECTING: Final = re.compile(r"cursor|conn|session|connect|acquire|cnx", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failure:
    """A constant that is returned, as Python spells it, and the line where that happens."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Echo:
    """A constant that is returned where the answer of another function is empty.

    Attributes:
        failure: what is returned then, and where.
        called: the name of the other function.
        line: of its call.
        path: where in its answer the value is that is empty.
    """

    failure: Failure
    called: str
    line: int
    path: tuple[int, ...]

    def follows_from(self, answer: str) -> bool:
        """Whether it is what is returned for this answer of the other function."""
        try:
            value = ast.literal_eval(answer)
            for index in self.path:
                value = value[index]
        except (ValueError, TypeError, LookupError, SyntaxError):
            return False
        return not value


def echoes_of(node: ast.FunctionDef | ast.AsyncFunctionDef, constants: Known) -> list[Echo]:
    """What a function answers with where it has got an empty answer itself."""
    reader = _Reader(dict(constants))
    reader.block(node.body, (), dict(constants))
    return reader.echoes


def failures_of(node: ast.FunctionDef | ast.AsyncFunctionDef, constants: Known) -> list[Failure]:
    """What a function answers with where it has caught something, or has got no connection.

    Args:
        node: the function.
        constants: the constants of its module, by name.
    """
    reader = _Reader(dict(constants))
    reader.block(node.body, (), dict(constants))
    return sorted(set(reader.found), key=lambda failure: (failure.line, failure.text))


@dataclass(frozen=True, slots=True)
class _After:
    """What is run after a block: statements; behind a loop also where ``break`` and ``continue`` lead."""

    statements: tuple[ast.stmt, ...]
    is_loop: bool = False


class _Reader:
    """Goes through the blocks of a function; from each failure on along every way to a ``return``."""

    def __init__(self, constants: dict[str, str | None]) -> None:
        self.found: list[Failure] = []
        self.echoes: list[Echo] = []
        self._calls: dict[str, tuple[str, int, tuple[int, ...]]] = {}
        self._constants = constants
        self._cursors: set[str] = set()
        self._ways = 0

    def block(
        self, body: Sequence[ast.stmt], after: tuple[_After, ...], known: dict[str, str | None]
    ) -> None:
        """Look for failures in statements that are run in order."""
        for index, statement in enumerate(body):
            rest = (_After(tuple(body[index + 1 :])), *after)
            self._statement(statement, rest, known)
            note_assigned(statement, known)
            self._note_cursors(statement)
            self._note_calls(statement)

    def _statement(self, statement: ast.stmt, rest: tuple[_After, ...], known: dict[str, str | None]) -> None:
        if isinstance(statement, FunctionNode | ast.ClassDef):
            return
        if is_try(statement):
            self._try(statement, rest, known)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            if any(dotted(item.context_expr).rpartition(".")[2] == "suppress" for item in statement.items):
                self._follow((), rest, known, statement.lineno)
            self.block(statement.body, rest, known)
        elif isinstance(statement, ast.If):
            self._guard(statement, rest, known)
            self._echo(statement, rest, known)
            self.block(statement.body, rest, dict(known))
            self.block(statement.orelse, rest, dict(known))
        elif isinstance(statement, ast.For | ast.AsyncFor | ast.While):
            behind = (_After((), is_loop=True), *rest)
            self.block(statement.body, behind, dict(known))
            self.block(statement.orelse, rest, dict(known))
        elif isinstance(statement, ast.Match):
            for case in statement.cases:
                self.block(case.body, rest, dict(known))

    def _try(self, statement: Any, rest: tuple[_After, ...], known: dict[str, str | None]) -> None:
        self.block(statement.body, rest, dict(known))
        for handler in statement.handlers:
            self._follow(handler.body, rest, dict(known), handler.lineno)
            self.block(handler.body, rest, dict(known))
        self.block(statement.orelse, rest, dict(known))
        for inner in ast.walk(ast.Module(statement.finalbody, [])):
            if isinstance(inner, ast.Return):
                self._return(inner, known)
        self.block(statement.finalbody, rest, dict(known))

    # -- no connection -----------------------------------------------------------------------------------

    def _note_cursors(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign):
            call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
            if isinstance(call, ast.Call) and _CONNECTING.search(dotted(call).rpartition(".")[2]):
                self._cursors.update(
                    target.id for target in statement.targets if isinstance(target, ast.Name)
                )

    def _note_calls(self, statement: ast.stmt) -> None:
        """The names that get the answers of other functions, or parts of them."""
        if not isinstance(statement, ast.Assign):
            return
        call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        for target in statement.targets:
            for name, path in _names_in(target):
                self._calls.pop(name, None)
                if isinstance(call, ast.Call):
                    self._calls[name] = (dotted(call).rpartition(".")[2], call.lineno, path)

    def _echo(self, statement: ast.If, rest: tuple[_After, ...], known: dict[str, str | None]) -> None:
        """``if user is None: return []`` says the same as the answer that `user` is of."""
        for name, (called, line, path) in self._calls.items():
            sense = _sense(statement.test, functools.partial(_is_named, name))
            if sense is None:
                continue
            found, self.found = self.found, []
            body = statement.orelse if sense else statement.body
            self._follow(body, rest, dict(known), statement.lineno)
            self.echoes += [Echo(failure, called, line, path) for failure in self.found]
            self.found = found

    def _guard(self, statement: ast.If, rest: tuple[_After, ...], known: dict[str, str | None]) -> None:
        """``if not cursor: return …`` is a failure that somebody else has caught."""
        sense = _sense(statement.test, self._is_cursor)
        if sense is False:
            self._follow(statement.body, rest, dict(known), statement.lineno)
        elif sense is True:
            self._follow(statement.orelse, rest, dict(known), statement.lineno)

    def _is_cursor(self, node: ast.expr) -> bool:
        if isinstance(node, ast.NamedExpr):
            return self._is_cursor(node.target) or bool(
                _CONNECTING.search(dotted(node.value).rpartition(".")[2])
            )
        if isinstance(node, ast.Name):
            return node.id in self._cursors or node.id.lower() in ("cursor", "cur", "conn", "connection")
        return isinstance(node, ast.Attribute) and node.attr.lower().strip("_") in (
            "cursor",
            "conn",
            "connection",
        )

    # -- from a failure to what is returned --------------------------------------------------------------

    def _follow(
        self, body: Sequence[ast.stmt], after: tuple[_After, ...], known: dict[str, str | None], line: int
    ) -> None:
        """Go on after a failure; note the constants that are returned in the end."""
        self._ways += 1
        if self._ways > _MOST_WAYS:
            return
        for index, statement in enumerate(body):
            rest = (_After(tuple(body[index + 1 :])), *after)
            if isinstance(statement, ast.Return):
                self._return(statement, known)
                return
            if isinstance(statement, ast.Raise):
                return
            if isinstance(statement, ast.Break | ast.Continue):
                self._behind_loop(after, known, line)
                return
            if isinstance(statement, ast.If):
                self._follow(statement.body, rest, dict(known), line)
                self._follow(statement.orelse, rest, dict(known), line)
                return
            if isinstance(statement, ast.With | ast.AsyncWith):
                self._follow(statement.body, rest, dict(known), line)
                return
            if is_try(statement):
                for block in _ways_through(statement):
                    self._follow(block, rest, dict(known), line)
                return
            note_assigned(statement, known)
            line = statement.lineno
        if after:
            self._follow(after[0].statements, after[1:], known, line)
        else:
            self.found.append(Failure("None", line))

    def _behind_loop(self, after: tuple[_After, ...], known: dict[str, str | None], line: int) -> None:
        for index, each in enumerate(after):
            if each.is_loop:
                self._follow((), after[index + 1 :], known, line)
                return

    def _return(self, statement: ast.Return, known: Known) -> None:
        text = "None" if statement.value is None else constant_text(statement.value, known)
        if text is not None:
            self.found.append(Failure(text, statement.lineno))


def _is_named(name: str, node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _names_in(target: ast.expr, path: tuple[int, ...] = ()) -> Iterator[tuple[str, tuple[int, ...]]]:
    if isinstance(target, ast.Name):
        yield target.id, path
    for part, where in unpacked(target):
        if isinstance(where, int):
            yield from _names_in(part, (*path, where))


def _sense(test: ast.expr, is_it: Callable[[ast.expr], bool]) -> bool | None:
    """Whether a condition holds with the thing (True), without it (False), or does not ask for it (None)."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return False if is_it(test.operand) else None
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and is_it(test.left):
        is_none = isinstance(test.comparators[0], ast.Constant) and test.comparators[0].value is None
        if is_none and isinstance(test.ops[0], ast.Is | ast.Eq):
            return False
        return True if is_none and isinstance(test.ops[0], ast.IsNot | ast.NotEq) else None
    if isinstance(test, ast.BoolOp):
        senses = {_sense(part, is_it) for part in test.values}
        if isinstance(test.op, ast.Or) and False in senses:
            return False
        return True if isinstance(test.op, ast.And) and True in senses else None
    return True if is_it(test) else None


def _ways_through(statement: Any) -> list[list[ast.stmt]]:
    """Of a ``try``."""
    return [statement.body, *(handler.body for handler in statement.handlers)]
