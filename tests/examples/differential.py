"""The whole example, write by write: what each write drops, what of it was needless, and what stays wrong.

Before each write all questions are asked, so that their answers are stored. After it they are asked again,
and once more past the cache. An answer that had to be loaded anew was dropped; needlessly, if it is what it
was before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final

from wats_accel.runtime import Accelerator

PACKAGE: Final = "src.wats.db.repositories"
_LONG_AGO: Final = datetime(2020, 1, 1)
_FAR_AHEAD: Final = datetime(2090, 1, 1)
USERS, CONNECTIONS, GROUPS = (1, 2, 9, 10, 11), (1, 2, 3, 5, 8), (1, 2, 3)

MORE_READS: Final = {
    f"{PACKAGE}.connection_repository:ConnectionRepository": [
        "admin_get_connection_details",
        "get_available_connections_for_individual_grant",
        "get_available_users_for_individual_grant",
    ],
    f"{PACKAGE}.user_repository:UserRepository": ["admin_get_user_details"],
    f"{PACKAGE}.group_repository:GroupRepository": ["admin_get_group_details"],
    f"{PACKAGE}.individual_permission_repository:IndividualPermissionRepository": [
        "list_connection_individual_permissions",
        "get_user_individual_connections",
    ],
}
"""Reads that the application's configuration does not cache, and that may be where no rule is needed."""


@dataclass(frozen=True, slots=True)
class Question:
    """A call of a cached method."""

    target: str
    name: str
    call: Callable[[], Any]


@dataclass
class Figures:
    """What came of it."""

    writes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    needless: Counter[str] = field(default_factory=Counter)
    stale: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{'write':32}{'times':>7}{'dropped':>9}{'needless':>9}"]
        for name, times in sorted(self.writes.items()):
            lines.append(f"{name:32}{times:7}{self.dropped[name]:9}{self.needless[name]:9}")
        dropped, needless = self.dropped.total(), self.needless.total()
        share = needless / dropped if dropped else 0.0
        lines.append(
            f"{'all':32}{self.writes.total():7}{dropped:9}{needless:9}  ({share:.0%} of the dropped)"
        )
        return "\n".join([*lines, f"stale: {len(self.stale)}"])


