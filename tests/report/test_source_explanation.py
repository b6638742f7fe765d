"""What the source says of a method: tables and columns, who changes them, what drops it then."""

from __future__ import annotations

from pathlib import Path

import pytest
from source_shop import assembled, knowledge

from wats_accel.errors import TargetError
from wats_accel.report.explanation import explain
from wats_accel.report.source_explanation import SourceExplainer, SourceExplanation, Told
from wats_accel.sql.source.facts import Place


@pytest.fixture
def explainer(tmp_path: Path) -> SourceExplainer:
    assembly = assembled()
    context = assembly.context
    return SourceExplainer(knowledge(assembly, tmp_path), context.caches, context.invalidator)


def texts(told: tuple[Told, ...]) -> list[str]:
    return [one.text for one in told]


def test_tables_and_columns_are_told_with_the_places_of_their_statements(explainer: SourceExplainer) -> None:
    told = explainer.explain("shop:Stock.list_items")
    assert told.place == Place("shop.py", 8)
    assert told.reads == (
        Told("groups(id, name)", (Place("shop.py", 10),)),
        Told("items(group_id, name)", (Place("shop.py", 10),)),
    )
    assert told.changes == ()
    assert told.unknowns == ()


def test_who_changes_what_is_read_is_told_with_what_drops_it(explainer: SourceExplainer) -> None:
    assert texts(explainer.explain("shop:Stock.list_items").changed_by) == [
        "Stock._execute_rename: items(name); dropped by the rule of Stock.rename, which calls it",
        "Stock.clean: nobody knows what; dropped by no rule",
        "Stock.drop_group: groups(*), items(*); dropped by no rule",
        "shop:forgotten: items(*); dropped by no rule",
        "perhaps by a method that could not be read whole",
    ]


def test_in_the_mode_of_sql_the_sql_drops_what_no_rule_does(tmp_path: Path) -> None:
    assembly = assembled(invalidates={"drop_group": ["stock:*"]})
    context = assembly.context
    known = knowledge(assembly, tmp_path)
    explainer = SourceExplainer(known, context.caches, context.invalidator, by_sql=True)
    told = texts(explainer.explain("shop:Stock.list_items").changed_by)
    assert "Stock.drop_group: groups(*), items(*); dropped by its rule stock:*" in told
    assert "Stock._execute_rename: items(name); dropped by the SQL" in told


def test_what_is_not_cached_is_told_who_changes_it_without_a_word_on_rules(
    explainer: SourceExplainer,
) -> None:
    changed_by = texts(explainer.explain("shop:Stock.open_offers").changed_by)
    assert "Stock.drop_group: offers(*)" in changed_by


def test_a_write_is_told_what_it_changes_and_whose_answers_it_concerns(explainer: SourceExplainer) -> None:
    told = explainer.explain("shop:Stock.drop_group")
    assert texts(told.changes) == [
        "groups(*)",
        "items(*), by the database itself",
        "offers(*), by the database itself",
    ]
    assert texts(told.concerned) == ["Stock.list_items: groups(*), items(*); dropped by no rule"]
    assert told.changed_by == ()


def test_a_write_of_a_column_that_nobody_reads_concerns_nobody(explainer: SourceExplainer) -> None:
    told = explainer.explain("shop:Stock.note_seen")
    assert texts(told.changes) == ["items(seen)"]
    assert told.concerned == ()


def test_calls_the_clock_and_what_is_not_known_are_told(explainer: SourceExplainer) -> None:
    told = explainer.explain("shop:Stock.overview")
    assert texts(told.calls) == ["Stock.list_items, cached", "Stock.open_offers"]
    assert told.clock
    assert {place.file for place in told.clock} == {"shop.py"}
    assert texts(explainer.explain("shop:Stock.clean").unknowns) == [
        "nobody has said what the procedure clean_up touches",
    ]
    assert explainer.explain("shop:Stock.run").unknowns


def test_a_method_that_the_tree_does_not_have_says_so(explainer: SourceExplainer) -> None:
    told = explainer.explain("shop:Stock.gone")
    assert told == SourceExplanation()
    assert str(told) == "  source:        the tree does not have it"


def test_the_whole_is_text_for_people(explainer: SourceExplainer) -> None:
    assembly = assembled()
    context = assembly.context
    told = explain("list_items", context.caches, context.invalidator, (), explainer)
    lines = str(told).splitlines()
    assert lines[0] == "shop:Stock.list_items"
    assert "  cached in:     stock" in lines
    assert "  source:        shop.py:8" in lines
    assert lines[lines.index("  reads:") + 1] == "    groups(id, name)  (shop.py:10)"


def test_a_method_of_the_tree_needs_no_rule_to_be_explained(explainer: SourceExplainer) -> None:
    assert explain("Stock.open_offers", (), None, (), explainer).target == "shop:Stock.open_offers"
    with pytest.raises(TargetError, match="no rule"):
        explain("Stock.open_offers", (), None)


def test_many_places_are_cut_short() -> None:
    places = tuple(Place("a.py", line) for line in range(1, 8))
    assert str(Told("t(*)", places)) == "t(*)  (a.py:1, a.py:2, a.py:3, a.py:4 and 3 more)"
