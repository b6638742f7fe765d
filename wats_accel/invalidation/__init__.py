"""Invalidation: which entries a write drops, and the dropping itself."""

from __future__ import annotations

from wats_accel.invalidation.invalidator import Invalidator
from wats_accel.invalidation.rules import Drop, OpenWrite, When, WriteRule

__all__ = ["Drop", "Invalidator", "OpenWrite", "When", "WriteRule"]
