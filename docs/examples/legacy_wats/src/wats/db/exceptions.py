"""Exceções da camada de banco de dados."""


class DatabaseError(Exception):
    """Qualquer problema com o banco de dados."""


class DatabaseConfigError(DatabaseError):
    """Configuração ausente ou inválida."""


class DatabaseConnectionError(DatabaseError):
    """Não foi possível conectar."""


class DatabaseQueryError(DatabaseError):
    """O banco recusou um comando."""
