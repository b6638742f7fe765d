"""Keys: from a call's arguments to the typed, unambiguous key of its answer.

A call is bound to the method's parameters by a function generated with the method's own signature:
the interpreter then does the binding, at its own speed and by its own rules, so positional, keyword
and default arguments of the same call give one key, and a call that does not fit is found at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping
from typing import Any, Final

from wats_accel.cache.entries import Key
from wats_accel.cache.freezing import freeze
from wats_accel.cache.generated import (
    INSTANCE_NAMES,
    Parameter,
    caught_by,
    compile_binding,
    compile_taking_apart,
    no_parameter,
    roots_of,
    spelling_of,
)
from wats_accel.cache.key_rules import KeyRules
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.cache.sealing import Sealer
from wats_accel.cache.texts import Texts, are_texts, argument_text, readable, tells_texts
from wats_accel.errors import TargetError

__all__ = ["ArgumentReader", "KeyMaker", "KeyRules", "NoScopeError"]

_MOST_SHOWN: Final = 20  # of what ``*args`` and ``**kwargs`` caught
_LONGEST_LABEL: Final = 500
_MOST_TELLING: Final = 256  # arguments that tell their texts: a key of so many short ones is not too large


class NoScopeError(TypeError):
    """An instance's entries cannot be told from another's: it cannot be weakly referenced."""


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
        self.is_exact = is_exact
        self._rules = rules
        self._scopes = scopes
        self._scoped = bool(rules.scope)
        self._owned = has_instance and not rules.scope
        names = _parameter_names(signature, has_instance)
        _check_names(names, rules)
        _check_secrets(signature, names, rules)
        if not is_exact and (rules.fold or rules.exclude or rules.secret):
            raise TargetError(
                "a decorator may change its arguments: 'fold', 'exclude' and 'secret' cannot be trusted"
            )
        kept = [name for name in names if name not in rules.exclude]
        self.names = (*kept, *rules.include)
        # How long a key is that may tell the texts: without what ``*args`` and ``**kwargs`` caught.
        self._telling = 1 + len(self.names) if is_exact and len(self.names) < _MOST_TELLING else 0
        # Whether nothing but its arguments makes the key of a call.
        self.of_arguments_only = not rules.scope and not rules.include
        self._secrets = tuple(map(rules.hides, self.names))
        self._rest_is_secret = caught_by(signature, Parameter.VAR_POSITIONAL) in rules.secret
        self.signature = signature
        self.spelling = spelling_of(signature, has_instance, rules, kept)
        sealer = Sealer(scopes.of_instance)
        self._take_apart = compile_taking_apart(signature, self.spelling, rules, kept, sealer)

    @property
    def has_secrets(self) -> bool:
        """Whether any argument is one that nobody may read."""
        return bool(self._rules.secret)

    def is_secret(self, position: int) -> bool:
        """Whether nobody may read the argument that has this position in a readable key."""
        return self._secrets[position] if position < len(self._secrets) else self._rest_is_secret

    def key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Key:
        """The key of a call.

        Raises:
            Unfreezable: an argument has no value identity.
            NoScopeError: there is no scope, and the instance cannot be weakly referenced.
            Exception: the call does not fit the signature, or a scope's path led nowhere.
        """
        owner, values, extra, named = self._take_apart(*args, **kwargs)
        key = (self.scope_number(owner), *map(freeze, values))
        return (*key, freeze(extra), freeze(named)) if extra or named else key

    def texts(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Texts:
        """The arguments of a call in the loose form by which invalidation compares them.

        Not those that ``**kwargs`` caught: they have no position by which a pattern could name them, and
        what is not known matches anything.

        Raises:
            Exception: the call does not fit the signature, or an argument cannot be spelled.
        """
        if not self.is_exact:
            return ()  # which argument is which is not known, and what is not known matches anything
        _, values, extra, _ = self._take_apart(*args, **kwargs)
        texts = tuple(map(argument_text, (*values, *extra)))
        if not are_texts(texts):
            raise TypeError("an argument has no text")
        return texts

    def texts_beyond(self, key: Key, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Texts | None:
        """The same where the key of the call does not tell them; None where it does, at any later time.

        Raises:
            Exception: as `texts`.
        """
        return None if len(key) == self._telling and tells_texts(key) else self.texts(args, kwargs)

    def label(self, prefix: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """The readable key of a call: ``namespace:method:argument:…`` for the prefix ``namespace:method``.

        Never raises: it is for those who watch, and they must not change what the caller gets.
        """
        try:
            _, values, extra, named = self._take_apart(*args, **kwargs)
        except Exception:  # noqa: BLE001 - an attribute on the way may be a property that fails
            return f"{prefix}:?"
        shown = [readable(value) for value in (*values, *extra[:_MOST_SHOWN])]
        shown += [f"{name}={readable(value)}" for name, value in named[:_MOST_SHOWN]]
        label = ":".join((prefix, *shown))
        is_whole = len(label) <= _LONGEST_LABEL and max(len(extra), len(named)) <= _MOST_SHOWN
        return label if is_whole else f"{label[:_LONGEST_LABEL]}…"

    def owner(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable | None:
        """Whose answer a call asks for, in words that mean the same in every process; None if there are none.

        Raises:
            Exception: as `key`.
        """
        if self._owned:
            return None  # an instance is of one process
        owner = self._take_apart(*args, **kwargs)[0]
        if not self._scoped:
            return ()
        if not self.has_instance:
            return freeze(owner)
        owner_class, value = owner
        return f"{owner_class.__module__}.{owner_class.__qualname__}", freeze(value)

    def scope_number(self, owner: Any) -> int:
        """The number that stands in keys for whose answer it is.

        Args:
            owner: the instance or class itself; with a scope its class and the value of the scope.

        Raises:
            NoScopeError, Unfreezable: as `key`.
        """
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
        self._split = {path: path.split(".") for path in self._paths}
        caught = any(known.kind is Parameter.VAR_KEYWORD for known in signature.parameters.values())
        roots = roots_of(signature, has_instance)
        for path in paths:
            if path.partition(".")[0] not in roots and not caught:
                raise TargetError(no_parameter(path.partition(".")[0], roots))
        self._first = next(iter(signature.parameters), "") if has_instance else ""
        # Where all paths are names of parameters, a call is turned into what is asked for in one step.
        self._is_direct = not caught and not any("." in path for path in self._paths)
        named = {path: self._root(path) for path in self._paths} if self._is_direct else None
        self._bind = compile_binding(signature, named)

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, object]:
        """The value of each path; one that cannot be read is left out, and so matches anything."""
        if not self._paths:
            return {}
        try:
            bound = self._bind(*args, **kwargs)
        except Exception:  # noqa: BLE001 - the call does not fit: the method itself will say so
            return {}
        if self._is_direct:
            return bound
        found: dict[str, object] = {}
        for path, (root, *attributes) in self._split.items():
            try:
                value = bound[self._root(root)]
                for attribute in attributes:
                    value = getattr(value, attribute)
            except Exception:  # noqa: BLE001 - unknown must not keep an entry alive
                continue
            found[path] = value
        return found

    def _root(self, name: str) -> str:
        """The parameter that a path begins with: ``self`` stands for the first one, whatever its name is."""
        return self._first if name in INSTANCE_NAMES and self._first else name


def _parameter_names(signature: inspect.Signature, has_instance: bool) -> list[str]:
    variadic = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    names = [name for name, known in signature.parameters.items() if known.kind not in variadic]
    return names[1:] if has_instance else names


def _check_names(names: list[str], rules: KeyRules) -> None:
    for name in sorted(rules.fold | rules.exclude):
        if name not in names:
            raise TargetError(no_parameter(name, names))


def _check_secrets(signature: inspect.Signature, names: list[str], rules: KeyRules) -> None:
    if caught_by(signature, Parameter.VAR_KEYWORD):
        return  # it may catch an argument of any name
    known = [*names, *rules.include, *filter(None, [caught_by(signature, Parameter.VAR_POSITIONAL)])]
    for name in sorted(rules.secret):
        if name not in known:
            raise TargetError(no_parameter(name, known))
