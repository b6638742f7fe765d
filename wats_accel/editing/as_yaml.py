"""YAML texts with one switch set: the text is cut at the marks of its parser, and stays as it is elsewhere.

`ruamel.yaml` was tried instead. It writes a whole file anew, and keeps only what has the style that it was
told before: not a file with two widths of indentation, and none with the line ends of Windows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from wats_accel.editing.switches import Switch
from wats_accel.errors import KeyPath

_MERGE = "tag:yaml.org,2002:merge"


def edited_yaml(text: str, switch: Switch, *, on: bool) -> Iterator[str]:
    """The ways to write it, the prettiest first. Not each is right in each file: parse it, and compare."""
    # In Python: only that one's marks count characters of the very text that it was given.
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    node = _node_at(root, switch.path)
    word = "true" if on else "false"
    if node is None:
        return
    if switch.is_short:
        yield from _long_form(text, node, word)
        return
    for key, value in node.value:
        if key.value == "enabled":
            yield _replaced(text, value.start_mark.index, value.end_mark.index, word)
            return
    yield from (_into_flow if node.flow_style else _into_block)(text, node, f"enabled: {word}")


def _node_at(root: Any, path: KeyPath) -> Any:
    """The node at a path; None where it is not written there itself, but merged in."""
    node = root
    for part in path:
        if isinstance(part, int):
            node = node.value[part]
        else:
            found = [value for key, value in node.value if key.value == part and key.tag != _MERGE]
            if not found:
                return None
            node = found[-1]
    return node


def _replaced(text: str, start: int, end: int, by: str) -> str:
    return text[:start] + by + text[end:]


def _long_form(text: str, node: Any, word: str) -> Iterator[str]:
    start, end = node.start_mark.index, node.end_mark.index
    for namespace in (text[start:end], json.dumps(node.value, ensure_ascii=False)):
        yield _replaced(text, start, end, f"{{namespace: {namespace}, enabled: {word}}}")


def _into_flow(text: str, node: Any, pair: str) -> Iterator[str]:
    brace = node.end_mark.index - 1
    if not node.value:
        yield _replaced(text, brace, brace, pair)
        return
    last = max(value.end_mark.index for _, value in node.value)
    yield _replaced(text, last, last, f", {pair}")
    for sign in (", ", " "):  # behind a comment, or a comma that is there already
        yield _replaced(text, brace, brace, f"{sign}{pair}")


def _into_block(text: str, node: Any, pair: str) -> Iterator[str]:
    first_key, first_value = node.value[0]
    newline = "\r\n" if "\r\n" in text else "\n"
    column = first_key.start_mark.column
    on_one_line = first_key.start_mark.line == first_value.start_mark.line == first_value.end_mark.line
    if on_one_line and isinstance(first_value, yaml.ScalarNode):
        end = text.find("\n", first_value.end_mark.index)
        if end < 0:
            yield f"{text}{newline}{' ' * column}{pair}"
        else:
            yield _replaced(text, end + 1, end + 1, f"{' ' * column}{pair}{newline}")
    start = first_key.start_mark.index
    yield _replaced(text, start, start, f"{pair}{newline}{' ' * column}")
