"""Modo demonstração: dá ao sqlite3 os modos do pyodbc, para que os repositórios não notem a diferença."""

import contextlib
import sqlite3
from datetime import datetime
from typing import Any


def _datetime_para_texto(valor: datetime) -> str:
    return valor.isoformat(sep=" ")


# O adaptador padrão do sqlite3 está obsoleto desde o Python 3.12.
sqlite3.register_adapter(datetime, _datetime_para_texto)


class DemoCursor(sqlite3.Cursor):
    """Como no pyodbc, sair do bloco `with` confirma a transação e NÃO fecha o cursor."""

    def __enter__(self) -> "DemoCursor":
        return self

    def __exit__(self, exc_type: Any, exc: Any, traceback: Any) -> None:
        if exc_type is None and self.connection.in_transaction:
            self.connection.commit()


class DemoConnection(sqlite3.Connection):
    """Conexão de demonstração: chaves estrangeiras ligadas, sem esperar pelo disco."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA foreign_keys = ON")
        self.execute("PRAGMA synchronous = OFF")

    def cursor(self, factory: Any = DemoCursor) -> Any:
        return super().cursor(factory)

    def __del__(self) -> None:
        # O pyodbc fecha sozinho quando o último cursor some; aqui quem chega é o coletor de lixo
        # (a conexão do sqlite3 aponta para si mesma), e o Python 3.13 reclama do que acha aberto.
        with contextlib.suppress(sqlite3.Error):  # talvez nem tenha chegado a abrir
            self.close()
