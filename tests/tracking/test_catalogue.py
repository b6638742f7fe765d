"""What a database tells of itself changes without being named; so do numbers that it draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wats_accel.sql.access import Changes, Reads, access
from wats_accel.sql.facts import Write
from wats_accel.sql.schema import Schema
from wats_accel.sql.statement import facts_of
from wats_accel.tracking.catalogue import reads_catalogue
from wats_accel.tracking.seen import Changed, Footprints

Method = Callable[[Any], list[Any]]


def asking(sql: str) -> Method:
    """A method that runs a query."""
    return lambda self: self.query("asked", sql)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("sql", "change"),
    [
        ("SELECT name FROM sqlite_master", "CREATE TABLE other (a)"),
        ("SELECT name FROM pragma_table_info('item')", "ALTER TABLE item ADD COLUMN colour"),
        ("SELECT seq FROM sqlite_sequence", "INSERT INTO numbered (a) VALUES (1)"),
        ("SELECT id FROM item", "UPDATE item SET rowid = 77 WHERE id = 1"),
        ("SELECT id FROM item", "UPDATE item SET _rowid_ = 77 WHERE id = 1"),
        ("SELECT oid FROM item", "UPDATE item SET id = 77 WHERE id = 1"),
    ],
)
def test_an_answer_is_as_new_as_the_last_change(accelerate: Any, shop: Any, sql: str, change: str) -> None:
    shop.write("CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, a)")
    type(shop).asked = asking(sql)
    with accelerate(cached={"asked": "shop"}):
        before = shop.asked()
        shop.asked()
        shop.write(change)
        assert shop.asked() != before


def test_tables_of_the_catalogue_are_told_from_the_applications_own() -> None:
    for table in ("pg_class", "sqlite_schema", "pragma_index_list"):
        assert reads_catalogue(access({"item": ["*"], table: ["*"]}), ())
    assert reads_catalogue(access({"item_id_seq": ["last_value"]}), ())
    assert not reads_catalogue(access({"item": ["last"]}), ())
    assert not reads_catalogue(access({"pg_users": ["*"]}), {"pg_users"})


def test_a_definition_changes_tables_that_tell_of_tables_and_does_not_say_so(
    accelerate: Any, shop: Any
) -> None:
    shop.write("CREATE TABLE tables (table_name)")  # a stand-in for information_schema's
    type(shop).asked = asking("SELECT table_name FROM tables")
    with accelerate(cached={"asked": "shop"}) as accelerator:
        shop.asked()
        shop.write("CREATE TABLE other (a)")
        assert accelerator.stats().total.invalidated == 1
    assert Changed(Changes(access({"a": ["*"]})), (), Changes(access({"b": ["*"]}))).pattern == "sql:a(*)"


@pytest.mark.parametrize("sql", ["SELECT nextval('numbers')", "SELECT setval('numbers', 1)"])
def test_a_number_that_is_drawn_is_not_kept(sql: str) -> None:
    assert Schema(dialect="postgres").effect(facts_of(sql, "postgres")).reads.unknown


def test_what_a_prepared_transaction_has_changed_nobody_knows() -> None:
    schema = Schema(dialect="postgres")
    assert schema.effect(facts_of("COMMIT PREPARED 'one'", "postgres")).changes.unknown
    assert not schema.effect(facts_of("ROLLBACK PREPARED 'one'", "postgres")).changes.unknown


def test_a_row_number_is_the_primary_key_of_sqlite() -> None:
    changes = Schema(dialect="sqlite").changing([Write("item", "update", frozenset({"rowid"}))])
    assert changes.concern(Reads(access({"item": ["id"]})))


def test_footprints_and_changes_do_not_pile_up() -> None:
    footprints = Footprints()
    changes = [Changed(Changes(access({f"t{n}": ["*"]})), (f"insert t{n}",)) for n in range(40)]
    reads = [footprints.of(Reads(access({f"t{n}": ["*"]}))) for n in range(40)]
    for first in range(200):
        changed, footprint = changes[first % 40], reads[first % 40]
        for step in range(40):
            changed |= changes[(first * 7 + step * (first % 11 + 1)) % 40]
            footprint |= reads[(first * 7 + step * (first % 11 + 1)) % 40]
    assert len(footprints._unions) <= 4_096
    assert not hasattr(changes[0], "_unions")
