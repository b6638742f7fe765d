"""The simulated day is the same for the same seed, and what is recorded and metered of it is true."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

Load = Callable[[str], Any]
HOURS = 0.4


@pytest.fixture
def live(load: Load, make_settings: Any, original_database: Path, tmp_path: Path) -> Callable[..., list[Any]]:
    """Live through a short day on a fresh copy of the database; gives the recorded calls."""

    def run(**options: Any) -> list[Any]:
        path = shutil.copyfile(original_database, tmp_path / "day.db")
        calls: list[Any] = []
        settings = make_settings(DB_DATABASE=str(path))
        day = load("simulation.workload").Workload(settings, **{"seed": 5, "hours": HOURS, **options})
        day.run(calls.append)
        return calls

    return run


def without_durations(calls: list[Any]) -> list[tuple[object, ...]]:
    return [(call.sequence, call.target, call.arguments, call.answer) for call in calls]


def test_the_same_seed_gives_the_same_calls_and_answers_and_another_seed_others(
    live: Callable[..., list[Any]],
) -> None:
    first = without_durations(live())
    assert without_durations(live()) == first
    assert without_durations(live(seed=6)) != first


def test_the_list_is_refreshed_as_often_as_asked(live: Callable[..., list[Any]]) -> None:
    every_minute, twice = live(hours=0.25), live(hours=0.25, refresh_seconds=30)
    refreshes = [
        sum(call.target == "ConnectionRepository.select_all" for call in calls)
        for calls in (every_minute, twice)
    ]
    assert refreshes[1] > refreshes[0] >= 14


def test_a_day_has_reads_writes_heartbeats_and_panels(live: Callable[..., list[Any]]) -> None:
    calls = live(hours=1)
    counts = Counter(call.target for call in calls)
    writes = sum(not call.is_read for call in calls if "heartbeat" not in call.target)
    assert sum(call.is_read for call in calls) > 4 * writes > 0
    assert [call.sequence for call in calls] == list(range(1, len(calls) + 1))
    for target in (
        "LogRepository.cleanup_ghost_connections",
        "LogRepository.update_heartbeat",
        "UserRepository.get_user_role",
        "UserRepository.admin_get_all_users",
        "GroupRepository.admin_get_all_groups",
        "ConnectionRepository.admin_get_all_connections",
        "ConnectionRepository.list_user_individual_permissions",
    ):
        assert counts[target] > 0, target


def test_no_call_raises(live: Callable[..., list[Any]]) -> None:
    assert [call.target for call in live() if call.answer.startswith('["raised"')] == []


def test_start_up_and_heartbeats_have_threads_of_their_own(
    load: Load, live: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = load("simulation.recording")
    threads: dict[str, set[str]] = {}
    original = recording.Recorder.call

    def call(self: Any, target: str, *args: Any, **kwargs: Any) -> Any:
        threads.setdefault(target, set()).add(threading.current_thread().name.partition("-")[0])
        return original(self, target, *args, **kwargs)

    monkeypatch.setattr(recording.Recorder, "call", call)
    live()
    assert threads["LogRepository.update_heartbeat"] == {"heartbeat"}
    assert "startup" in threads["LogRepository.cleanup_ghost_connections"]
    assert threads["ConnectionRepository.select_all"] == {threading.current_thread().name}


def test_a_day_without_a_database_cannot_begin(load: Load, make_settings: Any) -> None:
    day = load("simulation.workload").Workload(make_settings(DB_TYPE="oracle"), seed=1, hours=1)
    with pytest.raises(RuntimeError, match="could not open its database"):
        day.run(lambda call: None)


# --- the clock ----------------------------------------------------------------------------------


def test_the_application_sees_the_simulated_time_only_inside_the_block(load: Load) -> None:
    clock = load("simulation.clock")
    time = clock.SimulatedTime()
    time.advance(90)
    module = load("src.wats.db.repositories.individual_permission_repository")
    with clock.simulated_datetime(time):
        assert module.datetime.now() == clock.MONDAY_MORNING.replace(minute=1, second=30)
        assert type(module.datetime.now()) is datetime
    assert module.datetime is datetime
    assert time.monotonic() == 90


def test_time_does_not_go_back(load: Load) -> None:
    with pytest.raises(ValueError, match="back"):
        load("simulation.clock").SimulatedTime().advance(-1)


# --- recording ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(1, True, id="int-bool"),
        pytest.param(1, 1.0, id="int-float"),
        pytest.param([1], (1,), id="list-tuple"),
        pytest.param({1}, [1], id="set-list"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="order-of-a-dict"),
        pytest.param(datetime(2024, 1, 1), "2024-01-01 00:00:00", id="datetime-text"),
        pytest.param(None, "None", id="none-text"),
    ],
)
def test_what_differs_in_type_differs_in_the_record(load: Load, one: object, other: object) -> None:
    recording = load("simulation.recording")
    assert recording._text(recording.normalised(one)) != recording._text(recording.normalised(other))


def test_sets_are_recorded_in_one_order(load: Load) -> None:
    normalised = load("simulation.recording").normalised
    assert normalised({8, 1, 16}) == normalised({16, 8, 1})


class Repository:
    """Gives away its list, as a careless cache would."""

    def __init__(self) -> None:
        self.rows = [3, 1, 2]

    def select_all(self, data: dict[str, str]) -> list[int]:
        return self.rows

    def broken(self) -> None:
        raise KeyError("secret")


def test_an_answer_is_recorded_before_its_caller_changes_it(load: Load) -> None:
    recording = load("simulation.recording")
    calls: list[Any] = []
    repository = recording.RecordedRepository(Repository(), recording.Recorder(calls.append))
    repository.select_all({"Con_Senha": "s3cret"}).sort()
    repository.select_all({}).clear()
    assert [call.answer for call in calls] == ['["list",3,1,2]', '["list",1,2,3]']
    assert calls[0].arguments == "{Con_Senha}"
    assert calls[0].is_read


def test_an_exception_is_recorded_by_its_type_and_raised_again(load: Load) -> None:
    recording = load("simulation.recording")
    calls: list[Any] = []
    repository = recording.RecordedRepository(Repository(), recording.Recorder(calls.append))
    with pytest.raises(KeyError):
        repository.broken()
    assert [(call.target, call.answer) for call in calls] == [("Repository.broken", '["raised","KeyError"]')]
    assert repository.rows == [3, 1, 2]


def test_an_answers_file_gives_the_calls_back(load: Load, tmp_path: Path) -> None:
    recording = load("simulation.recording")
    call = recording.Call(1, "UserRepository.get_user_role", "'joão'", '["tuple",1,true]', 0.25)
    path = tmp_path / "answers.jsonl"
    path.write_text(call.as_json() + "\n", encoding="utf-8")
    assert list(recording.read_calls(path)) == [call]


# --- metering -----------------------------------------------------------------------------------


def test_the_meter_counts_what_the_application_sends(load: Load, service: Any) -> None:
    with load("simulation.metering").metered(sqlite3) as meter:
        service.connections.select_all("jefferson")
        assert (meter.connections, meter.selects, meter.others) == (2, 2, 0)
        service.users.admin_create_user("zeca", None, False, True, [1, 2])
        # One more connection; an insert, the new id, and all groups in one executemany().
        assert (meter.connections, meter.selects, meter.others) == (3, 3, 2)
        service.logs.update_heartbeat(1, "jefferson")
        assert (meter.connections, meter.selects, meter.others) == (4, 3, 3)
    service.logs.update_heartbeat(1, "jefferson")
    assert (meter.connections, meter.selects, meter.others) == (4, 3, 3)


def test_the_meter_leaves_the_driver_as_it_was(load: Load) -> None:
    before = sqlite3.connect
    with load("simulation.metering").metered(sqlite3):
        assert sqlite3.connect is not before
    assert sqlite3.connect is before


def test_the_meter_counts_statements_sent_by_the_connection_itself(load: Load) -> None:
    with load("simulation.metering").metered(sqlite3) as meter:
        connection = sqlite3.connect(":memory:")
        assert connection.execute("  select 1").fetchone() == (1,)
        connection.execute("WITH x AS (SELECT 1) SELECT * FROM x")
        connection.execute("CREATE TABLE t (a)")
        connection.close()
    assert (meter.connections, meter.selects, meter.others) == (1, 2, 1)


def test_a_driver_error_stays_the_driver_s_error(load: Load) -> None:
    with load("simulation.metering").metered(sqlite3):
        connection = sqlite3.connect(":memory:")
        with pytest.raises(sqlite3.OperationalError):
            connection.cursor().execute("SELECT * FROM nowhere")
        connection.close()


def test_two_plain_days_are_metered_alike(load: Load, live: Callable[..., list[Any]]) -> None:
    metered = load("simulation.metering").metered
    with metered(sqlite3) as first:
        calls = live()
    with metered(sqlite3) as second:
        live()
    assert first == second
    assert first.selects > sum(call.is_read for call in calls)
    assert first.connections > len(calls) - 10
