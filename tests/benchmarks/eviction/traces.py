"""Traces: which keys are asked for, one after the other. Seeded, so that each run sees the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle, islice

KEYS = 5_000
REQUESTS = 60_000
_SEED = 20_240_416


@dataclass(frozen=True, slots=True)
class Trace:
    """Requests in order.

    Attributes:
        requests: the keys that are asked for.
        ttl: after how many requests an entry expires, counted from its load; infinity for never.
        writes: position in `requests` to the keys that a write drops just before it.
    """

    requests: Sequence[int]
    ttl: float = float("inf")
    writes: dict[int, Sequence[int]] | None = None


def zipf(skew: float) -> Trace:
    """The key of rank n is asked for as often as ``1 / n ** skew`` says; ranks are in no order."""
    rng = random.Random(_SEED)
    return Trace(_zipf_keys(rng, skew, REQUESTS, _shuffled_keys(rng)))


def zipf_with_scans() -> Trace:
    """Zipf 0.9; a quarter of all requests are of scans that walk through a tenth of the keys, in order."""
    rng = random.Random(_SEED)
    keys, length = _shuffled_keys(rng), KEYS // 10
    requests: list[int] = []
    while len(requests) < REQUESTS:
        requests += _zipf_keys(rng, 0.9, 3 * length, keys)
        start = rng.randrange(KEYS)
        requests += [position % KEYS for position in range(start, start + length)]
    return Trace(requests[:REQUESTS])


def shifting_popularity() -> Trace:
    """Zipf 0.9; now and then the twenty keys that were asked for most are no longer asked for more."""
    rng = random.Random(_SEED)
    keys = _shuffled_keys(rng)
    requests: list[int] = []
    while len(requests) < REQUESTS:
        requests += _zipf_keys(rng, 0.9, REQUESTS // 30, keys)
        keys = keys[20:] + keys[:20]
    return Trace(requests)


def loop(capacity: int) -> Trace:
    """Keys in a circle, a tenth more of them than the cache takes."""
    return Trace(list(islice(cycle(range(capacity + max(1, capacity // 10))), REQUESTS)))


def zipf_and_loop(capacity: int) -> Trace:
    """Half Zipf 0.9, half a circle of other keys, a tenth more of them than the cache takes."""
    rng = random.Random(_SEED)
    popular = _zipf_keys(rng, 0.9, REQUESTS, _shuffled_keys(rng))
    circle = cycle(range(KEYS, KEYS + capacity + max(1, capacity // 10)))
    return Trace([key if rng.random() < 0.5 else next(circle) for key in popular])


# -- as WATS asks ------------------------------------------------------------------------------------

_LISTS = range(20)  # lists of users, groups and connections, that everybody opens
_USERS = 2_000
_REFRESH = 60  # seconds
_TTL = 180  # seconds; with a TTL of the refresh itself there would be hardly a hit to win
_AT_WORK = 300  # users at the same time


def wats() -> Trace:
    """Each user at work refreshes a list of his own every minute; lists are hot; details are read once.

    Half of the users at work leave in each hour and others come. Somebody walks through the details of
    all users now and then, as an export does. A write drops the lists every twenty seconds.
    """
    rng = random.Random(_SEED)
    requests: list[int] = []
    writes: dict[int, Sequence[int]] = {}
    for second, keys in enumerate(_seconds_of_wats(rng)):
        if second % 20 == 0:
            writes[len(requests)] = _LISTS
        requests += keys
        if len(requests) >= REQUESTS:
            break
    return Trace(requests[:REQUESTS], ttl=_TTL * len(requests) / second, writes=writes)


def _seconds_of_wats(rng: random.Random) -> Iterator[list[int]]:
    own_list, details = 100, 100 + _USERS
    at_work = [rng.randrange(_USERS) for _ in range(_AT_WORK)]
    export = cycle(range(_USERS))
    while True:
        for second in range(3600):
            if second % (3600 // (_AT_WORK // 2)) == 0:
                at_work[rng.randrange(_AT_WORK)] = rng.randrange(_USERS)
            keys = [own_list + at_work[place] for place in range(second % _REFRESH, _AT_WORK, _REFRESH)]
            keys += rng.choices(_LISTS, k=5)
            keys += [details + rng.randrange(_USERS)]
            if second % 600 < 100:
                keys += [details + user for user in islice(export, 10)]
            yield keys


# -- parts -------------------------------------------------------------------------------------------


def _shuffled_keys(rng: random.Random) -> list[int]:
    return rng.sample(range(KEYS), KEYS)


def _zipf_keys(rng: random.Random, skew: float, count: int, keys: Sequence[int]) -> list[int]:
    weights = accumulate(1 / rank**skew for rank in range(1, len(keys) + 1))
    return rng.choices(keys, cum_weights=list(weights), k=count)


TRACES: dict[str, Callable[[int], Trace]] = {
    "Zipf 0.7": lambda _: zipf(0.7),
    "Zipf 0.9": lambda _: zipf(0.9),
    "Zipf 1.1": lambda _: zipf(1.1),
    "Zipf 0.9 with scans": lambda _: zipf_with_scans(),
    "shifting popularity": lambda _: shifting_popularity(),
    "a loop a tenth too long": loop,
    "Zipf 0.9 and a loop": zipf_and_loop,
    "as WATS asks": lambda _: wats(),
}
"""By name; each is given how many entries the cache takes."""
