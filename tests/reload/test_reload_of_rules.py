"""Each kind of change takes effect by a reload, and what it does not concern stays as it is."""

from __future__ import annotations

import copy
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import accel_shop
import pytest
from accel_shop import UserRepository, config, is_patched

from wats_accel.cache.region import Region
from wats_accel.complaints import Complaints
from wats_accel.config.documents import Document
from wats_accel.errors import ConfigError
from wats_accel.extension import CacheSuspended, ConfigRejected, ConfigReloaded, Event
from wats_accel.patching import standing
from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock, accelerated


class Bench:
    """An accelerator over a mapping that the test changes."""

    def __init__(self, accelerator: Accelerator, rules: dict[str, Any], clock: FakeClock) -> None:
        self.accelerator = accelerator
        self.rules = rules
        self.clock = clock
        self.repository = UserRepository()
        self.repository.db.users["ada"] = "admin"
        self.events: list[Event] = []
        for kind in (ConfigReloaded, ConfigRejected, CacheSuspended):
            accelerator._bus.subscribe(kind, self.events.append)

    @property
    def repository_rules(self) -> dict[str, Any]:
        rules: dict[str, Any] = self.rules["repositories"][0]
        return rules

    def queries(self, *calls: Callable[[], object]) -> int:
        """How many queries these calls need."""
        before = self.repository.db.queries
        for call in calls:
            call()
        return self.repository.db.queries - before

    def get(self) -> str | None:
        return self.repository.get_user("ada")

    def listed(self) -> list[str]:
        return self.repository.list_users()

    def counts(self) -> tuple[int, int, int, int]:
        """Of the last reload: added, changed, removed, kept."""
        last = self.events[-1]
        assert isinstance(last, ConfigReloaded)
        return last.added, last.changed, last.removed, last.kept


@pytest.fixture
def bench() -> Iterator[Bench]:
    rules, clock = config(), FakeClock()
    with accelerated(rules, clock=clock, strict=False) as accelerator:
        made = Bench(accelerator, rules, clock)
        made.get()
        made.listed()
        yield made
    assert not is_patched()


def test_what_has_not_changed_is_not_reloaded(bench: Bench) -> None:
    held = dict(vars(UserRepository))
    assert bench.accelerator.reload() is False
    assert (dict(vars(UserRepository)), bench.events) == (held, [])


def test_entries_whose_rule_did_not_change_survive(bench: Bench) -> None:
    held = dict(vars(UserRepository))
    bench.repository_rules["cached"]["list_users"] = {"namespace": "lists", "ttl": "30s"}
    assert bench.accelerator.reload() is True
    assert bench.queries(bench.get) == 0
    assert bench.queries(bench.listed, bench.listed) == 1
    changed = {name for name, member in vars(UserRepository).items() if held[name] is not member}
    assert (changed, bench.counts()) == ({"list_users"}, (0, 1, 0, 3))


def test_a_cache_that_is_empty_stays_as_well(bench: Bench) -> None:
    bench.accelerator.invalidate("*")
    bench.repository_rules["cached"]["list_users"] = {"namespace": "lists", "ttl": "30s"}
    assert bench.accelerator.reload()
    assert bench.counts() == (0, 1, 0, 3)


def test_another_ttl_counts_from_the_reload_on(bench: Bench) -> None:
    bench.repository_rules["cached"]["get_user"] = {"namespace": "users", "ttl": "10s"}
    assert bench.accelerator.reload()
    bench.get()
    bench.clock.advance(11)
    assert bench.queries(bench.get) == 1


def test_another_default_ttl_changes_the_methods_that_have_none_of_their_own(bench: Bench) -> None:
    bench.rules["cache"]["default_ttl"] = "1m"
    assert bench.accelerator.reload()
    assert bench.queries(bench.get, bench.get, bench.listed) == 1
    assert bench.counts() == (0, 1, 0, 3)


def test_a_read_is_added(bench: Bench) -> None:
    del bench.repository_rules["cached"]["get_user"]
    bench.repository_rules["invalidates"]["set_user"] = ["lists:*"]
    assert bench.accelerator.reload()
    assert bench.queries(bench.get, bench.get) == 2
    bench.repository_rules["cached"]["get_user"] = "users"
    bench.repository_rules["invalidates"]["set_user"] = ["users:get_user:{name}", "lists:*"]
    assert bench.accelerator.reload()
    assert bench.counts() == (1, 1, 0, 2)
    assert bench.queries(bench.get, bench.get) == 1
    bench.repository.set_user("ada", "guest")
    assert bench.get() == "guest"


