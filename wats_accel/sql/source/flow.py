"""Flow: statements, run through one after the other, on every way that they may take."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from wats_accel.sql.source import operators, templates
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.bindings import names_in_pattern
from wats_accel.sql.source.conditions import narrowed, outcome
from wats_accel.sql.source.frames import Frame, joined
from wats_accel.sql.source.names import dotted
from wats_accel.sql.source.storing import assign
from wats_accel.sql.source.values import (
    FOREIGN,
    MOST_UNROLLED,
    NONE,
    UNKNOWN,
    Cls,
    Item,
    Obj,
    Seq,
    Value,
    flows_into,
)

_ROUNDS: Final = 2
"""Of a loop of which it is not known what it goes through."""


def run(body: Sequence[ast.stmt], frame: Frame) -> bool:
    """Run through statements; whether their end can be reached."""
    return all(_step(statement, frame) for statement in body)


def _step(statement: ast.stmt, frame: Frame) -> bool:
    step = _STEPS.get(type(statement).__name__)
    return step(statement, frame) if step is not None else True


# -- values ----------------------------------------------------------------------------------------------


def _expression(statement: ast.Expr, frame: Frame) -> bool:
    frame.interpreter.evaluate(statement.value, frame)
    return True


def _assign(statement: ast.Assign, frame: Frame) -> bool:
    value = frame.interpreter.evaluate(statement.value, frame)
    for target in statement.targets:
        assign(target, value, frame)
    return True


def _annotated(statement: ast.AnnAssign, frame: Frame) -> bool:
    if statement.value is None:
        return True
    value = frame.interpreter.evaluate(statement.value, frame)
    origin = f"{frame.place(statement)}"
    declared = frame.interpreter.annotated(statement.annotation, frame.module, origin)
    objects = [atom for atom in declared.atoms if isinstance(atom, Obj | Cls)]
    if objects and not any(isinstance(atom, Obj | Cls | Seq) for atom in value.atoms):
        value = join([value, Value(tuple(objects))])
    assign(statement.target, value, frame)
    return True


def _augmented(statement: ast.AugAssign, frame: Frame) -> bool:
    target = statement.target
    more = frame.interpreter.evaluate(statement.value, frame)
    before = frame.interpreter.evaluate(_read(target), frame)
    assign(target, operators.binary(statement.op, before, more, target, statement.value), frame)
    return True


def _read(target: ast.expr) -> ast.expr:
    """A target as an expression that reads it."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target


# -- ways ------------------------------------------------------------------------------------------------


def _return(statement: ast.Return, frame: Frame) -> bool:
    value = frame.interpreter.evaluate(statement.value, frame) if statement.value is not None else NONE
    frame.note_clock(value)
    if frame.depth == 0 and frame.parent is None:
        frame.events.answers += [(target, frame.place(statement)) for target in sorted(value.answers)]
    frame.returns.append(value)
    frame.leaving.append(frame.env)
    return False


def _raise(statement: ast.Raise, frame: Frame) -> bool:
    for part in (statement.exc, statement.cause):
        if part is not None:
            frame.interpreter.evaluate(part, frame)
    return False


def _break(_: ast.Break, frame: Frame) -> bool:
    if frame.breaks:
        frame.breaks[-1].append(dict(frame.env))
    return False


def _continue(_: ast.Continue, frame: Frame) -> bool:
    if frame.continues:
        frame.continues[-1].append(dict(frame.env))
    return False


def _if(statement: ast.If, frame: Frame) -> bool:
    if dotted(statement.test).rpartition(".")[2] == "TYPE_CHECKING":
        return run(statement.orelse, frame)
    frame.note_clock(frame.interpreter.evaluate(statement.test, frame))
    known = outcome(statement.test, frame)
    if known is not None:
        return run(statement.body if known else statement.orelse, frame)
    return _one_of([_way(statement, frame, holds=True), _way(statement, frame, holds=False)], frame)


def _way(statement: ast.If, frame: Frame, *, holds: bool) -> Callable[[], bool]:
    """One of the two ways, with what the condition says of the names."""
    known = narrowed(statement.test, frame, holds=holds)

    def way() -> bool:
        frame.env.update(known)
        return run(statement.body if holds else statement.orelse, frame)

    return way


def _one_of(ways: Sequence[Callable[[], bool]], frame: Frame) -> bool:
    """Go each of several ways, and on from where all of them meet."""
    before = frame.env
    ends: list[dict[str, Value]] = []
    for way in ways:
        frame.env = dict(before)
        if way():
            ends.append(frame.env)
    frame.env = joined(ends) if ends else dict(before)
    return bool(ends)


def _for(statement: ast.For | ast.AsyncFor, frame: Frame) -> bool:
    value = frame.interpreter.evaluate(statement.iter, frame)
    items = templates.items_of(value)
    is_known = items is not None and len(items) <= MOST_UNROLLED and (bool(items) or _is_fixed(value))
    if items is not None and is_known:
        rounds = [Item(flows_into(item.value, value), item.optional) for item in items]
    else:
        element = frame.interpreter.element(value, frame, statement.iter)
        rounds = [Item(element, optional=True)] * _ROUNDS
    frame.note_clock(Value((), value.clock, value.given))
    return _loop(statement, rounds, frame, is_exact=is_known)


def _is_fixed(value: Value) -> bool:
    """Whether nobody can have put anything into it: an empty list may be filled where that is not seen."""
    return all(isinstance(atom, Seq) and atom.kind == "tuple" for atom in value.atoms)


