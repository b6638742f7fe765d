"""Attributes: what is stored in an object, wherever in the tree that is done, and what its class has."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from wats_accel.sql.source import operators
from wats_accel.sql.source.alternatives import join, merged
from wats_accel.sql.source.bindings import Binding
from wats_accel.sql.source.frames import Frame, Interpreter
from wats_accel.sql.source.modules import ClassInfo, FunctionInfo, Store
from wats_accel.sql.source.values import (
    FOREIGN,
    NOTHING,
    UNKNOWN,
    Atom,
    Cls,
    Const,
    Func,
    Hole,
    Map,
    Obj,
    Param,
    Seq,
    Super,
    Text,
    Unknown,
    Value,
    World,
    flows_into,
)

_MOST_SUBCLASSES: Final = 60


class Attributes:
    """The attributes of objects and classes of a tree, remembered."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._index = interpreter.index
        self._known: dict[tuple[Obj | Cls, str], Value | None] = {}
        self._stored: dict[tuple[Obj | Cls, str], Value | None] = {}
        self._under_way: set[tuple[Obj | Cls, str]] = set()

    def of(self, atom: Obj | Cls | Super, name: str) -> Value | None:
        """What an attribute is: its functions bound, its values joined; None if the tree does not have it."""
        if isinstance(atom, Super):
            return self._of_super(atom, name)
        key = (atom, name)
        if key not in self._known:
            found = self._find(atom, name)
            if self._under_way:
                return found
            self._known[key] = found
        return self._known[key]

    def functions(self, atom: Obj | Cls | Super, name: str) -> Value | None:
        """The functions that an attribute may be; None if it is anything else."""
        if isinstance(atom, Super):
            return self._of_super(atom, name)
        bound = [
            self._bound(function, each)
            for each in self._alternatives(atom)
            for function in self._index.method(self._index.classes[each.cls], name)
            if not function.is_a("overload")
        ]
        return Value(merged(bound)) if bound else None

    def _find(self, atom: Obj | Cls, name: str) -> Value | None:
        found = [self._of_exact(each, name) for each in self._alternatives(atom)]
        known = [value for value in found if value is not None]
        if not known:
            return None
        if len(set(known)) > 1:
            known = self._in_worlds(atom, [value for value in found if value is not None], name)
        return join(known)

    def _alternatives(self, atom: Obj | Cls) -> list[Obj | Cls]:
        """The object as one of each class that it may have."""
        cls = self._index.classes[atom.cls]
        if atom.exact:
            return [atom]
        classes = [cls, *self._index.subclasses(cls)][:_MOST_SUBCLASSES]
        if isinstance(atom, Cls):
            return [Cls(each.target) for each in classes]
        return [Obj(each.target, exact=True, origin=atom.origin) for each in classes]

    def _in_worlds(self, atom: Obj | Cls, values: list[Value], name: str) -> list[Value]:
        """Texts that differ by class: an object has one class, and so one of them for each attribute."""
        origin = atom.origin if isinstance(atom, Obj) else atom.cls
        classes = [each.cls for each in self._alternatives(atom) if self._of_exact(each, name) is not None]
        return [
            tagged(value, World(f"class of {origin}", cls))
            for value, cls in zip(values, classes, strict=True)
        ]

    def _of_super(self, atom: Super, name: str) -> Value | None:
        cls = self._index.classes[atom.bound.cls]
        order = [each.target for each in self._index.order(cls)]
        behind = order.index(atom.behind) + 1 if atom.behind in order else 1
        for target in order[behind:]:
            functions = self._index.classes[target].functions.get(name)
            if functions:
                return Value(tuple(self._bound(each, atom.bound, is_own=True) for each in functions))
            value = self._in_class(self._index.classes[target], name)
            if value is not None:
                return value
        return None

    def _of_exact(self, atom: Obj | Cls, name: str) -> Value | None:
        cls = self._index.classes[atom.cls]
        functions = self._index.method(cls, name)
        if functions and not (
            isinstance(atom, Obj) and any(name in each.stores for each in self._index.order(cls))
        ):
            return Value(tuple(self._bound(each, atom) for each in functions if not each.is_a("overload")))
        stored = self._stored_in(atom, name)
        bound = [self._bound(each, atom) for each in functions]
        return join([stored or NOTHING, Value(tuple(bound))]) if bound else stored

    @staticmethod
    def _bound(function: FunctionInfo, atom: Obj | Cls, *, is_own: bool = False) -> Func:
        if function.is_a("classmethod"):
            return Func(function.number, Cls(atom.cls), is_own)
        if function.is_a("staticmethod"):
            return Func(function.number, Cls(atom.cls), is_own)
        return Func(function.number, atom, is_own)

    # -- what is stored ----------------------------------------------------------------------------------

    def _stored_in(self, atom: Obj | Cls, name: str) -> Value | None:
        key = (atom, name)
        if key in self._stored:
            return self._stored[key]
        if key in self._under_way:
            return UNKNOWN
        self._under_way.add(key)
        try:
            found = self._find_stored(atom, name)
        finally:
            self._under_way.discard(key)
        is_known = found is not None and any(not isinstance(each, Unknown) for each in found.atoms)
        if is_known or not self._under_way:  # else somebody may know more when what is under way is known
            self._stored[key] = found
        return found

    def _find_stored(self, atom: Obj | Cls, name: str) -> Value | None:
        cls = self._index.classes[atom.cls]
        stores = [store for each in self._index.order(cls) for store in each.stores.get(name, ())]
        plain = [store for store in stores if store.binding.kind not in ("added", "unknown")]
        default = self._default(cls, name)
        values = self._values(plain, atom, default)
        outside = [
            self._outside(store, cls) for store in self._index.stores.get(name, ()) if _is_outside(store)
        ]
        values += [value for value in outside if value is not None]
        declared = self._declared(cls, name, atom)
        if not values and declared is None:
            return join([self._grown(NOTHING, stores, atom)]) if stores else None
        base = _with_type(join(values), declared) if values else declared
        return self._grown(base or NOTHING, stores, atom)

    def _values(self, plain: list[Store], atom: Obj | Cls, default: Value | None) -> list[Value]:
        values = [self._store_value(store, atom) for store in plain]
        blocks = [store.binding.block for store in plain] + ([0] if default is not None else [])
        values += [default] if default is not None else []
        is_set_up_at_once = all(store.binding.kind == "value" for store in plain) and len(set(blocks)) > 1
        if is_set_up_at_once and isinstance(atom, Obj):
            group = f"{atom.origin}|{sorted(set(blocks))}"
            return [
                tagged(value, World(group, str(block))) for value, block in zip(values, blocks, strict=True)
            ]
        return values

    def _store_value(self, store: Store, atom: Obj | Cls) -> Value:
        frame = self._frame(store, atom)
        return self._interpreter.binding_value(store.binding, frame)

    def _frame(self, store: Store, atom: Obj | Cls | None) -> Frame:
        return self._interpreter.lazy_frame(store.module, store.function, atom)

    def _grown(self, base: Value, stores: Iterable[Store], atom: Obj | Cls) -> Value:
        """With what is added to it, or put into it, somewhere."""
        for store in stores:
            if store.binding.kind == "added":
                more = self._store_value(store, atom)
                base = join([base, operators.binary(ast.Add(), base, more)])
            elif store.binding.kind == "unknown":
                base = with_more(base, self._put_in(store, atom))
        return base

    def _put_in(self, store: Store, atom: Obj | Cls) -> Value:
        frame = self._frame(store, atom)
        node = store.binding.node
        parts = node.args if isinstance(node, ast.Call) else [node]
        return join(self._interpreter.evaluate(part, frame) for part in parts if isinstance(part, ast.expr))

    def _outside(self, store: Store, cls: ClassInfo) -> Value | None:
        """What code that is not its own stores in it, if the object may be of this class."""
        frame = self._frame(store, self._self_of(store))
        owner = self._interpreter.evaluate(store.receiver, frame)
        related = {each.target for each in (*self._index.order(cls), *self._index.subclasses(cls))}
        known = [atom for atom in owner.atoms if isinstance(atom, Obj | Cls)]
        if not any(atom.cls in related for atom in known):
            return None  # of objects that nobody knows it is not taken for granted that they are these
        return self._store_value(store, self._self_of(store) or Cls(cls.target))

    @staticmethod
    def _self_of(store: Store) -> Obj | None:
        owner = store.function.owner if store.function is not None else None
        return Obj(owner.target, exact=False, origin="self") if owner is not None else None

    # -- what the class has ------------------------------------------------------------------------------

    def _default(self, cls: ClassInfo, name: str) -> Value | None:
        for each in self._index.order(cls):
            value = self._in_class(each, name)
            if value is not None:
                return value
        return None

    def _in_class(self, cls: ClassInfo, name: str) -> Value | None:
        bindings = [each for each in cls.bindings.get(name, ()) if each.kind != "definition"]
        if name in cls.nested:
            return Value((Cls(cls.nested[name].target),))
        if not bindings:
            return None
        frame = Frame(self._interpreter, cls.module, None, is_lazy=True)
        frame.cls = cls
        return self._class_values(bindings, frame)

    def _class_values(self, bindings: list[Binding], frame: Frame) -> Value:
        return join(self._interpreter.binding_value(binding, frame) for binding in bindings)

    def _declared(self, cls: ClassInfo, name: str, atom: Obj | Cls) -> Value | None:
        for each in self._index.order(cls):
            annotation = each.annotations.get(name)
            if annotation is not None:
                origin = f"{each.target}.{name} of {atom.origin if isinstance(atom, Obj) else ''}"
                return self._interpreter.annotated(annotation, each.module, origin)
        return None


