"""The interpreter: values of names, attributes and expressions, put together from its parts."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from wats_accel.sql.source import flow, operators, paths
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.annotations import annotated
from wats_accel.sql.source.attributes import Attributes, tagged
from wats_accel.sql.source.bindings import Binding
from wats_accel.sql.source.calls import Calls
from wats_accel.sql.source.expressions import expression, note_handed_over
from wats_accel.sql.source.frames import Arguments, Frame, TooMuch
from wats_accel.sql.source.index import Index, is_enumeration
from wats_accel.sql.source.lookups import Lookups
from wats_accel.sql.source.modules import FunctionInfo, ModuleInfo
from wats_accel.sql.source.sending import Sending
from wats_accel.sql.source.storing import assign
from wats_accel.sql.source.values import (
    FOREIGN,
    NOTHING,
    UNKNOWN,
    Atom,
    Cls,
    Ext,
    File,
    Func,
    Map,
    Method,
    Mod,
    Obj,
    Param,
    Seq,
    Super,
    Text,
    Unknown,
    Value,
    World,
    flows_into,
    hole,
    text,
)


class SourceInterpreter:
    """Evaluates the code of a tree without running it; remembers what it has found out.

    Args:
        index: the tree.
        folder: where it is.
    """

    def __init__(self, index: Index, folder: Path) -> None:
        self.index = index
        self.folder = folder
        self.sending = Sending(index)
        self.calls = Calls(self, self.sending)
        self.attributes = Attributes(self)
        self._lookups = Lookups(self)
        self._frames: dict[object, Frame] = {}
        self.steps = 0

    # -- expressions -------------------------------------------------------------------------------------

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """The value of an expression."""
        self.steps -= 1
        if self.steps < 0:
            raise TooMuch
        return expression(node, frame)

    def lazy_frame(
        self, module: ModuleInfo, function: FunctionInfo | None = None, bound: Obj | Cls | None = None
    ) -> Frame:
        """A frame in which names are looked up in whatever order they are bound; remembered."""
        key = (module.name, function.number if function is not None else None, bound)
        frame = self._frames.get(key)
        if frame is None:
            frame = self._frames[key] = Frame(self, module, function, bound, is_lazy=True)
        return frame

    def call(self, called: Value, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        """What a call gives."""
        return self.calls.call(called, arguments, frame, node)

    def closure(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, frame: Frame) -> Value:
        """A nested function or a lambda."""
        return self.calls.closures.meet(node, frame)

    def run(self, body: Sequence[ast.stmt], frame: Frame) -> bool:
        """Run through statements; whether their end can be reached."""
        return flow.run(body, frame)

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Give a value to a target."""
        assign(target, value, frame)

    def element(self, value: Value, frame: Frame, node: ast.expr) -> Value:
        """Any one of the items that a value gives when it is iterated over."""
        found = [self._element(atom, frame, node) for atom in value.atoms]
        owner = Value((), value.clock, value.given)
        return flows_into(join(found), owner) if found else flows_into(NOTHING, owner)

    def _element(self, atom: Atom, frame: Frame, node: ast.expr) -> Value:
        if isinstance(atom, Seq):
            return join(
                [*(item.value for item in atom.items), *([atom.rest] if atom.rest is not None else [])]
            )
        if isinstance(atom, Map):
            keys = [text(key) for key, _ in atom.items if not key.startswith("\0")]
            others = [operators.unknown_key(atom.rest)] if atom.rest is not None else []
            return join([*keys, *others, *([FOREIGN] if len(keys) < len(atom.items) else [])])
        if isinstance(atom, Text):
            return hole("…")
        if isinstance(atom, File):
            return paths.method(Value((atom,)), "read", Arguments([], {}), frame)
        if isinstance(atom, Obj):
            given = self.special(Value((atom,)), "__iter__", [], frame, node)
            return self.element(given, frame, node) if given is not NOTHING else UNKNOWN
        if isinstance(atom, Cls):  # an enumeration
            cls = self.index.classes[atom.cls]
            return join(
                self.attributes.of(atom, name) or NOTHING
                for name in cls.bindings
                if name not in cls.functions
            )
        return (
            Value((atom,))
            if isinstance(atom, Param)
            else FOREIGN
            if not isinstance(atom, Unknown | Method)
            else UNKNOWN
        )

    def entered(self, value: Value, frame: Frame, node: ast.expr) -> Value:
        """What ``with value as name`` gives the name."""
        found: list[Value] = []
        for atom in value.atoms:
            if isinstance(atom, Obj):
                one = Value((atom,), given=value.given)
                entered = self.special(one, "__enter__", [], frame, node)
                entered = (
                    entered if entered is not NOTHING else self.special(one, "__aenter__", [], frame, node)
                )
                for name in ("__exit__", "__aexit__"):
                    self.special(one, name, [FOREIGN, FOREIGN, FOREIGN], frame, node)
                found.append(entered if entered is not NOTHING else one)
            else:
                found.append(Value((atom,)))
        return flows_into(join(found), Value((), value.clock, value.given))

    def special(self, value: Value, name: str, args: list[Value], frame: Frame, node: ast.expr) -> Value:
        """What a special method gives of those objects of the tree that have it."""
        found: list[Value] = []
        for atom in value.atoms:
            if isinstance(atom, Obj) and self.index.method(self.index.classes[atom.cls], name):
                functions = self.attributes.of(atom, name)
                if functions is not None:
                    called = Value(functions.atoms, given=value.given)
                    found.append(self.call(called, Arguments(args, {}), frame, node))
        return join(found) if found else NOTHING

    # -- attributes --------------------------------------------------------------------------------------

    def attribute(self, owner: Value, name: str, frame: Frame, node: ast.expr) -> Value:
        """An attribute of a value."""
        local = _local_attribute(node, name, frame)
        if local is not None:
            return local
        found: list[Value] = []
        others: list[Atom] = []
        objects = [f"{atom.origin} {atom.cls}" for atom in owner.atoms if isinstance(atom, Obj)]
        for atom in owner.atoms:
            value = self._attribute(atom, owner, name, frame, node)
            if value is None:
                others.append(atom)
            elif len(objects) > 1 and isinstance(atom, Obj):  # it is one of them, for all its attributes
                found.append(tagged(value, World(" or ".join(objects), f"{atom.origin} {atom.cls}")))
            else:
                found.append(value)
        if others:
            found.append(Value((Method(Value(tuple(others), owner.clock, owner.given), name),)))
        return flows_into(join(found), Value((), owner.clock, owner.given)) if found else UNKNOWN

    def _attribute(self, atom: Atom, owner: Value, name: str, frame: Frame, node: ast.expr) -> Value | None:
        """None if it is nothing that is known of objects of this kind."""
        if isinstance(atom, Obj | Cls | Super):
            return self._of_object(atom, owner, name, frame, node)
        if isinstance(atom, Mod):
            return self._of_module(atom, name)
        if isinstance(atom, Ext):
            return Value((Ext(f"{atom.name}.{name}"),))
        if isinstance(atom, File):
            return paths.attribute(Value((atom,)), name)
        if isinstance(atom, Text) and name == "value":  # of an enumeration of texts
            return Value((atom,))
        return None

    def _of_object(
        self, atom: Obj | Cls | Super, owner: Value, name: str, frame: Frame, node: ast.expr
    ) -> Value | None:
        if name == "__class__" and isinstance(atom, Obj):
            return Value((Cls(atom.cls, atom.exact),))
        cls = self.index.classes[atom.bound.cls if isinstance(atom, Super) else atom.cls]
        found = self.attributes.functions(atom, name) if frame.is_shallow else self.attributes.of(atom, name)
        if found is None and name == "value" and isinstance(atom, Obj) and is_enumeration(cls):
            return self._element(Cls(atom.cls), frame, node)
        if found is None:
            if isinstance(atom, Super):
                return Value((Method(FOREIGN, name),))
            is_foreign = self.index.has_foreign_base(cls)
            return None if is_foreign else Value((Method(UNKNOWN, name),))
        if isinstance(atom, Cls):
            return found
        return self._with_properties(found, owner, frame, node)

    def _with_properties(self, found: Value, owner: Value, frame: Frame, node: ast.expr) -> Value:
        """Reading a property calls it."""
        values: list[Value] = []
        for atom in found.atoms:
            one = Value((atom,), found.clock, found.given or owner.given)
            if isinstance(atom, Func) and self.index.functions[atom.function].is_property:
                values.append(self.call(one, Arguments([], {}), frame, node))
            elif not (
                isinstance(atom, Func) and self.index.functions[atom.function].is_a("setter", "deleter")
            ):
                values.append(one)
        return join(values)

    def _of_module(self, atom: Mod, name: str) -> Value:
        module = self.index.modules.get(atom.name)
        found = self.module_value(module, name) if module is not None else None
        below = f"{atom.name}.{name}"
        if found is not None:
            return found
        is_there = below in self.index.modules or any(
            known.startswith(f"{below}.") for known in self.index.modules
        )
        return Value((Mod(below),)) if is_there else Value((Method(UNKNOWN, name),))

    def attribute_of(self, obj: Obj, name: str) -> Value | None:
        """What is stored in an attribute of an object; None if nothing ever is."""
        return self.attributes.of(obj, name)

    def computed_attribute(self, owner: Value, name: Value, frame: Frame, node: ast.expr) -> Value:
        """An attribute whose name is not, or only partly, known: those of the class that it may be."""
        found: list[Value] = []
        others: list[Atom] = []
        patterns = [_pattern(atom) for atom in name.atoms]
        for atom in owner.atoms:
            names = self._names_of(atom)
            fitting = [
                each for each in names if all(patterns) and any(p and p.fullmatch(each) for p in patterns)
            ]
            if fitting:
                found += [
                    self.attribute(Value((atom,), given=owner.given), each, frame, node) for each in fitting
                ]
            else:
                others.append(atom)
        for value in found:
            note_handed_over(value, node, frame)
        if others:
            found.append(Value((Method(Value(tuple(others), given=owner.given), ""),)))
        return join(found)

    def _names_of(self, atom: Atom) -> list[str]:
        if isinstance(atom, Obj | Cls):
            cls = self.index.classes[atom.cls]
            classes = [cls] if atom.exact else [cls, *self.index.subclasses(cls)]
            return list(dict.fromkeys(name for each in classes for name in self.index.method_names(each)))
        if isinstance(atom, Mod) and atom.name in self.index.modules:
            return list(self.index.modules[atom.name].functions)
        return []

    def target_of(self, function: Func) -> str:
        """The target of a method or function, with the class of the object that it is bound to."""
        info = self.index.functions[function.function]
        if info.owner is None:
            return f"{info.module.name}:{info.name}"
        cls = info.owner.target if function.bound is None or function.is_own else function.bound.cls
        return f"{cls}.{info.name}"

    # -- names -------------------------------------------------------------------------------------------

    def module_value(self, module: ModuleInfo, name: str) -> Value | None:
        """A name of a module, or one of Python's own; None if there is none."""
        return self._lookups.module_value(module, name)

    def bindings_value(self, bindings: Sequence[Binding], frame: Frame) -> Value:
        """What a name is that is bound in several ways."""
        return self._lookups.bindings_value(bindings, frame)

    def binding_value(self, binding: Binding, frame: Frame) -> Value:
        """What a binding gives its name."""
        return self._lookups.binding_value(binding, frame)

    def imports(self, statement: ast.Import | ast.ImportFrom, module: ModuleInfo) -> dict[str, Value]:
        """The names that an import gives, with what they stand for."""
        return self._lookups.imports(statement, module)

    def parameter(self, function: FunctionInfo, name: str, bound: Obj | Cls | None) -> Value:
        """What is known of a parameter, whoever calls: what it is declared to be, or what it is given."""
        return self._lookups.parameter(function, name, bound)

    def annotated(self, annotation: ast.expr | None, module: ModuleInfo, origin: str) -> Value:
        """What an annotation says of a value."""
        return annotated(annotation, module, origin, self.index)


def _local_attribute(node: ast.expr, name: str, frame: Frame) -> Value | None:
    """An attribute of the object that the code belongs to, if the code itself has stored it before."""
    if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
        return None
    return frame.env.get(f".{name}") if node.value.id == frame.self_name else None


def _pattern(atom: Atom) -> re.Pattern[str] | None:
    if not isinstance(atom, Text) or not any(isinstance(part, str) and part for part in atom.parts):
        return None
    return re.compile("".join(re.escape(part) if isinstance(part, str) else ".*" for part in atom.parts))
