"""A source is read as plain data with positions, or refused with one clear sentence for each issue."""

import contextlib
import os
import pickle
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wats_accel.config.documents import Document, Position, SourceError
from wats_accel.config.sources import mapping_document, read_document
from wats_accel.errors import KeyPath

YAML = """\
# a comment
version: 1
cache:
  default_ttl: 5m
  namespaces: {users: {ttl: 5m}, "größe": {ttl: 1s}}
pool:
  - connect: pyodbc:connect
    size: 5
  - [1, 2]
"""

TOML = """\
# a comment
version = 1
cache.default_ttl = "5m"

[cache.namespaces]
users = {ttl = "5m"}
"größe" = {ttl = "1s"}

[[pool]]
connect = "pyodbc:connect"
size = 5
"""


@pytest.fixture(params=["libyaml", "pure"])
def each_yaml_loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with PyYAML's C library and as if it had been built without."""
    if request.param == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


@pytest.fixture
def no_c_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(folder: Path, name: str, content: str | bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_document(written(folder, name, content))
    return caught.value


def places(document: Document, *paths: KeyPath) -> list[tuple[int, int]]:
    found = [document.position(path) for path in paths]
    return [(position.line, position.column) for position in found if position]


# --- what is read ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("each_yaml_loader")
def test_a_yaml_file_becomes_plain_data(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "wats.yaml", YAML))

    assert document.data == {
        "version": 1,
        "cache": {"default_ttl": "5m", "namespaces": {"users": {"ttl": "5m"}, "größe": {"ttl": "1s"}}},
        "pool": [{"connect": "pyodbc:connect", "size": 5}, [1, 2]],
    }


def test_a_toml_file_becomes_plain_data(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "wats.toml", TOML))

    assert document.data == {
        "version": 1,
        "cache": {"default_ttl": "5m", "namespaces": {"users": {"ttl": "5m"}, "größe": {"ttl": "1s"}}},
        "pool": [{"connect": "pyodbc:connect", "size": 5}],
    }


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "a.YAML"])
def test_the_suffix_chooses_the_format_in_any_case(tmp_path: Path, name: str) -> None:
    assert read_document(written(tmp_path, name, "a: 1")).data == {"a": 1}


def test_a_path_may_be_text_and_is_shown_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "wats.toml", "a = 1")
    monkeypatch.chdir(tmp_path)

    assert read_document("wats.toml").name == "wats.toml"
    assert read_document(os.path.join(".", "wats.toml")).name == os.path.join(".", "wats.toml")


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.yaml", b"", id="no bytes"),
        pytest.param("a.yaml", b"# nothing yet\r\n", id="comments"),
        pytest.param("a.yaml", b"---\n...\n", id="an empty document"),
        pytest.param("a.yaml", b"\xef\xbb\xbf", id="a byte order mark"),
        pytest.param("a.toml", b"", id="no bytes, toml"),
        pytest.param("a.toml", b"\xef\xbb\xbf# nothing yet\r\n", id="comments, toml"),
    ],
)
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, name: str, content: bytes) -> None:
    document = read_document(written(tmp_path, name, content))

    assert document.data == {}
    assert places(document, (), ("a",)) == [(1, 1), (1, 1)]


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize(
    ("name", "content", "place"),
    [("a.yaml", "a: 1\r\nb:\r\n  c: 2\r\n", (3, 3)), ("a.toml", "a = 1\r\n\r\n  b.c = 2\r\n", (3, 5))],
    ids=["yaml", "toml"],
)
def test_windows_line_ends_and_a_byte_order_mark_change_nothing(
    tmp_path: Path, name: str, content: str, place: tuple[int, int]
) -> None:
    document = read_document(written(tmp_path, name, b"\xef\xbb\xbf" + content.encode()))

    assert document.data == {"a": 1, "b": {"c": 2}}
    assert places(document, ("a",), ("b", "c")) == [(1, 1), place]


def test_the_data_stays_out_of_the_representation(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "a.toml", "password = 'hunter2'"))

    assert "hunter2" not in repr(document)


