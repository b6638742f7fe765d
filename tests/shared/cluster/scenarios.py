"""What may happen to the server of a cluster while its processes go on working; one function for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from members import Cluster, Seen, Size
from private_redis import PrivateRedis
from redis_proxy import Proxy, Weather


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a scenario takes place.

    Attributes:
        database: the ODBC string of an empty database.
        redis: that runs.
        size: of the cluster.
        mode: `rules` or `sql`.
        tier: `shared` or `backplane-only`.
        disturbed_seconds: how long a disturbance lasts that ends.
    """

    database: str
    redis: PrivateRedis
    size: Size = field(default_factory=Size)
    mode: str = "rules"
    tier: str = "backplane-only"
    disturbed_seconds: float = 2.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the processes have seen, and how many seconds after the disturbance the last was connected."""

    seen: Seen
    recovered_seconds: float | None


def steady(setting: Setting) -> Outcome:
    """Nothing happens."""
    with _direct(setting) as cluster:
        cluster.go()
        time.sleep(setting.size.seconds)
        return Outcome(cluster.stop(), None)


def bare(setting: Setting) -> Outcome:
    """The same application without the accelerator: what calls take, and what the checker says of it."""
    with Cluster(setting.database, lambda _: "", setting.size, mode="bare", seed=setting.seed) as cluster:
        cluster.go()
        time.sleep(setting.size.seconds)
        return Outcome(cluster.stop(), None)


def killed(setting: Setting) -> Outcome:
    """The server is killed, and one that knows nothing comes up in its place after a while."""
    return _disturbed(setting, setting.redis.kill, setting.redis.start)


def paused(setting: Setting) -> Outcome:
    """The server answers nothing for a while, and then all that it was asked."""
    return _disturbed(setting, setting.redis.pause, setting.redis.resume)


def restarted_empty(setting: Setting) -> Outcome:
    """The server has forgotten everything from one moment to the next."""
    return _disturbed(setting, setting.redis.restart_empty, _nothing, seconds=0.0)


def full(setting: Setting) -> Outcome:
    """The server has no memory left."""
    return _disturbed(setting, setting.redis.be_full, setting.redis.be_large)


def refusing(setting: Setting) -> Outcome:
    """The server wants a password that nobody has."""
    return _disturbed(setting, setting.redis.refuse_strangers, setting.redis.accept_strangers)


def half_cut_off(setting: Setting, weather: Weather = Weather.REFUSED) -> Outcome:
    """Half of the processes cannot reach the server, and go on writing."""
    with _proxy(setting) as proxy:
        return _disturbed(
            setting,
            lambda: proxy.be(weather),
            lambda: proxy.be(Weather.FINE),
            url_of=lambda member: (proxy if setting.size.is_cut_off(member) else setting.redis).url,
        )


def half_swallowed(setting: Setting) -> Outcome:
    """The same, and no connection tells that it is cut."""
    return half_cut_off(setting, Weather.SWALLOWED)


def half_held(setting: Setting) -> Outcome:
    """The same; in the end all that was sent meanwhile comes through, from whoever has gone long ago, too."""
    return half_cut_off(setting, Weather.HELD)


def half_dripping(setting: Setting) -> Outcome:
    """Half of the processes get an answer that does not end, a byte at a time."""
    return half_cut_off(setting, Weather.DRIPPING)


def garbage(setting: Setting) -> Outcome:
    """Whatever is asked, the answer is random bytes."""
    with _proxy(setting) as proxy:
        return _disturbed(
            setting,
            lambda: proxy.be(Weather.GARBAGE),
            lambda: proxy.be(Weather.FINE),
            url_of=lambda member: proxy.url,
        )


def restarted_while_half_is_cut_off(setting: Setting) -> Outcome:
    """The server forgets who is there, while half of the processes cannot say that they are."""
    with _proxy(setting) as proxy:

        def disturb() -> None:
            proxy.be(Weather.REFUSED)
            setting.redis.restart_empty()

        return _disturbed(
            setting,
            disturb,
            lambda: proxy.be(Weather.FINE),
            url_of=lambda member: (proxy if setting.size.is_cut_off(member) else setting.redis).url,
        )


@dataclass(frozen=True, slots=True)
class ColdStart:
    """How often the application itself was asked for each list, by all processes; and how long it took."""

    loads: list[int]
    longest_seconds: float


def cold_start(setting: Setting, lists: int = 5, *, waits: bool = True) -> ColdStart:
    """All processes ask for the same lists at the same moment, and nobody has them.

    Args:
        setting: where.
        lists: how many.
        waits: whether the moment comes when all are connected, or as soon as each of them has begun.
    """
    names = tuple(f"list {number}" for number in range(lists))
    with Cluster(
        setting.database,
        lambda _: setting.redis.url,
        setting.size,
        mode=setting.mode,
        tier=setting.tier,
        lists=names,
        waits=waits,
    ) as cluster:
        cluster.go()
        told = cluster.answers()
        loads = [sum(answer["runs"][number] for answer in told) for number in range(lists)]
        return ColdStart(loads, max(answer["seconds"] for answer in told))


def _disturbed(
    setting: Setting,
    disturb: Callable[[], object],
    undo: Callable[[], object],
    *,
    seconds: float | None = None,
    url_of: Callable[[int], str] | None = None,
) -> Outcome:
    with _direct(setting, url_of) as cluster:
        cluster.go()
        time.sleep(setting.size.seconds / 2)
        disturb()
        time.sleep(setting.disturbed_seconds if seconds is None else seconds)
        undo()
        ended = time.monotonic()
        time.sleep(setting.size.seconds / 2)
        seen = cluster.stop()
        return Outcome(seen, seen.recovered_after(ended))


def _direct(setting: Setting, url_of: Callable[[int], str] | None = None) -> Cluster:
    return Cluster(
        setting.database,
        url_of or (lambda _: setting.redis.url),
        setting.size,
        mode=setting.mode,
        tier=setting.tier,
        seed=setting.seed,
    )


@contextmanager
def _proxy(setting: Setting) -> Iterator[Proxy]:
    proxy = Proxy(setting.redis.port, seed=setting.seed)
    try:
        yield proxy
    finally:
        proxy.close()


def _nothing() -> None:
    """There is nothing to undo."""


DISTURBANCES = {
    "steady": steady,
    "killed": killed,
    "paused": paused,
    "restarted empty": restarted_empty,
    "half cut off": half_cut_off,
    "half swallowed": half_swallowed,
    "half held": half_held,
    "half dripping": half_dripping,
    "full": full,
    "refuses the password": refusing,
    "garbage": garbage,
    "restarted while half is cut off": restarted_while_half_is_cut_off,
}
"""By name, in the order of the page."""
