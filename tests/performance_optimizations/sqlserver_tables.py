"""The example's tables on SQL Server, which the example itself does not make, by its documentation."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from simulation.schema import DDL, TABLES

DROP_PROCEDURE: Final = "DROP PROCEDURE IF EXISTS sp_Limpar_Conexoes_Fantasma"
_WORDS: Final = MappingProxyType(
    {
        "identity": "INT IDENTITY(1, 1) PRIMARY KEY",
        "name": "VARCHAR(100) COLLATE Latin1_General_CI_AS",
        "bit": "BIT",
        "timestamp": "DATETIME2",
    }
)
_PROCEDURE: Final = """CREATE PROCEDURE sp_Limpar_Conexoes_Fantasma AS
    DELETE FROM Usuario_Conexao_WTS WHERE Usu_Last_Heartbeat < DATEADD(MINUTE, -5, GETDATE())"""


def statements() -> Iterator[str]:
    """What drops the tables and the procedure if they are there, and makes them anew."""
    for table in TABLES:
        yield f"DROP TABLE IF EXISTS {table}"
    for ddl in DDL:
        yield ddl.format_map(_WORDS)
    yield DROP_PROCEDURE
    yield _PROCEDURE
