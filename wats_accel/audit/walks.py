"""Walks: the statements that a method comes to send, up to the methods where a walk is to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wats_accel.sql.source.facts import SourceMethod, SourceUnknown
from wats_accel.sql.source.knowledge import Knowledge, Source
from wats_accel.targets import Target

Ends = Callable[[SourceMethod], bool]
"""Whether a walk stops before this method, which the walk's own method has come to call."""


def walk(
    knowledge: Knowledge, target: str, ends: Ends, *, from_elsewhere: bool = True
) -> Iterator[SourceMethod]:
    """A method and those that it calls, directly or not, without what lies behind those where it ends.

    Args:
        knowledge: of the source tree.
        target: where the walk begins.
        ends: where it ends; its beginning is not asked.
        from_elsewhere: whether its callers in the tree may not be all that there are. If they are, what
            they give it is among their own statements.
    """
    methods = knowledge.source.methods
    seen = {target}
    waiting = [methods[target]] if target in methods else []
    if from_elsewhere:
        waiting = [method.called_from_elsewhere() for method in waiting]
    while waiting:
        method = waiting.pop(0)
        yield method
        for call in method.calls:
            inner = methods.get(call.target)
            if inner is not None and call.target not in seen:
                seen.add(call.target)
                if not ends(inner):
                    waiting.append(inner)


def calls_of(knowledge: Knowledge, target: str, ends: Ends) -> Iterator[SourceMethod]:
    """The methods before which a walk from `target` ends."""
    methods = knowledge.source.methods
    seen = {target}
    for method in walk(knowledge, target, ends):
        for call in method.calls:
            inner = methods.get(call.target)
            if inner is not None and call.target not in seen and ends(inner):
                seen.add(call.target)
                yield inner


def sources(
    knowledge: Knowledge, target: str, ends: Ends, *, from_elsewhere: bool = True
) -> Iterator[Source]:
    """The statements on a walk, each with what it does."""
    for method in walk(knowledge, target, ends, from_elsewhere=from_elsewhere):
        for statement in method.statements:
            effect = knowledge.schema.effect(statement.facts, strict=knowledge.strict)
            yield Source(method, statement, effect)


def unknowns(
    knowledge: Knowledge, target: str, ends: Ends, *, from_elsewhere: bool = True
) -> Iterator[SourceUnknown]:
    """What could not be told of the code of the methods on a walk."""
    for method in walk(knowledge, target, ends, from_elsewhere=from_elsewhere):
        yield from method.unknowns


def is_private(target: str) -> bool:
    """Whether a method is an inner affair of its class or module: ``_helper``, but not ``__init__``."""
    name = Target.parse(target).name if _is_plain(target) else target.rpartition(".")[2]
    return name.startswith("_") and not name.endswith("__")


def _is_plain(target: str) -> bool:
    return "<" not in target
