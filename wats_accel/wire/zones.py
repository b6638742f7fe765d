"""Time zones on the wire: a fixed distance to UTC, or a zone that the IANA database knows by its name."""

from __future__ import annotations

import re
import sys
from datetime import timedelta, timezone, tzinfo
from typing import Any, Final

from wats_accel.wire.nodes import ZoneNode
from wats_accel.wire.refusals import not_a_document, not_encodable

# A name becomes a path below the folders of the database; it shall lead nowhere else.
_NAME: Final = re.compile(r"[A-Za-z0-9_+\-]{1,40}(/[A-Za-z0-9_+\-]{1,40}){0,3}")


def write(zone: tzinfo | None) -> ZoneNode | None:
    """The node of a zone.

    Raises:
        NotEncodableError: it is of another type, or not the one that everybody gets for its name.
    """
    if zone is None:
        return None
    cls: type = type(zone)
    if cls is timezone:
        offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]  # what pickling it would ask for
        return ZoneNode(name[0] if name else None, offset)
    module: Any = sys.modules.get("zoneinfo")  # whoever has such a zone has imported it
    if module is not None and cls is module.ZoneInfo:
        key = getattr(zone, "key", None)
        if key is not None and _NAME.fullmatch(key) and module.ZoneInfo(key) is zone:
            return ZoneNode(key, None)
    raise not_encodable(cls)


def read(node: ZoneNode | None) -> tzinfo | None:
    """The zone of a node.

    Raises:
        NotReadableError: there is no such zone, or not on this machine.
        Exception: the same.
    """
    if node is None:
        return None
    if node.offset is not None:
        return _fixed(node.offset, node.name)
    if node.name is None or not _NAME.fullmatch(node.name):
        raise not_a_document()
    import zoneinfo  # noqa: PLC0415 - few answers have such zones

    return zoneinfo.ZoneInfo(node.name)


def _fixed(offset: timedelta, name: Any) -> timezone:
    return timezone(offset) if name is None else timezone(offset, name)
