"""The example application as registers with versions: every answer tells from which write it is.

A register is something that one method of the application overwrites as a whole: the name and description of
a group, the e-mail address of a user, the name of a connection, the access of a user to a connection. The
version is a part of the text (``Grupo 3/17``). Keys are ``("group", 3)``, ``("access", user, connection)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Final

from history_check import Key, Versions

GROUPS: Final = (1, 2, 3)
CONNECTIONS: Final = tuple(range(1, 9))
ADMIN: Final = 1
PEOPLE: Final = (9, 10, 11)
"""Users who are no administrators. Each may use group 2, and what is granted one by one."""
GROUP_OF_PEOPLE: Final = 2
GRANTABLE: Final = (2, 5)
"""Connections that are not of that group."""

GRANTED: Final = range(1, 1_000_000, 2)
"""Versions of an access that is there, if its text is not: grants and revocations take turns."""
REVOKED: Final = range(0, 1_000_000, 2)
_LONG_AGO: Final = datetime(2020, 1, 1)


def prepare(service: Any) -> None:
    """Leave as few rows as the registers need, each with version 0, in a database of the test's own."""
    with service.db_manager.get_cursor() as cursor:
        for table in ("Usuario_Conexao_WTS", "Permissao_Conexao_Individual_WTS", "Permissao_Grupo_WTS"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("DELETE FROM Conexao_WTS WHERE Con_Codigo > ?", (CONNECTIONS[-1],))
        cursor.execute("DELETE FROM Grupo_WTS WHERE Gru_Codigo > ?", (GROUPS[-1],))
        cursor.execute("DELETE FROM Usuario_Sistema_WTS WHERE Usu_Id > ?", (PEOPLE[-1],))
        cursor.execute("UPDATE Grupo_WTS SET Gru_Nome = 'Grupo ' || Gru_Codigo || '/0', Gru_Descricao = '/0'")
        cursor.execute("UPDATE Usuario_Sistema_WTS SET Usu_Email = '/0'")
        for number in CONNECTIONS:
            cursor.execute(
                "UPDATE Conexao_WTS SET Con_Nome = ?, Gru_Codigo = ?, Con_Ativo = ? WHERE Con_Codigo = ?",
                (f"Conexão {number}/0", number % len(GROUPS) + 1, True, number),
            )
        for user in PEOPLE:
            cursor.execute(
                "INSERT INTO Permissao_Grupo_WTS (Usu_Id, Gru_Codigo) VALUES (?, ?)", (user, GROUP_OF_PEOPLE)
            )


# -- what an answer says -------------------------------------------------------------------------------


class TornAnswerError(AssertionError):
    """One answer shows a state that the database never had."""


class Seen(dict[Key, Versions]):
    """What one answer says of registers."""

    def note(self, text: str, *key: object) -> None:
        """Note the version at the end of a text.

        Raises:
            TornAnswerError: another place in the answer tells another one.
        """
        version = _version(text)
        if self.setdefault(key, version) != version:
            raise TornAnswerError(f"versions {self[key]} and {version} of {key} in one answer")

    def note_access(self, user: int, granted: dict[int, Versions]) -> None:
        """Note the access of a user to each connection; what is not in the answer is revoked."""
        for connection in GRANTABLE:
            self["access", user, connection] = granted.get(connection, REVOKED)


def _version(text: str) -> int:
    return int(text.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Question:
    """One call of a cached method: the entry that may answer it, the call, and how its answer is read.

    An empty answer of one that is never empty stands for a failure: the application gives ``[]`` when it
    could not find out who asks.
    """

    source: tuple[object, ...]
    call: Callable[[], Any]
    see: Callable[[Any], Seen]
    is_never_empty: bool = True


def _see_groups(rows: list[Any]) -> Seen:
    seen = Seen()
    for row in rows:
        seen.note(row[1], "group", row[0])
        seen.note(row[2], "group", row[0])
    return _complete(seen, "group", GROUPS)


def _see_users(rows: list[Any]) -> Seen:
    seen = Seen()
    for row in rows:
        seen.note(row[2], "user", row[0])
    return _complete(seen, "user", (ADMIN, *PEOPLE))


def _see_connections(rows: list[Any]) -> Seen:
    seen = Seen()
    for row in rows:
        _see_connection(seen, row[0], row[1], row[2])
    return _complete(seen, "connection", CONNECTIONS)


def _see_window(user: int, rows: list[Any]) -> Seen:
    seen = Seen()
    for row in rows:
        _see_connection(seen, row[0], row[2], row[5])
    if user == ADMIN:
        return _complete(seen, "connection", CONNECTIONS)
    seen.note_access(user, {row[0]: GRANTED for row in rows})
    ungranted = (number for number in CONNECTIONS if _group_of(number) == GROUP_OF_PEOPLE)
    return _complete(seen, "connection", ungranted)


def _see_permissions(user: int, permissions: list[dict[str, Any]]) -> Seen:
    seen = Seen()
    for permission in permissions:
        seen.note(permission["connection_name"], "connection", permission["connection_id"])
    granted: dict[int, Versions] = {
        each["connection_id"]: _version(each["observations"]) for each in permissions
    }
    seen.note_access(user, granted)
    return seen


def _see_connection(seen: Seen, number: int, name: str, group_name: str) -> None:
    seen.note(name, "connection", number)
    seen.note(group_name, "group", _group_of(number))


def _group_of(connection: int) -> int:
    return connection % len(GROUPS) + 1


def _complete(seen: Seen, kind: str, numbers: Iterable[int]) -> Seen:
    missing = [number for number in numbers if (kind, number) not in seen]
    if missing:
        raise TornAnswerError(f"{kind} {missing} is not in the answer")
    return seen


# -- the application -----------------------------------------------------------------------------------


class Company:
    """The application, reached through several objects of each of its classes.

    Args:
        services: its DBServices, all on one database that `prepare` has been given.
        permissions: more objects of its IndividualPermissionRepository.
    """

    def __init__(self, services: Sequence[Any], permissions: Sequence[Any]) -> None:
        self._services = services
        self._permissions = [*permissions, *(service.connections for service in services)]
        rows = services[0].users.admin_get_all_users()
        self._names: dict[int, str] = {row[0]: row[1] for row in rows}

    # reads

    def question(self, dice: Random) -> Question:
        """Any of the cached reads."""
        return dice.choice((self._groups, self._users, self._connections, self._window, self._permitted))(
            dice
        )

    def _groups(self, dice: Random) -> Question:
        return Question(("groups",), dice.choice(self._services).groups.admin_get_all_groups, _see_groups)

    def _users(self, dice: Random) -> Question:
        return Question(("users",), dice.choice(self._services).users.admin_get_all_users, _see_users)

    def _connections(self, dice: Random) -> Question:
        connections = dice.choice(self._services).connections
        return Question(("connections",), connections.admin_get_all_connections, _see_connections)

    def _window(self, dice: Random) -> Question:
        connections, user = dice.choice(self._services).connections, dice.choice((ADMIN, *PEOPLE))
        # To the database, and by its rule to the cache, a name in capitals is the same name.
        name = dice.choice((str.lower, str.upper))(self._names[user])
        return Question(
            ("window", user), lambda: connections.select_all(name), lambda rows: _see_window(user, rows)
        )

    def _permitted(self, dice: Random) -> Question:
        permissions, user = dice.choice(self._permissions), dice.choice(PEOPLE)
        return Question(
            ("permissions", user),
            lambda: permissions.list_user_individual_permissions(user),
            lambda found: _see_permissions(user, found),
            is_never_empty=False,
        )

    # writes

    def registers(self) -> Iterator[tuple[Any, ...]]:
        """The keys of all registers."""
        yield from (("group", number) for number in GROUPS)
        yield from (("user", number) for number in (ADMIN, *PEOPLE))
        yield from (("connection", number) for number in CONNECTIONS)
        yield from (("access", user, number) for user in PEOPLE for number in GRANTABLE)

    def write(self, key: tuple[Any, ...], version: int, dice: Random) -> bool:
        """Write a version into a register; gives whether the application says that it did."""
        kind, *numbers = key
        done, _ = getattr(self, f"_write_{kind}")(*numbers, version, dice)
        return bool(done)

    def _write_group(self, number: int, version: int, dice: Random) -> Any:
        groups = dice.choice(self._services).groups
        return groups.admin_update_group(number, f"Grupo {number}/{version}", f"/{version}")

    def _write_user(self, number: int, version: int, dice: Random) -> Any:
        is_admin = number == ADMIN
        groups = () if is_admin else (GROUP_OF_PEOPLE,)
        users = dice.choice(self._services).users
        return users.admin_update_user(number, self._names[number], f"/{version}", is_admin, True, groups)

    def _write_connection(self, number: int, version: int, dice: Random) -> Any:
        connections = dice.choice(self._services).connections
        return connections.admin_update_connection(number, {"Con_Nome": f"Conexão {number}/{version}"})

    def _write_access(self, user: int, connection: int, version: int, dice: Random) -> Any:
        permissions = dice.choice(self._permissions)
        if version in REVOKED:
            return permissions.revoke_individual_access(user, connection)
        return permissions.grant_individual_access(user, connection, ADMIN, _LONG_AGO, None, f"/{version}")
