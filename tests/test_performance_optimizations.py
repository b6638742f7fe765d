"""The maintainers' benchmark: what the connection pool and the cache save, measured on a real database.

    python tests/test_performance_optimizations.py
    python tests/test_performance_optimizations.py --private-postgresql --language en
    python tests/test_performance_optimizations.py --dsn "DRIVER={...};SERVER=...;DATABASE=...;..."

Three parts on the example application (docs/examples/legacy_wats), which is not edited: connections from
the pool and direct ones; the six cached reads of config/wats.yaml; and both together in a realistic scenario,
with all the writes that invalidate, beside the design that was tried by hand. Every answer is compared with
the application's own. Each part is run once to count and compare, and then several times in turns for the
time: the fastest counts.

By pytest it is run small, and the tests assert what does not depend on the machine: answers, connections,
statements and lines of the log. Times are for people.
"""

# pytest is not imported here: who runs this as a script need not have it.

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PARTS_OF_IT: Final = (
    "tests/performance_optimizations",
    "tests/benchmarks/naive",
    "docs/examples/legacy_wats",
)
DSN_VARIABLE: Final = "WATS_BENCHMARK_DSN"
FEWEST_CALLS: Final = 40
PARTS: Final = ("pool", "cache", "combined")


def read_options(argv: list[str] | None) -> argparse.Namespace:
    """The options, all with a default."""
    about, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--calls", type=int, default=400, metavar="N", help="calls in each part (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=4, metavar="N", help="threads that ask, but in the cache part (4)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="timed rounds, of which the fastest counts (3)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="what the data and calls are made of (1)"
    )
    parser.add_argument(
        "--language", choices=("pt-BR", "en"), default="pt-BR", help="of the report (default: %(default)s)"
    )
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="one part; may be given more than once (default: all)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    where = parser.add_argument_group(
        "where", "Without these: SQLite in a temporary folder, as in the application's demonstration mode."
    )
    one = where.add_mutually_exclusive_group()
    one.add_argument(
        "--dsn",
        default=os.environ.get(DSN_VARIABLE, ""),
        metavar="STRING",
        help="ODBC string of an EMPTY database on PostgreSQL, SQL Server or SQLite. The example's tables are "
        f"made in it, and dropped at the end. The variable {DSN_VARIABLE} does the same, unseen by other "
        "users of the computer. The string is never printed",
    )
    one.add_argument(
        "--private-postgresql",
        action="store_true",
        help="start a PostgreSQL server in a temporary folder, and stop it at the end; needs Debian's "
        "packages postgresql, unixodbc and odbc-postgresql",
    )
    where.add_argument(
        "--replace-tables",
        action="store_true",
        help="with --dsn: drop tables of the same names that are there. They are those of the real "
        "application: NEVER on a database that anybody uses",
    )
    options = parser.parse_args(argv)
    for name, least in (("calls", FEWEST_CALLS), ("threads", 1), ("rounds", 1)):
        if getattr(options, name) < least:
            parser.error(f"--{name} must be {least} or more")
    options.only = options.only or PARTS
    if options.private_postgresql:
        options.dsn = ""
    return options


def main(argv: list[str] | None = None) -> int:
    """Measure and print; gives the exit code: 0, 1 if answers differ, 2 if it cannot be measured."""
    options = read_options(argv)
    sys.path[:0] = [str(ROOT / folder) for folder in PARTS_OF_IT]
    os.environ.pop("WATS_ACCEL_DISABLE", None)  # what is switched off on this PC is measured all the same
    try:
        import benchmark_run
    except ImportError as error:
        print(f"{error}. Install the project first: pip install -e .", file=sys.stderr)
        return 2
    return int(benchmark_run.run(options))


# -- tests -------------------------------------------------------------------------------------------------


def run_as_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What its users do."""
    ours = ("WATS_", "DB_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-W", "error", __file__, *arguments],
        env={**environment, "PYTHONUTF8": "1", **_state_folder()},
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )


def _state_folder() -> dict[str, str]:
    name = "WATS_ACCEL_STATE_DIR"
    return {name: os.environ[name]} if name in os.environ else {}


@functools.cache
def measured(*arguments: str) -> dict[str, Any]:
    """The figures of a small run, and what it printed below "printed"."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        small = ("--calls", "64", "--threads", "2", "--rounds", "1", "--language", "en", "--json", str(file))
        done = run_as_script(*small, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return {**json.loads(file.read_text(encoding="utf-8")), "printed": done.stdout}


def sides(part: str) -> dict[str, Any]:
    """The figures of a part's sides."""
    found: dict[str, Any] = measured()["parts"][part]["sides"]
    return found


def test_every_accelerated_answer_is_the_applications_own() -> None:
    for part in ("pool", "cache", "combined"):
        for name, side in sides(part).items():
            assert side["calls"] == 64
            if name != "by-hand":
                assert side["different"] == 0, (part, name)


def test_the_pool_opens_a_connection_for_each_thread_and_the_application_one_for_each_call() -> None:
    direct, pooled = sides("pool").values()
    assert direct["connections"] == 64
    assert pooled["connections"] <= 2


def test_the_cache_sends_each_question_once() -> None:
    uncached, cached = sides("cache").values()
    assert uncached["statements"] > 64, "select_all asks for the role first"
    total = cached["statistics"]["total"]
    assert total["hits"] > total["misses"]
    assert cached["statements"] == total["loads"], "the role that select_all asks for is a load of its own"


def test_in_the_realistic_scenario_fewer_statements_and_connections_reach_the_database() -> None:
    plain, by_hand, accelerated = sides("combined").values()
    assert accelerated["statements"] < by_hand["statements"] < plain["statements"]
    assert accelerated["connections"] < by_hand["connections"] < plain["connections"]


def test_the_scenario_has_each_cached_read_and_each_invalidating_write_of_the_configuration() -> None:
    import yaml

    rules = yaml.safe_load((ROOT / "config" / "wats.yaml").read_text(encoding="utf-8"))["repositories"]
    for kind, key in (("read", "cached"), ("write", "invalidates")):
        named = {f"{rule['target'].partition(':')[2]}.{name}" for rule in rules for name in rule.get(key, ())}
        assert set(measured()["scenario"][kind]) == named


def test_the_lines_that_the_maintainers_look_for_are_in_the_log() -> None:
    log = measured()["log"]
    assert log["Connection Pool initialized"] == "Connection Pool initialized (size=5, overflow=10)"
    assert log["Cache system initialized"] == "Cache system initialized (default TTL=300s)"
    assert (
        log["Performance optimizations initialized"] == "Performance optimizations initialized successfully"
    )
    assert log["Cache MISS"].startswith("Cache MISS: ")
    assert log["Cache HIT"].startswith("Cache HIT: ")
    assert "cache entries matching" in log["Invalidated"]
    assert log["Cache stats:"].startswith("Cache stats: {'size': ")


def test_what_is_printed_has_the_figures_that_were_measured() -> None:
    figures = measured()
    for part, name in (
        ("pool", "Connection Pool"),
        ("cache", "Cache System"),
        ("combined", "Combined scenario"),
    ):
        percent = figures["parts"][part]["improvement_percent"]
        word = "improvement" if percent >= 0 else "worse"
        (line,) = (line for line in figures["printed"].splitlines() if f"  {name}:" in line)
        assert f" {abs(percent):,.1f}% {word} " in line
    assert "Average improvement:" in figures["printed"]


if __name__ == "__main__":
    sys.exit(main())
