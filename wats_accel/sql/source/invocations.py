"""Invocations: calls of functions of the tree, looked into as far as the arguments matter."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from wats_accel.sql.source import arguments as parameters
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.closures import Closures
from wats_accel.sql.source.frames import Arguments, Events, Frame, Interpreter, Sent, TooMuch
from wats_accel.sql.source.modules import FunctionInfo
from wats_accel.sql.source.sending import Sending
from wats_accel.sql.source.storing import change
from wats_accel.sql.source.values import (
    NONE,
    UNKNOWN,
    Atom,
    Cls,
    File,
    Func,
    Hole,
    Map,
    Method,
    Obj,
    Param,
    Partial,
    Seq,
    Text,
    Value,
    flows_into,
    ungiven,
)

_DEEPEST: Final = 6
"""Calls inside calls that are looked into with their arguments."""
_DEEPEST_LAZY: Final = 2
"""Likewise, for what is only stored somewhere."""
_DEEPEST_SUMMARY: Final = 10
"""Functions that are summed up because another one that is being summed up calls them."""
_MOST_STEPS: Final = 12_000
"""Of one function, with the calls in it that are looked into. None that people write takes so many."""
_KEPT_BACK: Final = 6_000
"""Of these, for itself: calls are not looked into any more with the rest."""
_MOST_REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What a function does and gives, whatever its arguments are.

    Attributes:
        events: what has been met.
        value: what it gives.
        is_open: whether what it does depends on what it is given.
        depends: whether what it gives does.
        failure: why it could not be followed to its end, if it could not.
    """

    events: Events
    value: Value = UNKNOWN
    is_open: bool = False
    depends: bool = False
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a call gives, what has been met in it, and what it leaves in the parameters that it changes."""

    value: Value
    events: Events
    changed: dict[str, Value]


class Invocations:
    """Looks into calls; what has been found is remembered by function and arguments."""

    def __init__(self, interpreter: Interpreter, closures: Closures, sending: Sending) -> None:
        self._interpreter = interpreter
        self._index = interpreter.index
        self._closures = closures
        self._sending = sending
        self._known: dict[object, _Outcome] = {}
        self._summaries: dict[tuple[int, object], Summary] = {}
        self._under_way: list[tuple[int, object]] = []
        self._summing_up: list[tuple[int, object]] = []

    # -- whatever the arguments are ----------------------------------------------------------------------

    def summary(self, function: FunctionInfo, bound: Obj | Cls | None) -> Summary | None:
        """What a function does whoever calls it; None while that is being found out."""
        key = (function.number, bound)
        known = self._summaries.get(key)
        if known is not None:
            return known
        if key in self._summing_up or len(self._summing_up) >= _DEEPEST_SUMMARY:
            return None
        self._summing_up.append(key)
        steps, self._interpreter.steps = self._interpreter.steps, _MOST_STEPS
        try:
            found = self._sum_up(function, bound, is_shallow=False)
        finally:
            self._summing_up.pop()
            self._interpreter.steps = steps
        self._summaries[key] = found
        return found

    def outline(self, function: FunctionInfo, bound: Obj | Cls | None) -> Summary:
        """As `summary`, of a function that sends nothing: what it calls is not looked into."""
        self._interpreter.steps = _MOST_STEPS
        return self._sum_up(function, bound, is_shallow=True)

    def _sum_up(self, function: FunctionInfo, bound: Obj | Cls | None, *, is_shallow: bool) -> Summary:
        frame = Frame(self._interpreter, function.module, function, bound)
        frame.is_shallow = is_shallow
        under_way, self._under_way = self._under_way, []
        try:
            frame.env = parameters.of_own(function, frame)
            outcome = self._outcome(frame, function)
        except (TooMuch, RecursionError):
            return Summary(frame.events, failure="it is too long to be followed to its end")
        except Exception as error:  # noqa: BLE001 - nobody has thought of every way to write code
            return Summary(frame.events, failure=f"it could not be followed ({type(error).__name__})")
        finally:
            self._under_way = under_way
        events = frame.events
        is_open = bool(events.given_unknowns or events.given_loose or any(map(_is_given, events.sent)))
        return Summary(events, outcome.value, is_open, any(map(_depends, outcome.value.atoms)))

    # -- calls -------------------------------------------------------------------------------------------

    def call(self, atom: Func, called: Value, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        """What calling a function gives."""
        function = self._index.functions[atom.function]
        bound, arguments, is_own = self._bound(atom, function, arguments)
        if is_own:
            return self._own(function, bound, arguments, frame)
        target = self._interpreter.target_of(Func(atom.function, bound))
        frame.note_call(target, node, given=called.given)
        if frame.is_shallow:
            return Value(UNKNOWN.atoms, answers=frozenset({target}))
        if bound is not None and bound == frame.bound:  # it may store other things in its own object
            frame.env = {name: value for name, value in frame.env.items() if not name.startswith(".")}
        summary = self._told_by_summary(function, bound, arguments)
        if summary is not None:
            value = flows_into(summary.value, *arguments.all())
            return Value(value.atoms, value.clock, value.given and frame.depth > 0, frozenset({target}))
        return self._followed(function, bound, arguments, frame, node, target)

    def _told_by_summary(
        self, function: FunctionInfo, bound: Obj | Cls | None, arguments: Arguments
    ) -> Summary | None:
        """What is known of a function, if its arguments change nothing of that."""
        if function.changes or any(value.clock for value in arguments.all()):
            return None
        anybody = Obj(bound.cls, bound.exact, "self") if isinstance(bound, Obj) else bound
        summary = self.summary(function, anybody)
        if summary is None or summary.is_open or summary.depends:
            return None
        is_same = bound == anybody or not any(map(_is_of_its_object, summary.value.atoms))
        return summary if is_same else None

    def _followed(
        self,
        function: FunctionInfo,
        bound: Obj | Cls | None,
        arguments: Arguments,
        frame: Frame,
        node: ast.expr,
        target: str,
    ) -> Value:
        key = (function.number, bound)
        is_too_much = frame.depth >= _DEEPEST or self._interpreter.steps < _KEPT_BACK
        is_too_much = is_too_much or (frame.is_lazy and len(self._under_way) >= _DEEPEST_LAZY)
        if is_too_much or key in self._under_way:
            for value in arguments.all():
                frame.note_clock(value)
            if is_too_much or any(
                isinstance(each, Text) for value in arguments.all() for each in value.atoms
            ):
                frame.note_unfollowed(target, node, arguments)
            return flows_into(UNKNOWN, *arguments.all())
        self._under_way.append(key)
        try:
            outcome = self._looked_into(function, bound, arguments, frame)
        finally:
            self._under_way.pop()
        frame.events.take(outcome.events, frame.place(node) if frame.depth == 0 else None)
        self._give_back(outcome, arguments, function, bound, frame)
        value = ungiven(outcome.value) if frame.depth == 0 else outcome.value
        return Value(value.atoms, value.clock, value.given, frozenset({target}))

    def _give_back(
        self,
        outcome: _Outcome,
        arguments: Arguments,
        function: FunctionInfo,
        bound: Obj | Cls | None,
        frame: Frame,
    ) -> None:
        """Change the variables of the caller that the call has changed."""
        names = [each.arg for each in (*function.node.args.posonlyargs, *function.node.args.args)]
        names = names[1:] if bound is not None and function.self_name else names
        for name, value in outcome.changed.items():
            where = names.index(name) if name in names else -1
            node = arguments.nodes.get(name) or arguments.nodes.get(where)
            if node is not None:
                change(node, ungiven(value) if frame.depth == 0 else value, frame)

    def _own(
        self, function: FunctionInfo, bound: Obj | Cls | None, arguments: Arguments, frame: Frame
    ) -> Value:
        """A call that is run as if its code stood in the caller's."""
        key = (function.number, bound)
        if key in self._under_way or frame.is_shallow or len(self._under_way) > 3 * _DEEPEST:
            return UNKNOWN
        self._under_way.append(key)
        try:
            inner = Frame(
                self._interpreter, function.module, function, bound, depth=frame.depth, events=frame.events
            )
            inner.env = self._environment(function, bound, arguments, frame)
            inner.is_approximate = frame.is_approximate
            return self._outcome(inner, function).value
        finally:
            self._under_way.pop()

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

    def _environment(
        self, function: FunctionInfo, bound: Obj | Cls | None, arguments: Arguments, frame: Frame
    ) -> dict[str, Value]:
        outer = Frame(self._interpreter, function.module, None, is_lazy=True)
        outer.cls = function.owner
        first = Value((bound,)) if bound is not None and function.self_name else None
        env, _ = parameters.bind(function.node, arguments, first, outer)
        parameters.with_declared(env, function, frame)
        return env

    def _looked_into(
        self, function: FunctionInfo, bound: Obj | Cls | None, arguments: Arguments, frame: Frame
    ) -> _Outcome:
        env = self._environment(function, bound, arguments, frame)
        if frame.depth == 0:
            is_self = function.self_name if bound is not None else ""
            env = {
                name: value if name == is_self else Value(value.atoms, value.clock, True)
                for name, value in env.items()
            }
        key = (function.number, bound, frame.depth, frame.is_approximate, tuple(env.items()))
        known = self._known.get(key)
        if known is not None:
            return known
        inner = Frame(self._interpreter, function.module, function, bound, depth=frame.depth + 1)
        inner.env = env
        inner.is_approximate = frame.is_approximate
        outcome = self._outcome(inner, function)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = outcome
        return outcome

    def _outcome(self, frame: Frame, function: FunctionInfo) -> _Outcome:
        if self._interpreter.run(function.node.body, frame):
            frame.returns.append(NONE)
            frame.leaving.append(frame.env)
        self._closures.run_uncalled(frame)
        changed = {
            name: join(env[name] for env in frame.leaving if name in env)
            for name in sorted(function.changes)
            if any(name in env for env in frame.leaving)
        }
        return _Outcome(_result(frame, function), frame.events, changed)


