"""What administrators do in the panels: bursts of reads, and now and then a write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any, Final

from simulation.generator import PANEL_PASSWORD
from simulation.names import CLIENTS, FIRST_NAMES, LAST_NAMES, NOTES, ROLES, TOWNS

if TYPE_CHECKING:
    from src.wats.admin_panels import AdminPanels
    from src.wats.main import WatsWindow

# Longer than any simulated day: no access may run out inside it (see simulation/generator.py).
_TEMPORARY_HOURS: Final = (24 * 14, 24 * 21, 24 * 28)


class AdminWork:
    """Scripts of panel work; each acts through the panels and yields pauses in seconds."""

    def __init__(self, window: WatsWindow, dice: Random) -> None:
        self._window = window
        self._dice = dice
        self._scripts: dict[Callable[[], Iterator[float]], float] = {
            self._browse_connections: 8,
            self._edit_connection: 2.5,
            self._create_connection: 0.5,
            self._delete_connection: 0.3,
            self._browse_users: 6,
            self._edit_user: 2,
            self._create_user: 0.6,
            self._browse_groups: 4,
            self._edit_group: 0.5,
            self._create_group: 0.3,
            self._delete_group: 0.15,
            self._browse_permissions: 7,
            self._grant: 1.6,
            self._grant_temporary: 1.2,
            self._revoke: 2,
            self._revoke_temporary: 1,
            self._review_permissions: 1.5,
        }

    def next_script(self) -> Iterator[float]:
        """The next piece of work: unlock the panels, do it, look at the list again."""
        work = self._dice.choices(list(self._scripts), weights=list(self._scripts.values()))[0]
        if self._panels.unlock(PANEL_PASSWORD):
            yield self._dice.uniform(1, 4)
            yield from work()
            self._window.refresh()

    @property
    def _panels(self) -> AdminPanels:
        assert self._window.panels is not None, "the window is ready before anybody works with it"
        return self._window.panels

    def _pause(self) -> float:
        return self._dice.uniform(2, 15)

    # --- connections --------------------------------------------------------------------------

    def _browse_connections(self) -> Iterator[float]:
        panel = self._panels.connections
        panel.open()
        yield self._pause()
        panel.search(self._dice.choice(TOWNS))
        for row in panel.rows[: self._dice.randint(1, 4)]:
            panel.details(row[0])
            yield self._pause()
            panel.reload()  # as whenever the dialog closes

    def _picked_connection(self) -> dict[str, Any] | None:
        panel = self._panels.connections
        panel.open()
        return panel.details(self._dice.choice(panel.rows)[0]) if panel.rows else None

    def _edit_connection(self) -> Iterator[float]:
        details = self._picked_connection()
        yield self._pause()
        if details is None:
            return
        con_id = details.pop("Con_Codigo")
        changes = (
            ("Con_Nome", f"{details['Con_Cliente']} - {self._dice.choice(ROLES)} {con_id:03d}"),
            ("Con_IP", f"10.9.{self._dice.randrange(250)}.{self._dice.randrange(250)}"),
            ("Gru_Codigo", self._dice.choice(self._panels.connections.groups)[0]),
            ("Con_Particularidade", self._dice.choice(NOTES)),
            ("Con_Ativo", not details["Con_Ativo"]),
        )
        column, value = self._dice.choice(changes)
        # The form saves everything; the quick edit in the table only what was changed.
        data = {**details, column: value} if self._dice.random() < 0.5 else {column: value}
        self._panels.connections.save(con_id, data)

    def _create_connection(self) -> Iterator[float]:
        panel = self._panels.connections
        panel.open()
        yield self._pause()
        client = f"{self._dice.choice(CLIENTS)} {self._dice.choice(TOWNS)}"
        panel.create(
            {
                "Con_Nome": f"{client} - novo",
                "Con_IP": f"10.8.0.{self._dice.randrange(250)}",
                "Con_Usuario": "suporte",
                "Con_Senha": "trocar",
                "Gru_Codigo": self._dice.choice(panel.groups)[0],
                "Con_Tipo": "RDP",
                "Con_Cliente": client,
                "Con_Ativo": True,
            }
        )

    def _delete_connection(self) -> Iterator[float]:
        details = self._picked_connection()
        yield self._pause()
        if details is not None:
            self._panels.connections.delete(details["Con_Codigo"])

    # --- users --------------------------------------------------------------------------------

    def _browse_users(self) -> Iterator[float]:
        panel = self._panels.users
        panel.open()
        for _ in range(self._dice.randint(1, 4)):
            yield self._pause()
            panel.details(self._dice.choice(panel.rows)[0])
            yield self._pause()
            panel.reload()  # as whenever the dialog closes

    def _edit_user(self) -> Iterator[float]:
        panel = self._panels.users
        panel.open()
        # Never oneself, and no other administrator: somebody must be left to work.
        rows = [row for row in panel.rows if not row[4]]
        user = panel.details(self._dice.choice(rows)[0]) if rows else None
        yield self._pause()
        if user is None:
            return
        change = self._dice.randrange(4)
        if change == 0:
            user["nome"] = f"{user['nome'].split('_')[0]}_{self._dice.randrange(100)}"
        elif change == 1:
            user["is_active"] = not user["is_active"]
        elif change == 2 and user["grupos"]:
            user["grupos"].discard(self._dice.choice(sorted(user["grupos"])))
        else:
            user["grupos"].add(self._dice.choice(panel.groups)[0])
        panel.save(user)

    def _create_user(self) -> Iterator[float]:
        panel = self._panels.users
        panel.open()
        yield self._pause()
        name = f"{self._dice.choice(FIRST_NAMES)}.{self._dice.choice(LAST_NAMES)}"
        if self._dice.random() < 0.3:  # somebody forgot that this colleague is there already
            name = self._dice.choice(panel.rows)[1].upper()
        groups = [row[0] for row in self._dice.sample(panel.groups, min(2, len(panel.groups)))]
        panel.create(name, f"{name.lower()}@suporte.example", False, groups)

    # --- groups -------------------------------------------------------------------------------

    def _browse_groups(self) -> Iterator[float]:
        panel = self._panels.groups
        panel.open()
        for _ in range(self._dice.randint(1, 3)):
            yield self._pause()
            panel.details(self._dice.choice(panel.rows)[0])
            yield self._pause()
            panel.open()  # as whenever the dialog closes

    def _edit_group(self) -> Iterator[float]:
        panel = self._panels.groups
        panel.open()
        group = panel.details(self._dice.choice(panel.rows)[0])
        yield self._pause()
        if group is not None:
            panel.save(
                group["id"],
                f"{group['nome'].split(' (')[0]} ({self._dice.randrange(100)})",
                group["descricao"],
            )

    def _create_group(self) -> Iterator[float]:
        self._panels.groups.open()
        yield self._pause()
        self._panels.groups.create(f"Projeto {self._dice.choice(TOWNS)}", "Grupo temporário de projeto")

    def _delete_group(self) -> Iterator[float]:
        panel = self._panels.groups
        panel.open()
        yield self._pause()
        if len(panel.rows) > 5:
            panel.delete(self._dice.choice(panel.rows)[0])

    # --- individual permissions ---------------------------------------------------------------

    def _picked_user(self) -> int:
        panel = self._panels.permissions
        panel.open()
        # Requests come from the same few people again and again.
        regulars = panel.users[:8] if self._dice.random() < 0.7 else panel.users
        user_id: int = self._dice.choice(regulars)[0]
        panel.select_user(user_id)
        return user_id

    def _browse_permissions(self) -> Iterator[float]:
        """Comparing what a few users may do means going back and forth between them."""
        users = [self._picked_user() for _ in range(self._dice.randint(1, 3))]
        for _ in range(self._dice.randint(2, 6)):
            yield self._pause()
            self._panels.permissions.select_user(self._dice.choice(users))

    def _grant(self) -> Iterator[float]:
        user_id = self._picked_user()
        yield self._pause()
        panel = self._panels.permissions
        con_id = self._dice.choice(panel.connections)[0]
        panel.grant(user_id, con_id, self._window.user_id or 0, "pedido por telefone")

    def _grant_temporary(self) -> Iterator[float]:
        user_id = self._picked_user()
        yield self._pause()
        panel = self._panels.permissions
        con_id = self._dice.choice(panel.connections)[0]
        panel.grant_temporary(user_id, con_id, self._window.user_id or 0, self._dice.choice(_TEMPORARY_HOURS))

    def _revoke(self) -> Iterator[float]:
        user_id = self._picked_user()
        yield self._pause()
        panel = self._panels.permissions
        if panel.granted:
            revoke = self._dice.choice((panel.revoke, panel.revoke_here))
            revoke(user_id, self._dice.choice(panel.granted)["connection_id"])

    def _revoke_temporary(self) -> Iterator[float]:
        panel = self._panels.permissions
        panel.open()
        temporary = panel.permissions.list_active_temporary_permissions()
        yield self._pause()
        if temporary:
            panel.revoke_temporary(self._dice.choice(temporary))

    def _review_permissions(self) -> Iterator[float]:
        """The monthly look at who may do what, and the cleanup that follows it."""
        panel = self._panels.permissions
        everything = panel.permissions.list_all_individual_permissions()
        yield self._pause()
        if everything:
            one = self._dice.choice(everything)
            panel.permissions.list_all_individual_permissions(one["user_id"])
            panel.permissions.list_connection_individual_permissions(one["connection_id"])
            panel.permissions.get_user_individual_connections(one["user_id"])
            panel.permissions.has_individual_access(one["user_id"], one["connection_id"])
        yield self._pause()
        panel.permissions.cleanup_expired_permissions()
