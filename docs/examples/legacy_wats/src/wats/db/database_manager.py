"""Conexões com o banco e as diferenças de SQL entre os bancos suportados."""

import logging
from typing import Any

from src.wats.config.settings import Settings
from src.wats.db.exceptions import DatabaseConfigError


class DatabaseManager:
    """Sabe conectar e sabe como cada banco escreve as mesmas coisas."""

    PARAM = "?"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.db_type = settings.DB_TYPE
        self.is_demo = self.db_type == "sqlite"
        self.conn: Any = None
        self.connection_string = ""
        self.connect_options: dict[str, Any] = {}
        self.driver_module: Any = None
        if self.db_type == "sqlserver":
            self._setup_sqlserver()
        elif self.db_type == "sqlite":
            self._setup_sqlite()
        elif self.db_type == "postgresql":
            self._setup_postgresql()
        else:
            raise DatabaseConfigError(f"DB_TYPE desconhecido: {self.db_type}")
        logging.info(f"Banco de dados configurado: {self.db_type}")

    # --- configuração por banco ---------------------------------------------------------------

    def _import_pyodbc(self) -> Any:
        try:
            import pyodbc  # pesado: só quando é mesmo preciso
        except ImportError as e:
            raise DatabaseConfigError("O módulo pyodbc não está instalado.") from e
        return pyodbc

    def _setup_sqlserver(self) -> None:
        self.driver_module = self._import_pyodbc()
        s = self.settings
        servidor = f"{s.DB_SERVER},{s.DB_PORT}" if s.DB_PORT else s.DB_SERVER
        self.connection_string = s.DB_ODBC or (
            f"DRIVER={{ODBC Driver 17 for SQL Server}};SERVER={servidor};DATABASE={s.DB_DATABASE};"
            f"UID={s.DB_UID};PWD={s.DB_PWD};TrustServerCertificate=yes;"
        )
        self.NOW = "GETDATE()"
        self.ISNULL = "ISNULL"
        self.TRUE = "1"
        self.IDENTITY_QUERY = "SELECT @@IDENTITY"
        self.LIMPAR_FANTASMAS = "EXEC sp_Limpar_Conexoes_Fantasma"

    def _setup_sqlite(self) -> None:
        import sqlite3

        from src.wats.db.demo_driver import DemoConnection

        self.driver_module = sqlite3
        self.connection_string = self.settings.DB_DATABASE
        self.connect_options = {"factory": DemoConnection, "check_same_thread": False, "timeout": 10.0}
        self.NOW = "datetime('now', 'localtime')"
        self.ISNULL = "IFNULL"
        self.TRUE = "1"
        self.IDENTITY_QUERY = "SELECT last_insert_rowid()"
        # O SQLite não tem procedures; este é o corpo da sp_Limpar_Conexoes_Fantasma.
        self.LIMPAR_FANTASMAS = (
            "DELETE FROM Usuario_Conexao_WTS "
            "WHERE Usu_Last_Heartbeat < datetime('now', 'localtime', '-5 minutes')"
        )

    def _setup_postgresql(self) -> None:
        self.driver_module = self._import_pyodbc()
        s = self.settings
        base = s.DB_ODBC or (
            f"DRIVER={{PostgreSQL Unicode}};SERVER={s.DB_SERVER};PORT={s.DB_PORT or '5432'};"
            f"DATABASE={s.DB_DATABASE};UID={s.DB_UID};PWD={s.DB_PWD}"
        )
        # Sem isto o psqlODBC devolve boolean como texto.
        com_bool = "boolsaschar" in base.lower()
        self.connection_string = base if com_bool else f"{base.rstrip(';')};BoolsAsChar=0"
        self.NOW = "LOCALTIMESTAMP"
        self.ISNULL = "COALESCE"
        self.TRUE = "TRUE"
        self.IDENTITY_QUERY = "SELECT lastval()"
        self.LIMPAR_FANTASMAS = "CALL sp_Limpar_Conexoes_Fantasma()"

    # --- conexões -----------------------------------------------------------------------------

    def _set_autocommit(self, connection: Any, ligado: bool) -> None:
        if hasattr(connection, "autocommit"):
            connection.autocommit = ligado
        else:  # sqlite3 antes do Python 3.12
            connection.isolation_level = None if ligado else "DEFERRED"

    def get_cursor(self) -> Any:
        """Abre uma conexão nova em autocommit e devolve o cursor dela, ou None se não conseguir."""
        try:
            connection = self.driver_module.connect(self.connection_string, **self.connect_options)
            self._set_autocommit(connection, True)
            return connection.cursor()
        except self.driver_module.Error as e:
            logging.error(f"Falha ao obter cursor do banco de dados: {e}")
            return None

    def get_transactional_connection(self) -> Any:
        """Devolve a conexão única para transações, aberta na primeira vez, ou None se não conseguir."""
        try:
            if self.conn is None or (hasattr(self.conn, "closed") and self.conn.closed):
                self.conn = self.driver_module.connect(self.connection_string, **self.connect_options)
                self._set_autocommit(self.conn, False)
            return self.conn
        except self.driver_module.Error as e:
            logging.error(f"Falha ao obter conexão transacional: {e}")
            return None
