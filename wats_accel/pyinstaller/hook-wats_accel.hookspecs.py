# ruff: noqa: N999 - PyInstaller's own rule for names of hooks
"""PyInstaller's hook for the hook specifications: they name click for type checkers only."""

excludedimports = ["click"]
