"""The loader finds everything that is wrong with a file, says where, and says what was expected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wats_accel.assembly import config_sections
from wats_accel.cli.environment import known_plugins
from wats_accel.config import schema
from wats_accel.config.fields import Section
from wats_accel.config.loader import LoadedConfig, load, peek_plugins
from wats_accel.config.models import ConfigSection, Finding, Later
from wats_accel.config.sources import mapping_document, read_document
from wats_accel.config.sql_section import SqlSection
from wats_accel.errors import ConfigError, KeyPath, Problem, format_key_path

YAML = """\
version: 3
logging: {levle: debug, format: xml}
colour: blue
cache:
  default_ttl: 5 minutes
  max_entries: -1
  namespaces: {users: {ttl: 5m}}
repositories:
  - target: shop.users
    enabled: maybe
    cached:
      get_user: users
      get_role: {namespace: usrs, copy: shallow}
      get_name: {ttl: 5m}
    invalidates:
      set_user: ["users:get_user:{id", "groups:*"]
      set_role: {patterns: ["users:*"], when: often}
  - target: not a target
"""

TOML = """\
version = 3
colour = "blue"
logging = { levle = "debug", format = "xml" }
[cache]
default_ttl = "5 minutes"
max_entries = -1
namespaces.users.ttl = "5m"

[[repositories]]
target = "shop.users"
enabled = "maybe"

[repositories.cached]
get_user = "users"
get_role = { namespace = "usrs", copy = "shallow" }
get_name = { ttl = "5m" }

[repositories.invalidates]
set_user = ["users:get_user:{id", "groups:*"]
set_role = { patterns = ["users:*"], when = "often" }

