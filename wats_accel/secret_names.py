"""Secret names: those of columns, keys and methods that look like a password, a hash or a token."""

from __future__ import annotations

from collections.abc import Iterable


class SecretNames:
    """All names that have one of some words in them, without regard to case.

    Args:
        words: parts of names, such as ``senha`` and ``token``.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(word.casefold() for word in words)

    def __contains__(self, name: str) -> bool:
        folded = name.casefold()
        return any(word in folded for word in self._words)
