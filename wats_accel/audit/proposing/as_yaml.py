"""The proposal as a YAML file, with the reason for each line beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from wats_accel.audit.literals import flow
from wats_accel.audit.proposing.proposal import Proposal, ProposedRead, ProposedWrite
from wats_accel.durations import format_duration

_WIDTH: Final = 110
_HEAD: Final = """\
Proposed by `wats-accel scan` from the SQL of {tree}.
Nothing has been run: read it, and try it.

    wats-accel check --config THIS-FILE --source {tree}

A read that is written as a comment is not cached; the line above it says why. Rules are complete as far
as the SQL of the source tells; what other programs write is seen when the TTL is over."""
_NO_SCHEMA: Final = """\
No schema is known: cascades, triggers and views of the database are not seen. `wats-accel schema-scan`
writes one; name it here, and scan again:
schema: schema.yaml"""
_NO_SCOPE: Final = """\
scope: not found. Say which attribute tells one database from another, such as self.db.url; without it
each instance has answers of its own."""
_FAILURES: Final = "also an answer that is truly so is then not kept"


def as_yaml(proposal: Proposal) -> str:
    """The whole file."""
    lines = [*_comment(_HEAD.format(tree=proposal.tree), ""), "version: 1", ""]
    lines += [*_sql(proposal), ""]
    if proposal.drivers:
        lines += [*_pool(proposal), ""]
    lines += [*_cache(proposal), ""]
    lines += _repositories(proposal)
    return "\n".join(lines) + "\n"


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}".rstrip() for line in text.splitlines()]


def _wrapped(text: str, indent: str) -> list[str]:
    return _comment("\n".join(textwrap.wrap(text, _WIDTH - len(indent) - 2)), indent)


# -- sections ------------------------------------------------------------------------------------------


def _sql(proposal: Proposal) -> Iterator[str]:
    given = proposal.dialect or proposal.schema_files or proposal.exclude
    yield "sql:" if given else "# sql:"
    if proposal.dialect:
        yield f"  dialect: {proposal.dialect}"
    if proposal.exclude:
        yield f"  exclude: {_listed(proposal.exclude)}"
    if proposal.schema_files:
        yield f"  schema: {_listed(proposal.schema_files)}"
    else:
        yield from _comment(_NO_SCHEMA, "  ")


def _pool(proposal: Proposal) -> Iterator[str]:
    pooled = [driver for driver in proposal.drivers if not driver.why_not]
    yield "pool:" if pooled else "# pool:"
    for driver in pooled:
        yield f"  - connect: {driver.connect}"
    for driver in proposal.drivers:
        if driver.why_not:
            yield from _wrapped(driver.why_not, "  ")
            yield f"  # - connect: {driver.connect}"


def _cache(proposal: Proposal) -> Iterator[str]:
    yield "cache:"
    if not proposal.namespaces:
        yield "  namespaces: {}"
        return
    yield "  namespaces:"
    for name, ttl in proposal.namespaces.items():
        yield f"    {name}: {{ttl: {format_duration(ttl)}}}"


def _repositories(proposal: Proposal) -> Iterator[str]:
    namespaces = proposal.namespaces
    entries = [_entry(proposal, owner, namespaces) for owner in proposal.owners]
    is_empty = not proposal.cached and not proposal.writes
    yield "repositories: []" if is_empty else "repositories:"
    for number, lines in enumerate(entries):
        yield from ([""] if number else [])
        yield from lines


def _entry(proposal: Proposal, owner: str, namespaces: Mapping[str, float]) -> list[str]:
    reads = [read for read in proposal.reads if read.owner == owner]
    writes = [write for write in proposal.writes if write.owner == owner]
    cached = [read for read in reads if not read.why_not]
    mark = "" if cached or writes else "# "
    lines = [f"  {mark}- target: {owner}"]
    if cached and owner in proposal.scopes:
        lines.append(f"    scope: {proposal.scopes[owner]}")
    elif cached and ":" in owner:
        lines += _comment(_NO_SCOPE, "    ")
    if reads:
        lines.append("    cached:" if cached else "    # cached:")
        lines += [line for read in reads for line in _read(read, namespaces)]
    if writes:
        lines.append("    invalidates:")
        lines += [line for write in writes for line in _write(write)]
    return lines


# -- rules ---------------------------------------------------------------------------------------------


def _read(read: ProposedRead, namespaces: Mapping[str, float]) -> Iterator[str]:
    indent = "      "
    yield from _wrapped(_sentence(read.why), indent)
    for reason in read.why_not:
        yield from _wrapped(f"Not cached: {reason}.", indent)
    options = read.options(namespaces.get(read.namespace, read.ttl_seconds))
    if read.max_age_seconds:
        yield from _wrapped("Time alone changes it: max_age_from_clock says how late it may be.", indent)
    if read.failures:
        answers = " or ".join(read.failures)
        yield from _wrapped(f"After an error it answers {answers}; {_FAILURES}.", indent)
    if read.namespace not in namespaces:
        options.pop("ttl", None)
    mark = "# " if read.why_not else ""
    line = f"{indent}{mark}{read.method}: {_rule(read.namespace, options)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{indent}{mark}{read.method}:"
    yield f"{indent}{mark}  namespace: {read.namespace}"
    yield from (f"{indent}{mark}  {name}: {_value(value)}" for name, value in options.items())


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _rule(namespace: str, options: Mapping[str, Any]) -> str:
    if not options:
        return namespace
    parts = [f"{name}: {_value(value)}" for name, value in options.items()]
    return f"{{namespace: {namespace}, {', '.join(parts)}}}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else flow(value)


def _write(write: ProposedWrite) -> Iterator[str]:
    indent = "      "
    yield from _wrapped(_sentence(write.why), indent)
    line = f"{indent}{write.method}: {_listed(write.patterns)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{indent}{write.method}:"
    yield from (f'{indent}  - "{pattern}"' for pattern in write.patterns)


def _listed(texts: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"
