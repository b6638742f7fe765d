"""All texts in one place."""

SCHEMA = "dbo"
STOCK_COLUMNS = ["item_id", "shelf", "amount"]

ITEM_QUERIES = {
    "by_id": f"SELECT id, name, price FROM {SCHEMA}.items WHERE id = ?",
    "by_name": f"SELECT id, name, price FROM {SCHEMA}.items WHERE name LIKE ?",
    "price": "UPDATE %s.items SET price = ? WHERE id = ?" % SCHEMA,  # noqa: UP031 - people write it so
}
ITEM_QUERIES["cheap"] = ITEM_QUERIES["by_id"].replace("id = ?", "price < ?")


class Names:
    """Names of tables."""

    ORDERS = "orders"
    LINES = ORDERS[:-1] + "_lines"


def select(table, columns, where=""):
    """A SELECT."""
    text = "SELECT " + ", ".join(columns) + " FROM " + table
    if where:
        text += " WHERE " + where
    return text
