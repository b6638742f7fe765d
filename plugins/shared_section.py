"""The section ``shared:``, as a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from wats_accel.extension import Duration, Section
from wats_accel_plugins.outside import Outside, Secret


class SharedSection(Section):
    """What processes on many computers share."""

    enabled: StrictBool = True
    """False: this process neither tells nor hears of anything."""
    url: Secret = Secret.model_construct(text="redis://localhost:6379/0")
    """redis://, rediss://, unix://, redis+sentinel://host,host/service, redis+cluster://. One with a password
    is better kept outside: ``{env: WATS_REDIS_URL}``."""
    prefix: str = Field(default="wats_accel", pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    """Of all keys: the same for all processes that are to hear of each other."""
    tier: Literal["backplane-only", "shared"] = "backplane-only"
    """backplane-only: processes tell each other what they drop. shared: besides, they share answers."""
    namespaces: list[str] = Field(default=[])
    """Whose answers may be shared."""
    version: str = ""
    """Of the application: processes of different versions share no answer; what they drop they do tell."""
    timeout: Duration = 0.05
    """How long a call of the application may wait for the server."""
    isolated_ttl: Duration = 30.0
    """How old an answer may become while others may change something without being heard."""
    local_ttl: Duration = 0.0
    """How long a process keeps a shared answer before it asks for it again; 0: as long as its rule says."""
    lease: Duration = 2.0
    """How long others wait for a process that loads an answer."""
    beat: Duration = 1.0
    """How often a process says that it lives."""
    lost_after: Duration = 5.0
    """When one that has not said so is missing: then no answer gets older than ``isolated_ttl``."""
    forget_after: Duration = 600.0
    """When one that is missing is taken for dead."""
    keys: Outside | None = None
    """Keys to seal answers and messages with, in base64 or hexadecimal, one in each line; the first seals."""
    names_secret: Outside | None = None
    """A secret for the names of what is kept, the same everywhere; else they can be found out by trying."""
    arguments_in_clear: StrictBool = False
    """Whether messages may tell arguments without being sealed; if not, they mean all answers of a method."""
    waive_seal: list[str] = Field(default=[])
    """Namespaces with secret arguments, or columns, that may be shared without being sealed."""
