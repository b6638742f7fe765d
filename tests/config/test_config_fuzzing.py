"""A damaged configuration loads, or is refused with a clean error that says where; none is half installed."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tomlkit
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from mutated_configs import PRESETS, SECRET, damaged
from schema_strategy import configurations

from wats_accel.assembly import config_sections
from wats_accel.cli.environment import known_plugins
from wats_accel.config import loader
from wats_accel.config.raw import mapping_at, repository_rules, sequence
from wats_accel.config.sources import read_document
from wats_accel.config_source import read_config
from wats_accel.errors import ConfigError, Problem
from wats_accel.runtime import Accelerator

_DAMAGED = {"share": 400, "whole": 82_000}
_GENERATED = {"share": 12, "whole": 6_000}  # each as a mapping, as YAML and as TOML
_INSTALLED = {"share": 60, "whole": 4_000}
_MOST_TEXT = 2_000  # of one problem; key paths are the longest part


@pytest.fixture
def size(soak: bool) -> str:
    return "whole" if soak else "share"


@pytest.fixture(scope="module")
def load_config() -> Iterator[Callable[[Any], str]]:
    """Gives ``loaded`` or ``refused``, and lets nothing but a clean error pass."""
    sections = config_sections(known_plugins())
    model = loader.assemble(sections)
    schema = loader.json_schema(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "json_schema", lambda model: schema)
        yield lambda source: _outcome(source, sections)


def _outcome(source: Any, sections: list[Any]) -> str:
    problems = _problems(source, sections)
    for problem in problems:
        _check(problem, source)
    return "refused" if problems else "loaded"


def _problems(source: Any, sections: list[Any]) -> tuple[Problem, ...]:
    try:
        loader.load(read_config(source, {}), sections)
    except ConfigError as error:
        return error.problems
    return ()


def _check(problem: Problem, source: Any) -> None:
    text = str(problem)
    assert problem.message
    assert text.isprintable()
    assert len(text) < _MOST_TEXT
    assert SECRET not in text
    if isinstance(source, Path):
        assert problem.line is not None, text
        assert problem.column is not None, text
        assert 1 <= problem.line <= source.read_bytes().count(b"\n") + _other_breaks(source) + 1
        assert problem.column >= 1


def _other_breaks(source: Path) -> int:
    """Line breaks that YAML knows besides the usual one."""
    text = source.read_bytes().decode("utf-8", "replace")
    return sum(text.count(sign) for sign in "\r\x85\u2028\u2029")


@pytest.mark.soak
def test_a_damaged_preset_loads_or_is_refused_with_a_place(
    load_config: Callable[[Any], str], size: str, tmp_path: Path
) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(_DAMAGED[size]):
        name, data = damaged(number)
        path = tmp_path / name
        path.write_bytes(data)
        outcomes[load_config(path)] += 1

    print(f"{sum(outcomes.values()):,} damaged presets: {dict(outcomes)}")
    assert min(outcomes["loaded"], outcomes["refused"]) > sum(outcomes.values()) // 10


@pytest.mark.soak
def test_what_the_schema_allows_or_nearly_allows_loads_or_is_refused_with_a_place(
    load_config: Callable[[Any], str], size: str, tmp_path: Path
) -> None:
    outcomes: Counter[str] = Counter()

    @seed(6)
    @settings(
        max_examples=_GENERATED[size],
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(configurations())
    def load_in_three_ways(data: dict[str, Any]) -> None:
        outcomes["mapping " + load_config(data)] += 1
        for path in _as_files(data, tmp_path):
            outcomes[f"{path.suffix} {load_config(path)}"] += 1

    load_in_three_ways()
    print(f"{sum(outcomes.values()):,} generated configurations: {dict(outcomes)}")
    assert outcomes["mapping loaded"]
    assert outcomes["mapping refused"]


def _as_files(data: dict[str, Any], folder: Path) -> Iterator[Path]:
    as_yaml = folder / "generated.yaml"
    as_yaml.write_text(
        yaml.dump(data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True),
        encoding="utf-8",
    )
    yield as_yaml
    try:
        text = tomlkit.dumps(data)
    except Exception:  # TOML has no null
        return
    as_toml = folder / "generated.toml"
    as_toml.write_text(text, encoding="utf-8")
    yield as_toml


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.name)
def test_no_message_quotes_a_value(load_config: Callable[[Any], str], preset: Path) -> None:
    """Every value of the file in turn is a secret, where none may be."""
    changes = itertools.islice(_with_a_secret(read_document(preset).data), 1, None)  # the first is the whole
    outcomes = Counter(map(load_config, changes))
    assert outcomes["refused"]


def _with_a_secret(value: Any) -> Iterator[Any]:
    """Copies of `value`, each with one part of it replaced by a text that looks like a password."""
    if value is not None:
        yield f"Driver=x;{SECRET}"
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ({**value, key: changed} for changed in _with_a_secret(item))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from ([*value[:number], changed, *value[number + 1 :]] for changed in _with_a_secret(item))


# -- never a part of it ----------------------------------------------------------------------------------


@pytest.fixture
def classes(monkeypatch: pytest.MonkeyPatch) -> dict[type, dict[str, Any]]:
    """An application that has everything the presets name, with what its classes hold by themselves."""
    made: dict[str, type] = {}
    for preset in PRESETS:
        raw = read_document(preset).data
        for key in ("cached", "invalidates"):
            for path, method, _ in repository_rules(raw, key):
                target = mapping_at(sequence(raw["repositories"])[int(path[1])])["target"]
                setattr(_class_of(target, made, monkeypatch), method, _method())
    return {owner: dict(vars(owner)) for owner in made.values()}


def _class_of(target: str, made: dict[str, type], monkeypatch: pytest.MonkeyPatch) -> type:
    module_name, _, name = target.partition(":")
    if target not in made:
        parents = module_name.split(".")
        for length in range(1, len(parents) + 1):
            part = ".".join(parents[:length])
            if part not in sys.modules:
                module = ModuleType(part)
                module.__path__ = []
                monkeypatch.setitem(sys.modules, part, module)
        made[target] = type(name, (), {"__module__": module_name})
        setattr(sys.modules[module_name], name, made[target])
    return made[target]


def _method() -> Callable[..., Any]:
    def method(self: Any, username: str = "", user_id: int = 0, email: str = "") -> list[str]:
        return []

    return method


@pytest.mark.soak
def test_no_damaged_preset_is_installed_in_part(
    classes: dict[type, dict[str, Any]], size: str, tmp_path: Path
) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(_INSTALLED[size]):
        name, data = damaged(1_000_000 + number)
        path = tmp_path / name
        path.write_bytes(data)
        accelerator = Accelerator(path, environ={})
        accelerator.install()
        try:
            outcomes[_extent(accelerator, classes)] += 1
        finally:
            accelerator.uninstall()
        assert _untouched(classes), path

    print(f"{sum(outcomes.values()):,} installed: {dict(outcomes)}")
    assert outcomes["whole"]
    assert outcomes["not at all"]


def _extent(accelerator: Accelerator, classes: dict[type, dict[str, Any]]) -> str:
    """``whole`` if every rule is applied or reported, ``not at all``; anything else fails."""
    if not accelerator.installed:
        assert _untouched(classes)
        assert accelerator.problems
        return "not at all"
    reported = "\n".join(map(str, accelerator.problems))
    for target in accelerator.stats().methods:
        module, _, path = target.partition(":")
        owner, _, method = path.rpartition(".")
        known = getattr(sys.modules.get(module), owner, None)
        if known in classes and method in classes[known]:
            is_patched = inspect.getattr_static(known, method) is not classes[known][method]
            assert is_patched or target in reported
    return "whole"


def _untouched(classes: dict[type, dict[str, Any]]) -> bool:
    return all(
        inspect.getattr_static(owner, name) is raw
        for owner, held in classes.items()
        for name, raw in held.items()
    )
