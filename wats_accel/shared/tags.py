"""Tags: what stands in the shared server for everything that one invalidation may mean.

Each tag holds the number of the last invalidation that has meant it. An answer names all tags that
concern it, and the number that was the last when its load began: it is good as long as none of its tags has a
later one. So an invalidation takes constant time, however many answers it concerns, and no clock is compared.

A tag's name is a keyed hash: it tells nobody an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from wats_accel.cache.selection import Selection
from wats_accel.cache.texts import Texts
from wats_accel.patterns import KeyPattern

_DIGEST_BYTES = 16
_MOST_NAMED = 64
"""Arguments that one invalidation tells apart; one of more means the whole method."""


class Tags:
    """Names tags.

    Args:
        prefix: of all names.
        secret: keys the hash: without it nobody can try out which argument a name stands for.
    """

    def __init__(self, prefix: str, secret: bytes = b"") -> None:
        self._prefix = f"{prefix}:t:"
        self._secret = secret[:64]
        self.everything, self.unknown_tables = self.sound([self.named("all"), self.named("tables")])

    def named(self, *parts: str) -> str:
        """The name of what these parts say, in this order. No two others give the same."""
        told = b"".join(
            b"%d:%s" % (len(part), part)
            for part in (known.encode("utf-8", "surrogatepass") for known in parts)
        )
        digest = hashlib.blake2b(told, digest_size=_DIGEST_BYTES, key=self._secret)
        return self._prefix + digest.hexdigest()

    def of_drop(self, pattern: KeyPattern, selection: Selection) -> set[str]:
        """The tags that an invalidation moves on: all answers that it means have one of them."""
        if _is_glob(pattern.namespace):
            return {self.everything}
        if _is_glob(pattern.method):
            return {self.named("namespace", pattern.namespace)}
        method = (pattern.namespace, pattern.method)
        exact = selection.exact
        if exact is None or len(exact.texts) > _MOST_NAMED or exact.position >= _MOST_NAMED:
            return {self.named("method", *method)}
        position = str(exact.position)
        told = {self.named("argument", *method, position, text) for text in exact.texts}
        # An answer whose argument may be anything, and one that has no argument there at all, are meant, too.
        told.add(self.named("any", *method, position))
        return told | {self.named("beyond", *method, str(known)) for known in range(exact.position + 1)}

    def of_answer(self, namespace: str, method: str, texts: Texts) -> list[str]:
        """The tags of an answer: whatever means it moves one of them on."""
        arguments = [
            self.named("any", namespace, method, str(position))
            if text is None
            else self.named("argument", namespace, method, str(position), text)
            for position, text in enumerate(texts[:_MOST_NAMED])
        ]
        return [
            self.everything,
            self.unknown_tables,
            self.named("namespace", namespace),
            self.named("method", namespace, method),
            self.named("beyond", namespace, method, str(min(len(texts), _MOST_NAMED))),
            *arguments,
        ]

    def of_tables(self, tables: Iterable[str]) -> list[str]:
        """The tags of what is made from these tables, and of what changes them."""
        return [self.named("table", table) for table in tables]

    def sound(self, tags: Iterable[str]) -> list[str]:
        """The same, once it is sure that they are names of tags.

        Raises:
            TypeError: one of them is not: with it an answer could be kept that nothing drops.
        """
        known = list(tags)
        if not all(type(tag) is str and tag.startswith(self._prefix) for tag in known):
            raise TypeError("a tag that is none")
        return known


def _is_glob(text: str) -> bool:
    return any(character in text for character in "*?[")
