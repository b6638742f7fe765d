"""The other kinds of findings: clock, names, needless rules, secrets, failure answers, gaps, habits."""

from __future__ import annotations

import pytest
from hand_made import CLASS, Tree, config, failing, told, unknown

from wats_accel.sql.access import Changes, Reads, access
from wats_accel.sql.schema import Routine, Schema, Table
from wats_accel.sql.source.facts import Place

LIST = {"list": "orders"}
POOL = [{"connect": "sqlite3:connect"}]


def tree(**given) -> Tree:
    known = Tree()
    known.method("list", "user_id", reads={"orders": ["id", "state"]}, **given)
    return known


class TestClock:
    CLOCK = (Place("shop/orders.py", 5),)

    def test_a_read_that_time_changes_needs_a_bound(self):
        outcome = tree(clock=self.CLOCK).audited(config(LIST))
        assert told(outcome) == [("clock", "list")]
        assert outcome.findings[0].fix == ("max_age_from_clock: 60s",)
        assert outcome.findings[0].fix_at == ("repositories", 0, "cached", "list")

    @pytest.mark.parametrize(
        "bound",
        [{"max_age_from_clock": "2m"}, {"valid_until": "shop.clock:ends"}],
        ids=["max_age_from_clock", "valid_until"],
    )
    def test_a_bound_or_an_end_is_enough(self, bound):
        rule = {"namespace": "orders", **bound}
        assert told(tree(clock=self.CLOCK).audited(config({"list": rule}))) == []

    def test_the_time_that_an_inner_cached_read_asks_for_is_bounded_there(self):
        known = tree(calls=["now"])
        known.method("now", reads={"users": ["id"]}, clock=self.CLOCK)
        both = {**LIST, "now": {"namespace": "users", "max_age_from_clock": "30s"}}
        assert told(known.audited(config(both))) == []
        assert told(known.audited(config(LIST))) == [("clock", "list")]


class TestNames:
    def test_a_method_that_the_class_does_not_have_is_told_with_the_nearest(self):
        outcome = tree().audited(config({"lits": "orders"}))
        assert told(outcome) == [("unknown-target", "lits")]
        assert outcome.findings[0].message == "Orders has no method 'lits'; did you mean 'list'?"

    def test_a_class_that_the_module_does_not_have_is_told(self):
        settings = config(LIST)
        settings["repositories"][0]["target"] = "shop.orders:Order"
        message = tree().audited(settings).findings[0].message
        assert message == "shop.orders has no 'Order'; did you mean 'Orders'?"

    def test_a_module_that_the_source_does_not_have_is_told(self):
        settings = config(LIST)
        settings["repositories"].append({"target": "shop.order:Order", "cached": {"find": "users"}})
        message = tree().audited(settings).findings[0].message
        assert message == "the source has no module 'shop.order'; did you mean 'shop.orders'?"

    def test_a_source_with_none_of_the_modules_is_told_once(self):
        settings = config({"list": "orders", "count": "users"})
        settings["repositories"][0]["target"] = "app.shop.orders:Orders"
        outcome = tree().audited(settings)
        assert told(outcome, "unknown-target") == [("unknown-target", "the source")]
        assert "--source is the folder that they are imported from" in outcome.findings[0].message

    @pytest.mark.parametrize(
        "rule",
        [{"fold": "user"}, {"key": {"exclude": "user"}}, {"key": {"include": "user.id"}}],
        ids=["fold", "exclude", "include"],
    )
    def test_a_parameter_that_the_read_does_not_have_is_told(self, rule):
        outcome = tree().audited(config({"list": {"namespace": "orders", **rule}}))
        assert [finding.rule for finding in outcome.findings[:1]] == ["unknown-argument"]
        assert "'user', which is no parameter of Orders.list" in outcome.findings[0].message

    def test_a_pattern_with_more_arguments_than_the_key_is_told(self):
        known = tree()
        known.method("cancel", "user_id", "order_id", sets={"orders": ["state"]})
        rules = {"cancel": ["orders:list:{user_id}:{order_id}"]}
        outcome = known.audited(config(LIST, rules))
        assert told(outcome) == [("never-matches", "cancel", "orders:list:{user_id}:{order_id}", "list")]
        assert outcome.findings[0].fix == ('"orders:list:*"',)

    def test_arguments_in_the_wrong_order_are_told(self):
        known = Tree()
        known.method("find", "user_id", "order_id", reads={"orders": ["id"]})
        known.method("cancel", "user_id", "order_id", sets={"orders": ["id"]})
        rules = {"cancel": ["orders:find:{order_id}:{user_id}"]}
        outcome = known.audited(config({"find": "orders"}, rules))
        assert "binds {order_id} where the key of Orders.find has user_id" in outcome.findings[0].message

    def test_an_argument_that_is_caught_by_name_may_be_there(self):
        known = tree()
        known.method("cancel", "**options", sets={"orders": ["state"]})
        assert "unknown-argument" not in {
            finding.rule
            for finding in known.audited(config(LIST, {"cancel": "orders:list:{user_id}"})).findings
        }