[[repositories]]
target = "not a target"
"""

KINDS = {
    "version": "expected 1",
    "logging.levle": "unknown key; did you mean 'level'?",
    "logging.format": "expected 'text' or 'json'",
    "colour": (
        "unknown key; known: allow_targets, cache, enabled, freshness, invalidation, lock, logging, plugins, "
        "pool, repositories, shared, sql and 4 more"
    ),
    "cache.default_ttl": "expected a duration such as 60s, 5m or 1h30m, or a number of seconds",
    "cache.max_entries": "expected a number greater than or equal to 0",
    "repositories[0].enabled": "expected true or false",
    "repositories[0].cached.get_role.namespace": (
        "the namespace 'usrs' is not declared in cache.namespaces; did you mean 'users'?"
    ),
    "repositories[0].cached.get_role.copy": "expected 'none', 'list', 'auto' or 'deep'",
    "repositories[0].cached.get_name.namespace": "this key is required and missing",
    "repositories[0].invalidates.set_user[0]": (
        "pattern 'users:get_user:{id': an argument is '{name}' as a whole part, got '{id'"
    ),
    "repositories[0].invalidates.set_user[1]": (
        "no cached method matches the pattern 'groups:*'; known: users:*, users:get_user:*"
    ),
    "repositories[0].invalidates.set_role.when": "expected 'always' or 'truthy'",
    "repositories[1].target": "expected a target such as 'package.module:Class' or 'package.module'",
}
YAML_LINES = [1, 2, 2, 3, 5, 6, 10, 13, 13, 14, 16, 16, 17, 18]
TOML_LINES = [1, 2, 3, 3, 5, 6, 11, 15, 15, 16, 19, 19, 20, 23]


@pytest.fixture(scope="module")
def sections() -> list[ConfigSection]:
    """Of the built-in features."""
    return config_sections(known_plugins())


@pytest.fixture
def problems_of(tmp_path: Path, sections: list[ConfigSection]) -> Any:
    """What is wrong with a file of this text."""

    def read(text: str, name: str = "accel.yaml") -> tuple[Problem, ...]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return refused(read_document(path), sections)

    return read


def refused(document: Any, sections: Iterable[ConfigSection]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(document, sections)
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [("accel.yaml", YAML, YAML_LINES), ("accel.toml", TOML, TOML_LINES)],
    ids=["YAML", "TOML"],
)
def test_all_mistakes_are_found_at_once_in_the_order_of_the_file(
    problems_of: Any, tmp_path: Path, name: str, text: str, lines: list[int]
) -> None:
    problems = problems_of(text, name)
    assert [problem.line for problem in problems] == lines
    assert {problem.file for problem in problems} == {str(tmp_path / name)}
    assert {format_key_path(problem.key_path): problem.message for problem in problems} == KINDS
    assert len(problems) == len(KINDS)


def test_a_problem_is_one_line_with_file_line_column_and_key_path(problems_of: Any, tmp_path: Path) -> None:
    problems = problems_of(YAML)
    assert str(problems[1]) == (
        f"{tmp_path / 'accel.yaml'}:2:11: logging.levle: unknown key; did you mean 'level'?"
    )
    with pytest.raises(ConfigError) as caught:
        raise ConfigError(problems)
    assert str(caught.value).splitlines() == [str(problem) for problem in problems]


REPOSITORY = "version: 1\ncache: {namespaces: {users: {}}}\nrepositories:\n  - target: shop.users\n    "


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("version: [1]\n", 1, "expected 1", id="version"),
        pytest.param("", 1, "this key is required and missing", id="an empty file"),
        pytest.param("version: 1\ncache:\n", 2, "expected a mapping", id="a section without content"),
        pytest.param("version: 1\nrepositories: {}\n", 2, "expected a list", id="no list"),
        pytest.param("version: 1\nrepositories: [3]\n", 2, "expected a mapping", id="no repository"),
        pytest.param("version: 1\ncache: {max_entries: true}\n", 2, "expected a whole number", id="number"),
        pytest.param("version: 1\nlogging: {level: loud}\n", 2, "expected 'debug', 'info'", id="level"),
        pytest.param("version: 1\nplugins: {load: [3]}\n", 2, "expected text", id="text"),
        pytest.param(REPOSITORY + "cached: {one: 3}", 5, "expected a namespace, or a mapping", id="no rule"),
        pytest.param(REPOSITORY + "cached: {1-2: users}", 5, "expected the name of a method", id="method"),
        pytest.param(REPOSITORY + "scope: self.db()", 5, "expected attributes such as", id="scope"),
        pytest.param(
            REPOSITORY + "cached: {one: {namespace: 'a b'}}",
            5,
            "expected a name without spaces",
            id="namespace",
        ),
        pytest.param(
            REPOSITORY + "cached: {one: {namespace: users, unless_result: [{python: '1 +'}]}}",
            5,
            "expected a Python literal",
            id="no literal",
        ),
        pytest.param(
            REPOSITORY + "cached: {one: {namespace: users, unless_result: [{python: '{[]: 1}'}]}}",
            5,
            "expected a Python literal",
            id="an impossible literal",
        ),
        pytest.param(REPOSITORY + "invalidates: {one: []}", 5, "expected a list of 1 or more", id="empty"),
        pytest.param(
            REPOSITORY + "invalidates: {one: 3}", 5, "expected a pattern, a list of patterns", id="no pattern"
        ),
        pytest.param(
            REPOSITORY + "invalidates: {one: users}", 5, "pattern 'users' names no method", id="name"
        ),
        pytest.param(REPOSITORY + "invalidates: {one: [3]}", 5, "expected text", id="a number as pattern"),
    ],
)
def test_each_mistake_is_said_in_plain_words(problems_of: Any, text: str, line: int, message: str) -> None:
    (problem,) = problems_of(text)
    assert problem.line == line
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("rule", "line", "path"),
    [
        pytest.param("one:\n        - users:*\n        - users", 8, "one[1]", id="a list of patterns"),
        pytest.param("one: users", 6, "one", id="one pattern"),
        pytest.param("one:\n        patterns:\n        - users", 8, "one.patterns[0]", id="the long form"),
    ],
)
def test_a_mistake_in_a_short_form_has_its_own_line(
    problems_of: Any, rule: str, line: int, path: str
) -> None:
    (problem,) = problems_of(REPOSITORY + "invalidates:\n      " + rule)
    assert problem.line == line
    assert format_key_path(problem.key_path) == f"repositories[0].invalidates.{path}"


def test_a_rule_with_a_wrong_namespace_is_one_mistake_and_not_one_for_each_pattern(problems_of: Any) -> None:
    text = REPOSITORY + "cached: {one: usres, two: {ttl: 5m}}\n    invalidates:\n"
    text += '      three: ["users:one:*", "users:two:{id}"]\n'
    assert len(problems_of(text)) == 2


def test_a_declared_namespace_may_be_unused_yet(sections: list[ConfigSection], tmp_path: Path) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text(REPOSITORY + "invalidates: {one: 'users:*'}")
    load(read_document(path), sections)


def test_a_method_has_one_rule(problems_of: Any) -> None:
    entry = "  - {target: 'shop:Users', cached: {one: users}, invalidates: {two: 'users:*'}}\n"
    problems = problems_of("version: 1\ncache: {namespaces: {users: {}}}\nrepositories:\n" + entry + entry)
    assert [problem.line for problem in problems] == [5, 5]
    assert {problem.message for problem in problems} == {
        "this method has a rule already, in an earlier entry of the same target"
    }


SECRET = "Server=db;PWD=hunter2"


@pytest.mark.parametrize(
    "value",
    [SECRET, [SECRET], {"namespace": SECRET}, {"python": SECRET}, {"patterns": [SECRET], "when": SECRET}],
    ids=str,
)
@pytest.mark.parametrize(
    "path",
    [
        ("version",),
        ("enabled",),
        ("logging",),
        ("logging", "level"),
        ("logging", "summary_every"),
        ("plugins", "load"),
        ("cache", "default_ttl"),
        ("cache", "namespaces"),
        ("cache", "max_entries"),
        ("repositories",),
        ("repositories", 0),
        ("repositories", 0, "target"),
        ("repositories", 0, "scope"),
        ("repositories", 0, "cached"),
        ("repositories", 0, "cached", "one"),
        ("repositories", 0, "cached", "one", "ttl"),
        ("repositories", 0, "cached", "one", "fold"),
        ("repositories", 0, "cached", "one", "unless_result"),
        ("repositories", 0, "invalidates", "two"),
    ],
    ids=format_key_path,
)
def test_no_error_shows_a_value(sections: list[ConfigSection], path: KeyPath, value: object) -> None:
    data: Any = {
        "version": 1,
        "logging": {},
        "plugins": {},
        "cache": {"namespaces": {"users": {}}},
        "repositories": [
            {
                "target": "shop:Users",
                "cached": {"one": {"namespace": "users"}},
                "invalidates": {"two": "users:*"},
            }
        ],
    }
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with contextlib.suppress(ConfigError):
        load(mapping_document(data), sections)
        return  # the value is allowed there
    assert "hunter2" not in "".join(map(str, refused(mapping_document(data), sections)))


def test_a_mapping_has_problems_without_lines(sections: list[ConfigSection]) -> None:
    (problem,) = refused(mapping_document({"version": 1, "cahce": {}}), sections)
    assert str(problem) == "<mapping>: cahce: unknown key; did you mean 'cache'?"
    assert (problem.line, problem.column) == (None, None)


def test_a_loaded_config_gives_the_place_of_a_key(sections: list[ConfigSection], tmp_path: Path) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text("version: 1\ncache:\n  default_ttl: 5m\n")
    config = load(read_document(path), sections)
    assert str(config.problem("too short", ("cache", "default_ttl"), target="a:B.c")) == (
        f"{path}:3:3: cache.default_ttl: a:B.c: too short"
    )


# -- what plugins contribute ------------------------------------------------------------------------------


class Audit(Section):
    """What a plugin may ask for."""

    path: str


def _raises(raw: Mapping[str, Any]) -> Iterable[Finding]:
    raise LookupError("hunter2")


def _finds(raw: Mapping[str, Any]) -> Iterable[Finding]:
    yield Finding(("audit", "path"), "it lies where everybody can read it")


def test_a_plugins_section_is_validated_like_the_engines_own() -> None:
    section = ConfigSection("audit", Audit, None)
    problems = refused(mapping_document({"version": 1, "audit": {"pth": "x"}}), [section])
    assert [problem.message for problem in problems] == [
        "this key is required and missing",
        "unknown key; did you mean 'path'?",
    ]


_made: list[str] = []


def _audit() -> Any:
    _made.append("audit")
    return Audit | None


def _audits() -> Any:
    _made.append("audits")
    return dict[str, Audit]


LATE = [
    ConfigSection("audit", Later(_audit), None),
    ConfigSection("audits", Later(_audits), {}, within="repositories"),
]


@pytest.mark.parametrize(
    ("data", "made"),
    [
        pytest.param({}, [], id="no key"),
        pytest.param({"repositories": [{"target": "a:B"}]}, [], id="no key in a repository"),
        pytest.param({"audit": {"path": "x"}}, ["audit"], id="a key"),
        pytest.param(
            {"repositories": [{"target": "a:B", "audits": {"x": {"path": "y"}}}]}, ["audits"], id="in it"
        ),
    ],
)
def test_a_type_that_is_made_late_is_made_for_a_file_that_has_its_key(
    data: Any, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_latest", None)  # models are kept as long as the sections are the same
    _made.clear()
    load(mapping_document({"version": 1, **data}), LATE)
    assert _made == made


def test_a_section_that_is_made_late_is_validated_like_any_other() -> None:
    wrong = {"audit": {"pth": "x"}, "repositories": [{"target": "a:B", "audits": {"x": {"path": 3}}}]}
    assert [problem.message for problem in refused(mapping_document({"version": 1, **wrong}), LATE)] == [
        "this key is required and missing",
        "unknown key; did you mean 'path'?",
        "expected text",
    ]
    root: Any = load(mapping_document({"version": 1, "audit": {"path": "x"}}), LATE).root
    assert root.audit == Audit(path="x")


def test_a_key_that_is_like_one_whose_type_is_made_late_is_told_so() -> None:
    (problem,) = refused(mapping_document({"version": 1, "audti": {}}), LATE)
    assert problem.message == "unknown key; did you mean 'audit'?"


def test_a_type_that_cannot_be_made_makes_the_file_unusable_and_is_named() -> None:
    section = ConfigSection("audit", Later(_unmakeable), None)
    assert load(mapping_document({"version": 1}), [section])
    (problem,) = refused(mapping_document({"version": 1, "audit": {}}), [section])
    assert str(problem) == "audit: the type of 'audit' cannot be made: LookupError"


def _unmakeable() -> Any:
    raise LookupError("hunter2")


def test_what_is_said_of_sql_is_there_whether_the_file_has_it_or_not() -> None:
    nothing = load(mapping_document({"version": 1}), []).root.sql
    assert nothing == load(mapping_document({"version": 1, "sql": {}}), []).root.sql == SqlSection()
    given = load(mapping_document({"version": 1, "sql": {"schema": "a.yaml"}}), []).root.sql
    assert given.schema_files == ["a.yaml"]


def test_a_plugins_check_adds_what_it_finds() -> None:
    section = ConfigSection("audit", Audit, None, check=_finds)
    (problem,) = refused(mapping_document({"version": 1, "audit": {"path": "/tmp"}}), [section])
    assert str(problem) == "<mapping>: audit.path: it lies where everybody can read it"


def test_one_key_has_one_problem() -> None:
    section = ConfigSection("audit", Audit, None, check=_finds)
    (problem,) = refused(mapping_document({"version": 1, "audit": {"path": 3}}), [section])
    assert problem.message == "expected text"


def test_a_check_that_raises_makes_the_file_unusable_and_is_named() -> None:
    section = ConfigSection("audit", Audit, None, check=_raises)
    (problem,) = refused(mapping_document({"version": 1, "audit": {"path": "x"}}), [section])
    assert str(problem) == "<mapping>: audit: the check of 'audit' failed: LookupError"


def test_a_check_that_stumbles_over_other_mistakes_adds_none() -> None:
    section = ConfigSection("audit", Audit, None, check=_raises)
    (problem,) = refused(mapping_document({"version": 1, "audit": {"path": 3}}), [section])
    assert problem.message == "expected text"


# -- plugins, before anything can be validated ------------------------------------------------------------


def test_the_wanted_plugins_are_known_before_the_rest_is_valid() -> None:
    document = mapping_document({"plugins": {"load": ["a.py"], "disable": ["b"]}, "nonsense": 1})
    assert peek_plugins(document).load == ["a.py"]
    assert peek_plugins(document).disable == ["b"]


@pytest.mark.parametrize("plugins", [None, 3, {"load": "a.py"}, {"laod": []}], ids=repr)
def test_a_malformed_wish_for_plugins_counts_as_none(plugins: object) -> None:
    assert peek_plugins(mapping_document({"plugins": plugins})).load == []


# -- anything at all --------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        *("version", "cache", "namespaces", "users", "repositories", "target", "cached", "invalidates"),
        *(
            "one",
            "namespace",
            "patterns",
            "ttl",
            "unless_result",
            "python",
            "scope",
            "fold",
            "key",
            "plugins",
        ),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS | st.just("users:*"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner),
    max_leaves=25,
)
RULES = st.dictionaries(WORDS, VALUES, max_size=3)
FILES = st.fixed_dictionaries(
    {"version": st.just(1)},
    optional={
        "cache": VALUES | st.fixed_dictionaries({"namespaces": VALUES}),
        "plugins": VALUES,
        "repositories": st.lists(
            VALUES
            | st.fixed_dictionaries({"target": WORDS}, optional={"cached": RULES, "invalidates": RULES}),
            max_size=3,
        ),
    },
)


@given(data=FILES | st.dictionaries(WORDS, VALUES))
@settings(max_examples=100, deadline=None)
def test_any_mapping_is_either_loaded_or_refused_with_problems(data: dict[str, Any]) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(load(mapping_document(data), SECTIONS), LoadedConfig)


SECTIONS = config_sections(known_plugins())
