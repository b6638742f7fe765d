"""A base class that its subclasses complete."""

from bookshop.database import Database


class Table:
    """What all tables have."""

    NAME = ""
    COLUMNS = ()

    def __init__(self, db: Database):
        self.db = db

    def all(self):
        return self.db.rows(f"SELECT {', '.join(self.COLUMNS)} FROM {self.NAME} ORDER BY 1")

    def find(self, key):
        found = self.db.rows(f"SELECT {', '.join(self.COLUMNS)} FROM {self.NAME} WHERE id = ?", key)
        return found[0] if found else None

    def delete(self, key):
        return self.db.run(f"DELETE FROM {self.NAME} WHERE id = ?", key)


class Books(Table):
    """The books."""

    NAME = "books"
    COLUMNS = ("id", "title", "author_id")

    def rename(self, key, title):
        return self.db.run("UPDATE books SET title = ? WHERE id = ?", title, key)


class Authors(Table):
    """Their authors."""

    NAME = "authors"
    COLUMNS = ("id", "name")

    def merge(self, key, into):
        self._hand_over(key, into)
        return self.delete(key)

    def _hand_over(self, key, into):
        self.db.run("UPDATE books SET author_id = ? WHERE author_id = ?", into, key)
