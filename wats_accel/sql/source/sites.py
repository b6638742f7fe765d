"""Sites: where the tree makes objects of its classes, and with what."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wats_accel.sql.source import arguments as parameters
from wats_accel.sql.source.alternatives import join, merged
from wats_accel.sql.source.expressions import arguments_of
from wats_accel.sql.source.frames import Interpreter
from wats_accel.sql.source.modules import ClassInfo, FunctionInfo, ModuleInfo
from wats_accel.sql.source.names import dotted
from wats_accel.sql.source.values import (
    UNKNOWN,
    Cls,
    Obj,
    Unknown,
    Value,
)

Site = tuple["ModuleInfo", "FunctionInfo | None", ast.Call]


class Sites:
    """The calls by which the objects of each class are made."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._index = interpreter.index
        self._by_class: dict[str, list[Site]] | None = None

    def given(self, function: FunctionInfo, name: str, bound: Obj | Cls | None) -> Value | None:
        """What an ``__init__`` is given for a parameter, wherever that is; None if it is nowhere."""
        if function.owner is None or bound is None:
            return None
        values = [
            self._argument(site, function, name, owner)
            for site, owner in self._sites(function, self._index.classes[bound.cls], exact=bound.exact)
        ]
        if not values:
            return None
        found = join(values)
        objects = [atom for atom in found.atoms if isinstance(atom, Obj | Cls)]
        if objects:  # what kind of object it is tells any of them
            return Value(merged([atom for atom in found.atoms if not isinstance(atom, Unknown)]), found.clock)
        return found

    def _sites(
        self, function: FunctionInfo, cls: ClassInfo, *, exact: bool
    ) -> Iterator[tuple[Site, Cls | Obj | None]]:
        classes = [cls] if exact else [cls, *self._index.subclasses(cls)]
        for each in classes:
            order = self._index.order(each)
            with_init = [base for base in order if "__init__" in base.functions]
            if not with_init or function.owner is None or function.owner not in with_init:
                continue
            position = with_init.index(function.owner)
            if position == 0:
                yield from ((site, self._self_at(site)) for site in self._made().get(each.target, ()))
            for below in with_init[:position]:
                me = Obj(each.target, exact=True, origin="self")
                yield from ((site, me) for site in _super_calls(below, function.owner.name))

    def _self_at(self, site: Site) -> Obj | None:
        owner = site[1].owner if site[1] is not None else None
        return Obj(owner.target, exact=False, origin="self") if owner is not None else None

    def _argument(self, site: Site, function: FunctionInfo, name: str, owner: Cls | Obj | None) -> Value:
        module, caller, call = site
        frame = self._interpreter.lazy_frame(module, caller, owner)
        given = arguments_of(call, frame)
        if isinstance(call.func, ast.Attribute) and dotted(call.func.value) and given.args:
            is_by_class = call.func.attr == "__init__" and not isinstance(call.func.value, ast.Call)
            given.args = given.args[1:] if is_by_class else given.args
        outer = self._interpreter.lazy_frame(function.module)
        env, _ = parameters.bind(function.node, given, UNKNOWN, outer)
        return env.get(name, UNKNOWN)

    def _made(self) -> dict[str, list[Site]]:
        if self._by_class is None:
            self._by_class = {}
            for module, function, call in self._all_calls():
                name = dotted(call.func) if not isinstance(call.func, ast.Call) else ""
                found = self._class_at(name, module, function) if name else None
                if found is not None:
                    self._by_class.setdefault(found, []).append((module, function, call))
        return self._by_class

    def _all_calls(self) -> Iterator[Site]:
        inside: set[int] = set()
        for function in self._index.functions:
            for node in ast.walk(function.node):
                if isinstance(node, ast.Call):
                    inside.add(id(node))
                    yield function.module, function, node
        for module in self._index.modules.values():
            for node in ast.walk(module.source.tree):
                if isinstance(node, ast.Call) and id(node) not in inside:
                    yield module, None, node

    def _class_at(self, name: str, module: ModuleInfo, function: FunctionInfo | None) -> str | None:
        first, _, others = name.partition(".")
        atom = None
        if function is not None and first in function.bindings:
            for binding in function.bindings[first]:
                if binding.kind == "import":
                    atom = self._index.imported(binding, module)
            if others or not isinstance(atom, Cls):
                return None
        else:
            atom = self._index.found(name, module)
        return atom.cls if isinstance(atom, Cls) else None


def _super_calls(cls: ClassInfo, name: str) -> Iterator[Site]:
    """The calls of a base class's ``__init__`` in that of a class."""
    for function in cls.functions.get("__init__", ()):
        for node in ast.walk(function.node):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = node.func.value
            is_super = isinstance(owner, ast.Call) and dotted(owner.func) == "super"
            is_named = not isinstance(owner, ast.Call) and dotted(owner).rpartition(".")[2] == name
            if node.func.attr == "__init__" and (is_super or is_named):
                yield function.module, function, node
