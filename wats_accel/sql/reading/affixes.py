"""Affixes: what says something of the operand before or behind it: types, prefixes, named operators."""

from __future__ import annotations

from typing import Final

from wats_accel.sql.reading.edges import Edges
from wats_accel.sql.reading.lexer import END, LITERAL, NUMBER, SIGN, WORD, Token
from wats_accel.sql.reading.words import CONSTANTS, RESERVED, TYPED_LITERALS, UNARY, words

_TYPE_WORDS: Final = words(
    "PRECISION VARYING UNSIGNED SIGNED CHARACTER SET INTEGER INT LARGE OBJECT RAW LOCAL ARRAY"
)
_NO_OPERANDS: Final = (RESERVED - {"CASE", "NULL", "SELECT", "NOT", "DISTINCT"}) | words(
    "AS ASC DESC END NULLS COLLATE IS LIKE BETWEEN LIMIT OFFSET FETCH FOR INTO"
)


class Affixes(Edges):
    """What such words and signs are told by; each method is at the word, or says what it is given."""

    def skip_type(self) -> None:
        """Skip the name of a type; what stands in parentheses behind it is no column."""
        reader = self.reader
        if reader.names_follow(self.end):
            reader.chain(self.end)
            while reader.token.kind == WORD and reader.key in _TYPE_WORDS and reader.position < self.end:
                reader.position += 1
            sized = reader.tokens[reader.position + 1]
            if reader.key == "(" and (sized.kind == NUMBER or sized.key in ("MAX", "BYTE", "CHAR")):
                reader.skip_group()
            reader.skip("WITH", "WITHOUT", "TIME", "ZONE")
        self.operand = True

    def type_comes_first(self) -> bool:
        """Whether CONVERT has its type first, as in SQL Server; ODBC has {fn CONVERT(a, SQL_VARCHAR)}."""
        last = self.reader.tokens[self.end - 1]
        return self.reader.dialect == "tsql" and not last.key.startswith("SQL_")

    def skip_named_operator(self) -> None:
        """Skip OPERATOR(pg_catalog.+) of PostgreSQL."""
        self.keyword()
        self.reader.skip_group()

    def is_sign_of_operator(self, token: Token) -> bool:
        """Whether a question mark is one of PostgreSQL's operators: j ? 'key', j @? path."""
        if token.text != "?" or self.reader.dialect not in ("postgres", ""):
            return False
        return self.operand or (self.reader.ahead(-1) == "@" and not token.spaced)

    def is_constant(self, key: str) -> bool:
        """Whether a word is TRUE, FALSE or UNKNOWN, and no column that is called so."""
        if key == "UNKNOWN" and self.reader.ahead(-1) not in ("IS", "NOT"):
            return False
        return key in CONSTANTS and self.reader.dialect not in ("tsql", "oracle")

    def is_prefix(self, key: str, following: Token) -> bool:
        """Whether a word says something of the operand behind it, and is no column."""
        dialect = self.reader.dialect
        if following.kind == LITERAL and key in TYPED_LITERALS:
            return dialect not in ("tsql", "sqlite")
        if key not in UNARY or following.key == "(":
            return key in UNARY
        if following.kind in (SIGN, END) or following.key in _NO_OPERANDS:
            return False
        if (following.kind == WORD or key == "KEY") and not UNARY[key] & {dialect, self.inside}:
            return False
        if not dialect:
            self.scope.use((self.reader.token.name,))
        return True
