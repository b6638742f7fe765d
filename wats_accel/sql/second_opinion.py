"""The second opinion: what the SQL library makes of the same statements, held against our own reading.

The library has a whole grammar and is silently wrong in places; our reader has none and takes what it does
not know for more. What the library finds and our reader has not is added, so that a statement is told
narrower than it is only if both are wrong in the same place. It is given no literal and no comment of the
text, so that none can get into its messages, which are thrown away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from wats_accel.sql.access import ANY, name_of
from wats_accel.sql.reading.findings import UNREADABLE, Findings
from wats_accel.sql.reading.lexer import LITERAL, NAME, NUMBER, PARAMETER, VARIABLE, Token

if TYPE_CHECKING:
    from sqlglot import exp

_NAME_QUOTES: Final = {"tsql": ("[", "]"), "mysql": ("`", "`")}
_SIGNS: Final = {"[": "(", "]": ")"}
_VARIABLES: Final = frozenset({"tsql", "mysql"})  # where @x is a variable, and not a parameter


_MISTAKEN: Final = frozenset({"$", "default", "top", "low_priority", "quick", "ignore", "delayed"})
"""Words that the library takes for names in places. Where they are names, our reader has seen them, too."""


class _UnsupportedError(Exception):
    """The library would make a command of it, and log its text."""


def add_second_opinion(findings: Findings, dialect: str) -> None:
    """Add to findings what the library finds besides in the same queries and changes.

    Args:
        findings: of our own reading.
        dialect: one of `statement.DIALECTS`.
    """
    parsed = [_add_opinion(tokens, findings, dialect) for tokens in findings.queries]
    findings.parsed = all(parsed) and all(unknown.what != UNREADABLE for unknown in findings.unknowns)


def _add_opinion(tokens: Sequence[Token], findings: Findings, dialect: str) -> bool:
    """Of one statement. Whether the library could read it."""
    try:
        trees = list(_trees(_text(tokens, dialect), dialect))
    except Exception:  # noqa: BLE001 - of whatever kind, RecursionError as well: it cannot read it
        return False
    for tree in trees:
        _compare(tree, findings)
    return True


# -- what the library is given ---------------------------------------------------------------------------


def _text(tokens: Iterable[Token], dialect: str) -> str:
    """A statement with nothing in place of literals, parameters and comments.

    Indexes become calls: of indexes the library writes into its log.
    """
    parts: list[str] = []
    for token in tokens:
        if token.spaced and parts:
            parts.append(" ")
        parts.append(_spelling(token, dialect))
    return "".join(parts)


def _spelling(token: Token, dialect: str) -> str:
    if token.kind == NAME:
        opening, closing = _NAME_QUOTES.get(dialect, ('"', '"'))
        return opening + token.text.replace(closing, closing * 2) + closing
    if token.kind == LITERAL:
        return "'$'"
    if token.kind in (PARAMETER, NUMBER) or (token.kind == VARIABLE and dialect not in _VARIABLES):
        return "1"
    return _SIGNS.get(token.key, token.text)


def _trees(text: str, dialect: str) -> Iterator[exp.Expr]:
    from sqlglot import Dialect  # noqa: PLC0415 - heavy
    from sqlglot.errors import ErrorLevel  # noqa: PLC0415 - heavy

    library = Dialect.get_or_raise(dialect)
    parser = _quiet(type(library).parser_class)(dialect=library, error_level=ErrorLevel.IMMEDIATE)
    for tree in parser.parse(library.tokenize(text), text):
        if tree is not None:
            yield tree


_quiet_parsers: Final[dict[type[Any], type[Any]]] = {}


def _quiet(parser: type[Any]) -> type[Any]:
    """A parser that raises where the library's own writes the text into a log and reads on."""

    def refuse(_: object) -> None:
        raise _UnsupportedError

    if parser not in _quiet_parsers:
        _quiet_parsers[parser] = type(
            parser.__name__, (parser,), {"__slots__": (), "_warn_unsupported": refuse}
        )
    return _quiet_parsers[parser]


# -- what it finds ---------------------------------------------------------------------------------------


def _compare(tree: exp.Expr, findings: Findings) -> None:
    """Add the tables and columns of a tree that our own reader has not seen as such."""
    from sqlglot import exp  # noqa: PLC0415 - heavy

    columns: set[str] = set()
    for node in tree.walk():
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            columns.add(name_of(node.name))
        elif isinstance(node, exp.Table):
            _compare_table(node, findings)
        elif isinstance(node, (exp.Insert, exp.Update, exp.Delete, exp.Merge)):
            _compare_target(node, findings)
    missed = columns - findings.columns - _MISTAKEN
    if missed:
        for table in findings.reads.values():
            table |= missed


def _compare_table(node: exp.Table, findings: Findings) -> None:
    name = _table_name(node)
    if name and name not in findings.tables:
        findings.read(name, (ANY,))


def _compare_target(node: exp.Expr, findings: Findings) -> None:
    from sqlglot import exp  # noqa: PLC0415 - heavy

    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    if not isinstance(target, exp.Table):
        return
    name = _table_name(target)
    if name and name not in findings.targets and all(name != table for table, _ in findings.writes):
        findings.write(name, "any")


def _table_name(node: exp.Table) -> str:
    """Its name; empty if it is a function, a parameter, or a temporary table."""
    from sqlglot import exp  # noqa: PLC0415 - heavy

    identifier = node.this
    if not isinstance(identifier, exp.Identifier):
        return ""
    if identifier.args.get("temporary") or identifier.args.get("global_"):
        return ""
    name = name_of(identifier.name)
    return "" if name in _MISTAKEN else name
