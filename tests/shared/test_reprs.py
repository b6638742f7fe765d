"""What shows in a traceback or a debugger has no secret, no answer and no argument in it."""

from __future__ import annotations

from typing import Any

import pytest

from wats_accel.cache.selection import select
from wats_accel.patterns import KeyPattern
from wats_accel.shared.joining import SharedRules
from wats_accel.shared.messages import Message
from wats_accel.shared.server import Kept, Received
from wats_accel.shared.tier import Common, TierRules
from wats_accel.wire import Sealer

WORD = "sesame-sesame-ss"
PATTERN = KeyPattern.parse("users:role:{name}")
NOBODY: Any = None


@pytest.mark.parametrize(
    "thing",
    [
        Common(NOBODY, "t:a", WORD.encode(), TierRules()),
        Kept(WORD.encode(), 7, "epoch", 1, 1),
        Received(7, "nonce", "sender", WORD.encode()),
        Message(((PATTERN, select(PATTERN, {"name": WORD})),)),
        SharedRules(f"redis://:{WORD}@host", "t", keys=(WORD.encode(),), secret=WORD.encode()),
        Sealer([WORD.encode()]),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_a_repr_tells_no_secret(thing: object) -> None:
    assert WORD not in repr(thing)
