"""Templates: texts put together from values of which some are not known."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from wats_accel.sql.source.alternatives import longest, merged
from wats_accel.sql.source.values import (
    EMPTY_TEXT,
    MOST_ALTERNATIVES,
    NOTHING,
    Atom,
    Const,
    File,
    Foreign,
    Hole,
    Item,
    Map,
    Method,
    Param,
    Seq,
    Text,
    Value,
    World,
    flows_into,
    hole,
    text,
)

_LONGEST_REPEAT: Final = 200
_MOST_PARTS: Final = 120
_PERCENT: Final = re.compile(r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.\d+)?(?P<type>[a-zA-Z%])")


def as_texts(value: Value, label: str) -> Value:
    """A value as ``str()`` gives it: what is no text is a part that is not known."""
    atoms: list[Atom] = [_as_text(atom, label) for atom in value.atoms]
    return Value(merged(atoms), value.clock, value.given)


def _as_text(atom: Atom, label: str) -> Text:
    if isinstance(atom, Text):
        return atom
    if isinstance(atom, Const) and atom.value is None:
        return Text((Hole("None", "nothing"),))
    if isinstance(atom, Const) and isinstance(atom.value, int | float):
        return Text((str(atom.value),))
    if isinstance(atom, File):
        known = [each for each in atom.path.atoms if isinstance(each, Text)]
        return known[0] if len(known) == 1 else Text((Hole(label),))
    if isinstance(atom, Foreign) and atom.is_number:
        return Text((Hole(label, "number"),))
    return Text((Hole(label, "parameter" if _is_given(atom) else "unknown"),))


def _is_given(atom: Atom) -> bool:
    """Whether only the caller knows it: a parameter, or an attribute of one."""
    if isinstance(atom, Method):
        return bool(atom.owner.atoms) and all(map(_is_given, atom.owner.atoms))
    return isinstance(atom, Param)


def concat(values: Sequence[Value]) -> Value:
    """Texts one after the other, in all combinations that can be, as long as they are not too many."""
    found = EMPTY_TEXT
    for value in values:
        found = flows_into(Value(_product(found, value)), found, value)
    return found


def _product(before: Value, after: Value) -> tuple[Atom, ...]:
    left, right = _texts(before), _texts(after)
    if len(left) * len(right) > MOST_ALTERNATIVES:
        left, right = longest(left), longest(right)
    if len(left) * len(right) > MOST_ALTERNATIVES:
        right = [Text((Hole("one of many texts"),))]
    return merged([added for one in left for other in right if (added := _added(one, other)) is not None])


def _texts(value: Value) -> list[Text]:
    return [atom for atom in value.atoms if isinstance(atom, Text)]


def _added(one: Text, other: Text) -> Text | None:
    """Both in one; None if they are from different worlds."""
    worlds = _in_both(one.worlds, other.worlds)
    return None if worlds is None else Text(_few(one.parts + other.parts), worlds)


def _few(parts: tuple[str | Hole, ...]) -> tuple[str | Hole, ...]:
    """Parts, of which there are not very many: those that are known are put together where there are."""
    if len(parts) <= _MOST_PARTS:
        return parts
    found: list[str | Hole] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, str) and isinstance(last, str):
            found[-1] = last + part
        else:
            found.append(part)
    return tuple(found) if len(found) <= _MOST_PARTS else (Hole("a very long text"),)


def _in_both(one: frozenset[World], other: frozenset[World]) -> frozenset[World] | None:
    if not one or not other:
        return one or other
    known = {world.of: world.which for world in one}
    if any(known.get(world.of, world.which) != world.which for world in other):
        return None
    return one | other


def joined(separator: Value, items: Value, label: str) -> Value:
    """``separator.join(items)``: everything that may be in it is; more of the same changes nothing."""
    found: list[Value] = []
    for atom in items.atoms:
        if isinstance(atom, Seq):
            parts = [item.value for item in atom.items] + ([atom.rest] if atom.rest is not None else [])
            found.append(_between(separator, [as_texts(part, label) for part in parts]))
        elif isinstance(atom, Map):
            rest = [hole(label)] if atom.rest is not None else []
            found.append(_between(separator, [text(key) for key, _ in atom.items] + rest))
        elif isinstance(atom, Text):
            found.append(_between_characters(separator, atom))
        else:
            found.append(as_texts(Value((atom,)), label))
    atoms = merged([atom for value in found for atom in value.atoms])
    return flows_into(Value(atoms), separator, items, *found)


def _between_characters(separator: Value, atom: Text) -> Value:
    """``", ".join("???")``."""
    known = whole(atom)
    if known is None or len(known) > _LONGEST_REPEAT:
        return Value((atom,))
    return _between(separator, [text(character) for character in known])


def _between(separator: Value, parts: list[Value]) -> Value:
    if not parts:
        return EMPTY_TEXT
    woven = [parts[0]]
    for part in parts[1:]:
        woven += [separator, part]
    return concat(woven)


def repeated(value: Value, times: Value) -> Value:
    """``value * times`` of a text or a list; an unknown number of times is once, and perhaps again."""
    count = next((atom.value for atom in times.atoms if isinstance(atom, Const)), None)
    sure = isinstance(count, int) and len(times.atoms) == 1 and 0 <= count <= _LONGEST_REPEAT
    atoms: list[Atom] = []
    for atom in value.atoms:
        if isinstance(atom, Text):
            atoms.append(
                Text(atom.parts * count if sure and isinstance(count, int) else atom.parts, atom.worlds)
            )
        elif isinstance(atom, Seq):
            items = atom.items * count if sure and isinstance(count, int) else atom.items
            atoms.append(Seq(atom.kind, items, atom.rest))
    return flows_into(Value(merged(atoms)), value, times) if atoms else NOTHING


def mapped(value: Value, change: Callable[[str], str]) -> Value:
    """A text with each of its known parts changed."""
    atoms: list[Atom] = [
        Text(tuple(change(part) if isinstance(part, str) else part for part in atom.parts), atom.worlds)
        for atom in _texts(value)
    ]
    return flows_into(Value(merged(atoms)), value)


def whole(atom: Atom) -> str | None:
    """A text of which every part is known."""
    if not isinstance(atom, Text):
        return None
    known = [part for part in atom.parts if isinstance(part, str)]
    return "".join(known) if len(known) == len(atom.parts) else None


def changed_as_a_whole(value: Value, change: Callable[[str], str], label: str) -> Value:
    """A text changed in a way that needs all of it; not known if some part of it is not."""
    atoms: list[Atom] = []
    for atom in _texts(value):
        known = whole(atom)
        atoms.append(Text((change(known),), atom.worlds) if known is not None else lost(atom, label))
    return flows_into(Value(merged(atoms)), value)


def lost(atom: Atom, label: str) -> Text:
    """A text that has become another one, nobody knows which; its caller may."""
    is_given = isinstance(atom, Text) and any(
        isinstance(part, Hole) and part.kind == "parameter" for part in atom.parts
    )
    worlds = atom.worlds if isinstance(atom, Text) else frozenset()
    return Text((Hole(label, "parameter" if is_given or _is_given(atom) else "unknown"),), worlds)


# -- templates of the language ---------------------------------------------------------------------------


def percent(template: Value, argument: Value, label: str) -> Value:
    """``template % argument``."""
    found = [
        concat([*_percent_parts(atom, argument, label)]) if isinstance(atom, Text) else hole(label)
        for atom in template.atoms
    ]
    atoms = merged([atom for value in found for atom in value.atoms])
    return flows_into(Value(atoms), template, argument)


def _percent_parts(template: Text, argument: Value, label: str) -> Iterable[Value]:
    number = 0
    for part in template.parts:
        if isinstance(part, Hole):
            yield Value((Text((part,), template.worlds),))
            continue
        end = 0
        for match in _PERCENT.finditer(part):
            yield Value((Text((part[end : match.start()],), template.worlds),))
            end = match.end()
            if match["type"] == "%":
                yield text("%")
                continue
            found = _argument(argument, match["key"], number)
            number += 1
            kind = "number" if match["type"] in "diufeEgGxX" else "unknown"
            shown = label if found is None else _shown(match["key"], number, label)
            known = (
                hole(shown, "number" if kind == "number" else "unknown")
                if found is None
                else as_texts(found, shown)
            )
            yield known
        yield Value((Text((part[end:],), template.worlds),))


def _shown(key: str | None, number: int, label: str) -> str:
    return key or f"{label} [{number - 1}]"


def _argument(argument: Value, key: str | None, number: int) -> Value | None:
    for atom in argument.atoms:
        if key is not None and isinstance(atom, Map):
            return dict(atom.items).get(key, atom.rest)
        if key is None and isinstance(atom, Seq) and atom.kind == "tuple":
            return atom.items[number].value if number < len(atom.items) else atom.rest
    return argument if key is None and number == 0 else None


def formatted(template: Value, args: Sequence[Value], kwargs: Mapping[str, Value], label: str) -> Value:
    """``template.format(*args, **kwargs)``."""
    found = [concat(_format_parts(atom, args, kwargs, label)) for atom in _texts(template)]
    atoms = merged([atom for value in found for atom in value.atoms])
    return flows_into(Value(atoms), template, *args, *kwargs.values())


def _format_parts(
    template: Text, args: Sequence[Value], kwargs: Mapping[str, Value], label: str
) -> list[Value]:
    found: list[Value] = []
    automatic = 0
    for part in template.parts:
        if isinstance(part, Hole):
            found.append(Value((Text((part,), template.worlds),)))
            continue
        for literal, name in _fields(part):
            found.append(Value((Text((literal,), template.worlds),)))
            if name is None:
                continue
            index = str(automatic) if name == "" else name
            automatic += name == ""
            found.append(_field(index, args, kwargs, label))
    return found


def _fields(part: str) -> list[tuple[str, str | None]]:
    try:
        return [(literal, name) for literal, name, _, _ in string.Formatter().parse(part)]
    except ValueError:  # an odd brace: it would raise at run time
        return [(part, None)]


def _field(name: str, args: Sequence[Value], kwargs: Mapping[str, Value], label: str) -> Value:
    if name.isdigit() and int(name) < len(args):
        return as_texts(args[int(name)], label)
    if name in kwargs:
        return as_texts(kwargs[name], name)
    return hole(name or label)


def substituted(template: Value, given: Mapping[str, Value], rest: Value | None) -> Value:
    """``string.Template(template).substitute(**given)``."""
    pattern = re.compile(r"\$(?:(?P<escaped>\$)|(?P<named>\w+)|\{(?P<braced>\w+)\})")
    found: list[Value] = []
    for atom in _texts(template):
        pieces: list[Value] = []
        for part in atom.parts:
            if isinstance(part, Hole):
                pieces.append(Value((Text((part,), atom.worlds),)))
                continue
            end = 0
            for match in pattern.finditer(part):
                pieces.append(Value((Text((part[end : match.start()],), atom.worlds),)))
                end = match.end()
                name = match["named"] or match["braced"]
                pieces.append(as_texts(given.get(name) or rest or hole(name), name) if name else text("$"))
            pieces.append(Value((Text((part[end:],), atom.worlds),)))
        found.append(concat(pieces))
    atoms = merged([atom for value in found for atom in value.atoms])
    return flows_into(Value(atoms), template, *given.values())


def of_one_kind(value: Value, *kinds: type) -> bool:
    """Whether every alternative is of one of the kinds."""
    return bool(value.atoms) and all(isinstance(atom, kinds) for atom in value.atoms)


def items_of(value: Value) -> list[Item] | None:
    """The items of a list that is known from one end to the other; None otherwise."""
    if len(value.atoms) != 1:
        return None
    atom = value.atoms[0]
    if isinstance(atom, Seq) and atom.rest is None:
        return list(atom.items)
    if isinstance(atom, Map) and atom.rest is None and not any(key.startswith("\0") for key, _ in atom.items):
        return [Item(text(key)) for key, _ in atom.items]
    return None
