"""The example application is understood wholly: each method of its repositories, table by table."""

from __future__ import annotations

import pytest
from scanned_trees import EXAMPLE, reads, unknown, writes

from wats_accel.sql.source.scan import scan

REPOSITORIES = "src.wats.db.repositories"
CONNECTION_COLUMNS = {"con_nome", "con_ip", "con_usuario", "con_senha", "gru_codigo", "con_tipo"} | {
    *("con_particularidade", "con_cliente", "extra", "sec", "con_porta", "con_ativo"),
}
PERMISSION_LIST = {
    "permissao_conexao_individual_wts": {"id", "usu_id", "con_codigo", "data_inicio", "data_fim"}
    | {"criado_por_usu_id", "data_criacao", "ativo", "observacoes"},
    "conexao_wts": {"con_codigo", "con_nome"},
    "usuario_sistema_wts": {"usu_id", "usu_nome"},
}
ACCESS_NOW = {
    "permissao_conexao_individual_wts": {"usu_id", "con_codigo", "ativo", "data_inicio", "data_fim"}
}
GRANT_READS = {"permissao_conexao_individual_wts": {"id", "usu_id", "con_codigo", "ativo"}}
GRANT_WRITES = {"permissao_conexao_individual_wts": {"insert", "data_inicio", "data_fim", "observacoes"}}
REVOKED = {"permissao_conexao_individual_wts": {"ativo"}}
ROLE = {"usuario_sistema_wts": {"usu_id", "usu_nome", "usu_ativo", "usu_is_admin"}}

CONNECTIONS = "connection_repository:ConnectionRepository"
USERS = "user_repository:UserRepository"
GROUPS = "group_repository:GroupRepository"
PERMISSIONS = "individual_permission_repository:IndividualPermissionRepository"
LOGS = "log_repository:LogRepository"

