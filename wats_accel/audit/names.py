"""Names: targets, parameters and attributes that the configuration names and the source does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wats_accel.audit.attribute_paths import missing
from wats_accel.audit.covering import key_names
from wats_accel.audit.finding import Finding
from wats_accel.audit.subject import CachedRead, PatchedWrite, Subject, short
from wats_accel.errors import KeyPath
from wats_accel.patterns import KeyPattern, Placeholder
from wats_accel.suggestions import nearest
from wats_accel.targets import Target

_INSTANCE = ("self", "cls")


def misnamed(subject: Subject) -> Iterator[Finding]:
    """Everything that is named and not there."""
    named: list[CachedRead | PatchedWrite] = [*subject.reads, *subject.writes]
    modules = {name.partition(":")[0] for name in subject.knowledge.source.methods}
    wanted = [Target.parse(known.target).module for known in named]
    if named and modules.isdisjoint(wanted):
        yield _wrong_folder(subject, wanted[0], modules)
        return
    for known in named:
        if not known.methods:
            yield _no_such_target(subject, known)
    for read in subject.reads:
        if read.methods:
            yield from _parameters_of_read(subject, read)
            yield from _attributes_of_read(subject, read)
    for write in subject.writes:
        if write.methods:
            yield from _parameters_of_write(subject, write)
            yield from _surplus_arguments(subject, write)


def _wrong_folder(subject: Subject, wanted: str, modules: Iterable[str]) -> Finding:
    return Finding(
        rule="unknown-target",
        severity="error",
        message=f"the source has none of the modules that the configuration names, such as {wanted!r}; "
        f"--source is the folder that they are imported from{nearest(wanted, modules)}",
        about=("the source",),
        setting=subject.setting(("repositories",)),
    )


def _no_such_target(subject: Subject, known: CachedRead | PatchedWrite) -> Finding:
    target = Target.parse(known.target)
    owner = known.target.removesuffix(f".{target.name}")
    methods = subject.knowledge.source.methods
    siblings = [Target.parse(name).name for name in methods if name.startswith(f"{owner}.")]
    modules = {name.partition(":")[0] for name in methods}
    if siblings:
        what = f"{short(owner)} has no method {target.name!r}{nearest(target.name, siblings)}"
    elif target.module in modules:
        inside = {name.rpartition(".")[0] or name for name in methods if name.startswith(f"{target.module}:")}
        what = f"{target.module} has no {short(owner)!r}{nearest(short(owner), map(short, inside))}"
    else:
        what = f"the source has no module {target.module!r}{nearest(target.module, modules)}"
    return Finding(
        rule="unknown-target",
        severity="error",
        message=what,
        about=(known.target,),
        setting=subject.setting(known.key_path),
    )


def _unknown_argument(
    subject: Subject, target: str, path: KeyPath, what: str, name: str, known: Iterable[str]
) -> Finding:
    return Finding(
        rule="unknown-argument",
        severity="error",
        message=f"{what} names {name!r}, which is no parameter of {short(target)}{nearest(name, known)}",
        about=(target, what, name),
        setting=subject.setting(path),
    )


def _parameters_of_read(subject: Subject, read: CachedRead) -> Iterator[Finding]:
    parameters = _plain(read.methods[0].parameters)
    key = read.rules.key
    for what, path, names in (
        ("'fold'", (*read.key_path, "fold"), sorted(key.fold)),
        ("'key.exclude'", (*read.key_path, "key", "exclude"), sorted(key.exclude)),
    ):
        for name in names:
            if name not in parameters:
                yield _unknown_argument(subject, read.target, path, what, name, parameters)
    repository = read.key_path[:2]
    for what, path, paths in (
        ("'key.include'", (*read.key_path, "key", "include"), key.include),
        ("'scope'", (*repository, "scope"), key.scope),
    ):
        for attribute in paths:
            root = attribute.partition(".")[0]
            if root not in (*parameters, *_INSTANCE):
                known = (*parameters, "self")
                yield _unknown_argument(subject, read.target, path, what, root, known)


def _attributes_of_read(subject: Subject, read: CachedRead) -> Iterator[Finding]:
    """Attributes of ``self`` that a path leads through and that no object has."""
    repository = subject.repositories[int(read.key_path[1])]
    cursor = getattr(repository, "cursor", None)
    places: list[tuple[str, KeyPath, Iterable[str]]] = [
        ("'scope'", (*read.key_path[:2], "scope"), read.rules.key.scope),
        ("'cursor'", (*read.key_path[:2], "cursor"), [cursor] if cursor else ()),
        ("'key.include'", (*read.key_path, "key", "include"), read.rules.key.include),
    ]
    for what, path, named in places:
        for attributes in named:
            gap = missing(subject.index, str(repository.target), attributes) if "." in attributes else None
            if gap is not None and attributes.partition(".")[0] in _INSTANCE:
                name, owner, known = gap
                yield Finding(
                    rule="unknown-argument",
                    severity="error",
                    message=f"{what} asks for {attributes!r}, and {short(owner)} has no {name!r}"
                    f"{nearest(name, known)}",
                    about=(read.target, what, attributes),
                    setting=subject.setting(path),
                )


def _plain(parameters: Iterable[str]) -> list[str]:
    return [name for name in parameters if not name.startswith("*")]


def _parameters_of_write(subject: Subject, write: PatchedWrite) -> Iterator[Finding]:
    method = write.methods[0]
    if any(name.startswith("**") for name in method.parameters):
        return
    known = [name.lstrip("*") for name in method.parameters]
    for pattern in write.patterns:
        for part in pattern.placeholders:
            if part.root not in (*known, *_INSTANCE):
                what = f"the pattern {pattern.text!r}"
                yield _unknown_argument(subject, write.target, write.key_path, what, part.root, known)


def _surplus_arguments(subject: Subject, write: PatchedWrite) -> Iterator[Finding]:
    for pattern in write.patterns:
        for read in subject.reads_named(pattern) if pattern.arguments else ():
            why = _mismatch(pattern, read) if read.methods else ""
            if why:
                yield Finding(
                    rule="never-matches",
                    severity="warning",
                    message=f"the pattern {pattern.text!r} of {short(write.target)} {why}",
                    about=(write.target, pattern.text, read.target),
                    setting=subject.setting(write.key_path),
                    fix=(f'"{_without_arguments(pattern)}"',),
                    fix_at=write.key_path,
                )


def _without_arguments(pattern: KeyPattern) -> str:
    return f"{pattern.namespace}:{pattern.method}:*"


def _mismatch(pattern: KeyPattern, read: CachedRead) -> str:
    names = key_names(read)
    if any(name.startswith("*") for name in read.methods[0].parameters):
        return ""
    if len(pattern.arguments) > len(names):
        has = f"has {len(names)}" if names else "has none"
        return f"has {len(pattern.arguments)} arguments, and the key of {short(read.target)} {has}"
    for position, part in enumerate(pattern.arguments):
        if isinstance(part, Placeholder) and part.path != names[position] and part.path in names:
            return f"binds {{{part.path}}} where the key of {short(read.target)} has {names[position]}"
    return ""
