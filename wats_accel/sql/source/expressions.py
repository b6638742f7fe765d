"""Expressions: their values."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from wats_accel.sql.source import operators, templates
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.comprehensions import comprehension
from wats_accel.sql.source.conditions import narrowed, outcome
from wats_accel.sql.source.frames import Arguments, Frame, joined
from wats_accel.sql.source.values import (
    FOREIGN,
    MOST_ITEMS,
    NOTHING,
    NUMBER,
    UNKNOWN,
    Const,
    Func,
    Hole,
    Item,
    Map,
    Seq,
    SeqKind,
    Text,
    Value,
    constant,
    flows_into,
)

_LONGEST_LABEL: Final = 40


def label(node: ast.AST) -> str:
    """How an expression is shown where its value is not known."""
    shown = " ".join(ast.unparse(node).split())
    return shown if len(shown) <= _LONGEST_LABEL else shown[: _LONGEST_LABEL - 1] + "…"


def expression(node: ast.expr, frame: Frame) -> Value:
    """The value of an expression."""
    read = _READERS.get(type(node))
    if read is None:
        return _anything(node, frame)
    return read(node, frame)


def _anything(node: ast.AST, frame: Frame) -> Value:
    """Something that gives no text and no object; what is inside it is run through all the same."""
    parts = [
        frame.interpreter.evaluate(part, frame)
        for part in ast.iter_child_nodes(node)
        if isinstance(part, ast.expr)
    ]
    return flows_into(FOREIGN, *parts)


def _constant(node: ast.Constant, _: Frame) -> Value:
    return constant(node.value)


def _name(node: ast.Name, frame: Frame) -> Value:
    found = frame.lookup(node.id)
    note_handed_over(found, node, frame)
    return found


def note_handed_over(value: Value, node: ast.AST, frame: Frame) -> None:
    """A method that is handed over may be called later, by whoever gets it."""
    for atom in value.atoms:
        if isinstance(atom, Func):
            frame.note_call(frame.interpreter.target_of(atom), node)


def called_value(node: ast.expr, frame: Frame) -> Value:
    """The value of what is called: nothing is handed over there."""
    if isinstance(node, ast.Name):
        return frame.lookup(node.id)
    if isinstance(node, ast.Attribute):
        owner = frame.interpreter.evaluate(node.value, frame)
        return frame.interpreter.attribute(owner, node.attr, frame, node)
    return frame.interpreter.evaluate(node, frame)


def _attribute(node: ast.Attribute, frame: Frame) -> Value:
    found = called_value(node, frame)
    note_handed_over(found, node, frame)
    return found


def _call(node: ast.Call, frame: Frame) -> Value:
    called = called_value(node.func, frame)
    arguments = arguments_of(node, frame)
    return frame.interpreter.call(called, arguments, frame, node)


def arguments_of(node: ast.Call, frame: Frame) -> Arguments:
    """The arguments of a call; of those behind a star as many as are known."""
    found = Arguments([], {})
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            value = frame.interpreter.evaluate(argument.value, frame)
            items = templates.items_of(value)
            if items is None or found.rest is not None:
                found.rest = join([found.rest or NOTHING, frame.interpreter.element(value, frame, argument)])
            else:
                found.args += [flows_into(item.value, value) for item in items]
        else:
            found.nodes[len(found.args)] = argument
            found.args.append(frame.interpreter.evaluate(argument, frame))
    for keyword in node.keywords:
        value = frame.interpreter.evaluate(keyword.value, frame)
        if keyword.arg is not None:
            found.kwargs[keyword.arg] = value
            found.nodes[keyword.arg] = keyword.value
        else:
            _take_mapping(found, value)
    return found


def _take_mapping(found: Arguments, value: Value) -> None:
    for atom in value.atoms:
        if isinstance(atom, Map):
            for key, each in atom.items:
                found.kwargs.setdefault(key, flows_into(each, value))
            if atom.rest is not None:
                found.rest = join([found.rest or NOTHING, atom.rest])
        else:
            found.rest = join([found.rest or NOTHING, flows_into(UNKNOWN, value)])


def _fstring(node: ast.JoinedStr, frame: Frame) -> Value:
    return templates.concat([frame.interpreter.evaluate(part, frame) for part in node.values])


def _formatted(node: ast.FormattedValue, frame: Frame) -> Value:
    value = frame.interpreter.evaluate(node.value, frame)
    if node.format_spec is not None:
        frame.interpreter.evaluate(node.format_spec, frame)
    if node.conversion in (ord("r"), ord("a")):
        return flows_into(Value((Text((Hole(label(node.value)),)),)), value)
    return templates.as_texts(value, label(node.value))


def _tuple(node: ast.Tuple | ast.List | ast.Set, frame: Frame) -> Value:
    kind: SeqKind = "tuple" if isinstance(node, ast.Tuple) else "set" if isinstance(node, ast.Set) else "list"
    items: list[Item] = []
    rest: Value | None = None
    values: list[Value] = []
    for part in node.elts:
        if not isinstance(part, ast.Starred):
            values.append(frame.interpreter.evaluate(part, frame))
            items.append(Item(values[-1]))
            continue
        value = frame.interpreter.evaluate(part.value, frame)
        values.append(value)
        known = templates.items_of(value)
        if known is not None and rest is None:
            items += known
        else:
            rest = join([rest or NOTHING, frame.interpreter.element(value, frame, part)])
    if len(items) > MOST_ITEMS:
        rest = join([rest or NOTHING, *(item.value for item in items[MOST_ITEMS:])])
    seq = Seq(kind, tuple(items[:MOST_ITEMS]), rest)
    return flows_into(Value((seq,)), *values)


def _dict(node: ast.Dict, frame: Frame) -> Value:
    items: dict[str, Value] = {}
    rest: list[Value] = []
    values: list[Value] = []
    for key, part in zip(node.keys, node.values, strict=True):
        value = frame.interpreter.evaluate(part, frame)
        values.append(value)
        if key is None:
            given = Arguments([], {})
            _take_mapping(given, value)
            items.update(given.kwargs)
            rest += [given.rest] if given.rest is not None else []
            continue
        known = operators.key_of(frame.interpreter.evaluate(key, frame))
        if known is None or len(items) >= MOST_ITEMS:
            rest.append(value)
        else:
            items[known] = value
    return flows_into(Value((Map(tuple(items.items()), join(rest) if rest else None),)), *values)


def _binary(node: ast.BinOp, frame: Frame) -> Value:
    left = frame.interpreter.evaluate(node.left, frame)
    right = frame.interpreter.evaluate(node.right, frame)
    return operators.binary(node.op, left, right, node.left, node.right)


def _unary(node: ast.UnaryOp, frame: Frame) -> Value:
    value = frame.interpreter.evaluate(node.operand, frame)
    known = value.atoms[0] if len(value.atoms) == 1 else None
    if isinstance(node.op, ast.USub) and isinstance(known, Const) and isinstance(known.value, int | float):
        return flows_into(constant(-known.value), value)
    if isinstance(node.op, ast.Not):
        frame.note_clock(value)
    return flows_into(NUMBER, value)


def _either(node: ast.BoolOp, frame: Frame) -> Value:
    values = []
    for part in node.values:
        values.append(frame.interpreter.evaluate(part, frame))
        if part is not node.values[-1] and isinstance(node.op, ast.And) and not isinstance(part, ast.Name):
            frame.note_clock(values[-1])
    return join(values)


def _ternary(node: ast.IfExp, frame: Frame) -> Value:
    frame.note_clock(frame.interpreter.evaluate(node.test, frame))
    known = outcome(node.test, frame)
    if known is not None:
        return frame.interpreter.evaluate(node.body if known else node.orelse, frame)
    before = dict(frame.env)
    frame.env.update(narrowed(node.test, frame, holds=True))
    chosen = frame.interpreter.evaluate(node.body, frame)
    after, frame.env = frame.env, {**before, **narrowed(node.test, frame, holds=False)}
    other = frame.interpreter.evaluate(node.orelse, frame)
    frame.env = joined([after, frame.env])
    return join([chosen, other])


def _compare(node: ast.Compare, frame: Frame) -> Value:
    values = [frame.interpreter.evaluate(part, frame) for part in (node.left, *node.comparators)]
    for value in values:
        frame.note_clock(value)
    return Value(NUMBER.atoms, given=any(value.given for value in values))


def _subscript(node: ast.Subscript, frame: Frame) -> Value:
    value = frame.interpreter.evaluate(node.value, frame)
    if isinstance(node.slice, ast.Slice):
        bounds = [
            frame.interpreter.evaluate(bound, frame) if bound is not None else None
            for bound in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        return operators.sliced(value, bounds, label(node))
    key = frame.interpreter.evaluate(node.slice, frame)
    found = operators.item(value, key)
    special = frame.interpreter.special(value, "__getitem__", [key], frame, node)
    return join([found, special])


def _walrus(node: ast.NamedExpr, frame: Frame) -> Value:
    value = frame.interpreter.evaluate(node.value, frame)
    frame.env[node.target.id] = value
    return value


def _lambda(node: ast.Lambda, frame: Frame) -> Value:
    return frame.interpreter.closure(node, frame)


def _await(node: ast.Await, frame: Frame) -> Value:
    return frame.interpreter.evaluate(node.value, frame)


def _yield(node: ast.Yield | ast.YieldFrom, frame: Frame) -> Value:
    value = frame.interpreter.evaluate(node.value, frame) if node.value is not None else constant(None)
    if isinstance(node, ast.YieldFrom):
        value = frame.interpreter.element(value, frame, node)
    frame.note_clock(value)
    frame.yields.append(value)
    return UNKNOWN if frame.depth == 0 else flows_into(UNKNOWN, value)


def _starred(node: ast.Starred, frame: Frame) -> Value:
    return frame.interpreter.evaluate(node.value, frame)


_READERS: Final[dict[type, Callable[[Any, Frame], Value]]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.JoinedStr: _fstring,
    ast.FormattedValue: _formatted,
    ast.Tuple: _tuple,
    ast.List: _tuple,
    ast.Set: _tuple,
    ast.Dict: _dict,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _either,
    ast.IfExp: _ternary,
    ast.Compare: _compare,
    ast.Subscript: _subscript,
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.GeneratorExp: comprehension,
    ast.DictComp: comprehension,
    ast.NamedExpr: _walrus,
    ast.Lambda: _lambda,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.Starred: _starred,
}
