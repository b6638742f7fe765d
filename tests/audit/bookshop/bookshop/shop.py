"""What the shop does with it."""

import sqlite3

from bookshop.database import Database
from bookshop.queries import QUERIES
from bookshop.tables import Authors, Books


class Shop:
    """The counter."""

    def __init__(self, path):
        self.db = Database(path)
        self.books = Books(self.db)
        self.authors = Authors(self.db)
        self.last_customer = None

    def in_stock(self):
        try:
            return self.db.rows(QUERIES["in_stock"])
        except sqlite3.Error:
            return []

    def offers(self):
        return self.db.rows(QUERIES["offers"])

    def sell(self, book_id):
        return self.db.run(QUERIES["take"], book_id) > 0

    def customer(self, email):
        found = self.db.rows(QUERIES["customer"], email)
        return found[0] if found else None

    def greet(self, email):
        self.last_customer = self.db.rows(QUERIES["customer"], email)
        return f"Hello {self.last_customer[0][1]}"

    def login(self, email, password_hash):
        found = self.db.rows(QUERIES["login"], email)
        return bool(found) and found[0][1] == password_hash

    def rename_customer(self, customer_id, name):
        return self.db.run(QUERIES["rename"], name, customer_id)

    def seen(self, customer_id):
        return self.db.run(QUERIES["seen"], customer_id)

    def titles(self):
        for row in self.books.all():
            yield row[1]
