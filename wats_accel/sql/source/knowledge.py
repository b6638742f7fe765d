"""Knowledge: what each method of a source tree reads and changes in the end, and by which statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wats_accel.sql.access import NOTHING, Access, Changes, Reads, union
from wats_accel.sql.schema import Effect, Schema
from wats_accel.sql.source.facts import Place, SourceFacts, SourceMethod, SourceStatement, SourceUnknown


@dataclass(frozen=True, slots=True)
class Source:
    """A statement behind a method: who sends it, and what it does with this schema."""

    method: SourceMethod
    statement: SourceStatement
    effect: Effect


class Knowledge:
    """A source tree and a schema, joined. Answers are for a method with all that it calls; remembered.

    Args:
        source: the tree.
        schema: of its database; empty if nothing is known.
        strict: whether names that the schema does not have are unknown, as in `Schema.effect`.
    """

    def __init__(self, source: SourceFacts, schema: Schema, *, strict: bool = False) -> None:
        self.source = source
        self.schema = schema
        self.strict = strict
        self._statements: dict[str, tuple[Source, ...]] = {}
        self._reads: dict[str, Reads] = {}
        self._changes: dict[str, Changes] = {}
        self._called = {call.target for method in source.methods.values() for call in method.calls}

    def statements(self, target: str) -> tuple[Source, ...]:
        """Every statement that a method sends, itself or through what it calls; its own first."""
        if target not in self._statements:
            self._statements[target] = tuple(self._found(target))
        return self._statements[target]

    def own_statements(self, target: str) -> tuple[Source, ...]:
        """The statements that a method sends itself, each in one method of the tree.

        Those with parts that its callers give are among the statements of these callers, in full; they
        are here only if the tree has no caller.
        """
        method = self.source.methods.get(target)
        if method is None:
            return ()
        elsewhere = method if target in self._called else method.called_from_elsewhere()
        return tuple(self._source(method, statement) for statement in elsewhere.statements)

    def is_whole(self, target: str) -> bool:
        """Whether all is known of a method itself, as it is called; what it calls aside."""
        method = self.source.methods[target]
        return not (method.unknowns or (method.given_unknowns and target not in self._called))

    def reads(self, target: str) -> Reads:
        """All that a method reads; unknown if it may read more, or if the tree does not have it."""
        if target not in self._reads:
            parts = [source.effect.reads for source in self.statements(target)]
            unknown = any(part.unknown for part in parts) or self._is_hidden(target)
            self._reads[target] = Reads(_union(part.access for part in parts), unknown)
        return self._reads[target]

    def changes(self, target: str) -> Changes:
        """All that a method changes; unknown if it may change more, or if the tree does not have it."""
        if target not in self._changes:
            parts = [source.effect.changes for source in self.statements(target)]
            unknown = any(part.unknown for part in parts) or self._is_hidden(target)
            self._changes[target] = Changes(_union(part.access for part in parts), unknown)
        return self._changes[target]

    def reads_clock(self, target: str) -> tuple[Place, ...]:
        """Where the time of day flows into what a method answers, in its SQL or in its code."""
        places = [place for method in self.source.reachable(target) for place in method.clock]
        places += [found.statement.place for found in self.statements(target) if found.effect.reads_clock]
        return tuple(sorted(set(places)))

    def unknowns(self, target: str) -> tuple[SourceUnknown, ...]:
        """What could not be told of a method: in its code, in its SQL, or of the database."""
        if target not in self.source.methods:
            return (SourceUnknown(f"the source tree has no {target}", Place("", 0)),)
        found = [unknown for method in self.source.reachable(target) for unknown in method.unknowns]
        for source in self.statements(target):
            found += self._unknowns_of(source)
        return tuple(dict.fromkeys(found))

    def reading(self, target: str, changes: Changes) -> tuple[Source, ...]:
        """The statements of a method whose answers the changes concern."""
        return tuple(found for found in self.statements(target) if changes.concern(found.effect.reads))

    def writing(self, target: str, reads: Reads) -> tuple[Source, ...]:
        """The statements of a method that concern what was read."""
        return tuple(found for found in self.statements(target) if found.effect.changes.concern(reads))

    def _found(self, target: str) -> Iterator[Source]:
        for method in self.source.reachable(target):
            for statement in method.statements:
                yield self._source(method, statement)

    def _source(self, method: SourceMethod, statement: SourceStatement) -> Source:
        return Source(method, statement, self.schema.effect(statement.facts, strict=self.strict))

    def _is_hidden(self, target: str) -> bool:
        """Whether statements may be missing."""
        if target not in self.source.methods:
            return True
        return any(method.unknowns for method in self.source.reachable(target))

    def _unknowns_of(self, source: Source) -> Iterator[SourceUnknown]:
        place = source.statement.place
        for unknown in source.statement.facts.unknowns:
            yield SourceUnknown(unknown.what, place)
        for what in self.schema.unknowns(source.statement.facts, strict=self.strict):
            yield SourceUnknown(what, place)


def _union(parts: Iterable[Access]) -> Access:
    found = [part for part in parts if part]
    return union(found) if found else NOTHING
