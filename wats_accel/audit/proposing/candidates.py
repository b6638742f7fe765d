"""Candidates: the reads of a source tree, and for each the reasons against caching it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wats_accel.audit.habits import refusal
from wats_accel.audit.secret_columns import secrets_of
from wats_accel.audit.shapes import Shapes
from wats_accel.audit.walks import is_private, sources, unknowns
from wats_accel.secret_names import SecretNames
from wats_accel.sql.access import Access, union
from wats_accel.sql.source.facts import SourceMethod
from wats_accel.sql.source.knowledge import Knowledge, Source
from wats_accel.targets import Target

_GIVEN_CONNECTIONS = frozenset(
    {"cursor", "cur", "conn", "connection", "session", "transaction", "tx", "conexao", "db_session"}
)
_OPENERS = re.compile(r"^(get|open|new|make|create)_?(cursor|conn|connection|session|transaction)", re.I)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method that reads, and nothing else.

    Attributes:
        method: of the source.
        access: the tables and columns that it reads, itself or through private methods.
        reads_clock: whether time alone changes its answer.
        why_not: why it is not to be cached; empty if it may be.
    """

    method: SourceMethod
    access: Access
    reads_clock: bool
    why_not: tuple[str, ...]


def candidates(knowledge: Knowledge, shapes: Shapes, secret: SecretNames) -> Iterator[Candidate]:
    """Every method of the tree that reads tables, changes none and can be called from elsewhere.

    Args:
        knowledge: of the source tree.
        shapes: of its methods.
        secret: what a column is called that is taken for a secret.
    """
    for method in knowledge.source.methods.values():
        if is_private(method.target) or _is_special(method) or method.is_abstract:
            continue
        own = list(sources(knowledge, method.target, _is_public))
        access = union(source.effect.reads.access for source in own)
        if not access or any(source.effect.changes.access for source in own) or _writes(knowledge, method):
            continue
        yield Candidate(
            method,
            access,
            bool(knowledge.reads_clock(method.target)),
            tuple(_reasons(knowledge, shapes, method, own, secret)),
        )


def _is_public(method: SourceMethod) -> bool:
    return not is_private(method.target)


def _is_special(method: SourceMethod) -> bool:
    path = Target.parse(method.target).path if "<" not in method.target else ""
    name = path.rpartition(".")[2]
    return not path or name.startswith("__") or bool(_OPENERS.match(name))


def _writes(knowledge: Knowledge, method: SourceMethod) -> bool:
    return bool(knowledge.changes(method.target).access)


def _reasons(
    knowledge: Knowledge, shapes: Shapes, method: SourceMethod, own: list[Source], secret: SecretNames
) -> Iterator[str]:
    why = refusal(method)
    if why:
        yield f"it is {why}" + ("; 'materialize: true' would cache it" if why.startswith("a gen") else "")
    shape = shapes.of(method.place)
    if not shape.returns_value:
        yield "it returns nothing"
    if shape.changes_instance:
        changed = ", ".join(f"self.{name}" for name in shape.changes_instance[:3])
        yield f"it sets {changed}, which a hit would not"
    for name in method.changes_arguments:
        yield f"it changes its argument {name!r}, which a hit would not"
    given = [name for name in method.parameters if name.lstrip("*") in _GIVEN_CONNECTIONS]
    if given:
        yield f"it reads on the {given[0]} that it is given, which may be inside a transaction"
    secrets = secrets_of(knowledge, method.target, secret)
    if secrets:
        yield f"{', '.join(secrets)} looks like a secret: to be kept in memory only if that is acceptable"
    yield from _unknown(knowledge, method, own)


def _unknown(knowledge: Knowledge, method: SourceMethod, own: list[Source]) -> Iterator[str]:
    told = [known.what for known in unknowns(knowledge, method.target, _never)]
    for source in own:
        if source.effect.reads.unknown or source.effect.changes.unknown:
            told += [unknown.what for unknown in source.statement.facts.unknowns]
            told += knowledge.schema.unknowns(source.statement.facts, strict=knowledge.strict)
    if told:
        yield f"what it reads is not wholly known: {told[0]}"
    elif knowledge.reads(method.target).unknown or knowledge.changes(method.target).unknown:
        yield "what it reads is not wholly known"


def _never(method: SourceMethod) -> bool:
    return False
