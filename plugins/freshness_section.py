"""The section ``freshness:``, as a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from wats_accel.extension import Duration, Section, TargetText
from wats_accel_plugins.outside import Secret


class FreshnessSection(Section):
    """How a database is followed."""

    enabled: StrictBool = True
    """False: it is not asked."""
    source: Literal["version-table", "sqlserver-change-tracking", "sqlite-data-version"] = "version-table"
    """What is asked. The first two need what `wats-accel freshness-ddl` prints."""
    dialect: Literal["sqlite", "postgresql", "sqlserver"]
    """Of the database."""
    connect: TargetText
    """What gives a connection for this alone, such as ``pyodbc:connect``."""
    connection: Secret = Secret.model_construct(text="")
    """What it is called with; nothing if it is empty."""
    name: str = "wats_accel_versions"
    """Of the version table, with its schema if it is not the usual one."""
    tables: list[str] = Field(default=[])
    """Those that are watched, where Change Tracking is asked; none for all that it tracks."""
    poll: Duration = 2.0
    """The time between two questions: so old an answer may become."""
    isolated_ttl: Duration = 30.0
    """How old an answer may become while the database does not answer."""
    revalidate: StrictBool = True
    """Whether entries that become too old live on while the database vouches for them."""
