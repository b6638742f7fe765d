"""Porta de entrada da camada de dados: um gerenciador de conexões e os repositórios sobre ele."""

from src.wats.config.settings import Settings
from src.wats.db.database_manager import DatabaseManager
from src.wats.db.repositories.connection_repository import ConnectionRepository
from src.wats.db.repositories.group_repository import GroupRepository
from src.wats.db.repositories.log_repository import LogRepository
from src.wats.db.repositories.user_repository import UserRepository


class DBService:
    """Reúne os repositórios que a janela usa."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.db_manager = DatabaseManager(settings)
        self.users = UserRepository(self.db_manager)
        self.groups = GroupRepository(self.db_manager)
        self.logs = LogRepository(self.db_manager)
        self.connections = ConnectionRepository(self.db_manager, self.users)
