"""What is asked and written in the benchmark: cached reads and invalidating writes of config/wats.yaml."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import MappingProxyType
from typing import Any, Final

from measured_databases import MeasuredDatabase
from measured_passes import Step
from simulation.clock import MONDAY_MORNING
from simulation.generator import CONNECTIONS, INDIVIDUAL_PERMISSIONS
from simulation.names import GROUPS, TOWNS
from src.wats.db.database_manager import DatabaseManager
from src.wats.db.repositories.connection_repository import ConnectionRepository
from src.wats.db.repositories.group_repository import GroupRepository
from src.wats.db.repositories.individual_permission_repository import IndividualPermissionRepository
from src.wats.db.repositories.log_repository import LogRepository
from src.wats.db.repositories.user_repository import UserRepository

PEOPLE_AT_THE_PC: Final = 6
READS_PER_MOMENT: Final = 8
SECONDS_PER_MOMENT: Final = 15.0
SHARE_OF_WRITES: Final = 0.04

REPOSITORIES: Final = (
    *(ConnectionRepository, UserRepository, GroupRepository, IndividualPermissionRepository, LogRepository),
)

# How often each is asked: windows refresh their list, panels read the others.
_READS: Final = MappingProxyType(
    {
        "ConnectionRepository.select_all": 8.0,
        "UserRepository.get_user_role": 3.0,
        "ConnectionRepository.admin_get_all_connections": 2.0,
        "GroupRepository.admin_get_all_groups": 2.0,
        "IndividualPermissionRepository.list_user_individual_permissions": 2.0,
        "UserRepository.admin_get_all_users": 1.5,
    }
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``Class.method`` and its arguments."""

    target: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens within a few seconds: reads side by side, then writes."""

    reads: tuple[Call, ...]
    writes: tuple[Call, ...] = ()


class Repositories:
    """Objects of the application on one manager, by the names of their classes."""

    def __init__(self, manager: DatabaseManager) -> None:
        users = UserRepository(manager)
        simple = (GroupRepository, IndividualPermissionRepository, LogRepository)
        self._all = {
            "UserRepository": users,
            "ConnectionRepository": ConnectionRepository(manager, users),
            **{kind.__name__: kind(manager) for kind in simple},
        }

    def step(self, call: Call) -> Step:
        """The call, ready to be made; the method is looked up when it is made, as a program does."""
        owner, _, method = call.target.partition(".")
        repository = self._all[owner]
        return Step(call.target, lambda: getattr(repository, method)(*call.args))


class Plan:
    """What is asked and written, by seed alone: the same for each way of doing it.

    Args:
        database: filled, to know the people.
        calls: how many reads and writes together.
    """

    def __init__(self, database: MeasuredDatabase, seed: int, calls: int) -> None:
        rows = database.rows(
            "SELECT Usu_Id, Usu_Nome, Usu_Ativo, Usu_Is_Admin FROM Usuario_Sistema_WTS ORDER BY Usu_Id"
        )
        ordinary = [(row[0], row[1]) for row in rows if row[2] and not row[3]]
        administrators = [(row[0], row[1]) for row in rows if row[2] and row[3]]
        self._dice = Random(seed)
        self.people = [administrators[0], *ordinary[: PEOPLE_AT_THE_PC - 1]]
        self._others = ordinary[: PEOPLE_AT_THE_PC + 2]
        self._numbers = itertools.count(1)
        self.calls = calls

    def repeated_reads(self) -> tuple[Call, ...]:
        """Each cached read in turn, over and over."""
        return tuple(self._read(name) for name in itertools.islice(itertools.cycle(_READS), self.calls))

    def moments(self) -> list[Moment]:
        """Reads of all kinds, and now and then a write; each kind of both comes at least once."""
        writes = self._some_writes()
        reads = self._some_reads(self.calls - len(writes))
        batches = [reads[at : at + READS_PER_MOMENT] for at in range(0, len(reads), READS_PER_MOMENT)]
        dealt: list[list[Call]] = [[] for _ in batches]
        for number, write in enumerate(writes):
            dealt[number * len(batches) // len(writes)].append(write)
        return [Moment(tuple(batch), tuple(late)) for batch, late in zip(batches, dealt, strict=True)]

    # -- reads ---------------------------------------------------------------------------------------------

    def _some_reads(self, count: int) -> list[Call]:
        chosen = self._dice.choices(list(_READS), list(_READS.values()), k=count)
        chosen[: len(_READS)] = _READS
        return [self._read(name) for name in chosen]

    def _read(self, target: str) -> Call:
        if target.endswith((".select_all", ".get_user_role")):
            return Call(target, (self._dice.choice(self.people)[1],))
        if target.endswith(".list_user_individual_permissions"):
            return Call(target, (self._dice.choice(self._others)[0],))
        return Call(target)

    # -- writes --------------------------------------------------------------------------------------------

    def _some_writes(self) -> list[Call]:
        kinds = self._writes()
        count = max(len(kinds), round(self.calls * SHARE_OF_WRITES))
        names = list(kinds)
        self._dice.shuffle(names)
        return [Call(name, kinds[name]()) for name in itertools.islice(itertools.cycle(names), count)]

    def _writes(self) -> dict[str, Callable[[], tuple[Any, ...]]]:
        owners = {
            "ConnectionRepository": self._writes_of_connections(),
            "UserRepository": self._writes_of_users(),
            "GroupRepository": self._writes_of_groups(),
            "IndividualPermissionRepository": self._writes_of_permissions(),
            "LogRepository": self._writes_of_sessions(),
        }
        return {f"{owner}.{name}": make for owner, kinds in owners.items() for name, make in kinds.items()}

    def _writes_of_connections(self) -> dict[str, Callable[[], tuple[Any, ...]]]:
        def data() -> dict[str, Any]:
            name = f"{self._dice.choice(TOWNS)} - novo {next(self._numbers)}"
            return {"Con_Nome": name, "Con_IP": "10.8.0.1", "Gru_Codigo": self._group(), "Con_Ativo": True}

        return {
            "admin_create_connection": lambda: (data(),),
            "admin_update_connection": lambda: (self._connection(), {"Con_Nome": data()["Con_Nome"]}),
            "admin_delete_connection": lambda: (self._connection(),),
        }

    def _writes_of_users(self) -> dict[str, Callable[[], tuple[Any, ...]]]:
        def groups() -> list[int]:
            return sorted(self._dice.sample(range(1, len(GROUPS) + 1), 3))

        def changed() -> tuple[Any, ...]:
            user_id, name = self._dice.choice(self.people[1:])
            return user_id, name, f"{next(self._numbers)}@suporte.example", False, True, groups()

        def created() -> tuple[Any, ...]:
            return f"novo.{next(self._numbers)}", None, False, True, groups()

        return {"admin_create_user": created, "admin_update_user": changed}

    def _writes_of_groups(self) -> dict[str, Callable[[], tuple[Any, ...]]]:
        def name() -> str:
            return f"Projeto {next(self._numbers)}"

        return {
            "admin_create_group": lambda: (name(), "Grupo temporário"),
            "admin_update_group": lambda: (self._group(), name(), "Renomeado"),
            "admin_delete_group": lambda: (self._group(),),
        }

    def _writes_of_permissions(self) -> dict[str, Callable[[], tuple[Any, ...]]]:
        def pair() -> tuple[int, int]:
            return self._dice.choice(self.people[1:])[0], self._connection()

        admin_id = self.people[0][0]
        end = MONDAY_MORNING + timedelta(days=30)
        return {
            "grant_individual_access": lambda: (*pair(), admin_id, MONDAY_MORNING, end, "por telefone"),
            "revoke_individual_access": pair,
            "grant_temporary_access": lambda: (*pair(), admin_id, 24 * 14),
            "revoke_temporary_access": lambda: (self._dice.randint(1, INDIVIDUAL_PERMISSIONS),),
            "cleanup_expired_permissions": tuple,
        }

    def _writes_of_sessions(self) -> dict[str, Callable[[], tuple[Any, ...]]]:
        def session() -> tuple[int, str]:
            return self._connection(), self._dice.choice(self.people)[1]

        return {
            "insert_connection_log": lambda: (*session(), "10.0.0.9", "ESTACAO-09", "suporte"),
            "delete_connection_log": session,
            "cleanup_ghost_connections": tuple,
        }

    def _connection(self) -> int:
        return self._dice.randint(1, CONNECTIONS)

    def _group(self) -> int:
        return self._dice.randint(1, len(GROUPS))


def targets_of(moments: list[Moment]) -> Iterator[tuple[str, str]]:
    """``("read" or "write", target)`` of every call."""
    for moment in moments:
        yield from (("read", call.target) for call in moment.reads)
        yield from (("write", call.target) for call in moment.writes)
