"""What an edit has changed: the one stretch of the text that is not as before."""

from __future__ import annotations


def common_prefix(before: str, after: str) -> int:
    """How many characters the two texts begin with alike."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))


def keeps_the_rest(before: str, after: str) -> bool:
    """Whether an edit has set one value, or added one line: no other line, and no comment, is touched."""
    start = common_prefix(before, after)
    rest, new = before[start:], after[start:]
    alike = common_prefix(rest[::-1], new[::-1])
    gone, come = rest[: len(rest) - alike], new[: len(new) - alike]
    return not any(sign in gone for sign in "\n#") and come.count("\n") <= 1 and "#" not in come
