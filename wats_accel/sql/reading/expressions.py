"""Expressions: which columns, functions and subqueries stand in them.

No tree is made. A name is a column unless it stands where none can; words that are not known are names.
"""

from __future__ import annotations

from typing import Final

from wats_accel.sql.access import ANY
from wats_accel.sql.reading import calls
from wats_accel.sql.reading.affixes import Affixes
from wats_accel.sql.reading.beginnings import holds_query
from wats_accel.sql.reading.lexer import LITERAL, NAME, SIGN, VARIABLE, WORD, Token
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.words import (
    DATE_PARTS,
    OPERATORS,
    PAIRS,
    PART_FIRST,
    PHRASES,
    QUANTIFIERS,
    RESERVED,
)

_NOTHING: Final[frozenset[str]] = frozenset()
_IN_WINDOWS: Final = frozenset({"PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS"})
_BEFORE_OPERATORS: Final = frozenset("~!@#<>=|&^%/+-")


def read_expression(
    reader: Reader,
    scope: Scope,
    end: int,
    *,
    stops: frozenset[str] = _NOTHING,
    selecting: bool = False,
    outputs: frozenset[str] = _NOTHING,
) -> None:
    """Read up to the next clause or statement, and stay before it.

    Args:
        reader: at the first token.
        scope: gets the names.
        end: where to stop at last.
        stops: further words and signs that end it.
        selecting: whether it is a list of what a query gives, with aliases.
        outputs: of a list after ORDER BY: names that mean what a query gives, where they stand alone.
    """
    expression = _Expression(reader, scope, end, stops=stops, selecting=selecting)
    expression.outputs = outputs
    expression.read()


def read_parenthesis(reader: Reader, scope: Scope, end: int) -> None:
    """Read a pair of parentheses, a subquery or a list, and go behind it."""
    expression = _Expression(reader, scope, end)
    expression.read_group("")