class TestNeedlessRules:
    def test_a_pattern_whose_reads_use_nothing_that_the_write_changes_is_told(self):
        known = tree()
        known.method("beat", sets={"orders": ["seen_at"]})
        outcome = known.audited(config(LIST, {"beat": "orders:*"}))
        assert told(outcome) == [("useless-rule", "beat", "orders:*")]

    def test_a_wildcard_that_affects_one_of_its_reads_is_not(self):
        known = tree()
        known.method("count", reads={"users": []})
        known.method("cancel", sets={"orders": ["state"]})
        settings = config({**LIST, "count": "orders"}, {"cancel": "orders:*"})
        assert told(known.audited(settings)) == []

    def test_a_write_that_is_not_wholly_known_is_not(self):
        known = tree()
        known.method("run", hidden="dynamic SQL")
        assert told(known.audited(config(LIST, {"run": "orders:*"}))) == []

    def test_what_reaches_a_read_through_another_cached_read_is_no_reason(self):
        known = tree(calls=["role"])
        known.method("role", reads={"users": ["role"]})
        known.method("promote", sets={"users": ["role"]})
        settings = config({**LIST, "role": "users"}, {"promote": ["users:*", "orders:*"]})
        assert told(known.audited(settings)) == []


class TestSecrets:
    def test_a_column_with_a_word_of_the_list_is_told(self):
        known = Tree()
        known.method("find", reads={"users": ["id", "Usu_Senha"]}, text="SELECT Id, Usu_Senha FROM Users")
        outcome = known.audited(config({"find": "users"}))
        assert told(outcome) == [("secret-cached", "find", "Usu_Senha")]
        assert outcome.findings[0].message == (
            "Orders.find keeps Usu_Senha in this process's memory: it looks like a secret"
        )

    def test_a_star_shows_the_columns_that_the_schema_has(self):
        known = Tree()
        known.method("find", reads={"users": ["*"]})
        schema = Schema({"users": Table("users", frozenset({"id", "api_token"}))})
        assert told(known.audited(config({"find": "users"}), schema)) == [
            ("secret-cached", "find", "api_token")
        ]

    def test_a_method_may_say_so_by_its_name(self):
        known = Tree()
        known.method("get_admin_password_hash", reads={"settings": ["value"]})
        assert told(known.audited(config({"get_admin_password_hash": "users"}))) == [
            ("secret-cached", "get_admin_password_hash", "get_admin_password_hash()")
        ]

    @pytest.mark.parametrize(
        ("more", "rule", "severity"),
        [
            ({}, "secret-shared", "error"),
            ({"tier": "backplane-only", "namespaces": []}, "secret-cached", "warning"),
            ({"namespaces": ["orders"]}, "secret-cached", "warning"),
            ({"keys": {"env": "NOWHERE"}}, "secret-cached", "warning"),
            ({"waive_seal": ["users"]}, "secret-cached", "warning"),
            ({"enabled": False}, "secret-cached", "warning"),
        ],
    )
    def test_what_leaves_this_process_in_clear_is_an_error(self, more, rule, severity):
        known = Tree()
        known.method("find", reads={"users": ["password"]})
        settings = config({"find": "users"}) | {"shared": {"tier": "shared", "namespaces": ["users"]} | more}
        finding = known.audited(settings).findings[0]
        assert (finding.rule, finding.severity) == (rule, severity)


