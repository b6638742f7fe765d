"""Writes that change what a cached read has read: which of them are reported, and with which line."""

from __future__ import annotations

import pytest
from hand_made import CLASS, Tree, config, told, unknown

from wats_accel.sql.schema import ForeignKey, Schema, Table

LIST = {"list": "orders"}


def tree() -> Tree:
    known = Tree()
    known.method("list", "user_id", reads={"orders": ["id", "state"]}, text="SELECT id, state FROM Orders")
    return known


def test_a_write_without_a_rule_is_reported_with_both_statements_and_the_line_to_add():
    known = tree()
    known.method("cancel", sets={"orders": ["state"]}, text="UPDATE Orders SET State = ?")
    outcome = known.audited(config(LIST))
    assert told(outcome) == [("uncovered", "cancel", "list")]
    finding = outcome.findings[0]
    assert finding.message == (
        "Orders.cancel changes Orders (State), which the cached Orders.list reads, and no rule drops it"
    )
    assert [(known.label, str(known.place), known.text) for known in finding.evidence] == [
        ("the write", "shop/orders.py:21", "UPDATE Orders SET State = ?"),
        ("the read", "shop/orders.py:11", "SELECT id, state FROM Orders"),
    ]
    assert finding.fix == ('cancel: ["orders:list:*"]',)
    assert finding.fix_at == ("repositories", 0, "invalidates")


def test_the_line_to_add_makes_the_finding_go_away():
    known = tree()
    known.method("cancel", sets={"orders": ["state"]})
    assert told(known.audited(config(LIST, {"cancel": ["orders:list:*"]}))) == []


def test_a_heartbeat_that_sets_a_column_which_no_read_uses_is_not_reported():
    known = tree()
    known.method("beat", sets={"orders": ["seen_at"]})
    assert told(known.audited(config(LIST))) == []


def test_rows_that_come_or_go_concern_every_reader_of_their_table():
    known = tree()
    known.method("purge", deletes=["orders"])
    assert told(known.audited(config(LIST))) == [("uncovered", "purge", "list")]


def test_a_rule_that_drops_something_else_does_not_cover_and_is_kept_in_the_line():
    known = tree()
    known.method("users", reads={"users": ["name"]})
    known.method("rename", sets={"users": ["name"], "orders": ["state"]})
    outcome = known.audited(config({**LIST, "users": "users"}, {"rename": "users:*"}))
    assert told(outcome) == [("uncovered", "rename", "list")]
    assert outcome.findings[0].fix == ('rename: ["users:*", "orders:list:*"]',)
    assert outcome.findings[0].setting.key_path == ("repositories", 0, "invalidates", "rename")


def test_a_condition_of_the_rule_stays_in_the_line():
    known = tree()
    known.method("users", reads={"users": ["name"]})
    known.method("rename", sets={"users": ["name"], "orders": ["state"]})
    rule = {"patterns": ["users:*"], "when": "truthy"}
    outcome = known.audited(config({**LIST, "users": "users"}, {"rename": rule}))
    assert outcome.findings[0].fix == ('rename: {patterns: ["users:*", "orders:list:*"], when: truthy}',)


def test_one_line_serves_all_reads_that_a_write_forgets():
    known = tree()
    known.method("count", reads={"orders": []})
    known.method("names", reads={"users": ["name"]})
    known.method("purge", deletes=["orders"])
    outcome = known.audited(config({"list": "orders", "names": "orders", "count": "users"}))
    fixes = [finding.fix for finding in outcome.findings if finding.rule == "uncovered"]
    assert fixes == [('purge: ["orders:list:*", "users:count:*"]',)] * 2


def test_one_pattern_is_enough_for_a_namespace_of_which_all_reads_are_forgotten():
    known = tree()
    known.method("count", reads={"orders": []})
    known.method("purge", deletes=["orders"])
    outcome = known.audited(config({**LIST, "count": "orders"}))
    fixes = [finding.fix for finding in outcome.findings if finding.rule == "uncovered"]
    assert fixes == [('purge: ["orders:*"]',)] * 2


def test_the_rule_belongs_to_the_innermost_method_that_others_may_call():
    known = tree()
    known.method("_set", sets={"orders": ["state"]})
    known.method("cancel", calls=["_set"])
    known.method("shop.panel:Panel.cancel", calls=["cancel"])
    outcome = known.audited(config(LIST))
    assert told(outcome) == [("uncovered", "cancel", "list")]
    assert [(known.label, known.text) for known in outcome.findings[0].evidence] == [
        ("the write", "the SQL of _set"),
        ("the read", "SELECT id, state FROM Orders"),
        ("also through", "Panel.cancel"),
    ]


