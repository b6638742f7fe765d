"""The promise, as a model: whatever happens, an accelerated repository answers as the plain one does."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wats_accel.testing import FakeClock, accelerated

NAMES = ["ann", "Ann", "bob", 1, "1", True, None]


class Database:
    """Users with a role, and groups of them; user names are compared without case, as many databases do."""

    def __init__(self) -> None:
        self.roles: dict[str, str] = {"ann": "admin", "bob": "user", "1": "user"}
        self.groups: dict[int, list[str]] = {1: ["ann"], 2: []}
        self.down = False

    def rows(self) -> Database:
        if self.down:
            raise ConnectionError("the database is down")
        return self


def spelled(name: object) -> str:
    return "1" if name in (1, "1") else str(name).casefold()


class Repository:
    """The plain class. The model calls a subclass that nobody has patched."""

    def __init__(self, database: Database, number: int) -> None:
        self.database = database
        self.number = number
        self.account = "ann"

    # reads

    def role(self, name: object, default: object = None) -> object:
        return self.database.rows().roles.get(spelled(name), default)

    def role_or_failure(self, name: object) -> tuple[object, bool]:
        try:
            return self.database.rows().roles[spelled(name)], True
        except (ConnectionError, KeyError):
            return None, False

    def own_role(self) -> object:
        return self.database.rows().roles.get(self.account)

    def members(self, group: int) -> list[dict[str, object]]:
        """A cached read that calls another one."""
        return [
            {"name": name, "role": self.role(name)} for name in self.database.rows().groups.get(group, [])
        ]

    def members_or_nothing(self, group: int) -> list[object]:
        """A cached read that makes an answer of another one's failure, as legacy applications do."""
        try:
            return [member["role"] for member in self.members(group)]
        except ConnectionError:
            return []

    def overview(self, *groups: int, **options: object) -> dict[str, object]:
        found = {str(group): len(self.members(group)) for group in groups or self.database.rows().groups}
        return {**found, **options}

    def each_name(self, prefix: str = ""):
        for name in sorted(self.database.rows().roles):
            if name.startswith(prefix):
                yield name

    def ensure(self, name: str) -> object:
        """A read that writes when there is nothing to be read."""
        return self.database.rows().roles.setdefault(spelled(name), "guest")

    # writes

    def set_role(self, name: object, role: str = "user") -> bool:
        self.database.rows().roles[spelled(name)] = role
        return True

    def set_roles(self, names: list[object], role: str) -> None:
        while names:
            self.database.rows().roles[spelled(names.pop())] = role

    def delete(self, name: object) -> tuple[bool, str]:
        gone = self.database.rows().roles.pop(spelled(name), None) is not None
        return gone, "gone" if gone else "there was none"

    def join(self, group: int, name: str) -> None:
        self.database.rows().groups.setdefault(group, []).append(name)

    def fail_half_way(self, group: int) -> None:
        self.database.rows().groups[group] = []
        raise RuntimeError("half way")


# No rule says that the groups show roles: they call the method that reads them.
OF_ROLES = ["users:own_role", "users:each_name:*"]
OF_NAME = ["users:role:{name}", "users:role_or_failure:{name}", *OF_ROLES]
OF_ENSURED = "users:ensure:{name}"
OF_GROUPS = ["groups:members:{group}", "groups:overview:*"]

CONFIG: dict[str, Any] = {
    "version": 1,
    "cache": {
        "default_ttl": 60,
        "namespaces": {
            "users": {"max_entries": 7},
            "groups": {"ttl": 0, "max_entries": 3},
            "failing": {"ttl": 0},
        },
    },
    "repositories": [
        {
            "target": "legacy_app:Repository",
            "scope": "self.number",
            "cached": {
                "role": {"namespace": "users", "fold": "name"},
                "role_or_failure": {"namespace": "users", "fold": "name", "unless_result": [[None, False]]},
                "own_role": {"namespace": "users", "key": {"include": "self.account"}},
                "each_name": {"namespace": "users", "materialize": True},
                "ensure": {"namespace": "users", "fold": "name"},
                "members": {"namespace": "groups", "ttl": "10s"},
                "members_or_nothing": {"namespace": "failing", "jitter": 0.5},
                "overview": "groups",
            },
            "invalidates": {
                "ensure": ["users:*"],
                "set_role": [*OF_NAME, OF_ENSURED],
                "set_roles": [pattern.replace("{name}", "{names}") for pattern in (*OF_NAME, OF_ENSURED)],
                "delete": {"patterns": ["users:*"], "when": "truthy"},
                "join": OF_GROUPS,
                "fail_half_way": OF_GROUPS,
            },
        }
    ],
}  # fmt: skip

