"""The example behaves as the application that it stands for, faults included."""

from __future__ import annotations

import gc
import inspect
import sys
import types
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

Load = Callable[[str], Any]
REPOSITORIES = "src.wats.db.repositories"

SIGNATURES = {
    "connection_repository:ConnectionRepository": {
        "select_all": "username",
        "admin_get_all_connections": "",
        "admin_get_connection_details": "con_id",
        "admin_create_connection": "data",
        "admin_update_connection": "con_id data",
        "admin_delete_connection": "con_id",
        "get_available_connections_for_individual_grant": "",
        "get_available_users_for_individual_grant": "",
        "list_user_individual_permissions": "user_id",
    },
    "user_repository:UserRepository": {
        "get_user_role": "username",
        "get_admin_password_hash": "",
        "admin_get_all_users": "",
        "admin_get_user_details": "user_id",
        "admin_create_user": "username email is_admin is_active group_ids",
        "admin_update_user": "user_id username email is_admin is_active group_ids",
    },
    "group_repository:GroupRepository": {
        "admin_get_all_groups": "",
        "admin_get_group_details": "group_id",
        "admin_create_group": "nome desc",
        "admin_update_group": "group_id nome desc",
        "admin_delete_group": "group_id",
    },
    "individual_permission_repository:IndividualPermissionRepository": {
        "list_user_individual_permissions": "user_id",
        "list_connection_individual_permissions": "connection_id",
        "list_active_temporary_permissions": "",
        "list_all_individual_permissions": "user_id",
        "has_individual_access": "user_id connection_id",
        "get_user_individual_connections": "user_id",
        "grant_individual_access": (
            "user_id connection_id granted_by_user_id start_date end_date observations"
        ),
        "revoke_individual_access": "user_id connection_id",
        "grant_temporary_access": "user_id connection_id granted_by_user_id duration_hours observations",
        "revoke_temporary_access": "permission_id",
        "cleanup_expired_permissions": "",
    },
    "log_repository:LogRepository": {
        "insert_connection_log": "con_codigo username ip computer_name user_name",
        "delete_connection_log": "con_codigo username",
        "update_heartbeat": "con_codigo username",
        "cleanup_ghost_connections": "",
        "log_access_end": "log_id",
    },
}


@pytest.fixture
def permissions(load: Load, service: Any) -> Any:
    """A second repository object over the same database, as other modules build them."""
    module = load(f"{REPOSITORIES}.individual_permission_repository")
    return module.IndividualPermissionRepository(service.db_manager)


@pytest.mark.parametrize(
    ("path", "method", "parameters"),
    [
        pytest.param(path, method, parameters, id=f"{path.partition(':')[2]}.{method}")
        for path, methods in SIGNATURES.items()
        for method, parameters in methods.items()
    ],
)
def test_every_method_has_the_signature_of_the_real_one(
    load: Load, path: str, method: str, parameters: str
) -> None:
    module, _, class_name = path.partition(":")
    found = inspect.signature(getattr(getattr(load(f"{REPOSITORIES}.{module}"), class_name), method))
    assert list(found.parameters) == ["self", *parameters.split()]


# --- connections to the database ----------------------------------------------------------------


def test_each_cursor_has_a_connection_of_its_own(service: Any) -> None:
    first, second = service.db_manager.get_cursor(), service.db_manager.get_cursor()
    assert first.connection is not second.connection


def test_nobody_keeps_the_connection_of_a_cursor(service: Any) -> None:
    cursor = service.db_manager.get_cursor()
    connection = weakref.ref(cursor.connection)
    gc.collect()
    assert connection() is not None
    del cursor
    # pyodbc needs no collector for this; since Python 3.11 sqlite3's connections refer to themselves.
    gc.collect()
    assert connection() is None


def test_a_cursor_commits_by_itself(service: Any, count: Callable[..., int]) -> None:
    cursor = service.db_manager.get_cursor()
    cursor.execute("INSERT INTO Grupo_WTS (Gru_Nome) VALUES ('Solto')")
    assert count("Grupo_WTS", "Gru_Nome = 'solto'") == 1


def test_leaving_the_with_block_of_a_cursor_commits_and_does_not_close(
    service: Any, count: Callable[..., int]
) -> None:
    with service.db_manager.get_transactional_connection().cursor() as cursor:
        cursor.execute("INSERT INTO Grupo_WTS (Gru_Nome) VALUES ('Solto')")
    assert count("Grupo_WTS", "Gru_Nome = 'Solto'") == 1
    assert cursor.execute("SELECT 1").fetchone()[0] == 1


