"""The files in config/: the same rules in YAML and in TOML, those of the table, and a generated schema."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wats_accel.assembly import config_sections
from wats_accel.cli.environment import known_plugins
from wats_accel.config.loader import LoadedConfig, load
from wats_accel.config.schema import SCHEMA_ID, assemble, json_schema
from wats_accel.config.sources import read_document
from wats_accel.durations import parse_duration

CONFIG = Path(__file__).resolve().parents[2] / "config"
PRESETS = ["wats.yaml", "wats.toml"]
EVERY_FILE = [*PRESETS, "minimal.yaml"]


def loaded(name: str) -> LoadedConfig:
    return load(read_document(CONFIG / name), config_sections(known_plugins()))


def rules(name: str, key: str) -> dict[str, Any]:
    """The rules under `key`, by ``Class.method``."""
    root: Any = loaded(name).root
    return {
        f"{repository.target.partition(':')[2]}.{method}": rule
        for repository in root.repositories
        for method, rule in getattr(repository, key).items()
    }


def test_both_presets_load_to_equal_data() -> None:
    assert loaded("wats.yaml").root.model_dump() == loaded("wats.toml").root.model_dump()


def test_both_presets_differ_only_in_how_they_spell_null() -> None:
    yaml, toml = (read_document(CONFIG / name).data for name in PRESETS)
    rule = toml["repositories"][1]["cached"]["get_user_role"]
    assert rule["unless_result"] == [{"python": "[None, False]"}]
    rule["unless_result"] = [[None, False]]
    assert toml == yaml


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_hold_the_reads_of_the_table_with_their_ttls(name: str) -> None:
    section: Any = loaded(name).root
    assert section.cache.default_ttl == 300
    assert {name: options.ttl for name, options in section.cache.namespaces.items()} == {
        "connections": 60,
        "users": 300,
        "groups": 300,
        "permissions": 180,
        "config": 600,
    }
    assert {method: (rule.namespace, rule.ttl) for method, rule in rules(name, "cached").items()} == {
        "ConnectionRepository.select_all": ("connections", 60),
        "ConnectionRepository.admin_get_all_connections": ("connections", 60),
        "UserRepository.get_user_role": ("users", 300),
        "UserRepository.admin_get_all_users": ("users", 300),
        "GroupRepository.admin_get_all_groups": ("groups", 300),
        "IndividualPermissionRepository.list_user_individual_permissions": ("permissions", 180),
    }


ASKED_FOR = {
    "ConnectionRepository.admin_create_connection": "connections:",
    "ConnectionRepository.admin_update_connection": "connections:",
    "ConnectionRepository.admin_delete_connection": "connections:",
    "UserRepository.admin_create_user": "users:",
    "UserRepository.admin_update_user": "users:",
    "GroupRepository.admin_create_group": "groups:",
    "GroupRepository.admin_update_group": "groups:",
    "GroupRepository.admin_delete_group": "groups:",
    "IndividualPermissionRepository.grant_individual_access": "permissions:",
    "IndividualPermissionRepository.revoke_individual_access": "permissions:",
}
FORGOTTEN = {
    "IndividualPermissionRepository.grant_temporary_access",
    "IndividualPermissionRepository.revoke_temporary_access",
    "IndividualPermissionRepository.cleanup_expired_permissions",
    "LogRepository.insert_connection_log",
    "LogRepository.delete_connection_log",
    "LogRepository.cleanup_ghost_connections",
}


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_hold_the_writes_of_the_table_and_the_forgotten_ones(name: str) -> None:
    writes = rules(name, "invalidates")
    assert set(writes) == {*ASKED_FOR, *FORGOTTEN}
    for write, namespace in ASKED_FOR.items():
        assert any(pattern.startswith(namespace) for pattern in writes[write].patterns), write


@pytest.mark.parametrize("name", PRESETS)
def test_what_changes_who_sees_which_connection_drops_the_list_of_connections(name: str) -> None:
    for write, rule in rules(name, "invalidates").items():
        assert {"connections:*", "connections:select_all:*"} & set(rule.patterns), write


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_never_keep_what_a_failed_read_returns_nor_a_secret(name: str) -> None:
    cached = rules(name, "cached")
    assert cached["UserRepository.get_user_role"].unless_result == [[None, False]]
    # Its [] for a user whose role could not be read needs no rule: the role's failure is one of its own.
    assert cached["ConnectionRepository.select_all"].unless_result == []
    assert not any("password" in method for method in cached)


@pytest.mark.parametrize("name", PRESETS)
def test_every_cached_read_shares_its_answers_by_database(name: str) -> None:
    root: Any = loaded(name).root
    assert [known.scope for known in root.repositories if known.cached] == [["self.db.connection_string"]] * 4


def test_the_minimal_example_is_valid_and_explains_each_of_its_lines() -> None:
    root: Any = loaded("minimal.yaml").root
    rule = root.repositories[0].cached["find_customer"]
    assert (rule.ttl, rule.fold, rule.unless_result) == (parse_duration("10m"), ["email"], [None, False])
    lines = (CONFIG / "minimal.yaml").read_text(encoding="utf-8").splitlines()
    assert sum("#" in line for line in lines) > len(lines) / 2


@pytest.mark.parametrize("name", EVERY_FILE)
def test_every_file_is_valid_for_the_schema(name: str) -> None:
    schema = json.loads((CONFIG / SCHEMA_ID).read_text(encoding="utf-8"))
    jsonschema.validate(read_document(CONFIG / name).data, schema)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_every_file_points_editors_to_the_schema(name: str) -> None:
    assert SCHEMA_ID in (CONFIG / name).read_text(encoding="utf-8").splitlines()[0]


def test_the_schema_is_not_stale() -> None:
    generated = json_schema(assemble(config_sections(known_plugins())))
    written = (CONFIG / SCHEMA_ID).read_text(encoding="utf-8")
    assert written == json.dumps(generated, indent=2, ensure_ascii=False) + "\n", "run `make generated`"


@pytest.mark.parametrize("name", [*EVERY_FILE, SCHEMA_ID])
def test_every_file_can_be_read_from_the_installed_package(name: str) -> None:
    packaged = importlib.resources.files("wats_accel.presets").joinpath(name)
    assert packaged.read_text(encoding="utf-8") == (CONFIG / name).read_text(encoding="utf-8")
