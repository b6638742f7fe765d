"""Canaries: texts that stand for secrets, and a watch for each place at which one of them could come out."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from rich.pretty import traverse

from wats_accel import events, pool_events
from wats_accel.events import Event
from wats_accel.extension import EventSubscription

CANARY = re.compile(r"(?s).{0,40}(canary[a-z]+).{0,40}", re.IGNORECASE)
PASSWORD, CONNECTION, SECRET, RESULT, LITERAL, CONFIG, TEXT = (
    f"canary{word}" for word in ("password", "connection", "secret", "result", "literal", "config", "text")
)
_OURS = ("wats_accel.", "wats_accel_plugins.")


def is_ours(module: object) -> bool:
    """Whether a module is one of wats_accel."""
    return str(module).startswith(_OURS) or module in ("wats_accel", "wats_accel_plugins")


class Watch(logging.Handler):
    """Collects what is told: log records, events, exceptions, and what else a test adds.

    Attributes:
        told: texts, each with the place where it came out.
        differed: set when a comparison of answers has found a difference.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.told: list[tuple[str, str]] = []
        self.differed = threading.Event()

    def add(self, place: str, text: object) -> None:
        """Note what came out somewhere."""
        self.told.append((place, str(text)))

    def emit(self, record: logging.LogRecord) -> None:
        """Note a log record with all that a formatter could show of it."""
        self.add("log", (record.getMessage(), {**vars(record), "exc_info": None}))
        if record.exc_info and record.exc_info[1] is not None:
            self.exception(record.exc_info[1])

    def listen(self, event: Event) -> None:
        """Note an event."""
        self.add("event", repr(event))
        if isinstance(event, events.AnswerDiffers):
            self.differed.set()

    def subscriptions(self) -> list[EventSubscription]:
        """To each type of event that there is."""
        known = (*vars(events).values(), *vars(pool_events).values())
        types = [kind for kind in known if isinstance(kind, type) and issubclass(kind, Event)]
        return [EventSubscription(kind, self.listen) for kind in types]

    def exception(self, error: BaseException) -> None:
        """Note an exception: its words, if it is one of ours, and the variables of our frames."""
        if is_ours(type(error).__module__):
            notes = getattr(error, "__notes__", ())
            self.add("exception", (str(error), repr(error), error.args, notes, vars(error)))
        shown: BaseException | None = error
        while shown is not None:
            self._frames(shown.__traceback__)
            before = None if shown.__suppress_context__ else shown.__context__
            shown = shown.__cause__ or before

    def _frames(self, trace: TracebackType | None) -> None:
        for frame, line in traceback.walk_tb(trace):
            if not is_ours(frame.f_globals.get("__name__")):
                continue
            for name, value in frame.f_locals.items():
                place = f"local {name} at {frame.f_code.co_filename}:{line}"
                with contextlib.suppress(Exception):  # of a driver's own __repr__
                    self.add(place, (repr(value), traverse(value)))

    def objects(self) -> None:
        """Note the repr of each object of ours that is alive and was made under this watch."""
        gc.collect()
        for known in gc.get_objects():
            kind = type(known)
            if is_ours(kind.__module__):
                with contextlib.suppress(Exception):
                    self.add(f"repr of {kind.__module__}.{kind.__qualname__}", repr(known))

    def found(self) -> list[str]:
        """Each place at which a canary came out, with what stands around it."""
        hits = ((place, CANARY.search(text)) for place, text in self.told)
        return sorted({f"{place}: {hit[0]}" for place, hit in hits if hit})


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """A watch on the log at its most talkative, and on standard output and error, for a ``with`` block."""
    watch = Watch()
    root, own = logging.getLogger(), logging.getLogger("wats_accel")
    before = root.level, own.level
    root.addHandler(watch)
    root.setLevel(logging.DEBUG)
    output = io.StringIO()
    gc.collect()
    gc.freeze()  # what there is already is not to be looked at each time
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            yield watch
    finally:
        gc.unfreeze()
        watch.add("output", output.getvalue())
        root.removeHandler(watch)
        root.setLevel(before[0])
        own.setLevel(before[1])


def raised(watch: Watch, call: Any, *args: Any, **kwargs: Any) -> BaseException | None:
    """Call something, and note what it raises, as somebody does who shows all variables."""
    try:
        call(*args, **kwargs)
    except Exception as error:
        watch.exception(error)
        return error
    return None
