"""Paths: the files of SQL that the code reads, where it can be told which."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from wats_accel.sql.source import templates
from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.frames import Arguments, Frame
from wats_accel.sql.source.values import (
    FOREIGN,
    UNKNOWN,
    Ext,
    File,
    Mod,
    Param,
    Text,
    Unknown,
    Value,
    flows_into,
    hole,
    text,
)

_LARGEST: Final = 1_000_000
_MADE_OF_PARTS: Final = frozenset(
    {"pathlib.Path", "pathlib.PurePath", "pathlib.PurePosixPath", "os.path.join", "pathlib.PosixPath"}
)
_SAME: Final = frozenset(
    {"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expanduser", "os.fspath"}
    | {"importlib.resources.as_file"}
)
_OPENING: Final = frozenset({"builtins.open", "io.open", "codecs.open"})
_SAME_METHODS: Final = frozenset(
    {"resolve", "absolute", "expanduser", "open", "__enter__", "as_posix", "with_segments"}
)


def call(name: str, arguments: Arguments, frame: Frame) -> Value | None:
    """What a function makes of paths; None if it is none that does."""
    args = arguments.args
    if name in _MADE_OF_PARTS:
        return _joined(args, arguments) if args else _file(text("."))
    if name in _SAME or name in _OPENING:
        return _as_file(args[0]) if args else UNKNOWN
    if name == "os.path.dirname" and args:
        return _parents(_as_file(args[0]))
    if name in ("importlib.resources.files", "importlib_resources.files"):
        return _folder_of(args[0] if args else text(frame.module.name.rpartition(".")[0]), frame)
    if name in ("importlib.resources.read_text", "importlib_resources.read_text", "pkgutil.get_data"):
        return _resource(arguments, frame)
    if name in ("importlib.resources.path", "importlib.resources.open_text") and len(args) > 1:
        return _joined([_folder_of(args[0], frame), args[1]], arguments)
    return None


def _file(path: Value) -> Value:
    return Value((File(path),), path.clock, path.given)


def _as_file(value: Value) -> Value:
    """A path, whether it is given as a text or as one already."""
    files = [atom for atom in value.atoms if isinstance(atom, File)]
    texts = Value(tuple(atom for atom in value.atoms if isinstance(atom, Text)))
    others = [atom for atom in value.atoms if isinstance(atom, Param | Unknown)]
    made = [File(texts)] if texts.atoms else []
    if others:
        made.append(File(templates.as_texts(Value(tuple(others)), "…")))
    return flows_into(Value((*files, *made)), value) if files or made else UNKNOWN


def _texts_of(value: Value) -> Value:
    found = [atom.path for atom in value.atoms if isinstance(atom, File)]
    texts = Value(tuple(atom for atom in value.atoms if not isinstance(atom, File)))
    return flows_into(join([*found, *([templates.as_texts(texts, "…")] if texts.atoms else [])]), value)


def _joined(parts: list[Value], arguments: Arguments) -> Value:
    woven: list[Value] = []
    for part in parts:
        woven += [text("/"), _texts_of(part)] if woven else [_texts_of(part)]
    if arguments.rest is not None:
        woven += [text("/"), hole("…")]
    return _file(templates.concat(woven))


def _parents(value: Value) -> Value:
    return _file(templates.changed_as_a_whole(_texts_of(value), posixpath.dirname, "…"))


def _folder_of(package: Value, frame: Frame) -> Value:
    """The folder of a package, by its name or by its module."""
    for atom in package.atoms:
        name = atom.name if isinstance(atom, Mod | Ext) else templates.whole(atom)
        module = frame.interpreter.index.module_named(name) if name else None
        if module is not None:
            return _file(text(module.source.path.parent.as_posix()))
        near = frame.module.source.path.parent
        if name and name.rpartition(".")[0] == frame.module.name.rpartition(".")[0]:
            return _file(text((near / name.rpartition(".")[2]).as_posix()))
        found = next((near.parents[n] / Path(*name.split(".")) for n in range(len(near.parents)) if name
                      and (near.parents[n] / Path(*name.split("."))).is_dir()), None)  # fmt: skip
        if found is not None:
            return _file(text(found.as_posix()))
    return _file(hole("…"))


def _resource(arguments: Arguments, frame: Frame) -> Value:
    if len(arguments.args) < 2:
        return UNKNOWN
    path = _joined([_folder_of(arguments.args[0], frame), arguments.args[1]], arguments)
    return _content(path, frame)


def attribute(value: Value, name: str) -> Value | None:
    """An attribute of a path that is a path or a text; None for others."""
    if name == "parent":
        return _parents(value)
    if name in ("name", "stem", "suffix"):
        return flows_into(templates.changed_as_a_whole(
            _texts_of(value), lambda path: str(getattr(Path(path), name)), name), value)  # fmt: skip
    return None


def method(value: Value, name: str, arguments: Arguments, frame: Frame) -> Value:
    """What a method of a path or of an open file gives."""
    if name in ("read_text", "read", "read_bytes", "readlines", "decode", "getvalue"):
        return _content(value, frame)
    if name in _SAME_METHODS:
        return value
    if name == "joinpath":
        return _joined([value, *arguments.args], arguments)
    if name in ("with_suffix", "with_name", "with_stem") and arguments.args:
        suffix = templates.whole(arguments.args[0].atoms[0]) if arguments.args[0].atoms else None
        if suffix is None:
            return _file(hole("…"))
        change = _changed(name, suffix)
        return _file(templates.changed_as_a_whole(_texts_of(value), change, "…"))
    if name in ("glob", "rglob", "iterdir"):
        return UNKNOWN
    return flows_into(FOREIGN, *arguments.all())


def _changed(name: str, argument: str) -> Callable[[str], str]:
    def change(path: str) -> str:
        try:
            return Path(getattr(Path(path), name)(argument)).as_posix()
        except ValueError:
            return path

    return change


def _content(value: Value, frame: Frame) -> Value:
    """What is in a file; not known if it is not known which."""
    found: list[Value] = []
    for path in _texts_of(value).atoms:
        known = templates.whole(path)
        content = _read(known, frame) if known is not None else None
        is_there = content is not None
        found.append(
            text(str(content)) if is_there else Value((templates.lost(path, "the content of a file"),))
        )
    return flows_into(join(found), value) if found else hole("the content of a file")


def _read(path: str, frame: Frame) -> str | None:
    for candidate in _candidates(path, frame):
        try:
            is_inside = frame.interpreter.folder in candidate.resolve().parents  # nobody else's files
            if is_inside and candidate.is_file() and candidate.stat().st_size <= _LARGEST:
                return candidate.read_text(encoding="utf-8-sig", errors="replace")
        except OSError:
            continue
    return None


def _candidates(path: str, frame: Frame) -> Iterator[Path]:
    """Where a path may lead: from the folder of the tree, and from the folders above the module."""
    root = frame.interpreter.folder
    if posixpath.isabs(path):
        yield Path(path)
        return
    yield root / path
    here = frame.module.source.path.parent
    while here != root and root in here.parents:
        yield here / path
        here = here.parent
