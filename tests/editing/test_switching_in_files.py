"""A switch is set in a file, and everything else in it stays byte for byte, or nothing is written at all."""

from __future__ import annotations

import copy
import difflib
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wats_accel.config.sources import read_document
from wats_accel.editing import config_file
from wats_accel.editing.config_file import switch_in_file
from wats_accel.editing.switches import named_switches
from wats_accel.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "config"
PRESETS = [CONFIG / name for name in ("minimal.yaml", "wats.yaml", "wats-original.yaml", "wats.toml")]

SHOP_YAML = """\
# a comment
version: 1   # of the format
cache:
  namespaces:
    stock:
      ttl: 5m   # five
    users: {}
    "odd, name": {ttl: 1m}
pool:
- connect: sqlite3:connect
  size: 3
repositories:
  - target: shop.stock:Stock
    cached:
      list_items: stock   # the short form
      count_of: "stock"
      price_of: {namespace: stock, ttl: 1m,}
      owner_of: {
        namespace: users,  # who
      }
      block_of:
        namespace: users
      rule_of: {namespace: 'odd, name'}
    invalidates:
      receive: ["stock:*"]
  - target: shop.prices
    enabled: false
    cached: {price: stock}
"""

SHOP_TOML = """\
# a comment
version = 1   # of the format

[cache]
namespaces.stock.ttl = "5m"   # five
namespaces.users = {}

[[pool]]
connect = "sqlite3:connect"
size = 3

[[repositories]]
target = "shop.stock:Stock"   # a class

[repositories.cached]
list_items = "stock"   # the short form
price_of = { namespace = "stock", ttl = "1m" } # tight
owner_of.namespace = "users"

[repositories.invalidates]
receive = ["stock:*"]

[[repositories]]
target = "shop.prices"
enabled = false   # for now
cached = { price = "stock" }
"""


