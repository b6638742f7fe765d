"""What stands in this process: no method is ever wrapped twice, whoever asks."""

from __future__ import annotations

from typing import Any

from wats_accel.patching.places import MAX_LAYERS, own_layers
from wats_accel.patching.resolver import Found

_installed: dict[int, Any] = {}
"""All stand-ins, by address."""


def remember(handle: Any) -> None:
    """Note that a stand-in has been put in place."""
    _installed.update({id(layer): layer for layer in own_layers(handle)})


def forget(handle: Any) -> None:
    """Note that it has been taken back."""
    for layer in own_layers(handle):
        _installed.pop(id(layer), None)


def is_stand_in(layer: object) -> bool:
    """Whether this very object has been put in place by a patcher of this process."""
    return _installed.get(id(layer), _installed) is layer


def has_stand_in(found: Found) -> bool:
    """Whether what was found is patched already, by whichever accelerator."""
    if found.inherited:
        return False  # a base class and its subclass may both be targets
    layer: Any = found.raw
    for _ in range(MAX_LAYERS):
        if is_stand_in(layer):
            return True
        layer = getattr(layer, "__wrapped__", None)
        if layer is None:
            return False
    return False
