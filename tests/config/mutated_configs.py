"""Configurations that somebody has damaged: presets with bytes flipped, cut, doubled, spliced, nested."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

PRESETS = tuple(
    path
    for path in sorted((Path(__file__).parents[2] / "config").iterdir())
    if path.suffix in (".yaml", ".toml") and path.stem not in ("wats-baseline", "wats-schema")
)

SECRET = "PWD=s3cr3t-Tr0ub4dor;"
"""Stands in a value. No message may quote it, whatever has become of the file around it.

It is no word of a configuration. Those may be quoted: a misspelt namespace, for one.
"""

_HUGE = (
    b"9" * 5000,
    b"1e999",
    b"-1",
    b"0x" + b"f" * 400,
    b".inf",
    b".nan",
    b"1_0",
    b"0o17",
    b"99999999999999999999",
)
_ODD = (
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xed\xa0\x80",  # a lone surrogate
    b"\r",
    b"\r\n",
    b"\t",
    b"\x85",
    "\u2028".encode(),
    b"\x1b[2J",
    "é".encode(),
    "\N{GRINNING FACE}".encode(),
    b"\xff\xfe",
)
_SIGNS = (
    b":", b"- ", b"{", b"}", b"[", b"]", b"[[", b"]]", b"&a ", b"*a", b"<<: ",
    b"!!python/object:os.system ", b"!!binary ",
    b"!!int ", b"!!timestamp ", b"? ", b"|", b">", b"'", b'"', b'"""', b"#", b"---\n",
    b"...\n", b"%YAML 9.9\n",
    b"=", b".", b",", b"null", b"~", b"true", b"2001-02-30", b"2001-12-14t21:59:43.1-05:00",
    b"\n[x]\n", b"\nx.y = 1\n",
    b"\\x", b"\\u", b"\\UFFFFFFFF", b"\\uD800",
)  # fmt: skip
_NESTINGS = ((b"[", b"]"), (b"{a: ", b"}"), (b"{a = ", b"}"), (b"- ", b""), (b"a.", b"b"))


def damaged(number: int) -> tuple[str, bytes]:
    """The file name and the bytes of the damaged preset of this number; the same number gives the same."""
    dice = random.Random(number)
    preset = dice.choice(PRESETS)
    data = with_secret(preset)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        data = dice.choice(_DAMAGES)(dice, data)
    return f"damaged{preset.suffix}", data


def with_secret(preset: Path) -> bytes:
    """The preset with a value that must not be shown: the name of a file of schema."""
    data = preset.read_bytes()
    if preset.suffix == ".toml":
        return data.replace(b'schema = "wats-schema.yaml"', f'schema = "{SECRET}"'.encode())
    return data.replace(b"schema: wats-schema.yaml", f"schema: {SECRET}".encode())


def _place(dice: random.Random, data: bytes) -> int:
    """Any offset, or more often one where a word begins."""
    starts = [found.start() for found in re.finditer(rb"\b\w", data)]
    return dice.choice(starts) if starts and dice.random() < 0.6 else dice.randint(0, len(data))


def _part(dice: random.Random, data: bytes) -> tuple[int, int]:
    start = _place(dice, data)
    return start, min(len(data), start + dice.choice((1, 2, 5, 20, 80, 400)))


def _flip(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _cut(dice: random.Random, data: bytes) -> bytes:
    start, end = _part(dice, data)
    return data[:start] + data[end:]


def _cut_off(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randint(0, len(data))]


def _double(dice: random.Random, data: bytes) -> bytes:
    start, end = _part(dice, data)
    return data[:end] + data[start:end] * dice.choice((1, 1, 2, 20)) + data[end:]


def _double_line(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        lines.insert(dice.randrange(len(lines)), dice.choice(lines))
    return b"".join(lines)


def _splice(dice: random.Random, data: bytes) -> bytes:
    other = with_secret(dice.choice(PRESETS))
    start, end = _part(dice, other)
    here = _place(dice, data)
    return data[:here] + other[start:end] + data[here:]


def _insert(dice: random.Random, data: bytes) -> bytes:
    here = _place(dice, data)
    return data[:here] + dice.choice((*_ODD, *_SIGNS, *_HUGE)) + data[here:]


def _exchange_value(dice: random.Random, data: bytes) -> bytes:
    """Another value after a colon or an equals sign."""
    values = list(re.finditer(rb"(?<=[:=] )[^\n#]*", data))
    if not values:
        return data
    found = dice.choice(values)
    return data[: found.start()] + dice.choice((*_HUGE, *_SIGNS, *_ODD)) + data[found.end() :]


def _indent(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        number = dice.randrange(len(lines))
        lines[number] = dice.choice((b" ", b"  ", b"\t", b"    ")) + lines[number]
    return b"".join(lines)


def _nest(dice: random.Random, data: bytes) -> bytes:
    opening, closing = dice.choice(_NESTINGS)
    depth = dice.choice((3, 50, 101, 300, 2000))
    here = _place(dice, data)
    return data[:here] + opening * depth + b"1" + closing * depth + data[here:]


def _mark_order(dice: random.Random, data: bytes) -> bytes:
    return dice.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) + data


def _other_encoding(dice: random.Random, data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode(dice.choice(("utf-16", "utf-32", "utf-16-le")))


def _other_lines(dice: random.Random, data: bytes) -> bytes:
    return data.replace(b"\n", dice.choice((b"\r\n", b"\r", b"\n\n", b"\x85")))


_DAMAGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *((_flip, _cut, _double, _splice, _insert, _exchange_value) * 4),
    *((_double_line, _indent, _nest) * 2),
    _cut_off,
    _mark_order,
    _other_encoding,
    _other_lines,
)