def test_a_read_is_removed_and_given_back(bench: Bench) -> None:
    held = bench.repository.get_user
    del bench.repository_rules["cached"]["get_user"]
    bench.repository_rules["invalidates"]["set_user"] = ["lists:*"]
    assert bench.accelerator.reload()
    assert UserRepository.get_user is accel_shop.ORIGINAL["get_user"]
    assert bench.queries(bench.get, bench.get, lambda: held("ada"), lambda: held("ada")) == 4


def test_a_write_is_added_and_what_it_drops_begins_from_empty(bench: Bench) -> None:
    rule = bench.repository_rules["invalidates"].pop("set_user")
    assert bench.accelerator.reload()
    bench.get()
    bench.repository.set_user("ada", "guest")
    assert bench.get() == "admin"  # so the rules say
    bench.repository_rules["invalidates"]["set_user"] = rule
    assert bench.accelerator.reload()
    assert bench.get() == "guest"
    bench.repository.set_user("ada", "root")
    assert bench.get() == "root"


def test_a_changed_write_drops_what_it_says_now(bench: Bench) -> None:
    bench.repository_rules["invalidates"]["set_user"] = ["lists:*"]
    assert bench.accelerator.reload()
    bench.get()
    bench.repository.set_user("ada", "guest")
    assert bench.get() == "admin"
    bench.repository_rules["invalidates"]["set_user"] = ["users:*"]
    assert bench.accelerator.reload()
    assert bench.get() == "guest"
    bench.repository.set_user("ada", "root")
    assert bench.get() == "root"


def test_a_write_that_somebody_holds_from_before_drops_what_the_rules_in_effect_say(bench: Bench) -> None:
    bench.repository_rules["invalidates"]["set_user"] = ["lists:*"]
    assert bench.accelerator.reload()
    held = bench.repository.set_user
    bench.repository_rules["invalidates"]["set_user"] = ["users:get_user:{name}", "lists:*"]
    assert bench.accelerator.reload()
    bench.get()
    held("ada", "guest")
    assert bench.get() == "guest"


def test_a_read_that_somebody_holds_from_before_runs_the_method(bench: Bench) -> None:
    held = bench.repository.get_user
    bench.repository_rules["cached"]["get_user"] = {"namespace": "users", "ttl": "10s"}
    assert bench.accelerator.reload()
    assert bench.queries(lambda: held("ada"), lambda: held("ada")) == 2


def test_a_namespace_gets_other_bounds_and_keeps_what_it_has(bench: Bench) -> None:
    bench.repository.get_user("bob")
    bench.rules["cache"]["namespaces"]["users"] = {"max_entries": 1}
    assert bench.accelerator.reload()
    assert bench.queries(bench.get) == 0
    bench.repository.get_user("carol")
    assert bench.accelerator.stats().namespaces["users"].size == 1


def test_a_bound_on_bytes_begins_from_empty_since_nobody_has_measured_what_is_there(bench: Bench) -> None:
    bench.rules["cache"]["namespaces"]["users"] = {"max_bytes": "1MB"}
    assert bench.accelerator.reload()
    assert bench.queries(bench.get, bench.get) == 1


def test_another_namespace_for_a_method_is_another_cache(bench: Bench) -> None:
    bench.repository_rules["cached"]["get_user"] = "lists"
    bench.repository_rules["invalidates"]["set_user"] = ["lists:*"]
    assert bench.accelerator.reload()
    assert bench.queries(bench.get, bench.get) == 1
    assert sorted(bench.accelerator.stats().namespaces) == ["lists"]


@pytest.mark.parametrize(
    "switch_off",
    [
        lambda rules: rules.update(enabled=False),
        lambda rules: rules["cache"].update(enabled=False),
        lambda rules: rules["cache"]["namespaces"]["users"].update(enabled=False),
        lambda rules: rules["repositories"][0].update(enabled=False),
        lambda rules: rules["repositories"][0]["cached"].update(
            get_user={"namespace": "users", "enabled": False}
        ),
    ],
    ids=["all", "cache", "namespace", "repository", "method"],
)
def test_enabled_is_switched_off_and_on_again_and_nothing_old_comes_back(
    bench: Bench, switch_off: Callable[[dict[str, Any]], None]
) -> None:
    before = copy.deepcopy(bench.rules)
    switch_off(bench.rules)
    assert bench.accelerator.reload()
    assert bench.queries(bench.get, bench.get) == 2
    bench.repository.set_user("ada", "guest")
    bench.rules.clear()
    bench.rules.update(before)
    assert bench.accelerator.reload()
    assert bench.get() == "guest"
    assert bench.queries(bench.get) == 0
    bench.repository.set_user("ada", "root")
    assert bench.get() == "root"