def test_there_is_one_transactional_connection_and_it_does_not_commit_by_itself(
    service: Any, count: Callable[..., int]
) -> None:
    connection = service.db_manager.get_transactional_connection()
    connection.cursor().execute("INSERT INTO Grupo_WTS (Gru_Nome) VALUES ('Solto')")
    assert service.db_manager.get_transactional_connection() is connection
    assert count("Grupo_WTS", "Gru_Nome = 'Solto'") == 0
    connection.rollback()


def test_every_repository_holds_the_driver_module(service: Any) -> None:
    for repository in (service.users, service.groups, service.logs, service.connections):
        assert repository.driver_module is sys.modules["sqlite3"]
        assert repository.db is service.db_manager


def test_an_unknown_database_type_is_a_configuration_error(load: Load, make_settings: Any) -> None:
    errors = load("src.wats.db.exceptions")
    with pytest.raises(errors.DatabaseConfigError, match="oracle"):
        load("src.wats.db.database_manager").DatabaseManager(make_settings(DB_TYPE="oracle"))


@pytest.mark.parametrize(
    ("variables", "expected", "identity"),
    [
        pytest.param(
            {"DB_TYPE": "sqlserver", "DB_SERVER": "srv", "DB_PORT": "1433", "DB_DATABASE": "WATS"},
            "SERVER=srv,1433;DATABASE=WATS;",
            "SELECT @@IDENTITY",
            id="sqlserver",
        ),
        pytest.param(
            {"DB_TYPE": "postgresql", "DB_SERVER": "srv", "DB_DATABASE": "wats"},
            "SERVER=srv;PORT=5432;DATABASE=wats;UID=;PWD=;BoolsAsChar=0",
            "SELECT lastval()",
            id="postgresql",
        ),
        pytest.param(
            {"DB_TYPE": "postgresql", "DB_ODBC": "DSN=wats;"},
            "DSN=wats;BoolsAsChar=0",
            "SELECT lastval()",
            id="postgresql-whole-string",
        ),
    ],
)
def test_the_connection_string_is_made_of_the_settings(
    load: Load,
    make_settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    expected: str,
    identity: str,
) -> None:
    monkeypatch.setitem(sys.modules, "pyodbc", types.ModuleType("pyodbc"))
    manager = load("src.wats.db.database_manager").DatabaseManager(make_settings(**variables))
    assert expected in manager.connection_string
    assert identity == manager.IDENTITY_QUERY
    assert not manager.is_demo


# --- connections --------------------------------------------------------------------------------


def test_an_administrator_sees_every_active_connection_in_twelve_columns(
    service: Any, count: Callable[..., int]
) -> None:
    rows = service.connections.select_all("jefferson")
    assert {len(row) for row in rows} == {12}
    assert len({row[0] for row in rows}) == count("Conexao_WTS", "Con_Ativo = 1")


def test_the_database_compares_user_names_without_regard_to_case(service: Any) -> None:
    assert service.users.get_user_role("JEFFERSON") == service.users.get_user_role("jefferson") == (1, True)
    assert service.connections.select_all("Jefferson") == service.connections.select_all("jefferson")


def test_others_see_what_their_groups_and_permissions_give_them(
    service: Any, permissions: Any, count: Callable[..., int]
) -> None:
    assert service.users.admin_create_user("nova.pessoa", None, False, True, [1])[0]
    user_id, is_admin = service.users.get_user_role("nova.pessoa")
    assert not is_admin
    of_the_group = {row[0] for row in service.connections.select_all("nova.pessoa")}
    assert len(of_the_group) == count("Conexao_WTS", "Con_Ativo = 1 AND Gru_Codigo = 1")
    elsewhere = next(
        row[0] for row in service.connections.select_all("jefferson") if row[0] not in of_the_group
    )
    assert permissions.grant_individual_access(user_id, elsewhere, 1)[0]
    assert {row[0] for row in service.connections.select_all("nova.pessoa")} == {*of_the_group, elsewhere}


