"""The reference pages name every hook, event, command, option and public name, and nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect
import logging
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from pages import DOCS, ROOT, Block, blocks, headings, section, text_of

import wats_accel
from wats_accel import extension, hookspecs, testing
from wats_accel.cli.group import group
from wats_accel.event_bus import EventBus
from wats_accel.events import Event
from wats_accel.runtime import Accelerator
from wats_accel.telemetry.logs import EventLog
from wats_accel.telemetry.stats import CacheStats, PoolStats
from wats_accel.testing import accelerated

REFERENCE = DOCS / "reference"

# -- hooks -------------------------------------------------------------------------------------------

HOOKS_PAGE = REFERENCE / "hooks.md"
HOOKS = sorted(name for name in dir(hookspecs) if name.startswith("accel_"))


def _blocks_of_hook(hook: str) -> list[str]:
    text = section(HOOKS_PAGE, hook)
    return [block.text for block in blocks(HOOKS_PAGE) if block.text in text]


def test_every_hook_has_a_section() -> None:
    assert sorted(headings(HOOKS_PAGE, 3)) == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_the_documented_signature_is_the_hooks_own(hook: str) -> None:
    documented = ast.parse(_blocks_of_hook(hook)[0]).body[0]
    source = ast.parse(inspect.getsource(getattr(hookspecs, hook))).body[0]
    assert isinstance(documented, ast.FunctionDef)
    assert isinstance(source, ast.FunctionDef)
    assert ast.dump(documented.args) == ast.dump(source.args)
    assert ast.unparse(documented.returns or source) == ast.unparse(source.returns or source)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_example_is_a_plugin_that_loads_and_has_the_hook(hook: str, tmp_path: Path) -> None:
    example = _blocks_of_hook(hook)[1]
    assert f"def {hook}(" in example
    (tmp_path / "example.py").write_text(example, encoding="utf-8")
    with accelerated({"version": 1, "plugins": {"load": [str(tmp_path / "example.py")]}}) as accelerator:
        assert accelerator.problems == ()


def test_the_importable_names_are_listed() -> None:
    listed = re.findall(r"`(\w+)`", section(HOOKS_PAGE, "What a plugin may import"))
    assert sorted(listed) == sorted(extension.__all__)


def test_the_contexts_names_are_listed() -> None:
    listed = set(re.findall(r"`context\.(\w+)", section(HOOKS_PAGE, "The context")))
    assert listed == {name for name in dir(extension.PluginContext) if not name.startswith("_")}


# -- events ------------------------------------------------------------------------------------------

EVENTS_PAGE = REFERENCE / "events.md"
EVENTS: dict[str, type[Event]] = {known.name: known for known in Event.__subclasses__()}
_ROW = re.compile(r"^\| `(accel\.\w+)` \| (\w+) \| `(.+?)` \| (.+) \|$", re.MULTILINE)
ROWS = {
    name: (level, line, re.findall(r"`(\w+)`", names))
    for name, level, line, names in _ROW.findall(text_of(EVENTS_PAGE))
}


def test_every_event_has_a_row() -> None:
    assert sorted(ROWS) == sorted(EVENTS)


_SAMPLES: dict[str, object] = {"held_seconds": 60.0, "waited_seconds": 10.0, "then": "direct", "reused": True}
_SAMPLES["age_seconds"] = 60.0
_SAMPLES["pause_seconds"] = 10.0


def _sample(kind: str, name: str) -> object:
    samples: dict[str, object] = {"str": "{" + name + "}", "int": 1, "float": 0.001, "bool": True}
    samples["tuple[str, ...]"] = ("{" + name + "}",)
    return _SAMPLES.get(name) or samples[kind]


@pytest.mark.parametrize("name", EVENTS)
def test_a_row_tells_level_line_and_fields(name: str, caplog: pytest.LogCaptureFixture) -> None:
    level, line, names = ROWS[name]
    event: Any = EVENTS[name]
    values = {field.name: _sample(str(field.type), field.name) for field in fields(event)}
    if name == "accel.stats_summary":
        values["hit_rate"] = 1.0
    bus = EventBus()
    log = EventLog(bus, level="debug")
    log.open()
    bus.emit(event(**values))
    log.close()
    assert [known.levelname for known in caplog.records] == [level.upper()]
    assert caplog.messages == [line.replace("{count}", "1")]
    assert names == list(values)


def _reasons(title: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", section(EVENTS_PAGE, title), re.MULTILINE))


_REASONS_TOLD_APART = {
    "argument_too_large", "argument_without_value_identity", "instance_without_identity", "no_key",
    "inside_a_write", "being_written", "uncommitted_changes", "broken",
}  # fmt: skip


def test_the_reasons_are_those_of_the_code() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "wats_accel").rglob("*.py"))
        if path.parent.name != "cli"
    )
    bypassing = set(re.findall(r'(?:note_bypass|past_the_cache)\("(\w+)"', source)) | _REASONS_TOLD_APART
    assert _reasons("Reasons for bypassing") == bypassing
    for reason in _reasons("Reasons for not storing"):
        assert f'"{reason}"' in source


def test_the_reasons_for_discarding_are_those_of_the_code() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "wats_accel" / "pool").glob("*.py"))
    )
    reasons = re.findall(r"^\| `(.+?)` \|", section(EVENTS_PAGE, "Reasons for discarding"), re.MULTILINE)
    assert len(reasons) > 10
    for reason in reasons:
        assert f'"{reason.removesuffix("…")}' in source


# -- commands ----------------------------------------------------------------------------------------

CLI_PAGE = REFERENCE / "cli.md"
COMMANDS = group.list_commands(click.Context(group))


def _command(name: str) -> click.Command:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


def test_every_command_has_a_section() -> None:
    assert [title for title in headings(CLI_PAGE, 2) if title != "Commands from plugins"] == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_has_a_row(name: str) -> None:
    options = {
        spelling
        for known in _command(name).params
        if isinstance(known, click.Option)
        for spelling in known.opts
    }
    rows = re.findall(r"^\| (`-.+?) \|", section(CLI_PAGE, name), re.MULTILINE)
    assert {spelling for row in rows for spelling in re.findall(r"`(-[\w-]+)`", row)} == options


# -- Python ------------------------------------------------------------------------------------------

PYTHON_PAGE = REFERENCE / "python.md"


def test_every_public_name_has_a_section() -> None:
    documented = {title.partition("(")[0] for title in headings(PYTHON_PAGE, 3)}
    of_accelerator = {name for name in dir(Accelerator) if not name.startswith("_")} | {"source"}
    assert documented == {
        *wats_accel.__all__,
        *(f"accelerator.{name}" for name in of_accelerator),
        *testing.__all__,
    }


@pytest.mark.parametrize(
    ("heading", "kind", "computed"),
    [("accelerator.stats()", CacheStats, {"hit_rate"}), ("Figures of the pools", PoolStats, set())],
    ids=["cache", "pools"],
)
def test_every_figure_is_documented(heading: str, kind: type[Any], computed: set[str]) -> None:
    text = section(PYTHON_PAGE, heading).partition("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert set(rows) == {field.name for field in fields(kind)} | computed


def test_every_error_is_documented() -> None:
    errors = importlib.import_module("wats_accel.errors")
    known = {
        name
        for name, found in vars(errors).items()
        if inspect.isclass(found) and issubclass(found, errors.AccelError)
    }
    assert set(re.findall(r"^\| `(\w+)` \|", section(PYTHON_PAGE, "Errors"), re.MULTILINE)) == known - {
        "AccelError"
    }


def test_the_logger_is_named() -> None:
    assert logging.getLogger("wats_accel").name in text_of(EVENTS_PAGE)


def test_examples_of_hooks_come_in_pairs() -> None:
    def of_python(block: Block) -> bool:
        return block.language == "python"

    assert len(list(filter(of_python, blocks(HOOKS_PAGE)))) == 2 * len(HOOKS)
