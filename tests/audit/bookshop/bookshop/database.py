"""The database, and the only two methods that talk to it."""

import sqlite3


class Database:
    """One file of SQLite."""

    def __init__(self, path):
        self.path = path
        self._connection = None

    def connection(self):
        if self._connection is None:
            self._connection = sqlite3.connect(self.path, isolation_level=None)
        return self._connection

    def rows(self, sql, *params):
        return self.connection().execute(sql, params).fetchall()

    def run(self, sql, *params):
        return self.connection().execute(sql, params).rowcount
