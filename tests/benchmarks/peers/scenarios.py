"""All rows of the table, in its order."""

from __future__ import annotations

from crowds import CROWDS
from freshness import ALONE, NESTED, OVERTAKEN
from scenario import REGISTERED
from values import VALUES

SCENARIOS = sorted(REGISTERED, key=lambda row: (ALONE, OVERTAKEN, NESTED, CROWDS, VALUES).index(row.part))
