"""Fills the example's database with a believable, seeded company: the same seed gives the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from simulation.clock import MONDAY_MORNING
from simulation.names import CLIENTS, FIRST_NAMES, GROUPS, LAST_NAMES, NOTES, ROLES, TOWNS
from simulation.schema import create_schema

USERS: Final = 60
ADMINS: Final = 8
CONNECTIONS: Final = 600
SESSIONS: Final = 30
OLD_ACCESSES: Final = 200
INDIVIDUAL_PERMISSIONS: Final = 120

PANEL_PASSWORD: Final = "abre-te-sesamo"

# Which sessions are ghosts is decided by the server's real clock, which the simulation does not move.
# So a session of another PC either has been silent for years or will not be silent for decades.
_SILENT: Final = datetime(2024, 3, 10, 18, 0)
_ALIVE: Final = datetime(2099, 12, 31)

# Nothing starts or runs out inside the simulated time. Such a change needs no write, so nothing can tell a
# cached list of it: without a rule for clock-dependent answers the list is late by up to its TTL, and the
# two runs could not be compared answer by answer.
_LONG_BEFORE: Final = MONDAY_MORNING - timedelta(days=2)
_LONG_AFTER: Final = MONDAY_MORNING + timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Filler:
    """A cursor, the dice, and the dates: what every filling step needs."""

    cursor: Any
    dice: Random

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Insert all rows of one table."""
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        for row in rows:
            self.cursor.execute(sql, tuple(row))

    def moment(self, earliest: datetime, days: int) -> datetime:
        """A whole second within `days` days after `earliest`."""
        return earliest + timedelta(seconds=self.dice.randrange(days * 86_400))


def create_database(settings: Any, *, seed: int) -> None:
    """Create and fill the tables of the database that `settings` points at; what was in them is dropped.

    Raises ValueError for a database type that the example cannot create tables on.
    """
    from src.wats.db.database_manager import DatabaseManager  # the application may not be needed otherwise

    if settings.DB_TYPE == "sqlite":
        Path(settings.DB_DATABASE).resolve().parent.mkdir(parents=True, exist_ok=True)
    connection = DatabaseManager(settings).get_transactional_connection()
    create_schema(connection, settings.DB_TYPE)
    fill(connection, seed=seed)
    connection.commit()
    connection.close()


def fill(connection: Any, *, seed: int) -> None:
    """Fill freshly created tables; the caller commits. Works on any DB-API connection with `?` parameters."""
    filler = Filler(connection.cursor(), Random(seed))
    users = _users(filler)
    groups = _groups(filler)
    clients = _connections(filler, groups)
    _group_permissions(filler, groups)
    _individual_permissions(filler)
    _sessions(filler, users)
    _old_accesses(filler, users, clients)
    password = hashlib.sha256(PANEL_PASSWORD.encode()).hexdigest()
    filler.insert("Config_Sistema_WTS", ("Cfg_Chave", "Cfg_Valor"), [("ADMIN_PASSWORD_HASH", password)])


def _users(filler: Filler) -> list[str]:
    everybody = [f"{first}.{last}" for first in FIRST_NAMES for last in LAST_NAMES]
    names = ["jefferson", *filler.dice.sample(everybody, USERS - 1)]
    # Some were typed in with capitals; to the database they are the same names.
    names = [name.title() if number % 7 == 3 else name for number, name in enumerate(names)]
    rows = [
        (name, f"{name.lower()}@suporte.example", number % 15 != 14, number < ADMINS)
        for number, name in enumerate(names)
    ]
    filler.insert("Usuario_Sistema_WTS", ("Usu_Nome", "Usu_Email", "Usu_Ativo", "Usu_Is_Admin"), rows)
    return names


def _groups(filler: Filler) -> int:
    rows = [(name, f"Clientes do segmento {name}") for name in GROUPS]
    filler.insert("Grupo_WTS", ("Gru_Nome", "Gru_Descricao"), rows)
    return len(rows)


_CONNECTION_COLUMNS: Final = (
    "Con_Nome", "Con_IP", "Con_Usuario", "Con_Senha", "Gru_Codigo", "Con_Tipo", "Con_Particularidade",
    "Con_Cliente", "Extra", "Sec", "Con_Porta", "Con_Ativo",
)  # fmt: skip


def _connections(filler: Filler, groups: int) -> list[str]:
    rows = list(_connection_rows(filler.dice, groups))
    filler.insert("Conexao_WTS", _CONNECTION_COLUMNS, rows)
    return [str(row[0]) for row in rows]