def test_enabled_false_puts_every_method_back(bench: Bench) -> None:
    bench.rules["enabled"] = False
    assert bench.accelerator.reload()
    assert (is_patched(), bench.accelerator.installed, bench.counts()) == (False, True, (0, 0, 4, 0))
    assert not bench.accelerator.reload()


def test_what_is_disabled_from_the_start_is_enabled_by_a_reload() -> None:
    rules = config(enabled=False)
    with accelerated(rules) as accelerator:
        assert not is_patched()
        rules["enabled"] = True
        assert accelerator.reload()
        bench = Bench(accelerator, rules, FakeClock())
        assert bench.queries(bench.get, bench.get) == 1
    assert not is_patched()


def test_a_write_that_somebody_holds_from_before_drops_after_all_was_off_and_on(bench: Bench) -> None:
    held = bench.repository.set_user
    for enabled in (False, True):
        bench.rules["enabled"] = enabled
        assert bench.accelerator.reload()
    assert bench.get() == "admin"
    held("ada", "guest")
    assert bench.get() == "guest"


# -- switches --------------------------------------------------------------------------------------------


def test_what_was_disabled_stays_so_also_where_its_rule_changes(bench: Bench) -> None:
    bench.accelerator.disable("users:*")
    bench.accelerator.disable("lists")
    bench.accelerator.enable("lists")
    bench.rules["cache"]["default_ttl"] = "1m"
    assert bench.accelerator.reload()
    assert bench.queries(bench.get, bench.get) == 2
    assert bench.queries(bench.listed) == 0
    bench.accelerator.enable("users:*")
    assert bench.queries(bench.get, bench.get) == 1


def test_what_the_environment_disables_stays_so() -> None:
    rules = config()
    accelerator = Accelerator(rules, environ={"WATS_ACCEL_DISABLE": "users:*, nobody:*"})
    accelerator.install()
    try:
        rules["cache"]["default_ttl"] = "1m"
        assert accelerator.reload()
        bench = Bench(accelerator, rules, FakeClock())
        assert bench.queries(bench.get, bench.get) == 2
        message = (
            "WATS_ACCEL_DISABLE: nothing is named by 'nobody:*'; known: "
            "lists, lists:list_users, users, users:get_user"
        )
        assert [problem.message for problem in accelerator.problems] == [message]
    finally:
        accelerator.uninstall()


# -- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rules: rules.update(colour="red"),
        lambda rules: rules["cache"].update(default_ttl="soon"),
        lambda rules: rules["repositories"][0]["cached"].update(get_user="nowhere"),
        lambda rules: rules.update(plugins={"load": ["no_such_file.py"]}),
        lambda rules: rules.update(sql={"schema": "no_such_file.yaml"}),
    ],
    ids=["unknown_key", "value", "across_sections", "plugin", "schema"],
)
def test_what_cannot_be_used_leaves_all_as_it_is(
    bench: Bench, spoil: Callable[[dict[str, Any]], None]
) -> None:
    before, held = copy.deepcopy(bench.rules), dict(vars(UserRepository))
    spoil(bench.rules)
    assert bench.accelerator.reload() is False
    assert dict(vars(UserRepository)) == held
    assert bench.queries(bench.get, bench.listed) == 0
    (rejected,) = bench.events
    assert isinstance(rejected, ConfigRejected)
    assert str(bench.accelerator.problems[0]) in rejected.problem
    bench.rules.clear()
    bench.rules.update(before)
    assert bench.accelerator.reload() is False
    assert bench.accelerator.problems == ()
    # Whoever was told that the file is of no use hears that it is again, and hears it once.
    (mended,) = bench.events[1:]
    assert isinstance(mended, ConfigReloaded)
    assert (mended.added, mended.changed, mended.removed, mended.kept > 0) == (0, 0, 0, True)
    assert bench.accelerator.reload() is False
    assert len(bench.events) == 2


def test_strict_raises_what_cannot_be_used_and_leaves_all_as_it_is() -> None:
    rules = config()
    with accelerated(rules) as accelerator:
        bench = Bench(accelerator, rules, FakeClock())
        bench.get()
        bench.repository_rules["cached"]["no_such_method"] = "users"
        with pytest.raises(ConfigError, match="no_such_method"):
            accelerator.reload()
        assert bench.queries(bench.get) == 0
        del bench.repository_rules["cached"]["no_such_method"]
        assert accelerator.reload() is False


