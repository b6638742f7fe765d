"""The lock: which methods somebody has looked at, and whether they are still the same.

The file is text for people who compare versions: sorted, one line for each method, without anything of the
machine that wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from wats_accel.config.documents import Position, SourceError, failure
from wats_accel.event_bus import EventBus
from wats_accel.events import MethodChanged
from wats_accel.patching.fingerprint import Fingerprint, fingerprint_of, python_tag
from wats_accel.patching.source_text import SourceTexts
from wats_accel.targets import Target

VERSION = 1
LARGEST_BYTES = 16_000_000
"""A lock of 50,000 methods has as many; a larger file is something else."""

_WRITE_ANEW = "; write it anew with 'wats-accel lock'"

NOT_LOCKED = "it is not in the lock file"

Locked = Mapping[str, Fingerprint]
"""Fingerprints by target."""


# -- the file -----------------------------------------------------------------------------------------------


def read_lock(path: Path) -> dict[str, Fingerprint]:
    """Read a lock file.

    Raises:
        SourceError: there is none, it cannot be read, or it is no lock file of this version.
    """
    name = str(path)
    content = _content_of(path)
    try:
        data = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_without_duplicates)
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise failure(name, f"of another version{_WRITE_ANEW}")
        return {target: _fingerprint(entry) for target, entry in data["methods"].items()}
    except json.JSONDecodeError as error:
        place = Position(error.lineno, error.colno)
        raise failure(name, f"not a lock file{_WRITE_ANEW}", place) from None
    except SourceError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise failure(name, f"not a lock file{_WRITE_ANEW}") from None


def lock_text(methods: Locked) -> str:
    """The text of a lock file."""
    lines = [f"    {json.dumps(target)}: {_entry(methods[target])}" for target in sorted(methods)]
    inside = "\n" + ",\n".join(lines) + "\n  " if lines else ""
    return f'{{\n  "version": {VERSION},\n  "methods": {{{inside}}}\n}}\n'


def with_code_of_others(new: Locked, old: Locked) -> dict[str, Fingerprint]:
    """New fingerprints, with the code of other versions of Python kept where the source is the same."""
    return {target: _merged(found, old.get(target)) for target, found in new.items()}


def _merged(new: Fingerprint, old: Fingerprint | None) -> Fingerprint:
    if old is None or new.source is None or (new.source, new.sql) != (old.source, old.sql):
        return new
    return Fingerprint(new.source, new.sql, {**old.code, **new.code})


def _content_of(path: Path) -> bytes:
    if not path.exists():
        raise failure(str(path), "there is no such file; write it with 'wats-accel lock'")
    if not path.is_file():  # a folder; a device or a pipe might never end
        raise failure(str(path), "this is not a file")
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise failure(str(path), f"the file cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_BYTES:
        raise failure(str(path), "the file is too large to be a lock file")
    return content


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # two versions were merged: which of them has anybody looked at?
        raise ValueError
    return found


def _fingerprint(entry: Any) -> Fingerprint:
    code = entry["code"]
    texts = [entry["source"] or "", entry["sql"] or "", *code, *code.values()]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return Fingerprint(entry["source"], entry["sql"], dict(code))


def _entry(found: Fingerprint) -> str:
    code = {tag: found.code[tag] for tag in sorted(found.code)}
    return json.dumps({"source": found.source, "sql": found.sql, "code": code})


# -- comparing ----------------------------------------------------------------------------------------------


def difference(now: Fingerprint, locked: Fingerprint) -> str | None:
    """What of a method has changed; None if nothing has, or if nothing was known of it ever."""
    if now.source is not None and locked.source is not None:
        return _changed_parts(now, locked)
    if locked == Fingerprint() or now == Fingerprint():  # written in C
        return None if now == locked else "whether it is written in C"
    tag = python_tag()
    if tag not in locked.code:
        return f"there is no source to compare, and no code of {tag} in the lock file"
    return None if now.code.get(tag) == locked.code[tag] else "its code"


def _changed_parts(now: Fingerprint, locked: Fingerprint) -> str | None:
    source, sql = now.source != locked.source, now.sql != locked.sql
    if source and sql:
        return "its source and its SQL"
    return "its source" if source else "its SQL" if sql else None


class MethodLock:
    """Says of a method, when it is about to be patched, whether it has changed since it was locked.

    Args:
        locked: the fingerprints of the lock file.
        on_change: whether a changed method is only reported, or also left unpatched.
        bus: told of each changed method.
        note: told of each changed method that is patched all the same: target, and what is wrong.
    """

    def __init__(
        self,
        locked: Locked,
        on_change: Literal["warn", "bypass"],
        *,
        bus: EventBus,
        note: Callable[[Target, str], None],
    ) -> None:
        self._locked = locked
        self._on_change = on_change
        self._bus = bus
        self._note = note
        self._sources = SourceTexts()
        self._verdicts: dict[Target, str | None] = {}

    def rule_for(self, target: Target) -> object:
        """What the verdict on a method depends on, to be compared at a reload."""
        found = self._locked.get(str(target))
        return self._on_change, found and (found.source, found.sql, tuple(sorted(found.code.items())))

    def refusal(self, target: Target) -> str | None:
        """Why a method is to be left unpatched; None if it is not. Tells each change once."""
        if target not in self._verdicts:
            self._verdicts[target] = why = self._why(target)
            if why is not None:
                self._bus.emit(MethodChanged(str(target), why, self._on_change))
                if self._on_change == "warn":
                    self._note(target, told(why))
        why = self._verdicts[target]
        return None if why is None or self._on_change == "warn" else f"{told(why)}; left unpatched"

    def _why(self, target: Target) -> str | None:
        locked = self._locked.get(str(target))
        if locked is None:
            return NOT_LOCKED
        try:
            return difference(fingerprint_of(target, self._sources), locked)
        except Exception as error:  # noqa: BLE001 - an odd class may raise anything: it counts as changed
            return f"it cannot be looked at: {type(error).__name__}"

    def forget_sources(self) -> None:
        """Give back the memory that the syntax trees take."""
        self._sources.forget()


def told(what: str) -> str:
    """A sentence for people about what a comparison has found."""
    if what.startswith("its "):
        return f"the method has changed since it was locked ({what}): look at it, then run 'wats-accel lock'"
    return f"the method is not locked ({what}): look at it, then run 'wats-accel lock'"


def fingerprints(targets: Iterable[Target]) -> dict[str, Fingerprint]:
    """The fingerprints of methods whose modules are imported."""
    sources = SourceTexts()
    return {str(target): fingerprint_of(target, sources) for target in targets}
