"""Usuários do sistema (Usuario_Sistema_WTS) e seus grupos (Permissao_Grupo_WTS)."""

import logging
from collections.abc import Iterable
from typing import Any

from src.wats.db.exceptions import DatabaseConnectionError, DatabaseQueryError
from src.wats.db.repositories.base_repository import BaseRepository


class UserRepository(BaseRepository):
    """Quem pode entrar, e com que papel."""

    def get_user_role(self, username: str) -> "tuple[int | None, bool]":
        """Código do usuário e se é administrador; (None, False) se não houver ou em caso de erro."""
        query = f"""
            SELECT Usu_Id, Usu_Is_Admin FROM Usuario_Sistema_WTS
            WHERE Usu_Nome = {self.db.PARAM} AND Usu_Ativo = {self.db.TRUE}
        """
        cursor = self.db.get_cursor()
        if not cursor:
            return None, False
        try:
            with cursor:
                row = cursor.execute(query, (username,)).fetchone()
                if row:
                    return row[0], bool(row[1])
                return None, False
        except self.driver_module.Error as e:
            logging.error(f"Erro ao buscar papel do usuário {username}: {e}")
            return None, False

    def get_admin_password_hash(self) -> "str | None":
        """Hash da senha do painel administrativo."""
        query = f"SELECT Cfg_Valor FROM Config_Sistema_WTS WHERE Cfg_Chave = {self.db.PARAM}"
        cursor = self.db.get_cursor()
        try:
            with cursor:
                row = cursor.execute(query, ("ADMIN_PASSWORD_HASH",)).fetchone()
                return row[0] if row else None
        except self.driver_module.Error as e:
            logging.error(f"Erro ao buscar senha de administrador: {e}")
            return None

    def admin_get_all_users(self) -> "list[Any]":
        """Todos os usuários: código, nome, e-mail, ativo, administrador."""
        query = f"""
            SELECT Usu_Id, Usu_Nome, {self.db.ISNULL}(Usu_Email, '') AS Usu_Email, Usu_Ativo, Usu_Is_Admin
            FROM Usuario_Sistema_WTS ORDER BY Usu_Nome
        """
        cursor = self.db.get_cursor()
        if not cursor:
            raise DatabaseConnectionError("Sem conexão com o banco de dados.")
        try:
            with cursor:
                cursor.execute(query)
                return cursor.fetchall()
        except self.driver_module.Error as e:
            raise DatabaseQueryError(f"Erro ao buscar usuários: {e}") from e

    def admin_get_user_details(self, user_id: int) -> "dict[str, Any] | None":
        """Um usuário com o conjunto dos códigos de seus grupos, ou None se não existir."""
        query_user = f"""
            SELECT Usu_Id, Usu_Nome, Usu_Email, Usu_Ativo, Usu_Is_Admin
            FROM Usuario_Sistema_WTS WHERE Usu_Id = {self.db.PARAM}
        """
        query_groups = f"SELECT Gru_Codigo FROM Permissao_Grupo_WTS WHERE Usu_Id = {self.db.PARAM}"
        cursor = self.db.get_cursor()
        try:
            with cursor:
                row = cursor.execute(query_user, (user_id,)).fetchone()
                if not row:
                    return None
                groups = {r[0] for r in cursor.execute(query_groups, (user_id,)).fetchall()}
                return {
                    "id": row[0],
                    "nome": row[1],
                    "email": row[2],
                    "is_active": bool(row[3]),
                    "is_admin": bool(row[4]),
                    "grupos": groups,
                }
        except self.driver_module.Error as e:
            raise DatabaseQueryError(f"Erro ao buscar usuário {user_id}: {e}") from e

    def _insert_groups(self, cursor: Any, user_id: int, group_ids: "Iterable[int]") -> None:
        rows = [(user_id, group_id) for group_id in group_ids]
        if rows:
            cursor.executemany(
                f"""INSERT INTO Permissao_Grupo_WTS (Usu_Id, Gru_Codigo)
                    VALUES ({self.db.PARAM}, {self.db.PARAM})""",
                rows,
            )

    def admin_create_user(
        self, username: str, email: "str | None", is_admin: bool, is_active: bool, group_ids: "Iterable[int]"
    ) -> "tuple[bool, str]":
        """Cria um usuário e suas permissões de grupo, numa transação."""
        query = f"""
            INSERT INTO Usuario_Sistema_WTS (Usu_Nome, Usu_Email, Usu_Is_Admin, Usu_Ativo)
            VALUES ({", ".join([self.db.PARAM] * 4)})
        """
        conn = self.db.get_transactional_connection()
        try:
            with conn.cursor() as cursor:
                cursor.execute(query, (username, email, bool(is_admin), bool(is_active)))
                user_id = cursor.execute(self.db.IDENTITY_QUERY).fetchone()[0]
                self._insert_groups(cursor, user_id, group_ids)
            conn.commit()
            return True, f"Usuário '{username}' criado com sucesso."
        except self.driver_module.Error as e:
            conn.rollback()
            logging.error(f"Erro ao criar usuário {username}: {e}")
            return False, f"Erro ao criar usuário: {e}"

    def admin_update_user(
        self,
        user_id: int,
        username: str,
        email: "str | None",
        is_admin: bool,
        is_active: bool,
        group_ids: "Iterable[int]",
    ) -> "tuple[bool, str]":
        """Altera um usuário e refaz suas permissões de grupo, numa transação."""
        query = f"""
            UPDATE Usuario_Sistema_WTS
            SET Usu_Nome = {self.db.PARAM}, Usu_Email = {self.db.PARAM},
                Usu_Is_Admin = {self.db.PARAM}, Usu_Ativo = {self.db.PARAM}
            WHERE Usu_Id = {self.db.PARAM}
        """
        conn = self.db.get_transactional_connection()
        try:
            with conn.cursor() as cursor:
                cursor.execute(query, (username, email, bool(is_admin), bool(is_active), user_id))
                cursor.execute(f"DELETE FROM Permissao_Grupo_WTS WHERE Usu_Id = {self.db.PARAM}", (user_id,))
                self._insert_groups(cursor, user_id, group_ids)
            conn.commit()
            return True, f"Usuário '{username}' atualizado com sucesso."
        except self.driver_module.Error as e:
            conn.rollback()
            logging.error(f"Erro ao atualizar usuário {user_id}: {e}")
            return False, f"Erro ao atualizar usuário: {e}"
