"""A configuration file whose switches are set: checked before it is written, and written in one step."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wats_accel.atomic_files import replace_file
from wats_accel.config.documents import Document, SourceError
from wats_accel.config.loader import located
from wats_accel.config.sources import parse_document, read_document
from wats_accel.editing.as_toml import edited_toml
from wats_accel.editing.as_yaml import edited_yaml
from wats_accel.editing.changes import keeps_the_rest
from wats_accel.editing.switches import Switch, named_switches, suggestion, switches_above
from wats_accel.errors import ConfigError, Problem, shown

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # how the mark of byte order is decoded


@dataclass(frozen=True, slots=True)
class Switched:
    """What has been done.

    Attributes:
        changed: the switches that were set.
        already: those that were as wanted.
        still_off: those above them that keep what was enabled from having an effect.
    """

    changed: Sequence[Switch]
    already: Sequence[Switch]
    still_off: Sequence[Switch] = ()


def switch_in_file(path: str | os.PathLike[str], pattern: str, *, on: bool) -> Switched:
    """Set the switches that a pattern names in a YAML or TOML file, and leave everything else as it is.

    The file has to be valid. Its permissions, line ends, comments and mark of byte order stay.

    Args:
        path: a valid configuration.
        pattern: as of `accelerator.disable`; also the name of a class alone.
        on: whether to enable or to disable.

    Raises:
        ConfigError: the pattern names nothing, the file cannot be read or written, or one of the switches
            cannot be set without changing something else. Nothing is written then.
    """
    name = os.fspath(path)
    document = read_document(name)
    switches = named_switches(document.data, pattern)
    if not switches:
        message = f"nothing is named by {shown(pattern)!r}{suggestion(document.data, pattern)}"
        raise ConfigError([Problem(message, file=name)])
    to_change = [switch for switch in switches if switch.on != on]
    if to_change:
        before = _bytes_of(name)
        text = before.decode("utf-8")
        _write(name, before, _with_all(name, document, text, to_change, on=on).encode("utf-8"))
    already = [switch for switch in switches if switch.on == on]
    return Switched(to_change, already, _off_above(name, switches) if on else ())


def _with_all(name: str, document: Document, text: str, switches: Sequence[Switch], *, on: bool) -> str:
    mark = _MARK if text.startswith(_MARK) else ""
    text = text.removeprefix(_MARK)
    for switch in switches:
        wanted = _with_switch(document.data, switch, on=on)
        text, document = _with_one(name, document, text, switch, wanted, on=on)
    return mark + text


def _with_one(
    name: str, document: Document, text: str, switch: Switch, wanted: dict[str, Any], *, on: bool
) -> tuple[str, Document]:
    edited = edited_toml if Path(name).suffix.lower() == ".toml" else edited_yaml
    for candidate in edited(text, switch, on=on):
        if not keeps_the_rest(text, candidate):
            continue
        try:
            made = parse_document(name, candidate)
        except SourceError:
            continue
        if made.data == wanted:
            return candidate, made
    message = (
        f"cannot set 'enabled' of {switch.names} without changing something else: edit the file by hand "
        "(is it written once, and used in several places with & and *, or merged in with <<?)"
    )
    raise ConfigError([located(document, message, switch.path)])


def _with_switch(data: dict[str, Any], switch: Switch, *, on: bool) -> dict[str, Any]:
    """A copy of the data with the switch set."""
    made = copy.deepcopy(data)
    *parents, last = switch.path or (None,)
    place: Any = made
    for part in parents:
        place = place[part]
    if switch.is_short:
        place[last] = {"namespace": place[last]}
    (made if last is None else place[last])["enabled"] = on
    return made


def _off_above(name: str, switches: Sequence[Switch]) -> list[Switch]:
    raw = read_document(name).data
    above = {known.path: known for switch in switches for known in switches_above(raw, switch)}
    return [known for known in above.values() if not known.on]


def _bytes_of(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise _cannot("read", name, error) from None


def _write(name: str, before: bytes, after: bytes) -> None:
    if _bytes_of(name) != before:
        raise ConfigError([Problem("somebody else has changed the file just now: try again", file=name)])
    if not os.access(name, os.W_OK) or not os.stat(name).st_mode & 0o222:
        raise ConfigError([Problem("the file is read-only: nothing was changed", file=name)])
    try:
        replace_file(name, after)
    except OSError as error:
        raise _cannot("written", name, error) from None


def _cannot(what: str, name: str, error: OSError) -> ConfigError:
    why = error.strerror or type(error).__name__
    return ConfigError([Problem(f"the file cannot be {what}: {why}", file=name)])
