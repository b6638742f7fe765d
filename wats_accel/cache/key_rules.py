"""The rules of one method's keys, as the engine sees them."""

from __future__ import annotations

from wats_accel.records import record


@record(frozen=True, slots=True)
class KeyRules:
    """What the configuration says about the key of one method.

    Attributes:
        scope: attribute paths such as ``self.db.connection_string``; empty: one instance's own.
        fold: parameters whose text is compared without case.
        exclude: parameters that are left out.
        include: attribute paths that are taken in.
        secret: parameters, or paths among `include`, whose values nobody may read. ``*args`` and ``**kwargs``
            may be among them, as may the name of an argument that ``**kwargs`` catches.
    """

    scope: tuple[str, ...] = ()
    fold: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    include: tuple[str, ...] = ()
    secret: frozenset[str] = frozenset()

    def hides(self, name: str) -> bool:
        """Whether a parameter, or a path that begins with one, is a secret."""
        return name in self.secret or name.partition(".")[0] in self.secret
