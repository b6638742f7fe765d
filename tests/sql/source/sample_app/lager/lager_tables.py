"""Tables as classes: what they have in common is in the base."""

from .lager_gateway import Gateway, retried
from .lager_queries import STOCK_COLUMNS, Names, select


class Table:
    """One table; its name and columns come from the subclass."""

    NAME = None
    KEY = "id"
    COLUMNS = ()

    def __init__(self, gateway: "Gateway"):
        self.gateway = gateway

    @property
    def qualified(self):
        """The name with its schema."""
        return f"[dbo].[{self.NAME}]"

    @retried(3)
    def find(self, key):
        """One row."""
        rows = self.gateway.query(select(self.qualified, self.COLUMNS, f"{self.KEY} = ?"), key)
        return rows[0] if rows else None

    def all(self, order_by=None):
        """All rows."""
        sql = select(self.qualified, self.COLUMNS)
        if order_by in self.COLUMNS:
            sql = f"{sql} ORDER BY {order_by}"
        return self.gateway.query(sql)

    def insert(self, **values):
        """A new row."""
        names = [name for name in self.COLUMNS if name in values]
        marks = ", ".join("?" * len(names))
        sql = "INSERT INTO {} ({}) VALUES ({})".format(self.qualified, ", ".join(names), marks)
        return self.gateway.change(sql, [values[name] for name in names])

    def update(self, key, **values):
        """Change a row."""
        assignments = [f"{name} = ?" for name in self.COLUMNS if name in values and name != self.KEY]
        sql = f"UPDATE {self.qualified} SET {', '.join(assignments)} WHERE {self.KEY} = ?"
        return self.gateway.change(sql, [*values.values(), key])

    def delete(self, key):
        """Remove a row."""
        return self.gateway.change(f"DELETE {self.qualified} WHERE {self.KEY} = ?", (key,))


class Customers(Table):
    """Who buys."""

    NAME = "customers"
    COLUMNS = ("id", "name", "mail")


class Stock(Table):
    """What lies where."""

    NAME = "stock"
    KEY = "item_id"
    COLUMNS = STOCK_COLUMNS

    def take(self, item_id, amount):
        """Take something out, if there is enough."""
        left = self.find(item_id)
        if left is None or left[2] < amount:
            return False
        super().update(item_id, amount=left[2] - amount)
        return True


class Lines(Table):
    """Lines of orders."""

    NAME = Names.LINES
    COLUMNS = ("order_id", "item_id", "amount")
    KEY = "order_id"