# --- positions ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), (1, 1)),
        (("version",), (2, 1)),
        (("cache", "default_ttl"), (4, 3)),
        (("cache", "namespaces", "users", "ttl"), (5, 24)),
        (("cache", "namespaces", "größe"), (5, 34)),
        (("cache", "namespaces", "größe", "ttl"), (5, 44)),
        (("pool", 0), (7, 5)),
        (("pool", 0, "size"), (8, 5)),
        (("pool", 1, 1), (9, 9)),
    ],
    ids=str,
)
def test_yaml_keys_and_items_have_their_place(
    tmp_path: Path, path: KeyPath, expected: tuple[int, int]
) -> None:
    assert places(read_document(written(tmp_path, "a.yaml", YAML)), path) == [expected]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), (1, 1)),
        (("cache", "default_ttl"), (3, 7)),
        (("cache", "namespaces", "größe", "ttl"), (7, 12)),
        (("pool", 0, "size"), (11, 1)),
    ],
    ids=str,
)
def test_toml_keys_have_their_place(tmp_path: Path, path: KeyPath, expected: tuple[int, int]) -> None:
    assert places(read_document(written(tmp_path, "a.toml", TOML)), path) == [expected]


@pytest.mark.parametrize(
    ("name", "content"), [("a.yaml", "x: 1\na: [{b: 1}]"), ("a.toml", "x = 1\na = [{b = 1}]")]
)
def test_what_does_not_exist_has_the_place_of_its_nearest_parent(
    tmp_path: Path, name: str, content: str
) -> None:
    document = read_document(written(tmp_path, name, content))

    assert document.position(("a", 0, "c", "d")) == document.position(("a", 0))
    assert document.position(("a", 7)) == document.position(("a",)) == Position(2, 1)
    assert document.position(("z",)) == Position(1, 1)


def test_positions_are_looked_for_only_once_and_only_when_asked() -> None:
    asked = []

    def locate() -> Mapping[KeyPath, tuple[int, int]]:
        asked.append("once")
        return {("a",): (3, 4)}

    document = Document("a.toml", {"a": 1}, locate)
    assert asked == []

    assert document.position(("a",)) == document.position(("a", "b")) == Position(3, 4)
    assert asked == ["once"]


@pytest.mark.usefixtures("each_yaml_loader")
def test_aliases_and_merge_keys_are_followed_to_where_they_were_written(tmp_path: Path) -> None:
    text = "base: &base {ttl: 5m, on_error: &no [1]}\na: {<<: *base, ttl: 1m}\nb: *no\nc: [*base]\n"

    document = read_document(written(tmp_path, "a.yaml", text))

    assert document.data["a"] == {"ttl": "1m", "on_error": [1]}
    assert document.data["c"] == [document.data["base"]]
    assert places(document, ("a", "ttl"), ("a", "on_error"), ("b",)) == [(2, 16), (1, 23), (3, 1)]
    assert places(document, ("b", 0), ("c", 0)) == [(1, 38), (1, 7)]


@pytest.mark.usefixtures("each_yaml_loader")
def test_of_several_merged_mappings_the_first_wins(tmp_path: Path) -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}\nw: {<<: {<<: *y}}\n"

    data = read_document(written(tmp_path, "a.yaml", text)).data

    assert data["z"] == {"a": 1, "b": 1, "c": 3}
    assert data["w"] == {"b": 2, "c": 2}


def test_a_quoted_merge_key_is_an_ordinary_key(tmp_path: Path) -> None:
    assert read_document(written(tmp_path, "a.yaml", '"<<": {a: 1}')).data == {"<<": {"a": 1}}


def test_two_uses_of_an_alias_share_no_data(tmp_path: Path) -> None:
    data = read_document(written(tmp_path, "a.yaml", "a: &a [1]\nb: *a\n")).data

    data["a"].append(2)

    assert data["b"] == [1]


