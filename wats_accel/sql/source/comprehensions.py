"""Comprehensions: their values; of a known list each item is gone through."""

from __future__ import annotations

import ast
from typing import Any

from wats_accel.sql.source import operators, templates
from wats_accel.sql.source.conditions import outcome
from wats_accel.sql.source.frames import Frame
from wats_accel.sql.source.values import MOST_UNROLLED, Item, Map, Seq, Value, flows_into


def comprehension(node: Any, frame: Frame) -> Value:
    """The value of one: a list, set, dictionary or generator."""
    before = dict(frame.env)
    found = _generated(node, 0, frame)
    frame.env = before
    return found


def _generated(node: Any, number: int, frame: Frame) -> Value:
    """What the generators of a comprehension give from one of them on."""
    if number == len(node.generators):
        return _one_of(node, frame)
    generator = node.generators[number]
    value = frame.interpreter.evaluate(generator.iter, frame)
    items = templates.items_of(value)
    is_known = items is not None and len(items) <= MOST_UNROLLED and not generator.is_async
    each = (
        [flows_into(item.value, value) for item in items]
        if is_known and items is not None
        else [frame.interpreter.element(value, frame, generator.iter)]
    )
    optional = [item.optional for item in items] if is_known and items is not None else [True]
    found: list[Value] = []
    for element, maybe in zip(each, optional, strict=True):
        frame.interpreter.assign(generator.target, element, frame)
        for condition in generator.ifs:
            frame.note_clock(frame.interpreter.evaluate(condition, frame))
        known = [outcome(condition, frame) if is_known else None for condition in generator.ifs]
        if False in known:
            continue
        inner = _generated(node, number + 1, frame)
        found.append(operators.optional(inner) if maybe or None in known else inner)
    return operators.chained(found, is_known=is_known)


def _one_of(node: Any, frame: Frame) -> Value:
    if isinstance(node, ast.DictComp):
        key = operators.key_of(frame.interpreter.evaluate(node.key, frame))
        value = frame.interpreter.evaluate(node.value, frame)
        one: Map | Seq = Map(((key, value),)) if key is not None else Map((), value)
    else:
        value = frame.interpreter.evaluate(node.elt, frame)
        one = Seq("set" if isinstance(node, ast.SetComp) else "list", (Item(value),))
    return flows_into(Value((one,)), value)
