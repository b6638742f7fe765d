"""Source facts: what a source tree says of its methods, without importing or running it."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wats_accel.sql.facts import Facts


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file; `file` is relative to the source tree, with forward slashes."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class SourceStatement:
    """A text of SQL that can reach the driver.

    Attributes:
        text: as far as it is known, on one line; ``?`` stands for unknown parts where a value stands, and
            the expression in braces for other unknown parts, of which `facts` tell what they may hide.
        facts: what it does, in the dialect that was asked for. A text that the tree has in several
            versions, one for each kind of database, is read in the dialect that understands it best.
        place: where the driver is called with it, or what passes it on to the driver.
    """

    text: str
    facts: Facts
    place: Place


@dataclass(frozen=True, slots=True)
class SourceCall:
    """A call of another method of the tree; of several possible ones there are several calls."""

    target: str
    place: Place


@dataclass(frozen=True, slots=True)
class SourceUnknown:
    """What could not be analysed, in words: ``the SQL given to execute() comes from a parameter`` …"""

    what: str
    place: Place


@dataclass(frozen=True, slots=True)
class FailureAnswer:
    """A constant that is returned after a failure.

    Attributes:
        text: as Python spells it: ``[]``, ``(None, False)``.
        place: where it is returned.
        after: the method whose failure answer it follows from; empty for what the method has caught itself.
    """

    text: str
    place: Place
    after: str = ""


@dataclass(frozen=True, slots=True)
class SourceMethod:
    """One method, or one function, of a source tree.

    Attributes:
        target: ``package.module:Class.method``, as in a configuration.
        place: of its ``def``.
        parameters: the names of its parameters, without ``self``.
        statements: that it sends itself.
        calls: of other methods of the tree that it makes itself.
        clock: where the time of day flows into what it asks or answers.
        unknowns: what could not be told of it; never empty when SQL may be missing from `statements`.
        failure_answers: constants that it returns where it has caught something.
        changes_arguments: the parameters that it changes in place.
        is_abstract: whether it has no body of its own.
        decorators: their names, such as ``property``, ``staticmethod``.
        is_async: whether it is ``async def``.
        is_generator: whether it yields.
        given_statements: that it sends with parts which its caller gives. Its callers in the tree have
            them among their own statements, in full; they count for who calls it from elsewhere.
        given_unknowns: what only its caller knows, likewise.
        reads_by_name: whether its name promises a read: ``get_or_create``, ``find_user``, ``is_known``.
    """

    target: str
    place: Place
    parameters: tuple[str, ...] = ()
    statements: tuple[SourceStatement, ...] = ()
    calls: tuple[SourceCall, ...] = ()
    clock: tuple[Place, ...] = ()
    unknowns: tuple[SourceUnknown, ...] = ()
    failure_answers: tuple[FailureAnswer, ...] = ()
    changes_arguments: tuple[str, ...] = ()
    is_abstract: bool = False
    decorators: tuple[str, ...] = ()
    is_async: bool = False
    is_generator: bool = False
    given_statements: tuple[SourceStatement, ...] = ()
    given_unknowns: tuple[SourceUnknown, ...] = ()
    reads_by_name: bool = False

    def called_from_elsewhere(self) -> SourceMethod:
        """It as it is for a caller that the tree does not have: with what only its caller knows."""
        return dataclasses.replace(
            self,
            statements=self.statements + self.given_statements,
            unknowns=self.unknowns + self.given_unknowns,
        )


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A whole source tree.

    Attributes:
        methods: by target. A method that a class inherits is here once for each class of the tree that
            has it, since `self` differs: ``Base._run`` called on a subclass may send other SQL.
        unreadable: files that are no valid Python, each with the reason.
    """

    methods: Mapping[str, SourceMethod] = field(default_factory=dict)
    unreadable: tuple[SourceUnknown, ...] = ()

    def without(self, patterns: Iterable[str]) -> SourceFacts:
        """The tree without some of its files.

        Args:
            patterns: shell-style globs of files, and of folders with all that is in them.
        """
        left_out = tuple(patterns)
        if not left_out:
            return self
        methods = {
            target: method
            for target, method in self.methods.items()
            if not is_one_of(method.place.file, left_out)
        }
        unreadable = tuple(known for known in self.unreadable if not is_one_of(known.place.file, left_out))
        return SourceFacts(methods, unreadable)

    def reachable(self, target: str) -> Iterator[SourceMethod]:
        """A method and all that it calls, directly or not; itself first, each once.

        Itself as it is when it is `SourceMethod.called_from_elsewhere`, as a cached method is; of the
        others what their callers give them is among the statements of these callers.
        """
        seen = {target}
        waiting = [target]
        while waiting:
            method = self.methods.get(waiting.pop(0))
            if method is None:
                continue
            yield method.called_from_elsewhere() if method.target == target else method
            fresh = [call.target for call in method.calls if call.target not in seen]
            seen.update(fresh)
            waiting += dict.fromkeys(fresh)


def is_one_of(file: str, patterns: tuple[str, ...]) -> bool:
    """Whether a file, or a folder that it is in, matches one of some shell-style globs."""
    parts = file.split("/")
    names = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]  # its folders, and itself
    plain = [pattern.removeprefix("./").rstrip("/") for pattern in patterns]
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in plain)