def test_standard_scalars_have_their_types(tmp_path: Path) -> None:
    text = "a: 0x10\nb: yes\nc: ~\nd: 1.5\ne: 2024-02-29\nf: !!binary aGk=\ng: !!str 1\n!!str 2: x\n"

    assert read_document(written(tmp_path, "a.yaml", text)).data == {
        "a": 16,
        "b": True,
        "c": None,
        "d": 1.5,
        "e": date(2024, 2, 29),
        "f": b"hi",
        "g": "1",
        "2": "x",
    }


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.json", "a", "yaml"])
def test_an_unknown_file_type_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(SourceError, match=r"is not known: use one of \.yaml, \.yml, \.toml$") as caught:
        read_document(name)

    assert caught.value.position is None


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read_document(tmp_path / "no.yaml")

    assert str(caught.value) == f"{tmp_path / 'no.yaml'}: there is no such file"
    assert caught.value.message == "there is no such file"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()

    with pytest.raises(SourceError, match=r"this is a directory, not a file$"):
        read_document(tmp_path / "a.yaml")


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 40_000 + ".yaml"], ids=["NUL", "too long"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_document(name)

    assert caught.value.position is None


@pytest.mark.parametrize("name", ["a.yaml", "a.toml"])
def test_what_is_not_utf_8_is_refused_at_the_first_wrong_character(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, name, b"\xef\xbb\xbf# \xc3\xa9\r\n# gr\xf6\xdfe\r\n")

    assert error.message == "the file is not UTF-8: save it as UTF-8"
    assert error.position == Position(2, 5)


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize(
    ("name", "content", "position"),
    [
        pytest.param("a.yaml", "a: 1\nb: c: d\n", Position(2, 5), id="yaml"),
        pytest.param("a.yaml", "a:\n\tb: 1\n", Position(2, 1), id="tab"),
        pytest.param("a.yaml", "a: *x\n", Position(1, 4), id="undefined alias"),
        pytest.param("a.yaml", "é: 1\nü: \x07\n", Position(2, 4), id="control character"),
        pytest.param("a.toml", "a = 1\r\nb = \r\n", Position(2, 5), id="toml"),
        pytest.param("a.toml", "a = 1\na = 2\n", Position(2, 6), id="toml duplicate"),
        pytest.param("a.toml", "a = 1\nb = '''", Position(2, 8), id="end of toml"),
    ],
)
def test_a_syntax_error_is_refused_where_it_is(
    tmp_path: Path, name: str, content: str, position: Position
) -> None:
    error = refusal(tmp_path, name, content)

    assert error.position == position
    assert error.message.startswith("not valid ")
    assert "\n" not in error.message
    assert "(at " not in error.message


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "password: hunter2: x\n"),
        ("a.toml", "password = hunter2\n"),
        ("a.yaml", "a: !!int hunter2"),
    ],
    ids=["yaml", "toml", "value"],
)
def test_an_error_never_shows_a_value_of_the_file(tmp_path: Path, name: str, content: str) -> None:
    assert "hunter2" not in str(refusal(tmp_path, name, content))


@pytest.mark.parametrize("text", ["[1, 2]", "just text", "1"], ids=["list", "text", "number"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, "a.yaml", "# c\n" + text)

    assert error.message == "expected a mapping (key: value) at the top"
    assert error.position == Position(2, 1)


@pytest.mark.usefixtures("each_yaml_loader")
def test_all_duplicate_keys_are_reported_at_once_with_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "a.yaml", "a: 1\nb: &b\n  c: 1\n  c: 2\na: 3\nd: *b\n")

    with pytest.raises(SourceError) as caught:
        read_document(path)

    assert caught.value.issues == (
        ("duplicate key 'a': first on line 1, again on line 5", Position(5, 1)),
        ("duplicate key 'c': first on line 3, again on line 4", Position(4, 3)),
    )
    assert str(caught.value).splitlines()[1] == f"{path}:4:3: {caught.value.issues[1].message}"


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("1: x", "the key '1' is read as int, not as text: write it in quotes", id="number"),
        pytest.param("on: x", "the key 'on' is read as bool, not as text: write it in quotes", id="switch"),
        pytest.param("~: x", "the key '~' is read as null, not as text: write it in quotes", id="null"),
        pytest.param("=: x", "the key '=' is read as value, not as text: write it in quotes", id="equals"),
        pytest.param("[a]: x", "a key must be text, not a list or a mapping", id="list as key"),
        pytest.param("? {a: 1}\n: x", "a key must be text, not a list or a mapping", id="mapping as key"),
        pytest.param("!x a: x", "a tag is not allowed: only plain values are", id="tag on a key"),
    ],
)
def test_a_key_that_is_not_text_is_refused(tmp_path: Path, text: str, message: str) -> None:
    error = refusal(tmp_path, "a.yaml", "ok: 1\n" + text)

    assert error.message == message
    assert error.position
    assert error.position.line == 2


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "!!python/object:os.system {}",
            "the tag !!python/object:os.system is not allowed: only plain values are",
        ),
        (
            "!!python/name:os.system ''",
            "the tag !!python/name:os.system is not allowed: only plain values are",
        ),
        ("!secret x", "a tag is not allowed: only plain values are"),
        ("!!set {x}", "the tag !!set is not allowed: only plain values are"),
        ("!!omap [x: 1]", "the tag !!omap is not allowed: only plain values are"),
        ("!!map x", "the tag !!map is not allowed: only plain values are"),
        ("!!int x", "this is not a valid int"),
        ("!!int ''", "this is not a valid int"),
        ("!!bool x", "this is not a valid bool"),
        ("!!float x", "this is not a valid float"),
        ("!!timestamp x", "this is not a valid timestamp"),
        ("!!binary é", "this is not a valid binary"),
        ("2024-13-45", "this is not a valid timestamp"),
        ("=", "a bare = or << means something else in YAML: write it in quotes"),
        ("<<", "a bare = or << means something else in YAML: write it in quotes"),
    ],
)
def test_a_value_that_is_not_plain_is_refused(tmp_path: Path, value: str, message: str) -> None:
    error = refusal(tmp_path, "a.yaml", f"a: 1\nb: {value}\n")

    assert error.message == message
    assert error.position == Position(2, 4)


