"""Closures: nested functions and lambdas. What they do belongs to the function that has defined them."""

from __future__ import annotations

import ast
from typing import Final

from wats_accel.sql.source import arguments as parameters
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.attributes import with_more
from wats_accel.sql.source.frames import Arguments, Frame, Interpreter
from wats_accel.sql.source.mutation import is_generator
from wats_accel.sql.source.names import MUTATORS
from wats_accel.sql.source.values import (
    NONE,
    UNKNOWN,
    Closure,
    Seq,
    Value,
)

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_DEEPEST: Final = 8


class Closures:
    """The nested functions that have been met, and those of them that have been called."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._met: list[tuple[AnyFunction, Frame]] = []
        self._called: set[int] = set()
        self._under_way: list[int] = []

    def node(self, number: int) -> AnyFunction:
        """The code of one."""
        return self._met[number][0]

    def meet(self, node: AnyFunction, frame: Frame) -> Value:
        """A nested function, as a value."""
        number = len(self._met)
        self._met.append((node, frame))
        frame.closures.append(number)
        self._note_what_it_changes(node, frame)
        return Value((Closure(number),))

    @staticmethod
    def _note_what_it_changes(node: AnyFunction, frame: Frame) -> None:
        """Names around it that it may change at any time from now on."""
        for name in {name for inner in ast.walk(node) for name in _changed_by(inner)} & set(frame.env):
            frame.env[name] = join([with_more(frame.env[name], UNKNOWN), UNKNOWN])

    def call(self, number: int, arguments: Arguments, caller: Frame) -> Value:
        """What calling one gives."""
        node, owner = self._met[number]
        if id(node) in self._under_way or len(self._under_way) > _DEEPEST:
            return UNKNOWN
        self._called.add(number)
        self._under_way.append(id(node))
        try:
            return self._run(node, owner, arguments, caller)
        finally:
            self._under_way.pop()

    def _run(self, node: AnyFunction, owner: Frame, arguments: Arguments, caller: Frame) -> Value:
        """One that is stored somewhere belongs to who calls it."""
        home = caller if owner.is_lazy else owner
        inner = Frame(
            self._interpreter, owner.module, None, depth=home.depth, parent=owner, events=home.events
        )
        inner.is_shallow = home.is_shallow
        inner.is_approximate = True  # it may be called again, when its names stand for something else
        inner.env, _ = parameters.bind(node, arguments, None, owner)
        if isinstance(node, ast.Lambda):
            return self._interpreter.evaluate(node.body, inner)
        if self._interpreter.run(node.body, inner):
            inner.returns.append(NONE)
        self.run_uncalled(inner)
        if is_generator(node):
            return Value((Seq("list", (), join(inner.yields)),))
        return join(inner.returns)

    def run_uncalled(self, frame: Frame) -> None:
        """Run through those nested functions that nobody has called: somebody will, later."""
        for number in list(frame.closures) if not frame.is_lazy else ():
            if number not in self._called:
                self.call(number, Arguments([], {}), frame)


def _changed_by(node: ast.AST) -> list[str]:
    """The names around a nested function that a piece of it stores or changes in place."""
    if isinstance(node, ast.Nonlocal):
        return node.names
    if isinstance(node, ast.Attribute) and node.attr in MUTATORS:
        return [node.value.id] if isinstance(node.value, ast.Name) else []
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        return [node.value.id] if isinstance(node.value, ast.Name) else []
    return []
