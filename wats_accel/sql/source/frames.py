"""Frames: one run through a piece of code: what its names are, and what has been met on the way."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.facts import Place
from wats_accel.sql.source.values import (
    UNKNOWN,
    Atom,
    Cls,
    Func,
    Obj,
    Param,
    Value,
)

if TYPE_CHECKING:
    from wats_accel.sql.source.bindings import Binding
    from wats_accel.sql.source.index import Index
    from wats_accel.sql.source.modules import ClassInfo, FunctionInfo, ModuleInfo


class TooMuch(Exception):  # noqa: N818 - it never leaves the scan
    """A method takes more steps than it is worth; what has been found until then is not all."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that is given to the driver: what, by which of its methods, where, and in which sink."""

    value: Value
    name: str
    place: Place
    sink: Place


@dataclass(slots=True)
class Events:
    """What a run through a method has met."""

    sent: list[Sent] = field(default_factory=list)
    calls: list[tuple[str, Place]] = field(default_factory=list)
    clock: list[Place] = field(default_factory=list)
    unknowns: list[tuple[str, Place]] = field(default_factory=list)
    given_unknowns: list[tuple[str, Place]] = field(default_factory=list)
    loose: list[tuple[str, Place]] = field(default_factory=list)
    given_loose: list[tuple[str, Place]] = field(default_factory=list)
    answers: list[tuple[str, Place]] = field(default_factory=list)
    unfollowed: list[tuple[str, Place]] = field(default_factory=list)

    def take(self, inner: Events, place: Place | None) -> None:
        """Add those of a call that has been looked into; they happen at the place of the call, if told."""
        for sent in inner.sent:
            self.sent.append(Sent(sent.value, sent.name, place or sent.place, sent.sink))
        self.clock += inner.clock
        for name in ("calls", "unknowns", "given_unknowns", "loose", "given_loose", "unfollowed"):
            found = getattr(inner, name)
            getattr(self, name).extend((what, place or where) for what, where in found)


@dataclass(slots=True)
class Arguments:
    """Those of a call: by position, by name, and what else there may be of which nobody knows how many."""

    args: list[Value]
    kwargs: dict[str, Value]
    rest: Value | None = None
    nodes: dict[int | str, ast.expr] = field(default_factory=dict)

    def all(self) -> list[Value]:
        """Every value that is handed over."""
        return [*self.args, *self.kwargs.values(), *([self.rest] if self.rest is not None else [])]

    def get(self, index: int, *names: str) -> Value | None:
        """The argument at a place, or by one of its names; None if it is not given."""
        if index < len(self.args):
            return self.args[index]
        return next((self.kwargs[name] for name in names if name in self.kwargs), self.rest)