def _is_outside(store: Store) -> bool:
    function = store.function
    if function is None or not isinstance(store.receiver, ast.Name):
        return True
    return store.receiver.id != function.self_name


def _with_type(value: Value, declared: Value | None) -> Value:
    """A value, and what it is declared to be where nothing better is known of it."""
    if declared is None:
        return value
    vague = [atom for atom in value.atoms if isinstance(atom, Unknown | Param)]
    helps = any(isinstance(atom, Obj | Cls) for atom in declared.atoms)
    is_nothing = all(isinstance(atom, Const) and atom.value is None for atom in value.atoms)
    if helps and (vague or is_nothing):
        kept = [atom for atom in value.atoms if atom not in vague]
        return flows_into(Value(merged([*kept, *declared.atoms])), value)
    return join([value, declared]) if is_nothing else value


def with_more(base: Value, more: Value) -> Value:
    """A list or dictionary to which something has been added in a place that nobody knows."""
    atoms: list[Atom] = []
    for atom in base.atoms:
        if isinstance(atom, Seq | Map):
            inner = join([*_items_in(more), atom.rest or NOTHING])
            rest = inner if inner.atoms else FOREIGN
            atoms.append(Seq(atom.kind, atom.items, rest) if isinstance(atom, Seq) else Map(atom.items, rest))
        elif isinstance(atom, Text):
            atoms.append(Text((*atom.parts, Hole("…")), atom.worlds))
        else:
            atoms.append(atom)
    return flows_into(Value(merged(atoms)), base, more)


def _items_in(value: Value) -> list[Value]:
    """What is added itself, or what is in it if it is a list that is added."""
    found = [value]
    for atom in value.atoms:
        if isinstance(atom, Seq):
            found += [item.value for item in atom.items] + ([atom.rest] if atom.rest is not None else [])
        elif isinstance(atom, Map):
            found += [each for _, each in atom.items] + ([atom.rest] if atom.rest is not None else [])
    return found


def tagged(value: Value, world: World) -> Value:
    """A value that holds in one world only."""
    atoms: list[Atom] = [
        Text(atom.parts, atom.worlds | {world}) if isinstance(atom, Text) else atom for atom in value.atoms
    ]
    return Value(tuple(atoms), value.clock, value.given, value.answers)
