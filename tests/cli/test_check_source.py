"""``wats-accel check --source``: the example's configurations against the example's SQL."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from wats_accel.cli.group import dispatch

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = str(ROOT / "docs" / "examples" / "legacy_wats")
ORIGINAL = str(ROOT / "config" / "wats-original.yaml")

# "Must hold": what the maintainers' first table had missed, as (writes, read).
CONNECTIONS, USERS, GROUPS = "ConnectionRepository", "UserRepository", "GroupRepository"
PERMISSIONS, LOGS = "IndividualPermissionRepository", "LogRepository"
SELECT_ALL = f"{CONNECTIONS}.select_all"
ALL_CONNECTIONS = f"{CONNECTIONS}.admin_get_all_connections"
LISTS = f"{PERMISSIONS}.list_user_individual_permissions"
MISSED = {
    *(
        (f"{PERMISSIONS}.{write}", SELECT_ALL)
        for write in ("grant_individual_access", "revoke_individual_access")
    ),
    *((f"{USERS}.{write}", SELECT_ALL) for write in ("admin_create_user", "admin_update_user")),
    *(
        (f"{GROUPS}.{write}", read)
        for write in ("admin_create_group", "admin_update_group", "admin_delete_group")
        for read in (SELECT_ALL, ALL_CONNECTIONS)
    ),
    *(
        (f"{LOGS}.{write}", SELECT_ALL)
        for write in ("insert_connection_log", "delete_connection_log", "cleanup_ghost_connections")
    ),
    *(
        (f"{PERMISSIONS}.{write}", read)
        for write in ("revoke_temporary_access", "cleanup_expired_permissions")
        for read in (SELECT_ALL, LISTS)
    ),
    (f"{CONNECTIONS}.admin_delete_connection", LISTS),
}
# Besides those: other writes of what the lists of permissions show.
ALSO = {
    *((f"{CONNECTIONS}.{write}", LISTS) for write in ("admin_create_connection", "admin_update_connection")),
    *((f"{USERS}.{write}", LISTS) for write in ("admin_create_user", "admin_update_user")),
}


def checked(capsys, *arguments: str) -> tuple[int, str]:
    status = dispatch(["check", *arguments])
    return status, capsys.readouterr().out


@pytest.fixture(scope="module")
def original() -> dict:
    """What is found in the first table, as JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert dispatch(["check", "-c", ORIGINAL, "--source", EXAMPLE, "--format", "json"]) == 1
    return json.loads(out.getvalue())


def pairs(document: dict) -> set[tuple[str, ...]]:
    return {
        tuple(part.partition(":")[2] for part in finding["about"])
        for finding in document["findings"]
        if finding["rule"] == "uncovered"
    }


def finding(document: dict, *about: str) -> dict:
    return next(
        known
        for known in document["findings"]
        if tuple(part.partition(":")[2] for part in known["about"]) == about
    )


def test_each_pair_that_the_first_table_had_missed_is_reported(original):
    assert pairs(original) >= MISSED


def test_nothing_is_reported_that_the_first_table_had_not_missed(original):
    assert pairs(original) == MISSED | ALSO
    others = [known["rule"] for known in original["findings"] if known["rule"] != "uncovered"]
    assert others == ["clock", "failure-answer", "secret-cached"]


def test_a_temporary_grant_is_named_as_a_way_to_the_write_that_lacks_the_rule(original):
    found = finding(original, f"{PERMISSIONS}.grant_individual_access", SELECT_ALL)
    ways = [known["text"] for known in found["evidence"] if known["label"] == "also through"]
    assert f"{PERMISSIONS}.grant_temporary_access" in ways
    assert f"{CONNECTIONS}.grant_individual_access" in ways


def test_both_statements_are_shown_where_they_are(original):
    found = finding(original, f"{GROUPS}.admin_update_group", ALL_CONNECTIONS)
    assert "(Gru_Nome)" in found["message"]
    write, read = (known for known in found["evidence"] if known["label"] != "also through")
    for known, text in ((write, "UPDATE Grupo_WTS SET Gru_Nome"), (read, "SELECT C.Con_Codigo")):
        assert known["text"].startswith(text)
        line = Path(known["file"]).read_text(encoding="utf-8").splitlines()[known["line"] - 1]
        assert "execute(" in line


def test_a_cascade_of_the_schema_is_told(original):
    found = finding(original, f"{GROUPS}.admin_delete_group", SELECT_ALL)
    assert (
        "and by a cascade, a trigger or a procedure Conexao_WTS (Gru_Codigo), Permissao_Grupo_WTS"
        in (found["message"])
    )


def test_a_procedure_that_the_configuration_declares_is_told_as_a_write(original):
    found = finding(original, f"{LOGS}.cleanup_ghost_connections", SELECT_ALL)
    assert any("EXEC sp_Limpar_Conexoes_Fantasma" in known["text"] for known in found["evidence"])


def test_the_heartbeat_is_not_reported(original):
    assert "update_heartbeat" not in json.dumps(original)


