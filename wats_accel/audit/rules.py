"""The kinds of findings: their ids, which are stable, and what each of them means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of findings.

    Attributes:
        title: a few words.
        meaning: what it means for the application's users, and what to do.
    """

    title: str
    meaning: str


RULES: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "uncovered": Kind(
            "A write that drops too little",
            "A write changes what a cached read has read, and no rule of the write drops that read. Its "
            "users see the old state until the TTL is over. Add the line that the finding shows.",
        ),
        "unsure-argument": Kind(
            "A bound pattern that may drop the wrong entry",
            "A pattern is bound to an argument of the write, and nothing tells that this argument picks "
            "out the entries that the write concerns. Use a pattern without arguments.",
        ),
        "clock": Kind(
            "A read that time alone changes",
            "The answer depends on the time of day, so it changes without a write. Say how old it may get"
            " with `max_age_from_clock`, or when it ends with `valid_until`.",
        ),
        "unknown-target": Kind(
            "A method that is not in the source",
            "The configuration names a class or a method that the source tree does not have. Nothing is "
            "patched, and what such a write would drop is not cached.",
        ),
        "unknown-argument": Kind(
            "An argument that the method does not have",
            "A pattern, `fold`, `key.exclude` or a path names a parameter or an attribute that is not there.",
        ),
        "never-matches": Kind(
            "A pattern that does not mean what it says",
            "A pattern has more arguments than the read's key, or binds an argument of another name to "
            "it: it drops nothing, or the wrong entries.",
        ),
        "never-drops": Kind(
            "A rule that never drops",
            "The write returns nothing, and its rule waits for something truthy. Say `when: always`.",
        ),
        "not-seen": Kind(
            "A driver whose statements are not seen",
            "The SQL is to say which answers are old, and connections of this driver come from no pool. Give"
            " it an entry under `pool`.",
        ),
        "useless-rule": Kind(
            "A rule that drops what it cannot affect",
            "The write changes nothing that the pattern's reads use. The rule costs hits and gives nothing.",
        ),
        "secret-cached": Kind(
            "Secrets in the cache",
            "The cached answer has columns that look like secrets. In this process's memory they are as "
            "safe as the application's own variables; accept that with a reason, or do not cache the "
            "method.",
        ),
        "secret-shared": Kind(
            "Secrets headed for a shared store",
            "The cached answer has columns that look like secrets, and its entries leave this process "
            "without a seal. Give the section that shares them keys.",
        ),
        "failure-answer": Kind(
            "A failure that looks like an answer",
            "The method returns a constant where it has caught an error. Without `unless_result` that "
            "constant is kept, and served after the database has come back.",
        ),
        "not-analysed": Kind(
            "What could not be analysed",
            "Something that the audit cannot read: there may be reads or writes that it does not know of."
            " For this part, silence does not mean that all is covered.",
        ),
        "unreadable": Kind(
            "A file that cannot be read",
            "The file is no valid Python, so nothing in it is known.",
        ),
        "no-schema": Kind(
            "No schema is known",
            "Cascades, triggers and views are not seen. Let `wats-accel schema-scan` write the schema, "
            "and name its file under `sql.schema`; or say `sql.assume_plain_tables: true`.",
        ),
        "unknown-table": Kind(
            "A table that the schema does not have",
            "What the schema does not have may be a view, or a table with triggers that nobody knows.",
        ),
        "cached-write": Kind(
            "A cached method that writes",
            "A hit leaves the write out. That is right for a get-or-create; otherwise do not cache it.",
        ),
        "changes-argument": Kind(
            "A cached method that changes its argument",
            "A hit does not run the method, so the argument stays as it was.",
        ),
        "cannot-be-patched": Kind(
            "A method that cannot be patched",
            "Coroutine functions, properties and the like have no wrapper; generators need `materialize: "
            "true`.",
        ),
    }
)
