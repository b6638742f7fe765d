"""The memory: the facts of texts that were read before, bounded by their number and length."""

from __future__ import annotations

import hashlib
import threading
from typing import Final

from wats_accel.sql.facts import Facts

Key = tuple[str, str, int]
"""A text or what stands for it, a dialect, and the identity of the columns that were known."""

LONGEST_KEPT: Final = 20_000  # characters of a text
_MOST_TEXTS: Final = 2_000
_MOST_CHARACTERS: Final = 4_000_000


def short(text: str) -> str:
    """What stands for a long text: it would fill the memory."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Memory:
    """Texts in two generations: when the young one is full it becomes the old one, which is forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._young: dict[Key, tuple[Facts, object]] = {}
        self._old: dict[Key, tuple[Facts, object]] = {}
        self._characters = 0  # of the young ones

    def get(self, key: Key) -> Facts | None:
        """The facts of a text; None if they are not known."""
        found = self._young.get(key)
        if found is not None:
            return found[0]
        found = self._old.get(key)
        if found is None:
            return None
        self.keep(key, *found)
        return found[0]

    def keep(self, key: Key, facts: Facts, owner: object) -> None:
        """Keep the facts of a text.

        Args:
            key: what they were asked for by.
            facts: of the text.
            owner: the object whose identity is a part of the key: as long as it is here, no other has it.
        """
        length = len(key[0])
        with self._lock:
            if len(self._young) >= _MOST_TEXTS or self._characters + length > _MOST_CHARACTERS:
                self._old, self._young, self._characters = self._young, {}, 0
            self._young[key] = (facts, owner)
            self._characters += length
