"""Storing: what assignments and changes in place make of names, attributes and items."""

from __future__ import annotations

import ast

from wats_accel.sql.source import known_methods, operators
from wats_accel.sql.source.attributes import with_more
from wats_accel.sql.source.bindings import unpacked
from wats_accel.sql.source.frames import Arguments, Frame
from wats_accel.sql.source.values import UNKNOWN, Map, Obj, Seq, Value


def assign(target: ast.expr, value: Value, frame: Frame) -> None:
    """Give a value to a target."""
    if isinstance(target, ast.Name):
        frame.store(target.id, value)
    elif isinstance(target, ast.Starred):
        assign(target.value, Value((Seq("list", (), value),)), frame)
    elif isinstance(target, ast.Attribute):
        _store_attribute(target, value, frame)
    elif isinstance(target, ast.Subscript):
        _store_item(target, value, frame)
    for part, where in unpacked(target):
        assign(part, operators.unpacked(value, where), frame)


def _store_attribute(target: ast.Attribute, value: Value, frame: Frame) -> None:
    owner = frame.interpreter.evaluate(target.value, frame)
    if isinstance(target.value, ast.Name) and target.value.id == frame.self_name and not frame.is_lazy:
        frame.env[f".{target.attr}"] = value
    for atom in owner.atoms:
        if isinstance(atom, Obj) and atom.cls in frame.interpreter.index.classes:
            cls = frame.interpreter.index.classes[atom.cls]
            functions = frame.interpreter.index.method(cls, target.attr)
            if any(function.is_a("setter") or function.is_property for function in functions):
                frame.note_call(f"{atom.cls}.{target.attr}", target, given=owner.given)


def _store_item(target: ast.Subscript, value: Value, frame: Frame) -> None:
    owner = frame.interpreter.evaluate(target.value, frame)
    key = (
        frame.interpreter.evaluate(target.slice, frame)
        if not isinstance(target.slice, ast.Slice)
        else UNKNOWN
    )
    change(target.value, known_methods.stored(owner, key, value), frame)
    frame.interpreter.special(owner, "__setitem__", [key, value], frame, target)


def let_go(arguments: Arguments, frame: Frame) -> None:
    """Note that lists and dictionaries are given to somebody who may put anything into them."""
    for where, node in arguments.nodes.items():
        value = arguments.args[where] if isinstance(where, int) else arguments.kwargs[where]
        if any(
            isinstance(atom, Map) or (isinstance(atom, Seq) and atom.kind != "tuple") for atom in value.atoms
        ):
            change(node, with_more(value, UNKNOWN), frame)


def change(node: ast.expr, value: Value, frame: Frame) -> None:
    """Note that what an expression stands for has been changed in place."""
    if isinstance(node, ast.Name) and node.id in frame.env:
        frame.env[node.id] = value
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        key = f".{node.attr}"
        if node.value.id == frame.self_name and key in frame.env:
            frame.env[key] = value
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in frame.env:
        owner = frame.env[node.value.id]
        frame.env[node.value.id] = known_methods.stored(owner, UNKNOWN, value)
