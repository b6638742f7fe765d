"""Alternatives: what an expression is where several ways meet; kept few, and never fewer than there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from wats_accel.sql.source.values import (
    MOST_ALTERNATIVES,
    MOST_ITEMS,
    NOTHING,
    Atom,
    Hole,
    Item,
    Map,
    Seq,
    Text,
    Unknown,
    Value,
)

_MOST_COMPARED: Final = 200
"""Texts that are compared with each other; more than that are not of a statement that people write."""


def join(values: Iterable[Value]) -> Value:
    """One of several."""
    parts = [value for value in values if value is not NOTHING]
    if not parts:
        return NOTHING
    first = parts[0]
    if all(part == first for part in parts[1:]):
        return first
    atoms = merged([atom for part in parts for atom in part.atoms])
    return Value(
        atoms,
        frozenset().union(*(part.clock for part in parts)),
        any(part.given for part in parts),
        frozenset().union(*(part.answers for part in parts)),
    )


def merged(atoms: Sequence[Atom]) -> tuple[Atom, ...]:
    """Alternatives, each once, lists that differ by optional items as one, and not too many of them."""
    found = list(dict.fromkeys(atoms))
    if sum(isinstance(atom, Seq) for atom in found) > 1:
        found = _with_one_list(found)
    if sum(isinstance(atom, Map) for atom in found) > 1:
        found = _with_one_map(found)
    return tuple(found if len(found) <= MOST_ALTERNATIVES else _fewer(found))


def _with_one_list(atoms: list[Atom]) -> list[Atom]:
    lists = [atom for atom in atoms if isinstance(atom, Seq)]
    by_kind: dict[str, Seq] = {}
    for atom in lists:
        known = by_kind.get(atom.kind)
        by_kind[atom.kind] = atom if known is None or atom.kind == "tuple" else _either(known, atom)
    tuples: list[Atom] = [atom for atom in lists if atom.kind == "tuple"]
    others: list[Atom] = [atom for kind, atom in by_kind.items() if kind != "tuple"]
    return [atom for atom in atoms if not isinstance(atom, Seq)] + tuples + others


def _either(one: Seq, other: Seq) -> Seq:
    """A list that is one or the other: what only one of them has is optional."""
    longer, shorter = (one, other) if len(one.items) >= len(other.items) else (other, one)
    values = [item.value for item in shorter.items]
    items: list[Item] = []
    for item in longer.items:
        if values and values[0] == item.value:
            values.pop(0)
            match = shorter.items[len(shorter.items) - len(values) - 1]
            items.append(Item(item.value, item.optional or match.optional))
        else:
            items.append(Item(item.value, optional=True))
    items += [Item(value, optional=True) for value in values]
    rest = (
        None
        if one.rest is None and other.rest is None
        else join([one.rest or NOTHING, other.rest or NOTHING])
    )
    return Seq(one.kind, tuple(items[:MOST_ITEMS]), rest)


def _with_one_map(atoms: list[Atom]) -> list[Atom]:
    maps = [atom for atom in atoms if isinstance(atom, Map)]
    items: dict[str, Value] = {}
    for each in maps:
        for key, value in each.items:
            items[key] = join([items.get(key, NOTHING), value])
    rests = [each.rest for each in maps if each.rest is not None]
    one = Map(tuple(items.items())[:MOST_ITEMS], join(rests) if rests else None)
    return [atom for atom in atoms if not isinstance(atom, Map)] + [one]


def _fewer(atoms: list[Atom]) -> list[Atom]:
    """At most as many as allowed: a text with optional parts left out asks for no more than the whole one."""
    texts = [atom for atom in atoms if isinstance(atom, Text)]
    kept = longest(texts)
    others = [atom for atom in atoms if not isinstance(atom, Text)]
    if len(others) > MOST_ALTERNATIVES:
        others = [*others[: MOST_ALTERNATIVES - 1], Unknown()]
    if len(kept) > MOST_ALTERNATIVES:
        kept = [*kept[: MOST_ALTERNATIVES - 1], Text((Hole("one of very many texts"),))]
    return [*others, *kept]


def longest(texts: Sequence[Text]) -> list[Text]:
    """The texts without those whose parts another one has, too, in the same order."""
    if len(texts) > _MOST_COMPARED:
        return list(texts)
    by_length = sorted(range(len(texts)), key=lambda index: -len(texts[index].parts))
    parts = [frozenset(text.parts) for text in texts]
    kept: list[int] = []
    for index in by_length:
        larger = (other for other in kept if parts[index] <= parts[other])
        if not any(_is_part(texts[index].parts, texts[other].parts) for other in larger):
            kept.append(index)
    return [texts[index] for index in sorted(kept)]


def _is_part(few: tuple[str | Hole, ...], many: tuple[str | Hole, ...]) -> bool:
    remaining = iter(many)
    return all(part in remaining for part in few)
