"""YAML sources: parsed once, with the place of every key, and refused whole if anything is odd."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.reader import Reader, ReaderError

from wats_accel.config.documents import (
    DEEPEST,
    MOST_VALUES,
    Document,
    Issue,
    Position,
    SourceError,
    failure,
    position_of,
)
from wats_accel.errors import KeyPath, shown

_STANDARD_TAG = "tag:yaml.org,2002:"
_KNOWN_TAG = re.compile(
    r"!!(binary|bool|float|int|map|merge|null|omap|pairs|python/[\w/]+(:[\w.]+)?"
    r"|seq|set|str|timestamp|value|yaml)"
)
_SCALAR_KINDS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "binary"})


def parse_yaml(name: str, text: str) -> Document:
    """Read the text of the file called `name`.

    Raises:
        SourceError: it is no YAML, or not one mapping of text keys; carries every such issue.
    """
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
        raise failure(name, f"not valid YAML: {problem}", _inside(text, error.problem_mark)) from None
    except ReaderError:
        wrong = Reader.NON_PRINTABLE.search(text)
        position = position_of(text, wrong.start() if wrong else 0)
        raise failure(name, "not valid YAML: control characters are not allowed", position) from None
    tree = _YamlTree(name)
    data = tree.document(root)
    return Document(name, data, lambda: tree.places)


def _check_events(name: str, text: str, loader: Any) -> None:
    """Refuse what the composer must not see: its C version overflows the stack on deep nesting."""
    depth = documents = 0
    for event in _events(name, text, loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > DEEPEST:
            raise failure(name, "the values are nested too deeply", _start(event.start_mark))
        if documents > 1:
            raise failure(name, "a second document starts here: expected only one", _start(event.start_mark))


def _events(name: str, text: str, loader: Any) -> Iterator[Any]:
    so_far = Position(1, 1)
    try:
        for event in yaml.parse(text, Loader=loader):
            so_far = _start(event.end_mark) or so_far
            yield event
    except (yaml.MarkedYAMLError, ReaderError):
        raise  # these know the place
    except (yaml.YAMLError, ValueError, OverflowError):  # pure-Python PyYAML lets chr() and int() fail
        raise failure(name, "not valid YAML behind this place", so_far) from None


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
            raise failure(self._name, "expected a mapping (key: value) at the top", _start(root.start_mark))
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
                self._refuse(
                    f"duplicate key {shown(key)!r}: first on line {first}, again on line {again}", key_node
                )
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
            self._refuse(
                f"the key {shown(node.value)!r} is read as {kind}, not as text: write it in quotes", node
            )
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
            raise failure(self._name, "an alias makes this value contain itself", _start(node.start_mark))
        if len(self._open) >= DEEPEST:
            raise failure(self._name, "the values are nested too deeply", _start(node.start_mark))
        self._count(1, node)
        self._open.add(id(node))
        try:
            yield
        finally:
            self._open.remove(id(node))

    def _count(self, values: int, node: yaml.Node) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            message = f"the file has more than {MOST_VALUES:,} values, counting each use of an alias"
            raise failure(self._name, message, _start(node.start_mark))

    def _refuse(self, message: str, node: yaml.Node) -> None:
        self._issues[Issue(message, _start(node.start_mark))] = None

    def _refuse_tag(self, node: yaml.Node) -> None:
        tag = node.tag.replace(_STANDARD_TAG, "!!", 1)
        # One of nobody's may be a password that begins with an exclamation mark.
        which = f"the tag {tag}" if _KNOWN_TAG.fullmatch(tag) else "a tag"
        self._refuse(f"{which} is not allowed: only plain values are", node)


def _start(mark: Any) -> Position | None:
    return Position(mark.line + 1, mark.column + 1) if mark else None


def _inside(text: str, mark: Any) -> Position:
    """The place of an error; that of a text which ends too early may lie behind its last line."""
    place = _start(mark)
    is_inside = place is not None and place.line <= len(text.splitlines())
    return place if place is not None and is_inside else position_of(text, len(text))
