"""Values: what is known of an expression of the source: a few alternatives, each of them an atom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from wats_accel.sql.source.facts import Place

MOST_ALTERNATIVES: Final = 64
"""Of one expression. Where there are more, those go first that are shorter forms of another one."""

MOST_ITEMS: Final = 400
"""Of one list or dictionary; what comes after them is taken for unknown items of the same kind."""

MOST_UNROLLED: Final = 40
"""Items of a known list that are gone through one by one."""

HoleKind = Literal["unknown", "parameter", "number", "nothing"]
SeqKind = Literal["list", "tuple", "set"]


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a text that is not known.

    Attributes:
        label: the expression that stands there in the source.
        kind: parameter: only the caller of the method knows; number: whatever it is, it is a number;
            nothing: it is None, where there has to be something.
    """

    label: str
    kind: HoleKind = "unknown"


@dataclass(frozen=True, slots=True)
class World:
    """One of several ways in which an object can have been set up, of which only one holds at a time."""

    of: str
    which: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text: its parts, as they were put together, and the worlds in which it is this one."""

    parts: tuple[str | Hole, ...]
    worlds: frozenset[World] = frozenset()


@dataclass(frozen=True, slots=True)
class Const:
    """A constant that is no text. With the name of its type, since ``1 == True``."""

    value: object
    type_name: str


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list; optional if it is not sure to be there."""

    value: Value
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Seq:
    """A list, tuple or set: its items, and what else there may be any number of."""

    kind: SeqKind
    items: tuple[Item, ...] = ()
    rest: Value | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """A dictionary: values by keys that are known, and what else there may be."""

    items: tuple[tuple[str, Value], ...] = ()
    rest: Value | None = None


@dataclass(frozen=True, slots=True)
class Obj:
    """An object of a class of the tree.

    Attributes:
        cls: the class, by its target.
        exact: whether it is no subclass.
        origin: where it comes from; what has one origin is one object.
    """

    cls: str
    exact: bool
    origin: str


@dataclass(frozen=True, slots=True)
class Cls:
    """A class of the tree, by its target; `exact` as for an object."""

    cls: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Super:
    """``super()``: an object or class, and the class behind which its attributes are looked for."""

    bound: Obj | Cls
    behind: str


@dataclass(frozen=True, slots=True)
class Func:
    """A function of the tree.

    Attributes:
        function: its number in the index.
        bound: the object or class that it is bound to, if any.
        is_own: whether it is run as part of the caller, as what ``super()`` has is: nothing else stands
            for it with this object.
    """

    function: int
    bound: Obj | Cls | None = None
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Closure:
    """A nested function or a lambda, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Partial:
    """``functools.partial``: what is called, and the arguments that it is given first."""

    called: Value
    args: tuple[Value, ...]
    kwargs: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Mod:
    """A module of the tree."""

    name: str


@dataclass(frozen=True, slots=True)
class Ext:
    """Something outside the tree, by its dotted name: ``datetime.datetime``, ``builtins.len``."""

    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method of something that is no object of the tree, not called yet: ``sql.format``."""

    owner: Value
    name: str


@dataclass(frozen=True, slots=True)
class File:
    """A path, or an open file, by its path."""

    path: Value


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something that is no object, class or function of the tree: a row, a cursor, a number."""

    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of the method that is looked at, or a part of it: only its caller knows.

    Attributes:
        name: of the parameter.
        is_plain: whether it is annotated with something that is no object of the tree.
    """

    name: str
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything at all."""


Atom = (
    Text
    | Const
    | Seq
    | Map
    | Obj
    | Cls
    | Super
    | Func
    | Closure
    | Partial
    | Mod
    | Ext
    | Method
    | File
    | Foreign
    | Param
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression can be.

    Attributes:
        atoms: the alternatives; none if it is never evaluated to the end.
        clock: where the time of day was read that flows into it.
        given: whether it comes from an argument of the call that is looked into.
        answers: the methods of the tree whose answer it is, unchanged.
    """

    atoms: tuple[Atom, ...] = ()
    clock: frozenset[Place] = frozenset()
    given: bool = False
    answers: frozenset[str] = frozenset()


NOTHING: Final = Value()
UNKNOWN: Final = Value((Unknown(),))
FOREIGN: Final = Value((Foreign(),))
NUMBER: Final = Value((Foreign(is_number=True),))
NONE: Final = Value((Const(None, "NoneType"),))
EMPTY_TEXT: Final = Value((Text(()),))


def text(content: str) -> Value:
    """A text that is known."""
    return Value((Text((content,) if content else ()),))


def constant(content: object) -> Value:
    """A literal of the source."""
    if isinstance(content, str):
        return text(content)
    if isinstance(content, bytes):
        return text(content.decode("utf-8", errors="replace"))
    return Value((Const(content, type(content).__name__),))


def hole(label: str, kind: HoleKind = "unknown") -> Value:
    """A text that is not known."""
    return Value((Text((Hole(label, kind),)),))


def flows_into(value: Value, *sources: Value) -> Value:
    """`value`, into which others flow: with what is known of the clock and of arguments in them."""
    clock = value.clock.union(*(source.clock for source in sources))
    given = value.given or any(source.given for source in sources)
    if clock == value.clock and given == value.given and not value.answers:
        return value
    return Value(value.atoms, clock, given)


def only(value: Value, *kinds: type) -> Value:
    """The alternatives of some kinds."""
    return Value(
        tuple(atom for atom in value.atoms if isinstance(atom, kinds)),
        value.clock,
        value.given,
        value.answers,
    )


def ungiven(value: Value) -> Value:
    """A value as its caller sees it: for who has made a call, what came from its arguments is its own."""
    atoms = tuple(map(_ungiven, value.atoms))
    if atoms == value.atoms and not value.given:
        return value
    return Value(atoms, value.clock, answers=value.answers)


def _ungiven(atom: Atom) -> Atom:
    if isinstance(atom, Seq):
        items = tuple(Item(ungiven(item.value), item.optional) for item in atom.items)
        return Seq(atom.kind, items, ungiven(atom.rest) if atom.rest is not None else None)
    if isinstance(atom, Map):
        rest = ungiven(atom.rest) if atom.rest is not None else None
        return Map(tuple((key, ungiven(value)) for key, value in atom.items), rest)
    if isinstance(atom, Method):
        return Method(ungiven(atom.owner), atom.name)
    if isinstance(atom, File):
        return File(ungiven(atom.path))
    return atom
