"""The table of the fault matrix: all combinations, lies that nobody can tell, and those that strike."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matrix import FAULTS
from situations import SITUATIONS, Situation
from stages import MODES, Mode

from wats_accel.testing import Fault, seams
from wats_accel.testing.shared_seams import SHARED_SEAMS

PASSED = Path(__file__).with_name("passed.txt")
"""In which situations each seam is passed: written by the last whole run."""


@dataclass(frozen=True, slots=True)
class Combination:
    """One seam, with one fault, in one situation."""

    seam: str
    fault: Fault
    situation: Situation
    mode: Mode

    @property
    def family(self) -> str:
        """The first part of the seam's name."""
        return self.seam.partition(".")[0]

    @property
    def place(self) -> str:
        """Where the seam is passed: ``read hit/pool``."""
        return f"{self.situation.name}/{self.mode.name}"

    def __str__(self) -> str:
        return f"{self.seam} {self.fault.text} in {self.place}"


NOTHING, AN_OBJECT, WRONG_TYPE = (fault.text for fault in FAULTS[-3:])

_SAME_KEY = "all calls would have one key"
_ITSELF = "it is itself what the application gets"
_NOTHING_TO_GIVE = "so says a plugin that contributes nothing"
LIES: dict[tuple[str, str], str] = {
    **{("key.freeze", lie): _SAME_KEY for lie in (NOTHING, AN_OBJECT, WRONG_TYPE)},
    **{("copy.give", lie): _ITSELF for lie in (NOTHING, AN_OBJECT, WRONG_TYPE)},
    **{(f"feature.{name}", NOTHING): _NOTHING_TO_GIVE for name in ("cache", "write", "pool")},
    ("patch.wrap", NOTHING): "so says a plugin that leaves a method as it is",
}
"""Answers that nobody can tell from true ones, with the reason. They are left out, and the page says so."""


def _is_played(situation: Situation, mode: Mode) -> bool:
    if situation.pooled and not mode.pooled:
        return False
    heard_by = {"shared"} if mode.shared else {"source"} if mode.source else set()
    return not situation.needs or not heard_by.isdisjoint(situation.needs)


PLACES: list[tuple[Situation, Mode]] = [
    (situation, mode) for mode in MODES for situation in SITUATIONS if _is_played(situation, mode)
]

BACKGROUND = ("heard", "horizon", "poll")
"""Families of seams that threads of ours pass at any time: they are met where somebody waits for that."""


def _is_met(seam: str, situation: Situation) -> bool:
    family = seam.partition(".")[0]
    if family in BACKGROUND and not situation.waits:
        return False
    return not situation.families or family in situation.families


def everything() -> Iterator[Combination]:
    """All combinations but lies, whether the seam is passed there or not."""
    for situation, mode in PLACES:
        for seam in seams():
            if _is_met(seam, situation):
                for fault in FAULTS:
                    if (seam, fault.text) not in LIES:
                        yield Combination(seam, fault, situation, mode)


# -- what the last whole run has found ---------------------------------------------------------------------


def passed() -> dict[str, set[str]]:
    """Where each seam is passed, as the last whole run has found."""
    return _read(PASSED.read_text(encoding="utf-8"))


def _read(text: str) -> dict[str, set[str]]:
    named = (line.partition(": ") for line in text.splitlines())
    return {seam: set(filter(None, places.split(", "))) for seam, _, places in named}


def write_passed(found: Iterable[tuple[str, str]]) -> None:
    """Write where each seam was passed, ``(seam, place)``."""
    known: dict[str, set[str]] = {seam: set() for seam in seams()}
    for seam, place in found:
        known[seam].add(place)
    lines = [f"{seam}: {', '.join(sorted(places))}\n" for seam, places in known.items()]
    PASSED.write_text("".join(lines), encoding="utf-8")


SHARE = 0.2
"""Of seams that an earlier mode passes as well this much is in the table, in modes about other processes."""


def striking() -> list[Combination]:
    """All combinations in which the fault comes into effect."""
    return list(_striking(PASSED.read_text(encoding="utf-8")))


@functools.cache  # it takes long, and each family asks
def _striking(found: str) -> tuple[Combination, ...]:
    known = _read(found)
    first = {seam: _first_mode(seam, places) for seam, places in known.items()}
    struck = (one for one in everything() if one.place in known.get(one.seam, ()))
    return tuple(one for one in struck if one.mode.name == first[one.seam] or _is_drawn(one))


_ABOUT_OTHERS = frozenset(seam.name for seam in SHARED_SEAMS)


def _first_mode(seam: str, places: Iterable[str]) -> str:
    """The mode in which all of a seam's combinations are in the table; a feature is asked in all of them."""
    modes = {place.partition("/")[2] for place in places}
    meant = [mode.name for mode in MODES if mode.hears_of_others or seam not in _ABOUT_OTHERS]
    return next((name for name in meant if name in modes), "")


def _is_drawn(one: Combination) -> bool:
    return not one.mode.hears_of_others or random.Random(str(one)).random() < SHARE


_KINDS = {fault.text: number for number, fault in enumerate(FAULTS)}
_KINDS |= dict.fromkeys((fault.text for fault in FAULTS[:3]), 0)  # it raises
_KINDS |= dict.fromkeys((NOTHING, AN_OBJECT, WRONG_TYPE), -1)  # it answers nonsense


_RARELY = 0.1
"""Of seams that are not about other processes so many are met in modes that are: it takes long to connect."""


def share(family: str, seed: int = 1) -> list[Combination]:
    """Of each seam of a family two kinds of faults, in situations chosen by chance; grouped by mode."""
    chance = random.Random(f"{family} {seed}")
    chosen: dict[str, dict[int, list[Combination]]] = {}
    elsewhere = {seam for seam in seams(f"{family}.*") if seam in _ABOUT_OTHERS or chance.random() < _RARELY}
    for one in striking():
        if one.family == family and one.mode.hears_of_others is (one.seam in elsewhere):
            chosen.setdefault(one.seam, {}).setdefault(_KINDS[one.fault.text], []).append(one)
    drawn = [
        chance.choice(kinds[kind])
        for kinds in chosen.values()
        for kind in chance.sample(sorted(kinds), min(2, len(kinds)))
    ]
    return sorted(drawn, key=lambda one: one.mode.name)
