"""Queries: SELECT with its clauses, several of them in one, and the CTEs before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wats_accel.sql.reading.changes import read_change
from wats_accel.sql.reading.expressions import read_expression, read_parenthesis
from wats_accel.sql.reading.lexer import LITERAL, NUMBER, PARAMETER, VARIABLE
from wats_accel.sql.reading.reader import Reader, TooMuchError
from wats_accel.sql.reading.scopes import Relation, Scope
from wats_accel.sql.reading.tables import read_table, read_tables
from wats_accel.sql.reading.words import CHANGES, SELECT_MODIFIERS, SET_OPERATORS, words

_LOCKING: Final = words(
    "FOR NO KEY UPDATE SHARE READ ONLY BROWSE SKIP LOCKED NOWAIT WAIT XML JSON RAW AUTO EXPLICIT IN MODE"
)
_ROWS: Final = frozenset({"ROW", "ROWS", "ONLY", "PERCENT"})
_MOST_CTES: Final = 300  # in one WITH
_MOST_PAIRS: Final = 200_000  # of queries in a UNION and of names in its ORDER BY
_FILTERS: Final = frozenset({"WHERE", "HAVING", "QUALIFY", "GROUP"})
_HIERARCHIES: Final = frozenset({("CONNECT", "BY"), ("START", "WITH")})


def read_query(reader: Reader, parent: Scope, end: int, *, rows_only: bool = False) -> Relation:
    """Read a query, or a change that gives rows, with its CTEs.

    Args:
        reader: at its first word.
        parent: the block that it stands in.
        end: where to stop at last.
        rows_only: whether only the number of its rows matters, if it is one SELECT.
    """
    outermost = parent
    if reader.key == "WITH":
        parent = Scope(parent, _read_ctes(reader, parent, end))
    outermost.verb = reader.key
    if reader.key in CHANGES:
        return read_change(reader, parent, end)
    return _read_blocks(reader, parent, end, rows_only=rows_only)


# -- WITH ------------------------------------------------------------------------------------------------


@dataclass
class _Cte:
    """A CTE: its name, the names of its columns if it says so, and where its query is."""

    name: str
    outputs: frozenset[str] | None
    start: int
    end: int


def _read_ctes(reader: Reader, parent: Scope, end: int) -> Mapping[str, Relation]:
    reader.position += 1
    recursive = reader.accept("RECURSIVE")
    ctes = list(_find_ctes(reader, end))
    behind = reader.position
    relations = dict(parent.relations)
    all_visible = reader.dialect == "sqlite" or (recursive and reader.dialect == "postgres")
    for number, cte in enumerate(ctes):
        visible = dict(relations)
        if all_visible:
            visible.update({other.name: Relation(other.outputs) for other in ctes[number:]})
        if _may_be_recursive(reader, cte, recursive=recursive):
            visible[cte.name] = Relation(cte.outputs, may_be_table=not (recursive or reader.dialect))
        elif not recursive and cte.name in visible:
            visible.pop(cte.name)
        reader.position = cte.start
        body = Scope(parent, visible)
        found = reader.query(reader, body, cte.end)
        if reader.position < cte.end:
            reader.doubt()
        renames = found.renames or cte.outputs is not None
        outputs = found.outputs if cte.outputs is None else cte.outputs
        relations[cte.name] = Relation(outputs, found.tables, renames)
        if reader.dialect in ("sqlite", ""):
            body.gives = relations[cte.name]
    reader.position = behind
    return relations


def _find_ctes(reader: Reader, end: int) -> list[_Cte]:
    found: list[_Cte] = []
    while reader.names_follow(end):
        if len(found) > _MOST_CTES:
            raise TooMuchError
        name = reader.chain(end)[-1]
        outputs = reader.skip_names() if reader.key == "(" else None
        if reader.accept("AS"):
            reader.skip("NOT", "MATERIALIZED")
            if reader.key != "(":
                reader.doubt()
                break
            found.append(_Cte(name, outputs, reader.position + 1, min(reader.closing(), end)))
            reader.skip_group()
            _skip_search(reader, end)
        if not reader.accept(","):
            break
    return found


def _skip_search(reader: Reader, end: int) -> None:
    """SEARCH DEPTH FIRST BY a SET b, CYCLE a SET b USING c: columns of the CTE itself."""
    while reader.position < end and reader.key in ("SEARCH", "CYCLE"):
        while reader.position < end and reader.key not in (
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "MERGE",
            "(",
        ):
            if reader.key == "," and reader.ahead(2) in ("AS", "("):
                return
            reader.position += 1


def _may_be_recursive(reader: Reader, cte: _Cte, *, recursive: bool) -> bool:
    """Whether a CTE's name means itself in its own query, and no table of that name."""
    if not (recursive or reader.dialect in ("tsql", "sqlite", "oracle", "")):
        return False
    return any(token.key == "UNION" for token in reader.tokens[cte.start : cte.end])


