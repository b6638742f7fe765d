"""Known methods: what the methods of texts, lists and dictionaries give, and how they change their owner."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from wats_accel.sql.source import operators, paths, templates
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.attributes import with_more
from wats_accel.sql.source.frames import Arguments, Frame
from wats_accel.sql.source.names import MUTATORS
from wats_accel.sql.source.values import (
    FOREIGN,
    NONE,
    NOTHING,
    NUMBER,
    UNKNOWN,
    Atom,
    File,
    Foreign,
    Hole,
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
    hole,
    only,
    text,
)

_BY_PART: Final[dict[str, Callable[[str], str]]] = {
    "upper": str.upper,
    "lower": str.lower,
    "casefold": str.casefold,
    "expandtabs": str.expandtabs,
}
_AT_ENDS: Final = frozenset({"strip", "lstrip", "rstrip", "removeprefix", "removesuffix"})
_SAME: Final = frozenset(
    {"encode", "decode", "copy", "as_string", "format_map_", "bindparams", "columns", "execution_options"}
)
_FETCHING: Final = frozenset({"items", "values", "keys"})


def call(owner: Value, name: str, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    """What a method of something that is no object of the tree gives."""
    found = [_by_atom(atom, name, arguments, frame, node) for atom in owner.atoms]
    return flows_into(join(found), Value((), owner.clock, owner.given), *arguments.all())


def _by_atom(atom: Atom, name: str, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if isinstance(atom, Text):
        return _of_text(Value((atom,)), name, arguments, node)
    if isinstance(atom, Seq):
        return _of_list(atom, name, arguments, frame, node)
    if isinstance(atom, Map):
        return _of_map(atom, name, arguments, frame, node)
    if isinstance(atom, File):
        return paths.method(Value((atom,)), name, arguments, frame)
    if isinstance(atom, Method) and atom.name == "$template":
        return templates.substituted(atom.owner, _given_to_template(arguments), arguments.rest)
    if name == "format" and isinstance(atom, Param | Unknown):
        return templates.as_texts(Value((atom,)), _shown(node))
    if isinstance(atom, Param):
        return Value((Param(atom.name, is_plain=True),)) if atom.is_plain else Value((atom,))
    return FOREIGN if isinstance(atom, Foreign) else UNKNOWN


def _shown(node: ast.expr) -> str:
    return " ".join(ast.unparse(node).split())[:40]


def _given_to_template(arguments: Arguments) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for value in arguments.args[:1]:
        for atom in value.atoms:
            if isinstance(atom, Map):
                found.update(atom.items)
    return {**found, **arguments.kwargs}


# -- texts -----------------------------------------------------------------------------------------------


def _of_text(value: Value, name: str, arguments: Arguments, node: ast.expr) -> Value:
    args = arguments.args
    if name == "format" or name == "format_map":
        kwargs = dict(arguments.kwargs) if name == "format" else _given_to_template(arguments)
        given = [*args, *([arguments.rest] if arguments.rest is not None else [])]
        return templates.formatted(value, given if name == "format" else [], kwargs, _shown(node))
    if name == "join" and args:
        return templates.joined(value, args[0], _shown(node))
    if name in _BY_PART:
        return templates.mapped(value, _BY_PART[name])
    if name in _AT_ENDS:
        return _at_ends(value, name, args)
    if name == "replace" and len(args) > 1:
        return _replaced(value, args[0], args[1], node)
    if name in ("split", "splitlines", "rsplit"):
        return _split(value, name, args)
    if name in _SAME:
        return value
    if name in ("partition", "rpartition"):
        part = Item(join(Value((templates.lost(atom, _shown(node)),)) for atom in value.atoms))
        return Value((Seq("tuple", (part, part, part)),))
    if name in ("title", "capitalize", "center", "ljust", "rjust", "zfill", "swapcase", "translate"):
        return join(Value((templates.lost(atom, _shown(node)),)) for atom in value.atoms)
    return NUMBER if name.startswith(("is", "starts", "ends", "find", "count", "index")) else FOREIGN


def _at_ends(value: Value, name: str, args: list[Value]) -> Value:
    """Stripping: of the first and the last part only, and of what comes next if nothing is left of them."""
    chars = [templates.whole(atom) for each in args[:1] for atom in each.atoms]
    if any(each is None for each in chars) or len(chars) > 1:
        return value
    of = chars[0] if chars else None
    texts = [atom for atom in value.atoms if isinstance(atom, Text)]
    return Value(tuple(Text(_stripped(atom.parts, name, of), atom.worlds) for atom in texts))


def _stripped(parts: tuple[str | Hole, ...], name: str, chars: str | None) -> tuple[str | Hole, ...]:
    found = list(parts)
    strip = getattr(str, name)
    for end, names in ((0, ("strip", "lstrip", "removeprefix")), (-1, ("strip", "rstrip", "removesuffix"))):
        side = {"strip": str.lstrip if end == 0 else str.rstrip}.get(name, strip)
        while name in names and found and isinstance(found[end], str):
            changed = side(found[end], chars) if chars is not None else side(found[end])
            found[end] = changed
            if changed or name.startswith("remove"):
                break
            found.pop(end)
    return tuple(found)


def _replaced(value: Value, old: Value, new: Value, node: ast.expr) -> Value:
    """``replace``: within each part that is known; what it is replaced by may be several texts."""
    needles = [templates.whole(atom) for atom in old.atoms]
    if len(needles) != 1 or not needles[0]:
        return join([value, templates.concat([value, hole(_shown(node))])])
    replacement = templates.as_texts(new, _shown(node))
    found: list[Value] = []
    for atom in value.atoms:
        if not isinstance(atom, Text):
            continue
        pieces: list[Value] = []
        for part in _with_neighbours(atom.parts):
            if isinstance(part, Hole) or needles[0] not in part:
                pieces.append(Value((Text((part,), atom.worlds),)))
                continue
            for index, piece in enumerate(part.split(needles[0])):
                pieces += [replacement] if index else []
                pieces.append(Value((Text((piece,), atom.worlds),)))
        found.append(templates.concat(pieces))
    return flows_into(join(found), old, new)


def _with_neighbours(parts: tuple[str | Hole, ...]) -> list[str | Hole]:
    """The parts with known ones that follow each other as one."""
    found: list[str | Hole] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, str) and isinstance(last, str):
            found[-1] = last + part
        else:
            found.append(part)
    return found


def _split(value: Value, name: str, args: list[Value]) -> Value:
    """The pieces of a text that is known; of others the whole, which asks for no less than its pieces."""
    separators = [templates.whole(atom) for each in args[:1] for atom in each.atoms]
    found: list[Value] = []
    for atom in value.atoms:
        known = templates.whole(atom)
        if known is None or not isinstance(atom, Text) or not separators or separators[0] in (None, ""):
            found.append(Value((Seq("list", (Item(Value((atom,))),)),)))
        else:
            pieces = known.split(separators[0])
            found.append(Value((Seq("list", tuple(Item(text(piece)) for piece in pieces)),)))
    return join(found)


# -- lists and dictionaries ------------------------------------------------------------------------------


def _of_list(atom: Seq, name: str, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if name in ("pop", "popleft"):
        return operators.item(Value((atom,)), arguments.args[0] if arguments.args else NUMBER)
    if name in ("copy", "union", "intersection", "difference"):
        return join([Value((atom,)), *arguments.args])
    if name in MUTATORS:
        return NONE
    return NUMBER if name in ("count", "index") else FOREIGN


def _of_map(atom: Map, name: str, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if name in ("get", "pop", "setdefault", "__getitem__"):
        default = [arguments.args[1]] if len(arguments.args) > 1 else ([NONE] if name == "get" else [])
        key = arguments.args[0] if arguments.args else UNKNOWN
        keys = [operators.key_of(Value((each,))) for each in key.atoms]
        known = dict(atom.items)
        found = operators.item(Value((atom,)), key) if (not keys or None in keys or any(
            each in known for each in keys) or atom.rest is not None) else NOTHING  # fmt: skip
        is_sure = bool(keys) and all(each in known for each in keys)
        return join([found, *([] if is_sure else default)])
    values = [Item(value) for _, value in atom.items]
    if name == "values":
        return Value((Seq("list", tuple(values), atom.rest),))
    if name == "keys":
        keys_there = tuple(Item(_key(key)) for key, _ in atom.items)
        rest = operators.unknown_key(atom.rest) if atom.rest is not None else None
        return Value((Seq("list", keys_there, rest),))
    if name in ("items", "popitem"):
        pairs = tuple(Item(_pair(_key(key), value)) for key, value in atom.items)
        rest = _pair(operators.unknown_key(atom.rest), atom.rest) if atom.rest is not None else None
        return Value((Seq("list", pairs, rest),))
    return Value((atom,)) if name == "copy" else NONE


def _key(key: str) -> Value:
    return FOREIGN if key.startswith("\0") else constant(key)


def _pair(key: Value, value: Value) -> Value:
    return Value((Seq("tuple", (Item(key), Item(value))),))


def changed(owner: Value, name: str, arguments: Arguments) -> Value | None:
    """What an owner is after one of its methods has changed it; None if the method does not."""
    if name not in MUTATORS or not only(owner, Seq, Map).atoms:
        return None
    return join([_changed(atom, owner, name, arguments) for atom in owner.atoms])


def _changed(atom: Atom, owner: Value, name: str, arguments: Arguments) -> Value:
    args = arguments.args
    before = Value((atom,), owner.clock, owner.given)
    if isinstance(atom, Seq) and name in ("append", "add", "appendleft") and args:
        return flows_into(
            Value((operators.extended(atom, Seq(atom.kind, (Item(args[0]),))),)), before, args[0]
        )
    if isinstance(atom, Seq) and name == "insert" and len(args) > 1:
        at_start = operators.key_of(args[0]) == operators.key_of(constant(0)) and atom.rest is None
        one = Seq(atom.kind, (Item(args[1]),))
        added = operators.extended(one, atom) if at_start else operators.extended(atom, one)
        return flows_into(Value((added,)), before, args[1])
    if isinstance(atom, Seq) and name in ("extend", "update") and args:
        return _extended(atom, args[0], before)
    if isinstance(atom, Map) and name == "update":
        return _updated(atom, arguments, before)
    if isinstance(atom, Map) and name in ("setdefault", "__setitem__") and len(args) > 1:
        return stored(before, args[0], args[1])
    if name in ("pop", "remove", "discard", "popleft", "clear", "difference_update", "popitem"):
        return operators.optional(before)
    return (
        before
        if name in ("sort", "reverse", "rotate", "move_to_end")
        else with_more(before, join(arguments.all()))
    )


def _extended(atom: Seq, added: Value, before: Value) -> Value:
    found: list[Value] = []
    for each in added.atoms:
        other = (
            each
            if isinstance(each, Seq)
            else Seq(atom.kind, (), UNKNOWN if not isinstance(each, Foreign) else FOREIGN)
        )
        found.append(Value((operators.extended(atom, other),)))
    return flows_into(join(found), before, added)


def _updated(atom: Map, arguments: Arguments, before: Value) -> Value:
    items = dict(atom.items)
    rest = atom.rest
    for value in arguments.args:
        for each in value.atoms:
            if isinstance(each, Map):
                items.update(each.items)
                rest = join([rest or NOTHING, each.rest]) if each.rest is not None else rest
            else:
                rest = join([rest or NOTHING, FOREIGN if isinstance(each, Foreign) else UNKNOWN])
    items.update(arguments.kwargs)
    return flows_into(Value((Map(tuple(items.items()), rest),)), before, *arguments.all())


def stored(owner: Value, key: Value, value: Value) -> Value:
    """What an owner is after ``owner[key] = value``."""
    known = operators.key_of(key)
    atoms: list[Value] = []
    for atom in owner.atoms:
        if isinstance(atom, Map) and known is not None:
            items = {**dict(atom.items), known: value}
            atoms.append(Value((Map(tuple(items.items()), atom.rest),)))
        else:
            atoms.append(with_more(Value((atom,)), value) if isinstance(atom, Map | Seq) else Value((atom,)))
    return flows_into(join(atoms), owner, value)
