"""What is said when a value cannot go on the wire, and when bytes cannot be read back.

AccelError
├── NotEncodableError  a value is kept where it is: it could not come back as it was
├── NotReadableError   bytes are no value for whoever asked: a miss
└── KeyMaterialError   a key to seal with cannot be used
"""

from __future__ import annotations

from typing import Literal

from wats_accel.errors import AccelError

Reason = Literal["foreign", "version", "schema", "unsealed", "sealed", "key", "seal", "damaged", "document"]


class NotEncodableError(AccelError, TypeError):
    """A value could not be given back exactly. The message names its type, never the value."""


class NotReadableError(AccelError, ValueError):
    """Bytes are not what they would have to be. The message tells nothing of what they hold.

    Attributes:
        reason: ``foreign`` no envelope of ours; ``version`` one of another format; ``schema`` one that
            another configuration has written; ``unsealed`` not sealed where a seal is asked for; ``sealed``
            the other way round; ``key`` sealed with a key that is not known here; ``seal`` changed, or moved
            from another place; ``damaged`` the same without a seal, by its checksum; ``document`` what is
            inside is nothing that is ever written, or too large.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class KeyMaterialError(AccelError, ValueError):
    """Keys cannot be had, or cannot be used. The message tells where they should be, never what is there."""


def not_encodable(cls: type, why: str = "could not come back as it was") -> NotEncodableError:
    """Of a value of this type."""
    try:
        name = f"{cls.__module__}.{cls.__qualname__}"
    except Exception:  # noqa: BLE001 - a metaclass may do as it likes
        name = "a type without a name"
    return NotEncodableError(f"{name} {why}")


def not_a_document() -> NotReadableError:
    """Of bytes that nobody here has written."""
    return NotReadableError("document", "these bytes are no document")