def test_a_caller_with_a_rule_of_its_own_is_not_named_among_the_ways_to_a_write():
    known = tree()
    known.method("cancel", sets={"orders": ["state"]})
    known.method("undo", calls=["cancel"])
    known.method("shop.panel:Panel.undo", calls=["undo"])
    outcome = known.audited(config(LIST, {"undo": "orders:*"}))
    assert told(outcome) == [("uncovered", "cancel", "list")]
    assert "also through" not in [known.label for known in outcome.findings[0].evidence]


def test_a_private_method_that_nobody_calls_is_reported_itself():
    known = tree()
    known.method("_set", sets={"orders": ["state"]})
    assert told(known.audited(config(LIST))) == [("uncovered", "_set", "list")]


def test_a_private_method_that_another_class_calls_is_told_at_that_class():
    known = tree()
    known.method("_set", sets={"orders": ["state"]})
    known.method("shop.panel:Panel.cancel", calls=["_set"])
    assert told(known.audited(config(LIST))) == [("uncovered", "shop.panel:Panel.cancel", "list")]


def test_the_rule_of_a_private_method_covers_those_that_call_it():
    known = tree()
    known.method("_set", sets={"orders": ["state"]})
    known.method("cancel", calls=["_set"])
    assert told(known.audited(config(LIST, {"_set": "orders:*"}))) == []


def test_what_a_method_writes_besides_the_covered_inner_write_is_reported():
    known = tree()
    known.method("_set", sets={"orders": ["state"]})
    known.method("cancel", calls=["_set"], deletes=["orders"])
    outcome = known.audited(config(LIST, {"_set": "orders:*"}))
    assert told(outcome) == [("uncovered", "cancel", "list")]
    assert [known.text for known in outcome.findings[0].evidence[:1]] == ["the SQL of cancel"]


def test_what_is_read_through_another_cached_read_is_that_read_s_own_affair():
    known = Tree()
    known.method("role", "name", reads={"users": ["role"]})
    known.method("list", "name", reads={"orders": ["id"]}, calls=["role"])
    known.method("promote", sets={"users": ["role"]})
    both = {**LIST, "role": {"namespace": "users", "unless_result": [[None, False]]}}
    assert told(known.audited(config(both))) == [("uncovered", "promote", "role")]
    assert told(known.audited(config(both, {"promote": "users:*"}))) == []


def test_what_is_read_through_a_method_that_is_not_cached_counts():
    known = Tree()
    known.method("role", "name", reads={"users": ["role"]})
    known.method("list", "name", reads={"orders": ["id"]}, calls=["role"])
    known.method("promote", sets={"users": ["role"]})
    assert told(known.audited(config(LIST))) == [("uncovered", "promote", "list")]


def test_a_cascade_is_reported_as_one():
    known = tree()
    known.method("delete_user", deletes=["users"])
    schema = Schema(
        {"users": Table("users"), "orders": Table("orders")},
        (ForeignKey("orders", ("user_id",), "users", ("id",), on_delete="cascade"),),
    )
    outcome = known.audited(config(LIST), schema)
    assert told(outcome) == [("uncovered", "delete_user", "list")]
    assert "changes by a cascade, a trigger or a procedure Orders, which" in outcome.findings[0].message


def test_a_class_that_the_configuration_does_not_have_gets_an_entry_of_its_own():
    known = tree()
    known.method("shop.log:Log.clear", deletes=["orders"])
    finding = known.audited(config(LIST)).findings[0]
    assert finding.fix == (
        "- target: shop.log:Log",
        "  invalidates:",
        '    clear: ["orders:list:*"]',
    )
    assert finding.fix_at == ("repositories",)


def test_a_function_of_a_module_gets_an_entry_with_the_module():
    known = tree()
    known.method("shop.log:clear", deletes=["orders"])
    assert known.audited(config(LIST)).findings[0].fix[0] == "- target: shop.log"


def test_a_coroutine_function_cannot_have_the_rule():
    known = tree()
    known.method("purge", deletes=["orders"], is_async=True)
    finding = known.audited(config(LIST)).findings[0]
    assert finding.fix == ()
    assert finding.message.endswith("it cannot be patched itself, so its callers need the rule")


