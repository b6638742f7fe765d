"""In mode sql the statements say what a write drops: which answers, when, and when not."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import Any

import pytest

from wats_accel.events import Invalidated
from wats_accel.telemetry.stats import SqlStats

RENAME = "UPDATE item SET name = ? WHERE id = 1"


def fill(shop: Any, *names: str) -> dict[str, int]:
    """Have these answers stored; gives how often each has run by then."""
    for name in names:
        getattr(shop, name)()
        runs = shop.runs[name]
        getattr(shop, name)()
        assert shop.runs[name] == runs, f"{name} is not cached"
    return dict(shop.runs)


def gone(shop: Any, before: dict[str, int], *names: str) -> set[str]:
    """Which of these answers have to be loaded again."""
    for name in names:
        getattr(shop, name)()
    return {name for name in names if shop.runs[name] > before[name]}


# -- what is dropped -------------------------------------------------------------------------------------

READS = ("names", "prices", "total", "notes")


@pytest.mark.parametrize(
    ("sql", "dropped"),
    [
        ("UPDATE item SET name = 'x'", {"names"}),
        ("UPDATE item SET price = 1 WHERE name = 'bolt'", {"prices"}),
        ("UPDATE item SET seen = 1", set()),
        ("INSERT INTO item (name) VALUES ('washer')", {"names", "prices", "total"}),
        ("DELETE FROM item WHERE id = 2", {"names", "prices", "total"}),
        ("INSERT INTO note (text) VALUES ('x')", {"notes"}),
        ("WITH old AS (SELECT id FROM item) DELETE FROM note WHERE item IN (SELECT id FROM old)", {"notes"}),
        ("ALTER TABLE item ADD COLUMN colour TEXT", {"names", "prices", "total"}),
        ("SELECT 1", set()),
        ("PRAGMA foreign_keys = ON", set()),
        ("CREATE TEMP TABLE scratch (x)", set()),
    ],
)
def test_a_statement_drops_what_was_made_from_what_it_changes(
    accelerate: Any, shop: Any, sql: str, dropped: set[str]
) -> None:
    with accelerate():
        before = fill(shop, *READS)
        shop.write(sql)
        assert gone(shop, before, *READS) == dropped


def test_an_answer_made_from_other_answers_goes_with_what_those_were_made_from(
    accelerate: Any, shop: Any
) -> None:
    with accelerate():
        before = fill(shop, "names", "listing", "prices")
        shop.write("INSERT INTO note (text) VALUES ('new')")
        assert gone(shop, before, "listing", "names", "prices") == {"listing"}
        assert shop.listing()[1] == [("new",)]


def test_what_nobody_can_read_concerns_everything(accelerate: Any, shop: Any) -> None:
    with accelerate():
        before = fill(shop, *READS)
        connection = shop.connect()
        with contextlib.closing(sqlite3.connect(":memory:")) as source:
            source.executescript("CREATE TABLE item (id, name, price, seen); CREATE TABLE note (text, item)")
            source.backup(connection)
        connection.close()
        assert gone(shop, before, *READS) == set(READS)
        assert shop.total() == 0


def test_a_script_and_many_values_are_one_change_each(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        fill(shop, *READS)
        connection = shop.connect()
        connection.executemany("UPDATE item SET price = ? WHERE id = ?", [(1, 1), (2, 2)])
        assert shop.prices() == [(1,), (2,)]
        connection.executescript("UPDATE item SET name = 'a'; INSERT INTO note (text) VALUES ('b')")
        connection.close()
        assert shop.names() == [("a",), ("a",)]
        assert shop.notes() == [("b",)]
        assert accelerator.stats().total.invalidated == 3


def test_a_drop_is_told_by_tables_and_columns_and_never_by_values(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        told: list[Invalidated] = []
        accelerator._bus.subscribe(Invalidated, told.append)
        fill(shop, "names")
        shop.write("UPDATE item SET seen = 2")
        shop.write("UPDATE item SET name = 'secret' WHERE name = 'bolt'")
        figures = accelerator.stats().sql
    assert told == [Invalidated("sql:item(name)", 1, "update item")]
    assert figures == SqlStats(changes=2, unknown_changes=0, dropping_changes=1, dropped=1)


# -- when -----------------------------------------------------------------------------------------------


def test_in_a_transaction_it_is_dropped_at_the_commit(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        before = fill(shop, "names", "prices")
        connection = shop.connect(isolation_level="DEFERRED")
        connection.execute(RENAME, ("screw",))
        assert accelerator.stats().total.invalidated == 0
        shop.names()
        assert shop.runs["names"] == before["names"] + 1, "while it is open nobody knows who sees what"
        shop.prices()
        assert shop.runs["prices"] == before["prices"], "it is not concerned"
        connection.commit()
        assert accelerator.stats().total.invalidated == 1
        assert shop.names()[0] == ("screw",)
        connection.close()


@pytest.mark.parametrize("way", ["rollback", "ROLLBACK", "close"])
def test_after_a_rollback_nothing_is_dropped_and_the_entry_answers_again(
    accelerate: Any, shop: Any, way: str
) -> None:
    with accelerate() as accelerator:
        before = fill(shop, "names")
        connection = shop.connect(isolation_level="DEFERRED")
        connection.execute(RENAME, ("screw",))
        connection.execute("ROLLBACK") if way == "ROLLBACK" else getattr(connection, way)()
        assert shop.names()[0] == ("bolt",)
        assert dict(shop.runs) == before
        assert accelerator.stats().total.invalidated == 0
        if way != "close":
            connection.close()


def test_what_a_savepoint_takes_back_is_dropped_at_the_commit_all_the_same(
    accelerate: Any, shop: Any
) -> None:
    with accelerate():
        before = fill(shop, "names", "notes", "prices")
        connection = shop.connect(isolation_level="DEFERRED")
        connection.execute("UPDATE item SET price = 7")
        connection.execute("SAVEPOINT here")
        connection.execute(RENAME, ("screw",))
        connection.execute("ROLLBACK TO here")
        connection.commit()
        connection.close()
        assert gone(shop, before, "names", "notes", "prices") == {"names", "prices"}


def test_a_commit_that_fails_drops_too(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        fill(shop, "notes")
        connection = shop.connect(isolation_level="DEFERRED")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("INSERT INTO note (text, item) VALUES ('orphan', 99)")
        with pytest.raises(sqlite3.IntegrityError):
            connection.commit()
        assert accelerator.stats().total.invalidated == 1
        connection.rollback()
        connection.close()
        assert shop.notes() == []


def test_a_statement_that_fails_drops_what_it_may_have_changed(accelerate: Any, shop: Any) -> None:
    with accelerate():
        before = fill(shop, "names")
        with pytest.raises(sqlite3.IntegrityError):
            shop.write("INSERT INTO item (id) VALUES (1)")
        assert gone(shop, before, "names") == {"names"}


def test_a_write_in_another_thread_is_seen(accelerate: Any, shop: Any) -> None:
    with accelerate():
        fill(shop, "names")
        thread = threading.Thread(target=shop.write, args=(RENAME, "screw"))
        thread.start()
        thread.join()
        assert shop.names()[0] == ("screw",)


def test_a_connection_that_two_threads_use_drops_for_both_at_the_commit_of_one(
    accelerate: Any, shop: Any
) -> None:
    with accelerate():
        fill(shop, "names", "notes")
        connection = shop.connect(isolation_level="DEFERRED", check_same_thread=False)
        connection.execute(RENAME, ("screw",))
        thread = threading.Thread(
            target=connection.execute, args=("INSERT INTO note (text) VALUES ('theirs')",)
        )
        thread.start()
        thread.join()
        connection.commit()
        connection.close()
        assert shop.names()[0] == ("screw",)
        assert shop.notes() == [("theirs",)]


# -- loads ----------------------------------------------------------------------------------------------


def test_a_read_that_writes_is_not_kept(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        shop.found_or_made("washer")
        assert accelerator.stats().total.not_stored == {"wrote": 1}
        runs = shop.runs["found_or_made"]
        shop.found_or_made("washer")
        shop.found_or_made("washer")
        assert shop.runs["found_or_made"] == runs + 1


def test_an_answer_of_which_no_statement_was_seen_is_not_kept(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        assert [shop.fixed(), shop.fixed()] == [1, 2]
        assert accelerator.stats().total.not_stored == {"no_statement_seen": 2}


def test_a_rule_may_say_what_it_reads_that_nobody_sees(accelerate: Any, shop: Any) -> None:
    with accelerate(cached={"fixed": {"namespace": "shop", "reads": ["note", "Item.Price"]}}):
        assert [shop.fixed(), shop.fixed()] == [1, 1]
        shop.write(RENAME, "screw")
        assert shop.fixed() == 1
        shop.write("UPDATE item SET price = 3")
        assert shop.fixed() == 2
        shop.write("DELETE FROM note")
        assert shop.fixed() == 3


def test_what_a_rule_says_counts_for_answers_that_are_made_from_this_one(accelerate: Any, shop: Any) -> None:
    shop_class = type(shop)
    shop_class.twice = lambda self: (self.fixed(), self.fixed())
    with accelerate(cached={"fixed": {"namespace": "shop", "reads": "note"}, "twice": "shop"}):
        assert shop.twice() == shop.twice() == (1, 1)
        shop.write("DELETE FROM note")
        assert shop.twice() == (2, 2)


def test_names_that_the_schema_does_not_have_are_unknown_unless_all_are_plain_tables(
    accelerate: Any, shop: Any
) -> None:
    with accelerate(sql={"tables": {"note": ["text", "item"]}}) as accelerator:
        fill(shop, "notes")
        shop.names()
        shop.names()
        assert accelerator.stats().total.not_stored == {"unknown_reads": 2}
        shop.write("UPDATE item SET seen = 1")  # perhaps it has a trigger
        runs = shop.runs["notes"]
        shop.notes()
        assert shop.runs["notes"] == runs + 1


def test_the_schema_tells_of_cascades_and_views(accelerate: Any, shop: Any) -> None:
    key = {"table": "note", "columns": "item", "parent": "item", "on_delete": "cascade"}
    schema = {"tables": {"item": None, "note": None}, "foreign_keys": [key]}
    with accelerate(sql=schema):
        before = fill(shop, "names", "notes")
        shop.write("DELETE FROM item WHERE id = 1")
        assert gone(shop, before, "names", "notes") == {"names", "notes"}


def test_a_load_in_which_the_catalogue_is_read_is_not_kept(accelerate: Any, shop: Any) -> None:
    type(shop).dump = lambda self: list(self.connect().iterdump())
    with accelerate(cached={"dump": "shop"}) as accelerator:
        shop.dump()
        assert accelerator.stats().total.not_stored == {"unknown_reads": 1}


def test_the_time_that_a_statement_asks_for_is_told_and_leaves_the_answer_to_its_ttl(
    accelerate: Any, shop: Any
) -> None:
    type(shop).fresh = lambda self: self.query("fresh", "SELECT name FROM item WHERE seen < datetime('now')")
    with accelerate(cached={"fresh": "shop"}) as accelerator:
        fill(shop, "fresh")
        assert "for the time" in str(accelerator.explain("Shop.fresh"))


def test_an_explanation_shows_what_the_answers_were_made_from(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        assert "nothing was seen yet" in str(accelerator.explain("Shop.names"))
        fill(shop, "names")
        assert str(accelerator.explain("Shop.names")).splitlines()[-3:] == [
            "  reads:         item(id, name)",
            "  dropped by:",
            "    any statement that changes what it reads  (sql)",
        ]


def test_a_mode_without_any_knowledge_of_the_database_is_a_problem(accelerate: Any, shop: Any) -> None:
    with accelerate(sql={}, strict=False) as accelerator:
        (problem,) = accelerator.problems
        assert "schema-scan" in str(problem)


# -- modes ------------------------------------------------------------------------------------------------


def test_rules_are_left_out_in_mode_sql_and_that_is_no_problem(
    accelerate: Any, shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="wats_accel")
    with accelerate(invalidates={"write": ["shop:*"]}) as accelerator:
        before = fill(shop, "names")
        shop.write("UPDATE item SET seen = 1")
        assert gone(shop, before, "names") == set()
        assert accelerator.problems == ()
    assert "SQL decides what a write drops (1 rules under 'invalidates' are left out)" in caplog.messages


def test_in_mode_both_rules_and_statements_drop(accelerate: Any, shop: Any) -> None:
    with accelerate("both", invalidates={"write": ["shop:names:*"]}):
        before = fill(shop, "names", "prices", "notes")
        shop.write("UPDATE item SET price = 1")
        assert gone(shop, before, "names", "prices", "notes") == {"names", "prices"}


def test_in_mode_both_a_rule_speaks_for_what_nobody_sees(accelerate: Any, shop: Any) -> None:
    with accelerate("both", invalidates={"write": ["shop:fixed:*"]}) as accelerator:
        fill(shop, "fixed")
        assert accelerator.stats().total.not_stored == {}
        shop.write("UPDATE item SET seen = 1")
        assert shop.fixed() == 2


def test_in_mode_rules_no_statement_drops_and_nobody_watches(accelerate: Any, shop: Any) -> None:
    with accelerate("rules") as accelerator:
        before = fill(shop, "names", "fixed")
        shop.write(RENAME, "screw")
        assert gone(shop, before, "names", "fixed") == set()
        assert accelerator._assembly is not None
        context = accelerator._assembly.context
        assert context.pools.observer is None
        assert all(region.watch is None for region in context.caches)


# -- connections --------------------------------------------------------------------------------------------


class OwnConnection(sqlite3.Connection):
    """A class of the application's, whose connections no pool can lend."""


