"""The package with all its points live, those of generated functions among them, and waits that are seen."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from unittest import mock

from named_points import live_points, live_points_of_texts, modules_of
from scheduler_locks import SchedulerEvent

from wats_accel import generated_functions
from wats_accel.cache import flights
from wats_accel.wrappers import hit_path


@contextlib.contextmanager
def live_package() -> Iterator[frozenset[str]]:
    """Have actors stop at all points during the ``with`` block; gives their names."""
    with (
        live_points(*modules_of("wats_accel")) as names,
        live_points_of_texts(generated_functions, "code_of", hit_path.BODY) as of_hits,
        mock.patch.object(flights, "Event", functools.partial(SchedulerEvent, "flight.done")),
    ):
        yield names | of_hits