# Target: what it reads, what it writes (events, and the columns of updates), whether the clock flows in.
TABLE = {
    f"{CONNECTIONS}.select_all": (
        {
            "conexao_wts": {"con_codigo"} | CONNECTION_COLUMNS - {"con_porta"},
            "grupo_wts": {"gru_codigo", "gru_nome"},
            "usuario_conexao_wts": {"con_codigo", "usu_nome"},
            "permissao_grupo_wts": {"usu_id", "gru_codigo"},
            **ACCESS_NOW,
            **ROLE,
        },
        {},
        True,
    ),
    f"{CONNECTIONS}.admin_get_all_connections": (
        {
            "conexao_wts": {
                "con_codigo",
                "con_nome",
                "con_ip",
                "con_tipo",
                "con_cliente",
                "con_ativo",
                "gru_codigo",
            },
            "grupo_wts": {"gru_codigo", "gru_nome"},
        },
        {},
        False,
    ),
    f"{CONNECTIONS}.admin_get_connection_details": (
        {"conexao_wts": {"con_codigo"} | CONNECTION_COLUMNS},
        {},
        False,
    ),
    f"{CONNECTIONS}.admin_create_connection": ({}, {"conexao_wts": {"insert"}}, False),
    f"{CONNECTIONS}.admin_update_connection": (
        {"conexao_wts": {"con_codigo"}},
        {"conexao_wts": CONNECTION_COLUMNS},
        False,
    ),
    f"{CONNECTIONS}.admin_delete_connection": (
        dict.fromkeys(("usuario_conexao_wts", "log_acesso_wts", "conexao_wts"), frozenset({"con_codigo"})),
        dict.fromkeys(("usuario_conexao_wts", "log_acesso_wts", "conexao_wts"), frozenset({"delete"})),
        False,
    ),
    f"{CONNECTIONS}.get_available_connections_for_individual_grant": (
        {
            "conexao_wts": {"con_codigo", "con_nome", "con_ativo", "gru_codigo"},
            "grupo_wts": {"gru_codigo", "gru_nome"},
        },
        {},
        False,
    ),
    f"{CONNECTIONS}.get_available_users_for_individual_grant": (
        {"usuario_sistema_wts": {"usu_id", "usu_nome", "usu_ativo"}},
        {},
        False,
    ),
    f"{CONNECTIONS}.grant_individual_access": (GRANT_READS, GRANT_WRITES, True),
    f"{CONNECTIONS}.revoke_individual_access": (
        {"permissao_conexao_individual_wts": {"usu_id", "con_codigo", "ativo"}},
        REVOKED,
        False,
    ),
    f"{CONNECTIONS}.list_user_individual_permissions": (PERMISSION_LIST, {}, False),
    f"{CONNECTIONS}.has_individual_access": (ACCESS_NOW, {}, True),
    f"{USERS}.get_user_role": (ROLE, {}, False),
    f"{USERS}.get_admin_password_hash": ({"config_sistema_wts": {"cfg_valor", "cfg_chave"}}, {}, False),
    f"{USERS}.admin_get_all_users": (
        {"usuario_sistema_wts": {"usu_id", "usu_nome", "usu_email", "usu_ativo", "usu_is_admin"}},
        {},
        False,
    ),
    f"{USERS}.admin_get_user_details": (
        {
            "usuario_sistema_wts": {"usu_id", "usu_nome", "usu_email", "usu_ativo", "usu_is_admin"},
            "permissao_grupo_wts": {"usu_id", "gru_codigo"},
        },
        {},
        False,
    ),
    f"{USERS}.admin_create_user": (
        {},
        {"usuario_sistema_wts": {"insert"}, "permissao_grupo_wts": {"insert"}},
        False,
    ),
    f"{USERS}.admin_update_user": (
        {"usuario_sistema_wts": {"usu_id"}, "permissao_grupo_wts": {"usu_id"}},
        {
            "usuario_sistema_wts": {"usu_nome", "usu_email", "usu_is_admin", "usu_ativo"},
            "permissao_grupo_wts": {"delete", "insert"},
        },
        False,
    ),
    f"{GROUPS}.admin_get_all_groups": (
        {"grupo_wts": {"gru_codigo", "gru_nome", "gru_descricao"}},
        {},
        False,
    ),
    f"{GROUPS}.admin_get_group_details": (
        {"grupo_wts": {"gru_codigo", "gru_nome", "gru_descricao"}},
        {},
        False,
    ),
    f"{GROUPS}.admin_create_group": ({}, {"grupo_wts": {"insert"}}, False),
    f"{GROUPS}.admin_update_group": (
        {"grupo_wts": {"gru_codigo"}},
        {"grupo_wts": {"gru_nome", "gru_descricao"}},
        False,
    ),
    f"{GROUPS}.admin_delete_group": ({"grupo_wts": {"gru_codigo"}}, {"grupo_wts": {"delete"}}, False),
    f"{PERMISSIONS}.list_user_individual_permissions": (PERMISSION_LIST, {}, False),
    f"{PERMISSIONS}.list_connection_individual_permissions": (PERMISSION_LIST, {}, False),
    f"{PERMISSIONS}.list_active_temporary_permissions": (PERMISSION_LIST, {}, True),
    f"{PERMISSIONS}.list_all_individual_permissions": (PERMISSION_LIST, {}, True),
    f"{PERMISSIONS}.has_individual_access": (ACCESS_NOW, {}, True),
    f"{PERMISSIONS}.get_user_individual_connections": (ACCESS_NOW, {}, True),
    f"{PERMISSIONS}.grant_individual_access": (GRANT_READS, GRANT_WRITES, True),
    f"{PERMISSIONS}.grant_temporary_access": (GRANT_READS, GRANT_WRITES, True),
    f"{PERMISSIONS}.revoke_individual_access": (
        {"permissao_conexao_individual_wts": {"usu_id", "con_codigo", "ativo"}},
        REVOKED,
        False,
    ),
    f"{PERMISSIONS}.revoke_temporary_access": (
        {"permissao_conexao_individual_wts": {"id", "data_fim", "ativo"}},
        REVOKED,
        False,
    ),
    f"{PERMISSIONS}.cleanup_expired_permissions": (
        {"permissao_conexao_individual_wts": {"data_fim", "ativo"}},
        REVOKED,
        True,
    ),
    f"{LOGS}.insert_connection_log": ({}, {"usuario_conexao_wts": {"insert"}}, True),
    f"{LOGS}.delete_connection_log": (
        {"usuario_conexao_wts": {"con_codigo", "usu_nome"}},
        {"usuario_conexao_wts": {"delete"}},
        False,
    ),
    f"{LOGS}.update_heartbeat": (
        {"usuario_conexao_wts": {"con_codigo", "usu_nome"}},
        {"usuario_conexao_wts": {"usu_last_heartbeat"}},
        False,
    ),
    f"{LOGS}.cleanup_ghost_connections": (
        {"usuario_conexao_wts": {"usu_last_heartbeat"}},
        {"usuario_conexao_wts": {"delete"}},
        False,
    ),
    f"{LOGS}.log_access_start": ({}, {"log_acesso_wts": {"insert"}}, False),
    f"{LOGS}.log_access_end": (
        {"log_acesso_wts": {"log_id"}},
        {"log_acesso_wts": {"log_datahora_fim"}},
        False,
    ),
}


@pytest.fixture(scope="module", params=["tsql", "sqlite", "postgres", ""])
def example(request):
    return scan(EXAMPLE, dialect=request.param)


@pytest.fixture(scope="module")
def on_sql_server():
    return scan(EXAMPLE, dialect="tsql")


