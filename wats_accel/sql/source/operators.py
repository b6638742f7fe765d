"""Operators: what arithmetic, subscripts and slices make of values."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from wats_accel.sql.source import templates
from wats_accel.sql.source.alternatives import join, merged
from wats_accel.sql.source.values import (
    FOREIGN,
    MOST_ITEMS,
    NOTHING,
    NUMBER,
    UNKNOWN,
    Atom,
    Const,
    File,
    Foreign,
    Item,
    Map,
    Method,
    Param,
    Seq,
    Text,
    Unknown,
    Value,
    constant,
    flows_into,
    only,
)


def binary(
    op: ast.operator,
    left: Value,
    right: Value,
    left_node: ast.AST | None = None,
    right_node: ast.AST | None = None,
) -> Value:
    """``left op right``; the nodes tell how the sides are shown where they are not known."""
    if isinstance(op, ast.Add):
        return _added(left, right, left_node, right_node)
    if isinstance(op, ast.Mod) and only(left, Text, Param, Unknown, Method).atoms:
        texts = templates.as_texts(only(left, Text, Param, Unknown, Method), _label(left_node))
        return templates.percent(texts, right, _label(right_node))
    if isinstance(op, ast.Mult):
        for one, other in ((left, right), (right, left)):
            if only(one, Text, Seq).atoms:
                return templates.repeated(one, other)
    if isinstance(op, ast.Div) and only(left, File).atoms:
        return _path_below(left, right)
    if isinstance(op, ast.BitOr) and (only(left, Map).atoms or only(right, Map).atoms):
        return flows_into(Value(merged([*only(left, Map).atoms, *only(right, Map).atoms])), left, right)
    if isinstance(op, ast.Sub) and left.clock and right.clock:
        return NUMBER  # how long something took
    numbers = _number(op, left, right)
    return flows_into(constant(numbers) if numbers is not None else NUMBER, left, right)


def _label(node: ast.AST | None) -> str:
    if node is None:
        return "…"
    shown = " ".join(ast.unparse(node).split())
    return shown if len(shown) <= 40 else shown[:39] + "…"


def _number(op: ast.operator, left: Value, right: Value) -> int | None:
    if len(left.atoms) != 1 or len(right.atoms) != 1:
        return None
    one, other = left.atoms[0], right.atoms[0]
    if not (isinstance(one, Const) and isinstance(other, Const)):
        return None
    if isinstance(one.value, int) and isinstance(other.value, int):
        if isinstance(op, ast.Sub):
            return one.value - other.value
        if isinstance(op, ast.Add):
            return one.value + other.value
    return None


def _added(left: Value, right: Value, left_node: ast.AST | None, right_node: ast.AST | None) -> Value:
    found: list[Value] = []
    if only(left, Text).atoms or only(right, Text).atoms:
        sides = [
            templates.as_texts(only(side, Text, Const, Param, Unknown, Foreign, Method), _label(node))
            for side, node in ((left, left_node), (right, right_node))
        ]
        found.append(templates.concat(sides))
    lists = [atom for atom in left.atoms if isinstance(atom, Seq)]
    others = [atom for atom in right.atoms if isinstance(atom, Seq)]
    for one in lists:
        more = others or [Seq(one.kind, (), flows_into(UNKNOWN, right))]
        found += [flows_into(Value((extended(one, other),)), left, right) for other in more]
    if not lists:
        found += [flows_into(Value((Seq(each.kind, each.items, UNKNOWN),)), left, right) for each in others]
    if found:
        return join(found)
    number = _number(ast.Add(), left, right)
    if number is not None:
        return flows_into(constant(number), left, right)
    names = [atom for atom in (*left.atoms, *right.atoms) if isinstance(atom, Param | Unknown | Method)]
    return flows_into(Value(merged(names)) if names else NUMBER, left, right)


def extended(one: Seq, other: Seq) -> Seq:
    """One list with the items of another behind its own."""
    if one.rest is None and len(one.items) + len(other.items) <= MOST_ITEMS:
        return Seq(one.kind, one.items + other.items, other.rest)
    rest = join([one.rest or NOTHING, other.rest or NOTHING, *(item.value for item in other.items)])
    return Seq(one.kind, one.items, rest)


def _path_below(left: Value, right: Value) -> Value:
    names = templates.as_texts(right, "…")
    found = [
        Value((File(templates.concat([atom.path, Value((Text(("/",)),)), names])),))
        for atom in left.atoms
        if isinstance(atom, File)
    ]
    return flows_into(join(found), left, right)


def unknown_key(rest: Value) -> Value:
    """A key of a dictionary of which only the values are described: its caller's, if they are."""
    given = [atom for atom in rest.atoms if isinstance(atom, Param)]
    return Value(tuple(given), given=rest.given) if given else FOREIGN


# -- items -----------------------------------------------------------------------------------------------


def key_of(value: Value) -> str | None:
    """A key as `Map` has it; None if it is not known."""
    if len(value.atoms) != 1:
        return None
    atom = value.atoms[0]
    if isinstance(atom, Const):
        return f"\0{atom.type_name}:{atom.value!r}"
    known = templates.whole(atom)
    if known is None and isinstance(atom, Text):
        return None
    return known if known is not None else _key_of_other(atom)


def _key_of_other(atom: Atom) -> str | None:
    if isinstance(atom, Seq | Map | Param | Unknown | Foreign):
        return None
    return f"\0{atom!r}"


def item(value: Value, key: Value) -> Value:
    """``value[key]``."""
    found = [_item(atom, key) for atom in value.atoms]
    is_known = all(isinstance(atom, Seq | Map) for atom in value.atoms)  # then each item has its own clock
    owner = Value((), frozenset() if is_known else value.clock, value.given)
    return flows_into(join(found), owner, Value((), key.clock, key.given))


