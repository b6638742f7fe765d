"""What every page must keep to: links lead somewhere, commands exist, code compiles, configurations load."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
from pages import (
    DOCS,
    ROOT,
    Block,
    all_blocks,
    anchors,
    blocks,
    code_spans,
    links,
    name_of,
    pages,
    section,
    write_files,
)

from wats_accel.cli.group import group
from wats_accel.plugin_manager import ENTRY_POINT_GROUP
from wats_accel.testing import accelerated

PAGES = pages()
COMMANDS = set(group.list_commands(click.Context(group)))
TARGETS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
_COMMAND = re.compile(r"^(?:\$ )?(?:python -m wats_accel|wats-accel)((?: [^\s`#]+)+)", re.MULTILINE)
_MAKE = re.compile(r"^(?:\$ )?make ([a-z]+)", re.MULTILINE)


def _is_whole_config(block: Block) -> bool:
    return block.text.startswith(("version: 1\n", "version = 1\n"))


CONFIGS = [block for block in all_blocks("yaml", "toml") if _is_whole_config(block)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: there is no such file"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


def test_every_page_is_reached_from_the_index() -> None:
    reached = {(DOCS / link.partition("#")[0]).resolve() for link in links(DOCS / "README.md")}
    written = {page for page in DOCS.rglob("*.md") if "examples" not in page.parts}
    assert written - {DOCS / "README.md"} <= reached


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_mentioned_exists(page: Path) -> None:
    texts = [
        *(block.text for block in blocks(page) if block.language in ("sh", "console")),
        *code_spans(page),
    ]
    for text in texts:
        for arguments in _COMMAND.findall(text):
            words = [word for word in arguments.split() if not word.startswith("-")]
            assert not words or words[0] in COMMANDS | {"COMMAND"}, text
        assert set(_MAKE.findall(text)) <= TARGETS, text


@pytest.mark.parametrize("block", all_blocks("python"), ids=lambda block: block.where)
def test_python_compiles(block: Block) -> None:
    compile(block.text, block.where, "exec")


@pytest.mark.parametrize("block", CONFIGS, ids=lambda block: block.where)
def test_whole_configurations_load_without_a_problem(block: Block, tmp_path: Path) -> None:
    write_files(block.page, tmp_path)
    path = tmp_path / f"example.{block.language}"
    path.write_text(block.text, encoding="utf-8")
    with accelerated(path) as accelerator:
        assert accelerator.problems == ()


def test_the_toml_example_says_what_the_yaml_example_says(tmp_path: Path) -> None:
    reports = []
    for block in CONFIGS:
        if block.page.name == "config.md":
            (tmp_path / "rules").write_text(block.text, encoding="utf-8")
            path = (tmp_path / "rules").rename(tmp_path / f"rules.{block.language}")
            reports.append(_printed("report", "--config", str(path)))
    assert len(reports) == 2
    assert len(set(reports)) == 1


def test_the_tests_that_are_shown_pass(tmp_path: Path) -> None:
    write_files(DOCS / "how-to" / "test-an-accelerated-application.md", tmp_path)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "11 passed" in run.stdout


def test_the_pool_that_is_shown_explains_itself_as_shown(tmp_path: Path) -> None:
    page = DOCS / "how-to" / "pool-connections.md"
    (config, *_) = (block for block in blocks(page) if _is_whole_config(block))
    (shown,) = (block for block in blocks(page) if block.text.startswith("sqlite3:connect\n"))
    (tmp_path / "wats-accel.yaml").write_text(config.text, encoding="utf-8")
    with accelerated(tmp_path / "wats-accel.yaml") as accelerator:
        for _ in range(4):
            sqlite3.connect(tmp_path / "shop.db").close()
        assert f"{accelerator.explain('sqlite3:connect')}\n" == shown.text


def test_the_plugin_that_is_shown_is_listed_as_shown(tmp_path: Path) -> None:
    page = DOCS / "how-to" / "write-a-plugin.md"
    write_files(page, tmp_path)
    config = next(block for block in blocks(page) if _is_whole_config(block))
    (tmp_path / "wats-accel.yaml").write_text(config.text, encoding="utf-8")
    shown = next(block for block in blocks(page) if block.language == "text")
    assert _printed("plugins", "--config", str(tmp_path / "wats-accel.yaml")) == shown.text


def test_the_entry_point_that_is_shown_is_in_the_group_that_is_loaded() -> None:
    shown = next(block for block in all_blocks("toml") if block.page.name == "write-a-plugin.md")
    assert shown.text.startswith(f"[project.entry-points.{ENTRY_POINT_GROUP}]\n")


def test_the_architecture_page_names_every_layer_in_its_order() -> None:
    contract = (ROOT / ".importlinter").read_text(encoding="utf-8")
    layers = contract.partition("\nlayers =\n")[2].partition("\nexhaustive")[0]
    table = section(DOCS / "explanation" / "architecture.md", "The layers")
    picture = table.partition("```mermaid")[2].partition("```")[0]
    for name in re.findall(r"\w+", layers):
        assert re.search(rf"^\|.*`{name}/?`", table, re.MULTILINE), name
        assert re.search(rf"\b{name}\b", picture), name


def test_the_page_of_rules_is_current() -> None:
    page = DOCS / "OPTIMIZATIONS_APPLIED.md"
    arguments = ("report", "--config", "config/wats.yaml", "--output", str(page), "--check")
    assert _printed(*arguments) == ""


def _printed(*arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "wats_accel", *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout
