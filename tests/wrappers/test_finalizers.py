"""Finalizers run in the middle of anything, and may read and write: freshness holds for these, too."""

from __future__ import annotations

import pytest

from wats_accel.cache.memory_store import MemoryStore


class Roles:
    """What the database has, and what a finalizer does in the middle of a step of the store, once."""

    def __init__(self, monkeypatch, step, *, first):
        self.by_name = {"a": "old"}
        self.meanwhile = None
        real = getattr(MemoryStore, step)

        def interrupted(store, *args):
            if first:
                self._come_in_between()
            told = real(store, *args)
            self._come_in_between()
            return told

        monkeypatch.setattr(MemoryStore, step, interrupted)

    def _come_in_between(self):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


@pytest.fixture
def accelerated(app):
    """A repository with a write that drops the answers of one name."""

    def make(roles):
        @app.add
        class Repository:
            def get(self, name):
                return roles.by_name.get(name)

            def set(self, name, role):
                roles.by_name[name] = role

        return app.accelerated({"get": "users"}, {"set": ["users:get:{name}"]}), Repository()

    return make


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_an_answer_is_not_kept_that_a_finalizer_overtakes_while_it_is_stored(accelerated, monkeypatch, first):
    roles = Roles(monkeypatch, "put", first=first)
    patched, repository = accelerated(roles)
    with patched:
        roles.meanwhile = lambda: repository.set("a", "new")
        assert repository.get("a") == "old"  # it was read before
        assert [repository.get("a"), repository.get("a")] == ["new", "new"]


def test_what_a_finalizer_loads_while_all_is_dropped_is_found_by_the_next_write(accelerated, monkeypatch):
    roles = Roles(monkeypatch, "clear", first=False)
    patched, repository = accelerated(roles)
    with patched as accelerator:
        repository.get("b")
        roles.meanwhile = lambda: repository.get("a")
        accelerator.invalidate("users:*")
        assert roles.meanwhile is None
        repository.set("a", "new")
        assert repository.get("a") == "new"
