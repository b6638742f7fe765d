"""The example's lists change on time when a permission begins or runs out, and outlast a database."""

from __future__ import annotations

import re
import sqlite3
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "keep-answers-in-time.md"
SELECT_ALL = "src.wats.db.repositories.connection_repository:ConnectionRepository.select_all"

Load = Callable[[str], Any]


def shown(section: str) -> Mapping[str, Any]:
    """The first configuration in a section of the page."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.search(r"```yaml\n(version: 1\n.*?)```", text, re.DOTALL)
    assert found
    return dict(yaml.safe_load(found[1]))


@pytest.fixture
def clock(load: Load) -> Iterator[Any]:
    """The application's own clock, and the accelerator's."""
    module = load("simulation.clock")
    time = module.SimulatedTime()
    with module.simulated_datetime(time):
        yield time


@pytest.fixture
def accelerator(clock: Any) -> Iterator[Accelerator]:
    """With the question for the next moment that the page shows for SQLite; the TTL is an hour."""
    config = shown("Answers that change at a known moment")
    with accelerated(config, clock=clock.monotonic, wall_clock=lambda: clock.now().timestamp()) as installed:
        yield installed


@pytest.fixture
def maria(service: Any) -> int:
    """The id of a user without any group."""
    service.users.admin_create_user("maria", None, False, True, [])
    user_id, is_admin = service.users.get_user_role("maria")
    assert not is_admin
    return int(user_id)


@pytest.fixture
def connection(service: Any) -> int:
    """The code of a connection that users can be given access to."""
    return int(service.connections.get_available_connections_for_individual_grant()[0][0])


@pytest.fixture
def other(service: Any) -> int:
    """The code of another one."""
    return int(service.connections.get_available_connections_for_individual_grant()[1][0])


def seen(service: Any, username: str = "maria") -> set[int]:
    return {row[0] for row in service.connections.select_all(username)}


def loads(accelerator: Accelerator) -> int:
    return accelerator.stats().methods[SELECT_ALL].loads


def test_an_access_that_runs_out_disappears_on_time(
    service: Any, clock: Any, accelerator: Accelerator, maria: int, connection: int, other: int
) -> None:
    end = clock.now() + timedelta(minutes=20)
    service.connections.grant_individual_access(maria, connection, 1, end_date=end)
    service.connections.grant_individual_access(maria, other, 1)
    clock.advance(60)
    assert seen(service) == {connection, other}
    clock.advance(19 * 60 - 1)
    assert seen(service) == {connection, other}
    assert loads(accelerator) == 1
    clock.advance(1)
    assert seen(service) == {connection, other}  # the application's own rule: the last moment counts
    clock.advance(0.001)
    assert seen(service) == {other}
    clock.advance(30 * 60)
    assert seen(service) == {other}
    assert loads(accelerator) == 3


def test_an_access_that_begins_appears_on_time(
    service: Any, clock: Any, accelerator: Accelerator, maria: int, connection: int, other: int
) -> None:
    begin = clock.now() + timedelta(minutes=20)
    service.connections.grant_individual_access(maria, other, 1)
    service.connections.grant_individual_access(maria, connection, 1, start_date=begin)
    clock.advance(60)
    assert seen(service) == {other}
    clock.advance(19 * 60 - 0.001)
    assert seen(service) == {other}
    assert loads(accelerator) == 1
    clock.advance(0.001)
    assert seen(service) == {connection, other}


def test_the_nearest_of_many_moments_counts_each_time(
    service: Any, clock: Any, accelerator: Accelerator, maria: int, connection: int, other: int
) -> None:
    start = clock.now()
    minutes = timedelta(minutes=1)
    for code, begins, ends in ((connection, 10, 30), (other, 20, 40)):
        service.connections.grant_individual_access(
            maria, code, 1, start_date=start + begins * minutes, end_date=start + ends * minutes
        )
    timeline = []
    for _ in range(10):
        timeline.append(seen(service))
        clock.advance(5 * 60 + 0.001)
    both = {connection, other}
    assert timeline == [set(), set(), {connection}, {connection}, both, both, {other}, {other}, set(), set()]


def test_the_moments_of_others_do_not_count(
    service: Any, clock: Any, accelerator: Accelerator, maria: int, connection: int
) -> None:
    service.users.admin_create_user("joana", None, False, True, [])
    joana = service.users.get_user_role("joana")[0]
    service.connections.grant_individual_access(maria, connection, 1)
    end = clock.now() + timedelta(minutes=10)
    service.connections.grant_individual_access(joana, connection, 1, end_date=end)
    clock.advance(60)
    seen(service, "maria")
    clock.advance(59 * 60)
    seen(service, "Maria")  # one user to the database, and one entry
    assert loads(accelerator) == 1


def test_an_end_that_a_grant_changes_counts_from_then_on(
    service: Any, clock: Any, accelerator: Accelerator, maria: int, connection: int
) -> None:
    start = clock.now()
    for minutes in (50, 10):
        end = start + timedelta(minutes=minutes)
        service.connections.grant_individual_access(maria, connection, 1, end_date=end)
        assert seen(service) == {connection}
    clock.advance(10 * 60 + 1)
    assert seen(service) == set()


@pytest.fixture
def take_down(service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has the application's connections fail from then on; which database it is stays the same."""

    def break_it() -> None:
        def refuse(*args: object, **options: object) -> NoReturn:
            raise sqlite3.OperationalError

        stand_in = types.SimpleNamespace(connect=refuse, Error=sqlite3.Error)
        monkeypatch.setattr(service.db_manager, "driver_module", stand_in)

    return break_it


def test_without_the_database_the_application_notices_nothing_of_the_question(
    service: Any, accelerator: Accelerator, maria: int, take_down: Callable[[], None]
) -> None:
    take_down()
    assert service.connections.select_all("maria") == []
    figures = accelerator.stats().methods[SELECT_ALL]
    assert (figures.stored, figures.not_stored) == (0, {"valid_until_failed": 1})


def test_a_list_outlasts_the_database_for_the_grace_that_the_page_gives(
    service: Any, clock: Any, maria: int, connection: int, take_down: Callable[[], None]
) -> None:
    service.connections.grant_individual_access(maria, connection, 1)
    with accelerated(shown("When the database is down"), clock=clock.monotonic) as accelerator:
        assert seen(service) == {connection}
        take_down()
        clock.advance(5 * 60 + 1)  # neither the list nor the role is fresh now
        assert seen(service) == {connection}
        assert accelerator.stats().total.served_stale == 2
        clock.advance(6 * 60)  # the grace of the list began with the end of its minute
        with pytest.raises((TypeError, AttributeError)):
            seen(service)
