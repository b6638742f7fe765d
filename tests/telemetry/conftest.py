"""A host application's logging for the tests of this folder: a stream of its own, gone after the test."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator

import pytest

FORMAT = "%(asctime)s [%(levelname)s] %(filename)s:%(lineno)d - %(message)s"


class Host:
    """The host's log: what stands in it, line by line."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.Formatter(FORMAT))

    @property
    def lines(self) -> list[str]:
        """The lines as they were written."""
        return self.stream.getvalue().splitlines()

    @property
    def messages(self) -> list[str]:
        """The lines without the date, the level and the file."""
        return [line.split(" - ", 1)[1] for line in self.lines]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The host's root logger, which nobody has configured. One of its own, since pytest uses the real one."""
    logger = logging.getLogger("wats_accel")
    before = logger.level
    own = logging.RootLogger(logging.WARNING)
    monkeypatch.setattr(logger, "parent", own)
    logger.setLevel(logging.NOTSET)
    yield own
    monkeypatch.undo()
    logger.setLevel(before)


@pytest.fixture
def logger(root: logging.Logger) -> logging.Logger:
    """The package's logger, below that root."""
    return logging.getLogger("wats_accel")


@pytest.fixture
def set_up(root: logging.Logger) -> Callable[..., Host]:
    """Configure logging as the host does: a handler at the root, which has a level."""

    def configure(level: int = logging.INFO) -> Host:
        host = Host()
        root.handlers = [host.handler]
        root.setLevel(level)
        return host

    return configure


@pytest.fixture
def host(set_up: Callable[..., Host]) -> Host:
    """The host's log at level INFO."""
    return set_up()
