"""``wats-accel explain --source``: one method by the source, and the whole application as a graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from wats_accel.cli.group import dispatch

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "legacy_wats"
PRESET = str(ROOT / "config" / "wats.yaml")
WITH_SOURCE = ["explain", "--config", PRESET, "--source", str(EXAMPLE)]


def test_a_method_is_explained_by_the_tables_behind_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch([*WITH_SOURCE, "ConnectionRepository.select_all"]) == 0
    printed = capsys.readouterr().out
    for text in (
        "  cached in:     connections\n",
        "    grupo_wts(gru_codigo, gru_nome)  (src/wats/db/repositories/connection_repository.py:",
        "    UserRepository.get_user_role, cached  (src/wats/",
        "    GroupRepository.admin_delete_group: conexao_wts(gru_codigo), grupo_wts(*), "
        "permissao_grupo_wts(*); dropped by its rule connections:*",
        "  depends on the clock:\n    src/wats/db/repositories/connection_repository.py:",
    ):
        assert text in printed
    assert "update_heartbeat" not in printed
    assert "dropped by no rule" not in printed


def test_a_method_that_no_rule_names_is_explained_by_the_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch([*WITH_SOURCE, "LogRepository.update_heartbeat"]) == 0
    printed = capsys.readouterr().out
    assert (
        "    usuario_conexao_wts(usu_last_heartbeat)  (src/wats/db/repositories/log_repository.py:" in printed
    )
    assert "concerns:" not in printed
    assert dispatch(["explain", "--config", PRESET, "LogRepository.update_heartbeat"]) == 1


def test_the_examples_graph_is_current() -> None:
    page = str(EXAMPLE / "GRAPH.md")
    assert dispatch([*WITH_SOURCE, "--graph", "--output", page, "--check"]) == 0, "run `make generated`"


def test_the_graph_is_printed_bare(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch([*WITH_SOURCE, "--graph"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("%% ")
    assert "```" not in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--graph"], "--graph needs --source"),
        ([], "give a TARGET"),
        (["--graph", "--source", str(EXAMPLE), "x"], "give a TARGET"),
        (["--source", str(EXAMPLE / "nowhere"), "x"], "does not exist"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["explain", "--config", PRESET, *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_broken_schema_is_an_error_of_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "accel.yaml"
    config.write_text("version: 1\nsql: {schema: missing.yaml}\n", encoding="utf-8")
    arguments = ["explain", "--config", str(config), "--source", str(EXAMPLE), "--graph"]
    assert dispatch(arguments) == 2
    assert "sql.schema: " in capsys.readouterr().err
