"""The engine's own part of the configuration; features contribute the rest as sections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, StrictBool

from wats_accel.config.fields import AttributePaths, Duration, OneOrSeveral, Section, ShortSection, TargetText
from wats_accel.errors import KeyPath
from wats_accel.records import record

if TYPE_CHECKING:
    from wats_accel.config.sql_section import SqlSection


class LoggingSection(Section):
    """What goes to the host's log, through the stdlib logger ``wats_accel``."""

    level: Literal["debug", "info", "warning", "error"] | None = None
    """Level of the logger; by default the host's own. Hits and misses are logged at debug."""
    format: Literal["text", "json"] = "text"
    """One sentence, or one JSON object with all fields, for each event."""
    summary_every: Duration = 0.0
    """One line with the cache's figures in each such interval; 0 for none."""


class PluginsSection(Section):
    """Which plugins are loaded besides the built-in ones."""

    load: list[str] = Field(default=[])
    """Files, or folders of files, relative to this file."""
    disable: list[str] = Field(default=[])
    """Names of plugins that are not to be used, built-in ones among them."""


class RepositorySection(Section):
    """A class, or a module with functions, whose methods have rules. Features add their own keys."""

    target: TargetText
    """``package.module:Class``, or ``package.module`` for functions."""
    scope: AttributePaths = Field(default=[])
    """What tells one database from another, such as ``self.db.connection_string``: answers are shared
    between instances for which it is equal. Without it each instance has its own. Never logged."""
    enabled: StrictBool = True
    """False: its methods are not cached; its writes go on invalidating."""


class LockSection(ShortSection):
    """Whether the application's methods are still those that somebody has looked at. In short: the file."""

    file: str
    """Written by ``wats-accel lock``; relative to this file."""
    on_change: Literal["warn", "bypass"] = "warn"
    """What happens to a method that has changed since: it is reported, or also left unpatched."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        return {"file": value} if isinstance(value, str) else value

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [{"type": "string", "description": "The file."}]


class RootSection(Section):
    """A whole configuration file. Features add their own sections."""

    version: Literal[1]
    """Version of the format."""
    enabled: StrictBool = True
    """False: nothing is patched."""
    strict: StrictBool = False
    """True: whatever cannot be applied is an error for the application, instead of being left out."""
    # Defaults are made without validating them: each would have a validator of its own built for that.
    logging: LoggingSection = LoggingSection.model_construct()
    plugins: PluginsSection = PluginsSection.model_construct()
    watch: StrictBool = False
    """True: a changed file is put into effect while the application runs; needs ``wats-accel[watch]``."""
    status: StrictBool = True
    """Whether ``wats-accel status`` can see this process; false: it writes no state file."""
    allow_targets: OneOrSeveral = Field(default=[])
    """Patterns of targets outside the application's own packages that may be patched: ``requests.*``."""
    lock: LockSection | None = None
    """The lock file, if there is one, and what happens to methods that have changed since it was written."""

    if TYPE_CHECKING:  # the section `SQL`, which is assembled with those of the features
        sql: SqlSection


class WithoutSql:
    """What a file without ``sql:`` has instead: its models take longer to make than all others here."""

    @property
    def sql(self) -> SqlSection:
        """What is so by default."""
        return _sql_section().model_construct()


@record(frozen=True, slots=True)
class Finding:
    """Something wrong that only a look across sections can find."""

    key_path: KeyPath
    message: str


Check = Callable[[Mapping[str, Any]], Iterable[Finding]]
"""Looks at the whole raw file, which may be malformed anywhere, and gives what it finds wrong."""


@record(frozen=True, slots=True)
class Later:
    """A type that is made when a file has its key: to make a model takes some of a start's time.

    Attributes:
        make: gives it. A module's function, so that sections can be told to be the same as before a reload.
    """

    make: Callable[[], Any]


@record(frozen=True, slots=True)
class ConfigSection:
    """A plugin's part of the configuration.

    Attributes:
        name: the key in the file.
        annotation: its type: a `Section` subclass, a mapping of them …, or a `Later` that gives it.
        default: used when the file does not have the key.
        within: ``""`` for a key of the file itself, ``"repositories"`` for one of each repository.
        check: a look across sections, if one is needed.
        description: one sentence for the schema.
    """

    name: str
    annotation: Any
    default: Any
    within: Literal["", "repositories"] = ""
    check: Check | None = None
    description: str = ""


def _sql_section() -> type[SqlSection]:
    from wats_accel.config.sql_section import SqlSection  # noqa: PLC0415 - eight models

    return SqlSection


SQL = ConfigSection("sql", Later(_sql_section), None)
"""The engine's own, and as late as a feature's."""

OWN_KEYS = frozenset((*RootSection.model_fields, SQL.name, "repositories"))
"""The keys of a file that are not a feature's."""
