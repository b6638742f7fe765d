"""Methods: one method of a source tree at a time, looked at from its first line to its last."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from wats_accel.sql.source.constants import constant_text
from wats_accel.sql.source.facts import FailureAnswer, Place, SourceCall, SourceMethod, SourceUnknown
from wats_accel.sql.source.failures import Echo, Failure, echoes_of, failures_of
from wats_accel.sql.source.frames import Events, parameters_of
from wats_accel.sql.source.interpreter import SourceInterpreter
from wats_accel.sql.source.modules import ClassInfo, FunctionInfo, ModuleInfo
from wats_accel.sql.source.texts import Found, Texts
from wats_accel.sql.source.values import Cls, Func, Obj

_READING: Final = re.compile(
    r"_*(?:get|list|find|select|fetch|load|read|is|has|count|exists|search|query|lookup|show|check|can|all"
    r"|buscar|listar|obter|consultar|carregar|contar|existe|pesquisar|obtener|cargar)(?:_|[A-Z]|$)"
)
_MOST_STEPS: Final = 5_000


@dataclass(slots=True)
class Draft:
    """A method as far as it can be told without the others.

    Attributes:
        method: without what the others decide.
        found: what it sends, with the places of the sinks.
        given_calls: calls of what its caller gives.
        loose: calls of methods of objects that nobody knows, by name.
        given_loose: likewise, of parameters.
        answers: whose answers it returns unchanged.
        echoes: what it answers with to an empty answer of another one, and the file that says so.
        unfollowed: calls that have not been looked into with their arguments.
    """

    method: SourceMethod
    found: Found
    given_calls: list[SourceUnknown] = field(default_factory=list)
    loose: list[tuple[str, Place]] = field(default_factory=list)
    given_loose: list[tuple[str, Place]] = field(default_factory=list)
    answers: list[tuple[str, Place]] = field(default_factory=list)
    unfollowed: list[tuple[str, Place]] = field(default_factory=list)
    echoes: list[tuple[Echo, str]] = field(default_factory=list)


class MethodReader:
    """Reads methods.

    Args:
        interpreter: of the tree that they are in.
        texts: makes statements of what they send.
    """

    def __init__(self, interpreter: SourceInterpreter, texts: Texts) -> None:
        self._interpreter = interpreter
        self._texts = texts
        self._constants: dict[str, dict[str, str | None]] = {}

    def read(self, functions: Sequence[FunctionInfo], cls: ClassInfo | None) -> Draft:
        """A method of a class, or a function.

        Args:
            functions: its definitions: several under conditions, or of a property that can be set.
            cls: whose method it is, perhaps by inheritance.
        """
        try:
            return self._read(functions, cls)
        except Exception as error:  # noqa: BLE001 - nobody has thought of every way to write code
            first = functions[0]
            why = SourceUnknown(f"it could not be read ({type(error).__name__})", first.place)
            return Draft(SourceMethod(_target(first, cls), first.place), Found(unknowns=[why]))

    def _read(self, functions: Sequence[FunctionInfo], cls: ClassInfo | None) -> Draft:
        events = Events()
        unknowns: list[SourceUnknown] = []
        for function in functions:
            if not function.is_a("overload"):
                unknowns += self._run(function, cls, events)
        found = self._texts.found(events.sent)
        found.unknowns += unknowns
        found.unknowns += [SourceUnknown(what, place) for what, place in events.unknowns]
        given_calls = [SourceUnknown(what, place) for what, place in events.given_unknowns]
        method = self._method(functions, cls, events)
        draft = Draft(
            method, found, given_calls, events.loose, events.given_loose, events.answers, events.unfollowed
        )
        draft.echoes = [each for function in functions for each in self._echoes_of(function)]
        return draft

    def _run(self, function: FunctionInfo, cls: ClassInfo | None, events: Events) -> list[SourceUnknown]:
        """Go through a definition. What mentions nothing that sends SQL is not looked into deeply."""
        bound = _bound(function, cls)
        invocations = self._interpreter.calls.invocations
        sends = self._interpreter.sending.function(function.number)
        summary = invocations.summary(function, bound) if sends else invocations.outline(function, bound)
        if summary is None:
            return []
        events.take(summary.events, None)
        events.answers += summary.events.answers
        if sends:
            self._note_decorators(function, events)
        return self._given_up(function, summary.failure) if summary.failure is not None else []

    def _given_up(self, function: FunctionInfo, why: str) -> list[SourceUnknown]:
        """Told only of code that mentions what sends SQL: of other code nothing is missed."""
        is_worth_it = self._interpreter.sending.function(function.number)
        return [SourceUnknown(why, function.place)] if is_worth_it else []

    def _note_decorators(self, function: FunctionInfo, events: Events) -> None:
        """A decorator of the tree that sends SQL does so around the method."""
        outside = self._interpreter.lazy_frame(function.module)
        self._interpreter.steps = _MOST_STEPS
        for decorator in function.node.decorator_list:
            place = Place(function.module.file, decorator.lineno)
            named = decorator.func if isinstance(decorator, ast.Call) else decorator
            for atom in self._interpreter.evaluate(named, outside).atoms:
                if isinstance(atom, Func) and self._interpreter.sending.function(atom.function):
                    events.calls.append((self._interpreter.target_of(atom), place))
                    events.unknowns.append(("what its decorator sends", place))
                elif isinstance(atom, Cls) and self._sends_as_class(atom):
                    events.unknowns.append(("what its decorator sends", place))

    def _sends_as_class(self, atom: Cls) -> bool:
        functions = self._interpreter.index.method(self._interpreter.index.classes[atom.cls], "__call__")
        return any(self._interpreter.sending.function(function.number) for function in functions)

    # -- what is written in its definition ---------------------------------------------------------------

    def _method(
        self, functions: Sequence[FunctionInfo], cls: ClassInfo | None, events: Events
    ) -> SourceMethod:
        first = functions[0]
        names = list(parameters_of(first.node))
        if first.self_name and cls is not None:
            names.remove(first.self_name)
        return SourceMethod(
            target=_target(first, cls),
            place=first.place,
            parameters=tuple(names),
            calls=tuple(SourceCall(target, place) for target, place in dict.fromkeys(events.calls)),
            clock=tuple(sorted(set(events.clock))),
            failure_answers=tuple(self._failures(functions)),
            changes_arguments=tuple(
                name for name in names if any(name in each.changes for each in functions)
            ),
            is_abstract=all(map(_is_abstract, functions)),
            decorators=tuple(dict.fromkeys(name for each in functions for name in each.decorators)),
            is_async=any(isinstance(each.node, ast.AsyncFunctionDef) for each in functions),
            is_generator=any(each.is_generator for each in functions),
            reads_by_name=bool(_READING.match(first.name)),
        )

    def _failures(self, functions: Sequence[FunctionInfo]) -> Iterable[FailureAnswer]:
        found: dict[FailureAnswer, None] = {}
        for function in functions:
            for failure in self._failures_of(function):
                found[FailureAnswer(failure.text, Place(function.module.file, failure.line))] = None
        return found

    def _failures_of(self, function: FunctionInfo) -> list[Failure]:
        if function.is_generator or function.name == "__init__":
            return []
        try:
            return failures_of(function.node, self._constants_of(function.module))
        except RecursionError:
            return []

    def _echoes_of(self, function: FunctionInfo) -> list[tuple[Echo, str]]:
        try:
            found = echoes_of(function.node, self._constants_of(function.module))
        except RecursionError:
            return []
        return [(echo, function.module.file) for echo in found]

    def _constants_of(self, module: ModuleInfo) -> dict[str, str | None]:
        if module.name not in self._constants:
            found: dict[str, str | None] = {}
            for name, bindings in module.bindings.items():
                node = bindings[0].node
                if len(bindings) == 1 and bindings[0].kind == "value" and isinstance(node, ast.expr):
                    found[name] = constant_text(node, {}) if not bindings[0].path else None
            self._constants[module.name] = found
        return self._constants[module.name]


def _target(function: FunctionInfo, cls: ClassInfo | None) -> str:
    return f"{cls.target}.{function.name}" if cls is not None else f"{function.module.name}:{function.name}"


def _bound(function: FunctionInfo, cls: ClassInfo | None) -> Obj | Cls | None:
    if cls is None or not function.self_name:
        return None
    if function.is_a("classmethod") or function.name in ("__new__", "__init_subclass__", "__class_getitem__"):
        return Cls(cls.target)
    return Obj(cls.target, exact=True, origin="self")


def _is_abstract(function: FunctionInfo) -> bool:
    """Whether it has no body: a docstring at most, ``...``, ``pass`` or NotImplementedError."""
    if function.is_a("abstractmethod", "abstractproperty"):
        return True
    return all(_says_nothing(statement) for statement in function.node.body)


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    is_value = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or is_value