READS = st.one_of(
    st.tuples(
        st.just("role"),
        st.tuples(st.sampled_from(NAMES)) | st.tuples(st.sampled_from(NAMES), st.just("none")),
    ),
    st.tuples(st.sampled_from(["role_or_failure", "ensure"]), st.tuples(st.sampled_from(NAMES))),
    st.tuples(st.just("own_role"), st.just(())),
    st.tuples(st.sampled_from(["members", "members_or_nothing"]), st.tuples(st.integers(1, 3))),
    st.tuples(st.just("overview"), st.lists(st.integers(1, 3), max_size=2).map(tuple)),
    st.tuples(st.just("each_name"), st.sampled_from([(), ("a",), ("b",)])),
)

WRITES = st.one_of(
    st.tuples(st.just("set_role"), st.tuples(st.sampled_from(NAMES), st.sampled_from("xyz"))),
    st.tuples(st.just("set_role"), st.tuples(st.sampled_from(NAMES))),
    st.tuples(
        st.just("set_roles"), st.tuples(st.lists(st.sampled_from(NAMES), max_size=3), st.sampled_from("xyz"))
    ),
    st.tuples(st.just("delete"), st.tuples(st.sampled_from(NAMES))),
    st.tuples(st.just("join"), st.tuples(st.integers(1, 3), st.sampled_from(["ann", "bob"]))),
    st.tuples(st.just("fail_half_way"), st.tuples(st.integers(1, 3))),
)

OBJECTS = st.integers(0, 2)


def outcome(method, *args):
    """What a caller gets: an answer, or an exception."""
    try:
        answer = method(*args)
        return list(answer) if inspect.isgenerator(answer) else answer, None
    except Exception as error:
        return None, (type(error), str(error))


def spoil(answer):
    """What a careless caller does with an answer."""
    if isinstance(answer, list):
        for item in answer:
            spoil(item)
        answer.append("spoilt")
    elif isinstance(answer, dict):
        answer.clear()


def copy_of_class(plain: type) -> type:
    """A class like the plain one, to be patched."""
    return type(plain.__name__, (), dict(vars(plain)))


def module_with(cached_class: type) -> ModuleType:
    module = ModuleType("legacy_app")
    setattr(module, cached_class.__name__, cached_class)
    return module


class FreshnessMachine(RuleBasedStateMachine):
    """Two databases, each reached through several repository objects, cached and plain."""

    def __init__(self) -> None:
        super().__init__()
        self.cached_class = copy_of_class(Repository)
        sys.modules["legacy_app"] = module_with(self.cached_class)
        self.clock = FakeClock()
        self.stack = contextlib.ExitStack()
        self.accelerator = self.stack.enter_context(accelerated(CONFIG, clock=self.clock))
        self.databases = [(Database(), Database()) for _ in range(2)]
        self.cached = [self.repositories(number) for number in (0, 1, 0)]

    def repositories(self, number: int) -> tuple[Any, Repository]:
        """A cached and a plain repository of one of the databases."""
        ours, theirs = self.databases[number]
        return self.cached_class(ours, number), Repository(theirs, number)

    @rule(which=OBJECTS, calls=st.lists(READS, min_size=1, max_size=6))
    def read(self, which, calls):
        cached, plain = self.cached[which]
        for name, args in calls:
            answer, expected = outcome(getattr(cached, name), *args), outcome(getattr(plain, name), *args)
            assert answer == expected
            assert type(answer[0]) is type(expected[0])
            spoil(answer[0])

    @rule(which=OBJECTS, writer=OBJECTS, call=WRITES, calls=st.lists(READS, min_size=1, max_size=6))
    def write_between_reads(self, which, writer, call, calls):
        self.read(which=which, calls=calls)
        self.write(writer, *call)
        self.read(which=which, calls=calls)

    def write(self, which, name, args):
        answers = [outcome(getattr(known, name), *map(copy_of, args)) for known in self.cached[which]]
        assert answers[0] == answers[1]

    @rule(which=OBJECTS, call=READS)
    def read_while_the_database_is_down(self, which, call):
        """A hit does not notice, and may answer as if it were not."""
        name, args = call
        cached, plain = self.cached[which]
        expected = outcome(getattr(plain, "role" if name == "ensure" else name), *args)
        with self.down(which):
            failure = outcome(getattr(plain, name), *args)
            assert outcome(getattr(cached, name), *args) in (expected, failure)

    @rule(which=OBJECTS, call=WRITES)
    def write_while_the_database_is_down(self, which, call):
        with self.down(which):
            self.write(which, *call)

    @rule(which=OBJECTS, call=WRITES, pattern=st.sampled_from(["users", "groups:members", "all"]))
    def write_while_it_is_switched_off(self, which, call, pattern):
        self.accelerator.disable(pattern)
        self.write(which, *call)
        self.accelerator.enable(pattern)

    @contextlib.contextmanager
    def down(self, which):
        for known in self.cached[which]:
            known.database.down = True
        yield
        for known in self.cached[which]:
            known.database.down = False

    @rule(which=OBJECTS, name=st.sampled_from(NAMES))
    def write_by_keyword(self, which, name):
        for repository in self.cached[which]:
            outcome(functools.partial(repository.set_role, role="by keyword", name=name))

    @rule(which=OBJECTS, account=st.sampled_from(["ann", "bob"]))
    def be_somebody_else(self, which, account):
        for repository in self.cached[which]:
            repository.account = account

    @rule(which=OBJECTS)
    def make_another_object(self, which):
        self.cached[which] = self.repositories(which % 2)

    @rule(seconds=st.sampled_from([0.5, 9.5, 10, 60, 1e6]))
    def let_time_pass(self, seconds):
        self.clock.advance(seconds)

    @rule(pattern=st.sampled_from(["users:*", "*", "users:role:ann"]))
    def invalidate(self, pattern):
        self.accelerator.invalidate(pattern)

    @invariant()
    def the_bounds_hold(self):
        sizes = {name: stats.size for name, stats in self.accelerator.stats().namespaces.items()}
        assert sizes["users"] <= 7
        assert sizes["groups"] <= 3

    @invariant()
    def the_databases_are_alike(self):
        for ours, theirs in self.databases:
            assert (ours.roles, ours.groups) == (theirs.roles, theirs.groups)

    def teardown(self):
        self.stack.close()
        del sys.modules["legacy_app"]


