"""Explanations from the source: tables and columns behind a method, and who changes what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from wats_accel.cache.region import Region
from wats_accel.invalidation import Invalidator
from wats_accel.sql.access import Access, Changes, Reads, union
from wats_accel.sql.source.facts import Place, SourceMethod
from wats_accel.sql.source.knowledge import Knowledge, Source

_MOST_PLACES = 4


@dataclass(frozen=True, slots=True)
class Told:
    """One fact in words, and where in the source it comes from."""

    text: str
    places: tuple[Place, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.places[:_MOST_PLACES]))
        more = len(self.places) - _MOST_PLACES
        where = f"{shown} and {more} more" if more > 0 else shown
        return f"{self.text}  ({where})" if where else self.text


@dataclass(frozen=True, slots=True)
class SourceExplanation:
    """What the source says of one method, with all that it calls. `str()` of it is for people.

    Attributes:
        place: where it is defined; None if the tree does not have it.
        reads: a table with its columns each.
        changes: the same, cascades and triggers among them.
        clock: where the time of day flows into its answer.
        calls: the methods that it calls and that use the database.
        changed_by: the methods of the tree that change what it reads, each with what drops it then.
        concerned: if it changes anything, the cached methods whose answers may be others now.
        unknowns: what could not be told.
    """

    place: Place | None = None
    reads: tuple[Told, ...] = ()
    changes: tuple[Told, ...] = ()
    clock: tuple[Place, ...] = ()
    calls: tuple[Told, ...] = ()
    changed_by: tuple[Told, ...] = ()
    concerned: tuple[Told, ...] = ()
    unknowns: tuple[Told, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"  source:        {self.place or 'the tree does not have it'}"
        parts: Mapping[str, Iterable[object]] = {
            "reads": self.reads,
            "changes": self.changes,
            "depends on the clock": self.clock,
            "calls": self.calls,
            "changed by": self.changed_by,
            "concerns": self.concerned,
            "not known": self.unknowns,
        }
        for name, told in parts.items():
            lines = [f"    {one}" for one in told]
            if lines:
                yield f"  {name}:"
                yield from lines


class SourceExplainer:
    """Explains methods by a source tree, and by the rules that drop what is cached.

    Args:
        knowledge: of the tree.
        caches: the cached methods.
        invalidator: knows the writes.
        by_sql: whether the SQL itself drops entries at run time.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        caches: Iterable[Region] = (),
        invalidator: Invalidator | None = None,
        *,
        by_sql: bool = False,
    ) -> None:
        self.knowledge = knowledge
        self._regions = {region.rules.target: region for region in caches}
        self._invalidator = invalidator
        self._by_sql = by_sql

    def targets(self) -> list[str]:
        """The methods of the tree."""
        return sorted(self.knowledge.source.methods)

    def explain(self, target: str) -> SourceExplanation:
        """What the source says of a method."""
        method = self.knowledge.source.methods.get(target)
        if method is None:
            return SourceExplanation()
        statements = self.knowledge.statements(target)
        return SourceExplanation(
            method.place,
            reads=tuple(_by_table(statements, lambda found: found.effect.reads.access)),
            changes=tuple(self._changes(statements)),
            clock=self.knowledge.reads_clock(target),
            calls=tuple(self._calls(method)),
            changed_by=tuple(self._changed_by(target)),
            concerned=tuple(self._concerned(target)),
            unknowns=tuple(_gathered((one.what, one.place) for one in self.knowledge.unknowns(target))),
        )

    def _changes(self, statements: Iterable[Source]) -> Iterator[Told]:
        told = list(statements)
        written = {write.table for found in told for write in found.statement.facts.writes}
        for one in _by_table(told, lambda found: found.effect.changes.access):
            table = one.text.partition("(")[0]
            yield one if table in written else Told(f"{one.text}, by the database itself", one.places)

    def _calls(self, method: SourceMethod) -> Iterator[Told]:
        calls = ((call.target, call.place) for call in method.calls if self._uses_database(call.target))
        for told in _gathered(calls):
            is_cached = told.text in self._regions
            yield Told(f"{short(told.text)}{', cached' if is_cached else ''}", told.places)

    def _uses_database(self, target: str) -> bool:
        return bool(self.knowledge.statements(target)) or target in self._regions

    # -- what drops it -----------------------------------------------------------------------------------

    def _changed_by(self, target: str) -> Iterator[Told]:
        """Who sends the statements that change what it reads; only of what reads, and is no write itself."""
        reads = self.knowledge.reads(target)
        if not (reads.access or reads.unknown) or self.knowledge.changes(target):
            return
        for name, method in sorted(self.knowledge.source.methods.items()):
            told = self._change(method, reads)
            if told is not None:
                yield Told(f"{short(name)}: {told.text}{self._dropped(name, target)}", told.places)
        yield from self._perhaps()

    def _perhaps(self) -> Iterator[Told]:
        """Methods of which something is not known may change anything; there may be many."""
        methods = self.knowledge.source.methods
        places = [method.place for name, method in methods.items() if not self.knowledge.is_whole(name)]
        if places:
            count = f"{len(places)} methods" if len(places) > 1 else "a method"
            yield Told(f"perhaps by {count} that could not be read whole", tuple(sorted(places)))

    def _change(self, method: SourceMethod, reads: Reads) -> Told | None:
        """By which statements of its own a method changes what was read."""
        own = self.knowledge.own_statements(method.target)
        meeting = [found for found in own if found.effect.changes.concern(reads)]
        if not meeting:
            return None
        changes = Changes(union(found.effect.changes.access for found in meeting))
        unknown = any(found.effect.changes.unknown for found in meeting)
        words = [str(changes.meeting(reads))] if changes.concern(reads) else []
        words += ["nobody knows what"] if unknown else []
        return Told(", ".join(words), tuple(sorted({found.statement.place for found in meeting})))

    def _dropped(self, write: str, target: str) -> str:
        """What drops the entries of a cached method when another one writes."""
        region = self._regions.get(target)
        if region is None or self._invalidator is None:
            return ""
        rules = {rule.target: str(pattern) for rule, pattern in self._invalidator.dropping(region)}
        if write in rules:
            return f"; dropped by its rule {rules[write]}"
        over = [name for name in sorted(rules) if self._reaches(name, write)]
        if over:
            return f"; dropped by the rule of {short(over[0])}, which calls it"
        return "; dropped by the SQL" if self._by_sql else "; dropped by no rule"

    def _reaches(self, caller: str, target: str) -> bool:
        return any(method.target == target for method in self.knowledge.source.reachable(caller))

    def _concerned(self, target: str) -> Iterator[Told]:
        changes = self.knowledge.changes(target)
        for name in sorted(self._regions):
            reads = self.knowledge.reads(name)
            if changes.concern(reads) and name != target:
                meeting = str(changes.meeting(reads)) or "nobody knows how"
                statements = self.knowledge.writing(target, reads)
                places = tuple(sorted({found.statement.place for found in statements}))
                yield Told(f"{short(name)}: {meeting}{self._dropped(target, name)}", places)


def _by_table(statements: Iterable[Source], access_of: Callable[[Source], Access]) -> Iterator[Told]:
    """Each table with all columns that several statements use, and where they are sent."""
    tables: dict[str, list[Source]] = {}
    for found in statements:
        for table in access_of(found):
            tables.setdefault(table, []).append(found)
    for table, sources in sorted(tables.items()):
        whole = union(access_of(found) for found in sources)
        places = tuple(sorted({found.statement.place for found in sources}))
        yield Told(str(Access(((table, whole.columns(table)),))), places)


def _gathered(pairs: Iterable[tuple[str, Place]]) -> Iterator[Told]:
    """The same words once, with all places."""
    found: dict[str, list[Place]] = {}
    for text, place in pairs:
        places = found.setdefault(text, [])
        if place not in places:
            places.append(place)
    for text, places in found.items():
        yield Told(text, tuple(place for place in sorted(places) if place.file))


def short(target: str) -> str:
    """A method without its module; a function with it."""
    path = target.partition(":")[2]
    return path if "." in path else target
