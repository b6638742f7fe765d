"""What the package offers for the tests of applications and plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import accel_shop
import pytest
from accel_shop import UserRepository, config, is_patched

from wats_accel.errors import ConfigError
from wats_accel.testing import FakeClock, FaultyStore, accelerated


@pytest.fixture(autouse=True)
def _nothing_stays_patched() -> Iterator[None]:
    yield
    assert not is_patched()


def test_a_fake_clock_moves_only_when_told_to() -> None:
    clock = FakeClock(100)
    assert (clock(), clock()) == (100, 100)
    clock.advance(2.5)
    assert clock() == 102.5


def test_time_passes_only_on_the_clock_that_was_given() -> None:
    clock = FakeClock()
    repository = UserRepository()
    with accelerated(config(), clock=clock):
        repository.get_user("ada")
        clock.advance(299)
        repository.get_user("ada")
        assert repository.db.queries == 1
        clock.advance(1)
        repository.get_user("ada")
        assert repository.db.queries == 2


def test_an_accelerator_is_in_effect_for_the_length_of_the_block() -> None:
    with accelerated(config()) as accelerator:
        assert is_patched()
        assert accelerator.installed
    assert not accelerator.installed


def test_it_is_taken_down_when_the_block_raises() -> None:
    with pytest.raises(LookupError), accelerated(config()):
        raise LookupError


def test_it_is_strict_unless_told_otherwise() -> None:
    wrong = config(cached={"no_such": "users"}, invalidates={"set_user": "*"})
    with pytest.raises(ConfigError, match="no_such"), accelerated(wrong):
        pass
    with accelerated(wrong, strict=False) as accelerator:
        assert len(accelerator.problems) == 1


def test_it_is_deaf_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATS_ACCEL_DISABLE", "all")
    monkeypatch.setenv("WATS_ACCEL_CONFIG", "nowhere.yaml")
    with accelerated(config()) as accelerator:
        assert accelerator.installed


# -- a store that fails -------------------------------------------------------------------------------------


PLUGIN = """
import accel_shop
from wats_accel.extension import hookimpl

@hookimpl
def accel_create_store(namespace, target):
    return accel_shop.store
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FaultyStore:
    """What the plugin above gives to every cached method; give its `failing` the names of methods."""
    made = FaultyStore()
    monkeypatch.setattr(accel_shop, "store", made, raising=False)
    return made


@pytest.fixture
def plugins(tmp_path: Path, store: FaultyStore) -> dict[str, list[str]]:
    """The section that loads that plugin."""
    path = tmp_path / "faulty_store.py"
    path.write_text(PLUGIN)
    return {"load": [str(path)]}


def test_a_faulty_store_works_where_it_does_not_fail(store: FaultyStore, plugins: object) -> None:
    repository = UserRepository()
    rules = config(cached={"get_user": "users"}, invalidates={"set_user": "users:*"}, plugins=plugins)
    with accelerated(rules) as accelerator:
        assert (repository.get_user("ada"), repository.get_user("ada")) == (None, None)
        assert (repository.db.queries, len(store), len(list(store.entries()))) == (1, 1, 1)
        repository.set_user("ada", "admin")
        assert repository.get_user("ada") == "admin"
        assert accelerator.stats().total.size == 1


def test_it_raises_where_it_was_told_to() -> None:
    with pytest.raises(OSError, match=r"^$"):
        len(FaultyStore("len", error=OSError))


FAILURES = ["get", "put", "remove", "clear", "entries", "len"]


@pytest.mark.parametrize("patterns", [["users:get_user:{name}", "lists:*"], ["*"]], ids=["one", "all"])
@pytest.mark.parametrize("failing", [*FAILURES, "all"])
def test_an_application_over_a_failing_store_gets_every_answer_and_always_a_fresh_one(
    store: FaultyStore, plugins: object, failing: str, patterns: list[str]
) -> None:
    repository = UserRepository()
    rules = config(invalidates={"set_user": patterns, "rename_user": "*"}, plugins=plugins)
    with accelerated(rules, strict=False) as accelerator:
        repository.get_user("ada")
        repository.list_users()
        store.failing = set(FAILURES if failing == "all" else [failing])
        for role in ("admin", "guest"):
            repository.set_user("ada", role)
            assert repository.get_user("ada") == role
            assert repository.list_users() == ["ada"]
        accelerator.stats()
    assert not accelerator.installed


def test_a_store_that_has_failed_may_recover(store: FaultyStore, plugins: object) -> None:
    repository = UserRepository()
    rules = config(cached={"get_user": "users"}, invalidates={"set_user": "users:*"}, plugins=plugins)
    with accelerated(rules):
        store.failing = {"get", "put"}
        repository.get_user("ada")
        store.failing = set()
        repository.get_user("ada")
        repository.get_user("ada")
    assert repository.db.queries == 2
