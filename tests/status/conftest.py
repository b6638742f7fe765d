"""A small application in a folder of its own, and a folder for state files that is empty."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SHOP = """\
class Stock:
    def list_items(self):
        return ["pen"]

    def count_of(self, name):
        return 1

    def receive(self):
        return True
"""

CONFIG = """\
version: 1
pool:
  - connect: sqlite3:connect
cache:
  namespaces: {stock: {ttl: 60s}, counts: {}}
repositories:
  - target: shop:Stock
    cached: {list_items: stock, count_of: counts, missing: stock}
    invalidates: {receive: ["stock:*"]}
  - target: later:Later
    cached: {get: stock}
  - target: shop:Stock
    enabled: false
    cached: {price_of: stock}
"""


@pytest.fixture
def states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of state files; it is not there yet."""
    folder = tmp_path / "states"
    monkeypatch.setenv("WATS_ACCEL_STATE_DIR", str(folder))
    return folder


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of an application whose module ``shop`` can be imported."""
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    (tmp_path / "later.py").write_text(
        "class Later:\n    def get(self):\n        return 1\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    importlib.import_module("sqlite3")  # a pool waits for its driver
    config = tmp_path / "shop.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    return config


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], subprocess.Popen[str]]:
    """Starts a program with this text; its lines are read by the test."""

    def start(text: str) -> subprocess.Popen[str]:
        path = tmp_path / "program.py"
        path.write_text(text, encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, str(path)],
            cwd=tmp_path,
            env=dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start
