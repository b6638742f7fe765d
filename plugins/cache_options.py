"""The sections ``cache:`` and ``cached:``, as models: what a file may say of cached methods."""

from __future__ import annotations

import ast
import math
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    WithJsonSchema,
    model_validator,
)

from wats_accel.extension import (
    AttributePaths,
    CopyMode,
    Duration,
    OneOrSeveral,
    Section,
    ShortSection,
    Target,
    TargetError,
)
from wats_accel_plugins.shares import SampleShare, Share

# -- values --------------------------------------------------------------------------------------------


def _literal(value: object) -> object:
    """A result as the file spells it; ``{python: "(None, False)"}`` spells what TOML has no word for."""
    if isinstance(value, dict) and list(value) == ["python"]:
        try:
            return ast.literal_eval(str(value["python"]))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # as `ast` has it
            raise ValueError("expected a Python literal such as \"(None, False)\" after 'python:'") from None
    return [_literal(item) for item in value] if isinstance(value, list) else value


ResultLiteral = Annotated[Any, BeforeValidator(_literal), WithJsonSchema({})]


_NAMESPACE = r"[^:*?\[\]{}\s]+"


def _namespace(text: str) -> str:
    if not re.fullmatch(_NAMESPACE, text):
        raise ValueError("expected a name without spaces and without any of : * ? [ ] { }")
    return text


NamespaceName = Annotated[str, AfterValidator(_namespace)]


def _none_for_false(value: object) -> object:
    return 0 if value is False else value


class _OrNone:
    """Says in the JSON Schema what `_none_for_false` takes."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        duration = handler(core_schema)
        return {
            "description": f"{duration['description']} False or 0 for none.",
            "anyOf": [*duration["anyOf"], {"const": False}],
        }


# The second validator sees the value first.
OptionalDuration = Annotated[Duration, BeforeValidator(_none_for_false), _OrNone]
"""Seconds; in a file a duration, or false for none."""


_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SIZE = r"\s*(\d+(?:\.\d+)?)\s*([kKmMgG][iI]?)?[bB]?\s*"
_A_SIZE = {
    "description": "A size such as 64MB, 512KB or 1GiB, or a number of bytes.",
    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{_SIZE}$"}],
}


def _size(value: object) -> int:
    text = re.fullmatch(_SIZE, value) if isinstance(value, str) else None
    if text is not None and len(text[1]) < 30:
        unit = f"{text[2].upper()}B" if text[2] else ""
        return math.floor(float(text[1]) * _UNITS[unit])
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("expected a size such as 64MB, 512KB or 1GiB, or a number of bytes")


Size = Annotated[int, BeforeValidator(_size), WithJsonSchema(_A_SIZE)]
"""Bytes; in a file ``64MB`` (a million each), ``1GiB`` (1024 of 1024 of 1024), or a number."""


# -- ages ----------------------------------------------------------------------------------------------

_TYPE_NAME = r"[^\W\d]\w*(?:[.:][^\W\d]\w*)*"


def _type_names(texts: list[str]) -> list[str]:
    if not all(re.fullmatch(_TYPE_NAME, text) for text in texts):
        raise ValueError("expected names of exception types such as 'pyodbc.Error' or 'DatabaseError'")
    return texts


class StaleIfError(ShortSection):
    """When the last good answer may stand in for a failure."""

    grace: Duration
    """For how long after its TTL; 0: never."""
    errors: Annotated[OneOrSeveral, AfterValidator(_type_names)] = Field(default=[])
    """The exception types that are such failures, and their subclasses: ``pyodbc.Error``."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        return value if isinstance(value, dict) else {"grace": _none_for_false(value)}

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        grace = {**long_form["properties"]["grace"], "description": "The grace, for failure answers only."}
        off = {"const": False, "description": "Never."}
        return [grace, off]


class Verification(ShortSection):
    """Comparing cached answers with the method's own, in production. In short: just the share."""

    sample: SampleShare
    """The share of hits: ``1%``."""
    on_difference: Literal["report", "disable"] = "report"
    """Whether a method with a wrong answer goes on being cached."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        return value if isinstance(value, dict) else {"sample": value}

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [long_form["properties"]["sample"]]


class AnswerPolicies(Section):
    """What may be said of the answers' age and of trust in them, of one method or of all in a namespace."""

    jitter: Share | None = None
    """By how much of itself a TTL may be shortened, at random: ``10%``."""
    stale_if_error: StaleIfError | None = None
    """How long the last good answer may stand in for a failure, and for which."""
    refresh_ahead: Share | None = None
    """The share of its life after which a hit has the answer renewed in the background: ``80%``."""
    max_age_from_clock: OptionalDuration | None = None
    """For answers that time alone changes: an age that nothing extends, neither TTL nor grace; 0: none."""
    wait_timeout: OptionalDuration | None = None
    """How long a call waits for another one that loads the same answer; 0: not at all."""
    verify: Verification | None = None
    """The share of hits on which the method itself runs as well, and the answers are compared: ``1%``."""
    shadow: StrictBool | None = None
    """True: the cache only tells what it would have done; every call gets the method's own answer."""


_PATH = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"