# -- SELECT ----------------------------------------------------------------------------------------------


def _read_blocks(reader: Reader, parent: Scope, end: int, *, rows_only: bool) -> Relation:
    """Read queries that are joined by UNION and the like, and what follows them."""
    blocks: list[Scope] = []
    relations: list[Relation] = []
    while True:
        relation = _read_block(reader, parent, end, blocks, rows_only=rows_only)
        relations.append(relation)
        if reader.position >= end or reader.key not in SET_OPERATORS:
            break
        if rows_only:
            _select_all_again(blocks)
        rows_only = False
        reader.position += 1
        reader.skip("ALL", "DISTINCT", "CORRESPONDING")
    _read_tail(reader, blocks, parent, end)
    tables = {table for relation in relations for table in relation.tables}
    return Relation(relations[0].outputs, tables, any(relation.renames for relation in relations))


def _select_all_again(blocks: list[Scope]) -> None:
    """Columns matter where rows are compared with those of other queries."""
    for block in blocks:
        block.everything = True


def _read_block(reader: Reader, parent: Scope, end: int, blocks: list[Scope], *, rows_only: bool) -> Relation:
    key = reader.key
    if key == "(":
        close = min(reader.closing(), end)
        reader.position += 1
        relation = reader.query(reader, parent, close)
        if reader.position < close:
            reader.doubt()
        reader.position = min(close + 1, reader.size)
        return relation
    block = Scope(parent)
    block.rows_only = rows_only
    blocks.append(block)
    if key == "SELECT":
        _read_select(reader, block, end)
        return block.relation()
    reader.position += 1
    if key == "VALUES":
        read_expression(reader, block, end)
        return Relation()
    if key == "TABLE" and reader.names_follow(end):
        read_tables(reader, block, end)
        block.everything = True
        return Relation(None, set(block.tables()))
    reader.doubt()
    return Relation()


def _read_select(reader: Reader, block: Scope, end: int) -> None:
    reader.position += 1
    _read_modifiers(reader, block, end)
    read_expression(reader, block, end, selecting=True)
    while reader.position < end:
        key = reader.key
        if key == "FROM":
            reader.position += 1
            read_tables(reader, block, end)
        elif key in _FILTERS or (key, reader.ahead()) in _HIERARCHIES:
            reader.position += 1
            if key not in ("WHERE", "HAVING", "QUALIFY"):
                reader.skip("BY", "WITH", "NOCYCLE")
            read_expression(reader, block, end)
        elif key == "INTO":
            _read_into(reader, end)
        elif key == "WINDOW":
            _read_windows(reader, block, end)
        else:
            break


def _read_modifiers(reader: Reader, block: Scope, end: int) -> None:
    """DISTINCT ON (...), TOP 5 PERCENT, SQL_NO_CACHE and the like."""
    while reader.position < end:
        key, following = reader.key, reader.tokens[reader.position + 1]
        is_value = following.kind in (NUMBER, PARAMETER, VARIABLE)
        if key in SELECT_MODIFIERS and following.key not in (",", "FROM", "."):
            reader.position += 1
            if key == "DISTINCT" and reader.key == "ON" and reader.ahead() == "(":
                reader.position += 1
                read_parenthesis(reader, block, end)
        elif key in ("TOP", "FIRST", "SKIP") and (is_value or (key == "TOP" and following.key == "(")):
            reader.position += 1
            if reader.key == "(":
                read_parenthesis(reader, block, end)
            else:
                reader.position += 1
            reader.skip("PERCENT")
            if reader.key == "WITH" and reader.ahead() == "TIES":
                reader.position += 2
        else:
            return


