# ruff: noqa: N999 - PyInstaller's own rule for names of hooks
"""PyInstaller's hook for the package: what an analysis of its code does not find."""

from PyInstaller.utils.hooks import (  # type: ignore[import-untyped]  # it has no types
    collect_data_files,
    collect_entry_point,
)

from wats_accel.plugin_manager import ENTRY_POINT_GROUP
from wats_accel.pyinstaller.contents import hidden_imports

# Plugins of other distributions: with their metadata, or their entry points would be gone.
_metadata, _plugins = collect_entry_point(ENTRY_POINT_GROUP)

hiddenimports = [*hidden_imports(), *_plugins]
datas = [*collect_data_files("wats_accel.presets"), *_metadata]