def test_the_lines_that_are_shown_make_every_pair_go_away(original, tmp_path, capsys):
    settings = yaml.safe_load(Path(ORIGINAL).read_text(encoding="utf-8"))
    for known in original["findings"]:
        if known["rule"] == "uncovered":
            _apply(settings, known["fix"])
    path = tmp_path / "mended.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    shutil.copy(ROOT / "config" / "wats-schema.yaml", tmp_path)
    status, out = checked(capsys, "-c", str(path), "--source", EXAMPLE, "--format", "json")
    assert pairs(json.loads(out)) == set()
    assert status == 1  # the clock, the secret and the failure answer are still there


def _apply(settings: dict, fix: dict) -> None:
    lines = yaml.safe_load("\n".join(fix["lines"]))
    if fix["under"] == "repositories":
        target = lines[0]["target"]
        known = next((each for each in settings["repositories"] if each["target"] == target), None)
        if known is None:
            settings["repositories"] += lines
        else:
            known["invalidates"].update(lines[0]["invalidates"])
        return
    (number,) = re.fullmatch(r"repositories\[(\d+)\]\.invalidates", fix["under"]).groups()
    settings["repositories"][int(number)].setdefault("invalidates", {}).update(lines)


@pytest.mark.parametrize("name", ["wats.yaml", "wats.toml"])
@pytest.mark.parametrize("source", [EXAMPLE, f"{EXAMPLE}/src"], ids=["root", "package"])
def test_nothing_is_found_in_the_configuration_that_is_used(name, source, capsys):
    status, out = checked(capsys, "-c", str(ROOT / "config" / name), "--source", source, "--fail-on", "note")
    assert status == 0
    assert out.endswith(": 0 errors, 0 warnings, 0 notes; 1 accepted\n")


def test_what_is_accepted_and_trusted_is_shown_with_verbose(capsys):
    _, out = checked(capsys, "-c", str(ROOT / "config" / "wats.yaml"), "--source", EXAMPLE, "-v")
    assert "accepted: ConnectionRepository.select_all keeps Con_Senha in this process's memory" in out
    assert "  because: The maintainers asked for it" in out
    assert out.count("\ntrusted: ") == 2


@pytest.mark.parametrize(("fail_on", "status"), [("error", 1), ("warning", 1), ("note", 1), ("never", 0)])
def test_the_status_is_that_of_the_gravest_finding(fail_on, status, capsys):
    arguments = ("-c", ORIGINAL, "--source", EXAMPLE, "--fail-on", fail_on, "--format", "github")
    assert checked(capsys, *arguments)[0] == status


SHOP = """\
import sqlite3


class Repo:
    def __init__(self, url):
        self.db = sqlite3.connect(url)
        self.url = url

    def read(self, key):
        try:
            return self.db.execute("SELECT name FROM things WHERE id = ?", (key,)).fetchall()
        except sqlite3.Error:
            return []

    def write(self, key, name):
        self.db.execute("UPDATE things SET name = ? WHERE id = ?", (name, key))
"""
RULES = """\
version: 1
cache: {namespaces: {things: {ttl: 5m}}}
repositories:
  - target: shop:Repo
    scope: self.url
    cached:
      read: {namespace: things, unless_result: [[]]}
"""


