"""Joining: one process becomes a member, and parts again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from wats_accel.cache import elsewhere
from wats_accel.cache.region_rules import RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.counters import SharedCounters
from wats_accel.errors import Problem
from wats_accel.event_bus import EventBus
from wats_accel.invalidation import Invalidator
from wats_accel.records import record
from wats_accel.secret_names import SecretNames
from wats_accel.shared.applying import Applier, FollowsTables
from wats_accel.shared.backplane import Backplane
from wats_accel.shared.backplane_rules import BackplaneRules
from wats_accel.shared.clients import client_of
from wats_accel.shared.in_clear import InClear
from wats_accel.shared.listening import Listening
from wats_accel.shared.messages import ANYTHING, Told
from wats_accel.shared.server import Server
from wats_accel.shared.tags import Tags
from wats_accel.shared.tier import Common, MethodTier, TierRules
from wats_accel.wire import FORMAT_VERSION, Codec, Envelope, Place, Sealer

_MARGIN_SECONDS: Final = 1.0
_SCHEMA_BYTES: Final = 4
_TAG_SECONDS: Final = 2 * 86_400.0


@record(frozen=True, slots=True)
class SharedRules:
    """How a process takes part.

    Attributes:
        url: of the server; see `client_of`.
        prefix: of all keys: the same for all processes that are to hear of each other.
        schema: what has to be the same for those that share answers: versions, say.
        namespaces: whose answers are shared; of all others only what is dropped is told.
        keys: to seal answers and messages with; none: they go in clear.
        secret: keys the names; at least 16 bytes, the same for all processes.
        arguments_in_clear: whether messages may tell arguments without being sealed.
        unsealed: those of the namespaces whose answers go in clear; none of them with a secret in it.
        secret_columns: parts of the names of columns that are taken for secrets.
    """

    url: str
    prefix: str
    schema: str = ""
    namespaces: frozenset[str] = frozenset()
    keys: tuple[bytes, ...] = ()
    secret: bytes = b""
    arguments_in_clear: bool = False
    unsealed: frozenset[str] = frozenset()
    secret_columns: tuple[str, ...] = ()
    backplane: BackplaneRules = BackplaneRules()
    tier: TierRules = TierRules()

    def __repr__(self) -> str:  # without the URL and the keys
        return f"SharedRules(prefix={self.prefix!r})"


def name_secret(prefix: str) -> bytes:
    """What keys names where no secret is given: they tell nothing at a glance, and can be tried out."""
    return hashlib.blake2b(prefix.encode(), digest_size=32, person=b"wats_accel names").digest()


def answers_prefix(rules: SharedRules) -> str:
    """Of the names of answers: who writes another format, or goes by another schema, does not meet ours."""
    told = f"{FORMAT_VERSION} {rules.schema}".encode()
    digest = hashlib.blake2b(told, digest_size=_SCHEMA_BYTES, person=b"wats_accel schm").hexdigest()
    return f"{{{rules.prefix}}}:a:{digest}"


class Membership:
    """One process among others. Implements `Announcer`; raises nothing once it is made.

    Args:
        rules: how it takes part.
        caches: of this process.
        invalidator: drops by patterns.
        bus: told when it is connected or isolated.
        report: told of methods whose answers are held back.

    Raises:
        KeyMaterialError: a key is no key.
    """

    def __init__(
        self,
        rules: SharedRules,
        *,
        caches: CacheRegistry,
        invalidator: Invalidator,
        bus: EventBus,
        report: Callable[[Problem], None],
    ) -> None:
        self.rules = rules
        self._caches = caches
        secret = rules.secret or name_secret(rules.prefix)
        self._sealer = Sealer(rules.keys) if rules.keys else None
        self.applier = Applier(caches, invalidator, bus, bound_seconds=rules.backplane.isolated_seconds)
        self.backplane = Backplane(
            self._connect,
            prefix=rules.prefix,
            tags=Tags(f"{{{rules.prefix}}}", secret),
            listener=self.applier,
            rules=rules.backplane,
            seal=self._sealer,
            arguments_in_clear=rules.arguments_in_clear,
            is_over=lambda: caches.is_over,
        )
        self._report = report
        self._common = Common(self.backplane, answers_prefix(rules), secret, rules.tier, self._judge)
        self._clients: list[Any] = []
        self._listening = Listening(self.backplane)

    def _judge(self, rules: RegionRules) -> InClear | None:
        if rules.namespace not in self.rules.unsealed:
            return None
        return InClear(rules, SecretNames(self.rules.secret_columns), self._report)

    def _connect(self) -> tuple[Server, Server]:
        """Called in the listening thread: it loads the library, which takes long."""
        rules = self.rules
        seconds = rules.backplane.timeout_seconds, rules.backplane.beat_seconds + _MARGIN_SECONDS
        self._clients = [client_of(rules.url, timeout_seconds=known) for known in seconds]
        asked, listening = (
            Server(client, prefix=rules.prefix, tag_seconds=_TAG_SECONDS) for client in self._clients
        )
        envelope = Envelope(Codec(), schema=rules.schema.encode(), sealer=self._sealer)
        place = Place("", "", "")
        envelope.unpack(envelope.pack([1], place), place)  # all is loaded when the first call needs it
        self._common.made_envelope = envelope
        return asked, listening

    def begin(self, observer: object) -> None:
        """Take part from now on.

        Args:
            observer: as `serve`.

        Raises:
            Exception: it cannot; then it takes no part at all.
        """
        try:
            self.applier.told(ANYTHING)  # after a reload there may be answers that were loaded under no bound
            self.serve(observer)
            self._caches.announcer = self
            self._listening.start()
        except BaseException:
            self.end()
            raise

    def dropped(self, drops: Sequence[Told], /) -> None:
        """Tell what patterns, bound to values, have dropped here."""
        self.backplane.dropped(drops)

    def changed(self, tables: elsewhere.Tables | None, /) -> None:
        """Tell which tables have changed."""
        self.backplane.changed(tables)

    def in_doubt(self, why: str, /) -> None:
        """Tell that anything may have changed, and share nothing until that has been told."""
        self.backplane.in_doubt(why)

    def figures(self) -> SharedCounters:
        """What has happened so far."""
        return self.backplane.figures()

    def serve(self, observer: object) -> None:
        """Share the answers of all methods that there are now: at first, and after a reload.

        Args:
            observer: of the pools; it may be what sees statements.
        """
        follows = observer if isinstance(observer, FollowsTables) else None
        self._common.follows = self.applier.tables = follows
        for region in self._caches:
            is_shared = region.rules.namespace in self.rules.namespaces
            region.tier = MethodTier(region, self._common) if is_shared else None

    def end(self) -> None:
        """Part. Answers of this process may become old from now on: they are no longer given."""
        _quietly(self._listening.stop)
        for region in self._caches:
            region.tier = None
        _quietly(self.backplane.close)
        self._caches.announcer = None
        self.applier.end()
        for client in self._clients:
            _quietly(client.close)


def _quietly(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:  # noqa: BLE001 - the other steps are taken all the same
        return
