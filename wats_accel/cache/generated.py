"""Generated functions: a call taken apart by a function with the method's own signature.

Names are all that is spelt into their text: parameters, and paths of attributes. Each is checked to be one
first, so that neither a file nor a decorated signature can bring in any other code. Values, defaults among
them, come in as variables.
"""

from __future__ import annotations

import inspect
import linecache
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import CodeType, FunctionType, MappingProxyType
from typing import Any, Final

from wats_accel.cache.key_rules import KeyRules
from wats_accel.cache.sealing import Sealer
from wats_accel.errors import TargetError
from wats_accel.generated_functions import defined_by, is_name
from wats_accel.records import record
from wats_accel.suggestions import nearest

Parameter = inspect.Parameter
INSTANCE_NAMES: Final = ("self", "cls")
_NAME: Final = "_accel_generated"

Parts = tuple[Any, tuple[Any, ...], tuple[Any, ...], tuple[tuple[str, Any], ...]]
"""A call taken apart: whose it is, its fixed arguments, what ``*args`` and ``**kwargs`` caught."""


def roots_of(signature: inspect.Signature, has_instance: bool) -> list[str]:
    """What a path may begin with."""
    return [*signature.parameters, *(INSTANCE_NAMES if has_instance else ())]


def no_parameter(name: str, known: list[str]) -> str:
    """What to say of a name that is none of these."""
    return f"there is no parameter {name!r}{nearest(name, known)}"


def caught_by(signature: inspect.Signature, kind: inspect._ParameterKind) -> str | None:
    """The name of ``*args`` or ``**kwargs``, whichever is asked for, if there is one."""
    return next((name for name, known in signature.parameters.items() if known.kind is kind), None)


@record(frozen=True, slots=True)
class Spelling:
    """How the parts of a call are spelt in code that has the method's signature.

    Attributes:
        receiver: the instance or class; empty if there is none.
        scope: what tells whose answers they are.
        values: the fixed arguments that count.
        extra: what ``*args`` caught; empty if there is none.
        named: what ``**kwargs`` caught; empty if there is none.
    """

    receiver: str
    scope: tuple[str, ...]
    values: tuple[str, ...]
    extra: str
    named: str


def spelling_of(
    signature: inspect.Signature, has_instance: bool, rules: KeyRules, kept: Sequence[str]
) -> Spelling:
    """How a call is spelt, secrets as they are.

    Args:
        signature: of the method as a plain function.
        has_instance: whether the first parameter is the instance or class.
        rules: of its keys.
        kept: the parameters that count, in their order.

    Raises:
        TargetError: a path begins with no parameter, or what stands for a name is none.
    """
    first = next(iter(signature.parameters), "") if has_instance else ""
    roots = roots_of(signature, has_instance)
    values = [_folded(name) if name in rules.fold else name for name in kept]
    values += [_path_expression(path, first, roots) for path in rules.include]
    scope = [_path_expression(path, first, roots) for path in rules.scope]
    extra = caught_by(signature, Parameter.VAR_POSITIONAL) or ""
    named = caught_by(signature, Parameter.VAR_KEYWORD) or ""
    return Spelling(first, tuple(scope), tuple(values), extra, named)


def compile_taking_apart(
    signature: inspect.Signature, spelling: Spelling, rules: KeyRules, kept: Sequence[str], sealer: Sealer
) -> Callable[..., Parts]:
    """A function that takes a call apart.

    Args:
        signature: of the method as a plain function.
        spelling: of its parts.
        rules: of its keys.
        kept: the parameters that count, in their order.
        sealer: of what is secret among them.

    Raises:
        TargetError: a parameter's name is none.
    """
    named_values = zip((*kept, *rules.include), spelling.values, strict=True)
    values = [f"_accel_seal({spelt})" if rules.hides(name) else spelt for name, spelt in named_values]
    extra = spelling.extra or "()"
    if spelling.extra in rules.secret:
        extra = f"_accel_seal_all({extra})"
    take = "_accel_named" if rules.secret else "_accel_tuple"
    # In the caller's order, which the method sees too.
    named = f"{take}({spelling.named}.items())" if spelling.named else "()"
    body = f"return {_owner_expression(spelling)}, {_tuple_expression(values)}, {extra}, {named}"
    return generate(signature, body, _sealing(signature, rules, sealer))


