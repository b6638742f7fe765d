"""The section ``sql:`` and the files of schema that it names: what the database adds to the SQL."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, model_validator

from wats_accel.config.fields import OneOrSeveral, Section, ShortSection

Dialect = Literal["tsql", "postgres", "sqlite", "mysql", "oracle", ""]
Action = Literal["no action", "cascade", "set null", "set default"]
Happening = Literal["insert", "update", "delete"]
Hides = Literal["reads", "writes", "both"]

SECRET_COLUMNS = (
    "senha",
    "segredo",
    "credencial",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "hash",
    "salt",
    "secret",
    "token",
    "credential",
    "api_key",
    "apikey",
    "private_key",
)


class TableRule(ShortSection):
    """A table. In short: its columns, or nothing."""

    columns: list[str] | None = None
    """All of them. Then a column without a table's name is counted for the tables that have it."""
    computed: list[str] = Field(default=[])
    """Those that the database itself changes with every UPDATE: computed ones, row versions."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        if value is None:
            return {}
        return {"columns": value} if isinstance(value, list) else value

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]


def _names_alone(value: object) -> object:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value)
    return value


class ForeignKeyRule(Section):
    """A foreign key, and what the database does with the rows that refer to others."""

    table: str
    """The table that refers."""
    columns: OneOrSeveral = Field(default=[])
    """Its columns; by default any."""
    parent: str
    """The table that it refers to."""
    parent_columns: OneOrSeveral = Field(default=[])
    """The columns that are referred to; by default any."""
    on_delete: Action = "no action"
    """What becomes of the rows when the parent's row is deleted."""
    on_update: Action = "no action"
    """What becomes of the rows when the parent's key is changed."""


class TriggerRule(Section):
    """A trigger, and what it changes besides."""

    table: str
    """The table, or view, that has it."""
    name: str = ""
    """Its name."""
    events: list[Happening] = Field(default=["insert", "update", "delete"])
    """What it fires on."""
    writes: OneOrSeveral = Field(default=[])
    """What it changes."""
    calls: OneOrSeveral = Field(default=[])
    """The procedures and functions that it calls."""
    sql: str = ""
    """Its statements, instead of `writes` and `calls` or besides them."""
    unknown: Hides | None = None
    """What there may be more of: with ``writes``, a write that fires it concerns every answer."""


class ViewRule(ShortSection):
    """What a view is made from. In short: a list of tables and columns, or its SELECT."""

    reads: OneOrSeveral = Field(default=[])
    """Tables and columns."""
    calls: OneOrSeveral = Field(default=[])
    """The functions that it calls."""
    clock: StrictBool = False
    """Whether its rows depend on when they are read."""
    sql: str = ""
    """Its SELECT, instead of the others or besides them."""
    unknown: Hides | None = None
    """What there may be more of: with ``reads``, what is read of the view is never sure to be covered."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        if isinstance(value, str):
            return {"sql": value} if len(value.split()) > 1 else {"reads": [value]}
        return {"reads": value} if isinstance(value, list) else value

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]


class RoutineRule(ShortSection):
    """What a procedure or a function touches. In short: its text."""

    reads: OneOrSeveral | None = None
    """Tables and columns. Where neither this nor `sql` is given, what it reads is unknown."""
    writes: OneOrSeveral | None = None
    """Tables, and columns that are set by an UPDATE only."""
    calls: OneOrSeveral = Field(default=[])
    """The procedures and functions that it calls itself."""
    clock: StrictBool = False
    """Whether what it gives depends on when it runs."""
    sql: str = ""
    """Its text, instead of the others or besides them."""
    unknown: Hides | None = None
    """What there may be more of."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        return {"sql": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _says_something(self) -> RoutineRule:
        if self.reads is None and self.writes is None and not (self.calls or self.sql or self.unknown):
            raise ValueError("say what it reads or writes: 'reads: []' and 'writes: []' if it is nothing")
        return self

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [{"type": "string"}]


class _OrNamesAlone:
    """Says in the JSON Schema what `_names_alone` takes."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "array", "items": {"type": "string"}}, handler(core_schema)]}


Tables = Annotated[dict[str, TableRule], BeforeValidator(_names_alone), _OrNamesAlone]
"""Tables by name; in short: a list of names."""


class SchemaPart(Section):
    """What is known of a database."""

    dialect: Dialect = ""
    """Which SQL it is written in."""
    tables: Tables = Field(default={})
    """The tables. In short: a list of their names."""
    foreign_keys: list[ForeignKeyRule] = Field(default=[])
    """Foreign keys, above all those that delete or change rows of other tables."""
    triggers: list[TriggerRule] = Field(default=[])
    """Triggers, and what they change."""
    views: dict[str, ViewRule] = Field(default={})
    """Views, and what they are made from."""
    procedures: dict[str, RoutineRule] = Field(default={})
    """Procedures, and what they read and write."""
    functions: dict[str, RoutineRule] = Field(default={})
    """Functions of the database's own, and what they read and write."""
    pure_functions: list[str] = Field(default=[])
    """Functions that read and change no table."""
    aliases: dict[str, OneOrSeveral] = Field(default={})
    """Names that stand for tables: synonyms, and tables whose rows others hold."""


class SchemaFile(SchemaPart):
    """A file of schema, as ``wats-accel schema-scan`` writes it."""

    version: Literal[1]
    """Version of the format."""
    complete: StrictBool = False
    """Whether there are no other tables, views and triggers."""
    unknown: list[str] = Field(default=[])
    """What could not be found out, for people to read."""


class SqlSection(SchemaPart):
    """The application's SQL, and what its database adds to it."""

    schema_files: OneOrSeveral = Field(default=[], alias="schema")
    """Files that `wats-accel schema-scan` has written, relative to this one. What stands here beats them."""
    assume_plain_tables: StrictBool = False
    """True: a name that nothing is said of is a table without triggers and cascades. False: it may be a view
    of anything, and a write to it may change anything."""
    secret_columns: list[str] = Field(default=list(SECRET_COLUMNS))
    """Words in the names of columns that are not to be kept in a cache lightly."""
    exclude: OneOrSeveral = Field(default=[])
    """Folders and files of the source that are no part of the running application: ``tests``, ``tools/*``."""
