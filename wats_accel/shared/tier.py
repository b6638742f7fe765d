"""The shared tier: answers of one method that all processes find."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from wats_accel.cache.loads import Load, stacks
from wats_accel.records import record
from wats_accel.shared.applying import FollowsTables
from wats_accel.shared.backplane import Backplane
from wats_accel.shared.in_clear import InClear
from wats_accel.shared.server import Kept, Missing
from wats_accel.shared.tickets import Names, OpenTicket
from wats_accel.wire import Envelope, NotEncodableError, NotReadableError, Place, key_name

if TYPE_CHECKING:
    from wats_accel.cache.footprints import Footprint
    from wats_accel.cache.keys import KeyMaker
    from wats_accel.cache.region import Region
    from wats_accel.cache.region_rules import RegionRules

_FIRST_LOOK_SECONDS: Final = 0.02
_LONGEST_LOOK_SECONDS: Final = 0.25
_LOOKS: Final = 0.5
"""How long after a look the next one comes, as a share of the wait so far, for who is not woken before."""
_PATIENCE: Final = 4.0
"""How many times as long as a load usually takes another process is waited for: it may be cut off."""
_FORGETS: Final = 0.9
_LONGEST_SECONDS: Final = 86_400.0


@record(frozen=True, slots=True)
class TierRules:
    """How answers are shared. Times are in seconds.

    Attributes:
        local_seconds: how long this process keeps an answer, at most, before it asks for it again; 0: as long
            as its rule says.
        lease_seconds: how long others wait for a process that loads an answer, and may have died.
        most_bytes: of one answer.
    """

    local_seconds: float = 0.0
    lease_seconds: float = 2.0
    most_bytes: int = 1 << 20


def _sealed(rules: RegionRules) -> InClear | None:
    return None


@record(slots=True)
class Common:
    """What the tiers of all methods have in common.

    Attributes:
        backplane: of this process.
        prefix: of the names of answers: another one for those who must not share any.
        secret: keys these names.
        judge: judges the answers of one method, if they go in clear.
        follows: knows what answers were made from, where statements are seen.
        made_envelope: set in the listening thread.
    """

    backplane: Backplane
    prefix: str
    secret: bytes = field(repr=False)
    rules: TierRules
    judge: Callable[[RegionRules], InClear | None] = _sealed
    follows: FollowsTables | None = None
    made_envelope: Envelope | None = None

    @property
    def envelope(self) -> Envelope:
        """What makes bytes of answers, once the server has been reached.

        Raises:
            LookupError: it has not.
        """
        if self.made_envelope is None:
            raise LookupError
        return self.made_envelope


class MethodTier:
    """Finds and keeps the answers of one method. Implements `Tier`.

    Args:
        region: the method's cache.
        common: what all have.
    """

    def __init__(self, region: Region, common: Common) -> None:
        self.region = region
        self._common = common
        self._backplane = common.backplane
        self._shared = region.counters.shared
        self._usual_seconds: float | None = None  # that a load takes, rather too long than too short
        self._in_clear = common.judge(region.rules)

    # -- finding -----------------------------------------------------------------------------------------

    def find(self, load: Load, keys: KeyMaker, args: tuple[Any, ...], kwargs: dict[str, Any], /) -> bool:
        """Look for the answer to a load that has just begun; `load.found` has it then."""
        local = self._common.rules.local_seconds
        if local:
            load.expires_by = min(load.expires_by, load.began_at + local)
        longest = self.region.bounds.longest_seconds
        if not self._backplane.is_reached or (longest is not None and longest <= 0):
            return False
        if self._in_clear is not None and self._in_clear.is_over:
            return False
        try:
            names = self._names(load, keys, args, kwargs)
        except NotEncodableError:
            self._shared["no_name"] += 1
            return False
        except Exception:  # noqa: BLE001 - the method answers as well
            self._shared["failed"] += 1
            return False
        ticket = OpenTicket(self, names)
        load.ticket = ticket
        try:
            with self._backplane.waiters.waiting_for(names.answer) as is_over:
                is_found = self._find(load, ticket, is_over)
        except Exception:  # noqa: BLE001 - as above; whoever asks the server has told of it
            self._shared["failed"] += 1
            is_found = False
        ticket.changes = None  # what the method itself reads is noted before it is read
        ticket.loads_since = time.perf_counter()
        return is_found

    def _names(self, load: Load, keys: KeyMaker, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Names:
        rules = self.region.rules
        owner = keys.owner(args, kwargs)
        if owner is None:
            raise NotEncodableError("an instance means something in its own process only")
        named = (rules.target, rules.whole, owner, load.key[1:])
        answer = key_name(self._common.prefix, rules.namespace, rules.method, named, self._common.secret)
        known = self._backplane.tags
        tags = known.sound(known.of_answer(rules.namespace, rules.method, load.texts))
        return Names(answer, f"{answer}:lease", tags)

    def _find(self, load: Load, ticket: OpenTicket, is_over: threading.Event) -> bool:
        began = time.perf_counter()
        waited, patience = 0.0, self._patience_seconds()
        while True:
            now = self.region.clock()  # before: what it says of ages is older when it comes here
            told = self._ask(ticket)
            if isinstance(told, Kept):
                if self._take(load, ticket, told, now):
                    return True
                ticket.missing = None  # it cannot be read here, and is good for others: leave it
                self._shared["unreadable"] += 1
                return False
            ticket.missing = told
            # Half of the time for the server is left for keeping the answer.
            may_look = ticket.seconds_left > self._backplane.rules.timeout_seconds / 2
            if told.is_ours or waited >= patience or not may_look or not self._may_wait(load):
                self._shared["missed"] += 1
                return False
            self._shared["waited"] += not waited
            next_look = min(max(_FIRST_LOOK_SECONDS, _LOOKS * waited), _LONGEST_LOOK_SECONDS)
            is_over.wait(min(next_look, patience - waited))
            is_over.clear()
            waited = time.perf_counter() - began
            if not self._backplane.is_reached:  # meanwhile: then nobody asks it
                self._shared["missed"] += 1
                return False

    def _patience_seconds(self) -> float:
        """How long to wait for another process that loads."""
        lease, usual = self._common.rules.lease_seconds, self._usual_seconds
        if usual is None:
            return lease
        return min(lease, self._backplane.rules.timeout_seconds + _PATIENCE * usual)

    def _note_usual(self, seconds: float) -> None:
        self._usual_seconds = max(seconds, _FORGETS * (self._usual_seconds or 0.0))

    def _ask(self, ticket: OpenTicket) -> Kept | Missing:
        backplane, names = self._backplane, ticket.names
        ages = (self.region.bounds.longest_seconds, self.region.rules.ages.max_age_seconds or None)
        most_age = min((age for age in ages if age is not None), default=None)
        lease_ms = max(1, int(self._common.rules.lease_seconds * 1e3))

        def ask() -> Kept | Missing:
            return self._backplane.server.find(
                names.answer,
                names.lease,
                names.tags,
                holder=ticket.holder,
                lease_ms=lease_ms,
                most_age_ms=0 if most_age is None else max(1, int(most_age * 1e3)),
            )

        began = time.perf_counter()
        try:
            return backplane.ask(ask, ticket.seconds_left)
        finally:
            ticket.seconds_left -= time.perf_counter() - began

    def _may_wait(self, load: Load) -> bool:
        """Whether to wait for another process; it may wait for what this thread loads around this load."""
        stack = stacks.get(load.thread, ())
        return self._backplane.is_reached and len(stack) <= 1

    def _take(self, load: Load, ticket: OpenTicket, kept: Kept, now: float) -> bool:
        try:
            found, tables, milliseconds = self._common.envelope.unpack(kept.value, self._place(ticket, kept))
            footprint = self._footprint_of(tables)
            self._note_usual(milliseconds / 1e3)
        except (NotReadableError, TypeError, ValueError):
            return False
        load.expires_by = min(load.expires_by, now + kept.milliseconds_to_live / 1e3)
        # All that goes by an answer's age goes by the whole of it.
        load.began_at = now - kept.milliseconds_of_age / 1e3
        longest = self.region.bounds.longest_seconds
        if longest is not None:
            load.expires_by = min(load.expires_by, load.began_at + longest)
            load.gone_by = min(load.gone_by, load.began_at + longest)
        with self.region.lock:
            load.read(footprint)
            if ticket.is_concerned(footprint):
                self.region.flights.mark(load)
        load.found = found
        self._shared["found"] += 1
        return True

    def _footprint_of(self, tables: Any) -> Footprint | None:
        """What an answer was made from that another process has kept.

        Raises:
            TypeError: this one sees statements, and that one did not.
        """
        follows = self._common.follows
        if follows is None:
            return None
        if tables is None and self.region.watch is not None:
            raise TypeError("nobody has seen what it was made from")
        return None if tables is None else follows.footprint_of(tables)

    def _place(self, ticket: OpenTicket, version: Kept | Missing) -> Place:
        # The number is not taken from the value: whoever puts an old one in its place is found out.
        return Place(self.region.rules.namespace, ticket.names.answer, f"{version.epoch}:{version.number}")

    # -- keeping -----------------------------------------------------------------------------------------

    def keep(self, load: Load, result: object, ticket: OpenTicket) -> None:
        """Keep what a load has given, if it was stored here."""
        seconds = time.perf_counter() - ticket.loads_since
        self._note_usual(seconds)
        missing = ticket.missing
        why_not = self._why_not(load)
        if missing is None or why_not is not None:
            if why_not is not None:
                self._shared[why_not if type(why_not) is str else "failed"] += 1
            self.give_up(ticket)
            return
        try:
            self._keep(load, result, seconds, ticket, missing)
        except NotEncodableError:
            self._shared["not_encodable"] += 1
            self.give_up(ticket)
        except Exception:  # noqa: BLE001 - it is kept here, and whoever asks the server has told of it
            self._shared["failed"] += 1

    def _why_not(self, load: Load) -> str | None:
        if load.entry is None:
            return "not_stored"
        # What it rests on may have been dropped elsewhere, and not here yet; moments are of this computer.
        if load.premises:
            return "rests_on_others"
        follows, footprint = self._common.follows, load.footprint
        if follows is None:
            return None
        return "unknown_reads" if footprint is None or follows.tables_of(footprint) is None else None

    def _keep(self, load: Load, result: object, seconds: float, ticket: OpenTicket, missing: Missing) -> None:
        follows = self._common.follows
        tables = None if load.footprint is None or follows is None else follows.tables_of(load.footprint)
        # How long it took tells others how long to wait for the next one.
        packed = self._common.envelope.pack(
            (result, tables, int(seconds * 1e3) + 1), self._place(ticket, missing)
        )
        why_not = "too_large" if len(packed) > self._common.rules.most_bytes else None
        if self._in_clear is not None:
            columns = None if tables is None or follows is None else follows.spelled_out(tables)
            is_free = self._in_clear.holds_back(result, columns) is False  # and not what resembles it
            why_not = why_not if is_free else "secret_columns"
        if why_not is not None:
            self._shared[why_not] += 1
            self.give_up(ticket)
            return
        rules = self.region.rules
        longest = min(rules.ttl_seconds or _LONGEST_SECONDS, rules.ages.max_age_seconds or _LONGEST_SECONDS)
        left = longest - (self.region.clock() - load.began_at)
        names = ticket.names
        known = self._backplane.tags
        table_tags = known.sound(known.of_tables(tables or ()))

        def ask() -> bool:
            return self._backplane.server.keep(
                names.answer,
                names.lease,
                names.tags,
                table_tags,
                holder=ticket.holder,
                missing=missing,
                value=packed,
                milliseconds=int(left * 1e3),
            )

        if left > 0 and self._backplane.is_reached:
            kept = self._backplane.ask(ask, ticket.seconds_left)
            self._shared["kept" if kept else "overtaken"] += 1
        ticket.missing = None

    def give_up(self, ticket: OpenTicket) -> None:
        """Leave it to others to load an answer. They are not waited for."""
        missing, ticket.missing = ticket.missing, None
        if missing is None or not missing.is_ours or not self._backplane.is_reached:
            return
        try:
            self._backplane.ask(
                lambda: self._backplane.server.release(
                    ticket.names.answer, ticket.names.lease, ticket.holder
                ),
                ticket.seconds_left,
            )
        except Exception:  # noqa: BLE001 - the lease ends by itself
            self._shared["failed"] += 1
