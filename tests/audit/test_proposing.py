"""A proposed configuration: which reads it caches, which it leaves out, and that the audit agrees."""

from __future__ import annotations

import pytest
import yaml
from hand_made import CLASS, Tree, assembly, failing, unknown

from wats_accel.audit.audit import audit
from wats_accel.audit.proposing.as_yaml import as_yaml
from wats_accel.audit.proposing.naming import namespace_of
from wats_accel.audit.proposing.proposal import Driver, Proposal
from wats_accel.audit.proposing.proposer import Proposer
from wats_accel.sql.schema import Schema
from wats_accel.sql.source.facts import Place, SourceFacts
from wats_accel.sql.source.knowledge import Knowledge

PLACE = Place("shop/orders.py", 5)


def proposed(tree: Tree, tmp_path, **given) -> Proposal:
    """A proposal for a tree. What comes out has been loaded, and the audit has found nothing in it."""
    knowledge = Knowledge(SourceFacts(tree.methods), Schema())
    proposal = Proposer(knowledge, tmp_path, Proposal((), tree="app", **given)).propose().proposal
    text = as_yaml(proposal)
    assert yaml.safe_load(text) == proposal.as_mapping()
    assert max(map(len, text.splitlines())) <= 110
    outcome = audit(assembly(yaml.safe_load(text)), knowledge, tmp_path)
    assert [finding for finding in outcome.findings if finding.severity != "note"] == []
    return proposal


def tree() -> Tree:
    known = Tree()
    known.method("list", "user_id", reads={"orders": ["id", "state"]})
    known.method("cancel", sets={"orders": ["state"]})
    return known


def cached(proposal: Proposal) -> list[str]:
    return [read.method for read in proposal.cached]


def test_a_read_is_cached_and_each_write_that_concerns_it_has_a_rule(tmp_path):
    known = tree()
    known.method("beat", sets={"orders": ["seen_at"]})
    proposal = proposed(known, tmp_path)
    assert proposal.as_mapping() == {
        "version": 1,
        "cache": {"namespaces": {"orders": {"ttl": "10m"}}},
        "repositories": [
            {
                "target": CLASS,
                "cached": {"list": "orders"},
                "invalidates": {"cancel": ["orders:list:*"]},
            }
        ],
    }


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"is_async": True}, "it is a coroutine function"),
        ({"is_generator": True}, "it is a generator function; 'materialize: true' would cache it"),
        ({"changes_arguments": ("user_id",)}, "it changes its argument 'user_id', which a hit would not"),
        ({"unknowns": (unknown("dynamic SQL"),)}, "what it reads is not wholly known: dynamic SQL"),
    ],
)
def test_a_read_that_is_not_to_be_cached_is_left_out_with_the_reason(tmp_path, given, why):
    known = tree()
    known.method("other", "user_id", reads={"users": ["id"]}, **given)
    proposal = proposed(known, tmp_path)
    assert cached(proposal) == ["list"]
    assert [read.why_not for read in proposal.reads if read.method == "other"] == [(why,)]
    assert f"# Not cached: {why}.\n      # other: " in as_yaml(proposal)


def test_what_looks_like_a_secret_is_left_out(tmp_path):
    known = tree()
    known.method("login", reads={"users": ["password"]})
    assert cached(proposed(known, tmp_path)) == ["list"]


def test_a_read_on_a_connection_that_it_is_given_is_left_out(tmp_path):
    known = tree()
    known.method("next_number", "cursor", reads={"orders": ["id"]})
    assert cached(proposed(known, tmp_path)) == ["list"]


def test_methods_that_write_and_private_ones_are_no_candidates(tmp_path):
    known = tree()
    known.method("get_or_create", reads={"orders": ["id"]}, deletes=["log"])
    known.method("_rows", reads={"orders": ["id"]})
    known.method("__len__", reads={"orders": []})
    assert [read.method for read in proposed(known, tmp_path).reads] == ["list"]


def test_what_only_passes_a_read_on_is_no_candidate(tmp_path):
    known = tree()
    known.method("shop.panel:Panel.list", calls=["list"])
    assert [read.target for read in proposed(known, tmp_path).reads] == [f"{CLASS}.list"]


def test_a_write_that_cannot_have_a_rule_keeps_its_reads_out(tmp_path):
    known = tree()
    known.method("purge", deletes=["orders"], is_async=True)
    proposal = proposed(known, tmp_path)
    assert cached(proposal) == []
    assert "cannot be patched itself" in proposal.reads[0].why_not[0]


