"""Index: a whole source tree by name: imports resolved, classes with what they inherit."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from wats_accel.sql.source.bindings import Binding
from wats_accel.sql.source.facts import Place, SourceUnknown
from wats_accel.sql.source.files import SourceFile
from wats_accel.sql.source.modules import ClassInfo, FunctionInfo, ModuleInfo, ModuleReader, Store
from wats_accel.sql.source.names import dotted
from wats_accel.sql.source.values import Atom, Cls, Ext, Func, Mod, Unknown

_MOST_STEPS: Final = 20


class Index:
    """The modules, classes and functions of a tree.

    Attributes:
        unreadable: files that could not be taken in, each with the reason.
    """

    def __init__(self, files: Iterable[SourceFile]) -> None:
        reader = ModuleReader()
        self.modules: dict[str, ModuleInfo] = {}
        self.unreadable: list[SourceUnknown] = []
        for file in files:
            try:
                self.modules.setdefault(file.module, reader.read(file))
            except RecursionError:
                self.unreadable.append(
                    SourceUnknown("its blocks are nested too deeply", Place(file.shown, 1))
                )
        self.functions: list[FunctionInfo] = reader.functions
        self.stores: dict[str, list[Store]] = {}
        for store in reader.stores:
            self.stores.setdefault(store.attribute, []).append(store)
        self.classes: dict[str, ClassInfo] = {}
        for module in self.modules.values():
            self._note_classes(module.classes.values())
        self._by_node: dict[int, ClassInfo | FunctionInfo] = {
            **{id(cls.node): cls for cls in self.classes.values()},
            **{id(function.node): function for function in self.functions},
        }
        self._by_last_names = self._modules_by_last_names()
        self._orders: dict[str, tuple[list[ClassInfo], bool]] = {}
        self._subclasses: dict[str, list[ClassInfo]] | None = None

    def _note_classes(self, classes: Iterable[ClassInfo]) -> None:
        for cls in classes:
            self.classes[cls.target] = cls
            self._note_classes(cls.nested.values())

    def _modules_by_last_names(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.modules:
            parts = name.split(".")
            for start in range(1, len(parts)):
                found.setdefault(".".join(parts[start:]), []).append(name)
        return found

    # -- names -------------------------------------------------------------------------------------------

    def module_named(self, name: str, near: ModuleInfo | None = None) -> ModuleInfo | None:
        """A module by the name that an import has.

        The folder that was asked for need not be the one that the application imports from: what no
        module is called is looked for behind a prefix that only one module has, and without its first part.
        """
        if name in self.modules:
            return self.modules[name]
        longer = self._by_last_names.get(name, [])
        if near is not None and len(longer) > 1:
            beside = f"{near.name.rpartition('.')[0]}.{name}"
            longer = [beside] if beside in longer else []
        if len(longer) == 1:
            return self.modules[longer[0]]
        shorter = name.partition(".")[2]
        return self.modules.get(shorter) if shorter and "." in shorter else None

    def definition(self, node: ast.AST) -> ClassInfo | FunctionInfo | None:
        """What the tree knows of a ``def`` or ``class``; None if it stands inside a function."""
        return self._by_node.get(id(node))

    def imported(self, binding: Binding, module: ModuleInfo) -> Atom:
        """What an import gives."""
        statement, name = binding.node, str(binding.path[0])
        if isinstance(statement, ast.ImportFrom):
            source = self._from(statement, module)
            found = self.module_named(source, module) if source else None
            if found is not None and (known := self.member(found, name)) is not None:
                return known
            inner = self.module_named(f"{source}.{name}", module)
            return Mod(inner.name) if inner is not None else Ext(f"{source}.{name}")
        found = self.module_named(name, module)
        return Mod(found.name) if found is not None else self._namespace(name)

    def _namespace(self, name: str) -> Atom:
        """A package without a file of its own, or something outside the tree."""
        return Mod(name) if any(known.startswith(f"{name}.") for known in self.modules) else Ext(name)

    @staticmethod
    def _from(statement: ast.ImportFrom, module: ModuleInfo) -> str:
        if not statement.level:
            return statement.module or ""
        parts = module.name.split(".")
        keep = len(parts) - statement.level + (1 if module.source.is_package else 0)
        return ".".join([*parts[: max(keep, 0)], *([statement.module] if statement.module else [])])

    def member(self, module: ModuleInfo, name: str, steps: int = 0) -> Atom | None:
        """A class, function or module by its name in a module; None for anything else."""
        bindings = module.bindings.get(name)
        if bindings is None:
            inner = self.modules.get(f"{module.name}.{name}")
            return Mod(inner.name) if inner is not None else self._by_star(module, name, steps)
        found = [self._bound(binding, module, steps) for binding in bindings]
        known = [atom for atom in found if atom is not None]
        inside = [atom for atom in known if not isinstance(atom, Ext)]
        return (inside or known or [None])[-1] if len(known) == len(found) else None

    def _by_star(self, module: ModuleInfo, name: str, steps: int) -> Atom | None:
        for binding in module.bindings.get("*", ()) if steps < _MOST_STEPS else ():
            if isinstance(binding.node, ast.ImportFrom):
                source = self.module_named(self._from(binding.node, module), module)
                if source is not None and source is not module:
                    found = self.member(source, name, steps + 1)
                    if found is not None:
                        return found
        return None

    def starred_modules(self, module: ModuleInfo) -> list[ModuleInfo]:
        """The modules of which it imports everything."""
        found = [
            self.module_named(self._from(binding.node, module), module)
            for binding in module.bindings.get("*", ())
            if isinstance(binding.node, ast.ImportFrom)
        ]
        return [each for each in found if each is not None and each is not module]

    def _bound(self, binding: Binding, module: ModuleInfo, steps: int) -> Atom | None:
        if steps > _MOST_STEPS:
            return None
        if binding.kind == "definition":
            known = self.definition(binding.node)
            if isinstance(known, ClassInfo):
                return Cls(known.target)
            return Func(known.number) if known is not None else None
        if binding.kind == "import":
            return self._imported_once(binding, module, steps)
        if binding.kind == "value" and not binding.path and (name := _plain_name(binding.node)):
            return self.found(name, module, steps + 1)
        return None

    def _imported_once(self, binding: Binding, module: ModuleInfo, steps: int) -> Atom | None:
        """As `imported`, where modules that import one another must come to an end."""
        if not isinstance(binding.node, ast.ImportFrom):
            return self.imported(binding, module)
        source, name = self._from(binding.node, module), str(binding.path[0])
        found = self.module_named(source, module) if source else None
        if found is not None and (found is not module or found.bindings.get(name, [None])[0] is not binding):
            return self.member(found, name, steps + 1)
        inner = self.module_named(f"{source}.{name}", module)
        return Mod(inner.name) if inner is not None else Ext(f"{source}.{name}")

    def found(self, name: str, module: ModuleInfo, steps: int = 0) -> Atom | None:
        """A class, function or module by a dotted name, as code in a module would write it."""
        first, *others = name.split(".")
        atom = self.member(module, first, steps)
        for other in others:
            if isinstance(atom, Mod):
                inner = self.modules.get(atom.name)
                below = f"{atom.name}.{other}"
                atom = self.member(inner, other, steps + 1) if inner is not None else self._namespace(below)
            elif isinstance(atom, Cls):
                nested = self.classes[atom.cls].nested.get(other)
                atom = Cls(nested.target) if nested is not None else None
            elif isinstance(atom, Ext):
                atom = Ext(f"{atom.name}.{other}")
            else:
                return None
        return atom

    # -- classes -----------------------------------------------------------------------------------------

    def order(self, cls: ClassInfo) -> list[ClassInfo]:
        """The classes of the tree in which an attribute of a class is looked for, itself first."""
        return self._order(cls)[0]

    def has_foreign_base(self, cls: ClassInfo) -> bool:
        """Whether it inherits from something that the tree does not have."""
        return self._order(cls)[1]

    def _order(self, cls: ClassInfo) -> tuple[list[ClassInfo], bool]:
        known = self._orders.get(cls.target)
        if known is not None:
            return known
        self._orders[cls.target] = ([cls], False)  # for circles
        bases, foreign = self._bases(cls)
        orders = [self._order(base) for base in bases]
        foreign = foreign or any(order[1] for order in orders)
        self._orders[cls.target] = ([cls, *_merged([order[0] for order in orders], bases)], foreign)
        return self._orders[cls.target]

    def _bases(self, cls: ClassInfo) -> tuple[list[ClassInfo], bool]:
        found: list[ClassInfo] = []
        foreign = False
        for base in cls.node.bases:
            expression = base.value if isinstance(base, ast.Subscript) else base
            atom = self._class_named(dotted(expression), cls)
            if isinstance(atom, Cls) and atom.cls != cls.target:
                found.append(self.classes[atom.cls])
            elif dotted(expression).rpartition(".")[2] not in _PLAIN_BASES:
                foreign = True
        return found, foreign

    def _class_named(self, name: str, cls: ClassInfo) -> Atom | None:
        return self.found(name, cls.module) if name else Unknown()

    def subclasses(self, cls: ClassInfo) -> list[ClassInfo]:
        """All classes of the tree that inherit from one, not itself; for a protocol all that fulfil it."""
        if self._subclasses is None:
            self._subclasses = {}
            for each in self.classes.values():
                for base in self.order(each)[1:]:
                    self._subclasses.setdefault(base.target, []).append(each)
        found = self._subclasses.get(cls.target, [])
        return found or (self._fulfilling(cls) if is_protocol(cls) else [])

    def _fulfilling(self, protocol: ClassInfo) -> list[ClassInfo]:
        wanted = set(protocol.functions)
        return [
            cls
            for cls in self.classes.values()
            if wanted and not is_protocol(cls) and all(self.method(cls, name) for name in wanted)
        ]

    def method(self, cls: ClassInfo, name: str) -> list[FunctionInfo]:
        """The functions that a class has under a name: several if they are defined under conditions."""
        for each in self.order(cls):
            if name in each.functions:
                return each.functions[name]
        return []

    def method_names(self, cls: ClassInfo) -> list[str]:
        """The names of all methods that a class has, those that it inherits among them."""
        return list(dict.fromkeys(name for each in self.order(cls) for name in each.functions))


_PLAIN_BASES: Final = frozenset({"object", "ABC", "Protocol", "Generic", "Enum", "NamedTuple", "TypedDict"})


def is_protocol(cls: ClassInfo) -> bool:
    """Whether a class only says which methods others have."""
    bases = [base.value if isinstance(base, ast.Subscript) else base for base in cls.node.bases]
    return any(dotted(base).rpartition(".")[2] == "Protocol" for base in bases)


def is_enumeration(cls: ClassInfo) -> bool:
    """Whether its attributes are all the objects that there are of it."""
    return any(dotted(base).rpartition(".")[2].endswith("Enum") for base in cls.node.bases)


def _plain_name(node: ast.AST) -> str:
    return dotted(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _merged(orders: list[list[ClassInfo]], bases: list[ClassInfo]) -> list[ClassInfo]:
    """The orders of the bases in one, as Python does it; where it would refuse, one after the other."""
    waiting = [list(order) for order in [*orders, bases] if order]
    found: list[ClassInfo] = []
    while waiting:
        heads = [order[0] for order in waiting]
        free = [head for head in heads if not any(head in order[1:] for order in waiting)]
        head = (free or heads)[0]
        found.append(head)
        waiting = [[each for each in order if each is not head] for order in waiting]
        waiting = [order for order in waiting if order]
    return found
