"""An application with methods of all kinds."""

import abc
import contextlib
import dataclasses
import enum
import functools
import typing

import wrapt


def noted(function):
    """A decorator as applications write them."""

    @functools.wraps(function)
    def noting(*args, **kwargs):
        return function(*args, **kwargs)

    return noting


def flagged(function):
    """A decorator that leaves a mark."""
    function.flag = 1
    return function


@wrapt.decorator
def watched(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs)


class Bound:
    """A descriptor that binds itself, with a method of its own on what it gives."""

    def __init__(self, function, instance=None):
        self.function, self.instance = function, instance
        functools.update_wrapper(self, function)

    def __get__(self, instance, owner=None):
        return self if instance is None else Bound(self.function, instance)

    def __call__(self, *args, **kwargs):
        receiver = () if self.instance is None else (self.instance,)
        return self.function(*receiver, *args, **kwargs)

    def number(self):
        return None if self.instance is None else self.instance.number


class Base:
    """What repositories have in common."""

    def __init__(self, number=7):
        self.number = number

    def __eq__(self, other):
        return type(other) is type(self) and other.number == self.number

    def __hash__(self):
        return hash(self.number)

    def inherited(self, value: int) -> tuple:
        """Only the base class has it."""
        return ("inherited", self.number, value)

    @classmethod
    def inherited_class(cls, value):
        return ("inherited_class", cls.__name__, value)

    @staticmethod
    def inherited_static(value):
        return ("inherited_static", value)

    def overridden(self, value):
        return ("base", value)

    @classmethod
    def overridden_class(cls, value):
        return ("base", cls.__name__, value)


class Repo(Base):
    """A repository."""

    def plain(self, value: "int", other: "Repo | None" = None) -> "tuple[str, int, int]":
        """Give the value back.

        With the number of the repository.
        """
        return ("plain", self.number, value)

    def everything(self, first, /, second=2, *rest, named, also=4, **others):
        return ("everything", first, second, rest, named, also, others)

    @classmethod
    def of_class(cls, value: int = 3) -> "tuple[str, str, int]":
        """Of the class."""
        return ("of_class", cls.__name__, value)

    @staticmethod
    def of_nobody(value: int, *, by: int = 2) -> int:
        """Of nobody."""
        return value * by

    def overridden(self, value):
        return ("sub", *super().overridden(value))

    @classmethod
    def overridden_class(cls, value):
        return ("sub", *super().overridden_class(value))

    def items(self, count):
        yield from range(count)

    def refuse(self, value):
        raise LookupError(value)

    @noted
    def decorated(self, value):
        """Decorated."""
        return ("decorated", self.number, value)

    @functools.lru_cache  # noqa: B019 - as applications do
    def remembered(self, value):
        """Remembered."""
        return ("remembered", self.number, value)

    @classmethod
    @functools.lru_cache
    def remembered_class(cls, value):
        return ("remembered_class", cls.__name__, value)

    @staticmethod
    @functools.lru_cache
    def remembered_static(value):
        return ("remembered_static", value)

    def _complete(self, kind, value):
        return ("partial", kind, self.number, value)

    partial = functools.partialmethod(_complete, "kind")

    @functools.singledispatchmethod
    def dispatched(self, value):
        """Dispatched."""
        return ("object", self.number, value)

    @dispatched.register
    def _(self, value: str):
        return ("text", self.number, value)

    @watched
    def traced(self, value):
        """Traced."""
        return ("traced", self.number, value)

    @watched
    @classmethod
    def traced_class(cls, value):
        return ("traced_class", cls.__name__, value)

    @watched
    @staticmethod
    def traced_static(value):
        return ("traced_static", value)

    @classmethod
    @watched
    def class_traced(cls, value):
        return ("class_traced", cls.__name__, value)

    @staticmethod
    @watched
    def static_traced(value):
        return ("static_traced", value)

    @Bound
    def described(self, value):
        """Described."""
        return ("described", self.number, value)

    def attributed(self, value):
        return ("attributed", self.number, value)

    attributed.flag = 1

    @classmethod
    @flagged
    def attributed_class(cls, value):
        return ("attributed_class", cls.__name__, value)

    def __call__(self, value):
        return ("called", self.number, value)

    def __len__(self):
        return self.number

    class Nested:
        """A class in a class."""

        def inner(self, value):
            return ("inner", value)

    @contextlib.contextmanager
    def transaction(self, value):
        yield value


class Leaf(Repo):
    """A class of which nothing is ever named."""

    def plain(self, value):
        return ("leaf", *super().plain(value))


class Sibling(Base):
    """Another repository."""


class Slotted:
    __slots__ = ("number",)

    def __init__(self, number=7):
        self.number = number

    def plain(self, value):
        return ("slotted", self.number, value)


class Abstract(abc.ABC):
    @abc.abstractmethod
    def plain(self, value):
        """To be defined."""
        return ("abstract", value)


class Concrete(Abstract):
    def plain(self, value):
        return ("concrete", *super().plain(value))


class Colour(enum.Enum):
    RED = 1

    def plain(self, value):
        return (self.name, value)


@dataclasses.dataclass(frozen=True)
class Data:
    number: int = 7

    def plain(self, value):
        return ("data", self.number, value)


class Named(typing.NamedTuple):
    number: int = 7

    def plain(self, value):
        return ("named", self.number, value)


T = typing.TypeVar("T")


class Box(typing.Generic[T]):
    def plain(self, value):
        return ("box", value)


class Meta(type):
    def on_class(cls, value):
        return ("on_class", cls.__name__, value)


class WithMeta(metaclass=Meta):
    def plain(self, value):
        return ("with_meta", value)


def function(value: int, by: int = 2) -> int:
    """A function of the module."""
    return value * by


@functools.lru_cache
def remembered_function(value):
    return ("remembered_function", value)


@noted
def decorated_function(value):
    return ("decorated_function", value)


partial_function = functools.partial(function, by=5)


class Caller:
    def __call__(self, value):
        return ("called", value)


callable_object = Caller()
