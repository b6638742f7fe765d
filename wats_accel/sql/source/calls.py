"""Calls: what is called, in the tree and outside of it."""

from __future__ import annotations

import ast

from wats_accel.sql.source import known_methods, outside, sinks
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.closures import Closures
from wats_accel.sql.source.frames import Arguments, Frame, Interpreter
from wats_accel.sql.source.invocations import Invocations
from wats_accel.sql.source.sending import Sending, mentioned
from wats_accel.sql.source.storing import change, let_go
from wats_accel.sql.source.values import (
    FOREIGN,
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
    Unknown,
    Value,
    flows_into,
)


class Calls:
    """Finds out what is called, and has that looked into."""

    def __init__(self, interpreter: Interpreter, sending: Sending) -> None:
        self._interpreter = interpreter
        self._index = interpreter.index
        self._sending = sending
        self.closures = Closures(interpreter)
        self.invocations = Invocations(interpreter, self.closures, sending)

    def call(self, called: Value, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        """What calling a value gives; `node` is the call, or what makes it happen."""
        found = [self._call(atom, called, arguments, frame, node) for atom in called.atoms]
        return join(found) if found else NOTHING

    def _call(self, atom: Atom, called: Value, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        if isinstance(atom, Func):
            return self.invocations.call(atom, called, arguments, frame, node)
        if isinstance(atom, Cls):
            return self._construct(atom, called, arguments, frame, node)
        if isinstance(atom, Method):
            return self._method(atom, arguments, frame, node)
        if isinstance(atom, Closure):
            return self.closures.call(atom.number, arguments, frame)
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
        let_go(arguments, frame)
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
        sinks.send_elsewhere(name, arguments, frame, node)
        if not sinks.is_own(name):
            let_go(arguments, frame)
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
            return self._sending.any_of(mentioned(self.closures.node(atom.number)))
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
        if vague or any(isinstance(each, Foreign | Obj | Param) for each in owner.atoms):
            sinks.send_elsewhere(atom.name, arguments, frame, node)
            let_go(arguments, frame)
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
                    self.invocations.call(bound, called, given, frame, node)
        return flows_into(Value((made,)), *arguments.all())


def _is_vague(atom: Atom) -> bool:
    return (
        isinstance(atom, Unknown)
        or (isinstance(atom, Param) and not atom.is_plain)
        or (isinstance(atom, Method) and any(map(_is_vague, atom.owner.atoms)))
    )
