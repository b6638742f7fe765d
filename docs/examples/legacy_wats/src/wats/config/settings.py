"""Configurações da aplicação, lidas do ambiente (e do .env, que run.py carrega antes)."""

import os
from pathlib import Path

PASTA_DO_PROGRAMA = Path(__file__).resolve().parents[3]
BANCO_PADRAO = PASTA_DO_PROGRAMA / "data" / "wats.db"


class Settings:
    """Lê as variáveis de ambiente no momento em que é criada."""

    def __init__(self) -> None:
        self.DB_TYPE: str = os.getenv("DB_TYPE", "sqlite").strip().lower()
        self.DB_SERVER: str = os.getenv("DB_SERVER", "")
        self.DB_DATABASE: str = os.getenv("DB_DATABASE", "")
        self.DB_UID: str = os.getenv("DB_UID", "")
        self.DB_PWD: str = os.getenv("DB_PWD", "")
        self.DB_PORT: str = os.getenv("DB_PORT", "")
        self.DB_ODBC: str = os.getenv("DB_ODBC", "")
        self.LOG_LEVEL: str = os.getenv("LOG_LEVEL", "INFO").upper()
        if self.DB_TYPE == "sqlite" and not self.DB_DATABASE:
            self.DB_DATABASE = str(BANCO_PADRAO)
