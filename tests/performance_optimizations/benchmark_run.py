"""Measures the three parts, one after the other, and prints each when it is done."""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmark_report import Report, as_json, lines_to_look_for
from benchmark_words import Words
from boxed_summary import Console
from measured_databases import MeasuredDatabase, NotMeasurableError, measured_database
from measured_parts import Part, cache_part, combined_part, pool_part
from realistic_plan import PEOPLE_AT_THE_PC, SECONDS_PER_MOMENT, Moment, Plan, targets_of


def run(options: Any) -> int:
    """Measure and print; gives the exit code: 0, 1 if answers differ, 2 if it cannot be measured.

    Args:
        options: of the command line.
    """
    words = Words(options.language)
    console = Console(getattr(sys.stdout, "encoding", None))
    with tempfile.TemporaryDirectory(prefix="wats-benchmark-", ignore_cleanup_errors=True) as name:
        try:
            with measured_database(options, Path(name)) as database:
                return _measured(database, options, Path(name), words, console)
        except NotMeasurableError as error:
            print(console.text(words("not_measurable", why=words(error.why, **error.values))))
            return 2


def _measured(database: MeasuredDatabase, options: Any, folder: Path, words: Words, console: Console) -> int:
    report = Report(words, console)
    _print(report.heading(database, options))
    database.fresh()
    plan = Plan(database, options.seed, options.calls)
    reads, moments = plan.repeated_reads(), plan.moments()
    parts = []
    if "pool" in options.only:
        parts.append(pool_part(database, plan, folder, options))
        _print(report.part(parts[-1]))
    if "cache" in options.only:
        parts.append(cache_part(database, reads, folder, options))
        _print(report.part(parts[-1]), f"\n{report.methods(parts[-1], reads)}", report.hit_rates(parts[-1]))
    if "combined" in options.only:
        parts.append(combined_part(database, moments, folder, options))
        _print(report.part(parts[-1], **_about(moments)), report.hit_rates(parts[-1]))
    log = lines_to_look_for([folder / f"{part.after.name}.log" for part in parts])
    _print(report.log(log), f"\n{report.summary(parts)}")
    if database.db_type == "sqlite":
        _print("", console.text(words("sqlite_note")))
    if database.driver is sqlite3:
        _print(console.text(words("demonstration_note")))
    if options.json is not None:
        figures = {**as_json(database, options, parts, log), "scenario": _kinds(moments)}
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
        _print(console.text(words("written", path=options.json)))
    return _verdict(parts, words, console)


def _about(moments: list[Moment]) -> dict[str, object]:
    kinds = Counter(kind for kind, _ in targets_of(moments))
    minutes = round(len(moments) * SECONDS_PER_MOMENT / 60)
    return {"reads": kinds["read"], "writes": kinds["write"], "minutes": minutes, "people": PEOPLE_AT_THE_PC}


def _kinds(moments: list[Moment]) -> dict[str, dict[str, int]]:
    """How often each read and each write was called."""
    counted = Counter(targets_of(moments))
    return {
        wanted: {target: count for (kind, target), count in sorted(counted.items()) if kind == wanted}
        for wanted in ("read", "write")
    }


def _verdict(parts: list[Part], words: Words, console: Console) -> int:
    wrong = sum(part.different(part.after) for part in parts)
    if wrong:
        _print(console.text(words("wrong", count=wrong)))
    return 1 if wrong else 0


def _print(*texts: str) -> None:
    print(*texts, sep="\n", flush=True)