def file_of(folder: Path, text: str, name: str = "shop.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return path


def changes(before: str, after: str) -> list[str]:
    """The lines that are gone, and those that are new."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("all", ["+ enabled: false"]),
        ("stock", ["+ enabled: false"]),
        ("users:*", ["- users: {}", "+ users: {enabled: false}"]),
        ("sqlite3:connect", ["+ enabled: false"]),
        ("Stock", ["+ enabled: false"]),
        ("shop.stock:Stock.*", ["+ enabled: false"]),
        (
            "stock:list_items",
            [
                "- list_items: stock   # the short form",
                "+ list_items: {namespace: stock, enabled: false}   # the short form",
            ],
        ),
        ("Stock.count_of", ['- count_of: "stock"', '+ count_of: {namespace: "stock", enabled: false}']),
        (
            "shop.stock:Stock.price_of",
            [
                "- price_of: {namespace: stock, ttl: 1m,}",
                "+ price_of: {namespace: stock, ttl: 1m, enabled: false,}",
            ],
        ),
        ("users:owner_of", ["- namespace: users,  # who", "+ namespace: users, enabled: false,  # who"]),
        ("users:block_of", ["+ enabled: false"]),
        (
            "*:rule_of",
            ["- rule_of: {namespace: 'odd, name'}", "+ rule_of: {namespace: 'odd, name', enabled: false}"],
        ),
    ],
)
def test_a_switch_in_yaml_changes_its_own_line_only(
    tmp_path: Path, pattern: str, expected: list[str]
) -> None:
    path = file_of(tmp_path, SHOP_YAML)

    switched = switch_in_file(path, pattern, on=False)

    assert changes(SHOP_YAML, path.read_text(encoding="utf-8")) == expected
    assert len(switched.changed) == 1
    assert not switched.already


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("all", ["+ enabled = false"]),
        ("users", ["- namespaces.users = {}", "+ namespaces.users = {enabled = false}"]),
        ("sqlite3:connect", ["+ enabled = false"]),
        ("Stock", ["+ enabled = false"]),
        (
            "stock:list_items",
            [
                '- list_items = "stock"   # the short form',
                '+ list_items = {namespace = "stock", enabled = false}   # the short form',
            ],
        ),
        (
            "Stock.price_of",
            [
                '- price_of = { namespace = "stock", ttl = "1m" } # tight',
                '+ price_of = { namespace = "stock", ttl = "1m", enabled = false } # tight',
            ],
        ),
    ],
)
def test_a_switch_in_toml_changes_its_own_line_only(
    tmp_path: Path, pattern: str, expected: list[str]
) -> None:
    path = file_of(tmp_path, SHOP_TOML, "shop.toml")

    switch_in_file(path, pattern, on=False)

    assert changes(SHOP_TOML, path.read_text(encoding="utf-8")) == expected


@pytest.mark.parametrize("pattern", ["stock", "users:owner_of"])
def test_a_dotted_table_of_toml_can_be_switched(tmp_path: Path, pattern: str) -> None:
    path = file_of(tmp_path, SHOP_TOML, "shop.toml")

    switch_in_file(path, pattern, on=False)

    [switch] = named_switches(read_document(path).data, pattern)
    assert not switch.on
    assert all(line[0] == "+" for line in changes(SHOP_TOML, path.read_text(encoding="utf-8")))


def test_a_switch_that_is_there_is_turned_in_its_place(tmp_path: Path) -> None:
    for text, name in ((SHOP_YAML, "shop.yaml"), (SHOP_TOML, "shop.toml")):
        path = file_of(tmp_path, text, name)

        switch_in_file(path, "shop.prices", on=True)

        sign = " =" if name.endswith("toml") else ":"
        assert path.read_text(encoding="utf-8") == text.replace(f"enabled{sign} false", f"enabled{sign} true")


def test_what_is_as_wanted_is_told_and_not_written(tmp_path: Path) -> None:
    path = file_of(tmp_path, SHOP_YAML)
    before = path.stat()

    enabled = switch_in_file(path, "stock", on=True)
    disabled = switch_in_file(path, "shop.prices", on=False)

    assert [switch.names for switch in enabled.already] == ["namespace stock"]
    assert [switch.names for switch in disabled.already] == ["module shop.prices"]
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_a_glob_sets_every_switch_that_it_names(tmp_path: Path) -> None:
    path = file_of(tmp_path, SHOP_YAML)

    switched = switch_in_file(path, "Stock.*_of", on=False)

    assert [switch.path[-1] for switch in switched.changed] == [
        "count_of",
        "price_of",
        "owner_of",
        "block_of",
        "rule_of",
    ]
    rules = read_document(path).data["repositories"][0]["cached"]
    assert [
        name for name, rule in rules.items() if isinstance(rule, dict) and rule.get("enabled") is False
    ] == [
        "count_of",
        "price_of",
        "owner_of",
        "block_of",
        "rule_of",
    ]


def test_what_is_off_above_is_told(tmp_path: Path) -> None:
    path = file_of(tmp_path, SHOP_YAML)
    switch_in_file(path, "all", on=False)
    switch_in_file(path, "stock", on=False)

    switched = switch_in_file(path, "stock:price", on=True)

    assert [switch.names for switch in switched.still_off] == [
        "everything",
        "module shop.prices",
        "namespace stock",
    ]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("stocks", "nothing is named by 'stocks'; did you mean 'stock'?"),
        ("stock:list_item", "nothing is named by 'stock:list_item'; did you mean 'stock:list_items'?"),
        ("stok:*", "nothing is named by 'stok:*'; did you mean 'stock:*'?"),
        ("Stock.cont_of", "nothing is named by 'Stock.cont_of'; did you mean 'Stock.count_of'?"),
        ("sqlite3:conect", "nothing is named by 'sqlite3:conect'; did you mean 'sqlite3:connect'?"),
    ],
)
def test_a_pattern_that_names_nothing_is_told_with_the_nearest(
    tmp_path: Path, pattern: str, message: str
) -> None:
    path = file_of(tmp_path, SHOP_YAML)

    with pytest.raises(ConfigError) as caught:
        switch_in_file(path, pattern, on=False)

    assert caught.value.problems[0].message == message
    assert path.read_text(encoding="utf-8") == SHOP_YAML


SHARED = """\
version: 1
cache:
  namespaces: {stock: {}}
repositories:
  - target: shop.stock:Stock
    cached:
      list_items: &rule {namespace: stock, ttl: 1m}
      count_of: *rule
      price_of: {<<: *rule}
"""


@pytest.mark.parametrize("pattern", ["stock:list_items", "stock:count_of"])
def test_what_several_places_share_is_not_changed_for_one(tmp_path: Path, pattern: str) -> None:
    path = file_of(tmp_path, SHARED)

    with pytest.raises(ConfigError) as caught:
        switch_in_file(path, pattern, on=False)

    problem = caught.value.problems[0]
    assert "without changing something else" in problem.message
    assert problem.line == (7 if pattern.endswith("list_items") else 8)
    assert path.read_text(encoding="utf-8") == SHARED


def test_what_is_merged_in_is_overridden_in_its_own_place(tmp_path: Path) -> None:
    path = file_of(tmp_path, SHARED)

    switch_in_file(path, "stock:price_of", on=False)

    assert changes(SHARED, path.read_text(encoding="utf-8")) == [
        "- price_of: {<<: *rule}",
        "+ price_of: {<<: *rule, enabled: false}",
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("text", "name"), [(SHOP_YAML, "a.yaml"), (SHOP_TOML, "a.toml")])
def test_line_ends_and_the_mark_of_byte_order_stay(
    tmp_path: Path, text: str, name: str, mark: str, newline: str
) -> None:
    path = file_of(tmp_path, mark + text.replace("\n", newline), name)

    switch_in_file(path, "Stock", on=False)

    after = path.read_bytes().decode("utf-8")
    assert after.startswith(mark + "# a comment")
    assert after.count("\n") == after.count(newline) == text.count("\n") + 1


def test_a_file_whose_last_line_has_no_end_gets_one_more_line(tmp_path: Path) -> None:
    path = file_of(tmp_path, "version: 1")

    switch_in_file(path, "all", on=False)

    assert path.read_text(encoding="utf-8") == "version: 1\nenabled: false"


# -- the file itself ---------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_permissions_stay(tmp_path: Path) -> None:
    path = file_of(tmp_path, SHOP_YAML)
    path.chmod(0o640)

    switch_in_file(path, "stock", on=False)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = file_of(tmp_path / "real", SHOP_YAML), tmp_path / "link.yaml"
    try:
        link.symlink_to(real)
    except OSError:
        pytest.skip("no right to make symbolic links")

    switch_in_file(link, "stock", on=False)

    assert link.is_symlink()
    assert "enabled: false" in real.read_text(encoding="utf-8")


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    path = file_of(tmp_path, SHOP_YAML)
    path.chmod(0o444)

    with pytest.raises(ConfigError, match="the file is read-only: nothing was changed"):
        switch_in_file(path, "stock", on=False)

    assert path.read_text(encoding="utf-8") == SHOP_YAML


def test_a_failure_to_write_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, SHOP_YAML)

    def refuse(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ConfigError, match="the file cannot be written: No space left on device"):
        switch_in_file(path, "stock", on=False)

    assert path.read_text(encoding="utf-8") == SHOP_YAML
    assert list(tmp_path.iterdir()) == [path]


def test_what_somebody_else_has_just_written_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, SHOP_YAML)
    edit = config_file.edited_yaml

    def edited_meanwhile(*args: Any, **kwargs: Any) -> Any:
        path.write_text("version: 1\n", encoding="utf-8")
        return edit(*args, **kwargs)

    monkeypatch.setattr(config_file, "edited_yaml", edited_meanwhile)
    with pytest.raises(ConfigError, match="somebody else has changed the file just now"):
        switch_in_file(path, "stock", on=False)

    assert path.read_text(encoding="utf-8") == "version: 1\n"


# -- any preset, any pattern -------------------------------------------------------------------------------


def patterns_of(preset: Path) -> list[str]:
    """Everything that names a switch of the preset, and globs."""
    raw = read_document(preset).data
    calls = [
        call
        for glob in ("*", "*?:*", "*.?*")
        for switch in named_switches(raw, glob)
        for call in switch.calls
    ]
    methods = [call for switch in named_switches(raw, "*:?*_*") for call in switch.calls]
    known = {call for call in (*calls, *methods) if call}
    return sorted({*known, "all", "*:*", "*.*", "*_*", "*.admin_*", "*Repository"})


CASES = [(preset, pattern) for preset in PRESETS for pattern in patterns_of(preset)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=st.sampled_from(CASES))
def test_to_disable_and_then_enable_gives_the_same_configuration(
    case: tuple[Path, str], tmp_path: Path
) -> None:
    preset, pattern = case
    path = tmp_path / preset.name
    shutil.copyfile(preset, path)
    original = read_document(preset).data
    switches = named_switches(original, pattern)
    if not switches:
        return

    switch_in_file(path, pattern, on=False)
    assert _switched(original, switches, on=False) == read_document(path).data
    disabled = path.read_text(encoding="utf-8")
    assert _comments(disabled) == _comments(preset.read_text(encoding="utf-8"))

    switch_in_file(path, pattern, on=True)
    assert _switched(original, switches, on=True) == read_document(path).data
    assert path.read_text(encoding="utf-8").count("\n") == disabled.count("\n")


def _switched(data: Any, switches: Any, *, on: bool) -> Any:
    made = copy.deepcopy(data)
    for switch in switches:
        place = made
        for part in switch.path[:-1]:
            place = place[part]
        if switch.is_short:
            place[switch.path[-1]] = {"namespace": place[switch.path[-1]]}
        (place[switch.path[-1]] if switch.path else made)["enabled"] = on
    return made


def _comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]