class TestFailureAnswers:
    def test_a_constant_that_is_not_listed_is_told_with_the_line(self):
        rule = {"namespace": "orders", "unless_result": [False]}
        outcome = tree(failure_answers=(failing("(None, False)"),)).audited(config({"list": rule}))
        assert told(outcome) == [("failure-answer", "list", "(None, False)")]
        assert outcome.findings[0].fix == ("unless_result: [false, [null, false]]",)

    @pytest.mark.parametrize("listed", [[[None, False]], [{"python": "(None, False)"}]])
    def test_one_that_is_listed_is_not(self, listed):
        rule = {"namespace": "orders", "unless_result": listed}
        assert told(tree(failure_answers=(failing("(None, False)"),)).audited(config({"list": rule}))) == []

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("None", "[null]"),
            ("[]", "[[]]"),
            ("{}", "[{}]"),
            ("''", "['']"),
            ("0.0", "[0.0]"),
            ("set()", "[{python: 'set()'}]"),
            ("b'x'", "[{python: 'b''x'''}]"),
            ("{1: 2}", "[{python: '{1: 2}'}]"),
        ],
    )
    def test_each_constant_is_spelt_as_the_file_wants_it(self, text, line):
        outcome = tree(failure_answers=(failing(text),)).audited(config(LIST))
        assert outcome.findings[0].fix == (f"unless_result: {line}",)

    def test_what_follows_from_the_failure_of_another_cached_read_is_told_there(self):
        known = tree(calls=["role"], failure_answers=(failing("[]", after="role"),))
        known.method("role", reads={"users": ["id"]}, failure_answers=(failing("None"),))
        assert told(known.audited(config({**LIST, "role": "users"}))) == [("failure-answer", "role", "None")]
        assert told(known.audited(config(LIST))) == [("failure-answer", "list", "[]")]

    def test_what_is_passed_on_from_another_cached_read_is_told_there(self):
        known = tree(calls=["role"], failure_answers=(failing("None"),))
        known.method("role", reads={"users": ["id"]}, failure_answers=(failing("None"),))
        assert told(known.audited(config({**LIST, "role": "users"}))) == [("failure-answer", "role", "None")]

    def test_with_a_pool_it_is_a_note(self):
        outcome = tree(failure_answers=(failing("[]"),)).audited(config(LIST, pool=POOL))
        assert [finding.severity for finding in outcome.findings] == ["note", "note"]
        assert "not kept" in outcome.findings[0].message


