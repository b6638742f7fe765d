"""Files of schema: what is written is what is read again."""

from __future__ import annotations

import datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from wats_accel.schema_descriptions import read_schema_file
from wats_accel.sql.schema import ForeignKey
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_description import (
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
)
from wats_accel.sql.schema_file import file_text, says_the_same

DAY = datetime.date(2026, 1, 2)
WHOLE = SchemaDescription(
    dialect="postgres",
    complete=True,
    tables={
        "Plain": TableDescription(("Id", "Name")),
        "[Odd.Name]": TableDescription(("a b", "yes"), ("yes",)),
        "Unknown": TableDescription(),
        "Half": TableDescription(None, ("v",)),
    },
    foreign_keys=(
        ForeignKey("Plain", ("Id",), "Other", ("Id",), "cascade"),
        ForeignKey("Plain", ("Id", "Name"), "Third", (), "set null", "set default"),
    ),
    triggers=(
        TriggerDescription("Plain", "noted", Touches(writes=("Log",), calls=("f",)), ("insert",)),
        TriggerDescription("Plain", "hidden", Touches(hides="writes")),
    ),
    views={
        "v": Touches(("Plain(Id)", "w"), calls=("f",), reads_clock=True),
        "hidden": Touches(hides="reads"),
    },
    procedures={"p": Touches((), ("Plain",)), "q": Touches(("Plain",)), "r": Touches(None, ("Plain",))},
    functions={"f": Touches(hides="both", reads_clock=True)},
    pure_functions=("pure",),
    aliases={"syn": ("Plain",), "all": ("Plain", "Half")},
    unknown=("view hidden: nobody knows", "and: more"),
)


def read_again(description: SchemaDescription, folder: Path) -> SchemaDescription:
    path = folder / "schema.yaml"
    path.write_text(file_text(description, product="SQLite 3", today=DAY), encoding="utf-8")
    return read_schema_file(path)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    again = read_again(WHOLE, tmp_path)
    assert schema_of([again]) == schema_of([WHOLE])
    assert again.unknown == WHOLE.unknown
    assert list(again.tables) == sorted(WHOLE.tables)


def test_an_empty_database_is_a_file_too(tmp_path: Path) -> None:
    assert read_again(SchemaDescription(dialect="sqlite"), tmp_path) == SchemaDescription(dialect="sqlite")


def test_the_header_says_when_and_from_what() -> None:
    assert "# Scanned on 2026-01-02 from SQLite 3.\n" in file_text(WHOLE, product="SQLite 3", today=DAY)


def test_files_that_differ_in_the_day_say_the_same() -> None:
    later = file_text(WHOLE, product="SQLite 4", today=datetime.date(2027, 1, 2))
    assert says_the_same(file_text(WHOLE, product="SQLite 3", today=DAY), later)
    other = SchemaDescription(dialect="sqlite")
    assert not says_the_same(file_text(other, product="SQLite 3", today=DAY), later)


def test_a_foreign_key_takes_one_line() -> None:
    text = file_text(WHOLE, product="SQLite 3", today=DAY)
    assert "\n- {table: Plain, columns: Id, parent: Other, parent_columns: Id, on_delete: cascade}\n" in text


LETTERS = st.characters(max_codepoint=0x2FF, exclude_categories=("C",), exclude_characters='[]"`')
NAMES = st.text(LETTERS, min_size=1)


@given(table=NAMES, columns=st.lists(NAMES.map(str.strip).filter(bool), min_size=1, unique_by=str.casefold))
def test_any_name_survives(table: str, columns: list[str], tmp_path_factory) -> None:
    name = f"[{table}]"
    described = SchemaDescription(tables={name: TableDescription(tuple(columns))})
    again = read_again(described, tmp_path_factory.mktemp("names", numbered=True))
    assert schema_of([again]) == schema_of([described])
