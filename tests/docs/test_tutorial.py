"""The tutorial is true: every file is written, every command is typed, every printed line is compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from pages import DOCS, Block, blocks, write_file

TUTORIALS = [DOCS / "tutorial.md", DOCS / "pt-BR" / "inicio-rapido.md"]

_PROGRAMS = {"python": [sys.executable], "wats-accel": [sys.executable, "-m", "wats_accel"]}


def _typed(text: str) -> list[tuple[str, str]]:
    """``(command, what it prints)`` of each line that begins with ``$``."""
    parts = re.split(r"^\$ (.+)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def _printed(command: str, folder: Path) -> str:
    program, *arguments = command.split()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WATS_ACCEL_")}
    environment |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [*_PROGRAMS[program], *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    return run.stdout


def test_every_step_prints_what_the_tutorial_says(tmp_path: Path) -> None:
    for block in blocks(TUTORIALS[0]):
        write_file(block, tmp_path)
        if block.language == "console":
            for command, expected in _typed(block.text):
                assert _printed(command, tmp_path) == expected, f"{block.where}: {command}"


def test_both_tutorials_show_the_same_code() -> None:
    def code(page: Path) -> list[tuple[str, str, str | None]]:
        return [(block.language, block.text, block.path) for block in blocks(page)]

    english, portuguese = map(code, TUTORIALS)
    assert english == portuguese


def test_the_tutorial_types_commands() -> None:
    console = [block for block in blocks(TUTORIALS[0]) if _is_console(block)]
    assert len(console) >= 5


def _is_console(block: Block) -> bool:
    return block.language == "console"