class TestGaps:
    def test_a_read_that_is_not_wholly_known_is_told(self):
        outcome = tree(unknowns=(unknown("the SQL comes from a file"),)).audited(config(LIST))
        assert told(outcome) == [("not-analysed", "list")]
        assert "the SQL comes from a file" in outcome.findings[0].message

    def test_a_write_that_is_not_wholly_known_is_told_once_for_all_reads(self):
        known = tree()
        known.method("count", reads={"users": []})
        known.method("run", hidden="dynamic SQL")
        outcome = known.audited(config({**LIST, "count": "users"}))
        assert told(outcome) == [("not-analysed", "run")]
        assert outcome.findings[0].fix == ('run: ["*"]',)

    def test_a_write_that_drops_everything_may_be_unknown(self):
        known = tree()
        known.method("run", hidden="dynamic SQL")
        assert told(known.audited(config(LIST, {"run": "*"}))) == []

    def test_a_procedure_that_nobody_knows_is_told_and_one_of_the_schema_is_not(self):
        from wats_accel.sql.facts import Call, Facts
        from wats_accel.sql.source.facts import SourceMethod, SourceStatement

        known = tree()
        call = Facts(kinds=("procedure",), calls=frozenset({Call("sp_clean", "procedure")}))
        statement = SourceStatement("EXEC sp_clean", call, Place("shop/orders.py", 90))
        target = f"{CLASS}.clean"
        known.methods[target] = SourceMethod(target, Place("shop/orders.py", 89), statements=(statement,))
        assert told(known.audited(config(LIST))) == [("not-analysed", "clean")]
        tables = {"orders": Table("orders"), "log": Table("log")}
        changes = Changes(access({"log": ["*"]}))
        schema = Schema(tables, routines={"sp_clean": Routine("sp_clean", Reads(), changes)})
        assert told(known.audited(config(LIST), schema)) == []

    def test_nothing_is_told_of_writes_where_nothing_is_cached(self):
        known = Tree()
        known.method("run", hidden="dynamic SQL")
        assert told(known.audited({"version": 1})) == []

    def test_a_file_that_is_no_python_is_told(self):
        outcome = tree().audited(config(LIST), unreadable=[unknown("invalid syntax", 3)])
        assert told(outcome) == [("unreadable", "shop/orders.py")]

    def test_a_missing_schema_is_a_note(self):
        assert told(tree().audited(config(LIST)), "no-schema") == [("no-schema",)]

    def test_a_table_that_the_schema_does_not_have_is_told(self):
        schema = Schema({"users": Table("users")})
        assert told(tree().audited(config(LIST), schema)) == [("unknown-table", "orders")]


class TestHabits:
    def test_a_cached_method_that_writes_is_told(self):
        known = Tree()
        known.method("get_or_create", reads={"orders": ["id"]}, sets={"log": ["at"]})
        assert told(known.audited(config({"get_or_create": "orders"}))) == [("cached-write", "get_or_create")]

    def test_a_cached_method_that_changes_its_argument_is_told(self):
        outcome = tree(changes_arguments=("user_id",)).audited(config(LIST))
        assert told(outcome) == [("changes-argument", "list", "user_id")]

    @pytest.mark.parametrize(
        ("given", "what"),
        [
            ({"is_async": True}, "a coroutine function"),
            ({"is_generator": True}, "a generator function"),
            ({"is_async": True, "is_generator": True}, "an asynchronous generator"),
            ({"decorators": ("property",)}, "a property"),
            ({"decorators": ("functools.cached_property",)}, "a cached property"),
            ({"decorators": ("contextlib.contextmanager",)}, "a contextmanager"),
        ],
    )
    def test_what_cannot_be_patched_is_told(self, given, what):
        outcome = tree(**given).audited(config(LIST))
        assert told(outcome) == [("cannot-be-patched", "list")]
        assert outcome.findings[0].message == f"Orders.list is {what}, and is left as it is"

    def test_a_generator_that_is_materialized_can(self):
        rule = {"namespace": "orders", "materialize": True}
        assert told(tree(is_generator=True).audited(config({"list": rule}))) == []


