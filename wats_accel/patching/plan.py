"""The plan: which targets are to be wrapped, by which layers. Pure data, nothing is patched here."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from typing import Any, Literal

from wats_accel.errors import KeyPath
from wats_accel.records import record
from wats_accel.targets import Target

Kind = Literal["instance", "class", "static", "function"]


class Layer(enum.IntEnum):
    """Where a wrapper stands when one method has several; higher is further out."""

    INVALIDATE = 10
    CACHE = 20
    CONNECT = 30


@record(frozen=True, slots=True)
class MethodInfo:
    """What was found at a target.

    Attributes:
        target: that was asked for.
        kind: how it is called.
        signature: as a plain function, so with ``self`` or ``cls`` where there is one.
        is_generator: whether it is a generator function.
        is_exact: whether calls are bound by that very signature. A decorator that passes on
            ``*args, **kwargs`` shows the signature of what it wraps, and may add arguments to a call.
    """

    target: Target
    kind: Kind
    signature: inspect.Signature
    is_generator: bool
    is_exact: bool = True

    @property
    def has_instance(self) -> bool:
        """Whether the first parameter is the instance or class that it is called on."""
        return self.kind in ("instance", "class")


Wrap = Callable[[Callable[..., Any], MethodInfo], Callable[..., Any]]
"""Makes the wrapper of a plain function; raises `TargetError` when the rule does not fit the method."""


def _nothing(why: str) -> None:
    """Nothing has to happen when the rule is left out."""


@record(frozen=True, slots=True)
class PatchSpec:
    """One wrapper for one target.

    Attributes:
        target: the method or function.
        layer: its place among the wrappers of this target.
        wrap: makes the wrapper, once the target is imported.
        key_path: where the rule stands in the configuration.
        on_left_out: told why, if the rule cannot be applied; the place to degrade toward freshness.
        accepts_generators: whether `wrap` can deal with a generator function.
        needs_signature: whether `wrap` looks at the signature; many a function written in C has none.
        rule: what the wrapper is made from. A reload leaves it in place if the rule of the same target is
            equal then; None is equal to nothing.
        of_driver: whether the target is a DB-API driver's ``connect``, which lies outside of the application.
        calls: functions that the wrapper calls besides: what holds for targets holds for them.
    """

    target: Target
    layer: Layer
    wrap: Wrap
    key_path: KeyPath = ()
    on_left_out: Callable[[str], None] = _nothing
    accepts_generators: bool = False
    needs_signature: bool = True
    rule: object = None
    of_driver: bool = False
    calls: tuple[Target, ...] = ()

    def is_as(self, other: PatchSpec) -> bool:
        """Whether the other one would put the same wrapper in place."""
        return self.rule is not None and (
            (self.target, self.layer, self.accepts_generators, self.needs_signature, self.rule)
            == (other.target, other.layer, other.accepts_generators, other.needs_signature, other.rule)
        )


@record(frozen=True, slots=True)
class Patch:
    """All wrappers of one target, from the innermost outwards."""

    target: Target
    specs: tuple[PatchSpec, ...]

    @property
    def needs_signature(self) -> bool:
        """Whether one of the wrappers looks at the signature."""
        return any(spec.needs_signature for spec in self.specs)

    @property
    def writes(self) -> bool:
        """Whether one of the wrappers invalidates."""
        return any(spec.layer is Layer.INVALIDATE for spec in self.specs)

    def is_as(self, other: Patch) -> bool:
        """Whether the other one would put the same wrappers in place."""
        return len(self.specs) == len(other.specs) and all(
            spec.is_as(known) for spec, known in zip(self.specs, other.specs, strict=True)
        )


@record(frozen=True, slots=True)
class PatchPlan:
    """Everything that is to be patched, in the order in which it was asked for."""

    patches: tuple[Patch, ...] = field(default=())

    @classmethod
    def of(cls, specs: Iterable[PatchSpec]) -> PatchPlan:
        """Group the specs by target and order each group by layer."""
        groups: dict[Target, list[PatchSpec]] = {}
        for spec in specs:
            groups.setdefault(spec.target, []).append(spec)
        return cls(
            tuple(
                Patch(target, tuple(sorted(group, key=lambda spec: spec.layer)))
                for target, group in groups.items()
            )
        )

    def by_module(self) -> dict[str, list[Patch]]:
        """The patches of each module."""
        modules: dict[str, list[Patch]] = {}
        for patch in self.patches:
            modules.setdefault(patch.target.module, []).append(patch)
        return modules

    def __iter__(self) -> Iterator[Patch]:
        return iter(self.patches)

    def __len__(self) -> int:
        return len(self.patches)