def test_a_connection_can_be_created_read_changed_and_deleted(
    service: Any, count: Callable[..., int]
) -> None:
    connections = service.connections
    data = {"Con_Nome": "Zebra", "Con_IP": "10.0.0.1", "Con_Senha": "x", "Con_Ativo": True}
    assert connections.admin_create_connection(data) == (True, "Conexão 'Zebra' criada com sucesso.")
    con_id = next(row[0] for row in connections.admin_get_all_connections() if row[1] == "Zebra")
    assert connections.admin_update_connection(con_id, {"Con_Porta": 3390}) == (
        True,
        "Conexão atualizada com sucesso.",
    )
    details = connections.admin_get_connection_details(con_id)
    assert (details["Con_Codigo"], details["Con_Nome"], details["Con_Porta"]) == (con_id, "Zebra", 3390)
    assert connections.admin_delete_connection(con_id)[0]
    assert connections.admin_get_connection_details(con_id) is None
    assert count("Conexao_WTS", "Con_Codigo = ?", con_id) == 0


def test_deleting_a_connection_takes_its_sessions_and_its_history_along(
    service: Any, count: Callable[..., int]
) -> None:
    service.logs.insert_connection_log(5, "jefferson", "10.0.0.1", "PC", "suporte")
    service.logs.log_access_start("jefferson@PC", 5, "cinco", "RDP")
    service.db_manager.get_cursor().execute("DELETE FROM Conexao_WTS WHERE Con_Codigo = 5")
    assert count("Usuario_Conexao_WTS", "Con_Codigo = 5") == count("Log_Acesso_WTS", "Con_Codigo = 5") == 0


# --- users and groups ---------------------------------------------------------------------------


def test_a_user_can_be_created_read_and_changed(service: Any) -> None:
    assert service.users.admin_create_user("zeca", "z@x.example", True, True, [3, 1]) == (
        True,
        "Usuário 'zeca' criado com sucesso.",
    )
    user_id, is_admin = service.users.get_user_role("ZECA")
    assert is_admin
    assert service.users.admin_update_user(user_id, "zeca", None, False, False, [2])[0]
    assert service.users.admin_get_user_details(user_id) == {
        "id": user_id,
        "nome": "zeca",
        "email": None,
        "is_active": False,
        "is_admin": False,
        "grupos": {2},
    }
    assert service.users.get_user_role("zeca") == (None, False)
    assert (user_id, "zeca", "", 0, 0) in service.users.admin_get_all_users()


def test_a_failed_transaction_leaves_nothing_behind(service: Any, count: Callable[..., int]) -> None:
    ok, message = service.users.admin_create_user("novo", None, False, True, [1, 1])
    assert not ok
    assert message.startswith("Erro ao criar usuário:")
    assert count("Usuario_Sistema_WTS", "Usu_Nome = 'novo'") == 0
    assert service.users.admin_create_user("JEFFERSON", None, False, True, [])[0] is False
    assert service.users.admin_update_user(2, "jefferson", None, False, True, [])[0] is False


def test_the_password_of_the_panels_is_kept_as_a_hash(load: Load, service: Any) -> None:
    panels = load("src.wats.admin_panels").AdminPanels(service)
    assert len(service.users.get_admin_password_hash()) == 64
    assert panels.unlock(load("simulation.generator").PANEL_PASSWORD)
    assert not panels.unlock("errada")


def test_deleting_a_user_takes_the_group_permissions_along(service: Any, count: Callable[..., int]) -> None:
    assert count("Permissao_Grupo_WTS", "Usu_Id = 30") > 0
    service.db_manager.get_cursor().execute("DELETE FROM Usuario_Sistema_WTS WHERE Usu_Id = 30")
    assert count("Permissao_Grupo_WTS", "Usu_Id = 30") == 0


def test_a_group_can_be_created_read_changed_and_deleted(service: Any) -> None:
    groups = service.groups
    assert groups.admin_create_group("Zoológicos", None)[0]
    group_id = next(row[0] for row in groups.admin_get_all_groups() if row[1] == "Zoológicos")
    assert groups.admin_update_group(group_id, "Zoos", "bichos")[0]
    assert groups.admin_get_group_details(group_id) == {"id": group_id, "nome": "Zoos", "descricao": "bichos"}
    assert groups.admin_create_group("zoos", None)[0] is False
    assert groups.admin_update_group(1, "zoos", None)[0] is False
    assert groups.admin_delete_group(group_id) == (True, "Grupo excluído com sucesso.")
    assert groups.admin_get_group_details(group_id) is None


def test_deleting_a_group_takes_permissions_along_and_leaves_connections_without_one(
    service: Any, count: Callable[..., int]
) -> None:
    without_before, in_group = (
        count("Conexao_WTS", "Gru_Codigo IS NULL"),
        count("Conexao_WTS", "Gru_Codigo = 1"),
    )
    service.groups.admin_delete_group(1)
    assert count("Permissao_Grupo_WTS", "Gru_Codigo = 1") == 0
    assert count("Conexao_WTS", "Gru_Codigo IS NULL") == without_before + in_group