@pytest.mark.parametrize("options", [{"factory": OwnConnection}, {}], ids=["factory", "plain"])
@pytest.mark.parametrize(
    "pool",
    [{}, {"enabled": False}, {"size": 1, "max_overflow": 0, "timeout": 0}],
    ids=["pooled", "not pooled", "exhausted"],
)
def test_statements_are_seen_on_connections_that_the_pool_cannot_lend(
    accelerate: Any, shop: Any, pool: dict[str, Any], options: dict[str, Any]
) -> None:
    with accelerate(pool=[{"connect": "sqlite3:connect", **pool}]) as accelerator:
        held = shop.connect(**options)
        other = shop.connect(**options, isolation_level="DEFERRED")
        fill(shop, "names")
        other.execute(RENAME, ("screw",))
        other.commit()
        assert shop.names()[0] == ("screw",)
        held.execute(RENAME, ("nail",))
        assert shop.names()[0] == ("nail",)
        held.close()
        other.close()
        assert accelerator.problems == ()


def test_a_pool_that_is_switched_off_sees_as_ever(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        accelerator.disable("sqlite3:connect")
        fill(shop, "names")
        shop.write(RENAME, "screw")
        assert shop.names()[0] == ("screw",)


def test_without_a_pool_nothing_is_cached_and_that_is_a_problem(accelerate: Any, shop: Any) -> None:
    with accelerate(pool=[], strict=False) as accelerator:
        shop.names()
        shop.names()
        assert shop.runs["names"] == 2
        (problem,) = accelerator.problems
        assert "no entry under 'pool'" in str(problem)


def test_without_a_pool_rules_go_on_in_mode_both(accelerate: Any, shop: Any) -> None:
    with accelerate("both", pool=[], strict=False, invalidates={"write": ["shop:names:*"]}):
        fill(shop, "names")
        shop.notes()
        shop.notes()
        assert shop.runs["notes"] == 2


def test_a_connection_that_nobody_can_see_ends_the_caching(
    accelerate: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with accelerate(strict=False) as accelerator:
        fill(shop, "names")

        def fail(*_: object) -> None:
            raise TypeError

        monkeypatch.setattr("wats_accel.pool.onlooking.connection_proxy", fail)
        bare = shop.connect(factory=OwnConnection)
        bare.execute(RENAME, ("screw",))
        bare.close()
        assert shop.names()[0] == ("screw",)
        (problem,) = accelerator.problems
        assert "not all statements are seen" in str(problem)


def test_a_connect_that_cannot_be_patched_ends_the_caching(accelerate: Any, shop: Any) -> None:
    pool = [{"connect": "sqlite3:connect"}, {"connect": "sqlite3:no_such_function"}]
    with accelerate(pool=pool, strict=False) as accelerator:
        shop.names()
        shop.names()
        assert shop.runs["names"] == 2
        assert len(accelerator.problems) == 2


def test_after_uninstall_connections_that_are_out_go_on(accelerate: Any, shop: Any) -> None:
    with accelerate():
        fill(shop, "names")
        connection = shop.connect()
    connection.execute(RENAME, ("screw",))
    connection.close()
    assert shop.names()[0] == ("screw",)
