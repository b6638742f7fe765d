"""The desk: what the buttons do."""

from typing import Any

from lager.lager_orders import Orders
from lager.lager_tables import Customers


class Desk:
    """Buttons, and the handlers that are found by their names."""

    def __init__(self, services: Any):
        self.services = services
        self.customers: Customers = services["customers"]
        self.handlers = {"cancel": self.services["orders"].cancel, "pack": self.on_pack}

    def press(self, button, *args):
        """A button is pressed: ``on_<button>`` handles it."""
        return getattr(self, f"on_{button}")(*args)

    def on_pack(self, order_id):
        """Pack."""
        return self.services["orders"].pack(order_id, "desk")

    def on_rename(self, customer_id, name):
        """Rename a customer."""
        return self.customers.update(customer_id, name=name)

    def handle(self, what, order_id):
        """By a table of handlers."""
        return self.handlers[what](order_id)

    def strange(self, thing):
        """Somebody else's object."""
        return thing.cancel(1)

    def tidy(self, rows):
        """Sort what is given, in place."""
        rows.sort()
        for row in rows:
            row["seen"] = True
        return rows


def desk(gateway):
    """A desk with all that it needs."""
    return Desk({"orders": Orders(gateway), "customers": Customers(gateway)})
