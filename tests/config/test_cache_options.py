"""What a file may say of the age and the size of answers, in short and in long, and what it may not say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wats_accel.assembly import assemble
from wats_accel.cache.ages import AgeRules
from wats_accel.cache.region import Region
from wats_accel.config.sources import mapping_document, read_document
from wats_accel.errors import ConfigError, Problem
from wats_accel.event_bus import EventBus
from wats_accel.testing import FakeClock

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "config" / "wats-accel.schema.json").read_text(encoding="utf-8")
)
CURSOR = "self.db.get_cursor"
SQL = "SELECT MIN(at) FROM change WHERE name = :name"


def document(
    rule: dict[str, Any] | None = None,
    namespace: dict[str, Any] | None = None,
    cache: dict[str, Any] | None = None,
    **repository: Any,
) -> dict[str, Any]:
    return {
        "version": 1,
        "cache": {"namespaces": {"users": namespace or {}}, **(cache or {})},
        "repositories": [
            {"target": "a:B", "cached": {"get": {"namespace": "users", **(rule or {})}}, **repository}
        ],
    }


def region_of(data: dict[str, Any]) -> Region:
    """The cache of the one method; the file is valid for the schema, too."""
    jsonschema.validate(data, SCHEMA)
    assembly = assemble(
        mapping_document(data),
        clock=FakeClock(),
        bus=EventBus(),
        report=lambda problem: pytest.fail(str(problem)),
    )
    (region,) = assembly.context.caches
    return region


def ages_of(data: dict[str, Any]) -> AgeRules:
    return region_of(data).rules.ages


def problems_of(data: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        region_of_invalid(data)
    return tuple(caught.value.problems)


def region_of_invalid(data: dict[str, Any]) -> None:
    assemble(mapping_document(data), clock=FakeClock(), bus=EventBus(), report=lambda problem: None)


# -- forms --------------------------------------------------------------------------------------------------


def test_nothing_is_on_by_itself() -> None:
    region = region_of(document())
    assert region.rules.ages == AgeRules()
    assert region.rules.wait_seconds == 5.0


@pytest.mark.parametrize(
    ("given", "share"),
    [("10%", 0.1), (" 12.5 % ", 0.125), (0.1, 0.1), (0, 0.0), (False, 0.0), ("0%", 0.0), ("99.9%", 0.999)],
    ids=repr,
)
@pytest.mark.parametrize("key", ["jitter", "refresh_ahead"])
def test_a_share_is_said_in_percent_or_as_a_number(key: str, given: object, share: float) -> None:
    ages = ages_of(document({key: given}))
    found = ages.jitter if key == "jitter" else ages.refresh_after
    assert found == pytest.approx(share)


@pytest.mark.parametrize("given", ["100%", "10", "-1%", "ten", 1, 80, 1.5, -0.1, True, [0.1]], ids=repr)
@pytest.mark.parametrize("key", ["jitter", "refresh_ahead"])
def test_the_whole_and_more_is_no_share(key: str, given: object) -> None:
    data = document({key: given})
    (problem,) = problems_of(data)
    assert problem.key_path == ("repositories", 0, "cached", "get", key)
    assert problem.message.startswith("expected a share below the whole, such as 80% or 0.8")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize(
    ("given", "share"),
    [("1%", 0.01), (0.01, 0.01), ("100%", 1.0), (" 100.0 % ", 1.0), (1, 1.0), (1.0, 1.0), (False, 0.0)],
    ids=repr,
)
def test_a_sample_may_be_the_whole(given: object, share: float) -> None:
    data = document({"verify": given})
    assert region_of(data).rules.verify_share == pytest.approx(share)
    jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize("given", ["101%", "200%", "-1%", "all", 2, -0.1, True], ids=repr)
def test_more_than_the_whole_is_no_sample(given: object) -> None:
    data = document({"verify": given})
    (problem,) = problems_of(data)
    assert problem.message.startswith("expected a share such as 1%, 0.01 or 100%")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize(
    ("given", "seconds"), [("30s", 30.0), (30, 30.0), (0, 0.0), (False, 0.0), ("1h", 3600.0)], ids=repr
)
def test_a_greatest_age_and_a_wait_are_durations_or_none(given: object, seconds: float) -> None:
    rules = region_of(document({"max_age_from_clock": given, "wait_timeout": given})).rules
    assert (rules.ages.max_age_seconds, rules.wait_seconds) == (seconds, seconds)


@pytest.mark.parametrize("given", [True, "soon", -1, [1]], ids=repr)
@pytest.mark.parametrize("key", ["max_age_from_clock", "wait_timeout"])
def test_anything_else_is_no_duration(key: str, given: object) -> None:
    (problem,) = problems_of(document({key: given}))
    assert problem.message.startswith("expected a duration such as 60s")


@pytest.mark.parametrize(
    ("given", "grace", "errors"),
    [
        ({"grace": "10m", "errors": ["pyodbc.Error", "a.b:C"]}, 600.0, ("pyodbc.Error", "a.b:C")),
        ({"grace": "10m", "errors": "DatabaseError"}, 600.0, ("DatabaseError",)),
        ({"grace": "10m"}, 600.0, ()),
        ("10m", 600.0, ()),
        (600, 600.0, ()),
        (False, 0.0, ()),
        (0, 0.0, ()),
        ({"grace": 0}, 0.0, ()),
    ],
    ids=repr,
)
def test_a_grace_has_a_short_and_a_long_form(given: object, grace: float, errors: tuple[str, ...]) -> None:
    ages = ages_of(document({"stale_if_error": given, "unless_result": [None]}))
    assert (ages.grace_seconds, ages.grace_errors) == (grace, errors)


@pytest.mark.parametrize("given", ["10m", {"grace": "10m"}, {"grace": "10m", "errors": []}], ids=repr)
def test_a_grace_for_which_nothing_is_a_failure_is_refused(given: object) -> None:
    (problem,) = problems_of(document({"stale_if_error": given}))
    assert problem.key_path == ("repositories", 0, "cached", "get", "stale_if_error")
    assert problem.message.startswith("nothing would count as a failure: list exception types under 'errors'")


@pytest.mark.parametrize("given", [False, 0, "0s", {"grace": 0}], ids=repr)
def test_no_grace_needs_no_failure(given: object) -> None:
    assert ages_of(document({"stale_if_error": given})).grace_seconds == 0


@pytest.mark.parametrize("given", ["10m", {"grace": "10m"}], ids=repr)
def test_a_namespaces_grace_may_be_for_some_of_its_methods(given: object) -> None:
    assert ages_of(document(namespace={"stale_if_error": given})).grace_seconds == 600


@pytest.mark.parametrize(
    ("given", "message", "key"),
    [
        ({"errors": ["E"]}, "this key is required and missing", "grace"),
        ({"grace": "soon", "errors": "E"}, "expected a duration", "grace"),
        ({"grace": 1, "errors": ["not a name"]}, "expected names of exception types", "errors"),
        ({"grace": 1, "error": ["E"]}, "unknown key; did you mean 'errors'?", "error"),
    ],
    ids=["no grace", "no duration", "no name", "misspelt"],
)
def test_what_is_wrong_in_the_long_form_is_named_by_its_key(given: object, message: str, key: str) -> None:
    found = {
        problem.key_path[-1]: problem.message for problem in problems_of(document({"stale_if_error": given}))
    }
    assert found[key].startswith(message)


# -- sizes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ("64MB", 64_000_000),
        ("512KB", 512_000),
        ("1GiB", 2**30),
        ("1.5 kib", 1536),
        ("2g", 2 * 10**9),
        ("100", 100),
        ("100B", 100),
        (100, 100),
        (0, 0),
    ],
    ids=repr,
)
def test_a_size_is_said_in_bytes_or_with_a_unit(given: object, size: int) -> None:
    assert bytes_of(document(cache={"max_bytes": given})) == size
    assert bytes_of(document(namespace={"max_bytes": given}, cache={"max_bytes": "7GB"})) == size


def bytes_of(data: dict[str, Any]) -> int:
    jsonschema.validate(data, SCHEMA)
    assembly = assemble(
        mapping_document(data), clock=FakeClock(), bus=EventBus(), report=lambda problem: None
    )
    return assembly.context.caches.namespace("users").max_bytes


@pytest.mark.parametrize("given", ["64 megabytes", "MB", "", -1, True, 1.5, ["1MB"], "9" * 400], ids=repr)
def test_anything_else_is_no_size(given: object) -> None:
    (problem,) = problems_of(document(cache={"max_bytes": given}))
    assert problem.key_path == ("cache", "max_bytes")
    assert problem.message.startswith("expected a size such as 64MB, 512KB or 1GiB")


# -- whose policy counts ------------------------------------------------------------------------------------

NAMESPACE = {
    "jitter": 0.1,
    "refresh_ahead": 0.8,
    "max_age_from_clock": 30,
    "wait_timeout": 3,
    "stale_if_error": {"grace": 600, "errors": ["E"]},
}
OFF = dict.fromkeys(NAMESPACE, False)


def policies_of(data: dict[str, Any]) -> tuple[object, ...]:
    rules = region_of(data).rules
    ages = rules.ages
    return (
        ages.jitter,
        ages.refresh_after,
        ages.max_age_seconds,
        rules.wait_seconds,
        ages.grace_seconds,
        ages.grace_errors,
    )


def test_a_namespaces_policies_are_its_methods() -> None:
    assert policies_of(document(namespace=NAMESPACE)) == (0.1, 0.8, 30, 3, 600, ("E",))


def test_a_methods_own_beat_them_key_by_key() -> None:
    assert policies_of(document({"jitter": "20%", "wait_timeout": 1}, NAMESPACE)) == (
        (0.2, 0.8, 30, 1, 600, ("E",))
    )
    own = {"stale_if_error": {"grace": 5, "errors": ["F"]}}
    assert policies_of(document(own, NAMESPACE))[-2:] == (5, ("F",))


def test_false_switches_each_of_them_off() -> None:
    assert policies_of(document(OFF, NAMESPACE)) == (0, 0, 0, 0, 0, ())


def test_a_wait_may_be_said_for_all() -> None:
    assert region_of(document(cache={"wait_timeout": "2s"})).rules.wait_seconds == 2
    assert (
        region_of(document(namespace={"wait_timeout": 0}, cache={"wait_timeout": 2})).rules.wait_seconds == 0
    )


# -- valid_until --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (SQL, "SQL"),
        ({"sql": SQL}, "SQL"),
        ({"sql": SQL, "cursor": "self.cursor"}, "SQL"),
        ("app.rules:next_change", "app.rules:next_change"),
        ({"function": "app.rules:Class.next_change"}, "app.rules:Class.next_change"),
    ],
    ids=repr,
)
def test_a_moment_comes_from_sql_or_from_a_function(given: object, told: str) -> None:
    assert ages_of(document({"valid_until": given}, cursor=CURSOR)).valid_until == told


@pytest.mark.parametrize("given", ["app.rules", "SELECT(1)", "a:b:c", "", "app.rules:"], ids=repr)
def test_one_word_is_a_function_or_wrong(given: str) -> None:
    (problem,) = problems_of(document({"valid_until": given}, cursor=CURSOR))
    assert problem.key_path == ("repositories", 0, "cached", "get", "valid_until")
    assert problem.message == "expected SQL, or a function such as 'package.module:function'"


@pytest.mark.parametrize("given", [{}, {"sql": SQL, "function": "a:b"}, {"cursor": CURSOR}], ids=repr)
def test_it_comes_from_one_of_them(given: object) -> None:
    (problem,) = problems_of(document({"valid_until": given}, cursor=CURSOR))
    assert problem.message == "expected either 'sql' or 'function'"


@pytest.mark.parametrize("given", [3, [SQL], True], ids=repr)
def test_it_is_no_number_and_no_list(given: object) -> None:
    (problem,) = problems_of(document({"valid_until": given}, cursor=CURSOR))
    assert problem.message == "expected SQL, a function, or a mapping"


@pytest.mark.parametrize("given", [SQL, {"sql": SQL}], ids=["short", "long"])
def test_sql_without_a_cursor_is_refused_with_a_hint_and_its_place(tmp_path: Path, given: object) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(json.dumps(document({"valid_until": given}), indent=2), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        assemble(read_document(path), clock=FakeClock(), bus=EventBus(), report=lambda problem: None)
    (problem,) = caught.value.problems
    assert problem.key_path[-1] == "valid_until"
    assert '"valid_until"' in path.read_text(encoding="utf-8").splitlines()[(problem.line or 0) - 1]
    assert "say 'cursor: self.db.get_cursor' in this repository" in problem.message


@pytest.mark.parametrize(
    "ways",
    [
        lambda given: document({"valid_until": given}, cursor=CURSOR),
        lambda given: document({"valid_until": {"sql": given, "cursor": CURSOR}}),
    ],
    ids=["of the repository", "of the rule"],
)
def test_a_cursor_may_be_said_in_either_place(ways: Callable[[str], dict[str, Any]]) -> None:
    assert ages_of(ways(SQL)).valid_until == "SQL"


@pytest.mark.parametrize("given", ["self.db.get_cursor()", "self..db", "", "1self"], ids=repr)
def test_a_cursor_is_an_attribute(given: str) -> None:
    assert any(
        "expected an attribute such as" in problem.message for problem in problems_of(document(cursor=given))
    )


def test_a_function_needs_no_cursor() -> None:
    assert ages_of(document({"valid_until": "a:b"})).valid_until == "a:b"
