"""Documents: a value as bytes, and back. Imports the libraries that do it; `codec` imports this late."""

from __future__ import annotations

from typing import Any

from wats_accel.wire import nodes
from wats_accel.wire.limits import Limits
from wats_accel.wire.reading import Reading
from wats_accel.wire.refusals import NotEncodableError, NotReadableError, not_a_document, not_encodable
from wats_accel.wire.writing import Writing


def write(value: object, limits: Limits) -> bytes:
    """The document of a value.

    Raises:
        NotEncodableError: it would not come back as it is, or is too large.
    """
    data = None
    try:
        data = nodes.encode(Writing(limits).node_of(value))
    except NotEncodableError:
        raise
    except Exception:  # noqa: BLE001 - whatever a driver's row or a metaclass does
        pass
    if data is None:  # not above: the other exception would hang on this one, and may tell of the value
        raise not_encodable(type(value))
    if len(data) > limits.most_bytes:
        raise NotEncodableError("it has more bytes than may go on the wire")
    return data


def read(data: bytes, limits: Limits) -> Any:
    """The value of a document.

    Raises:
        NotReadableError: it is none, or is too large.
    """
    if type(data) is not bytes:
        raise not_a_document()
    if len(data) > limits.most_bytes:
        raise NotReadableError("document", "these are more bytes than may come from the wire")
    try:
        return Reading(limits).value_of(nodes.decode(data))
    except NotReadableError:
        raise
    except Exception:  # noqa: BLE001 - whoever has made these bytes chooses what fails
        pass
    raise not_a_document()  # not above: the other exception would hang on this one, and may tell of the value
