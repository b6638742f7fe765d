"""Base de todos os repositórios."""

from typing import Any

from src.wats.db.database_manager import DatabaseManager


class BaseRepository:
    """Guarda o gerenciador de conexões e o módulo do driver, cujo `Error` todos capturam."""

    def __init__(self, db_manager: DatabaseManager) -> None:
        self.db = db_manager
        self.driver_module: Any = db_manager.driver_module
