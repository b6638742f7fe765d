"""The generated database is believable, complete, and the same for the same seed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

Load = Callable[[str], Any]


@pytest.fixture
def rows(original_database: Path) -> Callable[[str], list[Any]]:
    """Query the generated database."""

    def query(sql: str) -> list[Any]:
        connection = sqlite3.connect(original_database)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return query


def everything_in(path: Path, tables: tuple[str, ...]) -> list[list[Any]]:
    connection = sqlite3.connect(path)
    try:
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("table", "size"),
    [
        ("Usuario_Sistema_WTS", 60),
        ("Grupo_WTS", 25),
        ("Conexao_WTS", 600),
        ("Permissao_Conexao_Individual_WTS", 120),
        ("Usuario_Conexao_WTS", 30),
        ("Log_Acesso_WTS", 200),
        ("Config_Sistema_WTS", 1),
    ],
)
def test_each_table_has_its_size(rows: Callable[[str], list[Any]], table: str, size: int) -> None:
    assert rows(f"SELECT COUNT(*) FROM {table}") == [(size,)]


def test_all_references_lead_somewhere(rows: Callable[[str], list[Any]]) -> None:
    assert rows("PRAGMA foreign_key_check") == []


def test_nothing_starts_or_runs_out_on_the_simulated_days(
    load: Load, rows: Callable[[str], list[Any]]
) -> None:
    begin = load("simulation.clock").MONDAY_MORNING
    end = begin + timedelta(days=5)
    for column in ("Data_Inicio", "Data_Fim"):
        sql = f"SELECT Id FROM Permissao_Conexao_Individual_WTS WHERE {column} BETWEEN '{begin}' AND '{end}'"
        assert rows(sql) == []


def test_permissions_are_of_every_kind(load: Load, rows: Callable[[str], list[Any]]) -> None:
    begin = load("simulation.clock").MONDAY_MORNING
    sql = "SELECT COUNT(*) FROM Permissao_Conexao_Individual_WTS WHERE "
    for condition in ("Data_Fim IS NULL", f"Data_Fim < '{begin}'", f"Data_Fim > '{begin}'", "Ativo = 0"):
        assert rows(sql + condition)[0][0] >= 10


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(
    load: Load, make_settings: Any, original_database: Path, tmp_path: Path
) -> None:
    generator, tables = load("simulation.generator"), load("simulation.schema").TABLES
    contents = {}
    for seed in (1, 2):
        path = tmp_path / f"seed-{seed}" / "wats.db"
        generator.create_database(make_settings(DB_DATABASE=str(path)), seed=seed)
        contents[seed] = everything_in(path, tables)
    assert contents[1] == everything_in(original_database, tables)
    assert contents[1] != contents[2]


def test_creating_a_database_again_starts_from_scratch(
    load: Load, settings: Any, service: Any, database: Path, original_database: Path
) -> None:
    tables = load("simulation.schema").TABLES
    service.groups.admin_create_group("Um a mais", None)
    load("simulation.generator").create_database(settings, seed=1)
    assert everything_in(database, tables) == everything_in(original_database, tables)


def test_tables_are_not_created_on_other_databases(load: Load) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        with pytest.raises(ValueError, match="sqlserver"):
            load("simulation.schema").create_schema(connection, "sqlserver")
    finally:
        connection.close()
