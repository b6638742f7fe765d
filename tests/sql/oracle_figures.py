"""Prints how the analysis of SQL fares: ``python tests/sql/oracle_figures.py [statements] [seed]``.

Statements tried, how many were told narrower than they are (it must be none), how many were "unknown", and
how much broader than the truth the others were. The tables' columns are not told, and then they are.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from corpus_cases import cases
from corpus_variants import Variant, batches, joined
from hypothesis import HealthCheck, given, seed, settings
from postgresql_oracle import PostgresqlOracle
from postgresql_oracle import RefusedError as RefusedByPostgresqlError
from sqlglot import exp, parse
from sqlglot.errors import SqlglotError
from sqlglot_fixtures import NotHereError, shipped, statements
from sqlite_oracle import RefusedError, SqliteOracle
from statement_words import POSTGRES, SQLITE, Relation, schemas
from truth import Truth, breadth, narrower, with_excluded, without_rows_of
from tsql_batches import Batch, tsql_batches
from write_strategies import Text, texts

from wats_accel.sql.access import Access, Columns, name_of
from wats_accel.sql.facts import Facts
from wats_accel.sql.statement import DIALECTS, facts_of

_SERVERS: Final = Path(__file__).parents[2] / "docs/examples/legacy_wats/simulation"
_SCHEMAS: Final = schemas(seed=99, number=60)
_DEFINED: Final = ("create", "alter", "drop", "execute", "exec", "do", "prepare")


@dataclass(slots=True)
class Tally:
    """What is counted."""

    tried: int = 0
    narrower: int = 0
    unknown: int = 0
    told: int = 0
    true: int = 0
    why: Counter[str] = field(default_factory=Counter)

    def count(self, facts: Facts, missing: object) -> None:
        """Count one text."""
        self.tried += 1
        self.narrower += bool(missing)
        self.unknown += bool(facts.unknowns)
        self.why.update({unknown.what for unknown in facts.unknowns})

    def broad(self, facts: Facts, true: Access, columns: Mapping[str, Columns]) -> None:
        """Count columns, where nothing is unknown."""
        if not facts.unknowns:
            self.told += breadth(without_rows_of(facts, facts.reads), columns)
            self.true += breadth(without_rows_of(facts, true), columns)

    def __str__(self) -> str:
        share = self.unknown / max(self.tried, 1)
        text = f"{self.tried:7,} tried, {self.narrower} narrower, {self.unknown} unknown ({share:.2%})"
        if self.true:
            text += f", {self.told / self.true:.3f} columns told for each that is read"
        why = "; ".join(f"{what}: {number}" for what, number in self.why.most_common(6))
        return f"{text}\n          {why}" if why else text


def _columns(place: int) -> dict[str, Columns]:
    return {name_of(table.name): frozenset(map(name_of, table.columns)) for table in _SCHEMAS[place]}


def _drawn(number: int, chosen: int, batches: Any, ask: Callable[[int, Batch], None]) -> None:
    run = settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck))

    @seed(chosen)
    @run
    @given(batches)
    def asked(drawn: tuple[int, Batch]) -> None:
        ask(*drawn)

    asked()


def _oracle(
    dialect: str,
    number: int,
    chosen: int,
    drawn: Any,
    truths: Callable[[int, Batch], tuple[Truth, Access]],
    denied: Callable[[int, Text, Facts], object] = lambda *_: None,
) -> None:
    tallies = {"without columns": Tally(), "with columns": Tally()}
    refused = 0

    def ask(place: int, batch: Batch) -> None:
        nonlocal refused
        try:
            truth, exact = truths(place, batch)
        except (RefusedError, RefusedByPostgresqlError):
            refused += 1
            return
        sql = batch.text.sql
        for how, tally in tallies.items():
            facts = facts_of(sql, dialect, _columns(place) if how == "with columns" else None)
            told = with_excluded(facts, sql)
            tally.count(facts, narrower(told, truth) or denied(place, batch.text, told))
            if "with" not in sql.casefold().split():  # SQLite does not look at CTEs that nobody uses
                tally.broad(facts, exact, _columns(place))

    _drawn(number, chosen, drawn, ask)
    for how, tally in tallies.items():
        print(f"{dialect}, {how}: {tally}")
    print(f"{dialect}: refused by the database and left out: {refused}")


def sqlite(number: int, chosen: int) -> None:
    """What its authoriser says of its own statements, and of T-SQL in its words."""
    oracles = [SqliteOracle(tables) for tables in _SCHEMAS]

    def truths(place: int, batch: Batch) -> tuple[Truth, Access]:
        known = batch.besides
        for statement in batch.text.statements:
            known |= oracles[place].truth(statement)
        return known, known.reads

    plain = texts(_SCHEMAS, SQLITE).map(lambda drawn: (drawn[0], Batch(drawn[1], Truth())))
    _oracle("sqlite", number, chosen, plain, truths)
    _oracle("tsql", number, chosen, tsql_batches(_SCHEMAS), truths)


@contextmanager
def _postgresql(groups: list[tuple[Relation, ...]]) -> Iterator[PostgresqlOracle]:
    sys.path.append(str(_SERVERS))
    import pyodbc
    from private_postgresql import private_postgresql

    pyodbc.pooling = False
    with private_postgresql() as server:
        oracle = PostgresqlOracle(pyodbc.connect(server.odbc()), groups)
        yield oracle
        oracle.close()


def postgresql(number: int, chosen: int) -> None:
    """What its plans and its privileges say."""
    with ExitStack() as stack:
        oracle = stack.enter_context(_postgresql(_SCHEMAS))

        def truths(place: int, batch: Batch) -> tuple[Truth, Access]:
            return oracle.truth(place, batch.text), oracle.needed(place, batch.text)

        plain = texts(_SCHEMAS, POSTGRES).map(lambda drawn: (drawn[0], Batch(drawn[1], Truth())))
        _oracle("postgres", number, chosen, plain, truths, oracle.denied)


def corpus() -> None:
    """Its own statements, where nothing unknown is expected, and what is made of them."""
    tallies: dict[str, Tally] = {}
    for case in cases():
        facts = facts_of(case.sql, case.dialect, case.columns)
        if case.truth.hides is None and not case.broken:
            tallies.setdefault(case.dialect, Tally()).count(facts, narrower(facts, case.truth))
    for dialect, tally in tallies.items():
        print(f"corpus, {dialect or 'no dialect'}: {tally}")
    print(f"corpus, joined by semicolons: {_variants(joined(1, 5))}")
    print(f"corpus, batches without semicolons and in blocks: {_variants(batches(2, 5))}")


def _variants(found: Iterator[Variant]) -> Tally:
    tally = Tally()
    for _, sql, dialect, truth in found:
        facts = facts_of(sql, dialect)
        if truth.hides is None:
            tally.count(facts, narrower(facts, truth))
    return tally


def fixtures() -> None:
    """The statements of the library's own tests that it can read itself."""
    tallies = {dialect: Tally() for dialect in DIALECTS}
    own = [one for one in statements() if one[0]]  # the others are of dialects that nobody names
    for dialect, text in [*own, *shipped()]:
        if dialect in tallies and _readable(dialect, text):
            tallies[dialect].count(facts_of(text, dialect), ())
    for dialect, tally in tallies.items():
        print(f"fixtures, {dialect or 'no dialect'}: {tally}")


def _readable(dialect: str, text: str) -> bool:
    """Whether it is SQL; definitions, procedures and dynamic SQL are not counted."""
    if text.casefold().lstrip().startswith(_DEFINED):
        return False
    try:
        trees = [tree for tree in parse(text, read=dialect) if tree is not None]
    except (SqlglotError, RecursionError):
        return False
    return bool(trees) and all(isinstance(tree, exp.Query | exp.DML) for tree in trees)


def main() -> None:
    """Print all."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    corpus()
    try:
        fixtures()
    except NotHereError as error:
        print(f"fixtures: {error}")
    sqlite(number, chosen)
    postgresql(max(1, number // 4), chosen)


if __name__ == "__main__":
    main()
