"""The graph of an application: what is in it, and that it is Mermaid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from source_shop import SOURCE, assembled, knowledge

from wats_accel.report import graph as graphs
from wats_accel.report.graph import markdown_graph, mermaid_graph

NAME = r"[cn]_\w+"
LABEL = r'"[^"]*"'
LINE = re.compile(
    rf"%%.*|flowchart LR|subgraph {NAME}\[{LABEL}\]|end|class {NAME} unknown|classDef \w+ [\w:#, -]+"
    rf"|{NAME}(\[\({LABEL}\)\]|\(\[{LABEL}\]\)|\[{LABEL}\])(:::\w+)?"
    rf"|{NAME} (-->|==>|-\.->|--o|-- {LABEL} (-->|--o)|== {LABEL} ==>) {NAME}"
)


def drawn(folder: Path, source: str = SOURCE, **repository: object) -> list[str]:
    assembly = assembled(**repository)
    context = assembly.context
    text = mermaid_graph(knowledge(assembly, folder, source), context.caches, context.invalidator)
    lines = [line.strip() for line in text.splitlines()]
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    return lines


def test_tables_methods_and_their_edges_are_told_apart(tmp_path: Path) -> None:
    lines = drawn(tmp_path)
    for line in (
        'n_items[("items")]:::table',
        'subgraph c_Stock["Stock"]',
        'n_Stock_list_items(["list_items<br/>cached 60s"]):::cached',
        'n_Stock_rename["rename"]:::drops',
        "n_items --> n_Stock_list_items",
        'n_Stock_execute_rename == "update name" ==> n_items',
        'n_Stock_drop_group == "delete" ==> n_groups',
        'n_forgotten == "insert" ==> n_items',
        "n_Stock_rename -.-> n_Stock_list_items",
        'n_Stock_rename -- "calls" --> n_Stock_execute_rename',
        'n_groups -- "on delete cascade" --o n_items',
        'n_offers -- "trigger noted" --o n_groups',
        "class n_Stock_clean unknown",
    ):
        assert line in lines, line


def test_what_a_cascade_leads_to_is_not_drawn_a_second_time(tmp_path: Path) -> None:
    lines = drawn(tmp_path)
    assert not any("n_Stock_drop_group" in line and "n_items" in line for line in lines)


def test_what_an_update_reads_is_nobodys_answer(tmp_path: Path) -> None:
    assert "n_items --> n_Stock_note_seen" not in drawn(tmp_path)


def test_methods_without_sql_and_without_rules_are_left_out(tmp_path: Path) -> None:
    assert not any("overview" in line for line in drawn(tmp_path))


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    assert drawn(tmp_path) == drawn(tmp_path)


def test_names_of_mermaid_and_of_html_do_no_harm(tmp_path: Path) -> None:
    source = 'def end(database):\n    database.execute(\'SELECT "a#b" FROM "x<y>&""z"\')\n'
    lines = drawn(tmp_path, source)
    assert 'n_end["end"]' in lines
    assert any("#lt;" in line and "#amp;" in line for line in lines)


def test_two_methods_of_one_name_have_two_nodes(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(SOURCE, encoding="utf-8")
    lines = drawn(tmp_path)
    assert "n_items --> n_Stock_list_items" in lines
    assert "n_items --> n_Stock_list_items_2" in lines


def test_a_large_application_is_drawn_by_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MOST_EDGES", 3)
    lines = drawn(tmp_path)
    assert any("Classes stand for their methods" in line for line in lines)
    assert 'n_Stock(["Stock"]):::cached' in lines
    assert "n_items --> n_Stock" in lines
    assert "n_Stock ==> n_items" in lines


def test_on_a_page_it_stands_in_a_fence_below_a_legend() -> None:
    page = markdown_graph("flowchart LR\n")
    assert page.startswith("# Methods and tables\n")
    assert "Thick arrows are writes" in page
    assert page.endswith("\n```mermaid\nflowchart LR\n```\n")
