"""Fingerprints: whether a method is still the one that somebody has looked at.

Where there is source, it is taken of the syntax tree, and so is the same on every machine and in every
version of Python. A frozen application has none; there it is taken of the code, for one version of Python.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType, MethodType
from typing import Any

import wrapt

from wats_accel.errors import TargetNotFoundError
from wats_accel.patching.ownership import origin_of
from wats_accel.patching.places import MAX_LAYERS
from wats_accel.patching.sent_texts import Owner, SentTexts
from wats_accel.patching.source_text import ModuleText, SourceTexts, meaning
from wats_accel.patching.standing import is_stand_in
from wats_accel.targets import Target

_HAS_DOCSTRING = 0x4000000
"""The flag of code whose first constant is its docstring, from Python 3.13 on."""
_SQL = re.compile(
    r"\s*(?:select|insert|update|delete|merge|with|exec|execute|call|replace|truncate|declare|set|from|where"
    r"|join|order|group|and|or|values|returning|begin|create|alter|drop|\{)\b",
    re.IGNORECASE,
)
_HEX_DIGITS = 24


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a method was when somebody looked at it.

    Attributes:
        source: of its syntax tree, and of those of its decorators; None without source.
        sql: of the texts that it can send; None without source.
        code: of its compiled code, by version of Python.
    """

    source: str | None = None
    sql: str | None = None
    code: Mapping[str, str] = field(default_factory=dict)


def python_tag() -> str:
    """What compiled code is good for: ``cpython-311``, or with ``python -O``, ``cpython-311.opt-1``."""
    tag = sys.implementation.cache_tag or sys.implementation.name
    return f"{tag}.opt-{sys.flags.optimize}" if sys.flags.optimize else tag


def fingerprint_of(target: Target, sources: SourceTexts) -> Fingerprint:
    """The fingerprint of what stands at a target now, wherever wats_accel itself has put a stand-in.

    A function written in C has none.

    Raises:
        TargetNotFoundError: its module is not imported, or nothing stands there.
        Exception: whatever the attributes of an odd class raise.
    """
    try:
        parent, _, raw = wrapt.resolve_path(sys.modules[target.module], target.path)
    except (KeyError, AttributeError, wrapt.PathResolutionError) as error:
        raise TargetNotFoundError(f"{target} is not there") from error
    sources.trim()
    package = target.module.partition(".")[0]
    functions = [known for known in layers(raw) if _is_of(package, known)]
    if not functions:
        return Fingerprint()
    bases = [base for base in getattr(parent, "__mro__", ()) if _is_module_of(package, base.__module__)]
    code = _of_code(package, functions, bases)
    return Fingerprint(**_of_source(functions, bases, package, sources), code={python_tag(): code})


def layers(raw: Any) -> list[FunctionType]:
    """The functions that a call goes through, from the outermost decorator to the method itself."""
    waiting, seen, found = [raw], set[int](), list[FunctionType]()
    while waiting and len(seen) < MAX_LAYERS:
        layer = waiting.pop(0)
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if issubclass(type(layer), FunctionType) and not _is_ours(layer):
            found.append(layer)
        waiting.extend(_inside(layer))
    return found


def _inside(layer: Any) -> Iterator[Any]:
    kind = type(layer)
    if issubclass(kind, staticmethod | classmethod | MethodType):
        yield layer.__func__
    elif issubclass(kind, functools.partial | functools.partialmethod | functools.singledispatchmethod):
        yield layer.func
    elif issubclass(kind, FunctionType):
        yield from _inside_function(layer)
    elif getattr(layer, "__wrapped__", None) is not None:
        yield layer.__wrapped__
        if not _is_ours(layer):
            yield getattr(layer, "_self_wrapper", None)  # of a decorator that was made with wrapt
            yield getattr(kind, "__call__", None)  # noqa: B004 - the class's own function, not whether
    elif kind.__module__ != "builtins":
        yield getattr(kind, "__call__", None)  # noqa: B004 - as above
        yield from (value for value in getattr(layer, "__dict__", {}).values() if callable(value))


