"""Members of a backplane that take their steps when a test says so, by a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from private_redis import PrivateRedis

from wats_accel.cache.selection import select
from wats_accel.patterns import KeyPattern
from wats_accel.shared.backplane import Backplane
from wats_accel.shared.backplane_rules import BackplaneRules
from wats_accel.shared.clients import client_of
from wats_accel.shared.messages import Message
from wats_accel.shared.server import Server
from wats_accel.shared.tags import Tags

RULES = BackplaneRules(
    timeout_seconds=5.0, isolated_seconds=30.0, beat_seconds=1.0, lost_seconds=4.0, forgotten_seconds=600.0
)
"""Of a time-out that a busy machine keeps: in a test nothing shall depend on it."""


class FakeClock:
    """Seconds that pass when somebody says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Heard:
    """What a member was told. Implements the backplane's `Listener`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.bound: float | None = None
        self.log: list[str] = []

    def told(self, message: Message, /) -> None:
        self.messages.append(message)

    def bounded(self, seconds: float | None, /) -> None:
        self.bound = seconds

    def connected(self, members: int, /) -> None:
        self.log.append(f"connected, {members}")

    def isolated(self, why: str, /) -> None:
        self.log.append(f"isolated: {why}")

    @property
    def drops(self) -> list[str]:
        """Patterns, with the texts that they were bound to; ``everything``; names of tables."""
        return [text for message in self.messages for text in _told(message)]


def _told(message: Message) -> Iterator[str]:
    if message.everything:
        yield "everything"
    for pattern, selection in message.drops:
        exact = selection.exact
        yield f"{pattern.text}:{','.join(sorted(exact.texts))}" if exact is not None else pattern.text
    yield from message.tables or ()


class Member:
    """One process, as its backplane sees it. It beats with each step, whatever the time."""

    def __init__(self, redis: PrivateRedis, clock: FakeClock, **options: Any) -> None:
        self.clock = clock
        self.heard = Heard()
        rules = options.pop("rules", RULES)
        secret = b"0123456789abcdef"
        self.clients: list[Any] = []

        def connect() -> tuple[Server, Server]:
            self.clients += [client_of(redis.url, timeout_seconds=known) for known in (5.0, 5.0)]
            first, second = (Server(client, prefix="t", tag_seconds=600.0) for client in self.clients)
            return first, second

        self.backplane = Backplane(
            connect,
            prefix="t",
            tags=Tags("{t}", secret),
            listener=self.heard,
            rules=rules,
            clock=clock,
            **options,
        )

    def step(self) -> None:
        """Beat, and apply what there is."""
        self.backplane._due_at = 0.0
        self.clock.now += 1e-6
        self.backplane._beat()

    def drops(self, pattern: str, **values: object) -> None:
        """Tell that it has dropped something."""
        parsed = KeyPattern.parse(pattern)
        self.backplane.dropped([(parsed, select(parsed, values))])

    @property
    def is_connected(self) -> bool:
        return self.backplane.is_connected


class Members:
    """Makes members.

    Args:
        redis: that they meet at.
    """

    def __init__(self, redis: PrivateRedis) -> None:
        self.redis = redis
        self.clock = FakeClock()
        self.all: list[Member] = []

    def make(self, **options: Any) -> Member:
        """One that has not joined yet."""
        made = Member(self.redis, self.clock, **options)
        self.all.append(made)
        return made

    def join(self, **options: Any) -> Member:
        """One that is connected."""
        made = self.make(**options)
        made.step()
        assert made.is_connected
        return made

    def raw(self) -> Any:
        """What the server has."""
        return self.redis.client()

    def make_silent(self, member: Member, *, for_ms: int) -> None:
        """Have the server believe that it has not heard of a member for so long."""
        client = self.raw()
        client.zincrby("{t}:members", -for_ms, member.backplane.member)

    def close(self) -> None:
        """End them all."""
        self.redis.resume()
        for member in self.all:
            member.backplane.close()
            for client in member.clients:
                client.close()


@contextmanager
def is_stopped(redis: PrivateRedis) -> Iterator[None]:
    """Meanwhile there is no server."""
    redis.kill()
    yield
    redis.start()
