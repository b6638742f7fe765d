"""Keys: from a call's arguments to the typed, unambiguous key of its answer.

A call is bound to the method's parameters by a function generated with the method's own signature:
the interpreter then does the binding, at its own speed and by its own rules, so positional, keyword
and default arguments of the same call give one key, and a call that does not fit is found at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wats_accel.cache.entries import Key
from wats_accel.cache.freezing import freeze
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.cache.texts import Texts, argument_text, readable
from wats_accel.errors import TargetError
from wats_accel.suggestions import nearest

Parameter = inspect.Parameter
_INSTANCE_NAMES = ("self", "cls")


class NoScopeError(TypeError):
    """An instance's entries cannot be told from another's: it cannot be weakly referenced."""


@dataclass(frozen=True, slots=True)
class KeyRules:
    """What the configuration says about the key of one method.

    Attributes:
        scope: attribute paths such as ``self.db.connection_string``; empty: one instance's own.
        fold: parameters whose text is compared without case.
        exclude: parameters that are left out.
        include: attribute paths that are taken in.
    """

    scope: tuple[str, ...] = ()
    fold: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    include: tuple[str, ...] = ()


_Parts = tuple[Any, tuple[Any, ...], tuple[Any, ...], tuple[tuple[str, Any], ...]]
"""A call taken apart: whose it is, its fixed arguments, what ``*args`` and ``**kwargs`` caught."""


class KeyMaker:
    """Makes the key, and the readable texts, of calls of one method.

    Args:
        signature: of the method as a plain function, so with ``self`` or ``cls`` if it has one.
        has_instance: whether the first parameter is the instance or class that the method is called on.
        rules: what the configuration says.
        scopes: gives the numbers that stand for databases and instances.
        is_exact: whether calls are bound by that very signature, or perhaps changed by a decorator first.

    Raises:
        TargetError: a rule names a parameter that the method does not have, or may not have.
    """

    def __init__(
        self,
        signature: inspect.Signature,
        *,
        has_instance: bool,
        rules: KeyRules,
        scopes: ScopeNumbers,
        is_exact: bool = True,
    ) -> None:
        self.has_instance = has_instance
        self._is_exact = is_exact
        self._scopes = scopes
        self._scoped = bool(rules.scope)
        self._owned = has_instance and not rules.scope
        names = _parameter_names(signature, has_instance)
        _check_names(names, rules)
        if not is_exact and (rules.fold or rules.exclude):
            raise TargetError("a decorator may change its arguments: 'fold' and 'exclude' cannot be trusted")
        kept = [name for name in names if name not in rules.exclude]
        self.names = (*kept, *rules.include)
        self._take_apart = _compile(signature, has_instance, rules, kept)

    def key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Key:
        """The key of a call.

        Raises:
            Unfreezable: an argument has no value identity.
            NoScopeError: there is no scope, and the instance cannot be weakly referenced.
            Exception: the call does not fit the signature, or a scope's path led nowhere.
        """
        owner, values, extra, named = self._take_apart(*args, **kwargs)
        key = (self._scope_number(owner), *map(freeze, values))
        return (*key, freeze(extra), freeze(named)) if extra or named else key

    def texts(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Texts:
        """The arguments of a call in the loose form by which invalidation compares them.

        Not those that ``**kwargs`` caught: they have no position by which a pattern could name them, and
        what is not known matches anything.
        """
        if not self._is_exact:
            return ()  # which argument is which is not known, and what is not known matches anything
        _, values, extra, _ = self._take_apart(*args, **kwargs)
        return tuple(map(argument_text, (*values, *extra)))

    def label(self, prefix: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """The readable key of a call: ``namespace:method:argument:…`` for the prefix ``namespace:method``.

        Never raises: it is for those who watch, and they must not change what the caller gets.
        """
        try:
            _, values, extra, named = self._take_apart(*args, **kwargs)
        except Exception:  # noqa: BLE001 - an attribute on the way may be a property that fails
            return f"{prefix}:?"
        texts = [*map(readable, (*values, *extra)), *(f"{name}={readable(value)}" for name, value in named)]
        return ":".join((prefix, *texts))

    def _scope_number(self, owner: Any) -> int:
        if self._owned:
            try:
                return self._scopes.of_instance(owner)
            except TypeError:
                raise NoScopeError(type(owner).__name__) from None
        if not self._scoped:
            return 0
        if self.has_instance:
            owner_class, value = owner
            return self._scopes.of_value((owner_class, freeze(value)))
        return self._scopes.of_value(freeze(owner))


class ArgumentReader:
    """Reads what a pattern's placeholders name out of a call: parameters, and attributes of them.

    Args:
        signature: of the method as a plain function.
        has_instance: whether the first parameter is the instance or class.
        paths: ``user_id``, ``self.account_id`` …
        is_exact: whether calls are bound by that very signature; if not, nothing can be read.

    Raises:
        TargetError: a path begins with no parameter of the method.
    """

    def __init__(
        self,
        signature: inspect.Signature,
        *,
        has_instance: bool,
        paths: tuple[str, ...],
        is_exact: bool = True,
    ) -> None:
        self._paths = paths if is_exact else ()
        caught = any(known.kind is Parameter.VAR_KEYWORD for known in signature.parameters.values())
        roots = _roots(signature, has_instance)
        for path in paths:
            if path.partition(".")[0] not in roots and not caught:
                raise TargetError(_no_parameter(path.partition(".")[0], roots))
        self._bind = _compile_binding(signature)
        self._first = next(iter(signature.parameters), "") if has_instance else ""

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, object]:
        """The value of each path; one that cannot be read is left out, and so matches anything."""
        if not self._paths:
            return {}
        try:
            bound = self._bind(*args, **kwargs)
        except Exception:  # noqa: BLE001 - the call does not fit: the method itself will say so
            return {}
        found: dict[str, object] = {}
        for path in self._paths:
            root, *attributes = path.split(".")
            try:
                value = bound[self._first if root in _INSTANCE_NAMES and self._first else root]
                for attribute in attributes:
                    value = getattr(value, attribute)
            except Exception:  # noqa: BLE001 - unknown must not keep an entry alive
                continue
            found[path] = value
        return found


def _parameter_names(signature: inspect.Signature, has_instance: bool) -> list[str]:
    variadic = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    names = [name for name, known in signature.parameters.items() if known.kind not in variadic]
    return names[1:] if has_instance else names


def _roots(signature: inspect.Signature, has_instance: bool) -> list[str]:
    return [*signature.parameters, *(_INSTANCE_NAMES if has_instance else ())]


def _no_parameter(name: str, known: list[str]) -> str:
    return f"there is no parameter {name!r}{nearest(name, known)}"


def _check_names(names: list[str], rules: KeyRules) -> None:
    for name in sorted(rules.fold | rules.exclude):
        if name not in names:
            raise TargetError(_no_parameter(name, names))


# -- generated functions ---------------------------------------------------------------------------


def _compile(
    signature: inspect.Signature, has_instance: bool, rules: KeyRules, kept: list[str]
) -> Callable[..., _Parts]:
    first = next(iter(signature.parameters), "") if has_instance else ""
    roots = _roots(signature, has_instance)
    values = [f"_accel_fold({name})" if name in rules.fold else name for name in kept]
    values += [_path_expression(path, first, roots) for path in rules.include]
    scope = [_path_expression(path, first, roots) for path in rules.scope]
    # One expression stands alone: a text freezes to itself, a tuple of one would have to be taken apart.
    owner = scope[0] if len(scope) == 1 else _tuple_expression(scope) if scope else first or "None"
    if scope and first:
        owner = (
            f"(_accel_class({first}), {owner})"  # what a base class's method answers may differ by subclass
        )
    extra, named = "()", "()"
    for name, known in signature.parameters.items():
        if known.kind is Parameter.VAR_POSITIONAL:
            extra = name
        elif known.kind is Parameter.VAR_KEYWORD:
            named = f"_accel_tuple({name}.items())"  # in the caller's order, which the method sees too
    body = f"return {owner}, {_tuple_expression(values)}, {extra}, {named}"
    return _generate(signature, body)


def _compile_binding(signature: inspect.Signature) -> Callable[..., dict[str, Any]]:
    pairs: list[str] = []
    for name, known in signature.parameters.items():
        pairs.append(f"**{name}" if known.kind is Parameter.VAR_KEYWORD else f"{name!r}: {name}")
    return _generate(signature, "return {" + ", ".join(pairs) + "}")


def _tuple_expression(parts: list[str]) -> str:
    return f"({', '.join(parts)},)" if parts else "()"


def _path_expression(path: str, first: str, roots: list[str]) -> str:
    root, _, attributes = path.partition(".")
    if root not in roots:
        raise TargetError(_no_parameter(root, roots))
    name = first if first and root in _INSTANCE_NAMES else root
    return f"{name}.{attributes}" if attributes else name


def _fold(value: Any) -> Any:
    # Only case, and not all that casefold() merges: "straße" and "strasse" may be two users. Invalidation
    # compares by casefold(), and so drops both. A subclass of str is a value of its own.
    return value.lower() if type(value) is str else value


def _class_of(receiver: Any) -> type:
    return receiver if isinstance(receiver, type) else type(receiver)


def _generate(signature: inspect.Signature, body: str) -> Callable[..., Any]:
    """A function with this signature and body; parameter names have been checked to be identifiers."""
    namespace: dict[str, Any] = {
        "_accel_class": _class_of,
        "_accel_fold": _fold,
        "_accel_tuple": tuple,
    }
    parameters = []
    for number, (name, known) in enumerate(signature.parameters.items()):
        if not name.isidentifier():
            raise TargetError(f"the parameter {name!r} has no usable name")
        default: Any = Parameter.empty
        if known.default is not Parameter.empty:
            default = _Spelled(f"_accel_default_{number}")
            namespace[str(default)] = known.default
        parameters.append(known.replace(default=default, annotation=Parameter.empty))
    text = str(inspect.Signature(parameters))
    exec(f"def _accel_generated{text}: {body}", namespace)
    generated: Callable[..., Any] = namespace["_accel_generated"]
    return generated


class _Spelled(str):
    """A default value that a signature spells as the bare name of a variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
