"""PL/pgSQL: the statements of SQL that a body holds, and what it does to the row that fires a trigger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from wats_accel.sql.catalogue.definitions import Token, tokens

_SQL = frozenset(
    {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "VALUES", "TABLE", "CALL", "LOCK"}
    | {"CREATE", "DROP", "ALTER", "COPY", "REFRESH", "NOTIFY", "SET", "RESET", "ANALYZE", "DO", "COMMENT"}
)
_MARKS = frozenset({"BEGIN", "ELSE", "LOOP", "THEN", "EXCEPTION", "ATOMIC"})  # a statement may follow at once
_UP_TO_THEN = frozenset({"IF", "ELSIF", "ELSEIF", "WHEN"})
_UP_TO_LOOP = frozenset({"WHILE", "FOR", "FOREACH"})
_SILENT = frozenset({"END", "NULL", "CLOSE", "COMMIT", "ROLLBACK"})
_WITH_EXPRESSIONS = frozenset(
    {"RETURN", "PERFORM", "ASSERT", "EXIT", "CONTINUE", "RAISE", "OPEN", "GET", "FETCH", "MOVE"}
)

_Tokens = Sequence[Token]


@dataclass
class Body:
    """What was found in a body.

    Attributes:
        statements: of SQL, and expressions as queries; together they read and write what the body does.
        is_dynamic: whether it builds statements of its own, or holds what cannot be read here.
        sets_new: columns, in small letters, of the row that fires it which it sets; ``*`` for any.
    """

    statements: list[str] = field(default_factory=list)
    is_dynamic: bool = False
    sets_new: set[str] = field(default_factory=set)


def body_of(text: str) -> Body:
    """Take a body of PL/pgSQL apart."""
    reader = _Reader(text)
    reader.read()
    return reader.found


class _Reader:
    def __init__(self, text: str) -> None:
        self.found = Body()
        self._text = text
        self._tokens = list(tokens(text, "postgres"))
        self._at = 0
        self._declares = False

    def read(self) -> None:
        while self._at < len(self._tokens):
            self._step()

    def _step(self) -> None:
        """One statement, or the part of one in front of others."""
        word = self._tokens[self._at].text if self._tokens[self._at].is_word else ""
        if word == "DECLARE" or word in _MARKS:
            self._declares = word == "DECLARE"
            self._at += 1
        elif self._declares:
            self._declaration(self._up_to(";"))
        elif word in _UP_TO_THEN:
            self._expression(self._up_to("THEN")[1:])
        elif word in _UP_TO_LOOP:
            self._loop(self._up_to("LOOP"))
        elif word == "CASE":
            self._expression(self._up_to("WHEN", keep=True)[1:])
        elif self._tokens[self._at].text == "<":  # <<label>>
            self._up_to(">")
            self._at += 1
        else:
            self._statement(word, self._up_to(";"))

    def _up_to(self, end: str, *, keep: bool = False) -> _Tokens:
        """The tokens before a word or sign; that of a CASE expression in between is none."""
        start = self._at
        cases = 0
        for number in range(start, len(self._tokens)):
            token = self._tokens[number]
            if token.text == ";" or (token.text == end and not cases and not token.depth and number > start):
                self._at = number if keep else number + 1
                return self._tokens[start:number]
            is_case = token.is_word and token.text == "CASE" and number > start
            cases += is_case - (token.is_word and token.text == "END" and cases > 0)
        self._at = len(self._tokens)
        return self._tokens[start:]

    def _declaration(self, piece: _Tokens) -> None:
        """``name type := e``, ``name type DEFAULT e``, ``name CURSOR FOR query``."""
        for number, token in enumerate(piece):
            if token.depth:
                continue
            if token.text in ("=", "DEFAULT"):
                self._expression(piece[number + 1 :])
                return
            if token.is_word and token.text in ("FOR", "IS") and piece[number - 1].text != "ALIAS":
                self._query(piece[number + 1 :])
                return

    def _loop(self, piece: _Tokens) -> None:
        """``WHILE e``, ``FOR x IN query``, ``FOR i IN 1 .. n BY e``, ``FOREACH x IN ARRAY e``."""
        if piece[0].text == "WHILE":
            self._expression(piece[1:])
            return
        start = next((number for number, token in enumerate(piece) if token.text == "IN"), len(piece)) + 1
        self._new(piece[1 : start - 1])
        rest = piece[start:]
        if rest and rest[0].text in ("ARRAY", "REVERSE"):
            rest = rest[1:]
        self._query(rest)

    def _statement(self, word: str, piece: _Tokens) -> None:
        following = piece[1].text if len(piece) > 1 and piece[1].is_word else ""
        if not piece or word in _SILENT:
            return
        if word in _SQL:
            self._sql(piece)
        elif word == "EXECUTE":
            self.found.is_dynamic = True
        elif word == "RETURN" and following in ("QUERY", "NEXT"):
            self._query(piece[2:])
        elif word in _WITH_EXPRESSIONS:
            self._with_expressions(word, piece)
        else:
            self._assignment(piece)

    def _with_expressions(self, word: str, piece: _Tokens) -> None:
        if word == "RETURN" and len(piece) > 1 and piece[1].text not in ("NEW", "OLD", "NULL", ";"):
            self.found.sets_new.add("*")
        if word in ("GET", "FETCH", "MOVE"):
            if any(token.text == "NEW" for token in piece):
                self.found.sets_new.add("*")
            self.found.is_dynamic |= any(token.text == "(" for token in piece)  # how far: who would do that
        elif word == "OPEN":
            start = next((number for number, token in enumerate(piece) if token.text == "FOR"), None)
            self._query(piece[2:] if start is None else piece[start + 1 :])
        elif word == "RAISE":
            for part in _split(piece[1:], ","):
                self._expression(part[1:] if part and part[0].text in ("USING", "NOTICE") else part)
        elif word in ("EXIT", "CONTINUE"):  # label WHEN e
            start = next((number for number, token in enumerate(piece) if token.text == "WHEN"), len(piece))
            self._expression(piece[start + 1 :])
        else:
            self._expression(piece[1:])

    def _assignment(self, piece: _Tokens) -> None:
        """``target := e`` or ``target = e``; whatever else begins like that is no statement known here."""
        outer = (number for number, token in enumerate(piece) if token.text == "=" and not token.depth)
        equals = next(outer, 0)
        target = piece[: equals - 1] if piece[equals - 1].text == ":" else piece[:equals]
        if not _is_target(target):
            self.found.is_dynamic = True
            return
        self._new(target)
        self._expression(target)  # its subscripts may call
        self._expression(piece[equals + 1 :])

    def _new(self, targets: _Tokens) -> None:
        """Note what is assigned to the row that fires the trigger."""
        for number, token in enumerate(targets):
            if token.is_word and token.text == "NEW":
                has_column = len(targets) > number + 2 and targets[number + 1].text == "."
                column = targets[number + 2].text if has_column else "*"
                self.found.sets_new.add(column.strip('"').lower())

    def _query(self, piece: _Tokens) -> None:
        if piece and piece[0].text == "EXECUTE":
            self.found.is_dynamic = True
        elif piece and piece[0].is_word and piece[0].text in _SQL:
            self._sql(piece)
        else:
            for part in _ranges(piece):
                self._expression(part)

    def _sql(self, piece: _Tokens) -> None:
        """A statement, without the INTO by which it fills variables."""
        for number, token in enumerate(piece):
            is_into = token.is_word and token.text == "INTO" and token.depth == piece[0].depth
            if is_into and piece[number - 1].text not in ("INSERT", "MERGE"):
                end = _end_of_targets(piece, number + 1)
                self._new(piece[number + 1 : end])
                self.found.statements.append(f"{self._between(piece[:number])} {self._between(piece[end:])}")
                return
        self.found.is_dynamic |= piece[0].text == "DO"
        self.found.statements.append(self._between(piece))

    def _expression(self, piece: _Tokens) -> None:
        """An expression, as a query of it. One without calls and tables reads nothing."""
        if any(token.text in ("(", "FROM") for token in piece):
            self.found.statements.append(f"SELECT {self._between(piece)}")

    def _between(self, piece: _Tokens) -> str:
        return self._text[piece[0].start : piece[-1].end] if piece else ""


def _is_target(piece: _Tokens) -> bool:
    """Names with dots between them, and perhaps subscripts behind them."""
    outer = [token for token in piece if not token.depth and token.text not in "[]"]
    names, dots = outer[::2], outer[1::2]
    are_names = all(token.is_word or token.text.startswith('"') for token in names)
    return len(names) == len(dots) + 1 and are_names and all(token.text == "." for token in dots)


def _end_of_targets(piece: _Tokens, start: int) -> int:
    """Where the variables behind an INTO end: names, with dots and commas between them."""
    end = start + (start < len(piece) and piece[start].text == "STRICT") + 1
    while end + 1 < len(piece) and piece[end].text in (",", "."):
        end += 2
    return min(end, len(piece))


def _split(piece: _Tokens, sign: str) -> Iterable[_Tokens]:
    start = 0
    for number, token in enumerate(piece):
        if token.text == sign and not token.depth:
            yield piece[start:number]
            start = number + 1
    yield piece[start:]


def _ranges(piece: _Tokens) -> Iterable[_Tokens]:
    """The parts of ``1 .. n BY 2``, or the one part that there is."""
    for part in _split(piece, "BY"):
        texts = [token.text for token in part]
        dots = next((at for at in range(len(texts) - 1) if texts[at] == texts[at + 1] == "."), None)
        if dots is None:
            yield part
        else:
            yield part[:dots]
            yield part[dots + 2 :]
