"""The backplane, step by step: what one process drops the others drop, and nothing is lost unnoticed."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
import redis
from steps import RULES, Member, Members, is_stopped

from wats_accel.patterns import KeyPattern
from wats_accel.shared.deadlines import DeadlinePassedError
from wats_accel.shared.server import NonsenseError
from wats_accel.shared.server_time import ServerTime
from wats_accel.shared.servers import Servers
from wats_accel.testing import Fault, failing
from wats_accel.wire import Sealer

# -- all is well -----------------------------------------------------------------------------------------


def test_what_one_drops_the_other_drops_once_and_in_order(two: tuple[Member, Member]) -> None:
    one, other = two
    one.drops("users:*")
    one.drops("groups:all")
    other.step()
    assert other.heard.drops == ["users:*", "groups:all"]
    other.step()
    assert other.heard.drops == ["users:*", "groups:all"]


def test_nobody_is_told_of_his_own(two: tuple[Member, Member]) -> None:
    one, _ = two
    one.drops("users:*")
    one.step()
    assert one.heard.drops == []
    assert (one.backplane.counters.sent, one.backplane.counters.echoes) == (1, 1)


def test_who_joins_late_is_not_told_what_was_before(members: Members) -> None:
    members.join().drops("users:*")
    assert members.join().heard.drops == []


def test_until_it_is_connected_no_answer_gets_old(members: Members) -> None:
    member = members.make()
    assert (member.is_connected, member.heard.bound) == (False, RULES.isolated_seconds)
    member.step()
    assert (member.is_connected, member.heard.bound, member.heard.log) == (True, None, ["connected, 1"])


def test_tables_are_told_with_their_columns(two: tuple[Member, Member]) -> None:
    one, other = two
    one.backplane.changed({"users": ["name"], "roles": ["*"]})
    other.step()
    assert other.heard.messages[0].tables == {"users": ["name"], "roles": ["*"]}


def test_a_change_of_nobody_knows_what_is_one_of_everything(two: tuple[Member, Member]) -> None:
    one, other = two
    one.backplane.changed(None)
    other.step()
    assert other.heard.drops == ["everything"]


# -- arguments -------------------------------------------------------------------------------------------


def test_arguments_do_not_go_in_clear_and_then_a_drop_means_the_whole_method(members: Members) -> None:
    one, other = members.join(), members.join()
    one.drops("users:role:{user_id}", user_id="carol-of-accounting")
    other.step()
    assert other.heard.drops == ["users:role"]
    assert not _anywhere(members, b"carol")


def test_arguments_go_in_clear_if_that_is_wanted(members: Members) -> None:
    one, other = members.join(arguments_in_clear=True), members.join()
    one.drops("users:role:{user_id}", user_id=7)
    other.step()
    assert other.heard.drops == ["users:role:7"]


def test_sealed_messages_have_arguments_and_show_none(members: Members) -> None:
    one, other = (members.join(seal=Sealer([b"k" * 32])) for _ in range(2))
    one.drops("users:role:{user_id}", user_id="carol-of-accounting")
    other.step()
    assert other.heard.drops == ["users:role:carol-of-accounting"]
    assert not _anywhere(members, b"carol")


@pytest.mark.parametrize("other_key", [b"x" * 32, None])
def test_what_cannot_be_opened_means_everything(members: Members, other_key: bytes | None) -> None:
    one = members.join(seal=Sealer([b"k" * 32]))
    other = members.join(seal=None if other_key is None else Sealer([other_key]))
    one.drops("users:*")
    other.step()
    assert other.heard.drops == ["everything"]


def _anywhere(members: Members, text: bytes) -> bool:
    client = members.raw()
    told = [repr(entry).encode() for entry in client.xrange("{t}:messages")]
    return any(text in known for known in [*told, *client.keys("*")])


# -- the server forgets ----------------------------------------------------------------------------------


def test_when_the_server_is_emptied_everything_is_dropped(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, other = two
    one.drops("users:*")
    members.raw().flushall()
    other.step()
    assert other.heard.drops == ["everything"]
    one.drops("groups:*")
    other.step()
    assert other.heard.drops == ["everything", "groups:*"]


def test_when_messages_are_gone_everything_is_dropped(members: Members, two: tuple[Member, Member]) -> None:
    one, other = two
    one.drops("users:*")
    members.raw().delete("{t}:messages")
    other.step()
    assert other.heard.drops == ["everything"]


def test_when_the_last_message_is_gone_everything_is_dropped(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, other = two
    one.drops("users:*")
    other.step()
    members.raw().delete("{t}:messages")
    other.step()
    assert other.heard.drops == ["users:*", "everything"]
    other.step()
    assert other.heard.drops == ["users:*", "everything"]


def test_a_server_that_has_lost_messages_begins_anew_for_all(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, other = two
    one.drops("users:*")
    for member in two:
        member.step()
    members.raw().hincrby("{t}:clock", "number", -1)  # as a replica has it that takes over too early
    with pytest.raises(ConnectionResetError):
        other.step()
    for member in two:
        member.step()
        assert member.heard.drops[-1] == "everything"


def test_another_message_under_the_same_number_is_found_out(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, other = two
    one.drops("users:*")
    for member in two:
        member.step()
    client = members.raw()
    client.delete("{t}:messages")
    client.xadd("{t}:messages", {"nonce": "other", "sender": "x", "message": "{}"}, id="1-0")
    with pytest.raises(ConnectionResetError):
        other.step()
    other.step()
    assert other.heard.drops[-1] == "everything"


def test_who_finds_nobody_trusts_nothing_that_is_kept_there(members: Members) -> None:
    """It may be an older copy of what the server had: nobody is there who would know."""
    one = members.join()
    one.drops("users:*")
    epoch = members.raw().hget("{t}:clock", "epoch")
    one.backplane.close()
    assert members.join().is_connected
    assert members.raw().hget("{t}:clock", "epoch") != epoch


# -- the server cannot be reached ------------------------------------------------------------------------


def test_what_cannot_be_told_is_told_first_of_all_later(members: Members, two: tuple[Member, Member]) -> None:
    one, other = two
    with is_stopped(members.redis):
        one.drops("users:*")
        assert not one.is_connected
        one.drops("groups:*")
        with pytest.raises(redis.ConnectionError):
            other.step()
    members.clock.now += RULES.beat_seconds  # so long it is left alone
    one.step()
    assert one.backplane.is_reached
    other.step()
    assert other.heard.drops[0] == "everything"  # the server has begun anew, empty
    one.step()
    assert one.is_connected
    assert one.backplane.counters.waiting == 0


def test_one_that_owes_messages_does_not_say_that_it_lives(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, other = two
    with is_stopped(members.redis):
        one.drops("users:*")
    beats: list[object] = []
    one.backplane._listening._beat = lambda **_: beats.append(None)  # type: ignore[assignment]
    one.backplane._listening._announce = _refuses  # type: ignore[assignment]
    with pytest.raises(ConnectionError):
        one.step()
    assert beats == []
    del other


def _refuses(*_: object, **__: object) -> None:
    raise ConnectionError


def test_what_comes_before_it_is_known_until_when_a_beat_counts_is_told_first(
    members: Members, two: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That moment is a beat away; the beat may come long after the message, and hide that it is owed."""
    one, other = two
    latest, said = ServerTime.latest_ms, one.backplane._listening.beat
    owed: list[bool] = []

    def late(known: ServerTime, server: Any) -> int:
        if not owed:
            one.backplane.is_reached = False
            one.drops("users:*")
            owed.append(True)
        return latest(known, server)

    def says(*args: Any, **kwargs: Any) -> Any:
        assert not one.backplane._outbox
        return said(*args, **kwargs)

    monkeypatch.setattr(ServerTime, "latest_ms", late)
    monkeypatch.setattr(one.backplane._listening, "beat", says)
    one.step()
    other.step()
    assert (owed, other.heard.drops) == ([True], ["users:*"])


