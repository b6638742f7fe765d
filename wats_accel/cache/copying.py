"""PLACEHOLDER put here by the founder so that others can import it: overwrite it whole."""
from __future__ import annotations
import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
CopyMode = Literal["none", "list", "auto", "deep"]
class Uncopyable(TypeError): ...
@dataclass(frozen=True, slots=True)
class Snapshot:
    stored: Any
    thaw: Callable[[Any], object] | None
    def give(self) -> object:
        return self.stored if self.thaw is None else self.thaw(self.stored)
def take_snapshot(value: object, mode: CopyMode = "auto") -> Snapshot:
    return Snapshot(copy.deepcopy(value), copy.deepcopy)
