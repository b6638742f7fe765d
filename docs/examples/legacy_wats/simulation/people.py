"""What the people at the simulated PC do, as scripts: generators that act and yield pauses in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Final, TypeAlias

from simulation.admin_work import AdminWork

if TYPE_CHECKING:
    from src.wats.main import WatsWindow
    from src.wats.sessions import Session

Script: TypeAlias = Iterator[float]

HEARTBEAT_SECONDS: Final = 60.0
GHOST_CLEANUP_SECONDS: Final = 600.0
MOST_SESSIONS: Final = 3


def refreshing(window: WatsWindow, every_seconds: float) -> Script:
    """The window's timer."""
    while True:
        yield every_seconds
        window.refresh()


def cleaning_ghosts(window: WatsWindow) -> Script:
    """The background cleanup of sessions that fell silent."""
    while True:
        yield GHOST_CLEANUP_SECONDS
        window.cleanup_ghosts()


def heartbeats(session: Session) -> Script:
    """One session's heartbeat, for as long as the session is open."""
    yield HEARTBEAT_SECONDS
    while session.is_open:
        session.heartbeat.beat()
        yield HEARTBEAT_SECONDS


class Desk:
    """One PC that several people use in turn: who sits there, and what they do next."""

    def __init__(
        self, window: WatsWindow, dice: Random, users_online: int, start_script: Callable[[Script], None]
    ) -> None:
        self._window = window
        self._dice = dice
        self._start_script = start_script
        self._admin_work = AdminWork(window, dice)
        self.people = self._who_works_here(users_online)

    def _who_works_here(self, users_online: int) -> list[str]:
        active = [row for row in self._window.db.users.admin_get_all_users() if row[3]]
        admins = [row[1] for row in active if row[4]]
        others = [row[1] for row in active if not row[4]]
        # More admins than others, as it is their tool; at least one of them.
        share = max(1, (users_online * 2 + 2) // 3)
        admins_here = self._dice.sample(admins, min(share, len(admins)))
        missing = users_online - len(admins_here)
        return admins_here + self._dice.sample(others, min(missing, len(others)))

    def in_use(self) -> Script:
        """People take turns at the desk until the day is over."""
        while True:
            if self._window.login(self._as_typed(self._dice.choice(self.people))):
                yield from self._turn()
            yield self._dice.uniform(5, 60)

    def _as_typed(self, username: str) -> str:
        # The database does not care about case, so people do not either.
        if self._dice.random() < 0.75:
            return username
        return self._dice.choice((username.upper(), username.lower(), username.title()))

    def _turn(self) -> Script:
        for _ in range(self._dice.randint(15, 40)):
            yield self._dice.expovariate(1 / 30)
            yield from self._next_action()

    def _next_action(self) -> Script:
        if self._window.is_admin and self._dice.random() < 0.55:
            return self._admin_work.next_script()
        actions = (self._look_around, self._come_back, self._open_session, self._close_session)
        return self._dice.choices(actions, weights=(4, 5, 2, 2))[0]()

    def _look_around(self) -> Script:
        """Searching happens on the screen; F5 only when nothing was found."""
        if not self._window.search(self._dice.choice(("servidor", "erp", "campinas", "boa vista", "zzz"))):
            self._window.refresh()
        yield self._dice.uniform(2, 10)

    def _come_back(self) -> Script:
        """Whoever comes back from an RDP session gives the window focus, and it refreshes."""
        self._window.refresh()
        yield self._dice.uniform(1, 5)

    def _open_session(self) -> Script:
        if not self._window.items or len(self._window.sessions) >= MOST_SESSIONS:
            return
        item = self._dice.choice(self._window.items[:200])
        if any(session.con_codigo == item.codigo for session in self._window.sessions):
            return
        session = self._window.open_session(item)
        if session is not None:
            self._start_script(heartbeats(session))
        yield self._dice.uniform(5, 30)

    def _close_session(self) -> Script:
        if self._window.sessions:
            self._window.close_session(self._dice.choice(self._window.sessions))
        yield self._dice.uniform(1, 5)
