"""Sessões abertas (Usuario_Conexao_WTS) e histórico de acessos (Log_Acesso_WTS)."""

import logging
from datetime import datetime

from src.wats.db.repositories.base_repository import BaseRepository


class LogRepository(BaseRepository):
    """Registra quem está conectado onde, e quem já esteve."""

    def insert_connection_log(
        self, con_codigo: int, username: str, ip: str, computer_name: str, user_name: str
    ) -> bool:
        """Registra uma sessão aberta."""
        query = f"""
            INSERT INTO Usuario_Conexao_WTS
                (Con_Codigo, Usu_Nome, Usu_IP, Usu_Nome_Maquina, Usu_Usuario_Maquina,
                 Usu_Dat_Conexao, Usu_Last_Heartbeat)
            VALUES ({", ".join([self.db.PARAM] * 6)}, {self.db.NOW})
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (con_codigo, username, ip, computer_name, user_name, datetime.now()))
            return True
        except self.driver_module.Error as e:
            logging.error(f"Erro ao registrar conexão {con_codigo} de {username}: {e}")
            return False

    def delete_connection_log(self, con_codigo: int, username: str) -> bool:
        """Remove a sessão do usuário nesta conexão."""
        query = f"""
            DELETE FROM Usuario_Conexao_WTS
            WHERE Con_Codigo = {self.db.PARAM} AND Usu_Nome = {self.db.PARAM}
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (con_codigo, username))
            return True
        except self.driver_module.Error as e:
            logging.error(f"Erro ao remover conexão {con_codigo} de {username}: {e}")
            return False

    def update_heartbeat(self, con_codigo: int, username: str) -> bool:
        """Diz ao banco que a sessão continua viva."""
        query = f"""
            UPDATE Usuario_Conexao_WTS SET Usu_Last_Heartbeat = {self.db.NOW}
            WHERE Con_Codigo = {self.db.PARAM} AND Usu_Nome = {self.db.PARAM}
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (con_codigo, username))
            return True
        except self.driver_module.Error as e:
            logging.error(f"Erro no heartbeat da conexão {con_codigo}: {e}")
            return False

    def cleanup_ghost_connections(self) -> None:
        """Remove sessões sem heartbeat (estação desligada, queda de energia...)."""
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(self.db.LIMPAR_FANTASMAS)
            logging.info("Conexões fantasma removidas.")
        except self.driver_module.Error as e:
            logging.error(f"Erro ao limpar conexões fantasma: {e}")

    def log_access_start(
        self, user_machine_info: str, con_codigo: int, con_nome: str, tipo_conexao: str
    ) -> "int | None":
        """Abre um registro de acesso e devolve o código dele."""
        query = f"""
            INSERT INTO Log_Acesso_WTS
                (Usu_Nome_Maquina, Con_Codigo, Con_Nome_Acessado, Log_DataHora_Inicio, Log_Tipo_Conexao)
            VALUES ({self.db.PARAM}, {self.db.PARAM}, {self.db.PARAM}, {self.db.NOW}, {self.db.PARAM})
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (user_machine_info, con_codigo, con_nome, tipo_conexao))
                return int(cursor.execute(self.db.IDENTITY_QUERY).fetchone()[0])
        except self.driver_module.Error as e:
            logging.error(f"Erro ao registrar início de acesso a {con_codigo}: {e}")
            return None

    def log_access_end(self, log_id: int) -> bool:
        """Fecha um registro de acesso."""
        query = f"""
            UPDATE Log_Acesso_WTS SET Log_DataHora_Fim = {self.db.NOW} WHERE Log_Id = {self.db.PARAM}
        """
        try:
            with self.db.get_cursor() as cursor:
                cursor.execute(query, (log_id,))
            return True
        except self.driver_module.Error as e:
            logging.error(f"Erro ao registrar fim do acesso {log_id}: {e}")
            return False
