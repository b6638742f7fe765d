"""A plan groups rules by target and orders them by layer; nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wats_accel.patching.plan import Layer, PatchPlan, PatchSpec
from wats_accel.targets import Target


def _wrap(call: Any, info: Any) -> Any:
    return call


TARGETS = [Target(module, path) for module in ("one", "two") for path in ("A.m", "A.n", "f")]
specs = st.builds(
    PatchSpec,
    st.sampled_from(TARGETS),
    st.sampled_from(Layer),
    st.just(_wrap),
    key_path=st.tuples(st.integers()),
)


@given(st.lists(specs))
def test_every_rule_stands_once_under_its_target_and_the_inner_layers_come_first(
    rules: list[PatchSpec],
) -> None:
    plan = PatchPlan.of(rules)
    assert len(plan) == len({rule.target for rule in rules})
    assert [patch.target for patch in plan] == list(dict.fromkeys(rule.target for rule in rules))
    for patch in plan:
        own = [rule for rule in rules if rule.target == patch.target]
        assert patch.specs == tuple(sorted(own, key=lambda rule: rule.layer))


@given(st.lists(specs))
def test_by_module_gives_every_patch_to_its_module(rules: list[PatchSpec]) -> None:
    plan = PatchPlan.of(rules)
    modules = plan.by_module()
    assert list(modules) == list(dict.fromkeys(rule.target.module for rule in rules))
    assert all(patch.target.module == module for module, patches in modules.items() for patch in patches)
    assert sum(map(len, modules.values())) == len(plan)


def test_a_rule_does_nothing_when_left_out_unless_it_says_so() -> None:
    rule = PatchSpec(TARGETS[0], Layer.CACHE, _wrap)
    rule.on_left_out("why")
    assert (rule.key_path, rule.accepts_generators) == ((), False)


def test_an_empty_plan_is_empty() -> None:
    assert (len(PatchPlan()), list(PatchPlan()), PatchPlan().by_module()) == (0, [], {})
