"""Conexões RDP cadastradas (Conexao_WTS): a lista da janela e o cadastro do painel."""

import logging
from datetime import datetime
from typing import Any

from src.wats.db.database_manager import DatabaseManager
from src.wats.db.exceptions import DatabaseQueryError
from src.wats.db.repositories.base_repository import BaseRepository
from src.wats.db.repositories.individual_permission_repository import IndividualPermissionRepository
from src.wats.db.repositories.user_repository import UserRepository

COLUNAS = (
    "Con_Nome",
    "Con_IP",
    "Con_Usuario",
    "Con_Senha",
    "Gru_Codigo",
    "Con_Tipo",
    "Con_Particularidade",
    "Con_Cliente",
    "Extra",
    "Sec",
    "Con_Porta",
    "Con_Ativo",
)


class ConnectionRepository(BaseRepository):
    """O que cada usuário enxerga, e a manutenção do cadastro."""

    def __init__(self, db_manager: DatabaseManager, user_repo: UserRepository) -> None:
        super().__init__(db_manager)
        self.user_repo = user_repo
        self.individual_permissions = IndividualPermissionRepository(db_manager)

    # --- a lista da janela --------------------------------------------------------------------

    def _access_filter(self, user_id: int) -> "tuple[str, tuple[Any, ...]]":
        agora = datetime.now()
        p = self.db.PARAM
        sql = f"""
              AND (C.Gru_Codigo IN (SELECT PG.Gru_Codigo FROM Permissao_Grupo_WTS PG WHERE PG.Usu_Id = {p})
                   OR EXISTS (SELECT 1 FROM Permissao_Conexao_Individual_WTS PI
                              WHERE PI.Usu_Id = {p} AND PI.Con_Codigo = C.Con_Codigo
                                AND PI.Ativo = {self.db.TRUE} AND PI.Data_Inicio <= {p}
                                AND (PI.Data_Fim IS NULL OR PI.Data_Fim >= {p})))
        """
        return sql, (user_id, user_id, agora, agora)

    def select_all(self, username: str) -> "list[Any]":
        """Conexões que o usuário pode abrir, uma linha por usuário conectado em cada uma."""
        user_id, is_admin = self.user_repo.get_user_role(username)
        if user_id is None:
            logging.warning(f"Usuário {username} não encontrado ou inativo.")
            return []
        filtro, params = ("", ()) if is_admin else self._access_filter(user_id)
        query = f"""
            SELECT C.Con_Codigo, C.Con_IP, C.Con_Nome, C.Con_Usuario, C.Con_Senha,
                   {self.db.ISNULL}(G.Gru_Nome, 'Sem Grupo') AS Gru_Nome, C.Con_Tipo, C.Con_Particularidade,
                   C.Con_Cliente, C.Extra, C.Sec, UC.Usu_Nome
            FROM Conexao_WTS C
            LEFT JOIN Grupo_WTS G ON G.Gru_Codigo = C.Gru_Codigo
            LEFT JOIN Usuario_Conexao_WTS UC ON UC.Con_Codigo = C.Con_Codigo
            WHERE C.Con_Ativo = {self.db.TRUE} {filtro}
            ORDER BY C.Con_Nome, C.Con_Codigo, UC.Usu_Nome
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, params)
                return cursor.fetchall()
        except self.driver_module.Error as e:
            logging.error(f"Erro ao buscar conexões de {username}: {e}")
            raise DatabaseQueryError(f"Erro ao buscar conexões: {e}") from e

    # --- cadastro -----------------------------------------------------------------------------

    def admin_get_all_connections(self) -> "list[Any]":
        """Todas as conexões, também as inativas, para o painel."""
        query = f"""
            SELECT C.Con_Codigo, C.Con_Nome, {self.db.ISNULL}(G.Gru_Nome, 'Sem Grupo') AS Gru_Nome,
                   C.Con_IP, C.Con_Tipo, C.Con_Cliente, C.Con_Ativo
            FROM Conexao_WTS C LEFT JOIN Grupo_WTS G ON G.Gru_Codigo = C.Gru_Codigo
            ORDER BY C.Con_Nome, C.Con_Codigo
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()
        except self.driver_module.Error as e:
            raise DatabaseQueryError(f"Erro ao buscar conexões: {e}") from e

    def admin_get_connection_details(self, con_id: int) -> "dict[str, Any] | None":
        """Uma conexão como dicionário, ou None se não existir."""
        query = f"SELECT {', '.join(COLUNAS)} FROM Conexao_WTS WHERE Con_Codigo = {self.db.PARAM}"
        try:
            with self.db.get_cursor() as cursor:
                row = cursor.execute(query, (con_id,)).fetchone()
                if not row:
                    return None
                # Pelos nossos nomes: o PostgreSQL devolve os dele em minúsculas.
                return {"Con_Codigo": con_id, **dict(zip(COLUNAS, row, strict=True))}
        except self.driver_module.Error as e:
            raise DatabaseQueryError(f"Erro ao buscar conexão {con_id}: {e}") from e

    def admin_create_connection(self, data: "dict[str, Any]") -> "tuple[bool, str]":
        """Cadastra uma conexão com os campos informados."""
        campos = [coluna for coluna in COLUNAS if coluna in data]
        query = f"""
            INSERT INTO Conexao_WTS ({", ".join(campos)})
            VALUES ({", ".join([self.db.PARAM] * len(campos))})
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, [data[campo] for campo in campos])
            return True, f"Conexão '{data.get('Con_Nome')}' criada com sucesso."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao criar conexão: {e}")
            return False, f"Erro ao criar conexão: {e}"

    def admin_update_connection(self, con_id: int, data: "dict[str, Any]") -> "tuple[bool, str]":
        """Altera só os campos informados."""
        campos = [coluna for coluna in COLUNAS if coluna in data]
        atribuicoes = ", ".join(f"{campo} = {self.db.PARAM}" for campo in campos)
        query = f"UPDATE Conexao_WTS SET {atribuicoes} WHERE Con_Codigo = {self.db.PARAM}"
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, [*(data[campo] for campo in campos), con_id])
            return True, "Conexão atualizada com sucesso."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao atualizar conexão {con_id}: {e}")
            return False, f"Erro ao atualizar conexão: {e}"

    def admin_delete_connection(self, con_id: int) -> "tuple[bool, str]":
        """Exclui uma conexão com suas sessões e seu histórico, numa transação."""
        conn = self.db.get_transactional_connection()
        try:
            with conn.cursor() as cursor:
                for tabela in ("Usuario_Conexao_WTS", "Log_Acesso_WTS", "Conexao_WTS"):
                    cursor.execute(f"DELETE FROM {tabela} WHERE Con_Codigo = {self.db.PARAM}", (con_id,))
            conn.commit()
            return True, "Conexão excluída com sucesso."
        except self.driver_module.Error as e:
            conn.rollback()
            logging.error(f"Erro ao excluir conexão {con_id}: {e}")
            return False, f"Erro ao excluir conexão: {e}"

    # --- permissões individuais ---------------------------------------------------------------

    def get_available_connections_for_individual_grant(self) -> "list[Any]":
        """Conexões ativas que podem ser concedidas: código, nome, grupo."""
        query = f"""
            SELECT C.Con_Codigo, C.Con_Nome, {self.db.ISNULL}(G.Gru_Nome, 'Sem Grupo') AS Gru_Nome
            FROM Conexao_WTS C LEFT JOIN Grupo_WTS G ON G.Gru_Codigo = C.Gru_Codigo
            WHERE C.Con_Ativo = {self.db.TRUE} ORDER BY C.Con_Nome, C.Con_Codigo
        """
        return self._fetch(query)

    def get_available_users_for_individual_grant(self) -> "list[Any]":
        """Usuários ativos a quem se pode conceder acesso: código, nome."""
        query = f"""
            SELECT Usu_Id, Usu_Nome FROM Usuario_Sistema_WTS
            WHERE Usu_Ativo = {self.db.TRUE} ORDER BY Usu_Nome
        """
        return self._fetch(query)

    def _fetch(self, query: str) -> "list[Any]":
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()
        except self.driver_module.Error as e:
            raise DatabaseQueryError(f"Erro ao buscar opções de permissão: {e}") from e

    def grant_individual_access(
        self,
        user_id: int,
        connection_id: int,
        granted_by_user_id: int,
        start_date: "datetime | None" = None,
        end_date: "datetime | None" = None,
        observations: "str | None" = None,
    ) -> "tuple[bool, str]":
        """Repassa a IndividualPermissionRepository."""
        return self.individual_permissions.grant_individual_access(
            user_id, connection_id, granted_by_user_id, start_date, end_date, observations
        )

    def revoke_individual_access(self, user_id: int, connection_id: int) -> "tuple[bool, str]":
        """Repassa a IndividualPermissionRepository."""
        return self.individual_permissions.revoke_individual_access(user_id, connection_id)

    def list_user_individual_permissions(self, user_id: int) -> "list[dict[str, Any]]":
        """Repassa a IndividualPermissionRepository."""
        return self.individual_permissions.list_user_individual_permissions(user_id)

    def has_individual_access(self, user_id: int, connection_id: int) -> bool:
        """Repassa a IndividualPermissionRepository."""
        return self.individual_permissions.has_individual_access(user_id, connection_id)