def _read_into(reader: Reader, end: int) -> None:
    """SELECT ... INTO: a new table, a file or variables."""
    reader.position += 1
    start = reader.position
    if reader.dialect != "tsql":
        reader.skip_before_name(
            "TEMP", "TEMPORARY", "UNLOGGED", "LOCAL", "GLOBAL", "TABLE", "STRICT", changing=True
        )
    skipped = {token.key for token in reader.tokens[start : reader.position]}
    temporary = not skipped.isdisjoint({"TEMP", "TEMPORARY"})
    if reader.accept("OUTFILE", "DUMPFILE"):
        reader.position += int(reader.token.kind == LITERAL)
        return
    while reader.token.kind in (VARIABLE, PARAMETER) and reader.position < end:
        reader.position += 1
        if not reader.accept(","):
            return
    table = read_table(reader, end)
    if table is None:
        return
    if temporary or table.temporary:
        reader.findings.temporary.add(table.name)
    else:
        reader.findings.write(table.name, "any")
    while reader.accept(","):  # variables of a procedure
        reader.position += 1


def _read_windows(reader: Reader, block: Scope, end: int) -> None:
    reader.position += 1
    while reader.names_follow(end) and reader.ahead() == "AS":
        reader.position += 2
        if reader.key == "(":
            read_parenthesis(reader, block, end)
        if not reader.accept(","):
            return


# -- what follows ----------------------------------------------------------------------------------------


def _read_tail(reader: Reader, blocks: list[Scope], parent: Scope, end: int) -> None:
    """ORDER BY, LIMIT, OFFSET, FETCH, FOR, OPTION and the like."""
    while reader.position < end:
        key = reader.key
        if key == "ORDER":
            _read_order(reader, blocks, parent, end)
        elif key in ("LIMIT", "OFFSET"):
            reader.position += 1
            reader.skip("ALL")
            read_expression(reader, Scope(parent), end, stops=_ROWS)
            reader.skip("ROW", "ROWS")
        elif key == "FETCH" and reader.ahead() in ("FIRST", "NEXT") and reader.ahead(2) != "FROM":
            reader.position += 2
            read_expression(reader, Scope(parent), end, stops=_ROWS)
            reader.skip("PERCENT", "ROW", "ROWS", "ONLY")
            if reader.key == "WITH" and reader.ahead() == "TIES":
                reader.position += 2
        elif key == "FOR":
            _skip_locking(reader, end)
        elif key == "OPTION" and reader.ahead() == "(":
            reader.position += 1
            reader.skip_group()
        elif key == "WITH" and reader.ahead() in ("UR", "CS", "RS", "RR", "CHECK", "READ", "NO", "DATA"):
            reader.position += 2
            reader.skip("OPTION", "ONLY", "DATA")
        elif key == "LOCK" and reader.ahead() == "IN":
            reader.position += 2
            reader.skip("SHARE", "MODE")
        elif key == "INTO":
            _read_into(reader, end)
        else:
            return


def _read_order(reader: Reader, blocks: list[Scope], parent: Scope, end: int) -> None:
    order = Scope(blocks[-1] if blocks else parent)
    reader.position += 1
    reader.skip("SIBLINGS")
    outputs = frozenset(name for block in blocks for name in block.outputs)
    reader.position += int(reader.key == "BY")
    read_expression(reader, order, end, outputs=outputs)
    few = len(blocks) * (len(order.names) + len(order.qualified)) <= _MOST_PAIRS
    for block in blocks[:-1]:
        block.everything = block.everything or not few
        if few:
            block.names |= order.names
            block.qualified |= order.qualified


def _skip_locking(reader: Reader, end: int) -> None:
    """FOR UPDATE OF t NOWAIT, FOR XML PATH('row'), ROOT('rows') and the like: nothing is read by them."""
    reader.position += 1
    reader.skip(*_LOCKING)
    while reader.accept("OF"):
        while reader.names_follow(end) and reader.key not in _LOCKING:
            reader.chain(end)
            if not reader.accept(","):
                break
        reader.skip(*_LOCKING)
    if reader.position < end and (reader.key in ("PATH", ",") or reader.token.kind in (NUMBER, LITERAL)):
        read_expression(reader, Scope(None), end)
    elif reader.key == "(":
        reader.skip_group()
