"""Boxes and tables stand in line whatever is in them, and whatever the console can show."""

from __future__ import annotations

import string

import pytest
from benchmark_words import _WORDS, ENGLISH, PORTUGUESE, Words
from boxed_summary import Console, width

UTF8 = Console("utf-8")
ENCODINGS = ["utf-8", "cp437", "cp850", "cp1252", "ascii", None, "no such encoding"]
GROUPS = ([("Conexões abertas:", "555 → 173"), ("Melhoria média:", "28,4%")], [("数据库:", "測試")])


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        pytest.param("média", 5, id="accent"),
        pytest.param("me\u0301dia", 5, id="accent-on-top"),
        pytest.param("数据库", 6, id="wide"),
        pytest.param("ﾃｽﾄ", 3, id="half-width"),
        pytest.param("ア", 2, id="full-width"),
        pytest.param("🚀", 2, id="emoji"),
        pytest.param("a\u200bb", 2, id="zero-width-space"),
        pytest.param("║═╔", 3, id="lines"),
    ],
)
def test_the_width_is_that_in_a_console(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_all_lines_of_a_box_are_as_long_and_can_be_printed(encoding: str | None) -> None:
    box = Console(encoding).box("RESUMO DOS RESULTADOS 🚀", *GROUPS)
    assert len({width(line) for line in box.splitlines()}) == 1
    box.encode(str(encoding) if encoding in ENCODINGS[:5] else "ascii")


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_all_lines_of_a_table_are_as_long(encoding: str | None) -> None:
    table = Console(encoding).table(["", "médias"], [["数据库", "1"], ["x", "1.000,0"]])
    assert len({width(line) for line in table.splitlines()}) == 1
    assert table.splitlines()[-1].endswith("1.000,0")


def test_a_box_has_a_title_in_the_middle_and_a_line_between_groups() -> None:
    assert UTF8.box("SUM", [("a:", "1"), ("bcd:", "22")], [("e:", "3")]).splitlines() == [
        "╔════════════╗",
        "║    SUM     ║",
        "╠════════════╣",
        "║  a:    1   ║",
        "║  bcd:  22  ║",
        "╠════════════╣",
        "║  e:    3   ║",
        "╚════════════╝",
    ]


def test_a_title_may_be_longer_than_the_lines() -> None:
    lines = UTF8.box("a very long title", [("a:", "1")]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "a very long title" in lines[1]


@pytest.mark.parametrize("encoding", ["utf-8", "cp437", "cp850"])
def test_a_console_of_windows_has_the_lines(encoding: str) -> None:
    assert Console(encoding).box("Média", [("Conexões:", "5")]).startswith("╔")


def test_a_console_without_lines_and_accents_gets_plain_ones() -> None:
    assert Console("ascii").box("Média", [("Conexões:", "5 → 1")]).splitlines() == [
        "+=====================+",
        "|        Media        |",
        "+---------------------+",
        "|  Conexoes:  5 -> 1  |",
        "+=====================+",
    ]


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        pytest.param("utf-8", "Média, não → 5 µs", id="everything"),
        pytest.param("cp850", "Média, não -> 5 µs", id="lines-and-accents"),
        pytest.param("cp437", "Média, nao -> 5 µs", id="lines-and-some-accents"),
        pytest.param("cp1252", "Média, não -> 5 µs", id="accents"),
        pytest.param("ascii", "Media, nao -> 5 us", id="neither"),
    ],
)
def test_what_cannot_be_shown_has_a_stand_in(encoding: str, shown: str) -> None:
    assert Console(encoding).text("Média, não → 5 µs") == shown


def test_what_has_no_stand_in_is_a_question_mark_of_its_width() -> None:
    assert Console("cp850").text("数 🚀 ab") == "?? ?? ab"
    assert UTF8.text("a\x1b[31mb") == "a?[31mb", "no escape sequence of a server's name reaches the console"


# -- words -------------------------------------------------------------------------------------------------


def test_both_languages_have_the_same_places_for_values() -> None:
    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    for key, (portuguese, english) in _WORDS.items():
        assert places(portuguese) == places(english), key


@pytest.mark.parametrize(
    ("language", "shown"), [(PORTUGUESE, "1.234,5"), (ENGLISH, "1,234.5")], ids=[PORTUGUESE, ENGLISH]
)
def test_numbers_are_written_as_the_language_writes_them(language: str, shown: str) -> None:
    assert Words(language).number(1234.5, 1) == shown


def test_the_maintainers_words_are_there() -> None:
    words = Words(PORTUGUESE)
    assert words("better", percent=words.number(93.25, 1)) == "93,2% melhoria"
    assert [words(key) for key in ("pool", "cache", "average")] == [
        "Connection Pool",
        "Cache System",
        "Melhoria média",
    ]
