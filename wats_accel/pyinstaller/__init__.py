"""What PyInstaller is told about this package. Nothing here is part of a frozen program."""

from __future__ import annotations

from pathlib import Path


def hook_dirs() -> list[str]:
    """The folders with hooks; PyInstaller asks for them through the entry point group ``pyinstaller40``."""
    return [str(Path(__file__).parent)]
