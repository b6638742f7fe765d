"""Named points in the sources: comments in production, places to stop at in tests.

A line of a function that ends in ``# point: <name>`` names the moment before its statement is executed.
In production that is a comment. Under `live_points` the functions that hold such lines run code compiled
from the same source with one call more before each of these statements, so that an actor can be stopped
there. Their objects stay the same, and so do all line numbers: coverage, debuggers and tracebacks notice
nothing, and no thread is traced.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import gc
import importlib
import importlib.util
import inspect
import io
import pkgutil
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping, Set
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from unittest import mock

from actors import point

_MARK = re.compile(r"# point: (\w[\w .-]*)$")  # at the end of a comment, after a noqa if need be
_HOOK = "__point__"  # a global of the modules while their points are live
_BLOCKS = ("body", "orelse", "finalbody")

_Place = tuple[str, int, str]
"""File, first line and name: of one ``def``."""


class PointError(ValueError):
    """A mark that names no statement of a function, or a name that is there twice."""


def points_of(source: str) -> dict[int, str]:
    """The names of the points of a source, by line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    marks = (
        (token.start[0], _MARK.search(token.string)) for token in tokens if token.type == tokenize.COMMENT
    )
    return {line: mark[1] for line, mark in marks if mark}


def modules_of(package: str) -> list[ModuleType]:
    """All modules of a package whose sources have points; they are imported."""
    root = importlib.import_module(package)
    names = [root.__name__, *(found.name for found in pkgutil.walk_packages(root.__path__, f"{package}."))]
    return [importlib.import_module(name) for name in names if _has_points(name)]


def _has_points(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    return "# point: " in source and bool(points_of(source))  # all tokens of all modules take seconds


@contextlib.contextmanager
def live_points(*modules: ModuleType) -> Iterator[frozenset[str]]:
    """Have actors stop at the points of these modules during the ``with`` block; gives their names.

    Raises:
        PointError: a mark is not at the first line of a statement of a function, or a name is there
            twice, or a source is not the one that was imported.
    """
    names: list[str] = []
    live: dict[_Place, CodeType] = {}
    for module in modules:
        file = Path(module.__file__ or "")
        marked, code = _compiled(file, file.read_text(encoding="utf-8"))
        names += marked
        live.update((_place(function), function) for function in _functions_with_points(code))
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise PointError(f"more than one point is named {', '.join(sorted(repeated))}")
    originals = _codes_at(live.keys())
    _put_in_place(live)
    for module in modules:
        vars(module)[_HOOK] = point
    try:
        yield frozenset(names)
    finally:
        _put_in_place(originals)  # of closures that were made meanwhile, too
        for module in modules:
            del vars(module)[_HOOK]


@contextlib.contextmanager
def live_points_of_texts(owner: ModuleType, attribute: str, *texts: str) -> Iterator[frozenset[str]]:
    """The same for functions that are compiled from a text during the ``with`` block; gives their names.

    Args:
        owner: the module that has the function which compiles such a text.
        attribute: that function's name.
        texts: in which all points stand.
    """

    @functools.cache
    def compiled(text: str) -> CodeType:
        return _compiled("<text>", text)[1]

    vars(builtins)[_HOOK] = point  # for whatever globals such a function has
    try:
        with mock.patch.object(owner, attribute, compiled):
            yield frozenset(name for text in texts for name in points_of(text).values())
    finally:
        del vars(builtins)[_HOOK]


def _compiled(file: Path | str, source: str) -> tuple[list[str], CodeType]:
    """The names of the points of a source, and its code with a call at each."""
    tree = ast.parse(source)
    points = points_of(source)
    names = list(points.values())
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for block in _blocks_in(node):
                block[:] = [new for statement in block for new in _with_its_point(statement, points)]
    if points:
        lines = ", ".join(map(str, points))
        raise PointError(f"{file}: no statement of a function begins where points are marked: lines {lines}")
    return names, compile(tree, str(file), "exec", dont_inherit=True)


def _blocks_in(function: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(function):
        for field in _BLOCKS:
            block = getattr(node, field, None)
            if isinstance(block, list):
                yield block


def _with_its_point(statement: ast.stmt, points: dict[int, str]) -> list[ast.stmt]:
    name = points.pop(statement.lineno, None)
    if name is None:
        return [statement]
    call = ast.Call(ast.Name(_HOOK, ast.Load()), [ast.Constant(name)], [])
    return [ast.fix_missing_locations(ast.copy_location(ast.Expr(call), statement)), statement]


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    """A code object and all that are nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes_in(constant)


def _functions_with_points(module: CodeType) -> Iterator[CodeType]:
    for code in _codes_in(module):
        is_function = code.co_flags & inspect.CO_OPTIMIZED
        if is_function and any(_HOOK in inner.co_names for inner in _codes_in(code)):
            yield code


def _place(code: CodeType) -> _Place:
    return code.co_filename, code.co_firstlineno, code.co_name


def _functions_at(places: Collection[_Place]) -> list[FunctionType]:
    # Wherever it is: in a class, below a decorator, or a closure that somebody holds.
    functions = [known for known in gc.get_objects() if type(known) is FunctionType]
    return [function for function in functions if _place(function.__code__) in places]


def _codes_at(places: Set[_Place]) -> dict[_Place, CodeType]:
    """The code that the functions of these places have now, and what is nested in it."""
    found = {
        _place(code): code for function in _functions_at(places) for code in _codes_in(function.__code__)
    }
    missing = places - found.keys()
    if missing:
        raise PointError(f"not imported from the source that is there now: {sorted(missing)}")
    return found


def _put_in_place(codes: Mapping[_Place, CodeType]) -> None:
    for function in _functions_at(codes.keys()):
        function.__code__ = codes[_place(function.__code__)]
