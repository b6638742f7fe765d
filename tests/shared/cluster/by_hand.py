"""Clusters of any size, by hand.

``python tests/shared/cluster/by_hand.py --seconds 60 --processes 8 --threads 4`` starts a PostgreSQL and a
Redis of its own, and prints a table of what happened. ``--page`` writes it into the page that explains it,
some half an hour for the whole; ``--only NAME`` runs some scenarios; ``--cold N`` has so many processes start
together, 0 none.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
_SIMULATION = ROOT / "docs/examples/legacy_wats/simulation"
PAGE = ROOT / "docs" / "explanation" / "many-pcs.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->"
HEAD = (
    "| What happens | mode, tier | calls | writes | exceptions | delay p50 / p99 / max, ms "
    "| oldest answer, ms | older than the bound | added p99 / max, ms | connected again after, s |\n"
    + "|---" * 10
    + "|\n"
)


LONG = ("nothing", "killed", "paused", "restarted empty", "half cut off")
"""What lasts the whole time; everything else some seconds before and after its disturbance."""
CALM_PROCESSES, CALM_THREADS, CALM_PAUSE = 4, 2, 0.1
"""Few enough that nobody waits for a processor: what is added to a call is then the engine's."""
FEWER_STARTS = 20
"""Processes that start together and get their turn within the usual time-out, on two cores."""


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the table."""

    name: str
    mode: str
    tier: str
    is_calm: bool = False


def runs() -> list[Run]:
    """All lines, in the order of the page."""
    from scenarios import DISTURBANCES

    tiers = ("backplane-only", "shared")
    return [
        *(Run("nothing", mode, tier) for mode in ("rules", "sql") for tier in (*tiers, "version-table")),
        *(Run(name, "rules", tier) for name in DISTURBANCES for tier in tiers),
        *(Run(name, "rules", tier, is_calm=True) for name in ("killed", "paused") for tier in tiers),
    ]


def line(run: Run, outcome: Any) -> str:
    """A run's line of the table."""
    from staleness import percentile

    seen, judgement = outcome.seen, outcome.seen.judgement
    added = [value for values in seen.added.values() for value in values]
    calls = sum(len(values) for values in seen.calls.values())
    recovered = outcome.recovered_seconds
    delays = " / ".join(f"{percentile(judgement.seen, share):.1f}" for share in (0.5, 0.99, 1.0))
    cells = [
        *(
            f"{run.name}, calm" if run.is_calm else run.name,
            f"{run.mode}, {run.tier}",
            f"{calls:,}",
            f"{len(seen.calls.get('write', [])):,}",
        ),
        *(str(len(seen.failures) + len(judgement.impossible) + len(judgement.own)), delays),
        *(f"{judgement.oldest / 1e6:.0f}", str(len(judgement.older_than(_bound())))),
        f"{percentile(added, 0.99):.1f} / {percentile(added, 1.0):.0f}",
        "" if recovered is None else f"{recovered:.1f}",
    ]
    return f"| {' | '.join(cells)} |\n"


def details(outcome: Any) -> Iterator[str]:
    """What the table has no room for."""
    from staleness import percentile

    seen = outcome.seen
    for name, values in sorted(seen.calls.items()):
        added = seen.added[name]
        yield (
            f"  {name}: {len(values)} calls, p50 {percentile(values, 0.5):.2f} ms, longest "
            f"{percentile(values, 1.0):.1f} ms; added p99 {percentile(added, 0.99):.2f}, "
            f"longest {percentile(added, 1.0):.1f} ms"
        )
    told = ("timeouts", "isolations", "dropped_everything")
    figures = {name: sum(known.get(name, 0) for known in seen.backplanes) for name in told}
    yield f"  {figures}; threads woken up to {seen.late_seconds * 1e3:.1f} ms late"
    yield from (f"  {text}" for text in [*seen.failures[:3], *seen.judgement.impossible[:3]])
    yield from (f"  {found}" for found in [*seen.judgement.own[:3], *seen.too_old()[:3]])


