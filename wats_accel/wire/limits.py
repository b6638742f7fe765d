"""Limits: how large and how deep a value on the wire may be, in both directions."""

from __future__ import annotations

from wats_accel.records import record


@record(frozen=True, slots=True)
class Limits:
    """What is larger is not written, and not read.

    Attributes:
        most_bytes: of a document, before it is compressed. Reading one takes three to five times as much
            memory as a rule, and sixty times at the very worst.
        most_items: of all its containers together. One that contains another one twice counts it twice.
        deepest: how many containers may be inside each other.
    """

    most_bytes: int = 4 * 2**20
    most_items: int = 500_000
    deepest: int = 32
