"""Lookups: what names stand for: those of modules, what is imported, and parameters whoever calls."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence

from wats_accel.sql.source import operators
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.arguments import default_of, of_own
from wats_accel.sql.source.attributes import with_more
from wats_accel.sql.source.bindings import Binding, FunctionNode, bindings_of
from wats_accel.sql.source.frames import Frame, Interpreter
from wats_accel.sql.source.known_methods import stored
from wats_accel.sql.source.modules import ClassInfo, FunctionInfo, ModuleInfo
from wats_accel.sql.source.sites import Sites
from wats_accel.sql.source.values import UNKNOWN, Cls, Ext, Func, Mod, Obj, Param, Value, text


class Lookups:
    """Looks names up; what has been found is remembered."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._index = interpreter.index
        self._sites = Sites(interpreter)
        self._globals: dict[tuple[str, str], Value | None] = {}
        self._parameters: dict[tuple[int, str, object], Value] = {}
        self._under_way: set[object] = set()

    def module_value(self, module: ModuleInfo, name: str) -> Value | None:
        """A name of a module, or one of Python's own; None if there is none."""
        key = (module.name, name)
        if key in self._globals:
            return self._globals[key]
        if key in self._under_way:
            return UNKNOWN
        self._under_way.add(key)
        try:
            found = self._find_global(module, name)
        finally:
            self._under_way.discard(key)
        self._globals[key] = found
        return found

    def _find_global(self, module: ModuleInfo, name: str) -> Value | None:
        if name == "__file__":
            return text(module.source.path.as_posix())
        if name in ("__name__", "__package__"):
            return text(module.name if name == "__name__" else module.name.rpartition(".")[0])
        bindings = module.bindings.get(name)
        if bindings is not None:
            return self._global(module, name, bindings)
        inner = self._index.modules.get(f"{module.name}.{name}")
        if inner is not None and module.source.is_package:
            return Value((Mod(inner.name),))
        for starred in self._index.starred_modules(module):
            found = self.module_value(starred, name)
            if found is not None and not _is_builtin(found):
                return found
        return Value((Ext(f"builtins.{name}"),)) if hasattr(builtins, name) else None

    def _global(self, module: ModuleInfo, name: str, bindings: Sequence[Binding]) -> Value:
        """A name of a module, with what is put into it later."""
        frame = self._interpreter.lazy_frame(module)
        value = self.bindings_value(bindings, frame)
        self._globals[module.name, name] = value  # what is put into it may be made of it
        for key, binding in module.changed.get(name, ()):
            more = self.binding_value(binding, frame)
            value = (
                with_more(value, more)
                if key is None
                else stored(value, self._interpreter.evaluate(key, frame), more)
            )
        return value

    def bindings_value(self, bindings: Sequence[Binding], frame: Frame) -> Value:
        """What a name is that is bound in several ways."""
        found = join(self.binding_value(each, frame) for each in bindings if each.kind != "added")
        for binding in bindings:
            if binding.kind == "added":
                more = self.binding_value(binding, frame)
                found = join([found, operators.binary(ast.Add(), found, more)])
        return found

    def binding_value(self, binding: Binding, frame: Frame) -> Value:
        """What a binding gives its name."""
        key = (id(binding), frame.bound)
        if key in self._under_way:
            return UNKNOWN
        self._under_way.add(key)
        try:
            value = self._binding_value(binding, frame)
            for where in binding.path if binding.kind != "import" else ():
                value = operators.unpacked(value, where)
        finally:
            self._under_way.discard(key)
        return value

    def _binding_value(self, binding: Binding, frame: Frame) -> Value:
        node = binding.node
        if binding.kind == "import":
            return self._imported(binding, frame.module)
        if binding.kind == "definition":
            return self._defined(node, frame)
        if not isinstance(node, ast.expr):
            return UNKNOWN
        value = self._interpreter.evaluate(node, frame)
        if binding.kind == "item":
            return self._interpreter.element(value, frame, node)
        if binding.kind == "enter":
            return self._interpreter.entered(value, frame, node)
        return UNKNOWN if binding.kind == "unknown" else value

    def _defined(self, node: ast.AST, frame: Frame) -> Value:
        known = self._index.definition(node)
        if isinstance(known, ClassInfo):
            return Value((Cls(known.target),))
        if known is not None:
            return Value((Func(known.number, Cls(known.owner.target) if known.owner is not None else None),))
        return self._interpreter.closure(node, frame) if isinstance(node, FunctionNode) else UNKNOWN

    def imports(self, statement: ast.Import | ast.ImportFrom, module: ModuleInfo) -> dict[str, Value]:
        """The names that an import gives, with what they stand for."""
        found: dict[str, Value] = {}
        for name, bindings in bindings_of([statement]).items():
            found[name] = self._imported(bindings[-1], module)
        return found

    def _imported(self, binding: Binding, module: ModuleInfo) -> Value:
        atom = self._index.imported(binding, module)
        if isinstance(atom, Ext) and isinstance(binding.node, ast.ImportFrom):
            owner, _, name = atom.name.rpartition(".")
            source = self._index.module_named(owner, module) if owner else None
            found = self.module_value(source, name) if source is not None else None
            return found if found is not None else Value((atom,))
        return Value((atom,))

    def parameter(self, function: FunctionInfo, name: str, bound: Obj | Cls | None) -> Value:
        """What is known of a parameter, whoever calls: what it is declared to be, or what it is given."""
        if name == function.self_name:
            return Value((bound,)) if bound is not None else UNKNOWN
        key = (function.number, name, bound)
        if key in self._parameters:
            return self._parameters[key]
        if key in self._under_way:
            return UNKNOWN
        self._under_way.add(key)
        try:
            found = self._find_parameter(function, name, bound)
        finally:
            self._under_way.discard(key)
        self._parameters[key] = found
        return found

    def _find_parameter(self, function: FunctionInfo, name: str, bound: Obj | Cls | None) -> Value:
        frame = Frame(self._interpreter, function.module, function, bound)
        declared = of_own(function, frame).get(name, UNKNOWN)
        if any(isinstance(atom, Obj | Cls) for atom in declared.atoms):
            return declared
        given = self._sites.given(function, name, bound) if function.name == "__init__" else None
        if given is not None:
            return given
        default = default_of(function.node, name)
        outside = self._interpreter.lazy_frame(function.module)
        values = [UNKNOWN if any(isinstance(atom, Param) for atom in declared.atoms) else declared]
        return join(
            [*values, *([self._interpreter.evaluate(default, outside)] if default is not None else [])]
        )


def _is_builtin(value: Value) -> bool:
    return all(isinstance(atom, Ext) and atom.name.startswith("builtins.") for atom in value.atoms)
