"""The scan: a source tree, and what each of its methods asks of the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from wats_accel.sql.access import Columns
from wats_accel.sql.source.facts import (
    FailureAnswer,
    Place,
    SourceFacts,
    SourceMethod,
    SourceStatement,
    SourceUnknown,
)
from wats_accel.sql.source.files import read_files
from wats_accel.sql.source.index import Index
from wats_accel.sql.source.interpreter import SourceInterpreter
from wats_accel.sql.source.methods import Draft, MethodReader
from wats_accel.sql.source.modules import ClassInfo, FunctionInfo
from wats_accel.sql.source.roots import with_names_as_imported
from wats_accel.sql.source.texts import Texts


def scan(folder: Path, *, dialect: str = "", columns: Mapping[str, Columns] | None = None) -> SourceFacts:
    """Scan all Python files below a folder, without importing or running any of them. Never raises.

    Args:
        folder: where modules are imported from: ``src/wats/db.py`` in it is ``src.wats.db``. Of a folder
            that is a package itself the modules are called as from the first folder above that is none;
            in a folder that is none, and that no import names, as the imports call them.
        dialect: that its SQL is written in, as in `statement.facts_of`.
        columns: the columns of tables, where they are known.
    """
    folder = folder.resolve()
    files, unreadable = read_files(folder)
    index = Index(with_names_as_imported(files))
    reader = MethodReader(SourceInterpreter(index, folder), Texts(dialect, columns))
    drafts: dict[str, Draft] = {}
    for functions, cls in _methods(index):
        draft = reader.read(functions, cls)
        drafts.setdefault(draft.method.target, draft)
    every = sorted([*unreadable, *index.unreadable], key=lambda unknown: unknown.place)
    return SourceFacts(_finished(drafts), tuple(every))


def _methods(index: Index) -> Iterator[tuple[Sequence[FunctionInfo], ClassInfo | None]]:
    for name in sorted(index.modules):
        module = index.modules[name]
        for function in module.functions.values():
            yield function, None
    for target in sorted(index.classes):
        cls = index.classes[target]
        for name in index.method_names(cls):
            yield index.method(cls, name), cls


# -- what the methods say of each other ------------------------------------------------------------------


def _finished(drafts: dict[str, Draft]) -> dict[str, SourceMethod]:
    open_sinks = {sink for draft in drafts.values() for sink in draft.found.open_sinks}
    sending = _names_that_send(drafts)
    depending = {target for target, draft in drafts.items() if _depends_on_caller(draft, sending)}
    methods: dict[str, SourceMethod] = {}
    for target in sorted(drafts):
        draft = drafts[target]
        found = draft.found
        unknowns = found.unknowns + _loose_unknowns(draft.loose, sending)
        unknowns += [
            SourceUnknown(f"what {other} sends when it is given this", place)
            for other, place in draft.unfollowed
            if other in depending
        ]
        given = found.given_unknowns + draft.given_calls + _loose_unknowns(draft.given_loose, sending)
        methods[target] = dataclasses.replace(
            draft.method,
            statements=_each_once(found.statements, draft.method.place.file, open_sinks),
            unknowns=_in_order(unknowns),
            given_statements=_each_once(found.given_statements, "", open_sinks),
            given_unknowns=_in_order(given),
        )
    return _with_inherited_failures(methods, drafts)


def _in_order(unknowns: list[SourceUnknown]) -> tuple[SourceUnknown, ...]:
    return tuple(sorted(set(unknowns), key=lambda unknown: (unknown.place, unknown.what)))


def _each_once(
    found: list[tuple[SourceStatement, Place]], file: str, open_sinks: set[Place]
) -> tuple[SourceStatement, ...]:
    """Statements in the order of their places, without those that what is called sends by itself anyway."""
    kept: dict[tuple[str, Place], SourceStatement] = {}
    for statement, sink in found:
        is_own = sink.line == statement.place.line and sink.file.startswith(f"{statement.place.file}:")
        if is_own or sink in open_sinks or not file:
            kept.setdefault((statement.text, statement.place), statement)
    return tuple(sorted(kept.values(), key=lambda statement: (statement.place.line, statement.place.file)))


def _loose_unknowns(loose: list[tuple[str, Place]], sending: set[str]) -> list[SourceUnknown]:
    return [
        SourceUnknown(f"the call of {name}() of an object that is not known", place)
        for name, place in loose
        if name in sending
    ]


def _names_that_send(drafts: dict[str, Draft]) -> set[str]:
    """The names of the methods that send SQL, directly or through others, or of which that is not known."""
    senders = {target for target, draft in drafts.items() if _sends(draft)}
    callers: dict[str, list[str]] = {}
    for target, draft in drafts.items():
        for call in draft.method.calls:
            callers.setdefault(call.target, []).append(target)
        for name, _ in (*draft.loose, *draft.given_loose):
            callers.setdefault(f"\0{name}", []).append(target)
    waiting = list(senders)
    while waiting:
        target = waiting.pop()
        name = target.rpartition(":")[2].rpartition(".")[2]
        for caller in (*callers.get(target, ()), *callers.get(f"\0{name}", ())):
            if caller not in senders:
                senders.add(caller)
                waiting.append(caller)
    return {target.rpartition(":")[2].rpartition(".")[2] for target in senders}


def _depends_on_caller(draft: Draft, sending: set[str]) -> bool:
    """Whether what it sends depends on what it is given."""
    found = draft.found
    given = found.given_statements or found.given_unknowns or draft.given_calls
    return bool(given or _loose_unknowns(draft.given_loose, sending))


def _sends(draft: Draft) -> bool:
    found = draft.found
    return bool(found.statements or found.unknowns or found.given_statements or found.given_unknowns)


def _with_inherited_failures(
    methods: dict[str, SourceMethod], drafts: dict[str, Draft]
) -> dict[str, SourceMethod]:
    """A method that gives back the answer of another one gives back its failures, too."""
    found = {target: list(method.failure_answers) for target, method in methods.items()}
    changed = True
    while changed:
        changed = False
        for target, draft in drafts.items():
            for other, _ in draft.answers:
                fresh = [answer for answer in found.get(other, ()) if answer not in found[target]]
                found[target] += fresh
                changed = changed or bool(fresh)
            for answer in _echoed(draft, found):
                if all((answer.text, answer.place) != (known.text, known.place) for known in found[target]):
                    found[target].append(answer)
                    changed = True
    return {
        target: dataclasses.replace(method, failure_answers=_answers(found[target]))
        for target, method in methods.items()
    }


def _echoed(draft: Draft, found: Mapping[str, list[FailureAnswer]]) -> Iterator[FailureAnswer]:
    """What a method answers with to the failures of those that it calls."""
    for echo, file in draft.echoes:
        for call in draft.method.calls:
            is_it = call.place.line == echo.line and call.target.rpartition(".")[2].endswith(echo.called)
            if is_it and any(echo.follows_from(answer.text) for answer in found.get(call.target, ())):
                yield FailureAnswer(echo.failure.text, Place(file, echo.failure.line), call.target)


def _answers(found: list[FailureAnswer]) -> tuple[FailureAnswer, ...]:
    return tuple(sorted(found, key=lambda answer: (answer.place, answer.text)))
