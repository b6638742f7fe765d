"""The module that starts servers of Redis; the example's demo uses it, too."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FILE = Path(__file__).parents[2] / "docs/examples/legacy_wats/simulation/private_redis.py"

_spec = importlib.util.spec_from_file_location("simulated_private_redis", _FILE)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module
_spec.loader.exec_module(_module)

PrivateRedis = _module.PrivateRedis
RedisMissingError = _module.RedisMissingError