class Differential:
    """Writes to the application, and asks it.

    Args:
        service: its DBService.
        accelerator: that is in effect.
        seed: of what is done.
    """

    def __init__(self, service: Any, accelerator: Accelerator, *, seed: int) -> None:
        assert accelerator._assembly is not None
        self.figures = Figures()
        self._service = service
        self._caches = accelerator._assembly.context.caches
        self._permissions = service.connections.individual_permissions
        self._dice = Random(seed)
        rows = service.users.admin_get_all_users()
        self._names = {row[0]: row[1] for row in rows}
        self._questions = [known for known in self._every_question() if self._region(known) is not None]
        self._log_id: int | None = None

    def run(self, writes: int) -> Figures:
        """Write so many times."""
        for _ in range(writes):
            self._step()
        return self.figures

    def _step(self) -> None:
        before = [self._ask(known) for known in self._questions]
        name, write = self._dice.choice(list(self._every_write().items()))
        write()
        self.figures.writes[name] += 1
        for known, old in zip(self._questions, before, strict=True):
            hits = self._region(known).counters.hits
            answer = self._ask(known)
            if self._region(known).counters.hits == hits:
                self.figures.dropped[name] += 1
                self.figures.needless[name] += answer == old
            if answer != self._ask_past_the_cache(known):
                self.figures.stale.append(f"{known.name} after {name}")

    def _region(self, known: Question) -> Any:
        return self._caches.of_target(known.target)

    def _ask(self, known: Question) -> Any:
        return _plain(known.call())

    def _ask_past_the_cache(self, known: Question) -> Any:
        try:
            self._switch(enabled=False)
            return self._ask(known)
        finally:
            self._switch(enabled=True)

    def _switch(self, *, enabled: bool) -> None:
        for region in self._caches:  # not the pool, as `disable` does
            region.switch(enabled=enabled)

    # -- reads -----------------------------------------------------------------------------------------

    def _every_question(self) -> Iterator[Question]:
        service = self._service
        for repository, module, methods in (
            (service.groups, "group_repository:GroupRepository", {"admin_get_all_groups": [()]}),
            (service.groups, "group_repository:GroupRepository", {"admin_get_group_details": _each(GROUPS)}),
            (service.users, "user_repository:UserRepository", self._of_users()),
            (service.connections, "connection_repository:ConnectionRepository", self._of_connections()),
            (
                self._permissions,
                "individual_permission_repository:IndividualPermissionRepository",
                {
                    "list_user_individual_permissions": _each(USERS),
                    "get_user_individual_connections": _each(USERS),
                    "list_connection_individual_permissions": _each(CONNECTIONS),
                },
            ),
        ):
            for method, calls in methods.items():
                for args in calls:
                    yield _question(repository, f"{PACKAGE}.{module}", method, args)

    def _of_users(self) -> dict[str, list[tuple[Any, ...]]]:
        return {
            "get_user_role": [(self._names[user],) for user in USERS],
            "admin_get_all_users": [()],
            "admin_get_user_details": _each(USERS),
        }

    def _of_connections(self) -> dict[str, list[tuple[Any, ...]]]:
        return {
            "select_all": [(self._names[user],) for user in USERS],
            "admin_get_all_connections": [()],
            "admin_get_connection_details": _each(CONNECTIONS),
            "get_available_connections_for_individual_grant": [()],
            "get_available_users_for_individual_grant": [()],
        }

    # -- writes ----------------------------------------------------------------------------------------

    def _every_write(self) -> dict[str, Callable[[], object]]:
        dice, service = self._dice, self._service
        user, connection, group = dice.choice(USERS), dice.choice(CONNECTIONS), dice.choice(GROUPS)
        other_group, number = dice.randrange(4, 40), dice.randrange(1_000_000)
        name = self._names[user]
        permissions, logs = self._permissions, service.logs
        return {
            "update_group": lambda: service.groups.admin_update_group(group, f"Grupo {number}", "x"),
            "create_group": lambda: service.groups.admin_create_group(f"Novo {number}", None),
            "delete_group": lambda: service.groups.admin_delete_group(other_group),
            "update_user": lambda: service.users.admin_update_user(
                user, name, f"{number}@x", user == 1, True, dice.sample(GROUPS, 2)
            ),
            "create_user": lambda: service.users.admin_create_user(f"u{number}", None, False, True, [group]),
            "update_connection": lambda: service.connections.admin_update_connection(
                connection, {"Con_Nome": f"Con {number}"}
            ),
            "delete_connection": lambda: service.connections.admin_delete_connection(dice.randrange(20, 90)),
            "grant": lambda: permissions.grant_individual_access(
                user, connection, 1, _LONG_AGO, dice.choice([None, _FAR_AHEAD]), str(number)
            ),
            "revoke": lambda: permissions.revoke_individual_access(user, connection),
            "clean_up_permissions": permissions.cleanup_expired_permissions,
            "open_session": lambda: logs.insert_connection_log(connection, name, "10.0.0.1", "pc", "x"),
            "close_session": lambda: logs.delete_connection_log(connection, name),
            "heartbeat": lambda: logs.update_heartbeat(connection, name),
            "clean_up_sessions": logs.cleanup_ghost_connections,
            "log_start": lambda: self._note(logs.log_access_start("pc", connection, "x", "RDP")),
            "log_end": lambda: logs.log_access_end(self._log_id or 1),
        }

    def _note(self, log_id: int | None) -> None:
        self._log_id = log_id


def _each(numbers: tuple[int, ...]) -> list[tuple[Any, ...]]:
    return [(number,) for number in numbers]


def _question(repository: Any, owner: str, method: str, args: tuple[Any, ...]) -> Question:
    name = f"{method}{args}"
    return Question(f"{owner}.{method}", name, lambda: getattr(repository, method)(*args))


def _plain(answer: Any) -> Any:
    """An answer that can be compared: a driver's rows as tuples."""
    if isinstance(answer, list):
        return [row if isinstance(row, (dict, int)) else tuple(row) for row in answer]
    return answer