def _owner_expression(spelling: Spelling) -> str:
    scope = spelling.scope
    if not scope:
        return spelling.receiver or "None"
    # One expression stands alone: a text freezes to itself, a tuple of one would have to be taken apart.
    owner = scope[0] if len(scope) == 1 else _tuple_expression(scope)
    # What a base class's method answers may differ by subclass.
    return f"(_accel_class({spelling.receiver}), {owner})" if spelling.receiver else owner


_NamedItems = Iterable[tuple[str, Any]]


def _sealing(signature: inspect.Signature, rules: KeyRules, sealer: Sealer) -> dict[str, Any]:
    """The functions by which generated code seals secrets, by the names that it has for them."""
    all_named = caught_by(signature, Parameter.VAR_KEYWORD) in rules.secret

    def seal_named(items: _NamedItems) -> tuple[tuple[str, Any], ...]:
        return tuple(
            (name, sealer.seal(value) if all_named or name in rules.secret else value)
            for name, value in items
        )

    return {"_accel_seal": sealer.seal, "_accel_seal_all": sealer.seal_all, "_accel_named": seal_named}


def compile_binding(
    signature: inspect.Signature, named: Mapping[str, str] | None = None
) -> Callable[..., dict[str, Any]]:
    """A function that gives arguments of a call by name; raises `TargetError` as above.

    Args:
        signature: of the method as a plain function.
        named: the parameters to give, by the name that each is to have. By default all, and what
            ``**kwargs`` caught.
    """
    pairs: list[str] = []
    for name, known in signature.parameters.items():
        pairs.append(f"**{name}" if known.kind is Parameter.VAR_KEYWORD else f"{name!r}: {name}")
    if named is not None:
        pairs = [f"{wanted!r}: {name}" for wanted, name in named.items() if name in signature.parameters]
    return generate(signature, "return {" + ", ".join(pairs) + "}")


def _tuple_expression(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)},)" if parts else "()"


def _path_expression(path: str, first: str, roots: list[str]) -> str:
    root, _, attributes = path.partition(".")
    if root not in roots:
        raise TargetError(no_parameter(root, roots))
    name = first if first and root in INSTANCE_NAMES else root
    if not all(map(is_name, path.split("."))):
        raise TargetError(f"{path!r} is no path of attributes")
    return f"{name}.{attributes}" if attributes else name


def _folded(name: str) -> str:
    # Only case, and not all that casefold() merges: "straße" and "strasse" may be two users. Invalidation
    # compares by casefold(), and so drops both. A subclass of str is a value of its own.
    return f"({name}.lower() if _accel_type({name}) is _accel_str else {name})"


def class_of(receiver: Any) -> type:
    """The class that a method is called on, or the class of the instance."""
    return receiver if isinstance(receiver, type) else type(receiver)


def generate(
    signature: inspect.Signature,
    body: str,
    variables: Mapping[str, Any] = MappingProxyType({}),
    *,
    name: str = _NAME,
    title: str = "",
) -> Callable[..., Any]:
    """A function with this signature and body; what is spelt in it has been checked to be names.

    Args:
        signature: whose defaults become variables, and whose annotations are left out.
        body: statements.
        variables: that the body names, besides those for all; all of them begin with ``_accel_``.
        name: of the function, if it has a title.
        title: whose it is; under it tracebacks and debuggers show the text as they show a file.

    Raises:
        TargetError: a parameter's name cannot be spelt, or is one of ours.
    """
    namespace: dict[str, Any] = {
        **variables,
        "_accel_class": class_of,
        "_accel_str": str,
        "_accel_tuple": tuple,
        "_accel_type": type,
    }
    parameters = []
    for number, (known_as, known) in enumerate(signature.parameters.items()):
        if not is_name(known_as) or known_as in namespace:
            raise TargetError(f"the parameter {known_as!r} has no usable name")
        default: Any = Parameter.empty
        if known.default is not Parameter.empty:
            default = _Spelled(f"_accel_default_{number}")
            namespace[str(default)] = known.default
        parameters.append(known.replace(default=default, annotation=Parameter.empty))
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    text = f"def {_NAME}{inspect.Signature(parameters)}:\n{lines}"
    generated: FunctionType = defined_by(text, _NAME, namespace)
    if title:
        generated.__code__ = _titled(generated.__code__, name, title, text)
    return generated


def _titled(code: CodeType, name: str, title: str, text: str) -> CodeType:
    filename = f"<wats_accel: {title}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    names: dict[str, Any] = {"co_qualname": name} if sys.version_info >= (3, 11) else {}
    return code.replace(co_name=name, co_filename=filename, **names)


class _Spelled(str):
    """A default value that a signature spells as the bare name of a variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
