"""The corpus: statements as people write them, each with what it does; the files in ``corpus/`` hold them.

How a case is written is told in ``corpus/README.md``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import yaml
from truth import Truth

from wats_accel.sql.access import ANY_COLUMN, Access, Columns, access, name_of
from wats_accel.sql.facts import Call, Event, Write

FOLDER: Final = Path(__file__).with_name("corpus")

_TABLE: Final = re.compile(r"\s*([^(),;]+?)\s*\(([^)]*)\)\s*(?:,|$)")
_WRITE: Final = re.compile(r"\s*(insert|update|delete|any)\s+([^(;]+?)\s*(?:\(([^)]*)\))?\s*(?:;|$)")
_CALL: Final = re.compile(r"\s*(procedure|function)\s+([^;]+?)\s*(?:;|$)")
_CUT: Final = re.compile(r"""^    sql: [^"'|].* #.*$""", re.MULTILINE)
"""YAML takes it for a comment, and SQL for a table of the session."""
_KEYS: Final = frozenset(
    {"sql", "dialect", "columns", "kinds", "reads", "writes", "calls", "clock", "hides", "may", "broken"}
)


@dataclass(frozen=True, slots=True)
class Case:
    """One statement, or a text of several.

    Attributes:
        name: file and title.
        sql: the text.
        dialect: that it is read as.
        columns: of tables, where the reader is told them.
        truth: what it does.
        may: what an analysis may tell besides.
        kinds: of its statements; None if nobody cares.
        broken: whether it is no whole text, so that nothing can stand before or behind it.
    """

    name: str
    sql: str
    dialect: str
    columns: Mapping[str, Columns] | None
    truth: Truth
    may: Truth
    kinds: tuple[str, ...] | None
    broken: bool


class _Loader(yaml.SafeLoader):
    """Takes no title twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    made = loader.construct_mapping(node, deep=True)
    if len(made) != len(node.value):
        titles = [key.value for key, _ in node.value]
        twice = sorted({title for title in titles if titles.count(title) > 1})
        raise ValueError(f"twice in {node.start_mark.name}: {', '.join(twice)}")
    return made


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@cache
def cases() -> tuple[Case, ...]:
    """All cases of all files, in their order."""
    return tuple(case for file in sorted(FOLDER.glob("*.yaml")) for case in _of_file(file))


def _of_file(file: Path) -> Iterator[Case]:
    with file.open(encoding="utf-8") as text:
        content = yaml.load(text, _Loader)
    for title, made in content["cases"].items():
        unknown = set(made) - _KEYS
        if unknown:
            raise ValueError(f"{file.name}: {title}: {sorted(unknown)}")
        dialects = made.get("dialect", content["dialect"])
        for dialect in [dialects] if isinstance(dialects, str) else dialects:
            more = "" if isinstance(dialects, str) else f" ({dialect})"
            yield _case(f"{file.stem}: {title}{more}", dialect, made)


def _case(name: str, dialect: str, made: Mapping[str, Any]) -> Case:
    columns = made.get("columns")
    kinds = made.get("kinds")
    return Case(
        name,
        made["sql"].rstrip("\n"),
        dialect,
        dict(_tables(columns).items) if columns else None,
        _truth(made),
        _truth(made.get("may", {})),
        tuple(kinds.split(", ")) if kinds is not None else None,
        made.get("broken", False),
    )


def _truth(made: Mapping[str, Any]) -> Truth:
    return Truth(
        _tables(made.get("reads", "")),
        tuple(_writes(made.get("writes", ""))),
        frozenset(_calls(made.get("calls", ""))),
        made.get("clock", False),
        made.get("hides"),
    )


def _found(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The parts of a text that is nothing but such parts."""
    end = 0
    while text[end:].strip():
        match = pattern.match(text, end)
        if match is None:
            raise ValueError(f"not understood: {text[end:]}")
        yield match
        end = match.end()


def _tables(text: str) -> Access:
    return access({found[1]: _columns(found[2]) for found in _found(_TABLE, text)})


def _columns(text: str) -> Columns:
    return frozenset(name_of(name.strip()) for name in text.split(",") if name.strip())


def _writes(text: str) -> Iterator[Write]:
    for found in _found(_WRITE, text):
        columns = ANY_COLUMN if found[3] is None else _columns(found[3])
        yield Write(name_of(found[2]), cast(Event, found[1]), columns)


def _calls(text: str) -> Iterator[Call]:
    for found in _found(_CALL, text):
        yield Call(name_of(found[2]), cast(Any, found[1]))
