"""Sessões abertas nesta estação, cada uma com sua thread de heartbeat."""

import logging
import queue
import threading
from dataclasses import dataclass
from typing import Any


class HeartbeatThread(threading.Thread):
    """Grava um heartbeat a cada batida do relógio da janela.

    Na estação a batida vem de um `wait(60)`; sem tela, quem bate é a janela, que espera a gravação.
    """

    def __init__(self, logs: Any, con_codigo: int, username: str) -> None:
        super().__init__(name=f"heartbeat-{con_codigo}", daemon=True)
        self.logs = logs
        self.con_codigo = con_codigo
        self.username = username
        self._batidas: queue.Queue[bool] = queue.Queue()

    def run(self) -> None:
        while self._batidas.get():
            try:
                self.logs.update_heartbeat(self.con_codigo, self.username)
            except Exception as e:
                logging.error(f"Falha no heartbeat da conexão {self.con_codigo}: {e}")
            finally:
                self._batidas.task_done()

    def beat(self) -> None:
        """Pede uma gravação e espera por ela."""
        self._batidas.put(True)
        self._batidas.join()

    def stop(self) -> None:
        """Encerra a thread."""
        self._batidas.put(False)
        self.join()


@dataclass
class Session:
    """Uma sessão RDP aberta por esta estação."""

    con_codigo: int
    con_nome: str
    username: str
    log_id: "int | None"
    heartbeat: HeartbeatThread
    is_open: bool = True


def identificacao_da_estacao() -> "tuple[str, str, str]":
    """IP, nome da máquina e usuário do Windows; fixos, para que duas execuções sejam iguais."""
    return "10.0.0.77", "ESTACAO-77", "suporte"
