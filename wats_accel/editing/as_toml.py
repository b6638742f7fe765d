"""TOML texts with one switch set, by tomlkit, which keeps everything else as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wats_accel.editing.changes import common_prefix
from wats_accel.editing.switches import Switch


def edited_toml(text: str, switch: Switch, *, on: bool) -> Iterator[str]:
    """The text with the switch set, if that can be done."""
    import tomlkit  # noqa: PLC0415 - for this command only
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    is_windows = "\r\n" in text and text.count("\r\n") == text.count("\n")
    text = text.replace("\r\n", "\n") if is_windows else text
    document = tomlkit.parse(text)
    *parents, last = switch.path or (None,)
    try:
        place: Any = document
        for part in parents:
            place = place[part]
        if switch.is_short:
            rule = tomlkit.inline_table()
            rule["namespace"] = place[last].unwrap()
            rule["enabled"] = on
            rule.trivia.comment_ws, rule.trivia.comment = (
                place[last].trivia.comment_ws,
                place[last].trivia.comment,
            )
            place[last] = rule
        else:
            (document if last is None else place[last])["enabled"] = on
        made = tomlkit.dumps(document)
    except (TOMLKitError, LookupError, TypeError, ValueError):  # a shape that it cannot change
        return
    made = _spaced_as_before(text, made, f", enabled = {str(on).lower()}")
    yield made.replace("\n", "\r\n") if is_windows else made


def _spaced_as_before(before: str, after: str, added: str) -> str:
    """Give an inline table back the blank before its closing brace."""
    start = common_prefix(before, after)
    end = start + len(added)
    had_blank = before.startswith(" }", start) and after.startswith(f"{added}}}", start)
    return f"{after[:end]} {after[end:]}" if had_blank else after
