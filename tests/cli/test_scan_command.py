"""``wats-accel scan``: what it proposes can be used as it is, and the check finds nothing in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from wats_accel.cli.group import dispatch

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "legacy_wats"
BOOKSHOP = ROOT / "tests" / "audit" / "bookshop"
REPOSITORIES = "src.wats.db.repositories"
CONNECTIONS = f"{REPOSITORIES}.connection_repository:ConnectionRepository"
USERS = f"{REPOSITORIES}.user_repository:UserRepository"

_INSTALL = """\
import sys, logging
sys.path.insert(0, sys.argv[2])
import wats_accel
accelerator = wats_accel.install(sys.argv[1], strict=False)
import importlib
for name in sys.argv[3:]:
    importlib.import_module(name)
assert accelerator.problems == (), accelerator.problems
print(sum(1 for _ in accelerator.stats().methods))
"""


def proposed(source: Path, output: Path, *options: str) -> dict:
    assert dispatch(["scan", "--source", str(source), "--output", str(output), *options]) == 0
    return yaml.safe_load(output.read_text(encoding="utf-8"))


def entries(settings: dict) -> dict[str, dict]:
    return {entry["target"]: entry for entry in settings["repositories"]}


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> Path:
    """What is proposed for the example, with the schema."""
    path = tmp_path_factory.mktemp("scan") / "proposed.yaml"
    schema = str(ROOT / "config" / "wats-schema.yaml")
    proposed(EXAMPLE, path, "--exclude", "simulation", "--schema", schema, "--dialect", "tsql")
    return path


@pytest.fixture(scope="module")
def bookshop(tmp_path_factory) -> Path:
    """What is proposed for the bookshop."""
    path = tmp_path_factory.mktemp("scan") / "proposed.yaml"
    proposed(BOOKSHOP, path)
    return path


def test_the_check_finds_nothing_in_what_is_proposed_for_the_example(example, capsys):
    arguments = ["check", "-c", str(example), "--source", str(EXAMPLE), "--fail-on", "note"]
    assert dispatch(arguments) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.endswith(": 0 errors, 0 warnings, 0 notes\n")


def test_the_check_finds_nothing_in_what_is_proposed_for_the_bookshop_but_that_no_schema_is_known(
    bookshop, capsys
):
    assert dispatch(["check", "-c", str(bookshop), "--source", str(BOOKSHOP)]) == 0
    out = capsys.readouterr().out
    assert out.endswith(": 0 errors, 0 warnings, 1 note\n")
    assert "[no-schema]" in out


@pytest.mark.parametrize(
    ("name", "source", "modules"),
    [
        ("example", EXAMPLE, ["src.wats.db.db_service"]),
        ("bookshop", BOOKSHOP, ["bookshop.shop"]),
    ],
)
def test_what_is_proposed_installs_without_a_problem(name, source, modules, request):
    path = request.getfixturevalue(name)
    run = subprocess.run(
        [sys.executable, "-c", _INSTALL, str(path), str(source), *modules],
        capture_output=True,
        text=True,
        check=False,
        cwd=path.parent,
    )
    assert run.returncode == 0, run.stderr


def test_reads_of_the_example_are_cached_with_scope_and_reasons(example):
    settings = yaml.safe_load(example.read_text(encoding="utf-8"))
    connections = entries(settings)[CONNECTIONS]
    assert connections["scope"] == "self.db.connection_string"
    assert connections["cached"]["admin_get_all_connections"] == "connections"
    assert settings["pool"] == [{"connect": "pyodbc:connect"}]
    assert "# Reads Conexao_WTS, Grupo_WTS; 6 methods change that." in example.read_text(encoding="utf-8")


def test_what_a_failed_read_answers_is_not_kept(example):
    cached = entries(yaml.safe_load(example.read_text(encoding="utf-8")))[USERS]["cached"]
    assert cached["get_user_role"]["unless_result"] == [[None, False]]


def test_secrets_are_left_out_with_the_reason(example):
    text = example.read_text(encoding="utf-8")
    assert "      # Not cached: Con_Senha looks like a secret" in text
    assert "      # select_all: {namespace: connections, max_age_from_clock: 60s}" in text
    assert "      # get_admin_password_hash: " in text


def test_each_write_of_the_example_has_a_rule_but_the_heartbeat(example):
    settings = yaml.safe_load(example.read_text(encoding="utf-8"))
    writes = {name for entry in settings["repositories"] for name in entry.get("invalidates", {})}
    assert {
        "admin_update_connection",
        "admin_update_user",
        "admin_delete_group",
        "grant_individual_access",
        "revoke_temporary_access",
    } <= writes
    assert not writes & {"update_heartbeat", "log_access_start", "insert_connection_log"}


def test_a_base_class_that_its_subclasses_complete_has_rules_at_these(bookshop):
    found = entries(yaml.safe_load(bookshop.read_text(encoding="utf-8")))
    assert found["bookshop.tables:Books"]["cached"]["all"] == "books"
    assert found["bookshop.tables:Books"]["scope"] == "self.db.path"
    assert "books:*" in found["bookshop.tables:Books"]["invalidates"]["delete"]
    assert found["bookshop.tables:Authors"]["invalidates"]["merge"] == ["books:*"]
    assert "bookshop.tables:Table" not in found


def test_queries_in_a_dictionary_are_read_and_the_reads_that_are_not_to_be_cached_have_their_reasons(
    bookshop,
):
    text = bookshop.read_text(encoding="utf-8")
    shop = entries(yaml.safe_load(text))["bookshop.shop:Shop"]
    assert set(shop["cached"]) == {"customer", "in_stock", "offers"}
    assert shop["cached"]["in_stock"]["unless_result"] == [[]]
    assert shop["cached"]["offers"]["max_age_from_clock"] == "60s"
    assert shop["invalidates"] == {
        "rename_customer": ["shops:customer:*"],
        "sell": ["shops:in_stock:*"],
    }
    assert "# Not cached: it sets self.last_customer, which a hit would not." in text
    assert "# Not cached: password_hash looks like a secret" in text


def test_the_same_tree_gives_the_same_text(bookshop, tmp_path):
    again = tmp_path / "again.yaml"
    proposed(BOOKSHOP, again)
    assert again.read_text(encoding="utf-8") == bookshop.read_text(encoding="utf-8")
    assert dispatch(["scan", "--source", str(BOOKSHOP), "--output", str(again), "--check"]) == 0
    again.write_text("version: 1\n", encoding="utf-8")
    assert dispatch(["scan", "--source", str(BOOKSHOP), "--output", str(again), "--check"]) == 1


def test_the_figures_go_to_standard_error(capsys):
    assert dispatch(["scan", "--source", str(BOOKSHOP)]) == 0
    printed = capsys.readouterr()
    assert yaml.safe_load(printed.out)["version"] == 1
    assert printed.err.splitlines()[-1].endswith(" writes")


def test_what_no_configuration_can_mend_goes_to_standard_error(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("def f(:\n")
    assert dispatch(["scan", "--source", str(tmp_path)]) == 0
    assert "warning: broken.py cannot be read" in capsys.readouterr().err


def test_a_schema_is_named_relative_to_the_file_that_is_written(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "schema.yaml").write_text("version: 1\ntables: [books, authors]\n")
    options = ("--schema", str(tmp_path / "schema.yaml"))
    settings = proposed(BOOKSHOP, tmp_path / "config" / "accel.yaml", *options)
    assert settings["sql"] == {"dialect": "sqlite", "schema": ["../schema.yaml"]}


def test_a_schema_that_is_not_valid_ends_with_status_2(tmp_path, capsys):
    (tmp_path / "schema.yaml").write_text("version: 7\n")
    arguments = ["scan", "--source", str(BOOKSHOP), "--schema", str(tmp_path / "schema.yaml")]
    assert dispatch(arguments) == 2
    assert "schema.yaml:1" in capsys.readouterr().err


def test_a_folder_without_sql_gives_a_configuration_of_nothing(tmp_path):
    (tmp_path / "app.py").write_text("def f():\n    return 1\n")
    settings = proposed(tmp_path, tmp_path / "accel.yaml")
    assert settings == {"version": 1, "cache": {"namespaces": {}}, "repositories": []}
