"""Why a goal is missed, and what was tried: written by hand, by the key of the goal in `goals`.

`make bench` puts them on the page beside those goals that do not hold, and names those without words.
"""

from __future__ import annotations

from typing import Final

REMARKS: Final[dict[str, str]] = {}
NO_WORDS: Final = "Nobody has written down why."