class _Expression(Affixes):
    def read(self) -> None:
        reader = self.reader
        while reader.position < self.end:
            token = reader.token
            if token.kind == SIGN:
                going_on = self._sign(token)
            elif token.kind in (WORD, NAME):
                going_on = self._word(token)
            else:
                going_on = self._value(token)
            if not going_on:
                break
        if self.selecting:
            self.end_item()

    # -- signs and values --------------------------------------------------------------------------------

    def _sign(self, token: Token) -> bool:
        reader = self.reader
        if token.key in self.stops and self.inside is None and not self.brackets:
            return False
        if token.key == ";" or (token.key == ")" and self.inside is None):
            if self.inside is not None:
                reader.doubt()
            return False
        if token.key == "(":
            self.read_group("")
            return True
        is_star = token.key == "*" and not self.operand and reader.ahead(-1) not in _BEFORE_OPERATORS
        if is_star:
            self._star()
        elif token.key == ".":
            self._field()
            return True
        elif token.key == "::":
            reader.position += 1
            self.skip_type()
            return True
        elif token.key in ("{", "}"):
            reader.doubt()
        elif token.key == "," and self.selecting and not self.brackets:
            self.end_item()
        reader.position += 1
        self.brackets = max(self.brackets + (token.key == "[") - (token.key == "]"), 0)
        self.operand = token.key == "]" or is_star
        if token.key == "," and self.selecting and not self.brackets:
            self.item = reader.position
        return True

    def _star(self) -> None:
        if self.inside is not None:
            if self.inside not in ("count", "count_big"):
                self.scope.everything = True
        elif not self.scope.rows_only:
            self.scope.everything = True
        self.scope.outputs_known = self.scope.outputs_known and not self.selecting

    def _field(self) -> None:
        """What follows the value of an expression, as in (a).b; the value itself has been read."""
        reader = self.reader
        reader.position += 1
        if reader.names_follow(self.end) or reader.key == "*":
            reader.position += 1
        self.operand = True

    def _value(self, token: Token) -> bool:
        reader = self.reader
        if token.kind == LITERAL:
            calls.note_literal(reader, token)
            if self.operand and self.selecting:
                self.alias = token.name
        elif token.kind == VARIABLE:
            calls.note_variable(reader, token.text)
            if reader.dialect in ("postgres", "") and reader.ahead(-1) == "<" and not token.spaced:
                self.scope.use((token.name.lstrip("@"),))  # r <@s, with an operator of PostgreSQL
        elif self.is_sign_of_operator(token):
            reader.position += 1
            self.operand = False
            return True
        elif token.text.startswith("$") and token.name in ("$identity", "$rowguid"):
            self.scope.everything = True
        elif token.text.startswith(":") and reader.ahead(-1) == "[":
            self.scope.use((token.name[1:],))  # a[:b], up to a column
        reader.position += 1
        self.operand = True
        return True

    # -- words -------------------------------------------------------------------------------------------

    def _word(self, token: Token) -> bool:
        reader = self.reader
        if token.kind == NAME or reader.ahead() == ".":
            self._name()
            return True
        key = token.key
        if self.inside is None and self.ends(key):
            return False
        if key == "END" and self.cases:
            self.cases -= 1
            self.keyword(operand=True)
        elif key in RESERVED:
            self._reserved(key)
        elif self.operand:
            self._behind_operand(key)
        else:
            self._operand(key)
        return True

    def _reserved(self, key: str) -> None:
        reader = self.reader
        if key == "AS":
            self._as()
            return
        self.cases += key == "CASE"
        if key in ("SELECT", "TABLE", "CREATE"):  # nothing that an expression has
            reader.doubt()
        self.keyword(operand=key == "NULL")
        if key == "IN" and reader.dialect in ("sqlite", "") and self.inside != "position":
            self._table()
        if key == "ALL" and reader.key == "(":
            self.read_group("all")

    def _table(self) -> None:
        """IN t, as SQLite has it: the same as IN (SELECT * FROM t)."""
        reader = self.reader
        if not reader.names_follow(self.end):
            return
        parts = reader.chain(self.end)
        reader.findings.tables.add(parts[-1])
        reader.findings.columns.update(parts)
        self.operand = True
        if reader.key == "(":
            self._function(parts)
        elif not (len(parts) == 1 and parts[0] in self.scope.relations):
            reader.findings.read(parts[-1], (ANY,))

    def _as(self) -> None:
        reader = self.reader
        reader.position += 1
        if self.selecting:
            self.alias = reader.token.name
            reader.position += int(reader.position < self.end)
            self.operand = True
        elif self.inside is not None:
            self.skip_type()
        self.operand = True

    def _behind_operand(self, key: str) -> None:
        reader = self.reader
        if key == "WITHIN" and reader.ahead() == "GROUP" and reader.ahead(2) == "(":
            reader.position += 2
            self.read_group("within")
        elif self.is_alias():
            self.alias = reader.token.name
            self.keyword(operand=True)
        elif key == "COLLATE":
            self.keyword(operand=True)
            if reader.names_follow(self.end):
                reader.chain(self.end)
        elif key in ("ASC", "DESC", "ISNULL", "NOTNULL", "PRECEDING", "FOLLOWING"):
            self.keyword(operand=True)
        elif key == "OPERATOR" and reader.ahead() == "(":
            self.skip_named_operator()
        elif key in OPERATORS:
            self._operator(key)
        elif key in DATE_PARTS and reader.ahead(-2) == "INTERVAL":
            self.keyword(operand=True)
        else:
            self._operand(key)

    def _operator(self, key: str) -> None:
        reader = self.reader
        self.keyword()
        phrase = PHRASES.get(key, ())
        while reader.position < self.end and reader.key in phrase:
            reader.position += 1
            self.operand = key in ("NULLS", "EXCLUDE", "WITH", "IS", "RESPECT", "IGNORE")
        if key in ("OVER", "FILTER", "WITHIN"):
            if key == "OVER" and reader.names_follow(self.end):
                reader.position += 1  # the name of a window
                self.operand = True
            elif reader.key == "(":
                self.read_group(key.lower())

    def _operand(self, key: str) -> None:
        reader = self.reader
        following = reader.tokens[reader.position + 1]
        if calls.note_word(reader, key) or self.is_constant(key):
            self.keyword(operand=True)
        elif key == "DEFAULT" or (key in ("IS", "LIKE", "IN") and reader.ahead(-1) == "NOT"):
            self.keyword(operand=key == "DEFAULT")
        elif following.key in PAIRS.get(key, ()):
            reader.position += 2
            self.operand = key in ("CURRENT", "UNBOUNDED")
        elif key == "BY" and reader.ahead(-1) in ("GROUP", "ORDER", "PARTITION", "SETS", "SIBLINGS"):
            self.keyword()
        elif key in QUANTIFIERS and following.key in ("(", "["):
            self.keyword()
            if following.key == "(":
                self.read_group(key.lower())
        elif key == "OPERATOR" and following.key == "(" and reader.dialect in ("postgres", ""):
            self.skip_named_operator()
        elif self.is_prefix(key, following):
            self.keyword()
        else:
            self._name()

    # -- names and functions -----------------------------------------------------------------------------

    def _name(self) -> None:
        reader = self.reader
        if self.selecting and self.operand and self.is_alias() and reader.ahead() != ".":
            self.alias = reader.token.name
            self.keyword(operand=True)
            return
        if self.names_item() or self.is_output():
            return
        parts = reader.chain(self.end)
        if reader.position < self.end and reader.key == "(" and not self._outer_join():
            self._function(parts)
        elif reader.key == "." and reader.ahead() == "*":
            reader.position += 2
            if not (self.scope.rows_only and self.selecting):
                self.scope.use((*parts[-1:], "*"))
            self.scope.outputs_known = self.scope.outputs_known and not self.selecting
        else:
            self.scope.use(parts)
        self.operand = True

    def _outer_join(self) -> bool:
        """Skip ``(+)``, Oracle's way to say OUTER JOIN. Whether it was there."""
        reader = self.reader
        if reader.ahead() != "+" or reader.ahead(2) != ")":
            return False
        reader.position += 3
        return True

    def _function(self, parts: tuple[str, ...]) -> None:
        reader = self.reader
        if len(parts) > 1 and calls.is_method(reader, parts[-1]):
            self.scope.use(parts[:-1])
        else:
            calls.note_function(reader, parts)
        self.read_group(parts[0] if len(parts) == 1 else "")

    def read_group(self, function: str) -> None:
        """Read a pair of parentheses."""
        reader = self.reader
        end = min(reader.closing(), self.end)
        is_query = holds_query(reader, end)
        reader.position += 1
        if is_query and reader.position < end:
            # Others than SQL Server tell the columns of EXISTS (SELECT * ...) to those who may forbid it.
            reader.query(reader, self.scope, end, rows_only=function == "exists" and reader.dialect == "tsql")
            if reader.position < end:
                reader.doubt()
        else:
            inner = _Expression(reader, self.scope, end, inside=function)
            inner.skip_beginning()
            inner.read()
        reader.position = min(end + 1, reader.size)
        self.operand = True

    def skip_beginning(self) -> None:
        """Skip what stands first in some parentheses and is no operand: a window's name, a type."""
        reader = self.reader
        following = reader.tokens[reader.position + 1]
        if self.inside == "over" and reader.names_follow(self.end):
            if reader.position + 1 >= self.end or following.key in _IN_WINDOWS:
                self.operand = reader.key not in _IN_WINDOWS
                reader.position += int(self.operand)
        elif self.inside in ("convert", "try_convert") and self.type_comes_first():
            self.skip_type()
            self.operand = False
        elif reader.key in DATE_PARTS and (self.inside or "").upper() in PART_FIRST:
            self._skip_date_part()

    def _skip_date_part(self) -> None:
        """EXTRACT(day FROM a), DATEADD(day, 1, a); of some functions the first argument may be a column."""
        reader = self.reader
        if reader.ahead() not in (",", "FROM"):
            return
        surely = reader.ahead() == "FROM" or reader.dialect == "tsql" or reader.key.startswith("SQL_TSI")
        if not (surely or (reader.dialect == "mysql" and self.inside in ("timestampadd", "timestampdiff"))):
            self.scope.use((reader.token.name,))
        reader.position += 1
