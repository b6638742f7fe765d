"""Texts of views, triggers and routines: what they touch, as far as they can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from wats_accel.sql.access import Columns, name_of, union
from wats_accel.sql.facts import Facts, Hidden
from wats_accel.sql.schema import last_part
from wats_accel.sql.schema_description import TableDescription, Touches
from wats_accel.sql.statement import facts_of


def columns_of(tables: Mapping[str, TableDescription], views: Iterable[str] = ()) -> dict[str, Columns]:
    """The columns of tables, as `facts_of` takes them; not of names that are views, too, in other schemas."""
    others = set(map(last_part, views))
    return {
        last_part(name): frozenset(map(name_of, table.columns))
        for name, table in tables.items()
        if table.columns is not None and last_part(name) not in others
    }


def facts_of_all(texts: Iterable[str], dialect: str, columns: Mapping[str, Columns]) -> Facts:
    """What several statements do together."""
    parts = [facts_of(text, dialect, columns) for text in texts if text.strip()]
    return Facts(
        kinds=tuple(chain(*(part.kinds for part in parts))),
        reads=union(part.reads for part in parts),
        writes=tuple(dict.fromkeys(chain(*(part.writes for part in parts)))),
        calls=frozenset(chain(*(part.calls for part in parts))),
        reads_clock=any(part.reads_clock for part in parts),
        unknowns=tuple(dict.fromkeys(chain(*(part.unknowns for part in parts)))),
        parsed=all(part.parsed for part in parts),
    )


def together(several: Iterable[Touches]) -> Touches:
    """What several touch, as the routines of one name with other parameters do."""
    parts = list(several)
    return Touches(
        reads=_joined(part.reads or () for part in parts)
        if all(p.reads is not None for p in parts)
        else None,
        writes=_joined(part.writes for part in parts),
        calls=_joined(part.calls for part in parts),
        reads_clock=any(part.reads_clock for part in parts),
        hides=more_hidden(part.hides for part in parts),
    )


def more_hidden(several: Iterable[Hidden | None]) -> Hidden | None:
    """What there may be more of, of several together."""
    hides = set(several) - {None}
    if "both" in hides or len(hides) > 1:
        return "both"
    return next(iter(hides), None)


def _joined(several: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain(*several)))