def _result(frame: Frame, function: FunctionInfo) -> Value:
    """What a run through a function has given."""
    if not function.is_generator:
        found = join(frame.returns)
        return Value(found.atoms, found.clock, found.given)
    yielded = join(frame.yields)
    if function.is_a("contextmanager", "asynccontextmanager", "fixture"):
        return yielded
    return flows_into(Value((Seq("list", (), yielded if yielded.atoms else UNKNOWN),)), yielded)


def _is_given(sent: Sent) -> bool:
    return any(map(_depends, sent.value.atoms))


def _depends(atom: Atom) -> bool:
    """Whether a value is another one for other arguments."""
    if isinstance(atom, Text):
        return any(isinstance(part, Hole) and part.kind != "unknown" for part in atom.parts)
    return isinstance(atom, Param) or any(_depends(each) for value in _inside(atom) for each in value.atoms)


def _is_of_its_object(atom: Atom) -> bool:
    """Whether a value is bound to the object whose method has given it."""
    if isinstance(atom, Text):
        return bool(atom.worlds)
    if isinstance(atom, Obj):
        return atom.origin == "self"
    if isinstance(atom, Func):
        return isinstance(atom.bound, Obj) and atom.bound.origin == "self"
    return any(_is_of_its_object(each) for value in _inside(atom) for each in value.atoms)


def _inside(atom: Atom) -> list[Value]:
    """The values that a value is made of."""
    if isinstance(atom, Seq):
        return [*(item.value for item in atom.items), *([atom.rest] if atom.rest is not None else [])]
    if isinstance(atom, Map):
        return [*(value for _, value in atom.items), *([atom.rest] if atom.rest is not None else [])]
    if isinstance(atom, Method):
        return [atom.owner]
    if isinstance(atom, File):
        return [atom.path]
    if isinstance(atom, Partial):
        return [atom.called, *atom.args, *(value for _, value in atom.kwargs)]
    return []