class TestPaths:
    """Attributes of ``self`` that the configuration asks for, and that the classes do not have."""

    def audited(self, tmp_path, repository: str, scope: str, **more):
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "orders.py").write_text(
            "class Database:\n"
            "    def __init__(self, url):\n        self.url = url\n"
            "    def get_cursor(self):\n        return None\n"
            f"{repository}\n"
        )
        settings = config(LIST)
        settings["repositories"][0] |= {"scope": scope, **more}
        return tree().audited(settings, folder=tmp_path)

    REPOSITORY = "class Orders:\n    def __init__(self, db: Database):\n        self.db = db\n"

    def test_a_path_that_leads_to_something_is_right(self, tmp_path):
        assert told(self.audited(tmp_path, self.REPOSITORY, "self.db.url")) == []

    def test_a_path_that_leads_nowhere_is_told_with_the_nearest(self, tmp_path):
        outcome = self.audited(tmp_path, self.REPOSITORY, "self.db.uri")
        assert told(outcome) == [("unknown-argument", "list", "'scope'", "self.db.uri")]
        assert outcome.findings[0].message == (
            "'scope' asks for 'self.db.uri', and Database has no 'uri'; did you mean 'url'?"
        )

    def test_the_first_step_counts_as_well(self, tmp_path):
        outcome = self.audited(tmp_path, self.REPOSITORY, "self.database.url")
        assert "Orders has no 'database'" in outcome.findings[0].message

    def test_a_cursor_may_be_a_method(self, tmp_path):
        assert told(self.audited(tmp_path, self.REPOSITORY, "self.db.url", cursor="self.db.get_cursor")) == []

    def test_a_cursor_that_is_not_there_is_told(self, tmp_path):
        outcome = self.audited(tmp_path, self.REPOSITORY, "self.db.url", cursor="self.db.cursor")
        assert told(outcome) == [("unknown-argument", "list", "'cursor'", "self.db.cursor")]

    @pytest.mark.parametrize(
        "repository",
        [
            "import lib\nclass Orders(lib.Base): pass",
            "class Orders:\n    def __getattr__(self, name): return 1",
            "class Orders:\n    pass\ndef set_up(known):\n    known.url = 1",
            "class Orders:\n    pass\nclass More(Orders):\n    url = 1",
        ],
        ids=["a base from elsewhere", "__getattr__", "set from outside", "a subclass"],
    )
    def test_what_may_come_from_elsewhere_is_not_told(self, tmp_path, repository):
        assert told(self.audited(tmp_path, repository, "self.url")) == []


class TestRunTime:
    """What the configuration asks for and what can then not work."""

    def audited(self, tmp_path, body: str, when: str):
        (tmp_path / "shop").mkdir()
        code = f"class Orders:\n    url = 1\n    def cancel(self):\n        {body}\n"
        (tmp_path / "shop" / "orders.py").write_text(code)
        known = Tree()
        known.method("list", reads={"orders": ["state"]}, line=90)
        known.method("cancel", sets={"orders": ["state"]}, line=3)
        rule = {"patterns": ["orders:*"], "when": when}
        return known.audited(config(LIST, {"cancel": rule}), folder=tmp_path)

    @pytest.mark.parametrize(
        ("body", "when", "found"),
        [
            ("pass", "truthy", [("never-drops", "cancel")]),
            ("return None", "truthy", [("never-drops", "cancel")]),
            ("return True", "truthy", []),
            ("pass", "always", []),
        ],
    )
    def test_a_rule_that_waits_for_what_never_comes_is_told(self, tmp_path, body, when, found):
        assert told(self.audited(tmp_path, body, when)) == found

    def test_a_driver_whose_statements_nobody_sees_is_told_where_the_sql_decides(self, tmp_path):
        (tmp_path / "app.py").write_text("import sqlite3\n")
        settings = config(LIST, invalidation="sql", sql={"assume_plain_tables": True})
        assert told(tree().audited(settings, folder=tmp_path)) == [("not-seen", "sqlite3")]
        assert told(tree().audited({**settings, "pool": POOL}, folder=tmp_path)) == []
        assert told(tree().audited(config(LIST), folder=tmp_path)) == []

    def test_where_the_sql_decides_a_schema_is_needed(self):
        outcome = tree().audited(config(LIST, invalidation="sql", pool=POOL))
        assert told(outcome) == [("no-schema",)]

    def test_where_the_sql_decides_what_is_not_known_is_a_note(self):
        known = tree(unknowns=(unknown("the SQL comes from a file"),))
        known.method("run", hidden="dynamic SQL")
        settings = config(LIST, invalidation="sql", pool=POOL, sql={"assume_plain_tables": True})
        assert told(known.audited(settings), "not-analysed") == [
            ("not-analysed", "list"),
            ("not-analysed", "run"),
        ]
        assert told(known.audited(settings)) == []


def test_a_write_whose_name_promises_a_read_is_told_as_such():
    known = tree()
    known.method("get_or_create", sets={"orders": ["state"]}, reads_by_name=True)
    (finding,) = (found for found in known.audited(config(LIST)).findings if found.rule == "uncovered")
    assert finding.message.startswith("Orders.get_or_create, whose name promises a read, changes orders")
