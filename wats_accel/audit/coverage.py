"""Coverage: for each cached read, the writes that change what it has read and do not drop it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from wats_accel.audit.covering import Cover, cover
from wats_accel.audit.loose_calls import LooseCalls, name_of
from wats_accel.audit.subject import CachedRead, Subject
from wats_accel.audit.walks import calls_of, is_private, sources, unknowns, walk
from wats_accel.patterns import KeyPattern
from wats_accel.sql.access import ANY, Access, Columns, Reads, access, union
from wats_accel.sql.source.facts import SourceMethod, SourceUnknown
from wats_accel.sql.source.knowledge import Source


@dataclass(frozen=True, slots=True)
class Pair:
    """A write that concerns a read, statement by statement.

    Attributes:
        write: the method that is to have the rule: the innermost one that others may call.
        read: whose entries the write makes old.
        by: the tables and columns by which it does.
        writing: the statements that change them, sent by the write or by private methods that it calls.
        reading: the statements of the read that use them.
        cover: how the rules of the write cover it.
        patterns: that the rules of the write have.
    """

    write: SourceMethod
    read: CachedRead
    by: Access
    writing: tuple[Source, ...]
    reading: tuple[Source, ...]
    cover: Cover
    patterns: tuple[KeyPattern, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """What a cached read has read itself, and not through another cached read.

    Entries that were made from another entry go with it: the cache sees to that. So what is read through
    the other one is the other one's affair.
    """

    reads: Reads
    own: tuple[Source, ...]
    unknown: tuple[SourceUnknown, ...]
    inner: tuple[CachedRead, ...]


@dataclass
class Coverage:
    """All pairs of a subject, covered or not.

    Args:
        subject: configuration and source.

    Attributes:
        loose_calls: the calls of which only the method's name is known.
    """

    subject: Subject
    _facts: dict[str, ReadFacts] = field(default_factory=dict, init=False)
    loose_calls: LooseCalls = field(init=False)
    _changing: dict[str, tuple[Source, ...]] = field(default_factory=dict, init=False)
    _entries: list[SourceMethod] | None = field(default=None, init=False)
    _pairs: list[Pair] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.loose_calls = LooseCalls(self.subject.knowledge.source)

    def facts_of(self, read: CachedRead) -> ReadFacts:
        """What a cached read has read itself. Remembered."""
        if read.target not in self._facts:
            self._facts[read.target] = self._facts_of(read)
        return self._facts[read.target]

    def entries(self) -> list[SourceMethod]:
        """The methods that may have a rule, each standing for itself and the private methods behind it.

        A private method stands for itself only if none of the others comes to call it, or if somebody may
        call it besides: one of its name is called of an object that nobody knows.
        """
        if self._entries is None:
            self._entries = self._found_entries()
        return self._entries

    def _found_entries(self) -> list[SourceMethod]:
        methods = list(self.subject.knowledge.source.methods.values())
        public = [method for method in methods if not is_private(method.target)]
        reached = {
            inner.target
            for method in public
            for inner in walk(self.subject.knowledge, method.target, is_public)
        }
        loose = self.loose_calls.names
        alone = [
            method
            for method in methods
            if method.target not in reached or (is_private(method.target) and name_of(method) in loose)
        ]
        return public + alone

    def pairs(self) -> list[Pair]:
        """Every write with every cached read that it concerns, at the innermost method that can tell."""
        if self._pairs is None:
            self._pairs = list(self._found_pairs())
        return self._pairs

    def _found_pairs(self) -> Iterator[Pair]:
        order = {read: number for number, read in enumerate(self.subject.reads)}
        by_table: dict[str, list[CachedRead]] = {}
        for read in order:
            for table in self.facts_of(read).reads.access:
                by_table.setdefault(table, []).append(read)
        for method in self.entries():
            tables = {table for source in self.changing(method) for table in source.effect.changes.access}
            concerned = {read for table in tables for read in by_table.get(table, ())}
            for read in sorted(concerned, key=lambda known: order[known]):
                pair = self._pair(method, read)
                if pair is not None and not self._is_told_at_definition(pair):
                    yield pair

    def through(self, pair: Pair) -> list[SourceMethod]:
        """The other methods by which the write of a pair is reached, without a rule on the way."""
        facts = self.facts_of(pair.read)
        seen = {pair.write.target}
        waiting = [pair.write]
        found: list[SourceMethod] = []
        while waiting:
            for caller in self.subject.callers_of(waiting.pop(0)):
                own = cover(self._patterns(caller), caller, pair.read, pair.by, facts.own)
                if caller.target not in seen and not own.holds:
                    seen.add(caller.target)
                    waiting.append(caller)
                    found.append(caller)
        return [method for method in found if is_public(method)]

    def changing(self, method: SourceMethod) -> tuple[Source, ...]:
        """The statements that change anything, of a method and the private ones behind it. Remembered."""
        if method.target not in self._changing:
            found = sources(
                self.subject.knowledge,
                method.target,
                is_public,
                from_elsewhere=not self.subject.is_called(method),
            )
            self._changing[method.target] = tuple(source for source in found if source.effect.changes)
        return self._changing[method.target]

    # -- one pair ---------------------------------------------------------------------------------------

    def _pair(self, method: SourceMethod, read: CachedRead) -> Pair | None:
        facts = self.facts_of(read)
        concerned = any(_known(source, facts.reads) for source in self.changing(method))
        writing = self._writing(method, read, facts) if concerned else ()
        if not writing:
            return None
        by = union(_known(source, facts.reads) for source in writing)
        reading = tuple(
            source for source in facts.own if any(table in source.effect.reads.access for table in by)
        )
        own = cover(self._patterns(method), method, read, by, facts.own)
        return Pair(method, read, by, writing, reading, own, self._patterns(method))

    def _writing(self, method: SourceMethod, read: CachedRead, facts: ReadFacts) -> tuple[Source, ...]:
        def ends(inner: SourceMethod) -> bool:
            patterns = self._patterns(inner)
            return is_public(inner) or cover(patterns, inner, read, facts.reads.access, facts.own).holds

        found = sources(
            self.subject.knowledge, method.target, ends, from_elsewhere=not self.subject.is_called(method)
        )
        return tuple(source for source in found if _known(source, facts.reads))

    def _patterns(self, method: SourceMethod) -> tuple[KeyPattern, ...]:
        rules = self.subject.writes_of(method.target)
        return tuple(pattern for rule in rules for pattern in rule.patterns)

    def _is_told_at_definition(self, pair: Pair) -> bool:
        """Whether a rule where the method is defined serves all classes that inherit it."""
        definition = self.subject.definitions.of(pair.write)
        if definition == pair.write.target:
            return False
        base = self.subject.knowledge.source.methods[definition]
        return self._pair(base, pair.read) is not None

    # -- reads ------------------------------------------------------------------------------------------

    def _facts_of(self, read: CachedRead) -> ReadFacts:
        knowledge = self.subject.knowledge

        def ends(inner: SourceMethod) -> bool:
            return self.subject.read_of(inner.target) not in (None, read)

        parts = [
            (
                tuple(sources(knowledge, method.target, ends)),
                tuple(unknowns(knowledge, method.target, ends)),
                [self.subject.read_of(inner.target) for inner in calls_of(knowledge, method.target, ends)],
            )
            for method in read.methods
        ]
        parts = _without_unfinished(parts)
        own = tuple(dict.fromkeys(source for found, _, _ in parts for source in found))
        unknown = tuple(dict.fromkeys(what for _, found, _ in parts for what in found))
        inner = dict.fromkeys(known for _, _, calls in parts for known in calls if known is not None)
        accesses = union(source.effect.reads.access for source in own)
        hidden = bool(unknown) or any(source.effect.reads.unknown for source in own) or not parts
        return ReadFacts(Reads(accesses, hidden), own, unknown, tuple(inner))


_Part = tuple[tuple[Source, ...], tuple[SourceUnknown, ...], list[CachedRead | None]]


def _without_unfinished(parts: list[_Part]) -> list[_Part]:
    """Without a base class that only its subclasses complete, such as one whose TABLE they set."""
    complete = [part for part in parts[1:] if not part[1]]
    return complete if parts and parts[0][1] and complete and len(complete) == len(parts) - 1 else parts


def _known(source: Source, reads: Reads) -> Access:
    """What is known to be changed of what was read; what nobody knows is told once, by itself."""
    changed = source.effect.changes.access
    met = source.effect.changes.meeting(Reads(reads.access))
    return access({table: _shared(changed.columns(table), reads.access.columns(table)) for table in met})


def _shared(changed: Columns, used: Columns) -> Columns:
    return changed if ANY in changed or ANY in used else changed & used


def is_public(method: SourceMethod) -> bool:
    """Whether others than its own class or module may call it."""
    return not is_private(method.target)
