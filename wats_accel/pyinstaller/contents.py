"""The modules that a frozen program needs and no analysis of its code finds: nobody imports them by name."""

from __future__ import annotations

import wats_accel_plugins
from wats_accel.sql.statement import DIALECTS


def hidden_imports() -> list[str]:
    """Modules that are imported by computed names, or by plugin files that PyInstaller never sees."""
    return [
        *(f"wats_accel_plugins.{name}" for name in wats_accel_plugins.BUILT_IN),
        "wats_accel.extension",  # what plugin files beside the executable import
        "wats_accel.presets",
        *(f"sqlglot.dialects.{name}" for name in DIALECTS if name),
    ]
