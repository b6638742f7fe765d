"""Conditions: those whose outcome is known, of names that the code itself has given a value."""

from __future__ import annotations

import ast

from wats_accel.sql.source import templates
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.frames import Frame
from wats_accel.sql.source.values import Const, Text, Value, flows_into


def outcome(test: ast.expr, frame: Frame) -> bool | None:
    """Whether a condition holds; None if that is not known.

    Of attributes and globals nothing is taken for granted, since anybody may change them; nor of anything in
    a loop that is not run through as often as it will be.
    """
    if frame.is_lazy or frame.is_approximate:
        return None
    return _outcome(test, frame)


def narrowed(test: ast.expr, frame: Frame, *, holds: bool) -> dict[str, Value]:
    """Names that can only be one of a few texts where a condition holds, or does not: ``if x in COLUMNS``."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return narrowed(test.operand, frame, holds=not holds)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) == holds:
        parts = [narrowed(part, frame, holds=holds) for part in test.values]
        return {name: value for part in parts for name, value in part.items()}
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Name)):
        return {}
    if not isinstance(test.ops[0], ast.In if holds else ast.NotIn):
        return {}
    before = frame.env.get(test.left.id)
    items = templates.items_of(frame.interpreter.evaluate(test.comparators[0], frame))
    if before is None or not items or any(not _is_text(item.value) for item in items):
        return {}
    return {test.left.id: flows_into(join(item.value for item in items), before)}


def _is_text(value: Value) -> bool:
    return bool(value.atoms) and all(templates.whole(atom) is not None for atom in value.atoms)


def _outcome(test: ast.expr, frame: Frame) -> bool | None:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _outcome(test.operand, frame)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        found = [_outcome(part, frame) for part in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in found:
            return decisive
        return None if None in found else not decisive
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test.ops[0], test.left, test.comparators[0], frame)
    value = _value(test, frame)
    return _truth(value) if value is not None else None


def _value(node: ast.expr, frame: Frame) -> Value | None:
    """What a name or literal stands for; None for anything else."""
    if isinstance(node, ast.Name):
        return frame.env.get(node.id)
    return frame.interpreter.evaluate(node, frame) if isinstance(node, ast.Constant) else None


def _truth(value: Value) -> bool | None:
    if len(value.atoms) != 1:
        return None
    atom = value.atoms[0]
    known = templates.whole(atom)
    if known is not None:
        return bool(known)
    if isinstance(atom, Text):
        return True if any(isinstance(part, str) and part for part in atom.parts) else None
    if isinstance(atom, Const):
        return bool(atom.value)
    return None  # of a list or dictionary: somebody else may have filled it


def _compared(op: ast.cmpop, left: ast.expr, right: ast.expr, frame: Frame) -> bool | None:
    sides = [_value(side, frame) for side in (left, right)]
    literals = [_literal(side) for side in sides if side is not None]
    if len(literals) != 2 or None in literals:
        return None
    same = literals[0] == literals[1]
    if isinstance(op, ast.Eq | ast.Is):
        return same
    return not same if isinstance(op, ast.NotEq | ast.IsNot) else None


def _literal(value: Value) -> tuple[object, ...] | None:
    """A text or constant that is known, with its kind."""
    if len(value.atoms) != 1:
        return None
    atom = value.atoms[0]
    known = templates.whole(atom)
    if known is not None:
        return ("str", known)
    return (atom.type_name, atom.value) if isinstance(atom, Const) else None
