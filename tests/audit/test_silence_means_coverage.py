"""Where the check is silent, no answer is old: random applications are checked, and then run."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from random_shops import SCHEMA, TABLES, Application, applications

from wats_accel.assembly import assemble
from wats_accel.audit.audit import Outcome, audit
from wats_accel.audit.proposing.proposal import Proposal
from wats_accel.audit.proposing.proposer import Proposer
from wats_accel.config.sources import mapping_document
from wats_accel.event_bus import EventBus
from wats_accel.sql.schema import ForeignKey, Schema, Table
from wats_accel.sql.source.knowledge import Knowledge
from wats_accel.sql.source.scan import scan
from wats_accel.testing import accelerated

MODULE = "random_shop_application"
COLUMNS = frozenset({"id", "a", "b"})
DATABASE = Schema(
    {name: Table(name, COLUMNS) for name in TABLES},
    (ForeignKey("t2", ("a",), "t1", ("id",), on_delete="cascade"),),
    dialect="sqlite",
)
_KEYS = (0, 1, 2)


def checked(application: Application, folder: Path) -> Outcome:
    (folder / f"{MODULE}.py").write_text(application.source)
    document = mapping_document(application.settings(MODULE))
    assembly = assemble(document, clock=time.monotonic, bus=EventBus(), report=lambda problem: None)
    facts = scan(folder, dialect="sqlite", columns=DATABASE.columns)
    return audit(assembly, Knowledge(facts, DATABASE), folder)


def imported(folder: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{MODULE}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def proposed(application: Application, folder: Path) -> dict[str, object]:
    """What a scan proposes for the application."""
    (folder / f"{MODULE}.py").write_text(application.source)
    facts = scan(folder, dialect="sqlite", columns=DATABASE.columns)
    empty = Proposal((), scopes={f"{MODULE}:Shop": "self.path"})
    return Proposer(Knowledge(facts, DATABASE), folder, empty).propose().proposal.as_mapping()


def old_answers(
    application: Application, rules: Mapping[str, object], folder: Path, calls: list[tuple[int, int]]
) -> set[str]:
    """The reads of which some answer was old after some of these writes."""
    database = str(folder / "shop.db")
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA synchronous = OFF")
    for statement in SCHEMA:
        connection.execute(statement)
    for table in TABLES:
        connection.executemany(f"INSERT INTO {table} (id, a, b) VALUES (?, 1, ?)", [(1, 1), (2, 2)])
    connection.commit()
    connection.close()
    plain = imported(folder, "plain_shop_application").Shop(database)
    imported(folder, MODULE)
    found: set[str] = set()
    with accelerated(rules) as accelerator:
        assert accelerator.problems == ()
        shop = sys.modules[MODULE].Shop(database)
        for number, key in [(-1, 0), *calls]:
            if number >= 0:
                writes = application.callable_writes
                getattr(shop, application.write_name(writes[number % len(writes)]))(key)
            for read in range(len(application.reads)):
                name = f"read_{read}"
                if any(getattr(shop, name)(each) != getattr(plain, name)(each) for each in _KEYS):
                    found.add(name)
    shop.db.close()
    plain.db.close()
    return found


def told(outcome: Outcome) -> set[str]:
    """The reads of which the check has told that something is not sure to drop them."""
    return {
        finding.about[-1].rpartition(".")[2]
        for finding in outcome.findings
        if finding.rule in ("uncovered", "unsure-argument", "not-analysed")
    }


def reached(application: Application, read: str) -> set[str]:
    """A read and those that it calls."""
    text = application.reads[int(read.rpartition("_")[2])]
    inner = [f"read_{number}" for number in range(len(application.reads)) if f"self.read_{number}(" in text]
    return {read}.union(*(reached(application, name) for name in inner))


CALLS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(_KEYS)), min_size=1, max_size=8)


@pytest.fixture
def modules():
    """Takes the applications' modules out again."""
    yield
    for name in (MODULE, "plain_shop_application"):
        sys.modules.pop(name, None)


def sized(soak: bool, share: int, whole: int) -> settings:
    """A seeded share, or the whole."""
    return settings(
        max_examples=whole if soak else share,
        deadline=None,
        derandomize=not soak,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.soak
def test_an_answer_that_is_old_has_been_told_of(soak, modules):
    @sized(soak, 30, 3_000)
    @given(applications(), CALLS)
    def run(application: Application, calls: list[tuple[int, int]]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            outcome = checked(application, folder)
            old = old_answers(application, application.settings(MODULE), folder, calls)
            event("old" if old else "fresh", "told" if told(outcome) else "silent")
            for read in old:
                assert reached(application, read) & told(outcome), (read, application.source)

    run()


@pytest.mark.soak
def test_with_what_a_scan_proposes_no_answer_is_old(soak, modules):
    @sized(soak, 30, 3_000)
    @given(applications(), CALLS)
    def run(application: Application, calls: list[tuple[int, int]]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            rules = proposed(application, folder)
            cached = [entry.get("cached", {}) for entry in rules["repositories"]]
            event(f"{sum(map(len, cached))} cached reads")
            assert old_answers(application, rules, folder, calls) == set(), (rules, application.source)

    run()
