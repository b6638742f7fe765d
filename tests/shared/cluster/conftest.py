"""A Redis of the test's own that many processes reach."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

sys.path[:0] = [str(Path(__file__).parents[1])]  # of the modules beside this folder, if nobody else has asked

from private_redis import PrivateRedis, RedisMissingError  # noqa: E402 - its folder is known now
from scenarios import Setting  # noqa: E402 - as above


@pytest.fixture
def own_redis(missing: Callable[[str], NoReturn]) -> Iterator[PrivateRedis]:
    """A running server."""
    try:
        server = PrivateRedis()
        server.start()
    except RedisMissingError as error:
        missing(str(error))
    yield server
    server.kill()


@pytest.fixture
def setting(own_redis: PrivateRedis, postgresql: Any, soak: bool) -> Setting:
    """An empty database and a server, and how much is done there."""
    return Setting.of_size(postgresql.odbc(), own_redis, whole=soak)
