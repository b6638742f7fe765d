"""What was read before is remembered by its text, within bounds."""

from __future__ import annotations

import sys
import threading

from wats_accel.sql.facts import Facts
from wats_accel.sql.memory import LONGEST_KEPT, Memory, short
from wats_accel.sql.statement import facts_of


def test_the_same_text_has_the_same_facts() -> None:
    text = "SELECT remembered FROM texts"
    assert facts_of(text, "tsql") is facts_of("".join(text), "tsql")


def test_another_dialect_may_read_the_same_text_in_another_way() -> None:
    text = "SELECT a[b] FROM t"
    assert facts_of(text, "postgres").reads.columns("t") == {"a", "b"}
    assert facts_of(text, "sqlite").reads.columns("t") == {"a"}


def test_other_known_columns_have_facts_of_their_own() -> None:
    text = "SELECT x FROM t JOIN u ON t.id = u.id"
    unknown = facts_of(text, "tsql")
    known = facts_of(text, "tsql", {"t": frozenset({"id"}), "u": frozenset({"id", "x"})})
    assert unknown.reads.columns("t") == {"id", "x"}
    assert known.reads.columns("t") == {"id"}


def test_known_columns_are_kept_as_long_as_facts_are_remembered_by_them() -> None:
    memory = Memory()
    owner = {"t": frozenset({"a"})}
    before = sys.getrefcount(owner)
    memory.keep(("text", "", id(owner)), Facts(), owner)
    assert sys.getrefcount(owner) == before + 1


def test_only_so_many_texts_are_kept() -> None:
    memory = Memory(most_texts=10)
    for number in range(100):
        memory.keep((f"text {number}", "", 0), Facts(), None)
    kept = [number for number in range(100) if memory.get((f"text {number}", "", 0), None)]
    assert 99 in kept
    assert len(kept) <= 20


def test_only_so_many_characters_are_kept() -> None:
    memory = Memory(most_characters=1_000)
    for number in range(100):
        memory.keep((f"{number:0100}", "", 0), Facts(), None)
    assert sum(len(key[0]) for key in memory.young) <= 1_000


def test_what_is_asked_for_often_stays() -> None:
    memory = Memory(most_texts=10)
    memory.keep(("often", "", 0), Facts(), None)
    for number in range(100):
        memory.keep((f"text {number}", "", 0), Facts(), None)
        assert memory.get(("often", "", 0), None) is not None


def test_a_long_text_is_remembered_without_being_kept() -> None:
    text = "SELECT a FROM t WHERE b = '" + "x" * LONGEST_KEPT + "'"
    assert facts_of(text, "tsql") is facts_of(text, "tsql")
    assert len(short(text)) == 64
    assert short("\ud800" * (LONGEST_KEPT + 1)) != short("\ud801" * (LONGEST_KEPT + 1))


def test_several_threads_get_the_same_facts() -> None:
    texts = [f"SELECT a{number} FROM t JOIN u ON t.id = u.id" for number in range(50)]
    told: list[list[Facts]] = []

    def ask() -> None:
        told.append([facts_of(text, "postgres") for text in texts])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(facts == told[0] for facts in told)
