"""The forms in which findings are told: text, JSON, GitHub's commands, SARIF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hand_made import CLASS, Tree, config
from jsonschema import Draft7Validator

from wats_accel.audit.as_github import as_github
from wats_accel.audit.as_json import as_json
from wats_accel.audit.as_sarif import as_sarif
from wats_accel.audit.as_text import as_text
from wats_accel.audit.audit import Outcome
from wats_accel.audit.baseline import Accepted, Judged, judged
from wats_accel.audit.finding import Evidence, Finding, Setting, in_order, is_at_least
from wats_accel.audit.rules import RULES
from wats_accel.sql.source.facts import Place

ODD = Finding(
    "uncovered",
    "error",
    "100% of it,\r\nat once: now",
    ("a", "b"),
    Setting("conf/a:b,c.yaml", ("repositories", 0, "cached", "list"), 7, 3),
    (Evidence("the write", Place("app/a b.py", 3), "UPDATE t\nSET a = 1"),),
    ("drop: [x]",),
    ("repositories", 0, "invalidates"),
)

# What SARIF 2.1.0 demands of the parts that are used here.
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
_LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "id": {"type": "integer", "minimum": -1},
        "message": _TEXT,
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {"required": ["uri"], "properties": {"uri": {"pattern": r"^[^ \\]+$"}}},
                "region": {
                    "additionalProperties": False,
                    "minProperties": 1,
                    "properties": {
                        "startLine": {"type": "integer", "minimum": 1},
                        "startColumn": {"type": "integer", "minimum": 1},
                    },
                },
            },
        },
    },
}
_RESULT = {
    "type": "object",
    "required": ["message", "ruleId", "ruleIndex", "level", "locations", "partialFingerprints"],
    "properties": {
        "message": _TEXT,
        "level": {"enum": ["none", "note", "warning", "error"]},
        "locations": {"type": "array", "minItems": 1, "items": _LOCATION},
        "relatedLocations": {"type": "array", "uniqueItems": True, "items": _LOCATION},
        "suppressions": {
            "type": "array",
            "items": {"required": ["kind"], "properties": {"kind": {"enum": ["inSource", "external"]}}},
        },
    },
}
_RULE = {"required": ["id"], "properties": {"shortDescription": _TEXT, "help": _TEXT}}
_DRIVER = {
    "required": ["name"],
    "properties": {"rules": {"type": "array", "uniqueItems": True, "items": _RULE}},
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "$schema": {"type": "string"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"required": ["driver"], "properties": {"driver": _DRIVER}},
                    "results": {"type": "array", "items": _RESULT},
                },
            },
        },
    },
}


@pytest.fixture
def outcome() -> Outcome:
    """Two writes that drop nothing, one trusted pair, and a note."""
    known = Tree()
    known.method("list", "user_id", reads={"orders": ["id", "state"]}, text="SELECT id, state FROM Orders")
    known.method("cancel", deletes=["orders"], text="DELETE FROM Orders")
    known.method("pay", "user_id", sets={"orders": ["state"]})
    return known.audited(config({"list": "orders"}, {"pay": "orders:list:{user_id}"}))


def odd(tmp_path: Path) -> tuple[Outcome, Judged]:
    return Outcome((ODD,), (), tmp_path, {"cached reads": 1}), judged([ODD], [])


def test_text_shows_place_message_statements_and_the_line(outcome):
    assert as_text(outcome, judged(outcome.findings, [])) == (
        "<mapping>: repositories[0].cached.list: error: Orders.cancel changes Orders, which the cached "
        "Orders.list reads, and no rule drops it [uncovered]\n"
        "  the write: nowhere/shop/orders.py:21: DELETE FROM Orders\n"
        "  the read: nowhere/shop/orders.py:11: SELECT id, state FROM Orders\n"
        "  under repositories[0].invalidates write:\n"
        '    cancel: ["orders:list:*"]\n'
        "\n"
        "<mapping>: note: no schema is known: cascades, triggers and views of the database are not seen "
        "[no-schema]\n"
        "\n"
        "1 cached reads, 1 invalidating writes, 3 methods, 3 statements: 1 error, 0 warnings, 1 note\n"
    )


def test_text_tells_stale_entries_and_with_verbose_what_is_accepted_and_trusted(outcome):
    error = outcome.findings[0]
    baseline = [
        Accepted(error.rule, error.about, "It is a test.", "b.yaml", 3),
        Accepted("clock", ("gone",), "It was one.", "b.yaml", 6),
    ]
    told = as_text(outcome, judged(outcome.findings, baseline), verbose=True)
    assert "b.yaml:6: no finding matches this entry any more; take it out: clock (gone)\n" in told
    assert "accepted: Orders.cancel changes Orders" in told
    assert "  because: It is a test.\n" in told
    assert "trusted: Orders.pay drops of Orders.list only what orders:list:{user_id} picks out" in told
    assert told.endswith(": 0 errors, 0 warnings, 1 note; 1 accepted\n")


def test_a_line_that_serves_several_findings_is_shown_with_each(tmp_path):
    known = Tree()
    known.method("list", reads={"orders": ["id"]})
    known.method("count", reads={"orders": []})
    known.method("purge", deletes=["orders"])
    outcome = known.audited(config({"list": "orders", "count": "orders"}))
    assert as_text(outcome, judged(outcome.findings, [])).count('purge: ["orders:*"]') == 2


def test_of_a_long_statement_both_ends_are_shown_and_all_of_it_on_request(tmp_path):
    text = f"SELECT {', '.join(f'column_{number}' for number in range(60))} FROM orders"
    known = Tree()
    known.method("list", reads={"orders": ["id"]}, text=text)
    known.method("purge", deletes=["orders"])
    outcome = known.audited(config({"list": "orders"}))
    judgement = judged(outcome.findings, [])
    short, whole = as_text(outcome, judgement), as_text(outcome, judgement, verbose=True)
    assert text in whole
    assert text not in short
    assert f"{text[:100].rstrip()} … {text[-100:].lstrip()}" in short


def test_json_has_everything_by_name(outcome):
    error = outcome.findings[0]
    document = json.loads(
        as_json(outcome, judged(outcome.findings, [Accepted("clock", ("gone",), "It was one.", "b.yaml", 6)]))
    )
    assert document["figures"] == {
        "cached reads": 1,
        "invalidating writes": 1,
        "methods": 3,
        "statements": 3,
    }
    first = document["findings"][0]
    assert (first["rule"], first["severity"], first["key"]) == (
        "uncovered",
        "error",
        "repositories[0].cached.list",
    )
    assert first["fingerprint"] == error.fingerprint
    assert first["fix"] == {"under": "repositories[0].invalidates", "lines": ['cancel: ["orders:list:*"]']}
    assert first["evidence"][0] == {
        "label": "the write",
        "file": "nowhere/shop/orders.py",
        "line": 21,
        "text": "DELETE FROM Orders",
    }
    assert document["stale"] == [{"rule": "clock", "about": ["gone"], "file": "b.yaml", "line": 6}]
    assert document["trusted"] == [{"write": f"{CLASS}.pay", "read": f"{CLASS}.list"}]


def test_github_commands_are_one_line_each_and_escaped(tmp_path):
    line = as_github(*odd(tmp_path))
    assert line.count("\n") == 1
    where, _, text = line.removeprefix("::error ").partition("::")
    assert where == ("file=conf/a%3Ab%2Cc.yaml,line=7,col=3,title=A write that drops too little (uncovered)")
    assert text.startswith("100%25 of it,%0D%0Aat once: now%0Athe write: ")
    assert text.endswith("UPDATE t%0ASET a = 1%0Aunder repositories[0].invalidates write:%0Adrop: [x]\n")


def test_github_tells_notes_as_notices(outcome):
    lines = as_github(outcome, judged(outcome.findings, [])).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::notice"]


def test_github_tells_stale_entries(outcome):
    verdict = judged((), [Accepted("clock", ("gone",), "It was one.", "b.yaml", 6)])
    assert as_github(outcome, verdict) == (
        "::notice file=b.yaml,line=6,title=A stale baseline entry::no finding matches clock (gone) any more\n"
    )


def test_sarif_has_what_the_format_demands(outcome, tmp_path):
    error = outcome.findings[0]
    accepted = judged(outcome.findings, [Accepted(error.rule, error.about, "It is a test.")])
    for told in (as_sarif(outcome, accepted, version="1.2"), as_sarif(*odd(tmp_path), version="1.2")):
        Draft7Validator(SARIF).validate(json.loads(told))


def test_sarif_names_each_rule_once_and_refers_to_it(outcome):
    run = json.loads(as_sarif(outcome, judged(outcome.findings, []), version="1.2"))["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == list(RULES)
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_sarif_suppresses_what_is_accepted(outcome):
    error = outcome.findings[0]
    verdict = judged(outcome.findings, [Accepted(error.rule, error.about, "It is a test.")])
    results = json.loads(as_sarif(outcome, verdict, version="1.2"))["runs"][0]["results"]
    assert [result.get("suppressions") for result in results] == [
        None,
        [{"kind": "external", "justification": "It is a test."}],
    ]


def test_sarif_places_are_relative_to_where_the_command_was_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = json.loads(as_sarif(*odd(tmp_path), version="1.2"))["runs"][0]["results"][0]
    place = result["relatedLocations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "app/a%20b.py"}, "region": {"startLine": 3}}


def test_findings_are_in_the_same_order_each_time(outcome):
    findings = list(outcome.findings)
    assert in_order(findings[::-1]) == in_order(findings)


@pytest.mark.parametrize(
    ("severity", "limit", "is_reached"),
    [("error", "warning", True), ("warning", "warning", True), ("note", "warning", False)],
)
def test_a_severity_reaches_a_limit_that_is_as_grave_or_less(severity, limit, is_reached):
    assert is_at_least(severity, limit) is is_reached
