"""config/wats-schema.yaml is what `schema-scan` writes of the example's database, and knows its cascades."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wats_accel.assembly import assemble
from wats_accel.cli.group import dispatch
from wats_accel.config.sources import read_document
from wats_accel.event_bus import EventBus
from wats_accel.sql.access import ANY, Changes, access
from wats_accel.sql.schema import Schema
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_scan import scan_schema
from wats_accel.sql.statement import facts_of

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "legacy_wats"


@pytest.fixture(scope="module", params=["wats.yaml", "wats.toml"])
def schema(request: pytest.FixtureRequest) -> Schema:
    document = read_document(ROOT / "config" / request.param)
    problems: list[object] = []
    context = assemble(document, clock=lambda: 0.0, bus=EventBus(), report=problems.append).context
    assert problems == []
    return context.schema


def changed(schema: Schema, sql: str) -> Changes:
    return schema.effect(facts_of(sql, schema.dialect, schema.columns), strict=True).changes


def test_the_file_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    file = str(ROOT / "config" / "wats-schema.yaml")
    arguments = ["--driver", "simulation.schema:empty_sqlite", "--path", str(EXAMPLE)]
    assert dispatch(["schema-scan", *arguments, "--output", file, "--check"]) == 0, "run `make generated`"


def test_postgresql_tells_the_same_and_its_procedure(odbc: Any, postgresql: Any, schema: Schema) -> None:
    from simulation.schema import create_schema

    with closing(odbc.connect(postgresql.odbc(), autocommit=True)) as server:
        server.execute("CREATE DATABASE wats_schema")
        try:
            with closing(odbc.connect(postgresql.odbc("wats_schema"), autocommit=True)) as connection:
                create_schema(connection, "postgresql")
                scanned = schema_of([scan_schema(connection).description])
        finally:
            server.execute("DROP DATABASE wats_schema WITH (FORCE)")
    assert scanned.tables == schema.tables
    assert set(scanned.foreign_keys) == set(schema.foreign_keys)
    assert scanned.routines.items() >= schema.routines.items()


def test_the_dialect_is_that_of_the_servers_in_use(schema: Schema) -> None:
    assert schema.dialect == "tsql"


def test_a_deleted_group_takes_permissions_along_and_leaves_connections_without_one(schema: Schema) -> None:
    assert changed(schema, "DELETE FROM Grupo_WTS WHERE Gru_Codigo = ?") == Changes(
        access({"grupo_wts": [ANY], "permissao_grupo_wts": [ANY], "conexao_wts": ["gru_codigo"]})
    )


def test_a_deleted_connection_takes_its_users_and_its_log_along(schema: Schema) -> None:
    assert changed(schema, "DELETE FROM Conexao_WTS WHERE Con_Codigo = ?") == Changes(
        access({"conexao_wts": [ANY], "usuario_conexao_wts": [ANY], "log_acesso_wts": [ANY]})
    )


def test_the_procedure_is_known(schema: Schema) -> None:
    assert changed(schema, "EXEC sp_Limpar_Conexoes_Fantasma") == Changes(
        access({"usuario_conexao_wts": [ANY]})
    )
