"""A janela do WATS, sem tela: lista de conexões, sessões abertas e painéis administrativos."""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from src.wats.config.settings import Settings
from src.wats.sessions import HeartbeatThread, Session, identificacao_da_estacao

if TYPE_CHECKING:
    from src.wats.admin_panels import AdminPanels


class ConnectionItem:
    """Uma linha da lista: a conexão e quem está nela."""

    def __init__(self, row: Any) -> None:
        self.codigo = row[0]
        self.ip = row[1]
        self.nome = row[2]
        self.usuario = row[3]
        self.senha = row[4]
        self.grupo = row[5]
        self.tipo = row[6]
        self.cliente = row[8] or ""
        self.conectados: list[str] = []


def itens_da_lista(rows: "list[Any]") -> "list[ConnectionItem]":
    """Junta as linhas da mesma conexão (uma por usuário conectado) num item só."""
    itens: dict[int, ConnectionItem] = {}
    for row in rows:
        if row[0] not in itens:
            itens[row[0]] = ConnectionItem(row)
        if row[11]:
            itens[row[0]].conectados.append(row[11])
    return list(itens.values())


class WatsWindow:
    """A janela principal; os métodos são o que os botões e os temporizadores chamam."""

    def __init__(
        self, settings: Settings, service_factory: "Callable[[Settings], Any] | None" = None
    ) -> None:
        self.settings = settings
        self.service_factory = service_factory
        self.db: Any = None
        self.panels: AdminPanels | None = None
        self.username = ""
        self.user_id: int | None = None
        self.is_admin = False
        self.items: list[ConnectionItem] = []
        self.sessions: list[Session] = []
        self._startup: threading.Thread | None = None

    # --- partida ------------------------------------------------------------------------------

    def start(self) -> None:
        """Começa o trabalho de banco em segundo plano, para a janela aparecer logo."""
        self._startup = threading.Thread(target=self._start_database, name="startup", daemon=True)
        self._startup.start()

    def _start_database(self) -> None:
        try:
            if self.service_factory is None:
                from src.wats.db.db_service import DBService  # tarde, de propósito: o driver é pesado

                self.service_factory = DBService
            self.db = self.service_factory(self.settings)
            self.db.logs.cleanup_ghost_connections()
        except Exception as e:
            logging.error(f"Falha ao iniciar o banco de dados: {e}")

    def wait_until_ready(self) -> None:
        """Espera o banco e monta os painéis."""
        if self._startup is not None:
            self._startup.join()
        if self.db is not None:
            from src.wats.admin_panels import AdminPanels

            self.panels = AdminPanels(self.db)

    def mainloop(self, events: "Iterable[Callable[[], Any]]") -> None:
        """Atende os eventos, um de cada vez, na thread da janela."""
        for handle in events:
            handle()

    def close(self) -> None:
        """Fecha as sessões que ainda estiverem abertas."""
        for session in list(self.sessions):
            self.close_session(session)

    # --- a lista ------------------------------------------------------------------------------

    def login(self, username: str) -> bool:
        """Identifica quem está na estação e carrega a lista."""
        self.user_id, self.is_admin = self.db.users.get_user_role(username)
        self.username = username
        if self.user_id is None:
            logging.warning(f"Acesso negado para {username}.")
            self.items = []
            return False
        self.refresh()
        return True

    def refresh(self) -> None:
        """Recarrega a lista (temporizador, F5, foco da janela)."""
        if self.user_id is None:
            return
        try:
            rows = self.db.connections.select_all(self.username)
        except Exception as e:
            logging.error(f"Erro ao atualizar a lista: {e}")
            return
        rows.sort(key=lambda row: (row[8] or "", row[2]))
        self.items = itens_da_lista(rows)

    def search(self, texto: str) -> "list[ConnectionItem]":
        """Filtra o que já está na tela."""
        texto = texto.lower()
        return [item for item in self.items if texto in item.nome.lower() or texto in item.cliente.lower()]

    def cleanup_ghosts(self) -> None:
        """Limpeza periódica, em segundo plano."""
        thread = threading.Thread(target=self.db.logs.cleanup_ghost_connections, name="ghosts", daemon=True)
        thread.start()
        thread.join()

    # --- sessões ------------------------------------------------------------------------------

    def open_session(self, item: ConnectionItem) -> "Session | None":
        """Abre uma sessão RDP e começa a mandar heartbeats."""
        ip, maquina, usuario_windows = identificacao_da_estacao()
        if not self.is_admin and self.db.connections.has_individual_access(self.user_id, item.codigo):
            logging.info(f"Acesso individual de {self.username} a {item.nome}.")
        details = self.db.connections.admin_get_connection_details(item.codigo)
        if not details:
            logging.warning(f"A conexão {item.nome} não existe mais.")
            return None
        self.db.logs.insert_connection_log(item.codigo, self.username, ip, maquina, usuario_windows)
        log_id = self.db.logs.log_access_start(
            f"{self.username}@{maquina}", item.codigo, item.nome, item.tipo
        )
        heartbeat = HeartbeatThread(self.db.logs, item.codigo, self.username)
        heartbeat.start()
        session = Session(item.codigo, item.nome, self.username, log_id, heartbeat)
        self.sessions.append(session)
        self.refresh()
        return session

    def close_session(self, session: Session) -> None:
        """Encerra uma sessão."""
        session.is_open = False
        self.sessions.remove(session)
        session.heartbeat.stop()
        self.db.logs.delete_connection_log(session.con_codigo, session.username)
        if session.log_id is not None:
            self.db.logs.log_access_end(session.log_id)
        self.refresh()