# --- individual permissions ---------------------------------------------------------------------


def test_access_can_be_granted_listed_and_revoked_through_either_repository(
    service: Any, permissions: Any
) -> None:
    assert service.connections.grant_individual_access(9, 8, 1) == (True, "Permissão individual concedida.")
    assert permissions.grant_individual_access(9, 8, 1) == (True, "Permissão individual atualizada.")
    assert permissions.has_individual_access(9, 8)
    assert service.connections.has_individual_access(9, 8)
    assert 8 in permissions.get_user_individual_connections(9)
    listed = [item for item in permissions.list_user_individual_permissions(9) if item["connection_id"] == 8]
    assert [(item["user_id"], item["granted_by"]) for item in listed] == [(9, "jefferson")]
    assert listed[0] in permissions.list_connection_individual_permissions(8)
    assert listed[0] in service.connections.list_user_individual_permissions(9)
    assert service.connections.revoke_individual_access(9, 8) == (True, "Permissão individual revogada.")
    assert permissions.revoke_individual_access(9, 8) == (False, "Permissão não encontrada.")
    assert not permissions.has_individual_access(9, 8)


def test_access_begins_and_runs_out_by_the_clock(permissions: Any) -> None:
    now = datetime.now()
    permissions.grant_individual_access(9, 8, 1, now + timedelta(hours=1))
    permissions.grant_individual_access(9, 7, 1, now - timedelta(hours=2), now - timedelta(hours=1))
    assert not permissions.has_individual_access(9, 8)
    assert not permissions.has_individual_access(9, 7)
    status = {
        item["connection_id"]: item["status"] for item in permissions.list_all_individual_permissions(9)
    }
    assert (status[8], status[7]) == ("FUTURA", "EXPIRADA")
    expired = sum(item["status"] == "EXPIRADA" for item in permissions.list_all_individual_permissions())
    count, message = permissions.cleanup_expired_permissions()
    assert (count, message) == (expired, f"{expired} permissões expiradas desativadas.")


def test_temporary_access_can_be_ended_early(permissions: Any) -> None:
    permissions.grant_temporary_access(9, 8, 1, 5)
    (mine,) = [
        item
        for item in permissions.list_active_temporary_permissions()
        if (item["user_id"], item["connection_id"]) == (9, 8)
    ]
    assert permissions.revoke_temporary_access(mine["id"]) == (True, "Acesso temporário revogado.")
    assert permissions.revoke_temporary_access(mine["id"])[0] is False
    assert mine not in permissions.list_active_temporary_permissions()


def test_what_can_be_granted_are_active_connections_to_active_users(
    service: Any, count: Callable[..., int]
) -> None:
    connections = service.connections.get_available_connections_for_individual_grant()
    users = service.connections.get_available_users_for_individual_grant()
    assert len(connections) == count("Conexao_WTS", "Con_Ativo = 1")
    assert len(users) == count("Usuario_Sistema_WTS", "Usu_Ativo = 1")


# --- sessions -----------------------------------------------------------------------------------


def test_an_open_session_shows_in_the_list_until_it_is_closed(service: Any) -> None:
    def connected() -> set[str]:
        return {row[11] for row in service.connections.select_all("jefferson") if row[0] == con_id}

    con_id = service.connections.select_all("jefferson")[0][0]
    assert service.logs.insert_connection_log(con_id, "maria", "10.0.0.1", "PC", "suporte") is True
    assert "maria" in connected()
    assert service.logs.update_heartbeat(con_id, "MARIA") is True
    service.logs.cleanup_ghost_connections()
    assert "maria" in connected()
    assert service.logs.delete_connection_log(con_id, "Maria") is True
    assert "maria" not in connected()


def test_silent_sessions_are_ghosts(service: Any, count: Callable[..., int]) -> None:
    assert count("Usuario_Conexao_WTS") == 30
    service.logs.cleanup_ghost_connections()
    assert count("Usuario_Conexao_WTS") == 20


def test_an_access_is_logged_from_start_to_end(service: Any, count: Callable[..., int]) -> None:
    log_id = service.logs.log_access_start("jefferson@PC", 5, "cinco", "RDP")
    assert count("Log_Acesso_WTS", "Log_Id = ? AND Log_DataHora_Fim IS NULL", log_id) == 1
    assert service.logs.log_access_end(log_id) is True
    assert count("Log_Acesso_WTS", "Log_Id = ? AND Log_DataHora_Fim IS NOT NULL", log_id) == 1