def copy_of(argument: Any) -> Any:
    return list(argument) if isinstance(argument, list) else argument


TestFreshness = FreshnessMachine.TestCase
_EXAMPLES = 300 if os.environ.get("WATS_ACCEL_SOAK") == "1" else 100
TestFreshness.settings = settings(max_examples=_EXAMPLES, stateful_step_count=50, deadline=None)


# -- threads -------------------------------------------------------------------------------------------

KEYS = range(4)


class Versions:
    """Each key has a version, which writes increase and reads give."""

    database = "one"

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.current = dict.fromkeys(KEYS, 0)

    def get(self, key):
        with self.lock:
            return self.current[key]

    def every(self):
        return {key: self.get(key) for key in KEYS}

    def bump(self, key):
        with self.lock:
            self.current[key] += 1
            return self.current[key]

    def bump_all(self):
        return [self.bump(key) for key in KEYS]


VERSIONS_CONFIG: dict[str, Any] = {
    "version": 1,
    "cache": {"default_ttl": 0, "namespaces": {"one": {"max_entries": 3}, "every": {}}},
    "repositories": [
        {
            "target": "legacy_app:Versions",
            "scope": "self.database",
            "cached": {"get": "one", "every": "every"},
            "invalidates": {"bump": ["every:*", "one:get:{key}"], "bump_all": ["every:*", "one:*"]},
        }
    ],
}


@pytest.fixture
def _quick_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_quick_switches")
def test_sixteen_threads_never_read_what_a_write_has_overtaken(monkeypatch):
    monkeypatch.setitem(sys.modules, "legacy_app", module_with(Versions))
    acknowledged = dict.fromkeys(KEYS, 0)  # versions whose write has returned
    versions, barrier, lock = Versions(), threading.Barrier(16), threading.Lock()

    def acknowledge(found):
        with lock:
            for key, version in found.items():
                acknowledged[key] = max(acknowledged[key], version)

    def read(chosen):
        floor, key = dict(acknowledged), chosen.choice(KEYS)
        found = {key: versions.get(key)} if chosen.random() < 0.7 else versions.every()
        return [(key, floor[key], version) for key, version in found.items() if version < floor[key]]

    def write(chosen):
        key = chosen.choice(KEYS)
        written = {key: versions.bump(key)} if chosen.random() < 0.8 else dict(enumerate(versions.bump_all()))
        acknowledge(written)

    def work(seed):
        chosen, stale = random.Random(seed), []
        barrier.wait(30)
        for _ in range(300):
            if chosen.random() < 0.2:
                write(chosen)
            else:
                stale += read(chosen)
        return stale

    with accelerated(VERSIONS_CONFIG) as accelerator, ThreadPoolExecutor(16) as pool:
        assert [stale for found in pool.map(work, range(16)) for stale in found] == []
        total = accelerator.stats().total
        assert total.hits > 0
        assert total.stored > 0
        assert versions.every() == versions.current
