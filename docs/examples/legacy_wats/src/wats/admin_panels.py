"""Painéis administrativos: conexões, usuários, grupos e permissões individuais."""

import hashlib
import logging
from typing import Any

from src.wats.db.repositories.individual_permission_repository import IndividualPermissionRepository


class ConnectionsPanel:
    """Cadastro de conexões."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.rows: list[Any] = []
        self.groups: list[Any] = []

    def open(self) -> None:
        """Carrega a tabela e a caixa de grupos."""
        self.reload()
        self.groups = self.db.groups.admin_get_all_groups()
        self.groups.insert(0, (None, "Sem Grupo", ""))

    def reload(self) -> None:
        self.rows = self.db.connections.admin_get_all_connections()
        self.rows.sort(key=lambda row: (row[5] or "", row[1]))

    def search(self, texto: str) -> None:
        """Filtra a própria lista recebida; `reload` traz tudo de volta."""
        self.rows[:] = [row for row in self.rows if texto.lower() in f"{row[1]} {row[5]}".lower()]

    def details(self, con_id: int) -> "dict[str, Any] | None":
        found: dict[str, Any] | None = self.db.connections.admin_get_connection_details(con_id)
        return found

    def save(self, con_id: int, data: "dict[str, Any]") -> bool:
        return self._report(self.db.connections.admin_update_connection(con_id, data))

    def create(self, data: "dict[str, Any]") -> bool:
        return self._report(self.db.connections.admin_create_connection(data))

    def delete(self, con_id: int) -> bool:
        return self._report(self.db.connections.admin_delete_connection(con_id))

    def _report(self, answer: "tuple[bool, str]") -> bool:
        ok, message = answer
        logging.log(logging.INFO if ok else logging.WARNING, message)
        self.reload()
        return ok


class UsersPanel:
    """Cadastro de usuários."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.rows: list[Any] = []
        self.groups: list[Any] = []

    def open(self) -> None:
        """Carrega a tabela e as caixas de grupos."""
        self.reload()
        self.groups = self.db.groups.admin_get_all_groups()

    def reload(self) -> None:
        self.rows = self.db.users.admin_get_all_users()
        self.rows.sort(key=lambda row: (not row[3], row[1].lower()))

    def details(self, user_id: int) -> "dict[str, Any] | None":
        found: dict[str, Any] | None = self.db.users.admin_get_user_details(user_id)
        return found

    def save(self, user: "dict[str, Any]") -> bool:
        return self._report(
            self.db.users.admin_update_user(
                user["id"],
                user["nome"],
                user["email"],
                user["is_admin"],
                user["is_active"],
                sorted(user["grupos"]),
            )
        )

    def create(self, nome: str, email: str, is_admin: bool, grupos: "list[int]") -> bool:
        return self._report(self.db.users.admin_create_user(nome, email, is_admin, True, grupos))

    def _report(self, answer: "tuple[bool, str]") -> bool:
        ok, message = answer
        logging.log(logging.INFO if ok else logging.WARNING, message)
        self.reload()
        return ok


class GroupsPanel:
    """Cadastro de grupos."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.rows: list[Any] = []

    def open(self) -> None:
        self.rows = self.db.groups.admin_get_all_groups()
        self.rows.sort(key=lambda row: row[1].lower())

    def details(self, group_id: int) -> "dict[str, Any] | None":
        found: dict[str, Any] | None = self.db.groups.admin_get_group_details(group_id)
        return found

    def save(self, group_id: int, nome: str, descricao: "str | None") -> bool:
        return self._report(self.db.groups.admin_update_group(group_id, nome, descricao))

    def create(self, nome: str, descricao: str) -> bool:
        return self._report(self.db.groups.admin_create_group(nome, descricao))

    def delete(self, group_id: int) -> bool:
        return self._report(self.db.groups.admin_delete_group(group_id))

    def _report(self, answer: "tuple[bool, str]") -> bool:
        ok, message = answer
        logging.log(logging.INFO if ok else logging.WARNING, message)
        self.open()
        return ok


class PermissionsPanel:
    """Permissões individuais; este painel usa um repositório só seu."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.permissions: Any = IndividualPermissionRepository(db.db_manager)
        self.users: list[Any] = []
        self.connections: list[Any] = []
        self.granted: list[dict[str, Any]] = []

    def open(self) -> None:
        self.users = self.db.connections.get_available_users_for_individual_grant()
        self.connections = self.db.connections.get_available_connections_for_individual_grant()

    def select_user(self, user_id: int) -> None:
        """Mostra as permissões do usuário, as mais novas primeiro."""
        self.granted = self.db.connections.list_user_individual_permissions(user_id)
        self.granted.sort(key=lambda item: -item["id"])

    def grant(self, user_id: int, con_id: int, granted_by: int, observations: str) -> bool:
        ok, message = self.db.connections.grant_individual_access(
            user_id, con_id, granted_by, observations=observations
        )
        return self._report(user_id, ok, message)

    def grant_temporary(self, user_id: int, con_id: int, granted_by: int, hours: float) -> bool:
        ok, message = self.permissions.grant_temporary_access(
            user_id, con_id, granted_by, hours, "temporário"
        )
        return self._report(user_id, ok, message)

    def revoke(self, user_id: int, con_id: int) -> bool:
        ok, message = self.db.connections.revoke_individual_access(user_id, con_id)
        return self._report(user_id, ok, message)

    def revoke_here(self, user_id: int, con_id: int) -> bool:
        """O mesmo, pelo repositório deste painel."""
        ok, message = self.permissions.revoke_individual_access(user_id, con_id)
        return self._report(user_id, ok, message)

    def revoke_temporary(self, permission: "dict[str, Any]") -> bool:
        ok, message = self.permissions.revoke_temporary_access(permission["id"])
        return self._report(permission["user_id"], ok, message)

    def _report(self, user_id: int, ok: bool, message: str) -> bool:
        logging.log(logging.INFO if ok else logging.WARNING, message)
        self.select_user(user_id)
        return ok


class AdminPanels:
    """Os painéis, atrás da senha de administrador."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.connections = ConnectionsPanel(db)
        self.users = UsersPanel(db)
        self.groups = GroupsPanel(db)
        self.permissions = PermissionsPanel(db)

    def unlock(self, senha: str) -> bool:
        """Confere a senha do painel."""
        esperado = self.db.users.get_admin_password_hash()
        return bool(esperado) and hashlib.sha256(senha.encode("utf-8")).hexdigest() == esperado
