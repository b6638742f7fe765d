"""What is made from the answers of a method that is off, or was left out, gets old by its writes, too."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from wats_accel.testing import accelerated

MODULE = "app_with_an_inner_method"
Rules = dict[str, Any]


class Notes:
    """A page that is made from a role."""

    def __init__(self) -> None:
        self.current = "admin"
        self.runs = 0

    def role(self) -> str:
        return self.current

    def page(self) -> str:
        self.runs += 1
        return f"<{self.role()}>"

    def other(self) -> int:
        self.runs += 1
        return self.runs

    def set_role(self, role: str) -> bool:
        self.current = role
        return True

    def set_other(self) -> bool:
        return True


RULES: Rules = {
    "version": 1,
    "cache": {"namespaces": {"roles": {}, "pages": {}, "others": {}}},
    "repositories": [
        {"target": f"{MODULE}:Notes", "cached": {"role": "roles", "page": "pages", "other": "others"}},
        {
            "target": f"{MODULE}:Notes",
            "invalidates": {"set_role": ["roles:*"], "set_other": ["others:*"]},
        },
    ],
}


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    module: Any = ModuleType(MODULE)
    module.Notes = type("Notes", (Notes,), dict(vars(Notes)))
    monkeypatch.setitem(sys.modules, MODULE, module)
    return module.Notes()  # type: ignore[no-any-return]


def namespace_off(rules: Rules) -> None:
    rules["cache"]["namespaces"]["roles"] = {"enabled": False}


def rule_off(rules: Rules) -> None:
    rules["repositories"][0]["cached"]["role"] = {"namespace": "roles", "enabled": False}


def class_off(rules: Rules) -> None:
    cached = rules["repositories"][0]["cached"]
    roles = {"target": f"{MODULE}:Notes", "enabled": False, "cached": {"role": cached.pop("role")}}
    rules["repositories"].append(roles)


def cannot_be_patched(rules: Rules) -> None:
    rules["repositories"][0]["cached"]["role"] = {"namespace": "roles", "fold": "not_there"}


each_way = pytest.mark.parametrize("leave_out", [namespace_off, rule_off, class_off, cannot_be_patched])


def check(notes: Notes, role: str) -> None:
    assert notes.page() == notes.page() == f"<{notes.current}>"
    assert notes.set_role(role)
    assert notes.page() == f"<{role}>"


@each_way
def test_what_is_made_from_it_goes_by_its_writes(notes: Notes, leave_out: Callable[[Rules], None]) -> None:
    rules = copy.deepcopy(RULES)
    leave_out(rules)
    with accelerated(rules, strict=False):
        check(notes, "guest")


@each_way
def test_so_it_does_when_that_is_left_out_by_a_reload(
    notes: Notes, leave_out: Callable[[Rules], None]
) -> None:
    rules = copy.deepcopy(RULES)
    with accelerated(rules, strict=False) as accelerator:
        check(notes, "guest")
        leave_out(rules)
        assert accelerator.reload()
        check(notes, "admin")
        rules.update(copy.deepcopy(RULES))
        assert accelerator.reload()
        check(notes, "root")


def test_other_writes_drop_what_they_name_and_no_more(notes: Notes) -> None:
    rules = copy.deepcopy(RULES)
    rule_off(rules)
    with accelerated(rules):
        before = notes.page(), notes.other()
        runs = notes.runs
        notes.set_other()
        assert (notes.page(), notes.runs) == (before[0], runs)


def test_a_write_that_names_it_and_is_off_itself_keeps_what_is_made_from_it_from_being_cached(
    notes: Notes,
) -> None:
    rules = copy.deepcopy(RULES)
    rule_off(rules)
    rules["repositories"][1]["invalidates"]["set_role"] = {"patterns": ["roles:*"], "enabled": False}
    with accelerated(rules, strict=False):
        check(notes, "guest")


def test_a_method_that_is_not_there_widens_no_write(notes: Notes) -> None:
    rules = copy.deepcopy(RULES)
    rules["repositories"][0]["cached"]["gone"] = "roles"
    with accelerated(rules, strict=False):
        notes.other()
        runs = notes.runs
        notes.set_role("guest")
        assert (notes.other(), notes.runs) == (runs, runs)