def _inside_function(layer: FunctionType) -> Iterator[Any]:
    if "__wrapped__" in vars(layer):
        yield vars(layer)["__wrapped__"]
    if _is_ours(layer):
        return
    for cell in layer.__closure__ or ():
        try:
            held = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        if callable(held) and not isinstance(held, type):
            yield held


def _is_ours(layer: Any) -> bool:
    """Whether a layer is a stand-in, perhaps one that has been taken back and is still held."""
    if is_stand_in(layer):
        return True
    module = layer.__globals__.get("__name__") if isinstance(layer, FunctionType) else type(layer).__module__
    return _top(module) in ("wats_accel", "wats_accel_plugins")


def _is_of(package: str, function: FunctionType) -> bool:
    # Its globals: `functools.wraps` has given it the name of another module.
    return _is_module_of(package, function.__globals__.get("__name__"))


def _is_module_of(package: str, module: object) -> bool:
    """Whether a change to a module is one to the application; that of a library is its upgrade."""
    return _top(module) == package or (isinstance(module, str) and origin_of(module) in ("own", "unknown"))


def _top(module: object) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""


# -- of the source ------------------------------------------------------------------------------------------


def _of_source(
    functions: list[FunctionType], bases: list[type], package: str, sources: SourceTexts
) -> dict[str, str | None]:
    owners = tuple(_owners(bases, sources))
    sent = SentTexts(sources, package)
    said: list[str] = []
    for function in functions:
        module = sources.of(function.__globals__.get("__name__", ""))
        nodes = [] if module is None else module.definitions(function.__code__)
        if module is None or not nodes:
            return {"source": None, "sql": None}
        for node in nodes:
            said.append(meaning(node))
            sent.add(node, module, owners)
    return {"source": _digest(said), "sql": _digest(sorted(map(repr, sent.found)))}


def _owners(bases: Iterable[type], sources: SourceTexts) -> Iterator[Owner]:
    for base in bases:
        module: ModuleText | None = sources.of(base.__module__)
        definition = None if module is None else module.class_named(base.__qualname__)
        if module is not None and definition is not None:
            yield Owner(module, definition)


# -- of the code --------------------------------------------------------------------------------------------


def _of_code(package: str, functions: list[FunctionType], bases: list[type]) -> str:
    # In a frozen application nobody can tell other packages of its own from libraries.
    functions = [known for known in functions if _top(known.__globals__.get("__name__")) == package]
    bases = [base for base in bases if _top(base.__module__) == package]
    said = [repr(_code(function.__code__)) for function in functions]
    for function in functions:
        names = sorted(set(_names(function.__code__)))
        # Only SQL: the program may have read its secrets into names like these.
        said += [repr(text) for name in names for text in _texts(function.__globals__.get(name))]
        said += [repr(text) for name in names for base in bases for text in _texts(vars(base).get(name))]
    return _digest(said)


def _code(code: CodeType) -> tuple[Any, ...]:
    """What some code does, without its docstrings, its places, and the name of its file."""
    constants: list[Any] = list(code.co_consts)
    if constants and isinstance(constants[0], str) and _begins_with_docstring(code):
        constants[0] = None
    return (
        code.co_name,
        code.co_code.hex(),
        tuple(_code(value) if isinstance(value, CodeType) else _constant(value) for value in constants),
        *(code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        *(code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        code.co_flags & ~_HAS_DOCSTRING,
        getattr(code, "co_exceptiontable", b"").hex(),
    )


def _begins_with_docstring(code: CodeType) -> bool:
    if sys.version_info >= (3, 13):
        return bool(code.co_flags & _HAS_DOCSTRING)
    return not code.co_name.startswith("<")


def _constant(value: Any) -> object:
    # A set has no order, and that of texts changes from one process to the next.
    return ("frozenset", *sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _names(value)


def _texts(value: object, levels_left: int = 3) -> Iterator[str]:
    if isinstance(value, str):
        if _SQL.match(value):
            yield value
    elif levels_left and type(value) in (tuple, list, dict):
        items: Any = value.values() if isinstance(value, dict) else value
        for item in items:
            yield from _texts(item, levels_left - 1)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_HEX_DIGITS]