@pytest.fixture
def shop(tmp_path) -> tuple[str, ...]:
    """The arguments to check a small shop with one forgotten rule; it would fail if it were imported."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "shop.py").write_text(SHOP + "\nraise RuntimeError('imported')\n")
    (tmp_path / "rules.yaml").write_text(RULES)
    return "-c", str(tmp_path / "rules.yaml"), "--source", str(tmp_path / "source")


def test_the_forgotten_rule_is_found_without_importing_anything(shop, capsys):
    status, out = checked(capsys, *shop)
    assert status == 1
    assert "Repo.write changes things (name), which the cached Repo.read reads, and no rule drops it" in out
    assert '  under repositories[0].invalidates write:\n    write: ["things:read:*"]\n' in out


def test_with_a_path_what_it_names_is_imported_as_well(shop, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert dispatch(["check", *shop, "--path", str(tmp_path / "source"), "--fail-on", "never"]) == 1
    assert "the module shop cannot be imported: RuntimeError" in capsys.readouterr().err


def test_files_that_are_left_out_are_not_looked_at(shop, tmp_path, capsys):
    scripts = tmp_path / "source" / "scripts"
    scripts.mkdir()
    (scripts / "fix.py").write_text("import shop\ndef fix(db):\n    db.execute('DELETE FROM things')\n")
    assert "fix changes things" in checked(capsys, *shop)[1]
    assert "fix changes things" not in checked(capsys, *shop, "--exclude", "scripts")[1]
    assert "fix changes things" not in checked(capsys, *shop, "--exclude", "scripts/*.py")[1]


def test_a_baseline_is_written_edited_and_found_again(shop, tmp_path, capsys):
    path = tmp_path / "rules-baseline.yaml"
    status, out = checked(capsys, *shop, "--write-baseline")
    assert (status, out) == (0, f"{path}: 1 findings, 1 of them still need a reason\n")
    assert checked(capsys, *shop)[0] == 1  # TODO is no reason
    path.write_text(path.read_text().replace("TODO", "It is a test."))
    status, out = checked(capsys, *shop)
    assert status == 0
    assert out.endswith(": 0 errors, 0 warnings, 1 note; 1 accepted\n")


def test_what_was_accepted_keeps_its_reason_when_the_baseline_is_written_again(shop, tmp_path, capsys):
    path = tmp_path / "known.yaml"
    checked(capsys, *shop, "--baseline", str(path), "--write-baseline")
    path.write_text(path.read_text().replace("TODO", "It is a test."))
    checked(capsys, *shop, "--baseline", str(path), "--write-baseline")
    assert 'reason: "It is a test."' in path.read_text()


def test_a_stale_entry_is_told_and_does_not_fail(shop, tmp_path, capsys):
    path = tmp_path / "rules-baseline.yaml"
    path.write_text(
        "version: 1\naccepted:\n"
        "  - {rule: uncovered, about: ['shop:Repo.write', 'shop:Repo.read'], reason: it is a test}\n"
        "  - {rule: clock, about: ['shop:Repo.gone'], reason: it was so}\n"
    )
    status, out = checked(capsys, *shop)
    assert status == 0
    assert f"{path}:4: no finding matches this entry any more; take it out: clock (shop:Repo.gone)" in out


@pytest.mark.parametrize("text", ["version: 1\naccepted: [{rule: clock}]\n", "accepted: [\n"])
def test_a_baseline_that_is_not_valid_ends_with_status_2(shop, tmp_path, capsys, text):
    (tmp_path / "rules-baseline.yaml").write_text(text)
    assert dispatch(["check", *shop]) == 2
    assert str(tmp_path / "rules-baseline.yaml") in capsys.readouterr().err


def test_a_baseline_that_is_named_and_not_there_ends_with_status_2(shop, capsys):
    assert dispatch(["check", *shop, "--baseline", "nowhere.yaml"]) == 2
    assert "nowhere.yaml: there is no such file" in capsys.readouterr().err


def test_a_schema_that_is_not_there_ends_with_status_2(shop, tmp_path, capsys):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES + "sql: {schema: gone.yaml}\n")
    assert dispatch(["check", *shop]) == 2
    assert "gone.yaml" in capsys.readouterr().err


def test_a_configuration_that_is_not_valid_ends_with_status_2(shop, tmp_path):
    (tmp_path / "rules.yaml").write_text("version: 2\n")
    assert dispatch(["check", *shop]) == 2


def test_findings_go_to_a_file_if_one_is_named(shop, tmp_path, capsys):
    path = tmp_path / "found.sarif"
    status, out = checked(capsys, *shop, "--format", "sarif", "--output", str(path))
    assert (status, out) == (1, "")
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_github_sees_the_place_in_the_configuration(shop, tmp_path, capsys):
    _, out = checked(capsys, *shop, "--format", "github")
    assert out.startswith(
        f"::error file={tmp_path}/rules.yaml,line=7,col=7,title=A write that drops too little"
    )


@pytest.mark.parametrize(
    "option",
    [
        ("--format", "json"),
        ("--fail-on", "never"),
        ("--baseline", "x"),
        ("--write-baseline",),
        ("--output", "x"),
        ("--verbose",),
        ("--exclude", "x"),
    ],
    ids=lambda option: option[0],
)
def test_options_of_the_check_of_a_source_need_the_source(option, capsys):
    assert dispatch(["check", "-c", ORIGINAL, *option]) == 2
    assert f"{option[0]} needs --source" in capsys.readouterr().err


def test_a_source_that_is_not_there_is_told(capsys):
    assert dispatch(["check", "-c", ORIGINAL, "--source", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


LOOSE = """
class Panel:
    def __init__(self, repo):
        self.repo = repo

    def rename(self, key, name):
        self.repo.write(key, name)


class Sql:
    def __init__(self, db):
        self.db = db

    def run(self, sql):
        self.db.execute(sql)


def purge(anything):
    anything.run("DELETE FROM things")
"""


def test_calls_of_unknown_objects_are_told_only_if_they_give_away_sql(shop, tmp_path, capsys):
    """The words of the scan are known to the check."""
    (tmp_path / "source" / "panel.py").write_text(LOOSE)
    rules = tmp_path / "rules.yaml"
    rules.write_text(f'{RULES}    invalidates: {{write: ["things:*"]}}\n')
    status, out = checked(capsys, *shop, "--format", "json")
    found = [tuple(known["about"]) for known in json.loads(out)["findings"] if known["severity"] != "note"]
    told = [("panel:Sql.run",), ("panel:purge",), ("panel:purge", "shop:Repo.read")]
    assert sorted(found) == told, "what purge gives away is itself seen to change what is read"
    assert status == 1
