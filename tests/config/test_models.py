"""The engine's own sections: what each kind of value may be, and what is said when it is not."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from wats_accel.config.fields import AttributePaths, Duration, MethodName, OneOrSeveral, TargetText
from wats_accel.config.models import LoggingSection, RepositorySection, RootSection


def refusal(kind: object, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("given", "seconds"), [("60s", 60.0), ("1h30m", 5400.0), (0, 0.0), (2.5, 2.5)], ids=repr
)
def test_a_duration_is_seconds(given: object, seconds: float) -> None:
    assert TypeAdapter(Duration).validate_python(given) == seconds


@pytest.mark.parametrize("given", [True, "soon", -1, None, [60]], ids=repr)
def test_what_is_no_duration_is_refused_with_what_was_expected(given: object) -> None:
    assert "expected a duration such as 60s" in refusal(Duration, given)


@pytest.mark.parametrize(("given", "texts"), [("a", ["a"]), (["a", "b"], ["a", "b"]), ([], [])], ids=repr)
def test_one_text_may_stand_for_a_list_of_one(given: object, texts: list[str]) -> None:
    assert TypeAdapter(OneOrSeveral).validate_python(given) == texts


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("package.module:Class", "package.module:Class"),
        ("module", "module"),
        (" module:Outer.Inner ", "module:Outer.Inner"),
    ],
)
def test_a_target_is_read_without_the_spaces_around_it(given: str, read: str) -> None:
    assert TypeAdapter(TargetText).validate_python(given) == read


@pytest.mark.parametrize("given", ["", "no target", "a:", "a:B C", "a/b.py:C", "secret;PWD=hunter2"])
def test_what_is_no_target_is_refused_and_not_shown(given: str) -> None:
    told = refusal(TargetText, given)
    assert told == "Value error, expected a target such as 'package.module:Class' or 'package.module'"


@pytest.mark.parametrize("given", ["select_all", "größe"])
def test_a_method_has_a_python_name(given: str) -> None:
    assert TypeAdapter(MethodName).validate_python(given) == given


@pytest.mark.parametrize("given", ["", "select-all", "Class.method", "class", "a b"])
def test_what_cannot_be_a_methods_name_is_refused(given: str) -> None:
    assert "expected the name of a method" in refusal(MethodName, given)


@pytest.mark.parametrize("given", ["self", "self.db.url", ["self.db.url", "self.account"]], ids=repr)
def test_attribute_paths_are_dotted_names(given: object) -> None:
    assert TypeAdapter(AttributePaths).validate_python(given)


@pytest.mark.parametrize(
    "given", ["", "self..db", "self.db.", "self.class", "self.db()", "self.x or exit()"], ids=repr
)
def test_nothing_else_is_an_attribute_path(given: str) -> None:
    # Paths are compiled into code: an expression must never get there.
    assert "expected attributes such as" in refusal(AttributePaths, given)


def test_a_loaded_section_does_not_change() -> None:
    section = LoggingSection(summary_every="5m")
    assert section.summary_every == 300.0
    with pytest.raises(ValidationError):
        section.format = "json"


@pytest.mark.parametrize("given", ["yes", "false", 1, 0, None], ids=repr)
def test_only_true_and_false_switch(given: object) -> None:
    with pytest.raises(ValidationError):
        RootSection.model_validate({"version": 1, "enabled": given})


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError):
        RepositorySection.model_validate({"target": "a:B", "scopes": "self.db"})


def test_everything_but_the_version_has_a_default() -> None:
    root = RootSection.model_validate({"version": 1})
    assert (root.enabled, root.strict) == (True, False)
    assert (root.logging.level, root.logging.format, root.logging.summary_every) == (None, "text", 0.0)
    assert (root.plugins.load, root.plugins.disable) == ([], [])
