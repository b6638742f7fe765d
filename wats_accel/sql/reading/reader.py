"""The reader: a place in a text's tokens, what is known while reading, and what has been found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from wats_accel.sql.access import ANY, Columns
from wats_accel.sql.reading.findings import UNREADABLE, Findings
from wats_accel.sql.reading.lexer import END, LITERAL, NAME, NUMBER, WORD, Token
from wats_accel.sql.reading.scopes import Relation, Resolution, RowNames, Scope
from wats_accel.sql.reading.words import NO_NAMES, SYSTEM_COLUMNS, TSQL_VERBS

_END: Final = Token(END, "")
_ROW_NAMES: Final[dict[str, RowNames]] = {"postgres": "alias", "": "alias", "sqlite": "table"}
DEEPEST: Final = 60
"""Parentheses in parentheses; deeper texts are not read."""


class ReadsQuery(Protocol):
    """See `queries.read_query`."""

    def __call__(self, reader: Reader, parent: Scope, end: int, *, rows_only: bool = False) -> Relation:
        """Read a query up to `end`."""


class TooMuchError(ValueError):
    """There are too many parentheses in parentheses, or too many CTEs."""


class Reader:
    """Reads tokens in their order.

    Args:
        tokens: of the whole text.
        dialect: as the SQL library has it.
        known: the columns of tables, where they are known.
        query: reads what stands in parentheses and begins like a query or a change.
        text: reads a text that a statement runs.
        outer: the reader of the text that runs this one.

    Raises:
        TooMuchError: it is too deep or too long to be read.
    """

    def __init__(
        self,
        tokens: Sequence[Token],
        dialect: str,
        known: Mapping[str, Columns],
        *,
        query: ReadsQuery,
        text: Callable[[Reader, str], None],
        outer: Reader | None = None,
    ) -> None:
        self.tokens = [*tokens, _END, _END, _END, _END]
        self.size = len(tokens)
        self.position = 0
        self.dialect = dialect
        self.known = known
        self.query = query
        self.text = text
        self.depth: int = 0 if outer is None else outer.depth + 1  # of texts that run texts
        self.cursors = False  # whether one is declared in the text
        self.findings = Findings()
        if outer is not None:
            self.findings.temporary = outer.findings.temporary
        self.controlling = False  # what is read decides what comes next, and is no answer
        self.batches = dialect in ("tsql", "")  # where semicolons may be left out
        self.verbs: frozenset[str] = TSQL_VERBS if self.batches else frozenset()
        self._closing = _pairs(tokens)

    # -- where it is -------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        """The one that is next."""
        return self.tokens[self.position]

    @property
    def key(self) -> str:
        """The next one's key."""
        return self.tokens[self.position].key

    def ahead(self, count: int = 1) -> str:
        """The key of one further on; negative: further back."""
        place = self.position + count
        return self.tokens[place].key if place >= 0 else ""

    def accept(self, *keys: str) -> bool:
        """Go on if the next one has one of these keys."""
        if self.tokens[self.position].key in keys:
            self.position += 1
            return True
        return False

    def skip(self, *keys: str) -> None:
        """Go on while the next one has one of these keys."""
        while self.accept(*keys):
            pass

    def skip_to_semicolon(self) -> None:
        """Go to the end of the statement, where only semicolons end one."""
        while self.position < self.size and self.key != ";":
            self.position += 1

    def skip_statement(self) -> None:
        """Go to the end of the statement, or to where another one begins."""
        while self.position < self.size and self.key != ";" and self.key not in self.verbs:
            self.position += 1

    def ends_batch(self) -> bool:
        """Whether GO is next, on a line of its own, with a number perhaps."""
        if not (self.batches and self.key == "GO" and self.token.fresh_line):
            return False
        following, further = self.tokens[self.position + 1 : self.position + 3]
        if following.kind == NUMBER:
            following = further
        return following.fresh_line or following.kind == END or following.key == ";"

    def begins_label(self) -> bool:
        """Whether a label of T-SQL is next, for GOTO."""
        return self.batches and self.token.kind == WORD and self.ahead() == ":"

    def skip_before_name(self, *keys: str, changing: bool = False) -> None:
        """Go on while one of some words is next, with the name of a table behind it.

        Where no dialect is known, the word may be a table's name, and what follows its alias.
        """
        while self.key in keys:
            following = self.tokens[self.position + 1]
            if following.key != "(" and (following.kind not in (WORD, NAME) or following.key in NO_NAMES):
                return
            if not self.dialect and following.key != "(":
                name = self.token.name
                self.findings.tables.add(name)
                if changing:
                    self.findings.write(name, "any")
                else:
                    self.findings.read(name, (ANY,))
            self.position += 1

    def skip_only(self, *, changing: bool = False) -> None:
        """Go behind ONLY, where it is no name."""
        if self.dialect in ("postgres", "") or (self.dialect == "oracle" and self.ahead() == "("):
            self.skip_before_name("ONLY", changing=changing)

    def closing(self) -> int:
        """Where the parenthesis closes that is next."""
        return self._closing.get(self.position, self.size)

    def skip_group(self) -> bool:
        """Go behind a pair of parentheses, if one is next."""
        if self.key != "(":
            return False
        self.position = min(self.closing() + 1, self.size)
        return True

    def names_follow(self, end: int) -> bool:
        """Whether a name is next."""
        return self.position < end and self.token.kind in (WORD, NAME)

    def skip_names(self) -> frozenset[str]:
        """Go behind a list of names in parentheses. Returns them."""
        inside = self.tokens[self.position + 1 : self.closing()]
        self.skip_group()
        names = frozenset(token.name for token in inside if token.kind in (WORD, NAME))
        self.findings.columns |= names
        return names

    # -- names -------------------------------------------------------------------------------------------

    def chain(self, end: int) -> tuple[str, ...]:
        """Read ``a.b..c``, at a name; its parts as names are compared. An empty one stands for nothing."""
        parts = [self._part()]
        while self.position < end and self.key == ".":
            following = self.tokens[self.position + 1]
            if following.kind in (WORD, NAME, LITERAL):
                self.position += 1
                parts.append(self._part())
            elif following.key == ".":
                self.position += 1
                parts.append("")
            else:
                break
        return tuple(parts)

    def _part(self) -> str:
        name = self.token.name
        self.position += 1
        return name

    # -- scopes ------------------------------------------------------------------------------------------

    def finish(self, scope: Scope) -> None:
        """Give the names that an outermost scope has met to tables."""
        scope.resolve(
            Resolution(
                self.findings,
                self.known,
                SYSTEM_COLUMNS.get(self.dialect, SYSTEM_COLUMNS[""]),
                row_names=_ROW_NAMES.get(self.dialect, "none"),
            )
        )

    def doubt(self) -> None:
        """Note that what is next stands where nobody knows what it means."""
        self.findings.unknown(UNREADABLE, "both")


def _pairs(tokens: Sequence[Token]) -> dict[int, int]:
    closing: dict[int, int] = {}
    opened: list[int] = []
    for place, token in enumerate(tokens):
        if token.key == "(":
            opened.append(place)
            if len(opened) > DEEPEST:
                raise TooMuchError
        elif token.key == ")" and opened:
            closing[opened.pop()] = place
    return closing