def _connection_rows(dice: Random, groups: int) -> Iterator[tuple[object, ...]]:
    for number in range(CONNECTIONS):
        client = f"{dice.choice(CLIENTS)} {dice.choice(TOWNS)}"
        yield (
            f"{client} - {dice.choice(ROLES)} {number:03d}",
            f"10.{dice.randrange(1, 250)}.{dice.randrange(250)}.{dice.randrange(2, 250)}",
            dice.choice(("administrador", "suporte", "ti")),
            f"Senha#{dice.randrange(10_000, 99_999)}",
            None if dice.random() < 0.06 else dice.randrange(1, groups + 1),
            dice.choice(("RDP", "RDP", "RDP", "RemoteApp", "AnyDesk")),
            dice.choice(NOTES),
            client,
            dice.choice((None, "VPN", "2FA")),
            dice.choice((None, "TLS", "NLA")),
            dice.choice((3389, 3389, 33_890, 13_389)),
            dice.random() > 0.05,
        )


def _group_permissions(filler: Filler, groups: int) -> None:
    rows = [
        (user_id, group_id)
        for user_id in range(ADMINS + 1, USERS + 1)
        for group_id in sorted(filler.dice.sample(range(1, groups + 1), filler.dice.randint(2, 6)))
    ]
    filler.insert("Permissao_Grupo_WTS", ("Usu_Id", "Gru_Codigo"), rows)


def _individual_permissions(filler: Filler) -> None:
    pairs: dict[tuple[int, int], None] = {}
    while len(pairs) < INDIVIDUAL_PERMISSIONS:
        pairs[filler.dice.randint(ADMINS + 1, USERS), filler.dice.randint(1, CONNECTIONS)] = None
    columns = (
        "Usu_Id", "Con_Codigo", "Data_Inicio", "Data_Fim", "Criado_Por_Usu_Id", "Data_Criacao", "Ativo",
        "Observacoes",
    )  # fmt: skip
    rows = [(*pair, *_individual_permission(filler, number)) for number, pair in enumerate(pairs)]
    filler.insert("Permissao_Conexao_Individual_WTS", columns, rows)


def _individual_permission(filler: Filler, number: int) -> tuple[object, ...]:
    begin = filler.moment(_LONG_BEFORE - timedelta(days=90), 60)
    end, note = None, "acesso permanente"
    if number % 6 in {1, 2}:
        end, note = filler.moment(_LONG_AFTER, 60), "acesso temporário"
    elif number % 6 == 3:
        end, note = filler.moment(_LONG_BEFORE - timedelta(days=20), 20), "acesso vencido"
    revoked = number % 12 == 5
    return begin, end, filler.dice.randint(1, ADMINS), begin, not revoked, note


def _sessions(filler: Filler, users: list[str]) -> None:
    columns = (
        "Con_Codigo", "Usu_Nome", "Usu_IP", "Usu_Nome_Maquina", "Usu_Usuario_Maquina", "Usu_Dat_Conexao",
        "Usu_Last_Heartbeat",
    )  # fmt: skip
    rows = [
        (
            filler.dice.randint(1, CONNECTIONS),
            filler.dice.choice(users),
            f"10.0.0.{number + 10}",
            f"ESTACAO-{number:02d}",
            "suporte",
            _SILENT - timedelta(minutes=number),
            _SILENT if number % 3 == 0 else _ALIVE,
        )
        for number in range(SESSIONS)
    ]
    filler.insert("Usuario_Conexao_WTS", columns, rows)


def _old_accesses(filler: Filler, users: list[str], connections: list[str]) -> None:
    columns = (
        "Usu_Nome_Maquina", "Con_Codigo", "Con_Nome_Acessado", "Log_DataHora_Inicio", "Log_DataHora_Fim",
        "Log_Tipo_Conexao",
    )  # fmt: skip
    rows = []
    for number in range(OLD_ACCESSES):
        connection = filler.dice.randrange(CONNECTIONS)
        begin = filler.moment(_LONG_BEFORE - timedelta(days=30), 30)
        who = f"{filler.dice.choice(users)}@ESTACAO-{number % 20:02d}"
        end = begin + timedelta(minutes=filler.dice.randint(2, 90))
        rows.append((who, connection + 1, connections[connection], begin, end, "RDP"))
    filler.insert("Log_Acesso_WTS", columns, rows)
