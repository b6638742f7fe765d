"""Ages: how long an answer is fresh, how long it may stand in for a failure, when it is renewed."""

from __future__ import annotations

import random

from wats_accel.records import record

FOREVER = float("inf")


@record(frozen=True, slots=True)
class Lifetime:
    """The moments of one entry, by the cache's monotonic clock, in seconds.

    Attributes:
        due_at: a hit does not answer by itself any more: it is to be renewed, or no longer fresh.
        fresh_until: from here on it answers no call, unless the method fails.
        expires_at: from here on it is of no use at all.
    """

    due_at: float
    fresh_until: float
    expires_at: float


@record(frozen=True, slots=True)
class AgeRules:
    """What the configuration says of the age of one method's answers.

    Attributes:
        jitter: by how much of itself a TTL may be shortened, at random; 0.1 for a tenth.
        grace_seconds: how long after it an answer may stand in for a failure.
        grace_errors: the exception types that are such failures, by name; see `names_error`.
        refresh_after: the share of its fresh life after which an answer is renewed in the background;
            0: never.
        max_age_seconds: a bound that no grace extends, for answers that time alone changes; 0: none.
        valid_until: what tells when time alone changes an answer, in a word for explanations.
    """

    jitter: float = 0.0
    grace_seconds: float = 0.0
    grace_errors: tuple[str, ...] = ()
    refresh_after: float = 0.0
    max_age_seconds: float = 0.0
    valid_until: str = ""

    def lifetime(
        self, began_at: float, ttl_seconds: float, *, at_most: float = FOREVER, gone_by: float = FOREVER
    ) -> Lifetime:
        """The moments of an answer.

        Args:
            began_at: when its load began: it may be as old as this.
            ttl_seconds: 0 for no end.
            at_most: until when everything that it was made from is fresh.
            gone_by: until when all of that is of any use, if only to stand in for a failure.
        """
        bound = began_at + self.max_age_seconds if self.max_age_seconds else FOREVER
        fresh_until = self.end(began_at, ttl_seconds, at_most=at_most)
        due_at = fresh_until
        if self.refresh_after and fresh_until < FOREVER:
            due_at = began_at + (fresh_until - began_at) * self.refresh_after
        return Lifetime(due_at, fresh_until, min(fresh_until + self.grace_seconds, bound, gone_by))

    def end(self, began_at: float, ttl_seconds: float, *, at_most: float = FOREVER) -> float:
        """Until when an answer is fresh; with neither a grace nor renewals there is no other moment.

        Arguments are those of `lifetime`.
        """
        end = FOREVER
        if ttl_seconds:
            # So that entries that were stored together do not all expire together.
            share = 1.0 - self.jitter * random.random() if self.jitter else 1.0
            end = began_at + ttl_seconds * share
        if self.max_age_seconds:
            end = min(end, began_at + self.max_age_seconds)
        return end if end < at_most else at_most

    def excuses(self, error: BaseException) -> bool:
        """Whether an old answer may stand in for this exception."""
        return any(names_error(text, type(error)) for text in self.grace_errors)


def names_error(text: str, error_type: type[BaseException]) -> bool:
    """Whether `text` names this type of exception or one of its bases.

    ``DatabaseError``, ``pyodbc.Error`` and ``app.errors:DatabaseError`` are ways to name one. By name,
    because nothing should be imported only to be recognised.
    """
    wanted = text.replace(":", ".")
    return any(
        wanted in (known.__name__, f"{known.__module__}.{known.__qualname__}") for known in error_type.__mro__
    )
