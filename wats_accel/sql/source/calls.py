"""Calls: what is called, and what happens in there."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from wats_accel.sql.source import arguments as parameters
from wats_accel.sql.source import known_methods, outside, sinks
from wats_accel.sql.source.flow import change
from wats_accel.sql.source.frames import Arguments, Events, Frame, Interpreter
from wats_accel.sql.source.modules import FunctionInfo
from wats_accel.sql.source.mutation import is_generator
from wats_accel.sql.source.sending import Sending, mentioned
from wats_accel.sql.source.values import (
    FOREIGN,
    NONE,
    NOTHING,
    UNKNOWN,
    Atom,
    Closure,
    Cls,
    Ext,
    Foreign,
    Func,
    Method,
    Mod,
    Obj,
    Param,
    Partial,
    Seq,
    Unknown,
    Value,
    flows_into,
    join,
    ungiven,
)

_DEEPEST: Final = 6
"""Calls inside calls that are looked into."""
_MOST_REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a call gives, what has been met in it, and what it leaves in the parameters that it changes."""

    value: Value
    events: Events
    changed: dict[str, Value]


class Calls:
    """Looks into calls; what has been found is remembered by function and arguments."""

    def __init__(self, interpreter: Interpreter, sending: Sending) -> None:
        self._interpreter = interpreter
        self._index = interpreter.index
        self._sending = sending
        self._known: dict[object, _Outcome] = {}
        self._under_way: list[tuple[int, object]] = []
        self.closures: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, Frame]] = []
        self._closures_called: set[int] = set()

    def call(self, called: Value, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        """What calling a value gives; `node` is the call, or what makes it happen."""
        found = [self._call(atom, called, arguments, frame, node) for atom in called.atoms]
        return join(found) if found else NOTHING

    def _call(self, atom: Atom, called: Value, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        if isinstance(atom, Func):
            return self._function(atom, called, arguments, frame, node)
        if isinstance(atom, Cls):
            return self._construct(atom, called, arguments, frame, node)
        if isinstance(atom, Method):
            return self._method(atom, arguments, frame, node)
        if isinstance(atom, Closure):
            return self._closure(atom.number, arguments, frame)
        if isinstance(atom, Partial):
            both = Arguments(
                [*atom.args, *arguments.args], {**dict(atom.kwargs), **arguments.kwargs}, arguments.rest
            )
            return self.call(atom.called, both, frame, node)
        if isinstance(atom, Obj):
            return self._interpreter.special(
                Value((atom,), given=called.given), "__call__", arguments.args, frame, node
            )
        return self._other(atom, called, arguments, frame, node)

    def _other(self, atom: Atom, called: Value, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        if isinstance(atom, Ext):
            return self._outside(atom.name, arguments, frame, node)
        if isinstance(atom, Param):
            if not atom.is_plain:
                frame.note_given_unknown(f"it calls what it is given as {atom.name}", node)
            return flows_into(UNKNOWN, called, *arguments.all())
        if isinstance(atom, Unknown | Mod):
            return flows_into(UNKNOWN, called, *arguments.all())
        return flows_into(FOREIGN, called, *arguments.all()) if isinstance(atom, Foreign) else NOTHING

    # -- what is not in the tree -------------------------------------------------------------------------

    def _outside(self, name: str, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        last = name.rpartition(".")[2]
        if sinks.is_sink(last):
            sent = sinks.send(last, arguments, frame, node)
            if sent is not None:
                return sent
        self._note_handed_over(last, arguments, frame, node)
        return outside.call(name, arguments, frame, node)

    def _note_handed_over(self, last: str, arguments: Arguments, frame: Frame, node: ast.expr) -> None:
        values = arguments.all()
        if last not in ("map", "partial") and any(map(sinks.handed_over, values)):
            frame.note_unknown(f"execute() is handed over to {last}()", node)
        if last in outside.THREADS and any(self._may_send(atom) for value in values for atom in value.atoms):
            frame.note_unknown("what it does in another thread", node)

    def _may_send(self, atom: Atom) -> bool:
        if isinstance(atom, Func):
            return self._sending.function(atom.function)
        if isinstance(atom, Closure):
            return self._sending.any_of(mentioned(self.closures[atom.number][0]))
        if isinstance(atom, Partial):
            return any(map(self._may_send, atom.called.atoms))
        return False

    def _method(self, atom: Method, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        owner = atom.owner
        if not atom.name:
            return self._computed(owner, frame, node)
        if sinks.is_sink(atom.name):
            sent = sinks.send(atom.name, arguments, frame, node)
            if sent is not None:
                return sent
        self._note_handed_over(atom.name, arguments, frame, node)
        vague = [each for each in owner.atoms if _is_vague(each)]
        if vague:
            frame.note_loose(atom.name, owner, vague, node)
        self._start_thread(atom, frame, node)
        changed = known_methods.changed(owner, atom.name, arguments)
        if changed is not None and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            change(node.func.value, changed, frame)
        return known_methods.call(owner, atom.name, arguments, frame, node)

    def _computed(self, owner: Value, frame: Frame, node: ast.expr) -> Value:
        vague = [each for each in owner.atoms if isinstance(each, Obj | Cls | Mod) or _is_vague(each)]
        if vague and all(isinstance(each, Param) for each in vague):
            frame.note_given_unknown("it calls a method whose name is computed", node)
        elif vague:
            frame.note_unknown("it calls a method whose name is computed", node, given=owner.given)
        return UNKNOWN

    def _start_thread(self, atom: Method, frame: Frame, node: ast.expr) -> None:
        """``thread.start()`` of a class of the tree that has a method ``run``."""
        for each in atom.owner.atoms if atom.name == "start" else ():
            if isinstance(each, Obj):
                run = self._index.method(self._index.classes[each.cls], "run")
                if run:
                    frame.note_call(f"{each.cls}.run", node, given=atom.owner.given)
                if any(self._sending.function(function.number) for function in run):
                    frame.note_unknown("what it does in another thread", node, given=atom.owner.given)

    # -- what is in the tree -----------------------------------------------------------------------------

    def _construct(
        self, atom: Cls, called: Value, arguments: Arguments, frame: Frame, node: ast.expr
    ) -> Value:
        cls = self._index.classes[atom.cls]
        place = frame.place(node)
        made = Obj(atom.cls, atom.exact, f"{place}:{getattr(node, 'col_offset', 0)}")
        for name in ("__new__", "__init__", "__post_init__"):
            for function in self._index.method(cls, name):
                bound = Func(function.number, made)
                given = arguments if name != "__post_init__" else Arguments([], {})
                if name != "__new__":
                    self._function(bound, called, given, frame, node)
        return flows_into(Value((made,)), *arguments.all())

    def _function(
        self, atom: Func, called: Value, arguments: Arguments, frame: Frame, node: ast.expr
    ) -> Value:
        function = self._index.functions[atom.function]
        bound, arguments, is_own = self._bound(atom, function, arguments)
        if not is_own:
            frame.note_call(self._interpreter.target_of(Func(atom.function, bound)), node, given=called.given)
        key = (function.number, bound)
        is_deep = frame.depth + len(self._under_way) > 3 * _DEEPEST or frame.depth >= _DEEPEST
        if is_deep or key in self._under_way:
            for value in arguments.all():
                frame.note_clock(value)
            return flows_into(UNKNOWN, *arguments.all())
        self._under_way.append(key)
        try:
            outcome = self._looked_into(function, bound, arguments, frame, is_own=is_own)
        finally:
            self._under_way.pop()
        if not is_own:
            frame.events.take(outcome.events, frame.place(node) if frame.depth == 0 else None)
        return self._given_back(outcome, arguments, function, bound, frame, is_own=is_own)

    def _given_back(
        self,
        outcome: _Outcome,
        arguments: Arguments,
        function: FunctionInfo,
        bound: Obj | Cls | None,
        frame: Frame,
        *,
        is_own: bool,
    ) -> Value:
        """The value as the caller has it; and its variables, where the call has changed them."""
        names = [each.arg for each in (*function.node.args.posonlyargs, *function.node.args.args)]
        names = names[1:] if self._takes_self(function, bound) else names
        for name, value in outcome.changed.items():
            where = names.index(name) if name in names else -1
            node = arguments.nodes.get(name) or arguments.nodes.get(where)
            if node is not None:
                change(node, ungiven(value) if frame.depth == 0 else value, frame)
        if bound is not None and bound == frame.bound:  # it may have stored other things in its own object
            frame.env = {name: value for name, value in frame.env.items() if not name.startswith(".")}
        value = ungiven(outcome.value) if frame.depth == 0 and not is_own else outcome.value
        target = self._interpreter.target_of(Func(function.number, bound))
        return Value(value.atoms, value.clock, value.given, frozenset({target}))

    def _bound(
        self, atom: Func, function: FunctionInfo, arguments: Arguments
    ) -> tuple[Obj | Cls | None, Arguments, bool]:
        """What the function is bound to: of ``Base.method(self, …)`` the object that is given."""
        is_plain = function.owner is not None and not function.is_a("staticmethod", "classmethod")
        if is_plain and isinstance(atom.bound, Cls) and arguments.args:
            given = [each for each in arguments.args[0].atoms if isinstance(each, Obj)]
            nodes: dict[int | str, ast.expr] = {
                index - 1 if isinstance(index, int) else index: each
                for index, each in arguments.nodes.items()
                if index
            }
            rest = Arguments(arguments.args[1:], arguments.kwargs, arguments.rest, nodes)
            if given:
                return given[0], rest, given[0].cls != atom.bound.cls or atom.is_own
            return Obj(atom.bound.cls, exact=False, origin="given"), rest, atom.is_own
        return atom.bound, arguments, atom.is_own

    @staticmethod
    def _takes_self(function: FunctionInfo, bound: Obj | Cls | None) -> bool:
        return bound is not None and bool(function.self_name)

    def _looked_into(
        self,
        function: FunctionInfo,
        bound: Obj | Cls | None,
        arguments: Arguments,
        frame: Frame,
        *,
        is_own: bool,
    ) -> _Outcome:
        outer = Frame(self._interpreter, function.module, None, is_lazy=True)
        outer.cls = function.owner
        first = Value((bound,)) if bound is not None and function.self_name else None
        env, _ = parameters.bind(function.node, arguments, first, outer)
        if frame.depth == 0 and not is_own:
            env = {name: Value(value.atoms, value.clock, True) for name, value in env.items()}
            if first is not None:
                env[function.self_name] = first
        parameters.with_declared(env, function, frame)
        depth = frame.depth if is_own else frame.depth + 1
        key = (function.number, bound, depth, tuple(env.items()))
        if not is_own and key in self._known:
            return self._known[key]
        events = frame.events if is_own else Events()
        inner = Frame(self._interpreter, function.module, function, bound, depth=depth, events=events)
        inner.env = env
        outcome = self._outcome(inner, function)
        if not is_own:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = outcome
        return outcome

    def _outcome(self, frame: Frame, function: FunctionInfo) -> _Outcome:
        if self._interpreter.run(function.node.body, frame):
            frame.returns.append(NONE)
            frame.leaving.append(frame.env)
        self.run_closures(frame)
        changed = {
            name: join(env[name] for env in frame.leaving if name in env)
            for name in sorted(function.changes)
            if any(name in env for env in frame.leaving)
        }
        value = result_of(frame, function)
        return _Outcome(value, frame.events, changed)

    # -- nested functions --------------------------------------------------------------------------------

    def closure(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, frame: Frame) -> Value:
        """A nested function, as a value."""
        number = len(self.closures)
        self.closures.append((node, frame))
        frame.closures.append(number)
        return Value((Closure(number),))

    def _closure(self, number: int, arguments: Arguments, frame: Frame) -> Value:
        node, owner = self.closures[number]
        key = (-1, id(node))
        if key in self._under_way or len(self._under_way) > 3 * _DEEPEST:
            return UNKNOWN
        self._closures_called.add(number)
        self._under_way.append(key)
        try:
            return self._run_closure(node, owner, arguments, frame)
        finally:
            self._under_way.pop()

    def _run_closure(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        owner: Frame,
        arguments: Arguments,
        caller: Frame,
    ) -> Value:
        """It belongs to who has defined it; one that is stored somewhere to who calls it."""
        home = caller if owner.is_lazy else owner
        inner = Frame(
            self._interpreter, owner.module, None, depth=home.depth, parent=owner, events=home.events
        )
        inner.env, _ = parameters.bind(node, arguments, None, owner)
        if isinstance(node, ast.Lambda):
            return self._interpreter.evaluate(node.body, inner)
        if self._interpreter.run(node.body, inner):
            inner.returns.append(NONE)
        self.run_closures(inner)
        if is_generator(node):
            return Value((Seq("list", (), join(inner.yields)),))
        return join(inner.returns)

    def forget(self) -> None:
        """Leave every call that is under way, after one of them could not be followed."""
        self._under_way.clear()

    def run_closures(self, frame: Frame) -> None:
        """Run through those nested functions that nobody has called: somebody will, later."""
        for number in list(frame.closures):
            if number in self._closures_called or frame.is_lazy:
                continue
            node, owner = self.closures[number]
            unknown = Arguments([], {})
            self._closures_called.add(number)
            self._run_closure(node, owner, unknown, frame)


def result_of(frame: Frame, function: FunctionInfo) -> Value:
    """What a run through a function has given."""
    if not function.is_generator:
        found = join(frame.returns)
        return Value(found.atoms, found.clock, found.given)
    yielded = join(frame.yields)
    if function.is_a("contextmanager", "asynccontextmanager", "fixture"):
        return yielded
    return flows_into(Value((Seq("list", (), yielded if yielded.atoms else UNKNOWN),)), yielded)


def _is_vague(atom: Atom) -> bool:
    return (
        isinstance(atom, Unknown)
        or (isinstance(atom, Param) and not atom.is_plain)
        or (isinstance(atom, Method) and any(map(_is_vague, atom.owner.atoms)))
    )
