"""Dialects: the databases that can keep a version table, and what its parts are called there."""

from __future__ import annotations

from typing import Final, Literal

from wats_accel.errors import shown
from wats_accel.records import record
from wats_accel.versions.names import TableNameError, in_brackets, in_quotes, written_parts

Dialect = Literal["sqlite", "postgresql", "sqlserver"]

DEFAULT_NAME: Final = "wats_accel_versions"
LONGEST_NAME: Final = 40
"""PostgreSQL cuts names at 63 bytes, and the triggers' are longer than the table's."""
_SCHEMA: Final = {"sqlite": "", "postgresql": "public", "sqlserver": "dbo"}


@record(frozen=True, slots=True)
class Place:
    """Where the parts of a version table are. Schema and name as they are, not in quotes."""

    dialect: Dialect
    schema: str
    name: str

    @classmethod
    def of(cls, dialect: Dialect, name: str = DEFAULT_NAME) -> Place:
        """The parts of a table of this name, in this schema or the usual one.

        Raises:
            TableNameError: it cannot be such a name.
        """
        *schema, last = written_parts(name)
        fits = last.text.isascii() and last.text.replace("_", "").isalnum() and len(last.text) <= LONGEST_NAME
        if not fits or (schema and dialect == "sqlite"):
            raise TableNameError(
                f"{shown(name)!r} cannot be the name of a version table: letters, digits and _, at most "
                f"{LONGEST_NAME} of them" + (", without a schema" if dialect == "sqlite" else "")
            )
        return cls(dialect, schema[0].text if schema else _SCHEMA[dialect], last.text)

    def part(self, suffix: str = "") -> str:
        """The table, or what belongs to it, as SQL has it."""
        parts = (self.schema, self.name + suffix) if self.schema else (self.name + suffix,)
        return in_brackets(*parts) if self.dialect == "sqlserver" else in_quotes(*parts)

    @property
    def question(self) -> str:
        """The statement that reads what there is."""
        if self.dialect == "sqlserver":
            return f"EXEC {self.part('_now')}"
        # Whoever changes the definition of anything in an SQLite file gives it another number.
        teller = (
            "teller" if self.dialect == "postgresql" else "(SELECT schema_version FROM pragma_schema_version)"
        )
        call = "()" if self.dialect == "postgresql" else ""
        return f"SELECT table_name, number, pending, {teller} FROM {self.part('_now')}{call}"

    @property
    def tidying(self) -> str:
        """The statement that puts single rows together; empty where there are none."""
        return {
            "sqlite": "",
            "postgresql": f"SELECT {self.part('_tidy')}()",
            "sqlserver": f"EXEC {self.part('_tidy')}",
        }[self.dialect]
