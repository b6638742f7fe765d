"""What the example answers when its database fails: the answers that a cache must never keep."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

Load = Callable[[str], Any]


@pytest.fixture
def unreachable(service: Any, tmp_path: Any) -> Any:
    """The service after its database went away: connecting fails."""
    service.db_manager.connection_string = str(tmp_path / "no" / "such" / "folder.db")
    return service


def test_without_a_database_no_cursor_and_no_connection_are_given(
    unreachable: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert unreachable.db_manager.get_cursor() is None
        assert unreachable.db_manager.get_transactional_connection() is None
    assert len(caplog.records) == 2


def test_without_a_database_the_role_and_the_list_look_like_answers(unreachable: Any) -> None:
    assert unreachable.users.get_user_role("jefferson") == (None, False)
    assert unreachable.connections.select_all("jefferson") == []


def test_without_a_database_the_list_of_users_raises(load: Load, unreachable: Any) -> None:
    with pytest.raises(load("src.wats.db.exceptions").DatabaseConnectionError):
        unreachable.users.admin_get_all_users()


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda s: s.connections.admin_get_all_connections(), id="read"),
        pytest.param(lambda s: s.connections.has_individual_access(9, 8), id="read-that-catches"),
        pytest.param(lambda s: s.users.get_admin_password_hash(), id="cursor-taken-first"),
        pytest.param(lambda s: s.logs.update_heartbeat(1, "x"), id="write"),
        pytest.param(lambda s: s.users.admin_create_user("x", None, False, True, []), id="transaction"),
    ],
)
def test_without_a_database_everything_else_trips_over_the_missing_cursor(
    unreachable: Any, call: Callable[[Any], object]
) -> None:
    with pytest.raises((TypeError, AttributeError)):
        call(unreachable)


@pytest.fixture
def emptied(load: Load, service: Any) -> Any:
    """The service on a database that answers every statement with an error."""
    cursor = service.db_manager.get_cursor()
    for table in load("simulation.schema").TABLES:
        cursor.execute(f"DROP TABLE {table}")
    return service


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        pytest.param(lambda s: s.users.get_user_role("jefferson"), (None, False), id="get_user_role"),
        pytest.param(lambda s: s.users.get_admin_password_hash(), None, id="get_admin_password_hash"),
        pytest.param(lambda s: s.connections.select_all("jefferson"), [], id="select_all"),
        pytest.param(lambda s: s.connections.has_individual_access(9, 8), False, id="has_individual_access"),
        pytest.param(
            lambda s: s.connections.individual_permissions.get_user_individual_connections(9),
            [],
            id="get_user_individual_connections",
        ),
        pytest.param(lambda s: s.logs.insert_connection_log(1, "x", "", "", ""), False, id="insert_log"),
        pytest.param(lambda s: s.logs.delete_connection_log(1, "x"), False, id="delete_log"),
        pytest.param(lambda s: s.logs.update_heartbeat(1, "x"), False, id="update_heartbeat"),
        pytest.param(lambda s: s.logs.cleanup_ghost_connections(), None, id="cleanup_ghosts"),
        pytest.param(lambda s: s.logs.log_access_start("x", 1, "x", "RDP"), None, id="log_access_start"),
        pytest.param(lambda s: s.logs.log_access_end(1), False, id="log_access_end"),
    ],
)
def test_a_refused_statement_gives_a_value_that_looks_like_an_answer(
    emptied: Any, call: Callable[[Any], object], answer: object
) -> None:
    assert call(emptied) == answer


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(
            lambda s: s.connections.admin_create_connection({"Con_Nome": "x"}), id="create_connection"
        ),
        pytest.param(
            lambda s: s.connections.admin_update_connection(1, {"Con_Nome": "x"}), id="update_connection"
        ),
        pytest.param(lambda s: s.connections.admin_delete_connection(1), id="delete_connection"),
        pytest.param(lambda s: s.connections.grant_individual_access(1, 1, 1), id="grant"),
        pytest.param(lambda s: s.connections.revoke_individual_access(1, 1), id="revoke"),
        pytest.param(
            lambda s: s.connections.individual_permissions.revoke_temporary_access(1), id="revoke_temporary"
        ),
        pytest.param(
            lambda s: s.connections.individual_permissions.cleanup_expired_permissions(), id="cleanup"
        ),
        pytest.param(lambda s: s.users.admin_create_user("x", None, False, True, []), id="create_user"),
        pytest.param(lambda s: s.users.admin_update_user(1, "x", None, False, True, []), id="update_user"),
        pytest.param(lambda s: s.groups.admin_create_group("x", None), id="create_group"),
        pytest.param(lambda s: s.groups.admin_update_group(1, "x", None), id="update_group"),
        pytest.param(lambda s: s.groups.admin_delete_group(1), id="delete_group"),
    ],
)
def test_a_refused_write_says_so(emptied: Any, call: Callable[[Any], tuple[object, str]]) -> None:
    ok, message = call(emptied)
    assert not ok
    assert message.startswith("Erro ao ")


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda s: s.connections.admin_get_all_connections(), id="all_connections"),
        pytest.param(lambda s: s.connections.admin_get_connection_details(1), id="connection_details"),
        pytest.param(
            lambda s: s.connections.get_available_users_for_individual_grant(), id="available_users"
        ),
        pytest.param(lambda s: s.connections.list_user_individual_permissions(1), id="permissions"),
        pytest.param(lambda s: s.users.admin_get_all_users(), id="all_users"),
        pytest.param(lambda s: s.users.admin_get_user_details(1), id="user_details"),
        pytest.param(lambda s: s.groups.admin_get_all_groups(), id="all_groups"),
        pytest.param(lambda s: s.groups.admin_get_group_details(1), id="group_details"),
    ],
)
def test_other_refused_reads_raise(load: Load, emptied: Any, call: Callable[[Any], object]) -> None:
    with pytest.raises(load("src.wats.db.exceptions").DatabaseQueryError):
        call(emptied)


def test_a_failed_query_for_the_list_raises(load: Load, service: Any) -> None:
    service.db_manager.get_cursor().execute("DROP TABLE Usuario_Conexao_WTS")
    with pytest.raises(load("src.wats.db.exceptions").DatabaseQueryError):
        service.connections.select_all("jefferson")
