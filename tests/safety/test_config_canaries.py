"""A secret at a wrong place of a configuration, and in what the commands read, comes out nowhere."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from canaries import CONFIG, CONNECTION, PASSWORD, Watch, raised, watching

from wats_accel.cli import main
from wats_accel.runtime import Accelerator

ROOT = Path(__file__).resolve().parents[2]
PRESET = ROOT / "config" / "wats.yaml"
EXAMPLE = ROOT / "docs" / "examples" / "legacy_wats"
TEXT = f"Server=db;UID=sa;PWD={CONFIG}"
"""What nobody could take for a word of the configuration's own."""


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watching() as made:
        yield made


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values, inner ones and leaves."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _with(config: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


_FULL: dict[str, Any] = {
    "version": 1,
    "enabled": True,
    "strict": True,
    "watch": False,
    "logging": {"level": "info", "format": "text", "summary_every": "5m"},
    "plugins": {"load": [], "disable": []},
    "invalidation": "rules",
    "sql": {"dialect": "tsql", "schema": [], "secret_columns": ["password"]},
    "pool": [{"connect": "sqlite3:connect", "size": 2, "timeout": "1s", "reset": "auto"}],
    "cache": {
        "default_ttl": "5m", "max_entries": 10, "max_bytes": "1MB",
        "namespaces": {"users": {"ttl": "60s", "stale_if_error": {"grace": "1m", "errors": ["E"]}}},
    },
    "repositories": [
        {
            "target": "no_such_module:Repository",
            "scope": ["self.db.url"],
            "cached": {
                "one": {
                    "namespace": "users", "ttl": "1m", "secret": ["token"], "fold": ["name"], "copy": "auto",
                    "key": {"exclude": ["a"], "include": ["self.b"]}, "unless_result": [[None, False]],
                    "valid_until": {"sql": "SELECT MIN(x) FROM t", "cursor": "self.cursor"}, "reads": ["t.x"],
                    "verify": {"sample": "1%", "on_difference": "report"},
                },
            },
            "invalidates": {"two": {"patterns": ["users:one:{name}"], "when": "truthy"}, "three": "users:*"},
        }
    ],
}  # fmt: skip


@pytest.mark.soak
def test_a_secret_in_place_of_any_value(watch: Watch, tmp_path: Path, soak: bool) -> None:
    file = tmp_path / "accel.yaml"
    changed = [
        (path, _with(_FULL, path, value))
        for path in _paths(_FULL)
        for value in (TEXT, [TEXT], {TEXT: 1}, {"key": TEXT})
    ]
    for path, config in changed if soak else random.Random(5).sample(changed, 10):
        file.write_text(yaml.safe_dump(config, width=10_000), encoding="utf-8")
        accelerator = Accelerator(file, strict=True, environ={})
        raised(watch, accelerator.install)
        accelerator.uninstall()
        watch.add(f"problems of {path}", accelerator.problems)
    assert watch.found() == []


@pytest.mark.parametrize(
    "broken",
    [
        f"version: 1\npassword: '{TEXT}\n", f"version: 1\nx: [{TEXT}\n", f"version: 1\n\tx: {TEXT}\n", TEXT,
        f"version: 1\nx: &{CONFIG} 1\ny: *{CONFIG}x\n", f"version: 1\nx: !!{CONFIG} {{}}\n",
        f"- {TEXT}\n", f"version: 1\n{TEXT}: {{a: 1, a: 2}}\n", f"%{TEXT}\n", f"x: !{CONFIG} 1\n",
    ],
    ids=range(10),
)  # fmt: skip
@pytest.mark.parametrize("ending", ["yaml", "toml"])
def test_a_secret_in_a_file_that_cannot_be_read(
    watch: Watch, tmp_path: Path, broken: str, ending: str
) -> None:
    file = tmp_path / f"accel.{ending}"
    file.write_text(broken, encoding="utf-8")
    accelerator = Accelerator(file, strict=True, environ={})
    assert raised(watch, accelerator.install) is not None
    watch.add("problems", accelerator.problems)
    assert watch.found() == []


# -- commands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--config", str(PRESET), "--path", str(EXAMPLE)),
        ("explain", "--config", str(PRESET), "UserRepository.get_user_role"),
        ("report", "--config", str(PRESET)),
        ("plugins", "--config", str(PRESET)),
        ("scan", str(EXAMPLE)),
        ("schema-scan", "--driver", "sqlite3", "--database", f"nowhere/{CONNECTION}.db"),
        ("schema-scan", "--driver", "pyodbc", "--connection-string-from", "ACCEL_DSN"),
        ("check", "--config", f"{CONNECTION}.yaml"),
    ],
    ids=["check", "explain", "report", "plugins", "scan", "no database", "no connection", "no config"],
)
def test_a_command_shows_nothing_of_what_the_application_gets_from_outside(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DB_UID", "DB_PWD", "DB_SERVER", "DB_DATABASE"):
        monkeypatch.setenv(name, PASSWORD)
    monkeypatch.setenv("ACCEL_DSN", f"Driver={{{CONNECTION}}};UID={PASSWORD};PWD={PASSWORD}")
    with pytest.raises(SystemExit):
        main(list(arguments))
    watch.objects()
    written = [known.read_text(encoding="utf-8") for known in tmp_path.rglob("*") if known.is_file()]
    watch.add("files", written)
    named = [argument for argument in arguments if CONNECTION in argument]  # by who typed the command
    assert [found for found in watch.found() if not (named and "output" in found)] == []
