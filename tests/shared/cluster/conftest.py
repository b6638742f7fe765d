"""What clusters of real processes are made of."""

from __future__ import annotations

from typing import Any

import pytest
from private_redis import PrivateRedis
from scenarios import Setting


@pytest.fixture
def setting(own_redis: PrivateRedis, postgresql: Any, soak: bool) -> Setting:
    """An empty database and a server, and how much is done there."""
    return Setting.of_size(postgresql.odbc(), own_redis, whole=soak)
