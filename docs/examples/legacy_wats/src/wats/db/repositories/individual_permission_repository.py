"""Permissões individuais, permanentes ou temporárias (Permissao_Conexao_Individual_WTS)."""

import logging
from datetime import datetime, timedelta
from typing import Any

from src.wats.db.exceptions import DatabaseQueryError
from src.wats.db.repositories.base_repository import BaseRepository

CAMPOS = (
    "id",
    "user_id",
    "user_name",
    "connection_id",
    "connection_name",
    "start_date",
    "end_date",
    "granted_by",
    "created_at",
    "is_active",
    "observations",
)


class IndividualPermissionRepository(BaseRepository):
    """Acesso de um usuário a uma conexão, fora dos grupos."""

    # --- leitura ------------------------------------------------------------------------------

    def _select(self, extra_columns: str = "") -> str:
        return f"""
            SELECT P.Id, P.Usu_Id, U.Usu_Nome, P.Con_Codigo, C.Con_Nome, P.Data_Inicio, P.Data_Fim,
                   {self.db.ISNULL}(A.Usu_Nome, '') AS Criado_Por, P.Data_Criacao, P.Ativo, P.Observacoes
                   {extra_columns}
            FROM Permissao_Conexao_Individual_WTS P
            INNER JOIN Conexao_WTS C ON C.Con_Codigo = P.Con_Codigo
            INNER JOIN Usuario_Sistema_WTS U ON U.Usu_Id = P.Usu_Id
            LEFT JOIN Usuario_Sistema_WTS A ON A.Usu_Id = P.Criado_Por_Usu_Id
        """

    def _fetch_dicts(self, query: str, params: "tuple[Any, ...]", campos: "tuple[str, ...]") -> "list[Any]":
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, params)
                return [dict(zip(campos, row, strict=True)) for row in cursor.fetchall()]
        except self.driver_module.Error as e:
            logging.error(f"Erro ao listar permissões individuais: {e}")
            raise DatabaseQueryError(f"Erro ao listar permissões individuais: {e}") from e

    def list_user_individual_permissions(self, user_id: int) -> "list[dict[str, Any]]":
        """Permissões individuais ativas de um usuário."""
        query = f"""{self._select()}
            WHERE P.Usu_Id = {self.db.PARAM} AND P.Ativo = {self.db.TRUE}
            ORDER BY C.Con_Nome, P.Id
        """
        return self._fetch_dicts(query, (user_id,), CAMPOS)

    def list_connection_individual_permissions(self, connection_id: int) -> "list[dict[str, Any]]":
        """Permissões individuais ativas sobre uma conexão."""
        query = f"""{self._select()}
            WHERE P.Con_Codigo = {self.db.PARAM} AND P.Ativo = {self.db.TRUE}
            ORDER BY U.Usu_Nome, P.Id
        """
        return self._fetch_dicts(query, (connection_id,), CAMPOS)

    def list_active_temporary_permissions(self) -> "list[dict[str, Any]]":
        """Permissões temporárias que ainda valem agora."""
        query = f"""{self._select()}
            WHERE P.Ativo = {self.db.TRUE} AND P.Data_Fim IS NOT NULL AND P.Data_Fim >= {self.db.PARAM}
            ORDER BY P.Data_Fim, P.Id
        """
        return self._fetch_dicts(query, (datetime.now(),), CAMPOS)

    def list_all_individual_permissions(self, user_id: "int | None" = None) -> "list[dict[str, Any]]":
        """Todas as permissões, também as encerradas, com a situação de cada uma agora."""
        agora = datetime.now()
        situacao = f""", CASE WHEN P.Ativo <> {self.db.TRUE} THEN 'REVOGADA'
                              WHEN P.Data_Fim < {self.db.PARAM} THEN 'EXPIRADA'
                              WHEN P.Data_Inicio > {self.db.PARAM} THEN 'FUTURA'
                              ELSE 'ATIVA' END AS Situacao"""
        params: tuple[Any, ...] = (agora, agora)
        filtro = ""
        if user_id is not None:
            filtro = f"WHERE P.Usu_Id = {self.db.PARAM}"
            params += (user_id,)
        query = f"{self._select(situacao)} {filtro} ORDER BY P.Id"
        return self._fetch_dicts(query, params, (*CAMPOS, "status"))

    def has_individual_access(self, user_id: int, connection_id: int) -> bool:
        """Se o usuário tem, agora, acesso individual à conexão; False também em caso de erro."""
        agora = datetime.now()
        query = f"""
            SELECT COUNT(*) FROM Permissao_Conexao_Individual_WTS
            WHERE Usu_Id = {self.db.PARAM} AND Con_Codigo = {self.db.PARAM} AND Ativo = {self.db.TRUE}
              AND Data_Inicio <= {self.db.PARAM}
              AND (Data_Fim IS NULL OR Data_Fim >= {self.db.PARAM})
        """
        try:
            with self.db.get_cursor() as cursor:
                row = cursor.execute(query, (user_id, connection_id, agora, agora)).fetchone()
                return bool(row[0] > 0)
        except self.driver_module.Error as e:
            logging.error(f"Erro ao verificar acesso individual: {e}")
            return False

    def get_user_individual_connections(self, user_id: int) -> "list[int]":
        """Códigos das conexões a que o usuário tem acesso agora; [] também em caso de erro."""
        agora = datetime.now()
        query = f"""
            SELECT DISTINCT Con_Codigo FROM Permissao_Conexao_Individual_WTS
            WHERE Usu_Id = {self.db.PARAM} AND Ativo = {self.db.TRUE}
              AND Data_Inicio <= {self.db.PARAM}
              AND (Data_Fim IS NULL OR Data_Fim >= {self.db.PARAM})
            ORDER BY Con_Codigo
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (user_id, agora, agora))
                return [row[0] for row in cursor.fetchall()]
        except self.driver_module.Error as e:
            logging.error(f"Erro ao buscar conexões individuais: {e}")
            return []

    # --- escrita ------------------------------------------------------------------------------

    def grant_individual_access(
        self,
        user_id: int,
        connection_id: int,
        granted_by_user_id: int,
        start_date: "datetime | None" = None,
        end_date: "datetime | None" = None,
        observations: "str | None" = None,
    ) -> "tuple[bool, str]":
        """Concede acesso; se já houver uma permissão ativa, só muda o período dela."""
        agora = datetime.now()
        p = self.db.PARAM
        try:
            with self.db.get_cursor() as cursor:
                row = cursor.execute(
                    f"""SELECT Id FROM Permissao_Conexao_Individual_WTS
                        WHERE Usu_Id = {p} AND Con_Codigo = {p} AND Ativo = {self.db.TRUE}""",
                    (user_id, connection_id),
                ).fetchone()
                if row:
                    cursor.execute(
                        f"""UPDATE Permissao_Conexao_Individual_WTS
                            SET Data_Inicio = {p}, Data_Fim = {p}, Observacoes = {p} WHERE Id = {p}""",
                        (start_date or agora, end_date, observations, row[0]),
                    )
                    return True, "Permissão individual atualizada."
                cursor.execute(
                    f"""INSERT INTO Permissao_Conexao_Individual_WTS
                            (Usu_Id, Con_Codigo, Data_Inicio, Data_Fim, Criado_Por_Usu_Id, Data_Criacao,
                             Ativo, Observacoes)
                        VALUES ({", ".join([p] * 6)}, {self.db.TRUE}, {p})""",
                    (
                        user_id,
                        connection_id,
                        start_date or agora,
                        end_date,
                        granted_by_user_id,
                        agora,
                        observations,
                    ),
                )
            return True, "Permissão individual concedida."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao conceder acesso individual: {e}")
            return False, f"Erro ao conceder acesso: {e}"

    def grant_temporary_access(
        self,
        user_id: int,
        connection_id: int,
        granted_by_user_id: int,
        duration_hours: float,
        observations: "str | None" = None,
    ) -> "tuple[bool, str]":
        """Concede acesso a partir de agora, por algumas horas."""
        inicio = datetime.now()
        fim = inicio + timedelta(hours=duration_hours)
        return self.grant_individual_access(
            user_id, connection_id, granted_by_user_id, inicio, fim, observations
        )

    def _deactivate(self, where: str, params: "tuple[Any, ...]") -> int:
        query = f"""
            UPDATE Permissao_Conexao_Individual_WTS SET Ativo = {self.db.PARAM}
            WHERE Ativo = {self.db.TRUE} AND {where}
        """
        with self.db.get_cursor() as cursor:
            cursor.execute(query, (False, *params))
            return int(cursor.rowcount)

    def revoke_individual_access(self, user_id: int, connection_id: int) -> "tuple[bool, str]":
        """Revoga o acesso de um usuário a uma conexão."""
        where = f"Usu_Id = {self.db.PARAM} AND Con_Codigo = {self.db.PARAM}"
        try:
            if self._deactivate(where, (user_id, connection_id)) > 0:
                return True, "Permissão individual revogada."
            return False, "Permissão não encontrada."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao revogar acesso individual: {e}")
            return False, f"Erro ao revogar acesso: {e}"

    def revoke_temporary_access(self, permission_id: int) -> "tuple[bool, str]":
        """Encerra antes da hora uma permissão temporária."""
        try:
            where = f"Data_Fim IS NOT NULL AND Id = {self.db.PARAM}"
            if self._deactivate(where, (permission_id,)) > 0:
                return True, "Acesso temporário revogado."
            return False, "Permissão temporária não encontrada."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao revogar acesso temporário: {e}")
            return False, f"Erro ao revogar acesso temporário: {e}"

    def cleanup_expired_permissions(self) -> "tuple[int, str]":
        """Desativa as permissões vencidas e diz quantas eram."""
        try:
            quantas = self._deactivate(f"Data_Fim < {self.db.PARAM}", (datetime.now(),))
            return quantas, f"{quantas} permissões expiradas desativadas."
        except self.driver_module.Error as e:
            logging.error(f"Erro ao limpar permissões expiradas: {e}")
            return 0, f"Erro ao limpar permissões expiradas: {e}"
