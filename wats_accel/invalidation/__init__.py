"""Invalidation: which entries a write drops, and the dropping itself."""

from __future__ import annotations

from wats_accel.invalidation.invalidator import Invalidator
from wats_accel.invalidation.rules import NO_VALUES, Drop, OpenWrite, When, WriteRule

__all__ = ["NO_VALUES", "Drop", "Invalidator", "OpenWrite", "When", "WriteRule"]