def _cursor_path(text: str) -> str:
    if not re.fullmatch(_PATH, text):
        raise ValueError("expected an attribute such as 'self.db.get_cursor'")
    return text


CursorPath = Annotated[str, AfterValidator(_cursor_path)]
"""Where to find a cursor, a connection, or what gives one of them: ``self.db.get_cursor``."""


def _function(text: str) -> str:
    try:
        target = Target.parse(text)
    except TargetError:  # its own words show the text, and nobody knows what stands there
        target = None
    if target is None or not target.path:
        raise ValueError("expected SQL, or a function such as 'package.module:function'")
    return str(target)


class ValidUntil(ShortSection):
    """What tells when time alone will change an answer. In short: just the SQL, or the function."""

    sql: str | None = None
    """SQL that gives the moment, with ``:name`` for the call's arguments, and ``:now``."""
    function: Annotated[str, AfterValidator(_function)] | None = None
    """``package.module:function``, called with the call's arguments; it gives the moment."""
    cursor: CursorPath | None = None
    """Where the SQL's cursor comes from, such as ``self.db.get_cursor``; by default the repository's."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        if isinstance(value, str):
            return {"sql" if is_sql(value) else "function": value}
        if not isinstance(value, dict):
            raise ValueError("expected SQL, a function, or a mapping")  # noqa: TRY004 - pydantic's protocol
        return value

    @model_validator(mode="after")
    def _says_one_thing(self) -> ValidUntil:
        if (self.sql is None) == (self.function is None):
            raise ValueError("expected either 'sql' or 'function'")
        return self

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [{"type": "string", "description": "The SQL, or the function."}]


def is_sql(text: str) -> bool:
    """Whether a text in the short form is SQL; the name of a function has no spaces."""
    return len(text.split()) > 1


_NAME = r"[^\s.\[\]\"`]+"


def _tables(texts: list[str]) -> list[str]:
    if not all(re.fullmatch(rf"{_NAME}(?:\.{_NAME})?", text) for text in texts):
        raise ValueError("expected tables and columns, without quotes: 'Table' or 'Table.column'")
    return texts


# -- sections ------------------------------------------------------------------------------------------


class KeyOptions(Section):
    """What else makes two calls the same, or different."""

    exclude: OneOrSeveral = Field(default=[])
    """Parameters that do not change the answer, such as a connection that is passed in."""
    include: AttributePaths = Field(default=[])
    """Attributes that do, such as ``self.account_id``."""


class CachedRule(AnswerPolicies, ShortSection):
    """How one method is cached. In short: just the namespace."""

    namespace: NamespaceName = Field(json_schema_extra={"pattern": f"^{_NAMESPACE}$"})
    """The namespace that its entries belong to; one of `cache.namespaces`."""
    ttl: Duration | None = None
    """How long an answer is good, if no write drops it before; 0: until a write does."""
    enabled: StrictBool = True
    """False: this method is left alone."""
    secret: OneOrSeveral = Field(default=[])
    """Parameters that must not be read anywhere: keys have a keyed hash of them, and logs three stars."""
    fold: OneOrSeveral = Field(default=[])
    """Parameters whose case does not matter, as in a database with a case-insensitive collation."""
    key: KeyOptions = KeyOptions.model_construct()
    unless_result: list[ResultLiteral] = Field(default=[])
    """Results that are answers to a failure, and must not be kept: ``[null, false]`` is one such result."""
    copy_: CopyMode = Field(default="auto", alias="copy")
    """How callers are kept from changing what the next caller gets."""
    materialize: StrictBool = False
    """True: a generator function is run to its end, and a hit replays its items."""
    reads: Annotated[OneOrSeveral, AfterValidator(_tables)] = Field(default=[])
    """``Table``, or ``Table.column``: what it reads that cannot be seen, where the SQL decides."""
    valid_until: ValidUntil | None = None
    """What tells, once for each load, when time alone will change the answer."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        if isinstance(value, str):
            return {"namespace": value}
        if not isinstance(value, dict):
            raise ValueError("expected a namespace, or a mapping")  # noqa: TRY004 - pydantic's protocol
        return value

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [{"type": "string", "description": "The namespace."}]


class NamespaceOptions(AnswerPolicies):
    """Defaults for the methods of one namespace."""

    enabled: StrictBool = True
    """False: its methods are not cached; writes go on invalidating."""
    ttl: Duration | None = None
    max_entries: int | None = Field(default=None, ge=0, strict=True)
    """How many entries its methods may have together; 0 for no bound."""
    max_bytes: Size | None = None
    """How many bytes these may take together, as an estimate; 0 for no bound."""


class CacheSection(Section):
    """Defaults for all cached methods, and the namespaces that they may use."""

    enabled: StrictBool = True
    """False: nothing is cached; writes go on invalidating."""
    default_ttl: Duration = 300.0
    wait_timeout: OptionalDuration = 5.0
    """How long a call waits for another one that loads the same answer; 0: not at all."""
    max_entries: int = Field(default=10_000, ge=0, strict=True)
    """How many entries each namespace may have; 0 for no bound."""
    max_bytes: Size = 0
    """How many bytes the entries of each namespace may take, as an estimate; 0 for no bound."""
    namespaces: dict[NamespaceName, NamespaceOptions] = Field(default={})
