"""The catalogue: what pyodbc tells of the database and of itself is the same through the pool."""

from __future__ import annotations

from typing import Any

import pytest
from backends import ODBC, Driver, on, outcome


@on(*ODBC)
def test_what_odbc_tells_of_itself_is_the_same_through_the_pool(driver: Driver) -> None:
    module = driver.module
    asked = [getattr(module, name) for name in dir(module) if name.startswith(("SQL_DBMS", "SQL_DRIVER_"))]
    numbers = [number for number in asked if isinstance(number, int)]

    def tell(connection: Any) -> Any:
        return [outcome(connection.getinfo, number) for number in (*numbers, 17, 18, 47, 99_999)]

    assert driver.same_as_bare(tell).raised is None


@on(*ODBC)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *(("tables", ()), ("tables", ("person",)), ("columns", ("person",)), ("statistics", ("person",))),
        *(
            ("primaryKeys", ("person",)),
            ("foreignKeys", ("person",)),
            ("procedures", ()),
            ("getTypeInfo", ()),
        ),
        *(("rowIdColumns", ("person",)), ("rowVerColumns", ("person",)), ("procedureColumns", ())),
    ],
)
def test_the_catalogue_is_the_same_through_the_pool(driver: Driver, name: str, arguments: Any) -> None:
    def look(connection: Any) -> Any:
        cursor = connection.cursor()
        told = getattr(cursor, name)(*arguments)
        return told is cursor, [tuple(row) for row in cursor.fetchmany(20)], cursor.description

    driver.same_as_bare(look)


@on(*ODBC, modes=("pooled",))
def test_looking_into_the_catalogue_costs_no_connection(driver: Driver) -> None:
    opened = driver.stats.opened
    for _ in range(3):
        cursor = driver.connect().cursor()
        assert cursor.tables("person").fetchone() is not None
        assert cursor.columns("person").fetchone() is not None
        del cursor
    assert driver.stats.opened == opened
