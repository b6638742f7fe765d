"""Config files (YAML, TOML) and mappings as plain data that remembers where each key stands."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.constructor import SafeConstructor
from yaml.reader import Reader, ReaderError

from wats_accel.config.toml_positions import toml_positions
from wats_accel.errors import KeyPath

if sys.version_info >= (3, 11):
    import tomllib
else:
    # unused-ignore: tomli is installed on Python 3.10 only, and mypy runs for 3.10 everywhere.
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

__all__ = ["Document", "Issue", "KeyPath", "Position", "SourceError", "mapping_document", "read_document"]

# A config is some six levels deep and some hundred values long. These stop accidents and attacks.
_DEEPEST = 100
_MOST_VALUES = 100_000

_Places = Mapping[KeyPath, tuple[int, int]]
_STANDARD_TAG = "tag:yaml.org,2002:"
_SCALAR_KINDS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "binary"})
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text file; both numbers start at 1 and columns count characters."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


class Issue(NamedTuple):
    """One thing wrong with a source: a sentence, and where, if that is known."""

    message: str
    position: Position | None


class SourceError(ValueError):
    """A source cannot be read; its text is one line for each issue, `name:line:column: message`."""

    def __init__(self, name: str, issues: Sequence[Issue]) -> None:
        super().__init__(name, tuple(issues))
        self.name = name
        self.issues = tuple(issues)

    @property
    def message(self) -> str:
        """The first issue's sentence, without the file's name."""
        return self.issues[0].message

    @property
    def position(self) -> Position | None:
        """The first issue's place, or None when it concerns the file as a whole."""
        return self.issues[0].position

    def __str__(self) -> str:
        return "\n".join(f"{self._place(issue)}: {issue.message}" for issue in self.issues)

    def _place(self, issue: Issue) -> str:
        return f"{self.name}:{issue.position}" if issue.position else self.name


@dataclass(frozen=True)
class Document:
    """Plain data (dicts with text keys, lists, scalars) read from the source called `name`."""

    name: str
    data: dict[str, Any] = field(repr=False)  # a config may hold secrets
    locate: Callable[[], _Places] | None = field(default=None, repr=False, compare=False)

    def position(self, path: KeyPath) -> Position | None:
        """Return where the key or list item at `path` stands, or else its nearest existing parent.

        None when the source is not a text.
        """
        if self._places is None:
            return None
        while path and path not in self._places:
            path = path[:-1]
        return Position(*self._places[path]) if path else Position(1, 1)

    @cached_property
    def _places(self) -> _Places | None:
        return None if self.locate is None else self.locate()


def read_document(path: str | os.PathLike[str]) -> Document:
    """Read a `.yaml`, `.yml` or `.toml` file in UTF-8; an empty file is an empty mapping.

    Raises:
        SourceError: the file cannot be read, or does not hold one mapping of text keys.
    """
    name = os.fspath(path)
    suffix = Path(name).suffix
    parse = _PARSERS.get(suffix.lower())
    if parse is None:
        raise _failure(name, f"the file type {suffix!r} is not known: use one of {', '.join(_PARSERS)}")
    text = _read_text(name)
    try:
        return parse(name, text)
    except RecursionError:
        raise _failure(name, "the values are nested too deeply") from None


def mapping_document(data: Mapping[str, Any]) -> Document:
    """Return a document that owns a copy of `data`, as deep as its mappings, lists and tuples go.

    Raises:
        SourceError: a key is not text, or the values contain themselves.
    """
    try:
        return Document("<mapping>", _plain(data))
    except RecursionError:
        raise _failure("<mapping>", "the values are nested too deeply") from None


def _plain(value: Any, levels_left: int = _DEEPEST) -> Any:
    """Copy the containers of `value`; raise RecursionError early, so that what we return can be walked."""
    if not isinstance(value, Mapping | list | tuple):
        return value
    if not levels_left:
        raise RecursionError
    if isinstance(value, Mapping):
        return {_text_key(key): _plain(item, levels_left - 1) for key, item in value.items()}
    return [_plain(item, levels_left - 1) for item in value]


