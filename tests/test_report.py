"""Explanations say what is cached, what drops it and how connections are pooled; the page lists all rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from accel_shop import config

from wats_accel.assembly import Assembly, assemble
from wats_accel.config.sources import mapping_document
from wats_accel.config_source import read_config
from wats_accel.errors import TargetError
from wats_accel.event_bus import EventBus
from wats_accel.report.explanation import Explanation, explain, ttl_text
from wats_accel.report.page import markdown_report
from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock, accelerated

GET, LIST = "accel_shop:UserRepository.get_user", "accel_shop:UserRepository.list_users"
SET, RENAME = "accel_shop:UserRepository.set_user", "accel_shop:UserRepository.rename_user"
PRESET = Path(__file__).resolve().parents[1] / "config" / "wats.yaml"


def assembled(rules: dict[str, object]) -> Assembly:
    return assemble(
        mapping_document(rules),
        clock=FakeClock(),
        bus=EventBus(),
        report=lambda problem: pytest.fail(str(problem)),
    )


def explained(target: str, **changes: object) -> Explanation:
    assembly = assembled(config(**changes))
    context = assembly.context
    return explain(target, context.caches, context.invalidator, context.pools)


def pool(**options: object) -> dict[str, object]:
    """A configuration with a pool besides the cache."""
    return config(pool=[{"connect": "sqlite3:connect", **options}])


# -- one method ---------------------------------------------------------------------------------------------


def test_a_cached_method_is_explained_with_what_drops_it() -> None:
    assert explained(GET) == Explanation(
        GET,
        cached={"cached in": "users", "TTL": "5m", "shared by": "self.db.url", "isolation": "auto"},
        dropped_by=((SET, "users:get_user:{name}"), (RENAME, "*")),
    )


def test_a_write_is_explained_with_what_it_drops() -> None:
    rule = {"patterns": ["users:get_user:{name}", "lists:*"], "when": "truthy"}
    assert explained(SET, invalidates={"set_user": rule}) == Explanation(
        SET,
        cached={},
        drops=("users:get_user:{name}", "lists:*"),
        when="unless it returns something falsy",
    )


def test_every_option_of_a_rule_is_told() -> None:
    rule = {
        "namespace": "users",
        "ttl": 0,
        "fold": ["name"],
        "copy": "deep",
        "key": {"exclude": "session", "include": ["self.account"]},
        "unless_result": [None],
    }
    facts = explained(GET, cached={"get_user": rule}, invalidates={}, scope=[]).cached
    assert facts == {
        "cached in": "users",
        "TTL": "until invalidated",
        "shared by": "nobody: each instance has its own",
        "isolation": "deep",
        "fold": "name",
        "exclude": "session",
        "include": "self.account",
        "not kept": "None",
    }


def test_an_explanation_is_for_people() -> None:
    both = explained(GET, invalidates={"get_user": "lists:*", "set_user": "users:*"})
    assert str(both) == (
        "accel_shop:UserRepository.get_user\n"
        "  cached in:     users\n"
        "  TTL:           5m\n"
        "  shared by:     self.db.url\n"
        "  isolation:     auto\n"
        "  dropped by:\n"
        "    accel_shop:UserRepository.set_user  (users:*)\n"
        "  drops (whatever it returns):\n"
        "    lists:*"
    )


def test_a_method_that_only_time_drops_says_so() -> None:
    assert "  dropped by:    nothing but its TTL" in str(explained(GET, invalidates={})).splitlines()


def test_a_method_that_is_not_cached_for_now_says_why() -> None:
    context = assembled(config()).context
    (region, other) = context.caches
    region.switch(enabled=False)
    assert explain(GET, context.caches, None).cached["not cached"] == "switched off"
    other.suspend("its write is not there")
    assert explain(LIST, context.caches, None).cached["not cached"] == "its write is not there"
    assert explain(LIST, context.caches, None).dropped_by == ()


@pytest.mark.parametrize("name", [GET, "UserRepository.get_user", "get_user"])
def test_a_method_may_be_named_by_the_end_of_its_target(name: str) -> None:
    assert explained(name).target == GET


@pytest.mark.parametrize("name", ["user", "_user", "", "Repository.get_user", "accel_shop:UserRepository"])
def test_half_a_name_names_nothing(name: str) -> None:
    with pytest.raises(TargetError, match="no rule names"):
        explained(name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("get_usr", "did you mean 'get_user'?"),
        ("UserRepository.get_usr", "did you mean 'UserRepository.get_user'?"),
        ("accel_shop:UserRepository.get_usr", "did you mean 'accel_shop:UserRepository.get_user'?"),
        ("zzz", "known: get_user, list_users, rename_user, set_user"),
    ],
)
def test_an_unknown_method_gets_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(TargetError) as caught:
        explained(name)
    assert str(caught.value) == f"no rule names {name!r}; {hint}"


def test_an_ambiguous_name_gets_all_that_it_names() -> None:
    rules = config()
    rules["repositories"].append({"target": "other:UserRepository", "cached": {"get_user": "users"}})
    context = assembled(rules).context
    with pytest.raises(TargetError) as caught:
        explain("get_user", context.caches, context.invalidator)
    assert str(caught.value) == f"'get_user' names several methods: {GET}, other:UserRepository.get_user"
    assert explain(GET, context.caches, context.invalidator).target == GET


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "until invalidated"), (60.0, "60s"), (300.0, "5m"), (0.25, "250ms")]
)
def test_a_ttl_is_written_as_in_a_file(seconds: float, text: str) -> None:
    assert ttl_text(seconds) == text


# -- pools --------------------------------------------------------------------------------------------------


def test_a_connect_is_explained_with_all_that_can_be_said_of_its_pool() -> None:
    options = {
        "connect": "sqlite3:connect",
        "size": 2,
        "max_overflow": 3,
        "linger": "5m",
        "timeout": "1s",
        "on_exhausted": "wait",
        "recycle": 0,
        "pre_ping": "30s",
        "lifo": False,
        "min_idle": 1,
        "reset": "full",
        "leak_after": "5m",
        "long_lived": ["accel_shop:UserRepository.*"],
        "per_thread": ["accel_shop:UserRepository.set_user", "accel_shop:UserRepository.rename_user"],
    }
    assert explained("sqlite3:connect", pool=[options]).pooled == {
        "pooled": "2 kept, 3 overflow, for each set of connect arguments",
        "linger": "overflow stays for 5m",
        "timeout": "1s, then a longer wait",
        "recycle": "never",
        "pre-ping": "after 30s idle",
        "taken first": "the one that has waited longest",
        "min idle": "1",
        "reset": "full",
        "leak after": "5m",
        "long-lived": "accel_shop:UserRepository.*",
        "per thread": f"{SET}, {RENAME}",
    }


@pytest.mark.parametrize(
    ("options", "name", "told"),
    [
        ({}, "timeout", "10s, then an unpooled connection"),
        ({}, "recycle", "after 1h"),
        ({}, "pre-ping", "always"),
        ({"pre_ping": "never"}, "pre-ping", "never"),
        ({"timeout": 0}, "timeout", "0s, then an unpooled connection"),
        ({"linger": 0}, "linger", "none"),
        ({}, "leak after", "never"),
    ],
)
def test_what_the_file_leaves_out_or_sets_to_nothing_is_told(
    options: dict[str, object], name: str, told: str
) -> None:
    assert explained("connect", pool=[{"connect": "sqlite3:connect", **options}]).pooled[name] == told


def test_a_method_whose_connection_is_each_threads_own_says_so_and_whose_pool_it_is() -> None:
    entries = [{"connect": "sqlite3:connect"}, {"connect": "pyodbc:connect", "per_thread": [SET]}]
    told = explained(SET, pool=entries)
    assert told.pooled == {
        "per thread": "each thread has its own connection, until it commits or rolls back",
        "pool of": "pyodbc:connect",
    }
    assert told.drops, "it is a write as well"
    assert str(told).endswith("  pool of:       pyodbc:connect")


def test_a_connect_without_overflow_has_nothing_that_lingers() -> None:
    assert (
        "linger" not in explained("connect", pool=[{"connect": "sqlite3:connect", "max_overflow": 0}]).pooled
    )


def test_a_pool_that_is_switched_off_in_the_file_is_no_pool() -> None:
    with pytest.raises(TargetError, match="no rule names"):
        explained("sqlite3:connect", pool=[{"connect": "sqlite3:connect", "enabled": False}])


def test_a_running_pool_is_explained_with_its_figures(tmp_path: Path) -> None:
    # `connect` is looked up late: what is imported by name was there before.
    import sqlite3

    with accelerated({"version": 1, "pool": [{"connect": "sqlite3:connect"}]}) as accelerator:
        before = accelerator.explain("sqlite3:connect")
        assert "now" not in before.pooled
        first = sqlite3.connect(tmp_path / "a.db")
        first.close()
        kept = sqlite3.connect(tmp_path / "a.db")
        sqlite3.connect(":memory:").close()
        told = accelerator.explain("sqlite3:connect").pooled
        assert told["now"] == "1 in use, 0 idle, in 1 pools"
        assert told["so far"] == "1 opened, 1 reused, 0 direct, 1 bare"
        assert "not pooled" not in told
        accelerator.disable("sqlite3:connect")
        assert accelerator.explain("sqlite3:connect").pooled["not pooled"] == "switched off"
        kept.close()


def test_a_pool_says_what_it_has_discarded_and_which_leaks_it_suspects() -> None:
    (pooled,) = assembled(pool()).context.pools
    pooled.counters.bare = 1
    pooled.counters.leaks = 2
    pooled.counters.discarded.update({"recycled": 2, "lost": 1})
    told = explain("connect", (), None, [pooled]).pooled
    assert (told["discarded"], told["suspected"]) == ("1 (lost), 2 (recycled)", "2 leaks")


# -- all rules ----------------------------------------------------------------------------------------------


def test_the_page_lists_reads_and_writes_in_order() -> None:
    rules = config()
    rules["repositories"].append(
        {"target": "accel_shop", "cached": {"load": {"namespace": "lists", "ttl": 0}}, "invalidates": {}}
    )
    rules["repositories"][0]["invalidates"]["rename_user"] = {"patterns": ["users:*"], "when": "truthy"}
    context = assembled(rules).context
    assert markdown_report(context.caches, context.invalidator) == (
        "3 cached reads, 2 invalidating writes.\n"
        "\n"
        "## Cached reads\n"
        "\n"
        "| Repository | Method | Namespace | TTL | Dropped by |\n"
        "|---|---|---|---|---|\n"
        "| `UserRepository` | `get_user` | `users` | 5m |"
        " `UserRepository.set_user`<br>`UserRepository.rename_user` |\n"
        "| `UserRepository` | `list_users` | `lists` | 60s | `UserRepository.set_user` |\n"
        "| `accel_shop` | `load` | `lists` | until invalidated | `UserRepository.set_user` |\n"
        "\n"
        "## Invalidating writes\n"
        "\n"
        "| Repository | Method | Drops | When |\n"
        "|---|---|---|---|\n"
        "| `UserRepository` | `rename_user` | `users:*` | unless it returns something falsy |\n"
        "| `UserRepository` | `set_user` | `users:get_user:{name}`<br>`lists:*` | whatever it returns |\n"
    )


def test_a_read_that_no_write_drops_stands_out() -> None:
    context = assembled(config(invalidates={})).context
    assert "| 5m | its TTL only |" in markdown_report(context.caches, context.invalidator)


def test_the_page_has_a_table_of_pools_if_there_are_any() -> None:
    assembly = assembled(pool(per_thread=[SET], long_lived="accel_shop:Other.keep"))
    context = assembly.context
    page = markdown_report(context.caches, context.invalidator, context.pools)
    assert page.startswith("2 cached reads, 2 invalidating writes, 1 connection pools.\n")
    assert page.endswith(
        "\n## Connection pools\n"
        "\n"
        "| Connect | Connections | Timeout | Recycle | Pre-ping | Reset | Leak after "
        "| Long-lived | Per thread |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
        "| `sqlite3:connect` | 5 kept, 10 overflow | 10s, then an unpooled connection | after 1h | always "
        "| auto | never | `Other.keep` | `UserRepository.set_user` |\n"
    )
    assert "Connection pools" not in markdown_report(context.caches, context.invalidator)


def test_the_page_of_the_preset_has_all_its_rules() -> None:
    assembly = assemble(
        read_config(PRESET, {}),
        clock=FakeClock(),
        bus=EventBus(),
        report=lambda problem: pytest.fail(str(problem)),
    )
    context = assembly.context
    page = markdown_report(context.caches, context.invalidator, context.pools)
    assert page.startswith("6 cached reads, 16 invalidating writes, 1 connection pools.\n")
    assert len([line for line in page.splitlines() if line.startswith("| `")]) == 23


@pytest.fixture
def accelerator() -> Iterator[Accelerator]:
    known = Accelerator(config(), environ={})
    known.install()
    yield known
    known.uninstall()


def test_a_running_accelerator_explains_the_same(accelerator: Accelerator) -> None:
    assert accelerator.explain("get_user") == explained("get_user")
