"""Modules: the modules, classes and functions of a source tree, found by name."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wats_accel.sql.source.bindings import (
    Binding,
    BindingKind,
    Bindings,
    FunctionNode,
    bindings_of,
    statements_of,
)
from wats_accel.sql.source.facts import Place
from wats_accel.sql.source.files import SourceFile
from wats_accel.sql.source.mutation import changed_parameters, is_generator
from wats_accel.sql.source.names import MUTATORS, dotted


@dataclass(eq=False, slots=True)
class FunctionInfo:
    """A function or method that is written in the tree."""

    number: int
    name: str
    node: FunctionNode
    module: ModuleInfo
    owner: ClassInfo | None = None
    decorators: tuple[str, ...] = ()
    _bindings: Bindings | None = None
    _changes: frozenset[str] | None = None
    _is_generator: bool | None = None

    @property
    def place(self) -> Place:
        """Of its ``def``."""
        return Place(self.module.file, self.node.lineno)

    @property
    def bindings(self) -> Bindings:
        """The names that are bound in it."""
        if self._bindings is None:
            self._bindings = bindings_of(self.node.body)
        return self._bindings

    @property
    def changes(self) -> frozenset[str]:
        """The parameters that it changes in place."""
        if self._changes is None:
            self._changes = changed_parameters(self.node)
        return self._changes

    @property
    def is_generator(self) -> bool:
        """Whether it yields."""
        if self._is_generator is None:
            self._is_generator = is_generator(self.node)
        return self._is_generator

    def is_a(self, *decorators: str) -> bool:
        """Whether it has one of the decorators, by the last part of their names."""
        return any(name.rpartition(".")[2] in decorators for name in self.decorators)

    @property
    def is_property(self) -> bool:
        """Whether reading the attribute calls it."""
        return self.is_a("property", "cached_property", "abstractproperty", "hybrid_property")

    @property
    def self_name(self) -> str:
        """The name of its first parameter, if it is bound when it is called; or empty."""
        args = [*self.node.args.posonlyargs, *self.node.args.args]
        is_bound = self.owner is not None and not self.is_a("staticmethod") and args
        return args[0].arg if is_bound else ""


@dataclass(frozen=True, slots=True)
class Store:
    """An attribute that is given a value: by an assignment, or changed in place."""

    attribute: str
    function: FunctionInfo | None
    module: ModuleInfo
    binding: Binding
    receiver: ast.expr


@dataclass(eq=False, slots=True)
class ClassInfo:
    """A class that is written in the tree."""

    name: str
    target: str
    node: ast.ClassDef
    module: ModuleInfo
    functions: dict[str, list[FunctionInfo]] = field(default_factory=dict)
    bindings: Bindings = field(default_factory=dict)
    annotations: dict[str, ast.expr] = field(default_factory=dict)
    nested: dict[str, ClassInfo] = field(default_factory=dict)
    stores: dict[str, list[Store]] = field(default_factory=dict)

    def is_dataclass(self) -> bool:
        """Whether its annotations make an ``__init__``."""
        names = {dotted(decorator).rpartition(".")[2] for decorator in self.node.decorator_list}
        bases = {dotted(base).rpartition(".")[2] for base in self.node.bases}
        return not names.isdisjoint({"dataclass", "define", "frozen", "s", "attrs"}) or "NamedTuple" in bases


@dataclass(eq=False, slots=True)
class ModuleInfo:
    """A module of the tree."""

    name: str
    file: str
    source: SourceFile
    bindings: Bindings
    functions: dict[str, list[FunctionInfo]] = field(default_factory=dict)
    classes: dict[str, ClassInfo] = field(default_factory=dict)
    changed: dict[str, list[tuple[ast.expr | None, Binding]]] = field(default_factory=dict)
    """Names whose values are changed in place somewhere: the item, if it is one, and what it becomes."""


class ModuleReader:
    """Reads the files of a tree into modules; numbers the functions in the order of files and lines."""

    def __init__(self) -> None:
        self.functions: list[FunctionInfo] = []
        self.stores: list[Store] = []

    def read(self, file: SourceFile) -> ModuleInfo:
        """The module of a file, with all its classes, functions and stores of attributes."""
        bindings = bindings_of(file.tree.body)
        module = ModuleInfo(file.module, file.shown, file, bindings)
        for statement, _ in statements_of(file.tree.body):
            if isinstance(statement, FunctionNode):
                module.functions.setdefault(statement.name, []).append(self._function(statement, module))
            elif isinstance(statement, ast.ClassDef):
                module.classes[statement.name] = self._class(statement, module, "")
        self._note_stores(file.tree.body, module, None)
        _note_globals(module)
        return module

    def _function(
        self, node: FunctionNode, module: ModuleInfo, owner: ClassInfo | None = None
    ) -> FunctionInfo:
        decorators = tuple(name for name in map(dotted, node.decorator_list) if name)
        function = FunctionInfo(len(self.functions), node.name, node, module, owner, decorators)
        self.functions.append(function)
        self._note_stores(node.body, module, function)
        return function

    def _class(self, node: ast.ClassDef, module: ModuleInfo, outer: str) -> ClassInfo:
        path = f"{outer}.{node.name}" if outer else node.name
        found = ClassInfo(node.name, f"{module.name}:{path}", node, module, bindings=bindings_of(node.body))
        for statement, _ in statements_of(node.body):
            if isinstance(statement, FunctionNode):
                functions = found.functions.setdefault(statement.name, [])
                functions.append(self._function(statement, module, found))
            elif isinstance(statement, ast.ClassDef):
                found.nested[statement.name] = self._class(statement, module, path)
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                found.annotations[statement.target.id] = statement.annotation
        return found

    def _note_stores(self, body: list[ast.stmt], module: ModuleInfo, function: FunctionInfo | None) -> None:
        for statement, block in _all_statements(body):
            for receiver, name, binding in stores_in(statement, block):
                store = Store(name, function, module, binding, receiver)
                self.stores.append(store)
                owner = function.owner if function is not None else None
                is_own = isinstance(receiver, ast.Name) and function and receiver.id == function.self_name
                if owner is not None and is_own:
                    owner.stores.setdefault(name, []).append(store)
                    annotation = getattr(statement, "annotation", None)
                    if isinstance(annotation, ast.expr):
                        owner.annotations.setdefault(name, annotation)


def _all_statements(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.stmt, int]]:
    """Also those of functions that are defined inside; not of classes."""
    for statement, block in statements_of(body):
        yield statement, block
        if isinstance(statement, FunctionNode):
            yield from _all_statements(statement.body)


def stores_in(statement: ast.stmt, block: int) -> Iterator[tuple[ast.expr, str, Binding]]:
    """The attributes that a statement stores or changes in place: the object, the name, the value."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _stored(target, "value", statement.value, block, ())
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield from _stored(statement.target, "value", statement.value, block, ())
    elif isinstance(statement, ast.AugAssign):
        yield from _stored(statement.target, "added", statement.value, block, ())
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield from _stored(statement.target, "item", statement.iter, block, ())
    elif isinstance(statement, ast.With | ast.AsyncWith):
        for item in statement.items:
            if item.optional_vars is not None:
                yield from _stored(item.optional_vars, "enter", item.context_expr, block, ())
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        yield from _stored_by_call(statement.value, block)