def _text_key(key: object) -> str:
    if not isinstance(key, str):
        raise _failure("<mapping>", f"a key is of type {type(key).__name__}: keys must be text")
    return key


def _read_text(name: str) -> str:
    try:
        return Path(name).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        raise _failure(name, "the file is not UTF-8: save it as UTF-8", _at(before, len(before))) from None
    except FileNotFoundError:
        raise _failure(name, "there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if os.path.isdir(name):  # Windows calls this a missing permission
            raise _failure(name, "this is a directory, not a file") from None
        why = getattr(error, "strerror", None) or error
        raise _failure(name, f"the file cannot be read: {why}") from None


def _parse_toml(name: str, text: str) -> Document:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = _TOML_PLACE.sub("", str(error).splitlines()[0])
        raise _failure(name, f"not valid TOML: {message}", _toml_position(error, text)) from None
    except ValueError:  # the one case: int() refuses thousands of digits
        raise _failure(name, "not valid TOML: a number is too long") from None
    return Document(name, _plain(data), lambda: toml_positions(text))


def _toml_position(error: ValueError, text: str) -> Position:
    """Take the place from the attributes that Python 3.14 has, else from the error's own words."""
    match = _TOML_PLACE.search(str(error))
    said = Position(int(match[1]), int(match[2])) if match and match[1] else _at(text, len(text))
    return Position(getattr(error, "lineno", said.line), getattr(error, "colno", said.column))


def _parse_yaml(name: str, text: str) -> Document:
    # Looked up late, because PyYAML can be built without its C library.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_events(name, text, loader)
        root = yaml.compose(text, Loader=loader)
    except SourceError:
        raise
    except yaml.MarkedYAMLError as error:
        # Never str(error): it quotes lines of the file, and they may hold secrets.
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise _failure(name, f"not valid YAML: {problem}", _start(error.problem_mark)) from None
    except ReaderError:
        wrong = Reader.NON_PRINTABLE.search(text)
        position = wrong and _at(text, wrong.start())
        raise _failure(name, "not valid YAML: control characters are not allowed", position) from None
    except (yaml.YAMLError, ValueError, OverflowError):  # pure-Python PyYAML lets chr() and int() fail
        raise _failure(name, "not valid YAML") from None
    tree = _YamlTree(name)
    data = tree.document(root)
    return Document(name, data, lambda: tree.places)


def _check_events(name: str, text: str, loader: Any) -> None:
    """Refuse what the composer must not see: its C version overflows the stack on deep nesting."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > _DEEPEST:
            raise _failure(name, "the values are nested too deeply", _start(event.start_mark))
        if documents > 1:
            raise _failure(name, "a second document starts here: expected only one", _start(event.start_mark))


class _YamlTree:
    """Makes plain data of a node tree, notes every place, and collects what is wrong on the way."""

    def __init__(self, name: str) -> None:
        self.places: dict[KeyPath, tuple[int, int]] = {}
        self._name = name
        self._issues: dict[Issue, None] = {}  # a set in order: aliases show the same fault many times
        self._scalars = SafeConstructor()
        self._open: set[int] = set()
        self._values = 0

    def document(self, root: yaml.Node | None) -> dict[str, Any]:
        """Return the data below `root`; raise SourceError with every issue found."""
        if root is None or root.tag == _STANDARD_TAG + "null":
            return {}
        if not isinstance(root, yaml.MappingNode):
            raise _failure(self._name, "expected a mapping (key: value) at the top", _start(root.start_mark))
        data: dict[str, Any] = self._value(root, ())
        if self._issues:
            raise SourceError(self._name, tuple(self._issues))
        return data

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        if isinstance(node, yaml.ScalarNode):
            self._count(1, node)
            return self._scalar(node)
        with self._inside(node):
            return self._collection(node, path)

    def _collection(self, node: yaml.Node, path: KeyPath) -> Any:
        is_mapping = isinstance(node, yaml.MappingNode)
        if node.tag != _STANDARD_TAG + ("map" if is_mapping else "seq"):
            self._refuse_tag(node)
        if is_mapping:
            entries = self._entries(node)
            return {key: self._item(*nodes, (*path, key)) for key, nodes in entries.items()}
        return [self._item(item, item, (*path, index)) for index, item in enumerate(node.value)]

    def _item(self, named_by: yaml.Node, node: yaml.Node, path: KeyPath) -> Any:
        mark = named_by.start_mark
        self.places[path] = (mark.line + 1, mark.column + 1)
        return self._value(node, path)

    def _entries(self, node: yaml.Node) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Return the key's and the value's node of every key; the mapping's own beat those merged in."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in own:
                first, again = own[key][0].start_mark.line + 1, key_node.start_mark.line + 1
                self._refuse(f"duplicate key {key!r}: first on line {first}, again on line {again}", key_node)
            own[key] = (key_node, value_node)
        if "<<" in own and own["<<"][0].tag == _STANDARD_TAG + "merge":
            _, sources = own.pop("<<")
            return {**self._merged(sources), **own}
        return own

    def _merged(self, node: yaml.Node) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in reversed(sources):  # the first one named wins
            if not isinstance(source, yaml.MappingNode):
                self._refuse("<< takes a mapping or a list of mappings", source)
                continue
            with self._inside(source):
                self._count(len(source.value), source)
                merged.update(self._entries(source))
        return merged

    def _key(self, node: yaml.Node) -> str | None:
        kind = node.tag.removeprefix(_STANDARD_TAG)
        if not isinstance(node, yaml.ScalarNode):
            self._refuse("a key must be text, not a list or a mapping", node)
        elif kind in ("str", "merge"):
            return str(node.value)
        elif kind in _SCALAR_KINDS or kind == "value":
            self._refuse(f"the key {node.value!r} is read as {kind}, not as text: write it in quotes", node)
        else:
            self._refuse_tag(node)
        return None

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        kind = node.tag.removeprefix(_STANDARD_TAG)
        if kind in _SCALAR_KINDS:
            try:
                return self._scalars.construct_object(node)
            except (yaml.YAMLError, ValueError, LookupError, AttributeError):  # as PyYAML has it, by kind
                self._refuse(f"this is not a valid {kind}", node)
        elif kind in ("value", "merge"):
            self._refuse("a bare = or << means something else in YAML: write it in quotes", node)
        else:
            self._refuse_tag(node)
        return None

    @contextmanager
    def _inside(self, node: yaml.Node) -> Iterator[None]:
        if id(node) in self._open:
            raise _failure(self._name, "an alias makes this value contain itself", _start(node.start_mark))
        if len(self._open) >= _DEEPEST:
            raise _failure(self._name, "the values are nested too deeply", _start(node.start_mark))
        self._count(1, node)
        self._open.add(id(node))
        try:
            yield
        finally:
            self._open.remove(id(node))

    def _count(self, values: int, node: yaml.Node) -> None:
        self._values += values
        if self._values > _MOST_VALUES:
            message = f"the file has more than {_MOST_VALUES:,} values, counting each use of an alias"
            raise _failure(self._name, message, _start(node.start_mark))

    def _refuse(self, message: str, node: yaml.Node) -> None:
        self._issues[Issue(message, _start(node.start_mark))] = None

    def _refuse_tag(self, node: yaml.Node) -> None:
        tag = node.tag.replace(_STANDARD_TAG, "!!", 1)
        self._refuse(f"the tag {tag} is not allowed: only plain values are", node)


_PARSERS = {".yaml": _parse_yaml, ".yml": _parse_yaml, ".toml": _parse_toml}


def _failure(name: str, message: str, position: Position | None = None) -> SourceError:
    return SourceError(name, (Issue(message, position),))


def _start(mark: Any) -> Position | None:
    return Position(mark.line + 1, mark.column + 1) if mark else None


def _at(text: str, offset: int) -> Position:
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
