"""Targets: the words by which a config file names a method, ``package.module:Class.method``."""

from __future__ import annotations

import fnmatch

from wats_accel.errors import TargetError
from wats_accel.records import record


def _is_dotted_name(text: str) -> bool:
    return bool(text) and all(part.isidentifier() for part in text.split("."))


@record(frozen=True, slots=True, order=True)
class Target:
    """A module and, inside it, the dotted path to a class, a method or a function.

    `path` is empty when the target is the module itself.
    """

    module: str
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``package.module`` or ``package.module:Class.method``.

        Raises:
            TargetError: the text is not of that form.
        """
        module, colon, path = text.strip().partition(":")
        if not _is_dotted_name(module) or (colon and not _is_dotted_name(path)):
            raise TargetError(
                f"expected a target such as 'package.module:Class' or 'package.module', got {text!r}"
            )
        return cls(module, path)

    def child(self, name: str) -> Target:
        """The target of the attribute `name` inside this one."""
        return Target(self.module, f"{self.path}.{name}" if self.path else name)

    @property
    def name(self) -> str:
        """The last part: the method's or function's own name."""
        return self.path.rpartition(".")[2]

    def matches(self, pattern: str) -> bool:
        """Whether a shell-style pattern names this target, whole or by its path (``UserRepository.*``)."""
        return fnmatch.fnmatchcase(str(self), pattern) or fnmatch.fnmatchcase(self.path, pattern)

    def __str__(self) -> str:
        return f"{self.module}:{self.path}" if self.path else self.module
