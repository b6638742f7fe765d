"""Interrupts at a chosen line: what a Control-C, or another thread, may do to the engine."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any


class Interrupter:
    """Raises an exception at the n-th line of some modules that a call comes to, in the calling thread.

    Not on the way out of a ``with`` block: an interpreter that has ended the block goes on into the lock's
    `__exit__`, without looking for interrupts. A trace function could raise there, and nothing else can.

    Args:
        modules: in which lines are counted.
        number: at which line to raise, from 1.
        error: what to raise.
    """

    def __init__(self, modules: Iterable[ModuleType], number: int, error: BaseException) -> None:
        self._files = {str(module.__file__) for module in modules}
        self._left = number
        self._error = error

    @property
    def has_struck(self) -> bool:
        """Whether the call came to that line."""
        return self._left <= 0

    def call(self, call: Callable[[], Any]) -> Any:
        """Make the call, and interrupt it."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            return call()
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename not in self._files or self.has_struck:
            return None
        blocks = _with_blocks(frame.f_code.co_filename)
        before = 0

        def trace_line(frame: FrameType, event: str, arg: object) -> Any:
            nonlocal before
            if event == "line":
                line, last = frame.f_lineno, before
                before = line
                if last not in blocks.get(line, ()):
                    self._count()
            return trace_line

        return trace_line

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise self._error


@functools.cache
def _with_blocks(file: str) -> dict[int, range]:
    """The lines inside each ``with`` block, by the line that it begins at."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    blocks = (node for node in ast.walk(tree) if isinstance(node, (ast.With, ast.AsyncWith)))
    return {node.lineno: range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1) for node in blocks}
