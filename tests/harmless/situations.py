"""The situations of the fault matrix: what an application does while something inside is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import acts
from stages import Stage


@dataclass(frozen=True, slots=True)
class Situation:
    """What happens before a part breaks, and while it is broken.

    Attributes:
        name: in the table.
        prepare: while all is well; the accelerator is installed, unless `installs`.
        act: while something is broken.
        installs: whether that is to install the accelerator.
        families: of seams for which it is played, by their first part; empty: all. Threads take time.
        pooled: whether it is about the pool only.
        in_background: whether methods run in the background, too, so that runs cannot be counted.
        needs: what other processes have to be heard by: ``shared``, ``source`` or either; empty: none.
        waits: whether it waits for what our own threads do about other processes.
    """

    name: str
    prepare: Callable[[Stage], None]
    act: Callable[[Stage], None]
    installs: bool = False
    families: tuple[str, ...] = ()
    pooled: bool = False
    in_background: bool = False
    needs: tuple[str, ...] = ()
    waits: bool = False


_SHARED, _ANY = ("shared",), ("shared", "source")

SITUATIONS = (
    Situation("read hit", acts.warm, acts.read_twice),
    Situation("read miss", acts.nothing, acts.read_twice),
    Situation("read too old", acts.old, acts.read_twice),
    Situation("write", acts.warm, acts.write),
    Situation("nested read", acts.warm, acts.nested),
    Situation("joined read", acts.nothing, acts.joined, families=("flight", "load", "region", "key")),
    Situation(
        "renewal",
        acts.warm_and_old,
        acts.renew,
        families=("renew", "thread", "load", "flight", "region"),
        in_background=True,
    ),
    Situation(
        "second failure", acts.warm, acts.read_broken, families=("breaker", "event", "log", "region", "load")
    ),
    Situation(
        "verification",
        acts.warm,
        acts.check,
        families=("verify", "shadow", "load", "copy", "flight", "tracker"),
        in_background=True,
    ),
    Situation(
        "reload",
        acts.warm_with_other_rules,
        acts.reload,
        families=(
            "reload",
            "config",
            "plugin",
            "hook",
            "feature",
            "patch",
            "settle",
            "region",
            "pool",
            "write",
            "member",
            "follow",
        ),
    ),
    Situation("install", acts.nothing, acts.install, installs=True, waits=True),
    Situation("uninstall", acts.warm, acts.uninstall),
    Situation("questions", acts.warm, acts.ask),
    Situation("pool", acts.nothing, acts.drive, pooled=True),
    Situation("found elsewhere", acts.warm_elsewhere, acts.read_twice, needs=_SHARED),
    Situation("written elsewhere", acts.warm, acts.written_elsewhere, needs=_ANY, waits=True),
    Situation("cut off", acts.warm, acts.cut_off, needs=_SHARED, waits=True),
    Situation(
        "not told",
        acts.warm,
        acts.not_told,
        families=("tell", "outbox", "heard", "deadline", "tier", "region"),
        needs=_SHARED,
        waits=True,
    ),
    Situation("silence", acts.warm, acts.silent, needs=_ANY, waits=True),
    Situation("server forgets", acts.warm_and_told, acts.forgotten, needs=_SHARED, waits=True),
)