def _item(atom: Atom, key: Value) -> Value:
    if isinstance(atom, Map):
        return _of_map(atom, key)
    if isinstance(atom, Seq):
        return _of_list(atom, key)
    if isinstance(atom, Param | Foreign):
        return Value((Foreign() if isinstance(atom, Foreign) else atom,))
    if isinstance(atom, Text):
        return Value((templates.lost(atom, "…"),))
    return UNKNOWN


def _of_map(atom: Map, key: Value) -> Value:
    items = dict(atom.items)
    keys = [key_of(Value((each,))) for each in key.atoms]
    known = [items[each] for each in keys if each is not None and each in items]
    if all(each is not None and each in items for each in keys) and keys:
        return join(known)
    rest = [atom.rest] if atom.rest is not None else []
    return join([*items.values(), *rest]) if None in keys or not rest else join([*known, *rest])


def _of_list(atom: Seq, key: Value) -> Value:
    known = key.atoms[0] if len(key.atoms) == 1 else None
    index = known.value if isinstance(known, Const) and isinstance(known.value, int) else None
    is_sure = atom.rest is None and not any(each.optional for each in atom.items)
    if index is not None and is_sure and -len(atom.items) <= index < len(atom.items):
        return atom.items[index].value
    return join([*(each.value for each in atom.items), *([atom.rest] if atom.rest is not None else [])])


def unpacked(value: Value, where: int | str) -> Value:
    """A part of a value that is unpacked: by its place, from the end, or all between two places."""
    if isinstance(where, int):
        return item(value, constant(where))
    if not where.startswith("*"):
        return item(value, constant(-int(where)))
    before, after = map(int, where[1:].split(":"))
    found: list[Atom] = []
    for atom in value.atoms:
        if isinstance(atom, Seq) and atom.rest is None:
            found.append(Seq("list", atom.items[before : len(atom.items) - after]))
        elif isinstance(atom, Seq):
            found.append(Seq("list", atom.items[before:], atom.rest))
        else:
            found.append(Seq("list", (), item(Value((atom,)), NUMBER)))
    return flows_into(Value(merged(found)), value)


def sliced(value: Value, bounds: Sequence[Value | None], label: str) -> Value:
    """``value[a:b:c]``."""
    known = [_bound(bound) for bound in bounds]
    found: list[Atom] = []
    for atom in value.atoms:
        if isinstance(atom, Text):
            found.append(_sliced_text(atom, known, label))
        elif isinstance(atom, Seq):
            found.append(_sliced_list(atom, known))
        else:
            found.append(atom if isinstance(atom, Param | Foreign) else Unknown())
    return flows_into(Value(merged(found)), value, *(bound for bound in bounds if bound is not None))


def _bound(bound: Value | None) -> int | str | None:
    if bound is None:
        return None
    atom = bound.atoms[0] if len(bound.atoms) == 1 else None
    if isinstance(atom, Const) and isinstance(atom.value, int | None):
        return atom.value
    return "unknown"


def _sliced_text(atom: Text, bounds: Sequence[int | str | None], label: str) -> Text:
    if "unknown" in bounds:
        return templates.lost(atom, label)
    whole = templates.whole(atom)
    if whole is not None:
        return Text((whole[slice(*bounds)],), atom.worlds)  # type: ignore[arg-type] # no text among them here
    start, end, step = bounds
    last = atom.parts[-1]
    is_end = start in (None, 0) and step is None and isinstance(end, int) and end < 0
    if is_end and isinstance(end, int) and isinstance(last, str) and len(last) >= -end:
        return Text((*atom.parts[:-1], last[:end]), atom.worlds)
    return templates.lost(atom, label)


def _sliced_list(atom: Seq, bounds: Sequence[int | str | None]) -> Seq:
    is_sure = atom.rest is None and not any(each.optional for each in atom.items)
    if is_sure and "unknown" not in bounds:
        return Seq(atom.kind, atom.items[slice(*bounds)])  # type: ignore[arg-type] # no text among them here
    return Seq(atom.kind, tuple(Item(each.value, optional=True) for each in atom.items), atom.rest)


def optional(value: Value) -> Value:
    """A list whose items need not be there."""
    atoms: list[Atom] = []
    for atom in value.atoms:
        if isinstance(atom, Seq):
            items = tuple(Item(each.value, optional=True) for each in atom.items)
            atoms.append(Seq(atom.kind, items, atom.rest))
        else:
            atoms.append(atom)
    return Value(tuple(atoms), value.clock, value.given)


def chained(parts: Sequence[Value], *, is_known: bool) -> Value:
    """Lists or dictionaries as one; if it is not known how many there are, any number of each."""
    lists = [atom for part in parts for atom in part.atoms if isinstance(atom, Seq)]
    maps = [atom for part in parts for atom in part.atoms if isinstance(atom, Map)]
    if maps:
        return flows_into(Value(merged(list(maps))) if is_known else Value((_any_of(maps),)), *parts)
    one = Seq(lists[0].kind if lists else "list")
    for atom in lists:
        one = extended(one, atom)
    if not is_known:
        values = [*(each.value for each in one.items), *([one.rest] if one.rest is not None else [])]
        one = Seq(one.kind, (), join(values) if values else None)
    return flows_into(Value((one,)), *parts)


def _any_of(maps: list[Map]) -> Map:
    values = [value for each in maps for _, value in each.items]
    values += [each.rest for each in maps if each.rest is not None]
    return Map((), join(values) if values else FOREIGN)
