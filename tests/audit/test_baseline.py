"""Accepted findings: each with a reason, and told when nothing matches them any more."""

from __future__ import annotations

import pytest
from hand_made import Tree, config

from wats_accel.audit.baseline import (
    Accepted,
    baseline_text,
    beside,
    judged,
    name_beside,
    read_baseline,
)
from wats_accel.audit.finding import Finding, Setting
from wats_accel.errors import ConfigError

SECRET = Finding(
    "secret-cached", "warning", "it looks like a secret", ("app:R.list", "Con_Senha"), Setting("a.yaml")
)
CLOCK = Finding("clock", "warning", "it changes with the time of day", ("app:R.list",), Setting("a.yaml"))
REASON = "The process has it in memory anyway."


def entry(finding: Finding, reason: str = REASON) -> Accepted:
    return Accepted(finding.rule, finding.about, reason)


def test_a_finding_with_a_reason_is_accepted():
    verdict = judged([SECRET, CLOCK], [entry(SECRET)])
    assert verdict.open == (CLOCK,)
    assert [(finding, accepted.reason) for finding, accepted in verdict.accepted] == [(SECRET, REASON)]
    assert verdict.stale == ()


@pytest.mark.parametrize("reason", ["TODO", "todo: ask Ana", "  TODO", " "])
def test_an_entry_without_a_real_reason_accepts_nothing(reason):
    assert judged([SECRET], [entry(SECRET, reason)]).open == (SECRET,)


def test_an_entry_that_nothing_matches_is_stale():
    assert judged([CLOCK], [entry(SECRET)]).stale == (entry(SECRET),)


def test_another_column_is_another_finding():
    other = Finding("secret-cached", "warning", "…", ("app:R.list", "Token"), Setting("a.yaml"))
    assert judged([other], [entry(SECRET)]).open == (other,)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "a-baseline.yaml"
    odd = Finding("useless-rule", "warning", "…", ('a"b\\c', "ns:{x}:*"), Setting("a.yaml"))
    path.write_text(baseline_text([SECRET, odd], [entry(SECRET, 'He said "yes".')]))
    assert [(known.rule, known.about, known.reason) for known in read_baseline(path)] == [
        ("secret-cached", SECRET.about, 'He said "yes".'),
        ("useless-rule", odd.about, "TODO"),
    ]


def test_a_baseline_of_nothing_can_be_read(tmp_path):
    path = tmp_path / "a-baseline.yaml"
    path.write_text(baseline_text([], []))
    assert read_baseline(path) == ()


def test_every_mistake_in_a_baseline_is_told_with_its_line(tmp_path):
    path = tmp_path / "a-baseline.yaml"
    path.write_text(
        "version: 2\n"
        "acepted: []\n"
        "accepted:\n"
        "  - {rule: clock, about: [a]}\n"
        "  - {rule: clock, about: a, reason: yes it is}\n"
        "  - {about: [a], reason: yes it is, because: x}\n"
    )
    with pytest.raises(ConfigError) as caught:
        read_baseline(path)
    told = sorted((problem.line, problem.message) for problem in caught.value.problems)
    assert told == [
        (1, "expected 1"),
        (2, "unknown key; known: accepted, version"),
        (4, "an accepted finding needs a reason"),
        (5, "expected a list of texts"),
        (6, "expected the id of a rule"),
        (6, "unknown key; known: about, reason, rule"),
    ]


def test_the_baseline_of_a_configuration_stands_beside_it(tmp_path):
    config_file = str(tmp_path / "wats.yaml")
    assert beside(config_file) is None
    (tmp_path / "wats-baseline.yaml").write_text("version: 1\n")
    assert beside(config_file) == tmp_path / "wats-baseline.yaml"
    assert name_beside("<mapping>") is None


def test_a_fingerprint_outlives_edits_elsewhere():
    def fingerprints(first_line: int) -> set[str]:
        known = Tree()
        known.method("list", reads={"orders": ["id"]}, line=first_line)
        known.method("purge", deletes=["orders"], line=first_line + 50)
        outcome = known.audited(config({"list": "orders"}))
        return {finding.fingerprint for finding in outcome.findings}

    assert fingerprints(10) == fingerprints(700)
    assert len(fingerprints(10)) == 2  # the write, and the schema that is not known
