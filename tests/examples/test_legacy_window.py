"""The window of the example, without its screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Load = Callable[[str], Any]


@pytest.fixture
def window(load: Load, settings: Any) -> Any:
    """The window after its start-up thread has finished."""
    opened = load("src.wats.main").WatsWindow(settings)
    opened.start()
    opened.wait_until_ready()
    return opened


def test_the_window_shows_each_connection_once(window: Any, count: Callable[..., int]) -> None:
    assert window.login("jefferson")
    assert len(window.items) == count("Conexao_WTS", "Con_Ativo = 1")
    assert all("erp" in item.nome.lower() for item in window.search("ERP"))


def test_the_window_shows_nothing_to_strangers(window: Any) -> None:
    assert not window.login("ninguem")
    window.refresh()
    assert window.items == []


def test_closing_the_window_closes_its_sessions(window: Any, count: Callable[..., int]) -> None:
    window.login("jefferson")
    session = window.open_session(window.items[0])
    session.heartbeat.beat()
    mine = ("Usuario_Conexao_WTS", "Usu_Nome_Maquina = 'ESTACAO-77'")
    assert count(*mine) == 1
    window.close()
    assert count(*mine) == 0
    assert not session.heartbeat.is_alive()


def test_a_window_without_a_database_opens_all_the_same(load: Load, make_settings: Any) -> None:
    window = load("src.wats.main").WatsWindow(make_settings(DB_TYPE="oracle"))
    window.start()
    window.wait_until_ready()
    assert window.db is None
    assert window.panels is None
