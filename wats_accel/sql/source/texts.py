"""Texts: what is given to the driver, as statements with their facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from wats_accel.sql.access import ANY_COLUMN, Access, Columns
from wats_accel.sql.facts import Facts, Write
from wats_accel.sql.source import templates
from wats_accel.sql.source.facts import Place, SourceStatement, SourceUnknown
from wats_accel.sql.source.frames import Sent
from wats_accel.sql.source.rendering import PLACEHOLDER, Rendered, render
from wats_accel.sql.source.values import Atom, Const, Method, Param, Text
from wats_accel.sql.statement import DIALECTS, facts_of

_WORDS_ELSEWHERE: Final = frozenset(
    {"true", "false", "localtimestamp", "localtime", "current_date", "current_time"}
)
"""What some dialects take for a column, since they have no such word."""


@dataclass(slots=True)
class Found:
    """What a method sends: by itself, and what depends on its caller."""

    statements: list[tuple[SourceStatement, Place]] = field(default_factory=list)
    unknowns: list[SourceUnknown] = field(default_factory=list)
    given_statements: list[tuple[SourceStatement, Place]] = field(default_factory=list)
    given_unknowns: list[SourceUnknown] = field(default_factory=list)
    open_sinks: set[Place] = field(default_factory=set)  # where what the caller gives is sent


class Texts:
    """Makes statements of what is sent.

    Args:
        dialect: that they are written in.
        columns: the columns of tables, where they are known.
    """

    def __init__(self, dialect: str, columns: Mapping[str, Columns] | None) -> None:
        self._dialect = dialect
        self._columns = columns

    def found(self, sent: Iterable[Sent]) -> Found:
        """The statements in what is sent, and what is not known of it."""
        found = Found()
        for each in sent:
            self._take(each, found)
        return found

    def _take(self, sent: Sent, found: Found) -> None:
        texts = [atom for atom in sent.value.atoms if isinstance(atom, Text)]
        worlds = {text.worlds for text in texts}
        for text in texts:
            rendered = render(_as_sent(text, sent.name))
            if rendered.is_nonsense:
                continue
            if rendered.is_empty:
                _take_unknown(sent, found, by_caller=rendered.by_caller)
                continue
            facts = self._facts(rendered, is_variant=len(worlds) > 1)
            statement = SourceStatement(rendered.shown, facts, sent.place)
            if rendered.by_caller:
                found.open_sinks.add(sent.sink)
            (found.given_statements if rendered.by_caller else found.statements).append(
                (statement, sent.sink)
            )
        for atom in sent.value.atoms:
            if not isinstance(atom, Text | Const):
                _take_unknown(sent, found, by_caller=_is_given(atom))

    def _facts(self, rendered: Rendered, *, is_variant: bool) -> Facts:
        facts = (
            self._best_facts(rendered.sql)
            if is_variant
            else facts_of(rendered.sql, self._dialect, self._columns)
        )
        return _broadened(facts, rendered)

    def _best_facts(self, sql: str) -> Facts:
        """Of a text that there is for several databases: as the dialect reads it that understands it."""
        facts = facts_of(sql, self._dialect, self._columns)
        if not self._dialect or not _foreign_parts(facts):
            return facts
        others = [facts_of(sql, dialect, self._columns) for dialect in DIALECTS if dialect != self._dialect]
        return min([facts, *others], key=_foreign_parts)


def _foreign_parts(facts: Facts) -> int:
    """How much of a text seems to be of another dialect: unknown functions, and what cannot be read."""
    functions = sum(call.kind == "function" for call in facts.calls)
    words = {column for _, columns in facts.reads.items for column in columns} & _WORDS_ELSEWHERE
    return functions + len(words) + (0 if facts.parsed else 100) + 10 * len(facts.unknowns)


def _as_sent(text: Text, name: str) -> Text:
    """A text as the driver runs it: of some methods it is only a name."""
    if name == "callproc":
        whole = templates.whole(text)
        is_name = whole is None or "(" not in whole
        return Text(("{call ", *text.parts, "}"), text.worlds) if is_name else text
    if name == "read_sql_table":
        return Text(("SELECT * FROM ", *text.parts), text.worlds)
    return text


def _take_unknown(sent: Sent, found: Found, *, by_caller: bool) -> None:
    if by_caller:
        found.open_sinks.add(sent.sink)
        why = f"the SQL given to {sent.name}() comes from a parameter"
        found.given_unknowns.append(SourceUnknown(why, sent.place))
    else:
        found.unknowns.append(SourceUnknown(f"the SQL given to {sent.name}() is not known", sent.place))


def _is_given(atom: Atom) -> bool:
    if isinstance(atom, Method):
        return bool(atom.owner.atoms) and all(map(_is_given, atom.owner.atoms))
    return isinstance(atom, Param)


# -- facts of texts of which not all is known ------------------------------------------------------------


def _broadened(facts: Facts, rendered: Rendered) -> Facts:
    """Facts with what the parts that are not known may add to them."""
    reads = [(table, columns) for table, columns in facts.reads.items if PLACEHOLDER not in table]
    writes = [write for write in facts.writes if PLACEHOLDER not in write.table]
    if rendered.any_column:
        reads = [(table, ANY_COLUMN) for table, _ in reads]
    reads = [(table, _named(columns)) for table, columns in reads]
    if rendered.any_assignment:
        writes = [_any(write) for write in writes]
    writes = [write if PLACEHOLDER not in "".join(write.columns) else _any(write) for write in writes]
    unknowns = tuple(dict.fromkeys((*facts.unknowns, *rendered.unknowns)))
    calls = frozenset(call for call in facts.calls if PLACEHOLDER not in call.name)
    changed = (Access(tuple(reads)), tuple(writes), unknowns, calls)
    if changed == (facts.reads, facts.writes, facts.unknowns, facts.calls):
        return facts
    return dataclasses.replace(facts, reads=changed[0], writes=changed[1], unknowns=unknowns, calls=calls)


def _any(write: Write) -> Write:
    return dataclasses.replace(write, columns=ANY_COLUMN) if write.event == "update" else write


def _named(columns: Columns) -> Columns:
    """Columns without the name that stands for one that is not known."""
    return ANY_COLUMN if any(PLACEHOLDER in column for column in columns) else columns
