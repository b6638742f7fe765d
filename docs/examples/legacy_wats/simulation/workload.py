"""The simulated day: runs scripts in the order of simulated time and records every repository call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, Final

from simulation.clock import SimulatedTime, simulated_datetime
from simulation.people import Desk, Script, cleaning_ghosts, refreshing
from simulation.recording import Call, RecordedRepository, Recorder

if TYPE_CHECKING:
    from src.wats.config.settings import Settings
    from src.wats.main import WatsWindow

_REPOSITORIES: Final = ("users", "groups", "logs", "connections")


class Workload:
    """One PC's day, compressed: the clock jumps from event to event and nobody sleeps.

    The window, its start-up, its cleanup and its heartbeats run in threads of their own, but each step is
    handed over and waited for, so the seed alone decides the order of all calls.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        seed: int,
        hours: float,
        users_online: int = 6,
        refresh_seconds: float = 60.0,
        time: SimulatedTime | None = None,
    ) -> None:
        self.time = time or SimulatedTime()
        self._settings = settings
        self._dice = Random(seed)
        self._end_seconds = self.time.monotonic() + hours * 3600
        self._users_online = users_online
        self._refresh_seconds = refresh_seconds
        self._agenda: list[tuple[float, int, Script]] = []
        self._numbers = count()

    def run(self, on_call: Callable[[Call], None]) -> None:
        """Live through the day; `on_call` gets each call of a repository method as it returns."""
        with simulated_datetime(self.time):
            from src.wats.main import WatsWindow  # late, as run.py does it

            recorder = Recorder(on_call)
            window = WatsWindow(self._settings, lambda settings: _recorded_service(settings, recorder))
            window.start()
            window.wait_until_ready()
            try:
                self._invite(window, recorder)
                window.mainloop(self._events())
            finally:
                window.close()

    def _invite(self, window: WatsWindow, recorder: Recorder) -> None:
        if window.panels is None:
            raise RuntimeError("The application could not open its database; its log says why.")
        permissions = window.panels.permissions
        permissions.permissions = RecordedRepository(permissions.permissions, recorder)
        desk = Desk(window, self._dice, self._users_online, self._start)
        for script in (desk.in_use(), refreshing(window, self._refresh_seconds), cleaning_ghosts(window)):
            self._start(script)

    def _start(self, script: Script) -> None:
        self._schedule(self.time.monotonic(), script)

    def _schedule(self, at_seconds: float, script: Script) -> None:
        # The number settles ties: scripts themselves have no order.
        heappush(self._agenda, (at_seconds, next(self._numbers), script))

    def _events(self) -> Iterator[Callable[[], None]]:
        while self._agenda and self._agenda[0][0] < self._end_seconds:
            at_seconds, _, script = heappop(self._agenda)
            self.time.advance(at_seconds - self.time.monotonic())
            yield partial(self._continue, script)

    def _continue(self, script: Script) -> None:
        pause_seconds = next(script, None)
        if pause_seconds is not None:
            self._schedule(self.time.monotonic() + pause_seconds, script)


def _recorded_service(settings: Settings, recorder: Recorder) -> Any:
    from src.wats.db.db_service import DBService  # late, in the start-up thread, as the window does it

    service: Any = DBService(settings)
    for name in _REPOSITORIES:
        setattr(service, name, RecordedRepository(getattr(service, name), recorder))
    return service
