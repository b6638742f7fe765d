"""Why a goal is missed, and what was tried: written by hand, by the key of the goal in `goals`.

`make bench` puts them on the page beside those goals that do not hold, and names those without words.
"""

from __future__ import annotations

from typing import Final

_CHECKOUT: Final = (
    "A lease does what a bare pool does not: who has the connection is known (leaks, the wrong thread), it "
    "looks like the driver's own to whoever looks, and the session is put back as it was. Tried: reads "
    "that go straight to the driver, a queue without locks of its own, accounts that are made when "
    "something is uncommitted; a quarter of the calls are left of what there was. Of the rest, for "
    "sqlite3: a look whether the file is still the same one (1.2 µs), the lease (0.9), what holds it alive "
    "(1.1), whether the process was forked (0.4)."
)
_ONE_KEY: Final = (
    "The engine drops one key in 1 to 2 µs. Around that, by `accelerator.invalidate`: the pattern is read, "
    "its methods are found, the log and the namespaces have their turn (3 µs), and the key is dropped in "
    "its index. The time does not grow with the number of entries. Not done yet: to keep what a pattern "
    "with a value means."
)

_WIRE: Final = (
    "msgspec with types that are known before, and not looked at, takes two thirds of it: that is the least "
    "for so many values. The rest is that each type is exact. Of all kinds: one column of decimals alone is "
    "a quarter, since each is made of its text. Tried: rows one by one, decimals as ints with one exponent, "
    "joined texts, the type of each value by `map(type, ...)` (60 µs more), `msgspec.convert` (which takes "
    "subclasses of str and int)."
)

REMARKS: Final[dict[str, str]] = {
    "wire, tuples of all kinds": _WIRE,
    "wire, rows of pyodbc of all kinds": (
        "See above. Besides, pyodbc's rows are read value by value, are asked for their description, and "
        "are made by pyodbc itself; and since they can be changed, none may be there twice."
    ),
    "list, lru_cache": (
        "It is on the line: the copy of the list alone takes 430 of the 800 ns. Tried: `list.copy`, a "
        "slice and `[*it]` as the copy. The look at the type of what was copied stays, since a copy may be "
        "anything."
    ),
    "list, lru_cache, by database": "It is on the line; see above.",
    "rows, SQLite": (
        "Each Row is made by pyodbc from its parts, 70 ns for one of 12 columns on a machine where a hit "
        "of `lru_cache` takes 100. Tried: slices and tuples, which are no Rows; `copy.copy` and pickles, "
        "which take ten times as long. Alone, outside of a benchmark of many, it is 14 µs."
    ),
    "rows, PostgreSQL": "See above; of the query it is less than a hundredth.",
    "threads": "It is on the line: threads that change take the GIL from each other every 5 ms.",
    "miss": (
        "About 90 calls of Python functions, and 65 of C: the load is registered, so that writes and others "
        "find it, the answer is checked and copied, the entry goes into its table, an index, the queue of "
        "eviction, and what is over is swept. Half of what there was is gone (keys made once, texts when "
        "somebody asks, one lock less, plain entries, no look at what is empty). Not done yet: one straight "
        "line for a load that nobody joins or overtakes, as hits have one; a mark on dead entries instead "
        "of a look into the table while sweeping."
    ),
    "bytes": (
        "183 without an index. The rule of this benchmark, `get:{name}`, has one, made in advance so that "
        "the first write need not visit all entries: 97 bytes. Not done yet: to find them by their place "
        "in the table, where the only argument is a text."
    ),
    **{
        f"checkout, {database}": _CHECKOUT
        for database in ("SQLite", "SQLite over ODBC", "PostgreSQL over ODBC")
    },
    "checkout, asked, SQLite": "See above.",
    **{f"one key of {number}": _ONE_KEY for number in ("10", "1,000", "100,000", "1,000,000")},
    **{
        f"a namespace of {number} entries": (
            "It swings from run to run, whatever the number: of a million entries the same drop took "
            "43 to 45 µs in the run before this one. The line of the log at INFO is a part of it."
        )
        for number in ("10", "1,000", "100,000", "1,000,000")
    },
    "install, 10 methods, no pool, above the libraries": (
        "Some 130 modules of ours, at half a millisecond each, are most of it. Tried: dataclasses whose "
        "methods are made when they are needed, models of pydantic for the keys that a file has, late "
        "imports of all that only some features use; it was more than three times as much. Not done yet: "
        "fewer and larger modules on the way of a start, and entry points that are not looked for where no "
        "plugin is named."
    ),
}
NO_WORDS: Final = "Nobody has written down why."