@pytest.mark.parametrize("source", ["1", "[1]", "[{a: 1}, x]"])
def test_a_merge_key_takes_mappings_only(tmp_path: Path, source: str) -> None:
    error = refusal(tmp_path, "a.yaml", f"a: {{<<: {source}}}")

    assert error.message == "<< takes a mapping or a list of mappings"


@pytest.mark.usefixtures("each_yaml_loader")
def test_a_second_document_in_the_file_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.yaml", "a: 1\n---\nb: 2\n")

    assert error.issues == (("a second document starts here: expected only one", Position(2, 1)),)


@pytest.mark.parametrize("name", ["a.yaml", "a.toml"])
def test_a_number_of_thousands_of_digits_is_refused(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, name, f"a{':' if name.endswith('yaml') else ' ='} {'9' * 20_000}")

    assert error.message in ("this is not a valid int", "not valid TOML: a number is too long")


@pytest.mark.usefixtures("no_c_loader")
def test_an_escape_beyond_unicode_is_refused_by_the_pure_loader_too(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.yaml", 'a: "\\U99999999"').message == "not valid YAML behind this place"


# --- attacks and accidents ---------------------------------------------------------------------------


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}", "a: &a {b: {<<: [*a]}}"])
def test_an_alias_to_what_contains_it_is_refused(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, "a.yaml", text)

    assert error.issues == (("an alias makes this value contain itself", Position(1, 4)),)


def laughs(template: str, times: int) -> str:
    """Return levels that each use the one before nine times."""
    levels = [f"m{i}: &m{i} " + template.replace("*", ", ".join([f"*m{i - 1}"] * 9)) for i in range(1, times)]
    return "\n".join(["m0: &m0 {a: 1}", *levels])


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize("template", ["[*]", "{<<: [*]}"], ids=["lists", "merges"])
def test_aliases_that_multiply_are_refused(tmp_path: Path, template: str) -> None:
    error = refusal(tmp_path, "a.yaml", laughs(template, 30))

    assert error.message == "the file has more than 100,000 values, counting each use of an alias"


def test_a_wide_mapping_merged_many_times_counts_every_time(tmp_path: Path) -> None:
    wide = ", ".join(f"k{i}: 1" for i in range(1_000))
    text = f"m: &m {{{wide}}}\nn: {{<<: [{', '.join(['*m'] * 200)}]}}"

    assert "more than 100,000 values" in refusal(tmp_path, "a.yaml", text).message


