"""Outside: texts that a configuration names, and does not hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field

from wats_accel.extension import ConfigError, Problem, Section, ShortSection


class Secret(ShortSection):
    """A text that is not to stand in this file. In short: the text itself, where it is no secret."""

    text: str = Field(default="", repr=False)
    """The text."""
    env: str = ""
    """The environment variable that has it."""
    file: str = ""
    """The file that has it."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        return {"text": value} if isinstance(value, str) else value

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [{"type": "string", "description": "The text itself."}]


class Outside(Section):
    """Where keys come from: one of the two."""

    env: str = ""
    """The environment variable that has them."""
    file: str = ""
    """The file that has them."""


def told(secret: Secret, folder: Path, where: tuple[str, ...]) -> str:
    """The text.

    Args:
        secret: says where it is.
        folder: of the configuration file.
        where: in that file.

    Raises:
        ConfigError: the variable is not set.
        OSError: the file cannot be read.
    """
    if secret.env:
        text = os.environ.get(secret.env, "")
        if not text:
            message = f"the environment variable {secret.env!r} is not set"
            raise ConfigError([Problem(message, key_path=where)])
        return text
    return (folder / secret.file).read_text("utf-8").strip() if secret.file else secret.text