def test_of_too_many_messages_that_wait_one_is_made(members: Members, two: tuple[Member, Member]) -> None:
    one, _ = two
    one.backplane.trouble("a test")
    for number in range(1_002):
        one.drops(f"users:m{number}")
    assert one.backplane.counters.waiting <= 2
    other = members.join()
    one.step()
    other.step()
    assert other.heard.drops[0] == "everything"


def _take_over(members: Members, number: int) -> None:
    """Have a server take over, of the same epoch, that has no message from this number on."""
    raw = members.raw()
    raw.hset("{t}:clock", "number", number - 1)
    raw.xdel("{t}:messages", f"{number}-0")
    raw.execute_command("XSETID", "{t}:messages", f"{number - 1}-0")


@pytest.mark.parametrize("others", [0, 1, 2])
def test_a_message_that_is_lost_before_anybody_has_read_it_is_missed_by_who_has_sent_it(
    members: Members, two: tuple[Member, Member], others: int
) -> None:
    one, other = two
    other.drops("users:*")
    one.step()
    other.step()
    one.drops("groups:*")
    _take_over(members, 2)
    for _ in range(others):
        other.drops("others:*")
    with pytest.raises(ConnectionResetError):
        one.step()
    other.step()
    assert other.heard.drops == ["everything"]