def _stored(
    target: ast.expr, kind: BindingKind, value: ast.expr, block: int, path: tuple[int | str, ...]
) -> Iterator[tuple[ast.expr, str, Binding]]:
    if isinstance(target, ast.Attribute):
        yield target.value, target.attr, Binding(kind, value, path, block)
    elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute):
        yield target.value.value, target.value.attr, Binding("unknown", value, path, block)
    elif isinstance(target, ast.Tuple | ast.List):
        for index, part in enumerate(target.elts):
            yield from _stored(part, kind, value, block, (*path, index))


def _stored_by_call(call: ast.Call, block: int) -> Iterator[tuple[ast.expr, str, Binding]]:
    function = call.func
    if isinstance(function, ast.Name) and function.id == "setattr" and len(call.args) == 3:
        name = call.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield call.args[0], name.value, Binding("value", call.args[2], (), block)
    elif (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Attribute)
        and function.attr in MUTATORS
    ):
        yield function.value.value, function.value.attr, Binding("unknown", call, (), block)


def _note_globals(module: ModuleInfo) -> None:
    """Names of the module that functions assign, and whose values are changed in place."""
    nodes = list(ast.walk(module.source.tree))
    has_globals = any(isinstance(node, ast.Global) for node in nodes)
    for node in nodes:
        if has_globals and isinstance(node, FunctionNode):
            _note_assigned(node, module)
        for name, key, value in _changed_in_place(node):
            module.changed.setdefault(name, []).append((key, Binding("value", value)))


def _note_assigned(function: FunctionNode, module: ModuleInfo) -> None:
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.Global)]
    if not nodes:
        return
    names = {name for node in nodes for name in node.names}
    inner = bindings_of(function.body)
    for name in sorted(names & set(inner)):
        module.bindings.setdefault(name, []).extend(inner[name])


def _changed_in_place(node: ast.AST) -> Iterator[tuple[str, ast.expr | None, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                is_item = not isinstance(target.slice, ast.Slice)
                yield target.value.id, target.slice if is_item else None, node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = node.func.value
        if node.func.attr in MUTATORS and isinstance(owner, ast.Name):
            yield from ((owner.id, None, argument) for argument in node.args)
