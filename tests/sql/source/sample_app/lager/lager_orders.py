"""Orders, the old part: functions that are given a cursor."""

import datetime
import threading

from lager import lager_queries as q
from lager.lager_gateway import Gateway, sql_file
from lager.lager_tables import Lines, Stock


def add_line(cursor, order_id, item_id, amount):
    """One more line of an order."""
    cursor.execute(
        "INSERT INTO order_lines (order_id, item_id, amount) VALUES (?, ?, ?)", (order_id, item_id, amount)
    )


def _touch(cur, table, key, *, column="changed_at"):
    cur.execute("UPDATE " + table + " SET " + column + " = ? WHERE id = ?", datetime.datetime.now(), key)


class Orders:
    """Orders with their lines."""

    def __init__(self, gateway: Gateway, stock: Stock | None = None):
        self.gateway = gateway
        self.stock = stock if stock is not None else Stock(gateway)
        self.lines = Lines(gateway)
        self._queries = dict(q.ITEM_QUERIES, mine="SELECT id FROM orders WHERE customer_id = ?")

    def open(self):
        """Orders that are not packed yet."""
        return self.gateway.query(sql_file("open_orders"))

    def pack(self, order_id, by):
        """Pack an order."""
        return self.gateway.change(sql_file("pack_order"), (by, order_id, order_id))

    def latest(self):
        """The ten latest orders."""
        words = self.gateway.words
        return self.gateway.query(
            f"SELECT {words.top} id FROM orders WHERE placed_at <= {words.now} "
            f"ORDER BY placed_at DESC {words.limit}"
        )

    def item(self, kind, value):
        """Items, by one of several queries."""
        return self.gateway.query(self._queries[kind], value)

    def of_customer(self, customer_id):
        """The numbers of a customer's orders."""
        return [row[0] for row in self.gateway.query(self._queries["mine"], customer_id)]

    def place(self, customer_id, items):
        """A new order."""
        with self.gateway.transaction() as cursor:
            cursor.execute("INSERT INTO orders (customer_id, placed_at) OUTPUT inserted.id VALUES (?, ?)",
                           (customer_id, datetime.datetime.now()))  # fmt: skip
            (order_id,) = cursor.fetchone()
            for item_id, amount in items:
                add_line(cursor, order_id, item_id, amount)
            _touch(cursor, "customers", customer_id, column="last_order_at")
        return order_id

    def cancel(self, order_id):
        """Cancel an order: its lines go back to the stock."""
        for _, item_id, amount in self.gateway.query(
            q.select(Lines.NAME, Lines.COLUMNS, where="order_id = ?"), order_id
        ):
            self.stock.update(item_id, amount=amount)
        steps = (
            lambda: self.lines.delete(order_id),
            lambda: self.gateway.change("DELETE FROM orders WHERE id = ?", (order_id,)),
        )
        for step in steps:
            step()

    def search(self, customer=None, item=None, since=None, columns="id"):
        """Orders by what they have."""
        where, params = ["1 = 1"], []
        joins = ""
        if customer is not None:
            where.append("o.customer_id = ?")
            params.append(customer)
        if item is not None:
            joins += " JOIN order_lines l ON l.order_id = o.id"
            where += ["l.item_id = ?"]
            params += [item]
        if since is not None:
            where.append("o.placed_at >= ?")
            params.append(since)
        if self._complain(params):
            raise ValueError(params)
        return self.gateway.query(f"SELECT o.id FROM orders o{joins} WHERE {' AND '.join(where)}", *params)

    def _complain(self, params):
        return len(params) > 10

    def report(self, columns):
        """Whatever columns somebody wants."""
        return self.gateway.query(f"SELECT {', '.join(columns)} FROM orders WHERE packed_at IS NOT NULL")

    def archive_later(self):
        """Archive in the background."""
        threading.Thread(target=self._archive, daemon=True).start()

    def _archive(self):
        moved = self.gateway.change("EXEC dbo.sp_archive_orders")
        return moved if moved >= 0 else None

    def count(self):
        """How many; -1 if nobody knows."""
        return self.gateway.change("SELECT COUNT(*) FROM orders")
