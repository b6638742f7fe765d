"""What may happen to the server of a cluster, and to the way there, while its processes go on working."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum

from cluster_registers import VERSION_TABLE
from members import ISOLATED_SECONDS, Cluster, Seen, Size
from private_redis import PrivateRedis
from redis_proxy import Proxy, Weather

LONGER_THAN_BOUND = ISOLATED_SECONDS + 1.5


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

    @classmethod
    def of_size(cls, database: str, redis: PrivateRedis, *, whole: bool) -> Setting:
        """The whole size, or a share of it that takes a few seconds."""
        if whole:
            return cls(database, redis, Size(processes=8, threads=4, seconds=20.0), disturbed_seconds=10.0)
        return cls(database, redis, Size(seconds=0.8), disturbed_seconds=0.4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the processes have seen, and how many seconds after the disturbance the last was connected."""

    seen: Seen
    recovered_seconds: float | None


def steady(setting: Setting) -> Outcome:
    """Nothing happens."""
    with _cluster(setting, lambda _: setting.redis.url) as cluster:
        cluster.go()
        time.sleep(setting.size.seconds)
        return Outcome(cluster.stop(), None)


def followed(setting: Setting) -> Outcome:
    """There is no server: each process asks the database, five times a second, what others have changed."""
    setting = replace(setting, tier=VERSION_TABLE)
    with _cluster(setting, lambda _: setting.database) as cluster:
        cluster.go()
        time.sleep(setting.size.seconds)
        return Outcome(cluster.stop(), None)


def bare(setting: Setting) -> Outcome:
    """The same application without the accelerator: what calls take, and what the checker says of it."""
    with Cluster(setting.database, lambda _: "", setting.size, mode="bare", seed=setting.seed) as cluster:
        cluster.go()
        time.sleep(setting.size.seconds)
        return Outcome(cluster.stop(), None)


def disturbed(setting: Setting, *names: str) -> Outcome:
    """These disturbances come over the processes, one after another; see `DISTURBANCES`."""
    with _proxy(setting) as proxy:
        scene = Scene(setting.redis, proxy)
        ways = [DISTURBANCES[name](scene) for name in names]

        def url_of(member: int) -> str:
            by_proxy = any(way.of is Of.ALL or setting.size.is_cut_off(member) for way in ways if way.of)
            return proxy.url if by_proxy else setting.redis.url

        with _cluster(setting, url_of) as cluster:
            cluster.go()
            recovered = []
            for way in ways:
                time.sleep(setting.size.seconds / 2)
                way.begin()
                time.sleep(setting.disturbed_seconds if way.lasts else 0.0)
                way.end()
                recovered.append(time.monotonic())
                cluster.until_connected()
            time.sleep(setting.size.seconds / 2)
            seen = cluster.stop()
            return Outcome(seen, seen.recovered_after(recovered[-1]))


class Of(Enum):
    """Who reaches the server by a network that is disturbed."""

    HALF = "half of the processes"
    ALL = "all processes"


@dataclass(frozen=True, slots=True)
class Scene:
    """What can be disturbed."""

    redis: PrivateRedis
    proxy: Proxy


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How it begins and ends; `of` whose network it is, and whether it `lasts`."""

    begin: Callable[[], object]
    end: Callable[[], object]
    of: Of | None = None
    lasts: bool = True


def _weather(weather: Weather, of: Of = Of.HALF) -> Callable[[Scene], Disturbance]:
    return lambda scene: Disturbance(
        lambda: scene.proxy.be(weather), lambda: scene.proxy.be(Weather.FINE), of=of
    )


def _forgotten_while_half_is_cut_off(scene: Scene) -> Disturbance:
    def begin() -> None:
        scene.proxy.be(Weather.REFUSED)
        scene.redis.restart_empty()

    return Disturbance(begin, lambda: scene.proxy.be(Weather.FINE), of=Of.HALF)


DISTURBANCES: dict[str, Callable[[Scene], Disturbance]] = {
    "killed": lambda scene: Disturbance(scene.redis.kill, scene.redis.start),
    "paused": lambda scene: Disturbance(scene.redis.pause, scene.redis.resume),
    "restarted empty": lambda scene: Disturbance(scene.redis.restart_empty, _nothing, lasts=False),
    "half cut off": _weather(Weather.REFUSED),
    "half swallowed": _weather(Weather.SWALLOWED),
    "half held up": _weather(Weather.HELD),
    "half dripping": _weather(Weather.DRIPPING),
    "full": lambda scene: Disturbance(scene.redis.be_full, scene.redis.be_large),
    "refusing": lambda scene: Disturbance(scene.redis.refuse_strangers, scene.redis.accept_strangers),
    "garbage": _weather(Weather.GARBAGE, Of.ALL),
    "forgotten": _forgotten_while_half_is_cut_off,
}
"""By name, in the order of the page."""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """How often the application itself was asked for each list, by all processes; and how long it took."""

    loads: list[int]
    longest_seconds: float
    timeouts: int
    shared: dict[str, int]


def cold_start(
    setting: Setting, lists: int = 5, *, waits: bool = True, times: dict[str, str] | None = None
) -> ColdStart:
    """All processes begin, and ask for the same lists, which nobody has.

    Args:
        setting: where.
        lists: how many.
        waits: whether the moment comes when all are connected, or for each of them as soon as it is there.
        times: of the section `shared`, other than usual.
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
        times=times,
    ) as cluster:
        if waits:
            cluster.go()
        told = cluster.answers()
        loads = [sum(answer["runs"][number] for answer in told) for number in range(lists)]
        shared: Counter[str] = Counter()
        for answer in told:
            shared.update(answer["cache"]["shared"])
        timeouts = sum(answer["backplane"]["timeouts"] for answer in told)
        return ColdStart(loads, max(answer["seconds"] for answer in told), timeouts, dict(shared))


def _cluster(setting: Setting, url_of: Callable[[int], str]) -> Cluster:
    return Cluster(
        setting.database, url_of, setting.size, mode=setting.mode, tier=setting.tier, seed=setting.seed
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
