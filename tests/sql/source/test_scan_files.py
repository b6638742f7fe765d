"""The files of a tree: which are read, what their modules are called, and what happens to broken ones."""

from __future__ import annotations

import pytest
from scanned_trees import scanned

from wats_accel.sql.source.scan import scan

REPO = "class Repo:\n    def run(self, c):\n        c.execute('SELECT a FROM t')\n"


def targets(facts):
    return [target for target in facts.methods if target.endswith(".run")]


def test_modules_are_named_from_the_folder(tmp_path):
    facts = scanned(tmp_path, {"src/wats/db.py": REPO, "run.py": REPO, "pkg/__init__.py": REPO})
    assert targets(facts) == ["pkg:Repo.run", "run:Repo.run", "src.wats.db:Repo.run"]


def test_a_folder_that_is_a_package_keeps_its_name(tmp_path):
    scanned(tmp_path, {"outer/__init__.py": "", "outer/inner/__init__.py": "", "outer/inner/db.py": REPO})
    facts = scan(tmp_path / "outer" / "inner")
    assert targets(facts) == ["outer.inner.db:Repo.run"]
    assert str(facts.methods["outer.inner.db:Repo.run"].place) == "db.py:2"


def test_a_broken_file_is_told_and_the_others_are_read(tmp_path):
    (tmp_path / "null.py").write_bytes(b"a = 1\0")
    (tmp_path / "latin.py").write_bytes(b"nothing_says_that_this_is_latin = '\xe9'\n")
    facts = scanned(tmp_path, {"broken.py": "class X:\n    def (\n", "good.py": REPO})
    assert targets(facts) == ["good:Repo.run"]
    assert [each.place.file for each in facts.unreadable] == ["broken.py", "latin.py", "null.py"]
    assert facts.unreadable[0].place.line == 2
    assert "def (" not in facts.unreadable[0].what


def test_encodings_are_those_that_python_reads(tmp_path):
    code = REPO.replace("FROM t", "FROM ação")
    (tmp_path / "marked.py").write_bytes(b"\xef\xbb\xbf" + code.encode())
    (tmp_path / "cookie.py").write_bytes(b"# -*- coding: latin-1 -*-\n" + code.encode("latin-1"))
    facts = scan(tmp_path)
    assert [facts.methods[target].statements[0].text for target in targets(facts)] == [
        "SELECT a FROM ação"
    ] * 2


@pytest.mark.parametrize(
    "folder",
    [".git", ".venv", "venv", "__pycache__", "build", "node_modules", "own_environment", "x.egg-info"],
)
def test_folders_of_others_are_left_out(tmp_path, folder):
    files = {f"{folder}/repo.py": REPO, "mine.py": REPO}
    if folder == "own_environment":
        files[f"{folder}/pyvenv.cfg"] = ""
    assert targets(scanned(tmp_path, files)) == ["mine:Repo.run"]


def test_links_in_a_circle_come_to_an_end(tmp_path):
    scanned(tmp_path, {"pkg/db.py": REPO})
    (tmp_path / "pkg" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "pkg" / "gone.py").symlink_to(tmp_path / "nowhere.py")
    facts = scan(tmp_path)
    assert targets(facts) == ["pkg.db:Repo.run"]
    assert [each.place.file for each in facts.unreadable] == ["pkg/gone.py"]


def test_imports_are_found_though_the_folder_is_not_the_one_that_they_begin_in(tmp_path):
    files = {
        "lib/app/__init__.py": "",
        "lib/app/db.py": "SQL = 'SELECT a FROM t'",
        "lib/app/repo.py": "from app.db import SQL\nclass R:\n    def run(s, c):\n        c.execute(SQL)\n",
    }
    facts = scanned(tmp_path, files)
    assert targets(facts) == ["app.repo:R.run"], "as the imports call it"
    assert facts.methods["app.repo:R.run"].statements[0].text == "SELECT a FROM t"
    inner = scan(tmp_path / "lib")
    assert inner.methods["app.repo:R.run"].statements[0].text == "SELECT a FROM t"


def test_an_empty_folder_has_nothing(tmp_path):
    assert scan(tmp_path).methods == {}
    assert scan(tmp_path / "nowhere").methods == {}


def test_nested_classes_and_functions_have_their_targets(tmp_path):
    source = """
        def top(c):
            c.execute("SELECT a FROM t")
        class Outer:
            class Inner:
                def run(self, c):
                    c.execute("SELECT a FROM t")
        def hidden(c):
            class Local:
                def run(self):
                    c.execute("SELECT b FROM u")
            return Local()
    """
    facts = scanned(tmp_path, {"app.py": source})
    assert set(facts.methods) == {"app:top", "app:Outer.Inner.run", "app:hidden"}
    assert [each.text for each in facts.methods["app:hidden"].statements] == ["SELECT b FROM u"]


def test_the_order_is_always_the_same(tmp_path):
    files = {f"m{n}.py": REPO.replace("Repo", f"R{n}") for n in range(5)}
    assert (
        list(scanned(tmp_path, files).methods)
        == list(scan(tmp_path).methods)
        == [f"m{n}:R{n}.run" for n in range(5)]
    )


def test_nothing_is_run(tmp_path):
    scanned(tmp_path, {"app.py": f"open({str(tmp_path / 'trace')!r}, 'w').write('x')\nraise SystemExit\n"})
    assert not (tmp_path / "trace").exists()
