"""The scanner finds what the parser finds, and where it stands."""

import re
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wats_accel.config.toml_positions import toml_positions
from wats_accel.errors import KeyPath

if sys.version_info >= (3, 11):
    import tomllib
else:
    # unused-ignore: tomli is installed on Python 3.10 only, and mypy runs for 3.10 everywhere.
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]


def key_paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Return the path of every key and list item in parsed data."""
    if isinstance(value, dict):
        below = [((*path, key), item) for key, item in value.items()]
    elif isinstance(value, list):
        below = [((*path, index), item) for index, item in enumerate(value)]
    else:
        return set()
    return {p for p, _ in below}.union(*(key_paths(item, p) for p, item in below))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("# only = 1", {}, id="comment"),
        pytest.param("a = 1\n  b = 2", {("a",): (1, 1), ("b",): (2, 3)}, id="indented"),
        pytest.param("\tb\t=\t2", {("b",): (1, 2)}, id="tabs"),
        pytest.param(
            "\r\n# c\r\na = 1\r\nb = 2\r\n", {("a",): (3, 1), ("b",): (4, 1)}, id="windows line ends"
        ),
        pytest.param(
            "a.b . c = 1", {("a",): (1, 1), ("a", "b"): (1, 3), ("a", "b", "c"): (1, 7)}, id="dotted"
        ),
        pytest.param("'a.b' = 1\n\"c\\td\" = 2", {("a.b",): (1, 1), ("c\td",): (2, 1)}, id="quoted"),
        pytest.param(
            '"\\u00e9\\U0001F600\\"\\\\" = 1\n"" = 2', {('é😀"\\',): (1, 1), ("",): (2, 1)}, id="escapes"
        ),
        pytest.param(
            '"éé" = {"😀" = 1, b = 2}',
            {("éé",): (1, 1), ("éé", "😀"): (1, 9), ("éé", "b"): (1, 18)},
            id="unicode columns count characters",
        ),
        pytest.param(
            "[a]\nx = 1\n[ b . c ] # d\ny = 2",
            {("a",): (1, 2), ("a", "x"): (2, 1), ("b",): (3, 3), ("b", "c"): (3, 7), ("b", "c", "y"): (4, 1)},
            id="tables",
        ),
        pytest.param(
            "[a.b]\n[a]\nx = 1",
            {("a",): (1, 2), ("a", "b"): (1, 4), ("a", "x"): (3, 1)},
            id="a key stands where it is first named",
        ),
        pytest.param(
            "[[a]]\nx = 1\n[a.t]\n[[a]]\n[[a.n]]\ny = 1\n[[a.n]]\n[a.n.t]\n",
            {
                ("a",): (1, 3),
                ("a", 0): (1, 3),
                ("a", 0, "x"): (2, 1),
                ("a", 0, "t"): (3, 4),
                ("a", 1): (4, 3),
                ("a", 1, "n"): (5, 5),
                ("a", 1, "n", 0): (5, 5),
                ("a", 1, "n", 0, "y"): (6, 1),
                ("a", 1, "n", 1): (7, 5),
                ("a", 1, "n", 1, "t"): (8, 6),
            },
            id="arrays of tables",
        ),
        pytest.param(
            "a = [ # one\n  1,\n  [2, 'x'],\n  {b = [3]},\n]\nc = []",
            {
                ("a",): (1, 1),
                ("a", 0): (2, 3),
                ("a", 1): (3, 3),
                ("a", 1, 0): (3, 4),
                ("a", 1, 1): (3, 7),
                ("a", 2): (4, 3),
                ("a", 2, "b"): (4, 4),
                ("a", 2, "b", 0): (4, 9),
                ("c",): (6, 1),
            },
            id="arrays",
        ),
        pytest.param(
            "a = {}\nb = { c.d = 1, e = {f = 2} }",
            {
                ("a",): (1, 1),
                ("b",): (2, 1),
                ("b", "c"): (2, 7),
                ("b", "c", "d"): (2, 9),
                ("b", "e"): (2, 16),
                ("b", "e", "f"): (2, 21),
            },
            id="inline tables",
        ),
        pytest.param(
            "a = [1979-05-27 07:32:00, 1979-05-27]\nb = 1979-05-27 07:32:00Z # c\nc = -inf",
            {("a",): (1, 1), ("a", 0): (1, 6), ("a", 1): (1, 27), ("b",): (2, 1), ("c",): (3, 1)},
            id="dates with a space",
        ),
    ],
)
def test_every_key_and_item_has_its_line_and_column(
    text: str, expected: dict[KeyPath, tuple[int, int]]
) -> None:
    assert toml_positions(text) == expected
    assert key_paths(tomllib.loads(text)) == set(expected)


@pytest.mark.parametrize(
    "string",
    [
        '"x = 1 # no"',
        '"a\\"]}b"',
        "'a\\'",
        '""',
        "''",
        '"""\nx = 1\n[t]\n"""',
        '"""a""b"c\\""""',
        '"""ends in two quotes"""""',
        '""""""',
        '"""\\\n   folded \\\\"""',
        "'''\n[t]\nx = '1'\n'''",
        "'''ends in two quotes'''''",
        "''''''",
    ],
    ids=repr,
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_what_a_string_holds_is_not_taken_for_keys(string: str, line_end: str) -> None:
    text = f"a = {string}\nb = [{string}, {{c = {string}}}]\nlast = 1".replace("\n", line_end)

    positions = toml_positions(text)

    assert set(positions) == key_paths(tomllib.loads(text))
    assert positions["last",] == (text.count("\n") + 1, 1)


@pytest.mark.parametrize(
    "odd",
    [
        "= 1",
        "b",
        "b =",
        "[b",
        "[[b",
        "[]",
        'b = "open',
        "b = [1",
        "b = {c = 1",
        '"\\q" = 1',
        '"\\UFFFFFFFF" = 1',
        "é = 1",
    ],
    ids=repr,
)
def test_what_is_not_toml_ends_the_scan_quietly(odd: str) -> None:
    positions = toml_positions(f"a = 1\n{odd}")

    assert positions["a",] == (1, 1)


def test_nesting_deeper_than_the_stack_ends_the_scan_quietly() -> None:
    positions = toml_positions("a = 1\nb = " + "[" * 100_000)

    assert positions["a",] == (1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('"\\e\\x41" = 1', {("\x1bA",): (1, 1)}, id="new escapes"),
        pytest.param(
            "a = {\n b = 1, # c\n c = 2,\n}",
            {("a",): (1, 1), ("a", "b"): (2, 2), ("a", "c"): (3, 2)},
            id="inline table over lines",
        ),
    ],
)
def test_what_toml_1_1_adds_is_understood(text: str, expected: dict[KeyPath, tuple[int, int]]) -> None:
    assert toml_positions(text) == expected


@given(st.text(alphabet="ab.=[]{},#'\"\\\n\r\t 1") | st.text())
@settings(deadline=None)
def test_no_text_at_all_makes_it_raise(text: str) -> None:
    toml_positions(text)


# What follows writes random documents in every style that TOML has.

NAMES = st.text(alphabet="ab-_1é.\"'\\\t #=]", max_size=4)
SCALARS = st.sampled_from(
    [
        *("1", "-0.5e3", "true", "inf", "0xff", "1979-05-27 07:32:00", "07:32:00"),
        *('""', "''", '"\\u00e9 ü"', '"a # \\" ] }"', "'it = [\"'"),
        *('"""q"""""', '"""\nx = "1"\n[t] \\"""\n"""', "'''\n[[t]]\n'''"),
    ]
)
TREES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(NAMES, TREES, max_size=5)


class Writer:
    """Writes a tree as TOML; Hypothesis chooses the style at every turn."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def either(self, *choices: str) -> str:
        return self._draw(st.sampled_from(choices))

    def key(self, name: str) -> str:
        basic = '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("é", "\\u00e9") + '"'
        forms = [basic]
        if re.fullmatch(r"[A-Za-z0-9_-]+", name):
            forms.append(name)
        if "'" not in name:
            forms.append(f"'{name}'")
        return self.either(*forms)

    def dotted(self, names: list[str]) -> str:
        return self.either(".", " . ").join(self.key(name) for name in names)

    def value(self, tree: Any) -> str:
        if isinstance(tree, dict):
            pairs = [
                f"{self.key(name)}{self.either('=', ' = ')}{self.value(item)}" for name, item in tree.items()
            ]
            return self.either("{", "{ ") + ", ".join(pairs) + "}"
        if isinstance(tree, list):
            gap = self.either("", " ", "\n", "\n\t# no = [\n")
            items = "".join(f"{gap}{self.value(item)}{gap}," for item in tree)
            return f"[{items.removesuffix(self.either('', ','))}{gap}]"
        return str(tree)

    def pairs(self, tree: dict[str, Any], prefix: list[str]) -> list[str]:
        lines = []
        for name, item in tree.items():
            if isinstance(item, dict) and item and self.either("dotted", "inline") == "dotted":
                lines += self.pairs(item, [*prefix, name])
            else:
                lines.append(f"{self.either('', '  ')}{self.dotted([*prefix, name])} = {self.value(item)}")
        return lines

    def table(self, tree: dict[str, Any], path: list[str]) -> list[str]:
        """Write plain values first: after a header everything belongs to that header's table."""
        headed = [name for name, item in tree.items() if self._may_be_headed(item)]
        lines = self.pairs({name: item for name, item in tree.items() if name not in headed}, [])
        for name in headed:
            below = [*path, name]
            tables = tree[name] if isinstance(tree[name], list) else [tree[name]]
            left, right = ("[[", "]]") if isinstance(tree[name], list) else ("[", "]")
            for table in tables:
                lines.append(f"{left}{self.dotted(below)}{self.either('', ' ')}{right}")
                lines += self.table(table, below)
        return lines

    def _may_be_headed(self, item: Any) -> bool:
        are_tables = isinstance(item, list) and item and all(isinstance(table, dict) for table in item)
        return bool(are_tables or isinstance(item, dict)) and self.either("header", "inline") == "header"


@st.composite
def toml_texts(draw: st.DrawFn) -> str:
    writer = Writer(draw)
    lines = [line + writer.either("", "", " # c = [1") for line in writer.table(draw(DOCUMENTS), [])]
    text = writer.either("", "\n# first\n") + "\n".join(lines) + writer.either("", "\n")
    return text.replace("\n", writer.either("\n", "\r\n"))


@given(toml_texts())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_the_scanner_finds_exactly_the_key_paths_that_the_parser_finds(text: str) -> None:
    assert set(toml_positions(text)) == key_paths(tomllib.loads(text))


@given(toml_texts())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_at_the_position_of_a_key_that_key_is_written(text: str) -> None:
    lines = text.split("\n")
    for path, (line, column) in toml_positions(text).items():
        if isinstance(path[-1], str):
            token = re.match(r"""[A-Za-z0-9_-]+|'[^']*'|"(\\.|[^"\\])*\"""", lines[line - 1][column - 1 :])
            assert token is not None
            assert tomllib.loads(f"{token[0]} = 1") == {path[-1]: 1}