def _bound() -> float:
    from members import ISOLATED_SECONDS

    return ISOLATED_SECONDS


def measured(setting: Any, chosen: Sequence[Run], around: float) -> Iterator[tuple[Run, Any]]:
    """What each run gave; a server for each of them."""
    import scenarios
    from private_redis import PrivateRedis

    for run in chosen:
        redis = PrivateRedis()
        redis.start()
        try:
            here = replace(setting, redis=redis, mode=run.mode, tier=run.tier)
            if run.name not in LONG or run.is_calm:
                here = replace(here, size=replace(here.size, seconds=around))
            if run.is_calm:
                calm = replace(here.size, processes=CALM_PROCESSES, threads=CALM_THREADS, pause=CALM_PAUSE)
                here = replace(here, size=calm)
            if run.tier == "version-table":
                yield run, scenarios.followed(here)
            elif run.name == "nothing":
                yield run, scenarios.steady(here)
            else:
                yield run, scenarios.disturbed(here, run.name)
        finally:
            redis.kill()


def cold_starts(setting: Any, processes: int) -> Iterator[str]:
    """Lines on processes that start together."""
    import scenarios
    from members import TIMES
    from private_redis import PrivateRedis

    patient = {"timeout": "2s", "isolated_ttl": "30s"}
    for count, times in ((min(processes, FEWER_STARTS), None), (processes, patient), (processes, None)):
        redis = PrivateRedis()
        redis.start()
        try:
            size = replace(setting.size, processes=count, threads=1)
            here = replace(setting, redis=redis, tier="shared", size=size)
            cold = scenarios.cold_start(here, times=times)
        finally:
            redis.kill()
        cells = (
            count,
            (times or TIMES)["timeout"],
            *(max(cold.loads), f"{cold.longest_seconds:.2f}", cold.timeouts),
        )
        yield f"| {' | '.join(map(str, cells))} |\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is wanted; gives 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--around", type=float, default=20.0, help="seconds before and after a disturbance")
    parser.add_argument("--disturbed", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.05)
    parser.add_argument("--cold", type=int, default=50)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--tier", choices=["backplane-only", "shared", "version-table"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args(arguments)
    sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT / "tests"), str(_SIMULATION)]
    from members import Size
    from private_postgresql import private_postgresql
    from scenarios import Setting

    size = Size(options.processes, options.threads, options.seconds, options.pause)
    chosen = [
        run
        for run in runs()
        if (not options.only or run.name in options.only) and options.tier in {None, run.tier}
    ]
    wrong, table, cold = False, "", ""
    with private_postgresql() as server:
        setting = Setting(
            server.odbc(),
            None,
            size,
            disturbed_seconds=options.disturbed,
            seed=options.seed,  # type: ignore[arg-type]
        )
        for run, outcome in measured(setting, chosen, options.around):
            table += (told := line(run, outcome))
            print(told + "\n".join(details(outcome)), flush=True)
            seen = outcome.seen
            wrong |= bool(seen.failures or seen.judgement.impossible or seen.judgement.own or seen.too_old())
        if options.cold:
            cold = "".join(cold_starts(setting, options.cold))
            print(cold)
    if options.page:
        write_page(options, table, cold)
    return int(wrong)


def write_page(options: argparse.Namespace, table: str, cold: str) -> None:
    """Put the figures into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    text = (
        f"{time.strftime('%Y-%m-%d')}: {options.processes} processes with {options.threads} threads each, on "
        f"a machine with {os.cpu_count()} cores. {options.seconds:g} s at *{'*, *'.join(LONG)}*; else "
        f"{options.around:g} s; and {options.disturbed:g} s of disturbance in their middle. *Calm*: "
        f"{CALM_PROCESSES} processes with {CALM_THREADS} threads each that call "
        f"{1 / CALM_PAUSE:g} times a second, {options.around:g} s.\n\n"
        f"{HEAD}{table}\n"
        "| Processes that start together | `timeout` | loads of a list, at most | longest, s | time-outs |\n"
        f"|---|---|---|---|---|\n{cold}\n"
    )
    PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