@pytest.mark.parametrize("template", ["[*m]", "{<<: *m}", "{a: *m}"], ids=["lists", "merges", "mappings"])
def test_aliases_that_nest_too_deeply_are_refused(tmp_path: Path, template: str) -> None:
    levels = [f"m{i}: &m{i} " + template.replace("*m", f"*m{i - 1}") for i in range(1, 3_000)]

    error = refusal(tmp_path, "a.yaml", "\n".join(["m0: &m0 {b: 1}", *levels]))

    assert error.message == "the values are nested too deeply"


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("a.yaml", "a: " + "[" * 200_000, id="yaml lists"),
        pytest.param("a.yaml", "a: " + "[" * 200 + "]" * 200, id="closed yaml lists"),
        pytest.param("a.yaml", "{a: " * 200_000, id="yaml mappings"),
        pytest.param("a.yaml", "- " * 200_000, id="yaml blocks"),
        pytest.param("a.toml", "a = " + "[" * 200_000, id="toml lists"),
        pytest.param("a.toml", "a = " + "[" * 150 + "]" * 150, id="closed toml lists"),
        pytest.param("a.toml", "a = " + "{a = " * 200_000, id="toml tables"),
        pytest.param("a.toml", "a." * 2_000 + "a = 1", id="toml dotted key"),
    ],
)
def test_nesting_without_end_is_refused(tmp_path: Path, name: str, text: str) -> None:
    # Newer releases of libyaml have a limit of their own, and words for it.
    assert re.search("nested too deeply$|maximum nesting depth$", refusal(tmp_path, name, text).message)


FRAGMENTS = [
    "a: 1\n",
    "- ",
    "? ",
    ": ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&a ",
    "*a",
    "<<: ",
    "!!int ",
    "!!python/x ",
    "| \n",
]
FRAGMENTS += [
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "'",
    '"',
    "\\u12",
    "\t",
    "\r\n",
    "#",
    "a = ",
    "[[a]]\n",
    "=",
    "1",
    "é",
    "\0",
]


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """Cut pieces out of a valid file and put others in."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 8)))
        text = text[:start] + draw(st.sampled_from(FRAGMENTS) | st.text(max_size=3)) + text[end:]
    return text


CONTENTS = (
    st.binary()
    | st.text().map(lambda text: text.encode())
    | st.lists(st.sampled_from(FRAGMENTS)).map(lambda parts: "".join(parts).encode())
    | damaged(YAML).map(lambda text: text.encode())
    | damaged(TOML).map(lambda text: text.encode())
)


@pytest.mark.usefixtures("each_yaml_loader")
@pytest.mark.parametrize("name", ["a.yaml", "a.toml"])
@given(content=CONTENTS)
@example(content=b"\xff\xfea\x00:\x00")
@example(content=b"a: !!timestamp 2001-01-01 00:00:00 +99:99")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_any_bytes_are_a_document_or_a_source_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = written(tmp_path, name, content)
    with contextlib.suppress(SourceError):
        document = read_document(path)
        assert all(document.position(key_path) for key_path in key_paths(document.data))


def key_paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    yield path
    if isinstance(value, dict):
        assert all(isinstance(key, str) for key in value)
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from key_paths(item, (*path, key))


# --- mappings ----------------------------------------------------------------------------------------


def test_a_mapping_is_copied_and_has_no_positions() -> None:
    given_data = {"a": {"b": [1, {"c": 2}]}, "t": (1, 2), "m": MappingProxyType({"x": 1})}

    document = mapping_document(given_data)
    given_data["a"]["b"].append("later")  # type: ignore[index]  # the literal's type is a union

    assert document.name == "<mapping>"
    assert document.data == {"a": {"b": [1, {"c": 2}]}, "t": [1, 2], "m": {"x": 1}}
    assert document.position(("a",)) is document.position(()) is None


def test_a_mapping_whose_keys_are_not_text_is_refused() -> None:
    with pytest.raises(SourceError, match=r"^<mapping>: a key is of type int: keys must be text$"):
        mapping_document({"a": {1: "x"}})


def test_a_mapping_that_contains_itself_is_refused() -> None:
    data: dict[str, Any] = {}
    data["a"] = [data]

    with pytest.raises(SourceError, match="nested too deeply"):
        mapping_document(data)


def test_a_source_error_survives_pickling(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.yaml", "a: 1\na: 2\n")

    copy = pickle.loads(pickle.dumps(error))

    assert str(copy) == str(error)
    assert copy.issues == error.issues
