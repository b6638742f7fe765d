"""Faults: any seam of wats_accel made to raise, to hang for a while, or to answer nonsense.

A seam is a function of ours, or one of the standard library's that we call. While a fault is in place the
function's own code is exchanged, so that whoever has got hold of it, by whatever name, as a bound method or
inside a closure, meets the fault; and afterwards it is the same function as before.
"""

from __future__ import annotations

import contextlib
import fnmatch
import inspect
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from wats_accel.testing.seam import Seam
from wats_accel.testing.seams import SEAMS

Call = Callable[[], Any]
"""Does what the seam does when nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at a seam. Made by `raises`, `hangs`, `returns` and `none`.

    Attributes:
        text: the fault in a few words: ``raises MemoryError``.
        act: is given the seam's own work, and does what the fault does.
    """

    text: str
    act: Callable[[Call], Any] = field(repr=False)

    @classmethod
    def raises(cls, error: Callable[[], BaseException], *, afterwards: bool = False) -> Fault:
        """The seam raises.

        Args:
            error: makes the exception; its class does. Each time a new one, as exceptions remember much.
            afterwards: let the work be done first, so that only its caller does not know of it.
        """

        def act(work: Call) -> Any:
            if afterwards:
                work()
            raise error()

        name = getattr(error, "__name__", "an exception")
        return cls(f"raises {name}{' afterwards' if afterwards else ''}", act)

    @classmethod
    def hangs(cls, seconds: float) -> Fault:
        """The seam takes so much longer, and then does its work."""

        def act(work: Call) -> Any:
            threading.Event().wait(seconds)
            return work()

        return cls(f"hangs for {seconds:g} s", act)

    @classmethod
    def returns(cls, value: object, text: str = "") -> Fault:
        """The seam does its work, and returns this instead of its answer.

        Args:
            value: what it returns.
            text: the value in a word; by default its repr.
        """

        def act(work: Call) -> Any:
            work()
            return value

        return cls(f"returns {text or repr(value)}", act)

    @classmethod
    def none(cls) -> Fault:
        """Nothing goes wrong: for counting how often a seam is passed."""
        return cls("works", lambda work: work())


class Failing:
    """One or several seams with a fault, as `failing` gives them.

    Attributes:
        fault: what goes wrong.
        passed: how often one of the seams was passed so far.
        struck: how often the fault came into effect.
    """

    def __init__(self, fault: Fault, *, nth: int | None, share: float, seed: int) -> None:
        self.fault = fault
        self.passed = 0
        self.struck = 0
        self._nth = nth
        self._share = share
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def meet(self, seam: Seam, work: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """What a call of the seam's function does while the fault is in place."""
        if not seam.concerns(*args) or not self._strikes():
            return work(*args, **kwargs)
        return self.fault.act(lambda: work(*args, **kwargs))

    def _strikes(self) -> bool:
        with self._lock:
            self.passed += 1
            due = self._nth in (None, self.passed) and self._random.random() < self._share
            self.struck += due
            return due


def seams(pattern: str = "*") -> list[str]:
    """The names of all seams that a shell-style pattern matches, in the order of the table."""
    return [name for name in SEAMS if fnmatch.fnmatchcase(name, pattern)]


@contextlib.contextmanager
def failing(
    pattern: str, fault: Fault, *, nth: int | None = None, share: float = 1.0, seed: int = 0
) -> Iterator[Failing]:
    """Have the seams that `pattern` matches fail during a ``with`` block, in all threads.

    Args:
        pattern: a name of `seams`, or a shell-style pattern of several: ``store.*``.
        fault: what goes wrong.
        nth: only the n-th time, counted from 1, that one of them is passed; None: every time.
        share: strike at random, in so many of all cases: 0.1 for a tenth.
        seed: of that chance.

    Raises:
        LookupError: there is no such seam.
    """
    names = seams(pattern)
    if not names:
        raise LookupError(f"there is no seam {pattern!r}; `seams()` has them all")
    made = Failing(fault, nth=nth, share=share, seed=seed)
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(_exchanged(SEAMS[name], made))
        yield made


# -- exchanging the code of a function ---------------------------------------------------------------------

_PLACE = "the place of what is called"


def _calling(called: Callable[..., Any], like: CodeType) -> CodeType:
    """Code with the parameters of `like`, for those who look at them, which passes them on to `called`."""
    names = like.co_varnames
    positional, only_named = names[: like.co_argcount], names[like.co_argcount :][: like.co_kwonlyargcount]
    rest = list(names[like.co_argcount + like.co_kwonlyargcount :])
    parameters, passed = list(positional), list(positional)
    if like.co_posonlyargcount:
        parameters.insert(like.co_posonlyargcount, "/")
    if like.co_flags & inspect.CO_VARARGS:
        name = rest.pop(0)
        parameters.append(f"*{name}")
        passed.append(f"*{name}")
    elif only_named:
        parameters.append("*")
    parameters += only_named
    passed += [f"{name}={name}" for name in only_named]
    if like.co_flags & inspect.CO_VARKEYWORDS:
        parameters.append(f"**{rest[0]}")
        passed.append(f"**{rest[0]}")
    own = f"accel_{_PLACE.replace(' ', '_')}"
    text = f"def made({', '.join(parameters)}):\n {own} = {_PLACE!r}\n return {own}({', '.join(passed)})"
    namespace: dict[str, Any] = {}
    exec(text, namespace)  # names of parameters of our own functions, and nothing else
    code: CodeType = namespace["made"].__code__
    constants = tuple(called if known == _PLACE else known for known in code.co_consts)
    return code.replace(
        co_consts=constants, co_freevars=like.co_freevars, co_name=like.co_name, co_filename=__file__
    )


@contextlib.contextmanager
def _exchanged(seam: Seam, made: Failing) -> Iterator[None]:
    function = seam.function()
    own = function.__code__
    work = FunctionType(
        own, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    work.__kwdefaults__ = function.__kwdefaults__

    def called(*args: Any, **kwargs: Any) -> Any:
        return made.meet(seam, work, args, kwargs)

    function.__code__ = _calling(called, own)
    try:
        yield
    finally:
        function.__code__ = own