class TestBoundPatterns:
    def audited(self, *parameters: str, pattern: str = "orders:list:{user_id}", text: str = "", **given):
        known = Tree()
        text = text or "SELECT id, state FROM orders WHERE user_id = ?"
        known.method("list", "user_id", reads={"orders": ["id", "state"]}, text=text)
        known.method("cancel", *parameters, sets={"orders": ["state"]}, **given)
        return known.audited(config(LIST, {"cancel": [pattern]}))

    def test_an_argument_of_the_same_name_is_trusted(self):
        outcome = self.audited("user_id", "reason")
        assert told(outcome) == []
        assert [pair.write.target for pair in outcome.trusted] == [f"{CLASS}.cancel"]

    def test_an_argument_of_another_name_is_not(self):
        outcome = self.audited("owner", pattern="orders:list:{owner}")
        assert told(outcome) == [("unsure-argument", "cancel", "list")]
        assert "nothing tells that {owner} is the user_id of the read" in outcome.findings[0].message
        assert outcome.findings[0].fix == ('cancel: ["orders:list:*"]',)

    def test_no_argument_is_trusted_when_the_read_has_the_table_twice(self):
        text = "SELECT a.id, b.state FROM orders a JOIN Orders b ON b.parent = a.id WHERE a.user_id = ?"
        outcome = self.audited("user_id", text=text)
        assert told(outcome) == [("unsure-argument", "cancel", "list")]
        assert "reads orders more than once" in outcome.findings[0].message

    def test_an_argument_that_the_write_does_not_have_matches_anything_and_is_reported_as_such(self):
        assert told(self.audited("order_id")) == [
            ("unknown-argument", "cancel", "the pattern 'orders:list:{user_id}'", "user_id")
        ]

    def test_a_literal_argument_covers_some_entries_only(self):
        assert told(self.audited("user_id", pattern="orders:list:7")) == [
            ("unsure-argument", "cancel", "list")
        ]

    def test_a_glob_for_anything_covers_all(self):
        assert told(self.audited("user_id", pattern="orders:list:*:*")) == []


@pytest.mark.parametrize("mode", ["sql", "both"])
def test_where_the_sql_decides_at_run_time_nothing_is_uncovered(mode):
    known = tree()
    known.method("cancel", sets={"orders": ["state"]})
    settings = config(LIST, invalidation={"mode": mode}, sql={"assume_plain_tables": True})
    assert told(known.audited(settings)) == []


class TestInheritance:
    """Both classes have the methods of the base on the same lines."""

    @staticmethod
    def audited(tmp_path, rules=None, target="shop.orders:Base"):
        folder = tmp_path / "shop"
        folder.mkdir()
        (folder / "orders.py").write_text(
            "class Base:\n    def purge(self):\n        pass\n    def list(self):\n        pass\n"
        )
        known = Tree()
        for owner in ("shop.orders:Base", CLASS):
            known.method(f"{owner}.purge", deletes=["orders"], line=2)
            known.method(f"{owner}.list", reads={"orders": ["id"]}, line=4)
        settings = config(LIST)
        settings["repositories"][0]["target"] = CLASS
        if rules:
            settings["repositories"].append({"target": target, "invalidates": rules})
        return known.audited(settings, folder=tmp_path)

    def test_a_write_is_told_once_at_the_class_that_defines_it(self, tmp_path):
        assert told(self.audited(tmp_path)) == [("uncovered", "shop.orders:Base.purge", "list")]

    def test_a_rule_at_the_class_that_defines_it_serves_all(self, tmp_path):
        assert told(self.audited(tmp_path, {"purge": "orders:*"})) == []

    def test_a_rule_at_a_class_that_inherits_it_serves_that_class_only(self, tmp_path):
        outcome = self.audited(tmp_path, {"purge": "orders:*"}, target=CLASS)
        assert told(outcome) == [("uncovered", "shop.orders:Base.purge", "list")]


class TestLooseCalls:
    """Calls of a method of an object that nobody knows, as the scan tells them."""

    @staticmethod
    def call(name: str):
        return (unknown(f"the call of {name}() of an object that is not known"),)

    def test_which_method_of_the_tree_is_called_need_not_be_known(self):
        known = tree()
        known.method("cancel", sets={"orders": ["state"]})
        known.method("shop.panel:Panel.cancel", unknowns=self.call("cancel"))
        assert told(known.audited(config(LIST, {"cancel": "orders:*"}))) == []

    def test_nor_in_which_thread_it_runs(self):
        known = tree()
        known.method("shop.panel:Panel.refresh", unknowns=(unknown("what it does in another thread"),))
        assert told(known.audited(config(LIST))) == []

    def test_what_it_gives_to_a_method_that_passes_sql_on_has_to_be(self):
        known = tree()
        given = (unknown("the SQL given to execute() comes from a parameter"),)
        known.method("run", "sql", given_unknowns=given)
        known.method("once", calls=["run"])
        known.method("shop.panel:Panel.clear", unknowns=self.call("run"))
        assert told(known.audited(config(LIST))) == [("not-analysed", "shop.panel:Panel.clear")]

    def test_a_private_method_that_is_called_so_stands_for_itself(self):
        known = tree()
        known.method("_set", sets={"orders": ["state"]})
        known.method("cancel", calls=["_set"])
        known.method("shop.panel:Panel.cancel", unknowns=self.call("_set"))
        outcome = known.audited(config(LIST, {"cancel": "orders:*"}))
        assert told(outcome) == [("uncovered", "_set", "list")]
