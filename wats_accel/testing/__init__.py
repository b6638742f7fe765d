"""For tests of applications and plugins: a clock that stands still, an accelerator, parts that fail."""

from __future__ import annotations

from wats_accel.testing.accelerated import accelerated
from wats_accel.testing.clock import FakeClock
from wats_accel.testing.faults import Failing, Fault, failing, seams
from wats_accel.testing.faulty_store import FaultyStore
from wats_accel.testing.seam import Seam
from wats_accel.testing.seams import SEAMS

__all__ = [
    "SEAMS",
    "Failing",
    "FakeClock",
    "Fault",
    "FaultyStore",
    "Seam",
    "accelerated",
    "failing",
    "seams",
]
