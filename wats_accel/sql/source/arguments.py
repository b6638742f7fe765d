"""Arguments: how those of a call become the parameters of a function."""

from __future__ import annotations

import ast

from wats_accel.sql.source.alternatives import join, merged
from wats_accel.sql.source.frames import Arguments, Frame
from wats_accel.sql.source.modules import FunctionInfo
from wats_accel.sql.source.values import (
    FOREIGN,
    NOTHING,
    UNKNOWN,
    Cls,
    Item,
    Map,
    Obj,
    Param,
    Seq,
    Unknown,
    Value,
    flows_into,
)

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def bind(
    node: AnyFunction, arguments: Arguments, first: Value | None, defaults: Frame
) -> tuple[dict[str, Value], dict[str, ast.expr]]:
    """The parameters with their values, and the expressions that they were given as, where there is one.

    Args:
        node: the function.
        arguments: of the call.
        first: what its first parameter is bound to, if anything.
        defaults: where its defaults are evaluated.
    """
    args = node.args
    positional = [each.arg for each in (*args.posonlyargs, *args.args)]
    env: dict[str, Value] = {}
    nodes: dict[str, ast.expr] = {}
    if first is not None and positional:
        env[positional.pop(0)] = first
    for index, name in enumerate(positional):
        if index < len(arguments.args):
            env[name] = arguments.args[index]
            if index in arguments.nodes:
                nodes[name] = arguments.nodes[index]
    if args.vararg is not None:
        extra = tuple(Item(value) for value in arguments.args[len(positional) :])
        env[args.vararg.arg] = flows_into(Value((Seq("tuple", extra, arguments.rest),)), *arguments.all())
    known = {*positional, *(each.arg for each in args.kwonlyargs)}
    for name, value in arguments.kwargs.items():
        if name in known and name not in env:
            env[name] = value
            if name in arguments.nodes:
                nodes[name] = arguments.nodes[name]
    if args.kwarg is not None:
        others = tuple((name, value) for name, value in arguments.kwargs.items() if name not in known)
        env[args.kwarg.arg] = flows_into(Value((Map(others, arguments.rest),)), *arguments.all())
    for name in (*positional, *(each.arg for each in args.kwonlyargs)):
        if name not in env:
            env[name] = _missing(node, name, arguments, defaults)
    return env, nodes


def _missing(node: AnyFunction, name: str, arguments: Arguments, defaults: Frame) -> Value:
    default = default_of(node, name)
    found = [arguments.rest] if arguments.rest is not None else []
    if default is not None:
        found.append(defaults.interpreter.evaluate(default, defaults))
    return join(found) if found else UNKNOWN


def default_of(node: AnyFunction, name: str) -> ast.expr | None:
    """The default of a parameter; None if it has none."""
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    with_default = positional[len(positional) - len(args.defaults) :]
    for each, default in zip(with_default, args.defaults, strict=True):
        if each.arg == name:
            return default
    for each, keyword_default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if each.arg == name:
            return keyword_default
    return None


def of_own(function: FunctionInfo, frame: Frame) -> dict[str, Value]:
    """The parameters of the method that is looked at: its caller alone knows more."""
    args = function.node.args
    env: dict[str, Value] = {}
    for each in (*args.posonlyargs, *args.args, *args.kwonlyargs):
        env[each.arg] = _declared(function, each, frame)
        default = default_of(function.node, each.arg)
        if default is not None:
            env[each.arg] = flows_into(env[each.arg], _clock_of(default, frame))
    if args.vararg is not None:
        env[args.vararg.arg] = Value((Seq("tuple", (), Value((Param(args.vararg.arg),))),))
    if args.kwarg is not None:
        env[args.kwarg.arg] = Value((Map((), Value((Param(args.kwarg.arg),))),))
    if function.self_name and frame.bound is not None:
        env[function.self_name] = Value((frame.bound,))
    return env


def _clock_of(default: ast.expr, frame: Frame) -> Value:
    outside = frame.interpreter.lazy_frame(frame.module)
    return Value((), frame.interpreter.evaluate(default, outside).clock)


def _declared(function: FunctionInfo, each: ast.arg, frame: Frame) -> Value:
    origin = f"{function.place} {each.arg}"
    declared = frame.interpreter.annotated(each.annotation, function.module, origin)
    objects = [atom for atom in declared.atoms if isinstance(atom, Obj | Cls | Seq | Map)]
    if objects:
        return Value(merged(objects))
    if any(isinstance(atom, Unknown) for atom in declared.atoms):
        return Value((Param(each.arg),))
    is_number = declared == FOREIGN or any(not getattr(atom, "is_number", False) for atom in declared.atoms)
    return Value((Param(each.arg, is_plain=True),)) if is_number else declared


def with_declared(env: dict[str, Value], function: FunctionInfo, frame: Frame) -> None:
    """Use what parameters are declared to be where nothing better is known of what they are given."""
    for name, each in (
        (each.arg, each) for each in (*function.node.args.args, *function.node.args.kwonlyargs)
    ):
        value = env.get(name, NOTHING)
        vague = [atom for atom in value.atoms if isinstance(atom, Unknown | Param)]
        if not vague or each.annotation is None:
            continue
        origin = f"{function.place} {name}"
        declared = frame.interpreter.annotated(each.annotation, function.module, origin)
        objects = [atom for atom in declared.atoms if isinstance(atom, Obj | Cls)]
        if objects:
            kept = [atom for atom in value.atoms if atom not in vague]
            env[name] = Value(merged([*kept, *objects]), value.clock, value.given)