def test_a_new_epoch_in_which_not_everything_could_be_dropped_is_begun_again(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, _ = two
    members.raw().flushall()
    told = one.heard.told
    one.heard.told = _refuses  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        one.step()
    one.heard.told = told  # type: ignore[method-assign]
    one.step()
    assert one.heard.drops == ["everything"]


def test_isolated_nothing_gets_older_than_the_bound(members: Members, two: tuple[Member, Member]) -> None:
    one, _ = two
    one.step()
    knew_at = members.clock.now
    one.backplane.trouble("a test")
    assert one.heard.bound == RULES.isolated_seconds
    members.clock.now = knew_at + RULES.trusted_seconds - 0.001
    assert not one.backplane._horizon.look()
    members.clock.now = knew_at + RULES.trusted_seconds
    assert one.backplane._horizon.look()
    assert one.heard.drops == ["everything"]
    assert RULES.trusted_seconds + RULES.lost_seconds <= RULES.isolated_seconds


def test_a_short_trouble_drops_nothing(members: Members, two: tuple[Member, Member]) -> None:
    one, _ = two
    one.backplane.trouble("a test")
    members.clock.now += RULES.trusted_seconds - 1
    one.step()
    members.clock.now += RULES.trusted_seconds - 1
    assert not one.backplane._horizon.look()
    assert (one.heard.drops, one.heard.bound) == ([], None)


def test_a_thread_that_hangs_cannot_make_an_answer_older(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, _ = two
    members.clock.now += RULES.trusted_seconds + 1  # nobody beats, and nobody notices that
    assert one.is_connected
    assert one.backplane._horizon.look()
    assert (one.is_connected, one.heard.bound) == (False, RULES.isolated_seconds)
    assert one.heard.drops == ["everything"]
    one.step()
    assert (one.is_connected, one.heard.bound) == (True, None)


def test_messages_of_a_time_of_trouble_are_applied_after_it(two: tuple[Member, Member]) -> None:
    one, other = two
    other.backplane.trouble("a test")
    one.drops("users:*")
    other.step()
    assert other.heard.drops == ["users:*"]
    assert other.is_connected


def test_nobody_waits_for_a_server_that_answers_nothing(members: Members) -> None:
    member = members.join(rules=dataclasses.replace(RULES, timeout_seconds=0.01))
    members.redis.pause()
    member.drops("users:*")
    assert not member.is_connected
    assert member.heard.log[-1] == f"isolated: {DeadlinePassedError.__name__}"
    assert member.backplane.counters.timeouts == 1
    member.drops("groups:*")  # and is not asked any more
    assert member.backplane.counters.timeouts == 1


def test_a_server_that_answers_beats_only_rests_longer_and_longer(members: Members) -> None:
    member = members.join()
    pauses = []
    for _ in range(4):
        member.backplane.server._announce = _refuses  # type: ignore[assignment]
        member.drops("users:*")
        pauses.append(member.backplane._pause)
        member.backplane._outbox._waiting.clear()
        member.step()
        assert not member.is_connected  # it rests
        members.clock.now += pauses[-1]
        member.step()
        assert member.is_connected
    assert pauses == [1.0, 2.0, 4.0, 8.0]


def test_calls_that_fail_at_the_same_time_count_as_one(members: Members) -> None:
    backplane = members.join().backplane

    def fails_after_another() -> None:
        with contextlib.suppress(ConnectionError):
            backplane.ask(_refuses, RULES.timeout_seconds)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        backplane.ask(fails_after_another, RULES.timeout_seconds)
    assert backplane._pause == RULES.beat_seconds


def test_what_could_not_even_be_put_aside_is_told_as_everything(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, other = two
    with failing("outbox.*", Fault.raises(MemoryError)):
        one.drops("users:*")
    assert not one.backplane.is_reached  # so nobody asks it for answers
    members.clock.now += RULES.beat_seconds
    one.step()
    assert one.is_connected
    other.step()
    assert other.heard.drops == ["everything"]


def test_one_of_whom_nobody_knows_what_he_has_dropped_tells_of_everything(two: tuple[Member, Member]) -> None:
    one, other = two
    one.backplane.in_doubt("RuntimeError")
    assert not one.backplane.is_reached
    one.step()
    other.step()
    assert other.heard.drops == ["everything"]


def test_a_message_that_cannot_be_written_holds_up_no_other(members: Members) -> None:
    one, other = members.join(arguments_in_clear=True), members.join()
    one.backplane.dropped([(KeyPattern.parse("users:*"), object())])  # type: ignore[list-item]
    one.drops("groups:*")
    assert one.is_connected
    other.step()
    assert other.heard.drops == ["everything", "groups:*"]


def test_a_tag_that_is_none_is_told_as_everything(two: tuple[Member, Member]) -> None:
    one, other = two
    with failing("name.tag", Fault.returns(3.5)):
        one.drops("users:*")
    one.step()
    other.step()
    assert other.heard.drops == ["everything"]


# -- another process is missing --------------------------------------------------------------------------


def test_one_that_is_not_heard_of_makes_the_others_doubt(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, other = two
    members.make_silent(one, for_ms=5_000)
    other.step()
    assert not other.is_connected
    assert other.backplane.is_reached  # and so it goes on telling, and being told
    assert other.heard.log[-1] == "isolated: 1 of 2 processes cannot be heard"
    one.drops("users:*")
    other.step()
    assert other.heard.drops == ["users:*"]


def test_when_it_is_back_they_are_connected_again(members: Members, two: tuple[Member, Member]) -> None:
    one, other = two
    members.make_silent(one, for_ms=5_000)
    other.step()
    one.step()
    other.step()
    assert (other.is_connected, other.heard.bound) == (True, None)


def test_one_that_has_said_goodbye_is_not_missed(members: Members, two: tuple[Member, Member]) -> None:
    one, other = two
    one.backplane.close()
    other.step()
    assert (other.is_connected, other.backplane.counters.members) == (True, 1)


def test_one_that_is_silent_for_very_long_is_taken_for_dead(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, other = two
    members.make_silent(one, for_ms=601_000)
    other.step()
    assert (other.is_connected, other.backplane.counters.members) == (True, 1)


def test_one_that_was_silent_itself_is_not_kept_waiting_by_that(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, _ = two
    members.make_silent(one, for_ms=5_000)
    one.step()
    assert one.is_connected


def test_a_goodbye_is_not_taken_back_by_a_beat_that_was_under_way(
    members: Members, two: tuple[Member, Member]
) -> None:
    one, _ = two
    beat = one.backplane._listening._beat

    def late(**asked: object) -> object:
        one.backplane.close()
        return beat(**asked)

    one.backplane._listening._beat = late  # type: ignore[assignment]
    with pytest.raises(ConnectionResetError):
        one.step()
    assert members.raw().zscore("{t}:members", one.backplane.member) is None


@pytest.mark.parametrize("forgotten", ["{t}:*", "{t}:members"], ids=["everything", "the members"])
def test_one_that_is_cut_off_is_missing_though_the_server_has_forgotten_it(
    members: Members, two: tuple[Member, Member], forgotten: str
) -> None:
    one, other = two
    client = members.raw()
    client.delete(*client.keys(forgotten))
    newcomer = members.make()
    newcomer.step()
    other.step()
    assert other.heard.drops == ["everything"]
    assert other.heard.log[-1] == "isolated: 1 of 3 processes cannot be heard"
    newcomer.step()
    assert not newcomer.is_connected
    one.step()
    for member in (other, newcomer):
        member.step()
        assert member.is_connected


def test_one_that_has_said_goodbye_is_not_put_back(members: Members, two: tuple[Member, Member]) -> None:
    one, other = two
    one.backplane.close()
    other.step()
    members.raw().flushall()
    other.step()
    assert (other.is_connected, other.backplane.counters.members) == (True, 1)


def test_when_the_servers_clock_is_set_back_one_that_is_cut_off_is_missing_at_once(
    members: Members, two: tuple[Member, Member]
) -> None:
    """And not when the clock has come to where it was."""
    one, other = two
    for member in two:
        members.make_silent(member, for_ms=-3_600_000)
    for _ in range(2):
        one.step()
        assert one.heard.log[-1] == "isolated: 1 of 2 processes cannot be heard"
    other.step()
    one.step()
    assert one.is_connected


def test_a_beat_that_comes_late_says_nothing(members: Members, two: tuple[Member, Member]) -> None:
    """As when a network delivers what was sent by a process that is cut off by now."""
    one, other = two
    late = {"lost_ms": 4_000, "forgotten_ms": 600_000, "last": 0, "latest_ms": 1}
    members.make_silent(one, for_ms=5_000)
    with pytest.raises(NonsenseError):
        other.backplane.server.beat(one.backplane.member, **late)
    other.step()
    assert other.heard.log[-1] == "isolated: 1 of 2 processes cannot be heard"


def test_a_beat_is_late_by_the_servers_clock(members: Members) -> None:
    one = members.join()
    one.backplane._server_time.forget()  # after a trouble it is asked for first
    server_ms = one.backplane.server.milliseconds()
    late = one.backplane._server_time.latest_ms(one.backplane._listening) - server_ms
    assert RULES.beat_seconds * 1e3 - 1 <= late < RULES.beat_seconds * 1e3 + 5_000


def test_an_argument_of_any_characters_is_told(two: tuple[Member, Member]) -> None:
    one, other = two
    one.drops("users:role:{name}", name="\udc80")
    other.step()
    assert other.heard.drops == ["users:role"]
    assert one.is_connected


# -- answers of a server that is none ---------------------------------------------------------------------


@pytest.mark.parametrize("nonsense", [None, [], [b"e"], b"x", 7, [b"e", b"x", b"", b"", b""]])
def test_nonsense_isolates_and_raises_nothing_to_whoever_writes(
    two: tuple[Member, Member], nonsense: object
) -> None:
    one, _ = two
    server = one.backplane.server
    server._announce = server._beat = lambda **_: nonsense  # type: ignore[assignment]
    one.backplane._servers = Servers(lambda: (server, server))
    one.drops("users:*")
    with contextlib.suppress(Exception):
        one.step()
    assert not one.is_connected
