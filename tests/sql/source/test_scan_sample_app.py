"""A second application, with texts in dictionaries and files, tables in subclasses, and wrappers."""

from __future__ import annotations

import pytest
from scanned_trees import SAMPLE, reads, texts, unknown, writes

from wats_accel.sql.source.scan import scan

CUSTOMER = {"id", "name", "mail"}
STOCK = {"item_id", "shelf", "amount"}
LINE = {"order_id", "item_id", "amount"}


@pytest.fixture(scope="module")
def lager():
    return scan(SAMPLE, dialect="tsql")


@pytest.mark.parametrize(
    ("name", "expected_reads", "expected_writes"),
    [
        ("lager_tables:Customers.find", {"customers": CUSTOMER}, {}),
        ("lager_tables:Customers.all", {"customers": CUSTOMER}, {}),
        ("lager_tables:Customers.insert", {}, {"customers": {"insert"}}),
        ("lager_tables:Customers.update", {"customers": {"id"}}, {"customers": CUSTOMER}),
        ("lager_tables:Customers.delete", {"customers": {"id"}}, {"customers": {"delete"}}),
        ("lager_tables:Stock.find", {"stock": STOCK}, {}),
        ("lager_tables:Stock.take", {"stock": STOCK}, {"stock": STOCK}),
        ("lager_tables:Lines.delete", {"order_lines": {"order_id"}}, {"order_lines": {"delete"}}),
        (
            "lager_orders:Orders.open",
            {"orders": {"id", "customer_id", "packed_at"}, "customers": {"id", "name"}},
            {},
        ),
        (
            "lager_orders:Orders.pack",
            {"orders": {"id"}},
            {"orders": {"packed_at", "packed_by"}, "parcels": {"insert"}},
        ),
        ("lager_orders:Orders.latest", {"orders": {"id", "placed_at"}}, {}),
        ("lager_orders:Orders.of_customer", {"orders": {"id", "customer_id"}}, {}),
        (
            "lager_orders:Orders.item",
            {"items": {"id", "name", "price"}, "orders": {"id", "customer_id"}},
            {"items": {"price"}},
        ),
        (
            "lager_orders:Orders.place",
            {"orders": {"id"}, "customers": {"id"}},
            {"orders": {"insert"}, "order_lines": {"insert"}, "customers": {"last_order_at"}},
        ),
        (
            "lager_orders:Orders.cancel",
            {"order_lines": LINE, "stock": {"item_id"}, "orders": {"id"}},
            {"order_lines": {"delete"}, "orders": {"delete"}, "stock": STOCK},
        ),
        ("lager_orders:Orders.count", {"orders": set()}, {}),
        ("lager_desk:Desk.on_rename", {"customers": {"id"}}, {"customers": CUSTOMER}),
    ],
)
def test_each_method_reads_and_writes_what_it_does(lager, name, expected_reads, expected_writes):
    target = f"lager.{name}"
    found = reads(lager, target)
    assert set(found) == set(expected_reads)
    assert all(found[table] >= columns for table, columns in expected_reads.items())
    assert all(found[table] - {"*"} <= columns | {"id"} for table, columns in expected_reads.items())
    assert writes(lager, target) == expected_writes
    assert unknown(lager, target) == []


def test_an_order_is_one_of_the_columns_that_it_is_looked_up_in(lager):
    method = lager.methods["lager.lager_tables:Customers.all"]
    plain = "SELECT id, name, mail FROM [dbo].[customers]"
    ordered = [f"{plain} ORDER BY {column}" for column in ("id", "name", "mail")]
    assert sorted(texts(method)) == sorted([plain, *ordered])
    assert not method.given_statements


def test_the_words_of_each_database_stay_together(lager):
    assert texts(lager.methods["lager.lager_orders:Orders.latest"]) == [
        "SELECT TOP 10 id FROM orders WHERE placed_at <= SYSDATETIME() ORDER BY placed_at DESC",
        "SELECT id FROM orders WHERE placed_at <= now() ORDER BY placed_at DESC LIMIT 10",
    ]


def test_filters_are_all_seen(lager):
    found = reads(lager, "lager.lager_orders:Orders.search")
    assert found["orders"] >= {"id", "customer_id", "placed_at"}
    assert found["order_lines"] == {"order_id", "item_id"}


def test_a_base_class_without_a_table_sends_nothing(lager):
    for name in ("find", "all", "update", "delete"):
        assert lager.methods[f"lager.lager_tables:Table.{name}"].statements == ()


def test_handlers_are_found_by_name_and_by_table(lager):
    pressed = writes(lager, "lager.lager_desk:Desk.press")
    assert set(pressed) == {"orders", "parcels", "customers"}
    assert set(writes(lager, "lager.lager_desk:Desk.handle")) >= {"orders", "order_lines", "parcels"}
    assert unknown(lager, "lager.lager_desk:Desk.press") == []


def test_what_only_the_caller_knows_is_told_of_the_method_itself(lager):
    assert unknown(lager, "lager.lager_desk:Desk.strange")
    (statement,) = lager.methods["lager.lager_orders:Orders.report"].given_statements
    assert [each.hides for each in statement.facts.unknowns] == ["reads"]


def test_procedures_and_threads(lager):
    (statement,) = lager.methods["lager.lager_orders:Orders._archive"].statements
    assert {call.name for call in statement.facts.calls} == {"sp_archive_orders"}
    method = lager.methods["lager.lager_orders:Orders.archive_later"]
    assert [call.target for call in method.calls] == ["lager.lager_orders:Orders._archive"]
    assert [each.what for each in method.unknowns] == ["what it does in another thread"]


def test_the_clock_is_seen_in_parameters_and_in_sql(lager):
    assert lager.methods["lager.lager_orders:Orders.place"].clock
    latest = lager.methods["lager.lager_orders:Orders.latest"]
    assert all(statement.facts.reads_clock for statement in latest.statements)
    assert not latest.clock


def test_failures_come_through_the_wrapper(lager):
    answers = lager.methods["lager.lager_orders:Orders.count"].failure_answers
    assert [answer.text for answer in answers] == ["-1"]
    assert answers[0].place.file == "lager/lager_gateway.py"


def test_arguments_that_are_changed_are_named(lager):
    assert lager.methods["lager.lager_desk:Desk.tidy"].changes_arguments == ("rows",)
