"""SQL Server's Change Tracking, played by a database that goes by its published rules."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
import sqlglot
from fake_sqlserver import FakeSqlServer, Tracked

from wats_accel.shared.following import Following, FollowingRules
from wats_accel.testing import accelerated
from wats_accel.versions import change_tracking
from wats_accel.versions.change_tracking import ChangeTracking
from wats_accel.versions.source import SourceLostError


class Asked:
    """A source that has begun, and what is new since its last answer."""

    def __init__(self, server: FakeSqlServer, source: ChangeTracking | None = None) -> None:
        self.source = source or ChangeTracking()
        self.connection = server.connect()
        self.last = self.source.begin(self.connection)

    def changes(self) -> Any:
        earlier, self.last = self.last, self.source.poll(self.connection)
        changes = self.last.changes_since(earlier)
        return "everything" if changes.everything else sorted(changes.tables)


@pytest.fixture
def server() -> FakeSqlServer:
    return FakeSqlServer()


def test_what_is_committed_is_told_once(server: FakeSqlServer) -> None:
    asked = Asked(server)
    assert [asked.changes() for _ in range(3)] == [[], [], []]
    server.commit("stone", "a")
    assert [asked.changes() for _ in range(4)] == [["stone"], [], [], []]
    server.commit("stone", "a")
    server.commit("person", "a", "b")
    assert [asked.changes() for _ in range(4)] == [["person", "stone"], [], [], []]


def test_a_stamp_is_the_same_as_long_as_its_tables_are(server: FakeSqlServer) -> None:
    asked = Asked(server)
    people, stones = asked.last.stamp(["Person"]), asked.last.stamp(["dbo.stone"])
    server.commit("stone", "a")
    asked.changes()
    assert asked.last.stamp(["person"]) == people is not None
    assert asked.last.stamp(["stone"]) != stones
    assert asked.last.stamp(["person", "nobody"]) is None


@pytest.mark.parametrize("row", ["another row", "a row that had changed before"])
def test_a_commit_that_becomes_visible_after_a_later_one_is_told(server: FakeSqlServer, row: str) -> None:
    server.commit("person", "a row that had changed before")
    asked = Asked(server)
    server.commit("person", row, late=True)
    server.commit("person", "some row")
    assert asked.changes() == ["person"]
    server.settle()
    assert [asked.changes() for _ in range(3)] == [["person"], [], []]


def test_a_commit_that_is_late_when_a_source_begins_is_told(server: FakeSqlServer) -> None:
    server.commit("person", "a", late=True)
    server.commit("stone", "a")
    asked = Asked(server)
    server.settle()
    assert [asked.changes() for _ in range(3)] == [["person"], [], []]


def test_one_statement_is_one_poll_and_its_plan_is_kept(server: FakeSqlServer) -> None:
    asked = Asked(server)
    server.statements.clear()
    for _ in range(3):
        server.commit("person", "a")
        asked.changes()
    assert len(server.statements) == 3
    assert len({re.sub(r"= \d+", "", statement) for statement in server.statements}) == 1


def test_truncate_is_told(server: FakeSqlServer) -> None:
    asked = Asked(server)
    server.commit("stone", "a")
    asked.changes()
    table = server.tables["[dbo].[stone]"]
    table.changes.clear()
    table.begin = server.version
    assert asked.changes() == ["stone"]


def test_truncate_is_told_also_if_nothing_had_changed_since_tracking_began(server: FakeSqlServer) -> None:
    server.tables["[dbo].[stone]"].begin = server.version
    asked = Asked(server)
    for _ in range(4):
        asked.changes()
    server.tables["[dbo].[stone]"].rows = 0
    assert [asked.changes() for _ in range(2)] == [["stone"], []]


def test_another_definition_is_told(server: FakeSqlServer) -> None:
    asked = Asked(server)
    server.tables["[dbo].[person]"].modified = "2026-02-02T00:00:00"
    assert [asked.changes() for _ in range(2)] == [["person"], []]


def test_who_comes_back_after_the_retention_is_told_everything_that_was_cleaned(
    server: FakeSqlServer,
) -> None:
    asked = Asked(server)
    for number in range(5):
        server.commit("stone", f"row {number}")
    table = server.tables["[dbo].[stone]"]
    table.changes.clear()
    table.cleaned = server.version
    assert asked.changes() == ["stone"]


def test_a_cleaning_of_what_was_told_long_ago_is_nothing(server: FakeSqlServer) -> None:
    asked = Asked(server)
    server.commit("stone", "a")
    for _ in range(3):
        server.commit("person", "a")
        asked.changes()
    table = server.tables["[dbo].[stone]"]
    table.cleaned = table.changes.pop("a")
    assert asked.changes() == []


@pytest.mark.parametrize("fork", ["another", "the same"])
def test_a_restored_backup_is_told_as_everything(server: FakeSqlServer, fork: str) -> None:
    asked = Asked(server)
    for _ in range(3):
        server.commit("stone", "a")
        asked.changes()
    server.version -= 2
    for table in server.tables.values():
        table.changes.clear()
    if fork == "another":
        server.fork = "restored"
        for _ in range(3):
            server.commit("stone", "b")
    assert asked.changes() == "everything"
    server.commit("person", "a")
    assert [asked.changes() for _ in range(3)] == [["person"], [], []]


def test_another_connection_goes_on_where_the_last_one_was(server: FakeSqlServer) -> None:
    asked = Asked(server)
    server.commit("stone", "a")
    asked.changes()
    server.commit("person", "a")
    earlier, again = asked.last, Asked(server, asked.source)
    assert again.last.changes_since(earlier).tables == {"person"}


def test_another_source_is_another_epoch_for_its_numbers_are_its_own(server: FakeSqlServer) -> None:
    asked = Asked(server)
    server.commit("person", "a")  # of which the other one does not know that it is new
    assert Asked(server).last.changes_since(asked.last).everything


def test_what_is_changed_while_the_connection_is_lost_is_dropped_when_there_is_another(
    server: FakeSqlServer,
) -> None:
    with accelerated({"version": 1}) as accelerator:
        context = accelerator._assembly.context
        following = Following(
            server.connect, ChangeTracking, FollowingRules(), caches=context.caches, bus=context.bus
        )
        for _ in range(2):
            following.step()
            following._close_connection()
        assert following.counters.changes == 0
        server.commit("person", "a")
        following.step()
        following.end()
    assert following.counters.changes == 1
    assert following.counters.dropped_everything == 1  # when it began


@pytest.mark.parametrize("azure", [True, False], ids=["there are none", "they may not be seen"])
def test_another_connection_is_everything_where_forks_are_not_told(
    server: FakeSqlServer, azure: bool
) -> None:
    server.fork = None
    server.azure = azure
    asked = Asked(server)
    assert asked.changes() == []
    earlier, again = asked.last, Asked(server, asked.source)
    assert again.last.changes_since(earlier).everything
    assert again.changes() == []


def test_tables_that_are_not_tracked_or_not_to_be_seen_are_not_watched(server: FakeSqlServer) -> None:
    asked = Asked(server, ChangeTracking(["PERSON", "stone", "dbo.gone"]))
    assert asked.last.unwatched == {"gone"}
    server.hidden.add("[dbo].[stone]")
    assert asked.changes() == ["stone"]
    assert asked.last.unwatched == {"gone", "stone"}
    server.hidden.clear()
    stamp = asked.last.stamp(["stone"])
    assert asked.changes() == ["stone"]
    assert stamp is None
    assert asked.last.stamp(["stone"]) is not None


def test_two_schemas_with_the_same_name_are_one_for_who_asks(server: FakeSqlServer) -> None:
    server.tables["[hr].[person]"] = Tracked()
    asked = Asked(server)
    stamp = asked.last.stamp(["person"])
    server.tables["[hr].[person]"].changes["a"] = server.version = server.version + 1
    assert asked.changes() == ["person"]
    assert asked.last.stamp(["person"]) != stamp
    server.hidden.add("[hr].[person]")
    asked.changes()
    assert asked.last.stamp(["person"]) is None


def test_a_database_that_does_not_track_is_no_source(server: FakeSqlServer) -> None:
    asked = Asked(server)
    server.tracks = False
    with pytest.raises(SourceLostError, match="ceased"):
        asked.changes()
    with pytest.raises(SourceLostError, match="does not track"):
        Asked(server)
    server.tracks = True
    with pytest.raises(SourceLostError, match="no table"):
        Asked(server, ChangeTracking(["other"]))


def test_a_table_that_may_not_be_asked_for_is_unwatched_and_the_others_are_not(server: FakeSqlServer) -> None:
    server.forbidden.add("[dbo].[stone]")
    asked = Asked(server, ChangeTracking(["person", "stone"]))
    assert asked.last.stamp(["person"]) is not None
    assert asked.last.unwatched == {"stone"}
    server.forbidden.add("[dbo].[person]")  # taken away in the middle: the next connection looks again
    with pytest.raises(PermissionError):
        asked.changes()
    with pytest.raises(SourceLostError, match="VIEW CHANGE TRACKING"):
        Asked(server, ChangeTracking(["person", "stone"]))


@pytest.mark.parametrize(("snapshots", "level"), [(True, "SNAPSHOT"), (False, "READ COMMITTED")])
def test_snapshots_are_used_where_they_are_allowed(
    server: FakeSqlServer, snapshots: bool, level: str
) -> None:
    server.snapshots = snapshots
    Asked(server)
    assert f"SET TRANSACTION ISOLATION LEVEL {level}" in server.statements


def test_every_statement_is_t_sql(server: FakeSqlServer) -> None:
    server.tables["[o'dd].[na me]"] = Tracked()
    asked = Asked(server)
    assert asked.last.stamp(["na me"]) is not None
    for statement in server.statements:
        # sqlglot does not know levels of isolation in this dialect.
        assert statement.startswith("SET ") or sqlglot.parse(statement, dialect="tsql")
    inner = re.match(r"EXEC sys\.sp_executesql N'((?:[^']|'')*)'", server.statements[-1])
    assert inner is not None
    text = inner[1].replace("''", "'")
    # sqlglot does not know the two words that CHANGETABLE begins with.
    parsed = sqlglot.parse_one(re.sub(r"CHANGETABLE\(CHANGES ", "CHANGETABLE(", text), dialect="tsql")
    assert len(list(parsed.find_all(sqlglot.exp.Union))) == 2


SHARE, WHOLE = 400, 40_000


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_commit_is_told_whenever_it_becomes_visible(
    server: FakeSqlServer, soak: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_tracking, "LOOKS_BACK", 5)
    drawn = random.Random(3)
    asked = Asked(server)
    expected: set[str] = set()
    late: set[str] = set()
    for step in range(WHOLE if soak else SHARE):
        action = drawn.choice(["commit", "commit", "late", "settle", "poll", "poll", "clean"])
        table = drawn.choice(["person", "stone"])
        if action == "commit":
            server.commit(table, f"row {drawn.randrange(4)}")
            expected.add(table)
        elif action == "late":
            # Of rows that nobody else changes: he would have had to wait.
            server.commit(table, f"late row {step}", late=True)
            late.add(table)
        elif action == "settle" or (action == "poll" and drawn.random() < 0.5):
            server.settle()
            expected |= late
            late.clear()
        elif action == "clean":
            tracked = server.tables[f"[dbo].[{table}]"]
            tracked.cleaned = max(0, server.version - 200)
            for row in [row for row, version in tracked.changes.items() if version <= tracked.cleaned]:
                del tracked.changes[row]
        if action == "poll":
            assert asked.changes() == sorted(expected), step
            expected.clear()
            if late:  # nothing stays late for longer than from one poll to the next
                server.settle()
                expected |= late
                late.clear()
