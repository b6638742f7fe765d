"""Outside: what functions that are not in the tree make of their arguments: Python's own, mostly."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Final

from wats_accel.sql.source import clock, operators, paths, templates
from wats_accel.sql.source.alternatives import join, merged
from wats_accel.sql.source.expressions import label
from wats_accel.sql.source.frames import Arguments, Frame
from wats_accel.sql.source.values import (
    FOREIGN,
    NOTHING,
    NUMBER,
    UNKNOWN,
    Atom,
    Cls,
    Ext,
    Item,
    Map,
    Method,
    Obj,
    Param,
    Partial,
    Seq,
    SeqKind,
    Super,
    Text,
    Unknown,
    Value,
    constant,
    flows_into,
    only,
)

Outside = Callable[[Arguments, Frame, ast.expr], Value]

THREADS: Final = frozenset(
    {
        "Thread",
        "Timer",
        "Process",
        "submit",
        "run_in_executor",
        "to_thread",
        "start_new_thread",
        "apply_async",
    }
    | {"map_async", "call_soon_threadsafe", "run_coroutine_threadsafe"}
)
"""What runs a function in another thread, by the last part of its name."""


def call(name: str, arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    """What a function from outside the tree gives, by its dotted name."""
    if clock.reads_clock(name) and (not clock.needs_argument(name) or _tells_time(name, arguments)):
        return Value(FOREIGN.atoms, frozenset({frame.place(node)}))
    known = _FUNCTIONS.get(name.removeprefix("builtins."))
    if known is not None:
        return known(arguments, frame, node)
    found = paths.call(name, arguments, frame)
    if found is not None:
        return found
    return flows_into(FOREIGN, *arguments.all(), *map(_told_later, arguments.all()))


def _told_later(value: Value) -> Value:
    """A clock that is handed over, as in ``field(default_factory=datetime.now)``, is read later."""
    return (
        NOTHING
        if not any(isinstance(atom, Ext) and clock.reads_clock(atom.name) for atom in value.atoms)
        else value
    )


def _tells_time(name: str, arguments: Arguments) -> bool:
    return len(arguments.args) < (2 if name == "time.strftime" else 1) and arguments.rest is None


# -- one by one ------------------------------------------------------------------------------------------


def _first(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    """What gives its argument back: copies, wrappers of texts."""
    return arguments.args[0] if arguments.args else flows_into(UNKNOWN, *arguments.all())


def _str(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if not arguments.args:
        return constant("")
    shown = label(node.args[0]) if isinstance(node, ast.Call) and node.args else "…"
    return templates.as_texts(arguments.args[0], shown)


def _dedent(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    return templates.mapped(_first(arguments, frame, node), lambda part: part)


def _list(kind: SeqKind) -> Outside:
    def convert(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
        if not arguments.args:
            return Value((Seq(kind),))
        found = [_as_list(atom, kind, frame, node) for atom in arguments.args[0].atoms]
        return flows_into(Value(merged(found)), *arguments.all())

    return convert


def _as_list(atom: Atom, kind: SeqKind, frame: Frame, node: ast.expr) -> Atom:
    if isinstance(atom, Seq):
        return Seq(kind, atom.items, atom.rest)
    if isinstance(atom, Map):
        keys = tuple(Item(constant(key)) for key, _ in atom.items)
        return Seq(kind, keys, FOREIGN if atom.rest is not None else None)
    if isinstance(atom, Param | Unknown):
        return atom
    return Seq(kind, (), frame.interpreter.element(Value((atom,)), frame, node))


def _dict(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    items = dict(arguments.kwargs)
    rest = arguments.rest
    for value in arguments.args[:1]:
        for atom in value.atoms:
            if isinstance(atom, Map):
                items = {**dict(atom.items), **items}
                rest = join([rest or NOTHING, atom.rest]) if atom.rest is not None else rest
            elif isinstance(atom, Seq):
                rest = join([rest or NOTHING, _second_of(atom)])
            elif isinstance(atom, Param):
                return flows_into(Value((atom,)), *arguments.all())
            else:
                rest = join([rest or NOTHING, UNKNOWN])
    return flows_into(Value((Map(tuple(items.items()), rest),)), *arguments.all())


def _second_of(pairs: Seq) -> Value:
    inside = [item.value for item in pairs.items] + ([pairs.rest] if pairs.rest is not None else [])
    return join(operators.item(value, constant(1)) for value in inside) if inside else FOREIGN


def _partial(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if not arguments.args:
        return UNKNOWN
    made = Partial(arguments.args[0], tuple(arguments.args[1:]), tuple(arguments.kwargs.items()))
    return flows_into(Value((made,)), *arguments.all())


def _getattr(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if len(arguments.args) < 2:
        return UNKNOWN
    owner, name = arguments.args[:2]
    names = [templates.whole(atom) for atom in name.atoms]
    default = arguments.args[2:3]
    if names and all(each is not None for each in names):
        return join(
            [*(frame.interpreter.attribute(owner, str(each), frame, node) for each in names), *default]
        )
    return join([frame.interpreter.computed_attribute(owner, name, frame, node), *default])


def _super(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    function = frame.function
    here: Frame | None = frame
    while function is not None and function.owner is None and here is not None and here.parent is not None:
        here = here.parent
        function = here.function
    bound = next((each.bound for each in _outwards(frame) if each.bound is not None), None)
    if function is None or function.owner is None or bound is None:
        return UNKNOWN
    return Value((Super(bound, function.owner.target),))


def _outwards(frame: Frame) -> list[Frame]:
    found: list[Frame] = [frame]
    while found[-1].parent is not None:
        found.append(found[-1].parent)
    return found


def _type(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if len(arguments.args) != 1:
        return UNKNOWN
    found = [Cls(atom.cls, atom.exact) for atom in arguments.args[0].atoms if isinstance(atom, Obj)]
    return Value(tuple(found)) if found else flows_into(FOREIGN, *arguments.all())


def _length(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    value = arguments.args[0] if arguments.args else UNKNOWN
    if len(value.atoms) == 1:
        known = templates.whole(value.atoms[0])
        items = templates.items_of(value)
        if known is not None:
            return constant(len(known))
        if items is not None and not any(item.optional for item in items):
            return flows_into(constant(len(items)), value)
    return flows_into(NUMBER, *arguments.all())


def _number(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    return flows_into(NUMBER, *arguments.all())


def _any_item(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    """One of the items of its first argument: next(), min(), max(), random.choice()."""
    found = [frame.interpreter.element(arguments.args[0], frame, node)] if arguments.args else [UNKNOWN]
    return flows_into(join([*found, *arguments.args[1:]]), *arguments.all())


def _map(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if len(arguments.args) < 2:
        return UNKNOWN
    called, *lists = arguments.args
    items = [templates.items_of(value) for value in lists]
    if len(lists) == 1 and items[0] is not None and len(items[0]) <= _MOST_MAPPED:
        values = [
            Item(frame.interpreter.call(called, Arguments([item.value], {}), frame, node), item.optional)
            for item in items[0]
        ]
        return flows_into(Value((Seq("list", tuple(values)),)), *lists)
    elements = [frame.interpreter.element(value, frame, node) for value in lists]
    result = frame.interpreter.call(called, Arguments(elements, {}), frame, node)
    return flows_into(Value((Seq("list", (), result),)), *lists)


_MOST_MAPPED: Final = 40


def _filter(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if len(arguments.args) < 2:
        return UNKNOWN
    called, value = arguments.args[:2]
    frame.interpreter.call(
        called, Arguments([frame.interpreter.element(value, frame, node)], {}), frame, node
    )
    return operators.optional(_list("list")(Arguments([value], {}), frame, node))


def _zip(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    elements = tuple(Item(frame.interpreter.element(value, frame, node)) for value in arguments.args)
    return flows_into(Value((Seq("list", (), Value((Seq("tuple", elements),))),)), *arguments.all())


def _enumerate(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if not arguments.args:
        return UNKNOWN
    items = templates.items_of(arguments.args[0])
    if items is not None:
        numbered = [
            Item(Value((Seq("tuple", (Item(NUMBER), Item(item.value))),)), item.optional) for item in items
        ]
        return flows_into(Value((Seq("list", tuple(numbered)),)), *arguments.all())
    element = frame.interpreter.element(arguments.args[0], frame, node)
    pair = Value((Seq("tuple", (Item(NUMBER), Item(element))),))
    return flows_into(Value((Seq("list", (), pair),)), *arguments.all())


def _chain(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    one = Seq("list")
    for value in arguments.args:
        for atom in value.atoms:
            inner = (
                atom
                if isinstance(atom, Seq)
                else Seq("list", (), frame.interpreter.element(value, frame, node))
            )
            one = operators.extended(one, inner)
    return flows_into(Value((one,)), *arguments.all())


def _run_code(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    frame.note_unknown("code that is made while it runs (exec, eval)", node)
    return UNKNOWN


def _unknown(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    return flows_into(UNKNOWN, *arguments.all())


def _unknown_method(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    """``methodcaller(name)``: a method of whatever it is given."""
    return Value((Method(UNKNOWN, ""),))


def _template(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    made = arguments.get(0, "template")
    return Value((Method(only(made, Text, Param, Unknown), "$template"),)) if made is not None else UNKNOWN


def _vars(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    if isinstance(node, ast.Call) and not node.args and "locals" in ast.unparse(node.func):
        known = {name: value for name, value in frame.env.items() if not name.startswith(".")}
        return Value((Map(tuple(known.items()), None),))
    return UNKNOWN


def _cleandoc(arguments: Arguments, frame: Frame, node: ast.expr) -> Value:
    value = _first(arguments, frame, node)
    whole = [templates.whole(atom) for atom in value.atoms]
    if all(each is not None for each in whole):
        return templates.changed_as_a_whole(value, inspect.cleandoc, "…")
    return value


_FUNCTIONS: Final[dict[str, Outside]] = {
    "str": _str,
    "repr": lambda arguments, frame, node: flows_into(FOREIGN, *arguments.all()),
    **dict.fromkeys(("textwrap.dedent", "textwrap.indent", "sys.intern"), _dedent),
    "inspect.cleandoc": _cleandoc,
    **dict.fromkeys(("copy.copy", "copy.deepcopy", "contextlib.closing", "contextlib.nullcontext"), _first),
    **dict.fromkeys(("iter", "reversed", "asyncio.run", "asyncio.wait_for"), _first),
    **dict.fromkeys(("sqlalchemy.text", "sqlalchemy.sql.text", "sqlalchemy.sql.expression.text"), _first),
    **dict.fromkeys(
        ("psycopg2.sql.SQL", "psycopg.sql.SQL", "psycopg2.sql.Identifier", "psycopg.sql.Identifier"), _first
    ),
    "typing.cast": lambda arguments, frame, node: arguments.args[1] if len(arguments.args) > 1 else UNKNOWN,
    **dict.fromkeys(("list", "sorted", "collections.deque"), _list("list")),
    "tuple": _list("tuple"),
    **dict.fromkeys(("set", "frozenset"), _list("set")),
    **dict.fromkeys(("dict", "collections.OrderedDict", "types.MappingProxyType"), _dict),
    **dict.fromkeys(("functools.partial", "functools.partialmethod"), _partial),
    "getattr": _getattr,
    "super": _super,
    "type": _type,
    "len": _length,
    **dict.fromkeys(
        ("int", "float", "bool", "abs", "round", "sum", "isinstance", "hasattr", "any", "all"), _number
    ),
    **dict.fromkeys(("next", "min", "max", "random.choice"), _any_item),
    "map": _map,
    "filter": _filter,
    "zip": _zip,
    "enumerate": _enumerate,
    **dict.fromkeys(("itertools.chain",), _chain),
    **dict.fromkeys(("exec", "eval"), _run_code),
    **dict.fromkeys(("globals", "importlib.import_module", "__import__", "operator.attrgetter"), _unknown),
    "operator.methodcaller": _unknown_method,
    "string.Template": _template,
    **dict.fromkeys(("locals", "vars"), _vars),
}
