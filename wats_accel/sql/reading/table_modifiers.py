"""What stands behind a table and says how it is read: hints, samples, partitions, versions."""

from __future__ import annotations

from wats_accel.sql.reading.lexer import LITERAL, NAME, NUMBER, PARAMETER, VARIABLE, WORD
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.words import TABLE_HINTS


def skip_modifiers(reader: Reader, end: int) -> None:
    """Skip hints, samples, versions and the like behind a table's name or alias."""
    while reader.position < end:
        if reader.key == "(" and are_hints(reader):
            reader.skip_names()
        elif not _skip_modifier(reader, end):
            return


def _skip_modifier(reader: Reader, end: int) -> bool:
    """Skip what says how a table is read. Whether there was such a thing."""
    key, following = reader.key, reader.ahead()
    if key == "WITH" and following in ("(", "ORDINALITY"):
        reader.position += 1
        if not reader.accept("ORDINALITY"):
            reader.skip_names()
    elif key in ("TABLESAMPLE", "PARTITION", "SAMPLE", "REPEATABLE", "SUBPARTITION") and following in (
        "(", "SYSTEM", "BERNOULLI", "BLOCK",
    ):  # fmt: skip
        reader.position += 1
        reader.skip("SYSTEM", "BERNOULLI", "BLOCK")
        reader.skip_group()
    elif key == "INDEXED" and following == "BY":
        reader.position += 2
        if reader.names_follow(end):
            reader.findings.tables.update(reader.chain(end))
    elif key == "NOT" and following == "INDEXED":
        reader.position += 2
    elif key in ("USE", "FORCE", "IGNORE") and following in ("INDEX", "KEY"):
        reader.position += 2
        reader.skip("FOR", "JOIN", "ORDER", "GROUP", "BY")
        reader.skip_group()
    elif key in ("FOR", "AS") and following in ("SYSTEM_TIME", "OF", "VERSION", "PORTION"):
        _skip_version(reader)
    else:
        return False
    return True


def _skip_version(reader: Reader) -> None:
    """FOR SYSTEM_TIME AS OF ..., BETWEEN ... AND ..., ALL, FROM ... TO ...; AS OF TIMESTAMP ..."""
    reader.position += 2
    reader.skip("AS", "OF", "ALL", "BETWEEN", "FROM", "CONTAINED", "IN", "TIMESTAMP", "SCN", "SYSTEM_TIME")
    between = ("AND", "TO")
    while (
        reader.token.kind in (LITERAL, PARAMETER, VARIABLE, NUMBER)
        or reader.key in (*between, "(")
        or (reader.token.kind in (WORD, NAME) and (reader.ahead() in between or reader.ahead(-1) in between))
    ):
        if not reader.skip_group():
            reader.position += 1


def are_hints(reader: Reader) -> bool:
    """Whether the parentheses that are next hold hints of SQL Server only."""
    if not reader.batches:
        return False
    inside = reader.tokens[reader.position + 1 : reader.closing()]
    return bool(inside) and inside[0].kind == WORD and inside[0].key in TABLE_HINTS