class Interpreter(Protocol):
    """Who evaluates expressions and looks into calls."""

    index: Index
    folder: Path
    steps: int

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """The value of an expression."""

    def call(self, called: Value, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        """What a call gives."""

    def attribute(self, owner: Value, name: str, frame: Frame, node: ast.expr) -> Value:
        """An attribute of a value."""

    def attribute_of(self, obj: Obj, name: str) -> Value | None:
        """What is stored in an attribute of an object; None if nothing ever is."""

    def module_value(self, module: ModuleInfo, name: str) -> Value | None:
        """A name of a module; None if it has none."""

    def binding_value(self, binding: Binding, frame: Frame) -> Value:
        """What a binding gives its name."""

    def bindings_value(self, bindings: Sequence[Binding], frame: Frame) -> Value:
        """What a name is that is bound in several ways."""

    def parameter(self, function: FunctionInfo, name: str, bound: Obj | Cls | None) -> Value:
        """What is known of a parameter, whoever calls."""

    def annotated(self, annotation: ast.expr | None, module: ModuleInfo, origin: str) -> Value:
        """What an annotation says of a value."""

    def element(self, value: Value, frame: Frame, node: ast.expr) -> Value:
        """Any one of the items that a value gives when it is iterated over."""

    def entered(self, value: Value, frame: Frame, node: ast.expr) -> Value:
        """What ``with value as name`` gives the name."""

    def run(self, body: Sequence[ast.stmt], frame: Frame) -> bool:
        """Run through statements; whether their end can be reached."""

    def closure(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, frame: Frame) -> Value:
        """A nested function or a lambda."""

    def lazy_frame(
        self, module: ModuleInfo, function: FunctionInfo | None = None, bound: Obj | Cls | None = None
    ) -> Frame:
        """A frame in which names are looked up in whatever order they are bound."""

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Give a value to a target."""

    def special(self, value: Value, name: str, args: list[Value], frame: Frame, node: ast.expr) -> Value:
        """What a special method gives of those objects of the tree that have it."""

    def computed_attribute(self, owner: Value, name: Value, frame: Frame, node: ast.expr) -> Value:
        """An attribute whose name is not, or only partly, known."""

    def imports(self, statement: ast.Import | ast.ImportFrom, module: ModuleInfo) -> dict[str, Value]:
        """The names that an import gives, with what they stand for."""

    def target_of(self, function: Func) -> str:
        """The target of a method or function, with the class of the object that it is bound to."""


class Frame:
    """One run through a function, or through the code of a module.

    Attributes:
        interpreter: who does the work.
        module: whose code it is.
        function: whose code it is; None at the level of the module.
        bound: what its first parameter is bound to, if anything.
        depth: how many calls deep; 0 for the method that is looked at.
        is_lazy: whether names are looked up in whatever order they are bound; nothing is noted then.
        parent: where the names come from that are not its own, for a nested function.
        events: what has been met.
        env: the names as they are now; those that begin with a dot are attributes of its first parameter.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        module: ModuleInfo,
        function: FunctionInfo | None,
        bound: Obj | Cls | None = None,
        *,
        depth: int = 0,
        is_lazy: bool = False,
        parent: Frame | None = None,
        events: Events | None = None,
    ) -> None:
        self.interpreter = interpreter
        self.module = module
        self.function = function
        self.bound = bound
        self.depth = depth
        self.is_lazy = is_lazy
        self.parent = parent
        self.events = events if events is not None else Events()
        self.env: dict[str, Value] = {}
        self.returns: list[Value] = []
        self.yields: list[Value] = []
        self.leaving: list[dict[str, Value]] = []  # the names as they were at each return
        self.breaks: list[list[dict[str, Value]]] = []  # for each loop around: the names at each break
        self.continues: list[list[dict[str, Value]]] = []
        self.closures: list[int] = []
        self.outer_names: set[str] = set()  # of a nested function: those that it declares nonlocal
        self.cls: ClassInfo | None = None  # whose body it is, if it is one
        self.is_approximate = False  # in a loop that is not run through as often as it will be
        self.is_shallow = False  # whether what it calls is only noted

    # -- names -------------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Value:
        """What a name stands for here."""
        found = self._own(name)
        if found is not None:
            return found
        if self.parent is not None:
            return self.parent.lookup(name)
        found = self.interpreter.module_value(self.module, name)
        return UNKNOWN if found is None else found

    def _own(self, name: str) -> Value | None:
        if name in self.env:
            return self.env[name]
        if self.cls is not None and name in self.cls.bindings:
            return self.interpreter.bindings_value(self.cls.bindings[name], self)
        if self.function is None or not self.is_lazy:
            return None
        if name in parameters_of(self.function.node):
            return self.interpreter.parameter(self.function, name, self.bound)
        bindings = self.function.bindings.get(name)
        if bindings is None:
            return None
        found = self.interpreter.bindings_value(bindings, self)
        self.env[name] = found  # it is the same wherever it is asked for
        return found

    def store(self, name: str, value: Value) -> None:
        """Give a value to a name; one of a function around it may have kept its old one."""
        home: Frame | None = self
        if name in self.outer_names:
            home = self.parent
            while home is not None and name not in home.env:
                home = home.parent
        if home is None or home is self:
            self.env[name] = value
        else:
            home.env[name] = join([home.env[name], value])

    @property
    def self_name(self) -> str:
        """The name of the object that the code belongs to, or empty."""
        if self.function is not None and self.function.self_name:
            return self.function.self_name
        return self.parent.self_name if self.parent is not None else ""

    # -- what is met -------------------------------------------------------------------------------------

    def place(self, node: ast.AST) -> Place:
        """Where a piece of its code stands."""
        return Place(self.module.file, getattr(node, "lineno", 1))

    def note_sent(self, value: Value, name: str, node: ast.AST) -> None:
        """Note that something is given to the driver."""
        if self.depth == 0 or value.given:
            place = self.place(node)
            sink = Place(f"{place.file}:{getattr(node, 'col_offset', 0)}", place.line)
            self.events.sent.append(Sent(value, name, place, sink))

    def note_call(self, target: str, node: ast.AST, *, given: bool = False) -> None:
        """Note that a method of the tree is called, or may be later."""
        if self.depth == 0 or given:
            self.events.calls.append((target, self.place(node)))

    def note_clock(self, value: Value) -> None:
        """Note that a value flows into what is asked or answered, with the time of day if that is in it."""
        if value.clock and (self.depth == 0 or value.given):
            self.events.clock.extend(sorted(value.clock))

    def note_unknown(self, what: str, node: ast.AST, *, given: bool = False) -> None:
        """Note something that cannot be told."""
        if self.depth == 0 or given:
            self.events.unknowns.append((what, self.place(node)))

    def note_given_unknown(self, what: str, node: ast.AST) -> None:
        """Note something that only the caller knows."""
        if self.depth == 0:
            self.events.given_unknowns.append((what, self.place(node)))

    def note_unfollowed(self, target: str, node: ast.AST, arguments: Arguments) -> None:
        """Note a call that is not looked into, though what it does may depend on its arguments."""
        if self.depth == 0 or any(value.given for value in arguments.all()):
            self.events.unfollowed.append((target, self.place(node)))

    def note_loose(self, name: str, owner: Value, atoms: Sequence[Atom], node: ast.AST) -> None:
        """Note that a method is called of an object that nobody knows."""
        if self.depth == 0 and all(isinstance(atom, Param) for atom in atoms):
            self.events.given_loose.append((name, self.place(node)))
        elif self.depth == 0 or owner.given:
            self.events.loose.append((name, self.place(node)))


def parameters_of(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> dict[str, ast.arg]:
    """The parameters of a function by name, in their order."""
    args = node.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    every += [each for each in (args.vararg, args.kwarg) if each is not None]
    return {each.arg: each for each in every}


def joined(envs: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """The names where several ways meet; what only some of them know may be unbound on the others."""
    if len(envs) == 1:
        return dict(envs[0])
    found: dict[str, Value] = {}
    for name in dict.fromkeys(name for env in envs for name in env):
        known = [env[name] for env in envs if name in env]
        if len(known) < len(envs) and name.startswith("."):
            continue  # an attribute that only some ways have stored: what is stored anywhere counts
        found[name] = known[0] if all(each is known[0] for each in known) else join(known)
    return found
