"""Grupos de conexões (Grupo_WTS)."""

import logging
from typing import Any

from src.wats.db.exceptions import DatabaseQueryError
from src.wats.db.repositories.base_repository import BaseRepository


class GroupRepository(BaseRepository):
    """Manutenção de grupos, para o painel administrativo."""

    def admin_get_all_groups(self) -> "list[Any]":
        """Todos os grupos: código, nome, descrição."""
        query = "SELECT Gru_Codigo, Gru_Nome, Gru_Descricao FROM Grupo_WTS ORDER BY Gru_Nome"
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()
        except self.driver_module.Error as e:
            logging.error(f"Erro ao buscar grupos: {e}")
            raise DatabaseQueryError(f"Erro ao buscar grupos: {e}") from e

    def admin_get_group_details(self, group_id: int) -> "dict[str, Any] | None":
        """Um grupo como dicionário, ou None se não existir."""
        query = f"""
            SELECT Gru_Codigo, Gru_Nome, Gru_Descricao FROM Grupo_WTS WHERE Gru_Codigo = {self.db.PARAM}
        """
        try:
            with self.db.get_cursor() as cursor:
                row = cursor.execute(query, (group_id,)).fetchone()
                if not row:
                    return None
                return {"id": row[0], "nome": row[1], "descricao": row[2]}
        except self.driver_module.Error as e:
            raise DatabaseQueryError(f"Erro ao buscar grupo {group_id}: {e}") from e

    def admin_create_group(self, nome: str, desc: "str | None") -> "tuple[bool, str]":
        """Cria um grupo."""
        query = f"""
            INSERT INTO Grupo_WTS (Gru_Nome, Gru_Descricao) VALUES ({self.db.PARAM}, {self.db.PARAM})
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (nome, desc))
            return True, f"Grupo '{nome}' criado com sucesso."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao criar grupo {nome}: {e}")
            return False, f"Erro ao criar grupo: {e}"

    def admin_update_group(self, group_id: int, nome: str, desc: "str | None") -> "tuple[bool, str]":
        """Altera nome e descrição de um grupo."""
        query = f"""
            UPDATE Grupo_WTS SET Gru_Nome = {self.db.PARAM}, Gru_Descricao = {self.db.PARAM}
            WHERE Gru_Codigo = {self.db.PARAM}
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (nome, desc, group_id))
            return True, f"Grupo '{nome}' atualizado com sucesso."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao atualizar grupo {group_id}: {e}")
            return False, f"Erro ao atualizar grupo: {e}"

    def admin_delete_group(self, group_id: int) -> "tuple[bool, str]":
        """Exclui um grupo; o banco cuida das permissões e das conexões que eram dele."""
        query = f"DELETE FROM Grupo_WTS WHERE Gru_Codigo = {self.db.PARAM}"
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (group_id,))
            return True, "Grupo excluído com sucesso."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao excluir grupo {group_id}: {e}")
            return False, f"Erro ao excluir grupo: {e}"