@pytest.mark.parametrize("name", TABLE)
def test_each_method_reads_and_writes_what_it_does(on_sql_server, name):
    target = f"{REPOSITORIES}.{name}"
    expected_reads, expected_writes, clock = TABLE[name]
    assert reads(on_sql_server, target) == expected_reads
    assert writes(on_sql_server, target) == expected_writes
    assert any(method.clock for method in on_sql_server.reachable(target)) == clock
    assert unknown(on_sql_server, target) == []


def test_the_tables_are_the_same_in_every_dialect(example):
    for name, (expected_reads, expected_writes, _) in TABLE.items():
        target = f"{REPOSITORIES}.{name}"
        assert set(reads(example, target)) == set(expected_reads)
        assert set(writes(example, target)) == set(expected_writes)
        assert unknown(example, target) == []


def test_no_public_method_of_a_repository_is_missing(on_sql_server):
    found = {
        target.removeprefix(f"{REPOSITORIES}.")
        for target in on_sql_server.methods
        if target.startswith(REPOSITORIES) and "._" not in target.partition(":")[2]
    }
    assert found == set(TABLE)


def test_reads_have_nothing_unknown_in_their_statements(on_sql_server):
    for name, (_, expected_writes, _) in TABLE.items():
        for method in on_sql_server.reachable(f"{REPOSITORIES}.{name}"):
            for statement in method.statements if not expected_writes else ():
                assert not statement.facts.unknowns, statement.text
                assert not statement.facts.calls, statement.text


def test_the_ghosts_are_removed_by_a_procedure_or_by_its_body(on_sql_server):
    method = on_sql_server.methods[f"{REPOSITORIES}.{LOGS}.cleanup_ghost_connections"]
    assert [statement.text.split()[0] for statement in method.statements] == ["EXEC", "DELETE", "CALL"]
    assert {call.name for each in method.statements for call in each.facts.calls} == {
        "sp_limpar_conexoes_fantasma"
    }


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        (f"{USERS}.get_user_role", ["(None, False)", "(None, False)"]),
        (f"{USERS}.get_admin_password_hash", ["None"]),
        (f"{USERS}.admin_get_all_users", []),
        (f"{PERMISSIONS}.has_individual_access", ["False"]),
        (f"{CONNECTIONS}.has_individual_access", ["False"]),
        (f"{PERMISSIONS}.get_user_individual_connections", ["[]"]),
        (f"{CONNECTIONS}.select_all", ["[]"]),
        (f"{CONNECTIONS}.admin_get_all_connections", []),
        (f"{GROUPS}.admin_get_all_groups", []),
        (f"{LOGS}.update_heartbeat", ["False"]),
        (f"{LOGS}.log_access_start", ["None"]),
    ],
)
def test_answers_that_are_failures_are_told(on_sql_server, name, answers):
    method = on_sql_server.methods[f"{REPOSITORIES}.{name}"]
    assert [answer.text for answer in method.failure_answers] == answers


def test_a_failure_is_told_where_it_is_made(on_sql_server):
    (answer,) = on_sql_server.methods[f"{REPOSITORIES}.{CONNECTIONS}.has_individual_access"].failure_answers
    assert answer.place.file == "src/wats/db/repositories/individual_permission_repository.py"


def test_calls_lead_to_other_repositories(on_sql_server):
    calls = {call.target for call in on_sql_server.methods[f"{REPOSITORIES}.{CONNECTIONS}.select_all"].calls}
    assert f"{REPOSITORIES}.{USERS}.get_user_role" in calls
    assert "src.wats.db.database_manager:DatabaseManager.get_cursor" in calls


def test_the_window_reaches_the_repositories(on_sql_server):
    assert "permissao_conexao_individual_wts" in reads(on_sql_server, "src.wats.main:WatsWindow.refresh")
    assert writes(on_sql_server, "src.wats.admin_panels:PermissionsPanel.revoke_here") == REVOKED
    assert writes(on_sql_server, "src.wats.sessions:HeartbeatThread.run") == {
        "usuario_conexao_wts": {"usu_last_heartbeat"}
    }
    assert unknown(on_sql_server, "src.wats.admin_panels:PermissionsPanel.revoke_here") == []


def test_what_another_thread_does_is_followed_and_told(on_sql_server):
    method = on_sql_server.methods["src.wats.main:WatsWindow.cleanup_ghosts"]
    assert [call.target for call in method.calls] == [f"{REPOSITORIES}.{LOGS}.cleanup_ghost_connections"]
    assert [each.what for each in method.unknowns] == ["what it does in another thread"]


def test_modules_are_called_alike_wherever_the_scan_begins(on_sql_server):
    inner = scan(EXAMPLE / "src", dialect="tsql")
    assert set(inner.methods) <= set(on_sql_server.methods)
    target = f"{REPOSITORIES}.{CONNECTIONS}.select_all"
    assert reads(inner, target) == reads(on_sql_server, target)


def test_nothing_is_unreadable(on_sql_server):
    assert on_sql_server.unreadable == ()
