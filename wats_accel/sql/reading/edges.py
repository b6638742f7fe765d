"""Edges: where an expression ends, and where its items and their aliases begin and end.

In a list of what a query gives a word behind an operand may be its alias; elsewhere it may be the next
clause, or, where semicolons may be left out, the next statement.
"""

from __future__ import annotations

from typing import Final

from wats_accel.sql.reading.lexer import NAME, WORD
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.words import (
    CLAUSES,
    JOINING,
    PHRASES,
    SET_OPERATORS,
    SOFT_CLAUSES,
    SOFT_TSQL_VERBS,
    TSQL_VERBS,
    words,
)

_NOTHING: Final[frozenset[str]] = frozenset()
_AFTER_TERM: Final = words(", ) ; ASC DESC NULLS LIMIT OFFSET FETCH FOR OPTION RETURNING")
_ALSO_FUNCTIONS: Final = frozenset({"UPDATE", "IF"})
_BEGINNINGS: Final = {
    "INSERT": ("INTO",),
    "REPLACE": ("INTO",),
    "MERGE": ("INTO",),
    "DELETE": ("FROM",),
    "TRUNCATE": ("TABLE",),
    "DROP": ("TABLE", "VIEW", "INDEX"),
    "ALTER": ("TABLE",),
}
"""What is a statement of its own even where semicolons must not be left out."""


class Edges:
    """The state of an expression while it is read, and what its edges are told by.

    Args:
        reader: at the first token.
        scope: gets the names.
        end: where to stop at last.
        stops: further words and signs that end it.
        selecting: whether it is a list of what a query gives, with aliases.
        inside: of an expression in parentheses: the function before them, or empty.
    """

    def __init__(
        self,
        reader: Reader,
        scope: Scope,
        end: int,
        *,
        stops: frozenset[str] = _NOTHING,
        selecting: bool = False,
        inside: str | None = None,
    ) -> None:
        self.reader = reader
        self.scope = scope
        self.end = end
        self.stops = stops
        self.selecting = selecting
        self.inside = inside  # of parentheses: the function before them, or empty
        self.operand = False  # whether one is just over
        self.cases = 0
        self.brackets = 0  # of arrays, that are open
        self.item = reader.position  # where this item of the list begins
        self.alias: str | None = None
        self.outputs: frozenset[str] = _NOTHING

    def keyword(self, *, operand: bool = False) -> None:
        """Go on behind a word; whether an operand is over then."""
        self.reader.position += 1
        self.operand = operand

    def ends(self, key: str) -> bool:
        """Whether a word ends the expression."""
        reader = self.reader
        if key in self.stops:
            return not (self.cases or (key in _ALSO_FUNCTIONS and reader.ahead() == "(" and not self.operand))
        if key in CLAUSES:
            return not (
                key == "FROM" and reader.ahead(-1) == "DISTINCT" and reader.ahead(-2) in ("IS", "NOT")
            )
        if self.operand and (key in SOFT_CLAUSES or key in JOINING):
            return not self.is_alias()
        return self._begins_statement(key)

    def _begins_statement(self, key: str) -> bool:
        reader = self.reader
        if key == "WITH":
            return self.operand and reader.ahead(2) in ("AS", "(") and reader.ahead() not in PHRASES["WITH"]
        if key in ("ELSE", "END") and self.cases:
            return False
        if reader.dialect == "tsql" and key in TSQL_VERBS:
            return not (key in _ALSO_FUNCTIONS and reader.ahead() == "(" and not self.operand)
        if not self.operand:
            return reader.batches and (self._begins_change(key) or reader.ends_batch())
        if reader.batches and key in TSQL_VERBS:
            return not self.is_alias()
        if reader.batches and key in SOFT_TSQL_VERBS:
            return reader.token.fresh_line
        if reader.batches and key in ("ENABLE", "DISABLE"):
            return reader.ahead() == "TRIGGER"
        if reader.begins_label() and reader.token.fresh_line:
            return True
        return reader.ahead() in _BEGINNINGS.get(key, ())

    def _begins_change(self, key: str) -> bool:
        """Whether two words are a change's, even where an operand is missing: behind a label, say."""
        following = self.reader.ahead()
        if key == "UPDATE":
            return self.reader.ahead(2) == "SET"
        return (key in ("INSERT", "MERGE") and following == "INTO") or (
            key == "DELETE" and following == "FROM"
        )

    def is_alias(self) -> bool:
        """Whether what is next is the name of what stands before it in a list."""
        if not (self.selecting and self.operand):
            return False
        reader = self.reader
        following = reader.tokens[reader.position + 1]
        return (
            reader.position + 1 >= self.end
            or following.key in (",", ";", ")", "FROM", "INTO", "WHERE")
            or following.key in SET_OPERATORS
            or (following.kind == WORD and self._follows_list(following.key))
        )

    def _follows_list(self, key: str) -> bool:
        reader = self.reader
        if key in self.stops or key in CLAUSES:
            return True
        return key in ("LIMIT", "RETURNING", "UNION") or (reader.batches and key in TSQL_VERBS)

    def names_item(self) -> bool:
        """Read ``name =`` at the beginning of an item: SQL Server's way to say AS."""
        reader = self.reader
        if not (self.selecting and reader.batches and reader.position == self.item and reader.ahead() == "="):
            return False
        self.alias = reader.token.name
        if reader.dialect != "tsql":
            self.scope.names.add(self.alias)
        reader.position += 2
        self.operand = False
        return True

    def is_output(self) -> bool:
        """Read the name of what the query gives, which has been read already."""
        reader = self.reader
        if self.inside is not None or reader.token.name not in self.outputs:
            return False
        following = reader.tokens[reader.position + 1]
        alone = reader.position + 1 >= self.end or following.key in _AFTER_TERM
        if reader.ahead(-1) not in ("BY", ",") or not (
            alone or (reader.batches and following.key in TSQL_VERBS)
        ):
            return False
        self.keyword(operand=True)
        return True

    def end_item(self) -> None:
        """Note the name of an item of the list, if it has one."""
        reader = self.reader
        name = self.alias
        self.scope.renames = self.scope.renames or name is not None
        if name is None:
            tokens = reader.tokens[self.item : min(reader.position, self.item + 9)]
            plain = all(token.kind in (WORD, NAME) for token in tokens[::2])
            plain = plain and all(token.key == "." for token in tokens[1::2])
            if tokens and plain and len(tokens) % 2 and reader.position <= self.item + 9:
                name = tokens[-1].name
        if name is not None:
            self.scope.outputs.add(name)
        self.alias = None
