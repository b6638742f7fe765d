"""The memory: the facts of texts that were read before, bounded by their number and length."""

from __future__ import annotations

import hashlib
import threading
from typing import Final

from wats_accel.forks import begins_anew_when_forked
from wats_accel.sql.facts import Facts

Key = tuple[str, str, int]
"""A text or what stands for it, a dialect, and the identity of the columns that were known."""

LONGEST_KEPT: Final = 20_000  # characters of a text


def short(text: str) -> str:
    """What stands for a text in a key: itself, unless it would fill the memory."""
    if len(text) <= LONGEST_KEPT:
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Memory:
    """Texts in two generations: when the young one is full it becomes the old one, which is forgotten.

    Args:
        most_texts: in each generation.
        most_characters: of all texts of a generation.

    Attributes:
        young: may be looked into without a method call; what is missing there may be old.
    """

    def __init__(self, most_texts: int = 2_000, most_characters: int = 4_000_000) -> None:
        self.young: Final[dict[Key, Facts]] = {}
        self._most_texts = most_texts
        self._most_characters = most_characters
        self._lock = (
            threading.RLock()
        )  # re-entrant: a finalizer of the application's own may execute something
        self._old: dict[Key, Facts] = {}
        self._characters = 0  # of the young ones
        # As long as an object is here, no other has its identity.
        self._owners: dict[int, object] = {}
        self._old_owners: dict[int, object] = {}
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    def get(self, key: Key, owner: object) -> Facts | None:
        """The facts of a text; None if they are not known. What is old is young again then."""
        found = self.young.get(key) or self._old.get(key)
        if found is not None:
            self.keep(key, found, owner)
        return found

    def keep(self, key: Key, facts: Facts, owner: object) -> None:
        """Keep the facts of a text.

        Args:
            key: what they were asked for by.
            facts: of the text.
            owner: the object whose identity is a part of the key.
        """
        length = len(key[0])
        with self._lock:
            if len(self.young) >= self._most_texts or self._characters + length > self._most_characters:
                self._age()
            if key not in self.young:
                self._characters += length
            self._owners[key[2]] = owner
            self.young[key] = facts

    def _age(self) -> None:
        self._old, self._old_owners = dict(self.young), dict(self._owners)
        self.young.clear()
        self._owners.clear()
        self._characters = 0
