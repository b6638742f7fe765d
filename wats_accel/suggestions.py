"""Suggestions: the nearest valid name for one that is not known."""

from __future__ import annotations

from collections.abc import Iterable

from wats_accel.errors import shown

_SHOWN = 12


def nearest(name: str, known: Iterable[str], *, listed: Iterable[str] | None = None) -> str:
    """A clause for the end of a message: the nearest of the known names, else the list of them.

    Args:
        name: what is not known.
        known: what would have been.
        listed: what the list has instead of all of these, where one thing has several names.
    """
    import difflib  # noqa: PLC0415 - after a mistake only

    names = sorted({shown(known_name) for known_name in known})
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    names = names if listed is None else sorted({shown(listed_name) for listed_name in listed})
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"; known: {', '.join(names[:_SHOWN])}{more}"
