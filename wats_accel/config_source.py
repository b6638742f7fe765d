"""The source of a configuration: what the application, or the environment, named, read as a document."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wats_accel.config.documents import Document, SourceError
from wats_accel.config.location import CONFIG_VARIABLE, locate_config
from wats_accel.config.sources import mapping_document, parser_for, read_document
from wats_accel.errors import ConfigError, Problem

ConfigSource = str | os.PathLike[str] | Mapping[str, Any] | None


def read_config(source: ConfigSource, environ: Mapping[str, str]) -> Document:
    """Read the configuration from a mapping, or from the file that `locate_config` finds.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    source = _beaten_by_environment(source, environ)
    try:
        if isinstance(source, Mapping):
            return mapping_document(source)
        path = locate_config(source, environ)
        if path is not None:
            return read_document(path)
        raise ConfigError([Problem("no configuration file was named, and there is no wats-accel.yaml")])
    except SourceError as error:
        raise ConfigError(_problems_of(error)) from None


def load_parser(source: ConfigSource, environ: Mapping[str, str]) -> None:
    """Load what reads the file, if it is one.

    Raises:
        ImportError: a library is missing. That is to be told before anything is installed.
    """
    with contextlib.suppress(SourceError, OSError, ValueError, TypeError):  # whoever reads it says so
        path = config_file(source, environ)
        if path is not None:
            parser_for(os.fspath(path))


def effective(source: ConfigSource, environ: Mapping[str, str]) -> object:
    """What a source comes down to: the mapping, the path of the file, or None."""
    source = _beaten_by_environment(source, environ)
    if source is None or isinstance(source, Mapping):
        return source
    path = locate_config(source, environ)
    return path and path.resolve()


def config_file(source: ConfigSource, environ: Mapping[str, str]) -> Path | None:
    """The file that is read, if it is one."""
    source = _beaten_by_environment(source, environ)
    return None if isinstance(source, Mapping) else locate_config(source, environ)


def _beaten_by_environment(source: ConfigSource, environ: Mapping[str, str]) -> ConfigSource:
    return environ.get(CONFIG_VARIABLE) or source


def _problems_of(error: SourceError) -> list[Problem]:
    return [
        Problem(
            issue.message,
            file=error.name,
            line=issue.position.line if issue.position else None,
            column=issue.position.column if issue.position else None,
        )
        for issue in error.issues
    ]