def test_a_rule_that_does_not_fit_is_left_out_of_the_new_configuration(bench: Bench) -> None:
    bench.repository_rules["invalidates"]["no_such_write"] = ["users:*"]
    assert bench.accelerator.reload()
    (problem,) = bench.accelerator.problems
    assert "no_such_write" in problem.message
    assert bench.queries(bench.get, bench.get) == 2  # nobody would drop what it drops
    del bench.repository_rules["invalidates"]["no_such_write"]
    assert bench.accelerator.reload()
    assert bench.accelerator.problems == ()
    assert bench.queries(bench.get, bench.get) == 1


def test_reloading_what_is_not_installed_does_nothing() -> None:
    accelerator = Accelerator(config(), environ={})
    assert accelerator.reload() is False
    accelerator.install()
    accelerator.uninstall()
    assert accelerator.reload() is False


# -- no growth -------------------------------------------------------------------------------------------


@pytest.mark.soak
def test_a_hundred_reloads_leave_nothing_behind(bench: Bench, soak: bool) -> None:
    def alive() -> tuple[int, ...]:
        gc.collect()
        kept = [type(known) for known in gc.get_objects()]
        checkpoints = len(bench.accelerator._bus._checkpoints)
        # By identity: a type that another test has left may compare in a way of its own.
        kinds = [sum(known is kind for known in kept) for kind in (Region, Complaints, Document)]
        return *kinds, threading.active_count(), len(standing._installed), checkpoints

    def reload(number: int) -> None:
        bench.repository_rules["cached"]["get_user"] = {"namespace": "users", "ttl": number}
        bench.rules["enabled"] = number % 10 != 0
        assert bench.accelerator.reload()
        bench.get()

    bench.rules["pool"] = [{"connect": "sqlite3:connect"}]  # which outlives most of them
    reload(1)
    reload(2)
    before = alive()
    for number in range(3, 103 if soak else 24):
        reload(number)
    assert alive() == before


def test_an_accelerator_that_is_put_in_and_taken_out_again_keeps_nothing_of_before(bench: Bench) -> None:
    bus = bench.accelerator._bus
    before = len(bus._checkpoints)
    for _ in range(5):
        bench.accelerator.uninstall()
        bench.accelerator.install()
        assert len(bus._checkpoints) == before


# -- what is left out ------------------------------------------------------------------------------------


def test_a_write_that_does_not_fit_stays_left_out_though_its_method_stays_patched(bench: Bench) -> None:
    # The method is patched for its other rule; of this one nobody may think that it is applied.
    bench.repository_rules["invalidates"]["list_users"] = ["users:get_user:{nobody}"]
    assert bench.accelerator.reload()
    problems = [str(problem) for problem in bench.accelerator.problems]
    assert len(problems) == 1
    assert "nobody" in problems[0]
    assert bench.queries(bench.get, bench.get) == 2
    bench.repository_rules["cached"]["list_users"] = {"namespace": "lists", "ttl": "30s"}
    for ttl in ("1m", "2m"):
        bench.rules["cache"]["default_ttl"] = ttl
        assert bench.accelerator.reload()
        assert bench.queries(bench.get, bench.get) == 2
        assert [str(problem) for problem in bench.accelerator.problems] == problems


def test_a_write_whose_module_is_missing_stays_left_out(bench: Bench) -> None:
    missing = {"target": "accel_shop_of_old:UserRepository", "invalidates": {"set_user": ["users:*"]}}
    bench.rules["repositories"].append(missing)
    for ttl in ("1m", "2m"):
        bench.rules["cache"]["namespaces"]["lists"]["ttl"] = ttl
        assert bench.accelerator.reload()
        assert ["no module" in str(problem) for problem in bench.accelerator.problems] == [True]
        assert bench.queries(bench.get, bench.get) == 2


def test_strictness_that_a_file_asks_for_now_holds_for_that_file(bench: Bench) -> None:
    bench.accelerator._strict = None
    bench.rules["strict"] = True
    bench.repository_rules["cached"]["no_such_method"] = "users"
    assert not bench.accelerator.reload()
    assert bench.queries(bench.get) == 0
    del bench.repository_rules["cached"]["no_such_method"]
    assert bench.accelerator.reload()


def test_the_figures_go_on(bench: Bench) -> None:
    bench.get()
    bench.rules["cache"]["default_ttl"] = "1m"
    assert bench.accelerator.reload()
    bench.get()
    assert bench.accelerator.stats().methods["accel_shop:UserRepository.get_user"].misses == 2
    assert bench.accelerator.stats().methods["accel_shop:UserRepository.get_user"].hits == 1
