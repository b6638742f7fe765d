"""`disable` and `enable` edit the file, say what they have done, and what that is good for."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wats_accel.cli.group import group
from wats_accel.config.sources import read_document

CONFIG = """\
# the shop
version: 1
cache:
  namespaces:
    stock: {ttl: 60s}  # one minute
repositories:
  - target: shop.stock:Stock
    cached: {list_items: stock}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(group, [str(argument) for argument in arguments], standalone_mode=False)


def test_disable_writes_the_switch_and_says_where(config: Path) -> None:
    result = run("disable", "stock:*", "--config", config)

    assert result.return_value == 0
    assert result.output == (
        f"switched off: namespace stock ({config}:5)\n"
        "A running process does not see it until it is started again: the file does not say 'watch: true'.\n"
    )
    assert config.read_text(encoding="utf-8") == CONFIG.replace("{ttl: 60s}", "{ttl: 60s, enabled: false}")


def test_enable_says_what_is_off_above(config: Path) -> None:
    run("disable", "all", "-c", config)
    run("disable", "Stock.list_items", "-c", config)

    result = run("enable", "Stock.list_items", "-c", config)

    assert result.output.splitlines()[:2] == [
        f"switched on: method shop.stock:Stock.list_items (stock) ({config}:9)",
        f"without effect yet: everything is off, too ({config}:3)",
    ]
    assert read_document(config).data["enabled"] is False


def test_a_watched_file_is_taken_over(config: Path) -> None:
    config.write_text(CONFIG + "watch: true\n", encoding="utf-8")

    result = run("disable", "stock", "-c", config)

    assert result.output.endswith("A running process takes it over by itself: the file says 'watch: true'.\n")


def test_what_is_off_already_is_told(config: Path) -> None:
    run("disable", "stock", "-c", config)
    before = config.read_bytes()

    result = run("disable", "stock", "-c", config)

    assert result.return_value == 0
    assert result.output == f"off already: namespace stock ({config}:5)\n"
    assert config.read_bytes() == before


def test_a_pattern_that_names_nothing_ends_with_status_1(config: Path) -> None:
    result = run("disable", "stok", "-c", config)

    assert result.return_value == 1
    assert result.stderr == f"{config}: nothing is named by 'stok'; did you mean 'stock'?\n"
    assert config.read_text(encoding="utf-8") == CONFIG


def test_a_file_that_is_not_valid_is_left_alone(config: Path) -> None:
    config.write_text(CONFIG.replace("version: 1", "version: 7"), encoding="utf-8")

    result = run("disable", "stock", "-c", config)

    assert isinstance(result.return_value, int)
    assert result.return_value == 2
    assert "expected 1" in result.stderr


def test_without_a_file_the_usual_one_is_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WATS_ACCEL_CONFIG", raising=False)
    path = tmp_path / "wats-accel.toml"
    path.write_text('# mine\nversion = 1\n\n[[pool]]\nconnect = "sqlite3:connect"\n', encoding="utf-8")

    assert run("disable", "sqlite3:*").return_value == 0

    assert path.read_text(encoding="utf-8") == (
        '# mine\nversion = 1\n\n[[pool]]\nconnect = "sqlite3:connect"\nenabled = false\n'
    )


def test_of_a_toml_file_the_key_is_told_as_it_is_written_there(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text("version = 1\n[cache.namespaces]\nstock = {}\n", encoding="utf-8")
    assert run("disable", "stock", "-c", path).output.endswith("the file does not say 'watch = true'.\n")
    path.write_text(f"watch = true\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert run("enable", "stock", "-c", path).output.endswith("the file says 'watch = true'.\n")