def _loop(statement: Any, rounds: Sequence[Item], frame: Frame, *, is_exact: bool) -> bool:
    was_approximate = frame.is_approximate
    frame.is_approximate = was_approximate or not is_exact
    frame.breaks.append([])
    frame.continues.append([])
    reaches = True
    for item in rounds:
        before = dict(frame.env)
        if hasattr(statement, "target"):
            assign(statement.target, item.value, frame)
        ends = [before] if item.optional else []
        ends += [*([frame.env] if run(statement.body, frame) else []), *frame.continues[-1]]
        frame.continues[-1] = []
        if not ends:
            reaches = False
            break
        frame.env = joined(ends)
    frame.is_approximate = was_approximate
    broken = frame.breaks.pop()
    frame.continues.pop()
    ends = [*([frame.env] if reaches and run(statement.orelse, frame) else []), *broken]
    if ends:
        frame.env = joined(ends)
    return bool(ends)


def _while(statement: ast.While, frame: Frame) -> bool:
    forever = isinstance(statement.test, ast.Constant) and bool(statement.test.value)
    for _ in range(_ROUNDS):
        frame.note_clock(frame.interpreter.evaluate(statement.test, frame))
    rounds = [Item(UNKNOWN, optional=not forever or number > 0) for number in range(_ROUNDS)]
    return _loop(statement, rounds, frame, is_exact=False)


def _try(statement: Any, frame: Frame) -> bool:
    before = dict(frame.env)
    seen = [before]
    reaches = True
    for each in statement.body:
        reaches = _step(each, frame)
        seen.append(dict(frame.env))
        if not reaches:
            break
    ends = []
    if reaches and run(statement.orelse, frame):
        ends.append(frame.env)
    start = joined(seen)
    for handler in statement.handlers:
        frame.env = dict(start)
        if handler.name:
            frame.env[handler.name] = FOREIGN
        if run(handler.body, frame):
            ends.append(frame.env)
    frame.env = joined(ends) if ends else start
    return run(statement.finalbody, frame) and bool(ends)


def _with(statement: ast.With | ast.AsyncWith, frame: Frame) -> bool:
    swallows = False
    for item in statement.items:
        value = frame.interpreter.evaluate(item.context_expr, frame)
        swallows = swallows or dotted(item.context_expr).rpartition(".")[2] == "suppress"
        entered = frame.interpreter.entered(value, frame, item.context_expr)
        if item.optional_vars is not None:
            assign(item.optional_vars, entered, frame)
    before = dict(frame.env)
    reaches = run(statement.body, frame)
    if swallows:
        frame.env = joined([before, frame.env])
    return reaches or swallows


def _match(statement: ast.Match, frame: Frame) -> bool:
    subject = frame.interpreter.evaluate(statement.subject, frame)
    frame.note_clock(subject)
    is_whole = any(_takes_all(case.pattern) and case.guard is None for case in statement.cases)
    ways: list[Callable[[], bool]] = [_case_way(case, subject, frame) for case in statement.cases]
    return _one_of([*ways, *([] if is_whole else [lambda: True])], frame)


def _takes_all(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _case_way(case: ast.match_case, subject: Value, frame: Frame) -> Callable[[], bool]:
    def way() -> bool:
        is_whole = _takes_all(case.pattern)
        for name in names_in_pattern(case.pattern):
            frame.env[name] = subject if is_whole else flows_into(UNKNOWN, subject)
        if case.guard is not None:
            frame.interpreter.evaluate(case.guard, frame)
        return run(case.body, frame)

    return way


# -- definitions -----------------------------------------------------------------------------------------


def _function(statement: ast.FunctionDef | ast.AsyncFunctionDef, frame: Frame) -> bool:
    for decorator in statement.decorator_list:
        frame.interpreter.evaluate(decorator, frame)
    frame.env[statement.name] = frame.interpreter.closure(statement, frame)
    return True


def _class(statement: ast.ClassDef, frame: Frame) -> bool:
    """A class inside a function: its methods belong to the function."""
    for inner in statement.body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            frame.interpreter.closure(inner, frame)
        elif isinstance(inner, ast.ClassDef):
            _class(inner, frame)
    frame.env[statement.name] = UNKNOWN
    return True


def _import(statement: ast.Import | ast.ImportFrom, frame: Frame) -> bool:
    from_bindings = frame.interpreter.imports(statement, frame.module)
    frame.env.update(from_bindings)
    return True


def _nonlocal(statement: ast.Nonlocal, frame: Frame) -> bool:
    frame.outer_names.update(statement.names)
    return True


def _delete(statement: ast.Delete, frame: Frame) -> bool:
    for target in statement.targets:
        if isinstance(target, ast.Name):
            frame.env.pop(target.id, None)
    return True


def _assert(statement: ast.Assert, frame: Frame) -> bool:
    frame.interpreter.evaluate(statement.test, frame)
    return True


_STEPS: Final[dict[str, Callable[[Any, Frame], bool]]] = {
    "Expr": _expression,
    "Assign": _assign,
    "AnnAssign": _annotated,
    "AugAssign": _augmented,
    "Return": _return,
    "Raise": _raise,
    "Break": _break,
    "Continue": _continue,
    "If": _if,
    "For": _for,
    "AsyncFor": _for,
    "While": _while,
    "Try": _try,
    "TryStar": _try,
    "With": _with,
    "AsyncWith": _with,
    "Match": _match,
    "FunctionDef": _function,
    "AsyncFunctionDef": _function,
    "ClassDef": _class,
    "Import": _import,
    "ImportFrom": _import,
    "Nonlocal": _nonlocal,
    "Delete": _delete,
    "Assert": _assert,
}
