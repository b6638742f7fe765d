"""The schema's source: the section ``sql:`` and the files that it names, read when somebody first asks."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING

from wats_accel.config.loader import LoadedConfig
from wats_accel.errors import ConfigError, Problem
from wats_accel.forks import begins_anew_when_forked

if TYPE_CHECKING:
    from wats_accel.sql.schema import Schema


class SchemaSource:
    """What a configuration says of the database. Nothing is read before it is asked for, and nothing twice.

    Args:
        config: the configuration.
        report: told once what is wrong with the files, if anything is.
    """

    def __init__(self, config: LoadedConfig, report: Callable[[Problem], None]) -> None:
        self._config = config
        self._report = report
        self._lock = RLock()  # re-entrant: a finalizer of the application's own may execute something
        self._made: Schema | ConfigError | None = None
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = RLock()

    @property
    def schema(self) -> Schema:
        """The files and the section, merged: what the section says beats the files, a later file an earlier.

        Raises:
            ConfigError: a file is missing, or not valid; names file, line and key.
        """
        with self._lock:
            if self._made is None:
                self._made = self._make()
        if isinstance(self._made, ConfigError):
            raise ConfigError(self._made.problems)
        return self._made

    def _make(self) -> Schema | ConfigError:
        from wats_accel.schema_descriptions import descriptions  # noqa: PLC0415 - as the next
        from wats_accel.sql.schema_building import schema_of  # noqa: PLC0415 - heavy, and seldom needed

        try:
            return schema_of(descriptions(self._config))
        except ConfigError as error:
            for problem in error.problems:
                self._report(problem)
            return error
