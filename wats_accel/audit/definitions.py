"""Definitions: which methods of a source tree are one piece of code, inherited by several classes."""

from __future__ import annotations

from pathlib import Path

from wats_accel.audit.shapes import Shapes
from wats_accel.sql.source.facts import Place, SourceFacts, SourceMethod


class Definitions:
    """Finds where a method is defined, and who inherits it.

    Args:
        source: the tree's facts.
        folder: the tree.
    """

    def __init__(self, source: SourceFacts, folder: Path) -> None:
        self.shapes = Shapes(folder)
        self._source = source
        self._alike: dict[tuple[Place, str], list[SourceMethod]] = {}
        for method in source.methods.values():
            self._alike.setdefault(_key(method), []).append(method)

    def of(self, method: SourceMethod) -> str:
        """The target at which a method is defined; its own, unless its class has inherited it."""
        alike = self._alike[_key(method)]
        if len(alike) == 1:
            return method.target
        path = self.shapes.of(method.place).path
        defining = [known.target for known in alike if _path(known.target) == path and _is_in_file(known)]
        return defining[0] if defining else method.target

    def heirs(self, method: SourceMethod) -> list[SourceMethod]:
        """The methods of other classes that are this one, inherited; none if it is not the definition."""
        if self.of(method) != method.target:
            return []
        return [known for known in self._alike[_key(method)] if known.target != method.target]

    def sharing(self, target: str) -> tuple[SourceMethod, ...]:
        """The methods that a wrapper at `target` stands before: itself, and those that inherit it.

        A class that only inherits a method gets a wrapper of its own, which others do not have.
        """
        method = self._source.methods.get(target)
        return () if method is None else (method, *self.heirs(method))


def _key(method: SourceMethod) -> tuple[Place, str]:
    return method.place, _path(method.target).rpartition(".")[2]


def _path(target: str) -> str:
    return target.partition(":")[2]


def _is_in_file(method: SourceMethod) -> bool:
    """Whether a method's module is the file that it is defined in, and no other with a class of its name."""
    file = method.place.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = method.target.partition(":")[0]
    return file == module or file.endswith(f".{module}") or module.endswith(f".{file}")