def test_a_write_that_is_not_wholly_known_drops_everything(tmp_path):
    known = tree()
    known.method("run", hidden="dynamic SQL")
    proposal = proposed(known, tmp_path)
    assert [(write.method, write.patterns) for write in proposal.writes] == [
        ("cancel", ("orders:list:*",)),
        ("run", ("*",)),
    ]


def test_an_answer_that_time_changes_gets_a_bound(tmp_path):
    known = Tree()
    known.method("open_now", reads={"orders": ["id"]}, clock=(PLACE,))
    rule = proposed(known, tmp_path).as_mapping()["repositories"][0]["cached"]["open_now"]
    assert rule == {"namespace": "orders", "max_age_from_clock": "60s"}


def test_failure_answers_are_not_kept(tmp_path):
    known = Tree()
    answers = (failing("(None, False)"), failing("set()"))
    known.method("role", "name", reads={"orders": ["id"]}, failure_answers=answers)
    proposal = proposed(known, tmp_path)
    assert proposal.as_mapping()["repositories"][0]["cached"]["role"]["unless_result"] == [
        [None, False],
        {"python": "set()"},
    ]
    assert "unless_result: [[null, false], {python: 'set()'}]" in as_yaml(proposal)


def test_the_more_methods_change_it_the_shorter_it_lives(tmp_path):
    known = Tree()
    for name, writers in (("still", 0), ("seldom", 2), ("often", 5), ("always", 9)):
        known.method(f"shop.{name}:{name.title()}Repository.all", reads={name: ["a"]})
        for number in range(writers):
            known.method(f"shop.{name}:{name.title()}Repository.set_{number}", sets={name: ["a"]})
    assert proposed(known, tmp_path).namespaces == {
        "always": 60.0,
        "oftens": 300.0,
        "seldoms": 600.0,
        "stills": 300.0,
    }


def test_a_read_that_lives_otherwise_than_its_namespace_says_so(tmp_path):
    known = tree()
    for number in range(5):
        known.method(f"set_{number}", sets={"items": ["a"]})
    known.method("items", reads={"items": ["a"]})
    known.method("count", reads={"orders": ["state"]})
    assert proposed(known, tmp_path).as_mapping()["repositories"][0]["cached"] == {
        "list": "orders",
        "items": {"namespace": "orders", "ttl": "5m"},
        "count": "orders",
    }


def test_scope_drivers_dialect_and_schema_are_written(tmp_path):
    proposal = proposed(
        tree(),
        tmp_path,
        scopes={CLASS: "self.db.url"},
        drivers=(Driver("pyodbc:connect"), Driver("sqlite3:connect", "they are cheap")),
        dialect="tsql",
    )
    mapping = proposal.as_mapping()
    assert mapping["repositories"][0]["scope"] == "self.db.url"
    assert mapping["pool"] == [{"connect": "pyodbc:connect"}]
    assert mapping["sql"] == {"dialect": "tsql"}
    assert "  # they are cheap\n  # - connect: sqlite3:connect\n" in as_yaml(proposal)


def test_a_class_of_which_no_scope_is_found_has_a_comment_instead(tmp_path):
    assert "    # scope: not found." in as_yaml(proposed(tree(), tmp_path))


def test_a_tree_without_reads_gives_a_configuration_of_nothing(tmp_path):
    assert proposed(Tree(), tmp_path).as_mapping() == {
        "version": 1,
        "cache": {"namespaces": {}},
        "repositories": [],
    }


def test_many_patterns_are_written_below_each_other(tmp_path):
    known = Tree()
    for name in ("purchase_orders", "customer_addresses", "delivery_notes"):
        owner = f"shop.{name}:{name.title().replace('_', '')}Repository"
        known.method(f"{owner}.list_of_everything", reads={name: ["a"], "shared": ["b"]})
        known.method(f"{owner}.something_else", reads={f"{name}_2": ["a"]})
    known.method("shop.shared:SharedRepository.clear", deletes=["shared"])
    assert '      clear:\n        - "customer_addresses:list_of_everything:*"\n' in as_yaml(
        proposed(known, tmp_path)
    )


@pytest.mark.parametrize(
    ("owner", "namespace"),
    [
        ("a.b:OrderRepository", "orders"),
        ("a.b:IndividualPermissionRepository", "individual_permissions"),
        ("a.b:CategoryDAO", "categories"),
        ("a.b:HTTPStatusRepo", "http_status"),
        ("a.b:Repository", "repositories"),
        ("a.orders", "orders"),
        ("a.order_db", "orders"),
        ("a.b:Outer.BoxStore", "box"),
    ],
)
def test_a_namespace_is_called_after_its_class_or_module(owner, namespace):
    assert namespace_of(owner) == namespace
